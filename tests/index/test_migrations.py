"""Libraries of older formats answer as they are, and are brought up to date without loss."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from zipfile import ZipFile

import pytest
from small import stored, write

from index import Encoder, Library
from index.errors import LibraryError, LibraryFormatError, LibraryLockedError
from index.lock import writer_lock
from index.schema import FORMAT_VERSION
from index.store import FILE
from index.upkeep.check import check_library
from index.upkeep.repair import repair_library
from qa import Retriever

DATA = Path(__file__).parent / "data"
OLD = ("first-release", "format-2")


@pytest.fixture(params=OLD)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of a library of an older format; its source is where the test can write."""
    return unpacked(tmp_path, request.param)


def unpacked(folder: Path, name: str) -> Path:
    with ZipFile(DATA / f"{name}.zip") as packed:
        packed.extractall(folder)
    path = folder / "house.quoth"
    with closing(sqlite3.connect(path / FILE)) as db, db:
        db.execute(
            "UPDATE sources SET location = ? WHERE kind = 'folder'",
            (str((folder / "house").resolve()),),
        )
    return path


def expected(path: Path) -> dict[str, list[list[object]]]:
    found: dict[str, list[list[object]]] = json.loads((path.parent / "answers.json").read_text())
    return found


def found(library: Library, questions: dict[str, list[list[object]]]) -> object:
    retriever = Retriever(library)
    return {
        question: [
            [p.citation.path, p.start, p.end, p.text, p.score]
            for p in retriever.retrieve(question, k=3)
        ]
        for question in questions
    }


def version(path: Path) -> int:
    with closing(sqlite3.connect(path / FILE)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def bytes_of(path: Path) -> dict[str, str]:
    files = sorted(file for file in path.rglob("*") if file.is_file())
    names = [file for file in files if not file.name.endswith(("-wal", "-shm", ".lock"))]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in names}


def test_it_answers_as_it_is_where_it_is_only_read(old: Path, encoder: Encoder) -> None:
    before, number = bytes_of(old), version(old)
    with Library.open(old, read_only=True, encoder=encoder) as library:
        assert found(library, expected(old)) == expected(old)
        assert library.failures() == ()
        assert library.find("inspection book").total == 1
        with pytest.raises(LibraryError, match="reading only"):
            library.dismiss([])
    checkup = check_library(old)
    assert checkup.ok
    assert [finding.kind for finding in checkup.findings if finding.kind != "mode"] == ["format"]
    assert version(old) == number < FORMAT_VERSION
    assert bytes_of(old) == before


def test_opened_for_writing_it_is_brought_up_to_date_and_answers_the_same(
    old: Path, encoder: Encoder
) -> None:
    with Library.open(old, read_only=True, encoder=encoder) as library:
        before = stored(library)
    with Library.open(old, encoder=encoder) as library:
        assert version(old) == FORMAT_VERSION
        assert found(library, expected(old)) == expected(old)
        assert stored(library) == before
        assert [f for f in library.check().findings if f.kind != "mode"] == []
        # Sentences are embedded in another way since then: all files are read again, once.
        report = library.sync(old.parent / "house")
        assert (report.unchanged, len(report.updated)) == (0, 5)
        assert library.sync(old.parent / "house").changed is False
        numbers = {info.id for info in library.documents()}
        write(old.parent / "house", {"lift.txt": "The lift was taken out.", "bad.xyz": "?"})
        assert library.sync(old.parent / "house").updated == ("lift.txt",)
        assert [failure.path for failure in library.failures()] == ["bad.xyz"]
        kept = found(library, expected(old))
        library.compact()
        assert found(library, expected(old)) == kept
        (new,) = {info.id for info in library.documents()} - numbers
        assert new > max(numbers), "no number is used again"
        assert library.document(new).path == "lift.txt"
        assert library.check().ok


def test_a_table_that_cannot_be_sealed_is_found_and_mended(old: Path, encoder: Encoder) -> None:
    """A value of a kind that was never stored must not keep the library from being opened."""
    with closing(sqlite3.connect(old / FILE)) as db, db:
        db.execute("INSERT INTO excluded SELECT id, x'07' FROM sources LIMIT 1")
    Library.open(old, encoder=encoder).close()
    assert version(old) == FORMAT_VERSION
    assert ("table", "excluded") in [(f.kind, f.where) for f in check_library(old).findings]
    assert repair_library(old, encoder=encoder).checkup.ok


