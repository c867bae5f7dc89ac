"""Whatever is damaged in a library is found, told in words, and never shown as an answer."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path

import pytest
from small import QUESTIONS, HashEncoder, answers, lived_in, new_library, sql, stored, write

from index import Library, vectors
from index.errors import LibraryDamagedError, QuothError
from index.store import FILE
from index.upkeep.check import Checkup, Severity, check_library
from qa import Retriever

LIFT = "How often is the lift inspected?"


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A closed library with a source of each kind, dead rows and all derived files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "SMALLEST_BASE", 8)
        yield lived_in(tmp_path_factory.mktemp("healthy"))


@pytest.fixture(scope="module")
def said(healthy: Path) -> list[list[tuple[object, ...]]]:
    """What it answers."""
    with Library.open(healthy, read_only=True, encoder=HashEncoder()) as library:
        return answers(library, QUESTIONS)


@pytest.fixture
def path(healthy: Path, tmp_path: Path) -> Path:
    """A copy of it to be damaged."""
    shutil.copytree(healthy, tmp_path / "house.quoth")
    return tmp_path / "house.quoth"


def found(checkup: Checkup) -> list[tuple[str, str]]:
    return [(f.kind, f.where) for f in checkup.findings if f.kind != "mode"]


def test_nothing_is_found_in_a_healthy_library(path: Path) -> None:
    checkup = check_library(path)
    assert checkup.ok
    assert found(checkup) == []
    assert checkup.format == 3
    with Library.open(path, encoder=HashEncoder()) as library:
        assert checkup.generation == library.generation
        state = library.status()
        assert checkup.counts["documents"] == state.documents == 5
        assert checkup.counts["vectors"] == state.vectors
        assert checkup.counts["uploads"] == 1
        assert library.check().ok  # also while it is open
        assert check_library(path, encoder=HashEncoder("other")).ok is False


# What is changed, what is found, and whether a question may then still be answered.
DAMAGES: dict[str, tuple[str, tuple[str, str], bool]] = {
    "a text": (
        "UPDATE documents SET content = CAST(substr(content, 1, 60) || x'00' ||"
        " substr(content, 62) AS BLOB) WHERE path = 'lift.txt'",
        ("document", "lift.txt"),
        False,
    ),
    "the hash of a text": (
        "UPDATE documents SET text_hash = replace(text_hash, substr(text_hash, 5, 1), 'x')"
        " WHERE path = 'lift.txt'",
        ("document", "lift.txt"),
        False,
    ),
    "a title": (
        "UPDATE documents SET title = 'Bicycle' WHERE path = 'bicycles'",
        ("document", "bicycles"),
        False,
    ),
    "a date": (
        "UPDATE documents SET date = '2001-01-01' WHERE path = 'lift.txt'",
        ("document", "lift.txt"),
        False,
    ),
    "the digest": (
        "UPDATE documents SET digest = zeroblob(32) WHERE path = 'lift.txt'",
        ("document", "lift.txt"),
        True,
    ),
    "where a sentence ends": (
        'UPDATE sentences SET "end" = "end" - 1 WHERE number = 0 AND document ='
        " (SELECT id FROM documents WHERE path = 'lift.txt')",
        ("document", "lift.txt"),
        False,
    ),
    "the kind of a sentence": (
        "UPDATE sentences SET kind = 'item' WHERE document ="
        " (SELECT id FROM documents WHERE path = 'lift.txt')",
        ("document", "lift.txt"),
        False,
    ),
    "the vector that a sentence has": (
        "UPDATE sentences SET vector = vector + 1 WHERE number = 0 AND document ="
        " (SELECT id FROM documents WHERE path = 'lift.txt')",
        ("document", "lift.txt"),
        False,
    ),
    "a sentence that is missing": (
        "DELETE FROM sentences WHERE number = 0 AND document ="
        " (SELECT id FROM documents WHERE path = 'lift.txt')",
        ("document", "lift.txt"),
        False,
    ),
    "the terms of a passage": (
        "UPDATE passages SET terms = replace(terms, 'lift', 'lofa') WHERE document ="
        " (SELECT id FROM documents WHERE path = 'lift.txt')",
        ("document", "lift.txt"),
        False,
    ),
    "the length of a passage": (
        "UPDATE passages SET term_count = term_count + 4096 WHERE document ="
        " (SELECT id FROM documents WHERE path = 'bicycles')",
        ("document", "bicycles"),
        False,
    ),
    "a dead document": (
        "UPDATE documents SET language = 'xx' WHERE path = 'minutes/2023.txt'",
        ("document", "minutes/2023.txt"),
        True,
    ),
    "which documents are alive": (
        "UPDATE documents SET died = NULL WHERE path = 'minutes/2023.txt'",
        ("table", "documents"),
        False,
    ),
    "the model": ("UPDATE models SET name = 'hashed word'", ("table", "models"), False),
    "the generation": (
        "UPDATE generations SET published_at = '' WHERE number = 1",
        ("table", "generations"),
        False,
    ),
    "a source": (
        "UPDATE sources SET location = location || 'x' WHERE kind = 'folder'",
        ("table", "sources"),
        False,
    ),
    "a file": ("UPDATE files SET inode = inode + 1", ("table", "files"), True),
    "a failure": ("UPDATE failures SET dismissed = 1", ("table", "failures"), True),
    "an exclusion": ("DELETE FROM excluded", ("table", "excluded"), True),
    "the derived files": (
        "UPDATE meta SET value = replace(value, 'bytes', 'bites') WHERE key = 'vectors'",
        ("table", "meta"),
        False,
    ),
    "the seals": (
        "UPDATE meta SET value = replace(value, 'files', 'fires') WHERE key = 'seals'",
        ("table", "seals"),
        False,
    ),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_change_that_sqlite_does_not_see_is_found_and_never_answers(
    path: Path, said: object, what: str
) -> None:
    statement, expected, answered = DAMAGES[what]
    sql(path, statement)
    checkup = check_library(path)
    assert not checkup.ok
    assert expected in found(checkup)
    for finding in checkup.findings:
        assert finding.message.endswith(".")
        assert finding.advice
    refused = pytest.raises(LibraryDamagedError, match="`quoth doctor`")
    with Library.open(path, read_only=True, encoder=HashEncoder()) as library:
        with nullcontext() if answered else refused:
            assert answers(library, QUESTIONS) == said


def test_a_damaged_vector_is_found_and_what_needs_it_is_refused(path: Path, said: object) -> None:
    """Nothing needs it while its copy in the base is sound."""
    with closing(sqlite3.connect(path / FILE)) as db:
        (number,) = db.execute(
            "SELECT sentences.vector FROM sentences JOIN documents ON documents.id = document"
            " WHERE path = 'lift.txt' AND number = 0"
        ).fetchone()
    sql(path, f"UPDATE vectors SET vector = zeroblob(length(vector)) WHERE id = {number}")
    (finding,) = [f for f in check_library(path).findings if f.kind == "vector"]
    assert (finding.where, finding.number, finding.repairable) == ("lift.txt", number, True)
    with Library.open(path, read_only=True, encoder=HashEncoder()) as library:
        assert answers(library, QUESTIONS) == said
    (base,) = path.glob("vectors-*.faiss")
    base.unlink()
    with (
        Library.open(path, read_only=True, encoder=HashEncoder()) as library,
        pytest.raises(LibraryDamagedError, match=f"vector {number}"),
    ):
        Retriever(library).retrieve(LIFT)


def test_a_vector_that_is_missing_is_found(path: Path) -> None:
    sql(path, "DELETE FROM vectors WHERE id = 3")
    assert [f.number for f in check_library(path).findings if f.kind == "vector"] == [3]


def test_a_text_that_is_damaged_is_never_shown(path: Path) -> None:
    sql(path, DAMAGES["a text"][0])
    with Library.open(path, read_only=True, encoder=HashEncoder()) as library:
        (number,) = (info.id for info in library.documents() if info.path == "lift.txt")
        with pytest.raises(LibraryDamagedError, match=r"lift\.txt") as told:
            library.text(number)
        assert told.value.document == number


def test_no_damage_is_sealed_in_by_the_next_change(path: Path) -> None:
    sql(path, DAMAGES["a file"][0])
    with (
        Library.open(path, encoder=HashEncoder()) as library,
        pytest.raises(LibraryDamagedError, match="list of files"),
    ):
        library.add("A note.", name="note")
    assert ("table", "files") in found(check_library(path))


def _flip(file: Path, place: int) -> None:
    data = bytearray(file.read_bytes())
    data[place] ^= 0x10
    file.write_bytes(data)


def _no_file(path: Path) -> None:
    next(path.glob("vectors-*")).unlink()


def _base(path: Path) -> None:
    _flip(next(path.glob("vectors-*")), 100)


def _words(path: Path) -> None:
    _flip(next(next(path.glob("words-*")).glob("*.term")), 5)


def _count_of_words(path: Path) -> None:
    meta = next(path.glob("words-*")) / "meta.json"
    meta.write_text(re.sub(r'"max_doc": (\d+)', r'"max_doc": 9\1', meta.read_text()))


def _no_words(path: Path) -> None:
    shutil.rmtree(next(path.glob("words-*")))


def _words_of_another_state(path: Path) -> None:
    (path / "uploads" / "keys.txt").touch()
    words = next(path.glob("words-*"))
    with new_library(path.parent / "b.quoth", write(path.parent / "b", {"b.txt": "Bee."})):
        pass
    other = next((path.parent / "b.quoth").glob("words-*"))
    for file in words.iterdir():
        file.unlink()
    for file in other.iterdir():
        shutil.copy(file, words)


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (_no_file, "vectors"),
        (_base, "vectors"),
        (_words, "words"),
        (_count_of_words, "words"),
        (_no_words, "words"),
        (_words_of_another_state, "words"),
    ],
)
def test_a_damaged_derived_file_makes_answers_slower_and_no_other(
    path: Path, said: object, damage: Callable[[Path], None], kind: str
) -> None:
    damage(path)
    checkup = check_library(path)
    assert [f.kind for f in checkup.findings if f.kind != "mode"] == [kind]
    (finding,) = (f for f in checkup.findings if f.kind == kind)
    assert finding.severity is Severity.SLOWER
    assert finding.repairable
    with Library.open(path, read_only=True, encoder=HashEncoder()) as library:
        assert answers(library, QUESTIONS) == said


def test_uploads_are_compared_with_what_was_uploaded(path: Path) -> None:
    _flip(path / "uploads" / "keys.txt", 3)
    (finding,) = [f for f in check_library(path).findings if f.kind == "upload"]
    assert "is not the file that was added" in finding.message
    (path / "uploads" / "keys.txt").unlink()
    (finding,) = [f for f in check_library(path).findings if f.kind == "upload"]
    assert (finding.where, finding.repairable) == ("uploads/keys.txt", False)
    assert "is gone" in finding.message


def test_what_is_left_over_is_a_notice(path: Path) -> None:
    (path / "words-99").mkdir()
    (path / "vectors-1-2.tmp").write_bytes(b"half")
    checkup = check_library(path)
    assert found(checkup) == [("leftover", "vectors-1-2.tmp"), ("leftover", "words-99")]
    assert checkup.ok


def test_changes_that_the_log_lost_are_found(path: Path) -> None:
    """SQLite reads a log up to the first frame that is damaged and says nothing of the rest."""
    copy = path.parent / "killed.quoth"
    with closing(sqlite3.connect(path / FILE, isolation_level=None)) as db:
        db.execute("PRAGMA wal_autocheckpoint = 0")
        for number in range(3):
            db.execute("UPDATE sources SET synced_ns = ?", (number,))
        shutil.copytree(path, copy)  # as a process leaves it that is killed
    log = copy / f"{FILE}-wal"
    page = int.from_bytes(log.read_bytes()[8:12], "big")
    assert "log" not in dict(found(check_library(copy)))
    _flip(log, 32 + 24 + page // 2)  # in the first of the changes
    (finding,) = [f for f in check_library(copy).findings if f.kind == "log"]
    assert finding.severity is Severity.WRONG
    assert "its last 3 changes" in finding.message


def test_a_database_that_went_back_to_an_older_state_is_found(path: Path) -> None:
    """As with a log that is lost: the word index has what the database has not any more."""
    before = (path / FILE).read_bytes()
    with Library.open(path, encoder=HashEncoder()) as library:
        library.add("Bees live in the garden.", name="bees")
    assert check_library(path).ok
    (path / FILE).write_bytes(before)
    (finding,) = [f for f in check_library(path).findings if f.kind == "log"]
    assert finding.severity is Severity.WRONG
    with Library.open(path, encoder=HashEncoder()) as library:
        assert "bees" not in [info.path for info in library.documents()]
        # The number that bees had is given again; what the words knew of it must not count.
        library.add("Ants live in the wall.", name="ants")
        with library.searching() as searcher:
            assert searcher.count_with_all(["bee"]) == 0
            assert searcher.count_with_all(["ant"]) == 1
        assert library.check().ok


@pytest.mark.parametrize("content", [None, b"", b"no database", b"\0" * 8192])
def test_what_is_no_library_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.quoth"
    assert found(check_library(path)) == [("library", str(path))]
    path.mkdir()
    if content is not None:
        (path / FILE).write_bytes(content)
    checkup = check_library(path)
    assert not checkup.ok
    assert checkup.generation == -1
    assert not any(finding.repairable for finding in checkup.findings)
    (tmp_path / "file").write_text("x")
    assert "it is a file" in check_library(tmp_path / "file").findings[0].message


def examined(path: Path, before: object, everything: object) -> bool:
    """Return whether the check finds something; a wrong answer or a traceback fails the test."""
    checkup = check_library(path)
    try:
        with Library.open(path, read_only=True, encoder=HashEncoder()) as library:
            same = answers(library, QUESTIONS) == before and stored(library) == everything
        # A check that finds nothing promises that all is as it was; answers always are.
        assert same
    except QuothError:
        assert not checkup.ok
    return not checkup.ok


@pytest.mark.parametrize(
    ("seed", "times"), [(1, 25), *(pytest.param(n, 100, marks=pytest.mark.slow) for n in (2, 3))]
)
def test_a_flipped_bit_is_found_or_changes_nothing(
    path: Path, healthy: Path, said: object, seed: int, times: int
) -> None:
    with Library.open(path, read_only=True, encoder=HashEncoder()) as library:
        everything = stored(library)
    chance = random.Random(seed)
    data = (healthy / FILE).read_bytes()
    hits = 0
    for _ in range(times):
        damaged = bytearray(data)
        damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (path / FILE).write_bytes(damaged)
        for file in path.glob(f"{FILE}-*"):
            file.unlink()
        hits += examined(path, said, everything)
    assert hits  # most of the bits of so small a library are of free space


@pytest.mark.parametrize(("seed", "times"), [(1, 12), pytest.param(2, 60, marks=pytest.mark.slow)])
def test_a_torn_or_overwritten_database_is_found_or_changes_nothing(
    path: Path, healthy: Path, said: object, seed: int, times: int
) -> None:
    with Library.open(path, read_only=True, encoder=HashEncoder()) as library:
        everything = stored(library)
    chance = random.Random(seed)
    data = (healthy / FILE).read_bytes()
    for _ in range(times):
        start = chance.randrange(len(data))
        length = chance.choice((1, 16, 512, 4096))
        fill = chance.choice((bytes(length), chance.randbytes(length), b"\xff" * length))
        damaged = data[:start] + fill + data[start + length :]
        (path / FILE).write_bytes(chance.choice((damaged, data[:start])))
        for file in path.glob(f"{FILE}-*"):
            file.unlink()
        examined(path, said, everything)
