"""What a sync would do, doing it, watching and stopping it."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from small import HashEncoder, write
from syncs import names, synced

from index import Library, ingest
from index.lock import writer_lock
from qa.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from index.types import Vectors

POOL = b"The swimming pool opens at seven in the morning."


class Slow(HashEncoder):
    """Embeds one batch, then waits to be let on."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors once `go_on` is set."""
        self.begun.set()
        assert self.go_on.wait(20)
        return super().encode_documents(texts)


@pytest.fixture
def slow() -> Slow:
    """An encoder that can be held up."""
    return Slow()


@pytest.fixture
def held(library: Library, slow: Slow) -> Iterator[TestClient]:
    """A page over a library whose next sync stops at its first batch."""
    path = library.path
    library.close()
    with Library.open(path, encoder=slow) as opened:
        yield TestClient(create_app(opened), base_url="http://127.0.0.1:7860")
        slow.go_on.set()


def test_a_preview_says_what_would_happen_and_does_nothing(
    client: TestClient, library: Library, folder: Path
) -> None:
    write(folder, {"pool.txt": POOL, "lift.txt": "Another text.", "a.xyz": b""})
    (folder / "minutes/2023.txt").rename(folder / "minutes/old.txt")
    (folder / "garden.md").unlink()
    preview = client.get("/api/sync/preview").json()
    (entry,) = preview["sources"]
    report = entry["report"]
    found = {key: report[key]["paths"] for key in ("added", "updated", "renamed", "removed")}
    assert found == {
        "added": ["pool.txt"],
        "updated": ["lift.txt"],
        "renamed": ["minutes/old.txt"],
        "removed": ["garden.md"],
    }
    assert [one["path"] for one in report["skipped"]] == ["a.xyz"]
    assert (preview["changes"], entry["asks"], entry["problem"]) == (4, False, "")
    assert (entry["source"]["name"], entry["source"]["kind"]) == ("house", "folder")
    assert library.generation == 1
    assert "pool.txt" not in names(client)


def test_an_update_does_what_was_previewed(client: TestClient, folder: Path) -> None:
    write(folder, {"pool.txt": POOL})
    assert client.post("/api/sync", json={}).json()["running"] is True
    state = synced(client)
    assert state["reports"][0]["added"]["paths"] == ["pool.txt"]
    assert (state["problem"], state["cancelled"]) == ("", False)
    assert "pool.txt" in names(client)
    assert client.get("/api/sync/preview").json()["changes"] == 0


def test_the_place_of_a_source_on_the_server_is_not_told(client: TestClient, folder: Path) -> None:
    for address in ("/api/sources", "/api/sync/preview", "/api/documents", "/api/sync"):
        assert str(folder.parent) not in client.get(address).text


def test_losing_more_than_half_needs_a_yes(
    client: TestClient, folder: Path, library: Library
) -> None:
    shutil.rmtree(folder / "minutes")
    (folder / "garden.md").unlink()
    (entry,) = client.get("/api/sync/preview").json()["sources"]
    assert entry["asks"] is True
    client.post("/api/sync", json={})
    state = synced(client)
    assert "3 of 4 documents are gone" in state["problem"]
    assert len(names(client)) == 4
    client.post("/api/sync", json={"yes": True})
    assert synced(client)["problem"] == ""
    assert names(client) == ["lift.txt"]


def test_a_folder_that_is_not_there_is_told_and_the_others_go_on(
    client: TestClient, library: Library, folder: Path, tmp_path: Path
) -> None:
    other = write(tmp_path / "other", {"quay.txt": "The quay is wet."})
    library.sync(other)
    shutil.rmtree(folder)
    write(other, {"pool.txt": POOL})
    preview = client.get("/api/sync/preview").json()
    assert [bool(entry["problem"]) for entry in preview["sources"]] == [True, False]
    client.post("/api/sync", json={})
    state = synced(client)
    assert "There is no folder" in state["problem"]
    assert state["reports"][0]["added"]["paths"] == ["pool.txt"]
    assert len(names(client)) == 6


def test_one_source_can_be_tried_again(client: TestClient, library: Library, folder: Path) -> None:
    write(folder, {"empty.txt": b""})
    library.sync(folder)
    write(folder, {"empty.txt": POOL})
    (failure,) = client.get("/api/documents/failures").json()["failures"]
    client.post("/api/sync", json={"sources": [failure["source"]]})
    assert synced(client)["reports"][0]["added"]["paths"] == ["empty.txt"]
    assert client.get("/api/documents/failures").json()["failures"] == []
    assert client.post("/api/sync", json={"sources": [77]}).status_code == 422


def test_while_it_runs_people_ask_and_nothing_else_is_changed(
    held: TestClient, slow: Slow, folder: Path
) -> None:
    write(folder, {"pool.txt": POOL})
    held.post("/api/sync", json={})
    assert slow.begun.wait(20)
    state = held.get("/api/sync").json()
    assert (state["running"], state["source"], state["reports"]) == (True, "house", [])
    question = {"question": "How often is the lift inspected?"}
    assert held.post("/api/ask", json=question).json()["quotes"]
    first = held.get("/api/documents").json()["documents"][0]["id"]
    for reply in (held.delete(f"/api/documents/{first}"), held.get("/api/sync/preview")):
        assert reply.status_code == 409
        assert "being added or updated just now" in reply.json()["detail"]
    slow.go_on.set()
    assert synced(held)["reports"][0]["added"]["count"] == 1


