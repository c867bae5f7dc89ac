"""Documents come and go through the page."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from index.errors import SourceError
from qa.web.app import create_app
from qa.web.settings import PageSettings
from qa.web.uploads import clean_name

if TYPE_CHECKING:
    from index import Library

POOL = b"The swimming pool opens at seven in the morning."


def synced(client: TestClient) -> Any:  # noqa: ANN401 - JSON
    """Return the state of the uploads once they have been taken in."""
    for _ in range(300):
        state = client.get("/api/sync").json()
        if not state["running"]:
            return state
        time.sleep(0.05)
    raise AssertionError("the sync does not end")


def names(client: TestClient) -> list[str]:
    return [one["name"] for one in client.get("/api/documents").json()["documents"]]


def test_the_list_says_what_is_indexed(client: TestClient) -> None:
    listed = client.get("/api/documents").json()
    assert names(client) == ["garden.md", "lift.txt", "2023.txt", "2024.txt"]
    garden = listed["documents"][0]
    assert (garden["title"], garden["folder"], garden["uploaded"]) == ("Garden rules", "", False)
    assert listed["sentences"] == sum(one["sentences"] for one in listed["documents"])
    assert (listed["can_upload"], listed["can_remove"]) == (True, True)


def test_uploaded_files_answer_and_the_report_names_what_was_skipped(
    client: TestClient, library: Library
) -> None:
    files = [
        ("files", ("pool.txt", POOL)),
        ("files", ("photo.xyz", b"\x00\x01\x02")),
        ("files", ("empty.txt", b"")),
        ("files", ("../../.hidden/..", b"nameless")),
    ]
    reply = client.post("/api/documents", files=files)
    assert reply.status_code == 202
    assert reply.json()["saved"] == ["pool.txt", "photo.xyz", "empty.txt"]
    assert [one["path"] for one in reply.json()["refused"]] == ["../../.hidden/.."]
    (report,) = synced(client)["reports"]
    assert report["added"] == ["pool.txt"]
    assert sorted(one["path"] for one in report["skipped"]) == ["empty.txt", "photo.xyz"]
    assert all(one["reason"] for one in report["skipped"])
    assert sorted(path.name for path in library.uploads.iterdir()) == ["pool.txt"]
    answer = client.post("/api/ask", json={"question": "When does the swimming pool open?"}).json()
    assert answer["quotes"][0]["text"] == POOL.decode()


def test_a_file_of_the_same_name_replaces_the_earlier_one(client: TestClient) -> None:
    for text, key in ((POOL, "added"), (POOL.replace(b"seven", b"eight"), "updated")):
        client.post("/api/documents", files={"files": ("pool.txt", text)})
        assert synced(client)["reports"][0][key] == ["pool.txt"]


def test_a_removed_upload_is_deleted(client: TestClient, library: Library) -> None:
    client.post("/api/documents", files={"files": ("pool.txt", POOL)})
    synced(client)
    number = next(i.id for i in library.documents() if i.name == "pool.txt")
    assert client.delete(f"/api/documents/{number}").json()["removed"] == ["pool.txt"]
    assert "pool.txt" not in names(client)
    assert list(library.uploads.iterdir()) == []
    assert client.delete(f"/api/documents/{number}").status_code == 404


def test_a_removed_file_of_a_folder_stays_on_disk_and_out_of_the_library(
    client: TestClient, library: Library, folder: Path
) -> None:
    number = next(i.id for i in library.documents() if i.name == "lift.txt")
    assert client.delete(f"/api/documents/{number}").status_code == 200
    library.sync(folder)
    assert "lift.txt" not in names(client)
    assert (folder / "lift.txt").exists()


def test_nothing_can_be_changed_on_a_read_only_page(library: Library) -> None:
    app = create_app(library, settings=PageSettings(read_only=True))
    client = TestClient(app, base_url="http://127.0.0.1:7860")
    assert client.post("/api/documents", files={"files": ("a.txt", POOL)}).status_code == 403
    assert client.delete(f"/api/documents/{library.documents()[0].id}").status_code == 403
    assert client.get("/api/documents").json()["can_upload"] is False
    assert len(names(client)) == 4


def test_a_form_without_files_is_wrong_usage(client: TestClient) -> None:
    reply = client.post("/api/documents", files={"other": ("a.txt", POOL)})
    assert (reply.status_code, reply.json()["detail"]) == (422, "No file was sent.")


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("policy.pdf", "policy.pdf"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\policy.pdf", "policy.pdf"),
        ("exe\u202efdp.txt", "exefdp.txt"),
        (".hidden.txt", "hidden.txt"),
        ("a\x00b\n.txt", "ab.txt"),
        ("Straße e\u0301.txt", "Straße é.txt"),
    ],
)
def test_a_name_becomes_what_it_looks_like(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


@given(st.text(max_size=300))
def test_a_cleaned_name_is_a_plain_file_name(name: str) -> None:
    try:
        cleaned = clean_name(name)
    except SourceError:
        return
    assert Path(cleaned).name == cleaned
    assert not cleaned.startswith(".")
    assert 0 < len(cleaned.encode()) <= 200
    assert clean_name(cleaned) == cleaned