def test_what_is_read_through_a_damaged_text_is_not_sealed_in(old: Path) -> None:
    """A migration gives checksums to what is there; the hash of the text is older."""
    with closing(sqlite3.connect(old / FILE)) as db, db:
        (content,) = db.execute("SELECT content FROM documents WHERE id = 1").fetchone()
        damaged = content[:-6] + b"\x00" + content[-5:]
        db.execute("UPDATE documents SET content = ? WHERE id = 1", (damaged,))
    assert "garden.md" in [f.where for f in check_library(old).findings]
    Library.open(old).close()
    assert "garden.md" in [f.where for f in check_library(old).findings]


def test_it_is_not_brought_up_to_date_while_somebody_writes(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.lock.WAIT_SECONDS", 0.2)
    number = version(old)
    with writer_lock(old), pytest.raises(LibraryLockedError):
        Library.open(old)
    assert version(old) == number


# Dies after so many rows have got their checksums, or just before the end.
_KILLED = """
import os, signal, sys
from index import Library, sealing, store
left = int(sys.argv[2])
def dying(name, module):
    real = getattr(module, name)
    def step(*args):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args)
    setattr(module, name, step)
dying("vector_crc", sealing)
dying("seal_document", sealing)
dying("seal_as_it_is", sealing)
Library.open(sys.argv[1])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    "steps",
    [pytest.param(0, marks=pytest.mark.slow), 20, pytest.param(34, marks=pytest.mark.slow), 1000],
)
def test_killed_in_the_middle_it_is_the_old_one_or_the_new_one(tmp_path: Path, steps: int) -> None:
    """27 vectors, 10 documents, and the seals at the end."""
    path = unpacked(tmp_path, "first-release")
    with Library.open(path, read_only=True) as library:
        before = stored(library)
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(path), str(steps)],
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert version(path) == (FORMAT_VERSION if steps == 1000 else 2)
    with Library.open(path, read_only=True) as library:
        assert stored(library) == before
    with Library.open(path) as library:
        assert stored(library) == before
        assert [f for f in library.check().findings if f.kind != "mode"] == []


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A library of a format that is yet to come."""
    path = unpacked(tmp_path, "format-2")
    with closing(sqlite3.connect(path / FILE)) as db:
        db.execute(f"PRAGMA user_version = {FORMAT_VERSION + 1}")
    return path


@pytest.mark.parametrize("read_only", [True, False])
def test_a_newer_format_is_refused_in_one_sentence(newer: Path, read_only: bool) -> None:
    before = bytes_of(newer)
    with pytest.raises(LibraryFormatError, match="update Quoth to open it"):
        Library.open(newer, read_only=read_only)
    (finding,) = (f for f in check_library(newer).findings if f.kind != "mode")
    assert (finding.kind, finding.repairable) == ("format", False)
    assert "newer Quoth" in finding.message
    assert bytes_of(newer) == before


def test_a_writer_of_the_older_version_cannot_go_on_in_the_new_format(old: Path) -> None:
    """Whatever it would write has no checksums."""
    Library.open(old).close()
    with closing(sqlite3.connect(old / FILE)) as db, pytest.raises(sqlite3.IntegrityError):
        db.execute(
            "INSERT INTO documents(source, path, title, type, text_hash, characters, sentences,"
            " pages, blank_pages, warnings, indexed_at, pipeline, content, born)"
            " VALUES(1, 'a', '', 'text', '', 1, 1, 0, '[]', '[]', '', '', x'00', 9)"
        )


@pytest.mark.parametrize("times", [10, pytest.param(150, marks=pytest.mark.slow)])
def test_a_damaged_one_is_told_and_not_raised(old: Path, times: int) -> None:
    """It is checked, opened or refused; what is brought up to date can be checked again."""
    chance = random.Random(times)
    data = (old / FILE).read_bytes()
    for _ in range(times):
        damaged = bytearray(data)
        for _ in range(chance.choice((1, 1, 8))):
            damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        for file in old.glob(f"{FILE}-*"):
            file.unlink()
        (old / FILE).write_bytes(damaged)
        ok = check_library(old).ok
        try:
            Library.open(old).close()
        except LibraryError:
            assert not ok
        else:
            assert check_library(old).format == FORMAT_VERSION
