"""Files that are sent: kept aside, taken in, replaced, or given up."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient
from hypothesis import example, given
from hypothesis import strategies as st
from syncs import names, synced

from index.errors import SourceError
from qa.web.app import create_app
from qa.web.settings import PageSettings
from qa.web.uploads import Uploads, clean_path

if TYPE_CHECKING:
    from index import Library

POOL = b"The swimming pool opens at seven in the morning."
BATCH = "batch-of-a-test"
ORIGIN = "http://127.0.0.1:7860"


def files_below(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


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
    assert report["added"] == {"count": 1, "paths": ["pool.txt"]}
    assert sorted(one["path"] for one in report["skipped"]) == ["empty.txt", "photo.xyz"]
    assert all(one["why"] and one["next_step"] for one in report["skipped"])
    assert files_below(library.uploads) == ["pool.txt"]
    failures = client.get("/api/documents/failures").json()["failures"]
    assert [(one["path"], one["uploaded"]) for one in failures] == [
        ("empty.txt", True),
        ("photo.xyz", True),
    ]
    answer = client.post("/api/ask", json={"question": "When does the swimming pool open?"}).json()
    assert answer["quotes"][0]["text"] == POOL.decode()


def test_a_file_of_the_same_name_replaces_the_earlier_one(client: TestClient) -> None:
    for text, key in ((POOL, "added"), (POOL.replace(b"seven", b"eight"), "updated")):
        client.post("/api/documents", files={"files": ("pool.txt", text)})
        assert synced(client)["reports"][0][key]["paths"] == ["pool.txt"]


def test_a_folder_keeps_its_subfolders(client: TestClient, library: Library) -> None:
    files = [
        ("files", ("club/pool.txt", POOL)),
        ("files", ("club/old/pool.txt", POOL.replace(b"seven", b"nine"))),
    ]
    reply = client.post("/api/documents", files=files).json()
    assert reply["saved"] == ["club/pool.txt", "club/old/pool.txt"]
    synced(client)
    assert files_below(library.uploads) == ["club/old/pool.txt", "club/pool.txt"]
    found = client.get("/api/documents?folder=club/old").json()["documents"]
    assert [(one["folder"], one["uploaded"]) for one in found] == [("club/old", True)]


def test_what_is_sent_in_parts_is_taken_in_once_all_is_there(
    client: TestClient, library: Library
) -> None:
    for name in ("a.txt", "b.txt"):
        reply = client.post(f"/api/documents?batch={BATCH}", files={"files": (name, POOL)})
        assert (reply.status_code, reply.json()["sync"]["number"]) == (202, 0)
    assert "a.txt" not in names(client)
    assert library.sync(library.uploads).changed is False  # nobody's sync sees half of it
    client.post("/api/sync", json={"batch": BATCH})
    (report,) = synced(client)["reports"]
    assert report["added"]["paths"] == ["a.txt", "b.txt"]
    assert os.listdir(library.uploads / "..") != []
    assert files_below(library.uploads) == ["a.txt", "b.txt"]
    assert sorted(path.name for path in library.uploads.iterdir()) == ["a.txt", "b.txt"]


def test_what_was_sent_can_be_given_up(client: TestClient, library: Library) -> None:
    client.post(f"/api/documents?batch={BATCH}", files={"files": ("a.txt", POOL)})
    assert client.delete(f"/api/documents/batch/{BATCH}").status_code == 204
    client.post("/api/sync", json={"batch": BATCH})
    assert synced(client)["reports"][0]["added"]["count"] == 0
    assert files_below(library.uploads) == []


@pytest.mark.parametrize("batch", ["short", "../../../etc", "a" * 65, "with space"])
def test_a_batch_has_a_plain_name(client: TestClient, batch: str) -> None:
    reply = client.post("/api/documents", params={"batch": batch}, files={"files": ("a", POOL)})
    assert reply.status_code == 422


def test_an_upload_that_cannot_be_read_leaves_the_earlier_version(
    client: TestClient, library: Library
) -> None:
    client.post("/api/documents", files={"files": ("club/pool.txt", POOL)})
    synced(client)
    client.post("/api/documents", files={"files": ("club/pool.txt", b"")})
    (report,) = synced(client)["reports"]
    assert [(one["path"], one["kept"]) for one in report["skipped"]] == [("club/pool.txt", True)]
    assert (library.uploads / "club/pool.txt").read_bytes() == POOL
    assert library.sync(library.uploads).unchanged == 1
    assert client.get("/api/documents/outdated").json() == {"changed": [], "gone": []}


def test_a_file_with_the_name_of_a_folder_is_told_and_changes_nothing(
    client: TestClient, library: Library
) -> None:
    client.post("/api/documents", files={"files": ("club/pool.txt", POOL)})
    synced(client)
    client.post("/api/documents", files={"files": ("club", POOL)})
    state = synced(client)
    assert state["problem"].startswith("club cannot be saved")
    assert files_below(library.uploads) == ["club/pool.txt"]


def test_a_removed_upload_is_deleted(client: TestClient, library: Library) -> None:
    client.post("/api/documents", files={"files": ("pool.txt", POOL)})
    synced(client)
    number = next(i.id for i in library.documents() if i.name == "pool.txt")
    reply = client.delete(f"/api/documents/{number}").json()
    assert (reply["removed"], reply["stays"]) == (["pool.txt"], 0)
    assert "pool.txt" not in names(client)
    assert list(library.uploads.iterdir()) == []
    assert client.delete(f"/api/documents/{number}").status_code == 404


def test_a_form_without_files_is_wrong_usage(client: TestClient) -> None:
    reply = client.post("/api/documents", files={"other": ("a.txt", POOL)})
    assert (reply.status_code, reply.json()["detail"]) == (422, "No file was sent.")


def test_what_nobody_took_in_is_deleted_after_a_day(library: Library, tmp_path: Path) -> None:
    with (tmp_path / "a.txt").open("w+b") as file:
        Uploads(library).save(BATCH, "a.txt", file)
        long_ago = time.time() - 100_000
        os.utime(library.uploads / ".incoming" / BATCH, (long_ago, long_ago))
        Uploads(library).save("another-batch", "b.txt", file)
    assert files_below(library.uploads) == [".incoming/another-batch/b.txt"]


def test_a_server_that_runs_for_long_looks_for_them_every_hour(
    library: Library, tmp_path: Path
) -> None:
    seconds = [0.0]
    uploads = Uploads(library, clock=lambda: seconds[0])
    long_ago = time.time() - 100_000
    left = library.uploads / ".incoming" / BATCH
    with (tmp_path / "a.txt").open("w+b") as file:
        for now, remains in ((0.0, True), (3_599.0, True), (3_601.0, False)):
            seconds[0] = now
            uploads.save("another-batch", "b.txt", file)
            assert left.exists() == (remains and now > 0)
            left.mkdir(exist_ok=True)
            os.utime(left, (long_ago, long_ago))


def test_a_batch_that_goes_meanwhile_does_no_harm_to_another(
    library: Library, tmp_path: Path
) -> None:
    (library.uploads / ".incoming").mkdir(parents=True)
    (library.uploads / ".incoming" / BATCH).symlink_to(tmp_path / "nothing")
    with (tmp_path / "a.txt").open("w+b") as file:
        assert Uploads(library).save("another-batch", "b.txt", file) == "b.txt"


@pytest.mark.parametrize(
    ("path", "cleaned"),
    [
        ("policy.pdf", "policy.pdf"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("a/../../b.txt", "b.txt"),
        ("/etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\policy.pdf", "policy.pdf"),
        ("club/old/a.txt", "club/old/a.txt"),
        ("club\\old\\a.txt", "club/old/a.txt"),
        ("./club//a.txt", "club/a.txt"),
        (".git/x/a.txt", "git/x/a.txt"),
        ("exe\u202efdp.txt", "exefdp.txt"),
        ("fo\u202elder/a.txt", "folder/a.txt"),
        (".hidden.txt", "hidden.txt"),
        ("a\x00b\n.txt", "ab.txt"),
        ("Straße e\u0301.txt", "Straße é.txt"),
    ],
)
def test_a_path_becomes_what_it_looks_like(path: str, cleaned: str) -> None:
    assert clean_path(path) == cleaned


@pytest.mark.parametrize("path", ["", "..", "a/..", "/", "~$policy.docx", "x/" * 13 + "a.txt"])
def test_a_path_that_names_no_document_is_refused(path: str) -> None:
    with pytest.raises(SourceError):
        clean_path(path)


@given(st.text(max_size=300) | st.text(alphabet="./\\~$ ab\u202e:", max_size=40))
@example(" /:\\0")
def test_a_cleaned_path_stays_below_its_folder(path: str) -> None:
    try:
        cleaned = clean_path(path)
    except SourceError:
        return
    parts = cleaned.split("/")
    assert Path("/top", cleaned).resolve() == Path("/top", *parts)
    assert not any(part.startswith((".", "~$")) or not part for part in parts)
    assert all(0 < len(part.encode()) <= 200 for part in parts)
    assert clean_path(cleaned) == cleaned


# What the server has said it will take in


def _accepted(library: Library) -> list[str]:
    return files_below(library.uploads / ".accepted")


def test_what_was_accepted_by_a_server_that_was_killed_is_taken_in_by_the_next(
    library: Library, tmp_path: Path
) -> None:
    """Killed: nothing is said to it, so that all it leaves is what is on the disk."""
    uploads = Uploads(library)
    for text in (POOL, POOL.replace(b"seven", b"nine")):
        (tmp_path / "sent").write_bytes(text)
        with (tmp_path / "sent").open("rb") as file:
            uploads.save(BATCH, "club/pool.txt", file)
        uploads.accept(BATCH)
    with (tmp_path / "sent").open("rb") as file:
        uploads.save(BATCH, "waits.txt", file)  # nobody has said that it shall be taken in
    with TestClient(create_app(library), base_url=ORIGIN) as client:
        state = synced(client)
        assert [one["source"] for one in state["reports"]] == ["Uploads", "Uploads"]
        assert "pool.txt" in names(client)
    assert (library.uploads / "club/pool.txt").read_bytes() == POOL.replace(b"seven", b"nine")
    assert files_below(library.uploads) == [f".incoming/{BATCH}/waits.txt", "club/pool.txt"]


def test_a_kill_between_the_two_steps_loses_and_doubles_nothing(
    library: Library, tmp_path: Path
) -> None:
    """It was published already, or the files were in place already, when the power went."""
    uploads = Uploads(library)
    for number, name in enumerate(("published.txt", "placed.txt")):
        (tmp_path / "sent").write_bytes(POOL.replace(b"seven", b"%d" % number))
        with (tmp_path / "sent").open("rb") as file:
            uploads.save(BATCH, name, file)
        accepted = uploads.accept(BATCH)
        with uploads.at_hand(accepted) as incoming:
            if name == "published.txt":
                library.take_in(incoming)
            else:
                (incoming / name).rename(library.uploads / name)
    with TestClient(create_app(library), base_url=ORIGIN) as client:
        synced(client)
        assert [n for n in names(client) if n.startswith("p")] == ["placed.txt", "published.txt"]
    assert files_below(library.uploads) == ["placed.txt", "published.txt"]
    assert library.sync(library.uploads).unchanged == 2


def test_a_server_that_only_reads_leaves_what_was_accepted(
    library: Library, tmp_path: Path
) -> None:
    uploads = Uploads(library)
    with (tmp_path / "a.txt").open("w+b") as file:
        uploads.save(BATCH, "a.txt", file)
    uploads.accept(BATCH)
    settings = PageSettings(read_only=True)
    with TestClient(create_app(library, settings=settings), base_url=ORIGIN) as client:
        assert client.get("/api/sync").json()["number"] == 0
    assert len(_accepted(library)) == 1


def test_files_are_taken_in_where_a_file_can_have_only_one_name(
    library: Library, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*args: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refused)
    client.post("/api/documents", files={"files": ("pool.txt", POOL)})
    assert synced(client)["reports"][0]["added"]["paths"] == ["pool.txt"]
    assert files_below(library.uploads) == ["pool.txt"]
