"""A change of the uploads that fails takes no file away, and leaves none that is no document."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small import HashEncoder, new_library, write

from index import Library
from index.errors import FormatError, QuothError, SourceError
from index.files import sha256
from index.uploads import Exchange

GOOD, EDITED = "The gate is locked at ten.", "The gate is locked at nine."
BAD = b"\x00\x01\x02\xff" * 50


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """A library with an upload that was edited where it lies."""
    write(tmp_path, {"gate.txt": GOOD})
    with new_library(tmp_path / "l.quoth") as opened:
        opened.add(tmp_path / "gate.txt")
        write(opened.uploads, {"gate.txt": EDITED})
        yield opened


@contextmanager
def full_disk() -> Iterator[None]:
    """Nothing more can be written; files can still be moved and made."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def in_uploads(library: Library) -> dict[str, bytes]:
    files = [path for path in library.uploads.rglob("*") if path.is_file()]
    return {path.relative_to(library.uploads).as_posix(): path.read_bytes() for path in files}


def test_an_edited_upload_is_still_there_when_it_cannot_be_removed(library: Library) -> None:
    with full_disk(), pytest.raises(QuothError):
        library.remove("gate.txt")
    assert [info.path for info in library.documents()] == ["gate.txt"]
    assert in_uploads(library) == {"gate.txt": EDITED.encode()}
    assert len(library.remove("gate.txt")) == 1
    assert in_uploads(library) == {}


def test_an_edited_upload_is_still_there_when_the_one_in_its_place_cannot_be_read(
    library: Library, tmp_path: Path
) -> None:
    write(tmp_path, {"bad.txt": BAD})
    with pytest.raises(FormatError, match="binary"):
        library.add(tmp_path / "bad.txt", name="gate.txt")
    assert in_uploads(library) == {"gate.txt": EDITED.encode()}
    assert library.sync(library.uploads).updated == ("gate.txt",)


def test_a_file_nobody_synced_is_still_there_when_the_one_in_its_place_cannot_be_read(
    library: Library, tmp_path: Path
) -> None:
    write(library.uploads, {"note.txt": "A note put there by hand."})
    write(tmp_path, {"bad.txt": BAD})
    with pytest.raises(FormatError, match="binary"):
        library.add(tmp_path / "bad.txt", name="note.txt")
    assert in_uploads(library)["note.txt"] == b"A note put there by hand."


def test_what_cannot_be_read_does_not_stay_in_the_place_of_an_upload_that_is_gone(
    library: Library, tmp_path: Path
) -> None:
    (library.uploads / "gate.txt").unlink()
    write(tmp_path, {"bad.txt": BAD})
    with pytest.raises(FormatError, match="binary"):
        library.add(tmp_path / "bad.txt", name="gate.txt")
    assert in_uploads(library) == {}


@pytest.mark.parametrize("removed", [False, True])
def test_the_next_writer_puts_back_an_edited_upload_unless_its_document_is_gone(
    library: Library, removed: bool
) -> None:
    """As a process leaves it that is killed before, or after, the removal was published."""
    if removed:
        library.remove("gate.txt")
    else:
        (library.uploads / "gate.txt").unlink()
    library.close()
    write(library.uploads, {".replaced/0a1b/gate.txt": EDITED})
    with Library.open(library.path, encoder=HashEncoder()) as again:
        assert in_uploads(again) == ({} if removed else {"gate.txt": EDITED.encode()})


def test_what_was_published_in_its_place_is_not_replaced_by_what_was_there_before(
    library: Library, tmp_path: Path
) -> None:
    write(tmp_path, {"new.txt": "The gate is locked at eight."})
    library.add(tmp_path / "new.txt", name="gate.txt")
    library.close()
    write(library.uploads, {".replaced/0a1b/gate.txt": EDITED})
    with Library.open(library.path, encoder=HashEncoder()) as again:
        assert in_uploads(again) == {"gate.txt": b"The gate is locked at eight."}


def test_what_was_put_back_is_not_taken_away_by_undoing_once_more(tmp_path: Path) -> None:
    uploads = write(tmp_path / "uploads", {"gate.txt": EDITED, "pool.txt": "old"})
    incoming = write(uploads / ".in", {"gate.txt": BAD, "pool.txt": "new", "bad.txt": BAD})
    published = {"gate.txt": "0" * 64, "pool.txt": sha256(incoming / "pool.txt")}
    exchange = Exchange(uploads, lambda: published)
    exchange.place(incoming)
    exchange.undo_failed(["gate.txt", "bad.txt"])
    exchange.undo()
    exchange.close()
    assert (uploads / "gate.txt").read_text() == EDITED
    assert (uploads / "pool.txt").read_text() == "new"
    assert not (uploads / "bad.txt").exists()


@pytest.mark.parametrize("name", [os.fsdecode(b"caf\xe9.txt"), "a\0b.txt"])
def test_a_name_that_no_document_can_have_is_refused(
    library: Library, tmp_path: Path, name: str
) -> None:
    write(tmp_path, {"new.txt": "A new text."})
    with pytest.raises(SourceError, match="cannot be the name of a document"):
        library.add(tmp_path / "new.txt", name=name)
    assert sorted(in_uploads(library)) == ["gate.txt"]


def test_a_file_whose_own_name_is_not_utf_8_is_refused(library: Library, tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"caf\xe9.txt")
    file.write_text("A new text.")
    with pytest.raises(SourceError, match="cannot be the name of a document"):
        library.add(file)


def test_a_name_that_the_uploads_leave_out_is_refused(library: Library, tmp_path: Path) -> None:
    write(library.uploads, {".quothignore": "draft*"})
    write(tmp_path, {"draft.txt": "A new text."})
    with pytest.raises(SourceError, match=r"left out by .*quothignore"):
        library.add(tmp_path / "draft.txt")
    assert sorted(in_uploads(library)) == [".quothignore", "gate.txt"]


def test_files_that_the_uploads_leave_out_do_not_stay_in_them(library: Library) -> None:
    write(library.uploads, {".quothignore": "draft*"})
    odd = os.fsdecode(b"caf\xe9.txt")
    files = {"draft.txt": GOOD, "sub/draft.txt": GOOD, "new.txt": GOOD, odd: GOOD}
    report = library.take_in(write(library.uploads / ".incoming", files))
    assert report.added == ("new.txt",)
    assert [skip.path for skip in report.skipped] == [r"caf\xe9.txt"]
    assert sorted(in_uploads(library)) == [".quothignore", "gate.txt", "new.txt"]
