"""The list of documents, taking them out, and files that could not be read."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from small import HashEncoder, write
from syncs import names, synced

from index import Library
from qa.web.app import create_app
from qa.web.settings import PageSettings

POOL = b"The swimming pool opens at seven in the morning."


def number_of(library: Library, name: str) -> int:
    return next(info.id for info in library.documents() if info.name == name)


def test_the_list_says_what_is_indexed(client: TestClient, library: Library) -> None:
    listed = client.get("/api/documents").json()
    assert names(client) == ["garden.md", "lift.txt", "2023.txt", "2024.txt"]
    garden = listed["documents"][0]
    assert (garden["title"], garden["folder"], garden["uploaded"]) == ("Garden rules", "", False)
    info = library.document(garden["id"])
    assert garden["ref"] == f"{info.id}-{info.text_hash[:12]}"
    assert listed["sentences"] == sum(one["sentences"] for one in listed["documents"])
    assert (listed["can_upload"], listed["can_remove"]) == (True, True)
    assert (listed["found"], listed["total"], listed["next"]) == (4, 4, None)
    assert client.get(f"/api/documents/{garden['id']}").json() == garden
    assert client.get("/api/documents/9999").status_code == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=MINUTES 2024", ["2024.txt"]),
        ("search=garden rules", ["garden.md"]),
        ("search=nothing", []),
        ("type=markdown", ["garden.md"]),
        ("folder=minutes", ["2023.txt", "2024.txt"]),
        ("folder=min", []),
        ("sort=name", ["2023.txt", "2024.txt", "garden.md", "lift.txt"]),
        ("sort=name&descending=true&limit=1", ["lift.txt"]),
        ("offset=3", ["2024.txt"]),
    ],
)
def test_the_list_can_be_searched_sorted_and_turned(
    client: TestClient, query: str, expected: list[str]
) -> None:
    found = client.get(f"/api/documents?{query}").json()
    assert [one["name"] for one in found["documents"]] == expected


def test_a_part_of_the_list_says_where_it_goes_on(client: TestClient) -> None:
    first = client.get("/api/documents?limit=3").json()
    assert (len(first["documents"]), first["found"], first["next"]) == (3, 4, 3)
    rest = client.get(f"/api/documents?offset={first['next']}").json()
    assert (len(rest["documents"]), rest["next"]) == (1, None)


def test_the_table_of_the_page_holds_the_same_and_is_sent_only_when_it_changed(
    client: TestClient, folder: Path, library: Library
) -> None:
    reply = client.get("/api/documents/table")
    table = reply.json()
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    assert rows == client.get("/api/documents").json()["documents"]
    known = {"if-none-match": reply.headers["etag"]}
    assert client.get("/api/documents/table", headers=known).status_code == 304
    write(folder, {"new.txt": "The attic is dry."})
    library.sync(folder)
    again = client.get("/api/documents/table", headers=known)
    assert (again.status_code, len(again.json()["rows"])) == (200, 5)


@pytest.mark.slow
def test_ten_thousand_documents_are_listed_in_well_under_a_second(
    tmp_path: Path,
) -> None:
    with Library.open(tmp_path / "many.quoth", create=True, encoder=HashEncoder()) as library:
        library.add_texts(
            (f"folder {n % 40}/note {n}.txt", "The quay is wet.", f"Note {n}", "2024-05-01")
            for n in range(10_000)
        )
        client = TestClient(create_app(library), base_url="http://127.0.0.1:7860")
        assert len(client.get("/api/documents/table").json()["rows"]) == 10_000
        started = time.perf_counter()
        assert client.get("/api/documents?search=note 77&sort=date").json()["found"] == 280
        assert len(client.get("/api/documents/table").content) < 3_000_000
        assert time.perf_counter() - started < 1


def test_documents_that_changed_on_the_disk_are_told(
    client: TestClient, library: Library, folder: Path
) -> None:
    write(folder, {"lift.txt": "Another text."})
    (folder / "garden.md").unlink()
    assert client.get("/api/documents/outdated").json() == {
        "changed": [number_of(library, "lift.txt")],
        "gone": [number_of(library, "garden.md")],
    }


def test_a_removed_file_of_a_folder_stays_on_disk_and_out_of_the_library(
    client: TestClient, library: Library, folder: Path
) -> None:
    reply = client.delete(f"/api/documents/{number_of(library, 'lift.txt')}")
    assert (reply.status_code, reply.json()["stays"]) == (200, 1)
    library.sync(folder)
    assert "lift.txt" not in names(client)
    assert (folder / "lift.txt").exists()


def test_several_are_removed_at_once(client: TestClient, library: Library) -> None:
    doomed = [number_of(library, name) for name in ("lift.txt", "2023.txt")]
    before = library.generation
    reply = client.post("/api/documents/remove", json={"documents": doomed}).json()
    assert reply["removed"] == ["lift.txt", "minutes/2023.txt"]
    assert reply["generation"] == library.generation == before + 1
    assert names(client) == ["garden.md", "2024.txt"]


def test_if_one_of_several_is_unknown_none_is_removed(client: TestClient, library: Library) -> None:
    doomed = [number_of(library, "lift.txt"), 9999]
    reply = client.post("/api/documents/remove", json={"documents": doomed})
    assert (reply.status_code, len(names(client))) == (404, 4)
    assert "9999" in reply.json()["detail"]


@pytest.fixture
def failed(client: TestClient, library: Library, folder: Path) -> list[Any]:
    """The failures of a folder with three files that cannot be read."""
    write(folder, {"a\u202etxt.xyz": b"\x00", "minutes/empty.txt": b"", "lift.txt": b""})
    library.sync(folder)
    found: list[Any] = client.get("/api/documents/failures").json()["failures"]
    return found


def test_failures_have_a_reason_and_a_next_step(failed: list[Any]) -> None:
    strange, lift, empty = failed
    assert strange["name"] == "a‹U+202E›txt.xyz"
    assert strange["why"] == "Quoth does not know this kind of file."
    assert strange["next_step"].startswith("Save it as PDF, Word")
    assert (empty["folder"], empty["name"], empty["kind"]) == ("minutes", "empty.txt", "empty")
    assert (empty["kept"], lift["kept"]) == (False, True)
    assert all(one["since"].startswith("20") and not one["uploaded"] for one in failed)


def test_failures_can_be_dismissed(client: TestClient, failed: list[Any]) -> None:
    keys = [{"source": one["source"], "path": one["path"]} for one in failed[:2]]
    left = client.post("/api/documents/failures/dismiss", json={"failures": keys}).json()
    assert left["failures"] == failed[2:]
    assert client.get("/api/documents/failures").json() == left


def test_nothing_can_be_changed_on_a_read_only_page(library: Library) -> None:
    app = create_app(library, settings=PageSettings(read_only=True))
    client = TestClient(app, base_url="http://127.0.0.1:7860")
    number = library.documents()[0].id
    key = {"source": 1, "path": "a.txt"}
    for reply in (
        client.post("/api/documents", files={"files": ("a.txt", POOL)}),
        client.delete(f"/api/documents/{number}"),
        client.post("/api/documents/remove", json={"documents": [number]}),
        client.post("/api/documents/failures/dismiss", json={"failures": [key]}),
        client.post("/api/sync", json={}),
        client.delete("/api/sync"),
        client.get("/api/sync/preview"),
    ):
        assert reply.status_code == 403, reply.request.url
        assert reply.json()["detail"].endswith("on this page.")
    listed = client.get("/api/documents").json()
    assert (listed["can_upload"], listed["can_remove"]) == (False, False)
    assert len(names(client)) == 4


def test_a_page_without_uploads_still_follows_its_folders(library: Library, folder: Path) -> None:
    app = create_app(library, settings=PageSettings(upload=False))
    client = TestClient(app, base_url="http://127.0.0.1:7860")
    assert client.post("/api/documents", files={"files": ("a.txt", POOL)}).status_code == 403
    assert client.post("/api/sync", json={"batch": "0123456789"}).status_code == 403
    write(folder, {"pool.txt": POOL})
    assert client.post("/api/sync", json={}).status_code == 202
    assert synced(client)["reports"][0]["added"]["paths"] == ["pool.txt"]