def test_what_comes_meanwhile_is_taken_in_after_it(
    held: TestClient, slow: Slow, folder: Path
) -> None:
    write(folder, {"pool.txt": POOL})
    held.post("/api/sync", json={})
    assert slow.begun.wait(20)
    held.post("/api/documents", files={"files": ("quay.txt", b"The quay is wet.")})
    slow.go_on.set()
    reports = synced(held)["reports"]
    assert [(one["source"], one["added"]["paths"]) for one in reports] == [
        ("house", ["pool.txt"]),
        ("Uploads", ["quay.txt"]),
    ]


def test_a_stopped_upload_leaves_everything_as_it_was(
    held: TestClient, slow: Slow, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """Also the file that it would have replaced, and what waited behind it."""
    slow.go_on.set()
    held.post("/api/documents", files={"files": ("pool.txt", POOL)})
    synced(held)
    monkeypatch.setattr(ingest, "STAGE", 1)
    slow.go_on.clear()
    slow.begun.clear()
    longer = POOL + b"\n\nIt closes at nine.\n\nDogs stay outside."
    files = [("files", ("pool.txt", longer)), ("files", ("new/quay.txt", b"The quay is wet."))]
    held.post("/api/documents", files=files)
    assert slow.begun.wait(20)
    held.post("/api/documents", files={"files": ("later.txt", b"This one waits.")})
    assert held.delete("/api/sync").json()["cancelling"] is True
    slow.go_on.set()
    state = synced(held)
    assert (state["cancelled"], state["cancelling"], state["problem"]) == (True, False, "")
    assert sorted(names(held)) == ["2023.txt", "2024.txt", "garden.md", "lift.txt", "pool.txt"]
    uploads = folder.parent / "house.quoth/uploads"
    assert [path.name for path in uploads.rglob("*")] == ["pool.txt"]
    assert (uploads / "pool.txt").read_bytes() == POOL
    assert held.get("/api/documents/outdated").json() == {"changed": [], "gone": []}


def test_stopping_nothing_is_no_error(client: TestClient) -> None:
    state = client.delete("/api/sync").json()
    assert (state["running"], state["cancelled"]) == (False, False)


def test_another_process_that_changes_the_library_is_waited_for_and_named(
    client: TestClient, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.lock.WAIT_SECONDS", 0.1)
    free, taken = threading.Event(), threading.Event()

    def hold() -> None:
        with writer_lock(library.path):
            taken.set()
            free.wait(20)

    other = threading.Thread(target=hold)
    other.start()
    try:
        assert taken.wait(20)
        assert client.get("/api/sync/preview").status_code == 409
        client.post("/api/documents", files={"files": ("pool.txt", POOL)})
        state = _until_waiting(client)
        assert "is being changed by process" in state["waiting"]
    finally:
        free.set()
        other.join()
    state = synced(client)
    assert (state["waiting"], state["reports"][0]["added"]["paths"]) == ("", ["pool.txt"])


def _until_waiting(client: TestClient) -> Any:  # noqa: ANN401 - JSON
    for _ in range(400):
        state = client.get("/api/sync").json()
        if state["waiting"]:
            return state
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def test_when_too_many_look_what_would_happen_it_says_when_to_come_again(library: Library) -> None:
    app = create_app(library)
    previews = app.state.services.previews
    previews._seconds = 0.05
    with TestClient(app, base_url="http://127.0.0.1:7860") as client:
        assert client.portal is not None
        for number in range(2):
            client.portal.call(previews._enter, f"somebody {number}")
        reply = client.get("/api/sync/preview")
        assert (reply.status_code, reply.headers["retry-after"].isdigit()) == (503, True)
        client.portal.call(previews._leave, "somebody 0")
        assert client.get("/api/sync/preview").status_code == 200


def test_what_was_accepted_when_the_server_ended_is_taken_in_by_the_next(
    library: Library, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was being taken in as well as what waited behind it."""
    path = library.path
    library.close()
    monkeypatch.setattr(ingest, "STAGE", 1)
    longer = POOL + b"\n\nIt closes at nine.\n\nDogs stay outside."
    with Library.open(path, encoder=slow) as opened:
        app = create_app(opened)
        with TestClient(app, base_url="http://127.0.0.1:7860") as client:
            for name in ("first.txt", "second.txt"):
                reply = client.post("/api/documents", files={"files": (name, longer)})
                assert reply.status_code == 202
            assert slow.begun.wait(20)
            threading.Timer(0.3, slow.go_on.set).start()
        assert {info.name for info in opened.documents()}.isdisjoint({"first.txt", "second.txt"})
    with Library.open(path, encoder=HashEncoder()) as opened:
        with TestClient(create_app(opened), base_url="http://127.0.0.1:7860") as client:
            assert synced(client)["problem"] == ""
            assert {"first.txt", "second.txt"} <= set(names(client))
        left = [path.name for path in opened.uploads.iterdir()]
        assert sorted(left) == ["first.txt", "second.txt"]
