"""What could not be read is remembered with its reason until it is read, gone or dismissed."""

from __future__ import annotations

from pathlib import Path

import pytest
from small import write

from index import Library
from index.errors import FormatError

BAD = {"photo.xyz": b"\x00\x01", "empty.txt": b"", "minutes/scan.pdf": b"no pdf at all"}


@pytest.fixture
def failing(library: Library, folder: Path) -> Library:
    """A library whose folder holds three files that cannot be read."""
    write(folder, BAD)
    library.sync(folder)
    return library


def reasons(library: Library) -> dict[str, str]:
    return {failure.path: failure.reason for failure in library.failures()}


def test_what_was_skipped_is_remembered_with_its_reason(failing: Library, folder: Path) -> None:
    found = failing.failures()
    assert [failure.path for failure in found] == ["empty.txt", "minutes/scan.pdf", "photo.xyz"]
    assert found[0].reason == "empty file"
    assert found[1].reason == "not a PDF file"
    assert found[2].reason.startswith("unknown format .xyz")
    assert [failure.file for failure in found] == [folder / failure.path for failure in found]
    assert {failure.kept for failure in found} == {False}


def test_a_file_that_is_read_or_gone_is_no_failure_any_more(failing: Library, folder: Path) -> None:
    write(folder, {"empty.txt": "The cellar is dry."})
    (folder / "photo.xyz").unlink()
    failing.sync(folder)
    assert reasons(failing) == {"minutes/scan.pdf": "not a PDF file"}


def test_a_file_keeps_the_time_of_its_first_failure(failing: Library, folder: Path) -> None:
    with failing._store.writing() as db:
        db.execute("UPDATE failures SET since = '2020-01-01T00:00:00Z'")
    write(folder, {"minutes/scan.pdf": b""})
    failing.sync(folder)
    since = {failure.path: failure.since for failure in failing.failures()}
    assert since["empty.txt"] == "2020-01-01T00:00:00Z"
    assert since["minutes/scan.pdf"] > "2020-01-01T00:00:00Z"


def test_an_older_version_that_still_answers_is_told(library: Library, folder: Path) -> None:
    write(folder, {"lift.txt": ""})
    library.sync(folder)
    (failure,) = library.failures()
    assert (failure.path, failure.kept) == ("lift.txt", True)
    library.remove("lift.txt")
    assert library.failures() == ()


def test_a_dismissed_failure_stays_away_until_the_file_is_another_one(
    failing: Library, folder: Path
) -> None:
    assert failing.dismiss(failing.failures()) == 3
    assert failing.failures() == ()
    assert len(failing.failures(dismissed=True)) == 3
    failing.sync(folder)
    assert failing.failures() == ()
    write(folder, {"minutes/scan.pdf": b"no pdf either"})
    failing.sync(folder)
    assert reasons(failing) == {"minutes/scan.pdf": "not a PDF file"}


def test_a_dry_run_expects_what_failed_to_fail_again(failing: Library, folder: Path) -> None:
    write(folder, {"new.txt": "The attic is dry.", "minutes/scan.pdf": b"another file"})
    report = failing.sync(folder, dry_run=True)
    assert report.added == ("minutes/scan.pdf", "new.txt")
    assert [skip.path for skip in report.skipped] == ["empty.txt", "photo.xyz"]
    assert len(failing.failures()) == 3


def test_a_source_that_is_forgotten_takes_its_failures_along(
    failing: Library, folder: Path
) -> None:
    failing.remove(folder)
    assert failing.failures(dismissed=True) == ()
    failing.compact()


def test_an_upload_that_failed_is_remembered_although_it_is_not_kept(library: Library) -> None:
    write(library.uploads, {"empty.txt": b"", "pool.txt": "The pool opens at seven."})
    library.sync(library.uploads)
    (library.uploads / "empty.txt").unlink()
    library.sync(library.uploads)
    assert reasons(library) == {"empty.txt": "empty file"}
    write(library.uploads, {"empty.txt": "Not empty now."})
    library.sync(library.uploads)
    assert library.failures() == ()


def test_a_file_that_cannot_be_added_from_python_is_told_once(
    library: Library, tmp_path: Path
) -> None:
    write(tmp_path, {"empty.txt": b""})
    with pytest.raises(FormatError, match="empty file"):
        library.add(tmp_path / "empty.txt")
    assert library.failures() == ()
