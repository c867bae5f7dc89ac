"""Bad input gets one clear sentence and the right exit status; the index stays as it was."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_house import DOCUMENTS, contents, one_sentence, run, write

from index.seals import renew
from index.store import FILE


def test_a_missing_folder_makes_no_library(tmp_path: Path) -> None:
    assert "no folder or file at nowhere" in one_sentence(run("sync", "nowhere"), 2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("files", [{}, {"a.xyz": "words"}, {".hidden.txt": "words"}])
def test_a_folder_without_a_readable_file_makes_no_library(
    files: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "docs").mkdir()
    write(tmp_path / "docs", files)
    assert "holds no file that can be read" in one_sentence(run("sync", "docs"), 1)
    assert [path.name for path in tmp_path.iterdir()] == ["docs"]


ENCRYPTED_PDF = b"""%%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj
4 0 obj<</Filter/Standard/V 1/R 2/P -4/O<%(o)s>/U<%(o)s>>>endobj
trailer<</Root 1 0 R/Encrypt 4 0 R/ID[<00><00>]/Size 5>>
""" % {b"o": b"5a" * 32}
UNREADABLE: dict[str, bytes] = {
    "encrypted.pdf": ENCRYPTED_PDF,
    "truncated.pdf": b"%PDF-1.7\n1 0 obj<</Type/Cat",
    "truncated.docx": b"PK\x03\x04 and no more",
    "unknown.xyz": b"words",
    "zero.md": b"",
    "binary.txt": bytes(range(256)) * 16,
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_file_is_named_with_the_reason(name: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "docs", DOCUMENTS)
    (folder / name).write_bytes(UNREADABLE[name])
    result = run("sync", folder)
    assert result.exit_code == 1
    assert result.stdout.startswith("3 added")
    assert len(re.findall(rf"^  skipped {re.escape(name)}: \w.+$", result.stdout, re.M)) == 1
    assert result.stderr == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_named_and_its_old_version_kept(
    library: Path, tmp_path: Path
) -> None:
    folder = write(tmp_path / "docs", DOCUMENTS)
    assert run("sync", folder, "-l", library).exit_code == 0
    (folder / "prices.csv").write_text("Item,Price\nSpare key,13 EUR\n")
    (folder / "prices.csv").chmod(0)
    result = run("sync", folder, "-l", library)
    assert result.exit_code == 1
    assert "prices.csv" in result.stdout
    assert "the version indexed before is kept" in result.stdout


def newer(library: Path) -> None:
    db = sqlite3.connect(library / FILE)
    db.execute("PRAGMA user_version = 999")
    db.close()


def something_else(library: Path) -> None:
    shutil.rmtree(library)
    write(library, {"notes.txt": "Somebody's notes."})


def damaged(library: Path) -> None:
    (library / FILE).write_bytes(b"no database" * 100)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (newer, "written by a newer Quoth"),
        (something_else, "is not a Quoth library"),
        (damaged, "cannot be read as a Quoth library"),
        (shutil.rmtree, "There is no library at"),
    ],
)
def test_a_library_that_cannot_be_used_is_left_as_it_is(
    spoil: Callable[[Path], None], told: str, library: Path, made: Path
) -> None:
    spoil(library)
    before = contents(library)
    commands: list[tuple[str | Path, ...]] = [
        ("ask", "lift"), ("find", "lift"), ("status",), ("remove", "1"), ("rebuild",), ("compact",),
    ]  # fmt: skip
    if library.exists():
        commands.append(("sync", made))
    for command in commands:
        assert told in one_sentence(run(*command, "-l", library), 1)
    assert contents(library) == before


def stored(library: Path) -> list[str]:
    """Return what the library's store says, without the counter of row numbers."""
    db = sqlite3.connect(library / FILE)
    try:
        return [line for line in db.iterdump() if "sqlite_sequence" not in line]
    finally:
        db.close()


def test_a_library_made_with_another_model_is_refused(library: Path, made: Path) -> None:
    db = sqlite3.connect(library / FILE)
    with db:
        assert db.execute("UPDATE models SET fingerprint = 'other', name = 'other'").rowcount == 1
        renew(db, ["models"])  # as if that had been written
    db.close()
    before = stored(library)
    told = one_sentence(run("ask", "How often is the lift inspected?", "-l", library), 1)
    assert "was built with the model other" in told
    write(made, {"new.txt": "New words."})
    try:
        assert "quoth rebuild --model" in one_sentence(run("sync", made, "-l", library), 1)
    finally:
        (made / "new.txt").unlink()
    assert stored(library) == before


@pytest.mark.parametrize("command", ["ask", "retrieve"])
@pytest.mark.parametrize("question", ["", "  \n", "why " * 501])
def test_a_question_that_is_empty_or_too_long_is_wrong_usage(
    command: str, question: str, library: Path
) -> None:
    told = one_sentence(run(command, question, "-l", library), 2)
    assert "the limit is 2,000" in told or "empty" in told


def test_an_unknown_option_is_told_in_one_sentence() -> None:
    assert "`quoth status --help` explains" in one_sentence(run("status", "--colour"), 2)
