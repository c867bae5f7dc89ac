"""What a check finds is mended from what is left, and nothing is dropped without a word."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from small import QUESTIONS, HashEncoder, answers, lived_in, sql, stored, write

from index import Library, ingest, vectors
from index.errors import LibraryDamagedError, LibraryLockedError, LibraryNotFoundError
from index.ingest import PIPELINE
from index.lock import writer_lock
from index.store import FILE
from index.types import Encoder
from index.upkeep.check import check_library
from index.upkeep.repair import Repaired, repair_library

ASKED = (*QUESTIONS, "Where do bicycles stand?", "Where are the spare keys?")


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A closed library with a source of each kind, dead rows and all derived files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "SMALLEST_BASE", 8)
        yield lived_in(tmp_path_factory.mktemp("mended"))


@pytest.fixture(scope="module")
def said(healthy: Path) -> object:
    """What it answers and holds."""
    return everything(healthy)


@pytest.fixture
def path(healthy: Path, tmp_path: Path) -> Path:
    """A copy of it to be damaged."""
    shutil.copytree(healthy, tmp_path / "house.quoth")
    return tmp_path / "house.quoth"


@pytest.fixture
def house(healthy: Path) -> Path:
    """The folder it is in step with."""
    return healthy.parent / "house"


def everything(path: Path) -> object:
    with Library.open(path, read_only=True, encoder=HashEncoder()) as library:
        return answers(library, ASKED), stored(library)


def mended(path: Path) -> Repaired:
    repaired = repair_library(path, encoder=HashEncoder())
    assert repaired.failed == ()
    assert [f.message for f in repaired.checkup.findings] == []
    return repaired


def of(path: str) -> str:
    return f"document = (SELECT id FROM documents WHERE path = '{path}' AND died IS NULL)"


TEXT = (
    "UPDATE documents SET content = CAST(substr(content, 1, 60) || x'00' ||"
    " substr(content, 62) AS BLOB) WHERE path = '{}'"
)
MENDED: dict[str, tuple[str, str]] = {
    "a text whose file is there": (TEXT.format("lift.txt"), "lift.txt was made again from /"),
    "the hash of a text": (
        "UPDATE documents SET text_hash = 'x' WHERE path = 'bicycles'",
        "bicycles was made again from its text",
    ),
    "an entry": (
        "UPDATE documents SET title = 'Forged', path = 'forged.txt' WHERE path = 'lift.txt'",
        "lift.txt was made again from its text",
    ),
    "sentences": (
        f"UPDATE sentences SET start = start + 1 WHERE {of('bicycles')}",
        "bicycles was made again from its text",
    ),
    "a sentence that is missing": (
        f"DELETE FROM sentences WHERE {of('lift.txt')} AND number = 1",
        "lift.txt was made again from its text",
    ),
    "passages": (
        f"UPDATE passages SET terms = 'nothing' WHERE {of('garden.md')}",
        "garden.md was made again from its text",
    ),
    "an older version": (
        "UPDATE documents SET language = 'xx' WHERE path = 'minutes/2023.txt'",
        "1 damaged older versions of documents were deleted.",
    ),
    "vectors": (
        "UPDATE vectors SET vector = zeroblob(length(vector)) WHERE id IN (2, 5, 6)",
        "3 vectors were made again from their sentences.",
    ),
    "keys of vectors": (
        "UPDATE vectors SET key = CAST(id AS BLOB)",
        "vectors were made again from their sentences.",
    ),
    "vectors that are missing": (
        "DELETE FROM vectors WHERE id < 6",
        "5 vectors were made again from their sentences.",
    ),
    "the list of derived files": (
        "UPDATE meta SET value = 'null' WHERE key = 'words'",
        "The list of derived files was made again.",
    ),
    "the list of files": (
        "UPDATE files SET path = 'x' || path",
        "The list of files was made again",
    ),
    "the list of failures": (
        "UPDATE failures SET reason = 'none'",
        "The list of files that could not be read was emptied",
    ),
    "the list of what is excluded": (
        "UPDATE excluded SET path = path || 'x'",
        "look whether the next sync brings back",
    ),
    "when sources were synced": (
        "UPDATE sources SET synced_ns = synced_ns + 1",
        "The list of sources was damaged",
    ),
    "which documents are alive": (
        "UPDATE documents SET died = 2 WHERE path = 'lift.txt'",
        "The list of which documents are alive was made again.",
    ),
    "which documents are dead": (
        "UPDATE documents SET died = NULL WHERE path = 'garden.md'",
        "The list of which documents are alive was made again.",
    ),
    "which documents are alive, in a value of no kind that was stored": (
        "UPDATE documents SET died = x'07' WHERE path = 'lift.txt'",
        "The list of which documents are alive was made again.",
    ),
    "when a document was replaced, likewise": (
        "UPDATE documents SET died = x'07' WHERE path = 'garden.md' AND died IS NOT NULL",
        "The list of which documents are alive was made again.",
    ),
    "the seals": (
        "DELETE FROM meta WHERE key = 'seals'",
        "The checksums of the small tables were damaged",
    ),
}


@pytest.mark.parametrize("what", MENDED)
def test_what_can_be_told_from_the_rest_is_mended(
    path: Path, house: Path, said: object, what: str
) -> None:
    statement, told = MENDED[what]
    sql(path, statement)
    assert not check_library(path).ok
    repaired = mended(path)
    assert any(told in sentence for sentence in repaired.done), repaired.done
    assert everything(path) == said
    encoder = HashEncoder()
    with Library.open(path, encoder=encoder) as library:
        report = library.sync(house)
        if what != "the list of what is excluded":
            assert (report.unchanged, report.changed) == (3, False)
            assert encoder.encoded == []
        library.compact()
        assert library.check().ok


def test_files_whose_hash_is_damaged_are_read_again(path: Path, house: Path, said: object) -> None:
    sql(path, "UPDATE files SET hash = 'x' || hash")
    mended(path)
    encoder = HashEncoder()
    with Library.open(path, encoder=encoder) as library:
        assert len(library.sync(house).updated) == 3
        assert encoder.encoded == []  # their strings are known
        library.compact()
        assert library.check().ok
    assert everything(path) == said


def test_sqlites_own_indexes_are_made_again(path: Path, said: object) -> None:
    sql(path, "PRAGMA writable_schema = ON")
    with closing(sqlite3.connect(path / FILE, isolation_level=None)) as db:
        (page,) = db.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'passages_by_document'"
        ).fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    data = bytearray((path / FILE).read_bytes())
    data[size * page - 2] ^= 1  # the last entry is about another passage
    (path / FILE).write_bytes(data)
    checkup = check_library(path)
    assert any(f.kind == "database" and f.repairable for f in checkup.findings)
    assert "SQLite's own indexes were made again." in mended(path).done
    assert everything(path) == said


def test_a_text_whose_file_is_gone_is_named_and_stays_until_it_is_removed(path: Path) -> None:
    sql(path, TEXT.format("bicycles"))
    repaired = repair_library(path, encoder=HashEncoder())
    (finding,) = [f for f in repaired.checkup.findings if f.kind == "document"]
    assert (finding.where, finding.repairable) == ("bicycles", False)
    assert f"`quoth remove {finding.document}`" in finding.advice
    with Library.open(path, encoder=HashEncoder()) as library:
        with pytest.raises(LibraryDamagedError, match="bicycles"):
            library.text(finding.document or 0)
        library.remove(finding.document or 0)
        library.compact()
        assert library.check().ok


def test_a_text_whose_file_has_changed_comes_with_the_next_sync(
    path: Path, house: Path, tmp_path: Path
) -> None:
    moved = shutil.copytree(house, tmp_path / "moved")
    with Library.open(path, encoder=HashEncoder()) as library:
        library.relocate({house: moved})
    sql(path, TEXT.format("lift.txt"))
    write(moved, {"lift.txt": "The lift was taken out."})
    repaired = repair_library(path, encoder=HashEncoder())
    (finding,) = [f for f in repaired.checkup.findings if f.kind == "document"]
    assert "Sync its folder again" in finding.advice
    with Library.open(path, encoder=HashEncoder()) as library:
        assert library.sync(moved).updated == ("lift.txt",)
        library.compact()
        assert library.check().ok


def test_a_table_that_cannot_be_sealed_is_mended_with_the_seals(path: Path) -> None:
    sql(path, "DELETE FROM meta WHERE key = 'seals'", "UPDATE failures SET reason = x'07'")
    assert "was emptied" in mended(path).done[1]
    sql(path, "DELETE FROM meta WHERE key = 'seals'", "UPDATE models SET name = x'07'")
    repaired = repair_library(path, encoder=HashEncoder())
    assert [f.where for f in repaired.checkup.findings] == ["models"]


def test_a_damaged_upload_is_read_again_from_its_file(path: Path, said: object) -> None:
    sql(path, TEXT.format("keys.txt"))
    assert any("keys.txt was made again from" in told for told in mended(path).done)
    assert everything(path) == said


@pytest.mark.parametrize("table", ["models", "generations"])
def test_what_nothing_else_tells_is_left_as_it_is(path: Path, table: str) -> None:
    column = "name" if table == "models" else "published_at"
    sql(path, f"UPDATE {table} SET {column} = 'forged'")
    repaired = repair_library(path, encoder=HashEncoder())
    assert repaired.done == ()
    (finding,) = [f for f in repaired.checkup.findings if f.kind == "table"]
    assert (finding.where, finding.repairable) == (table, False)
    assert "from a backup" in finding.advice


def test_a_source_that_is_not_found_at_its_damaged_place_is_left_as_it_is(path: Path) -> None:
    sql(path, "UPDATE sources SET location = location || 'x' WHERE kind = 'folder'")
    repaired = repair_library(path, encoder=HashEncoder())
    assert not repaired.checkup.ok
    assert repaired.done == ()


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    file.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: _flip(next(path.glob("vectors-*"))),
        lambda path: next(path.glob("vectors-*")).unlink(),
        lambda path: _flip(next(path.glob("words-*/*.idx"))),
        lambda path: shutil.rmtree(next(path.glob("words-*"))),
        lambda path: (path / "words-77").mkdir(mode=0o700),
        lambda path: (path / "vectors-1-2.tmp").touch(mode=0o600),
        lambda path: (path / FILE).chmod(0o644),
    ],
)
def test_derived_files_leftovers_and_modes_are_mended_without_the_model(
    path: Path, said: object, damage: Callable[[Path], object]
) -> None:
    before = check_library(path)
    assert before.findings == ()
    damage(path)
    assert any(finding.repairable for finding in check_library(path).findings)
    encoder = HashEncoder()
    repaired = repair_library(path, encoder=encoder)
    assert len(repaired.done) == 1
    assert repaired.checkup.findings == ()
    assert encoder.encoded == []
    assert everything(path) == said


def test_two_damages_at_once_are_both_mended(path: Path, said: object) -> None:
    """A document that is damaged, and the vectors of its sentences with it."""
    sql(
        path,
        "UPDATE vectors SET vector = zeroblob(length(vector)) WHERE id IN"
        f" (SELECT vector FROM sentences WHERE {of('lift.txt')})",
        f"UPDATE sentences SET kind = 'item' WHERE {of('lift.txt')}",
    )
    mended(path)
    assert everything(path) == said


VECTORS_OF = (
    "UPDATE vectors SET vector = zeroblob(length(vector)) WHERE id IN"
    " (SELECT vector FROM sentences JOIN documents ON documents.id = document"
    " WHERE path = '{}' AND died IS NULL)"
)


def test_what_cannot_be_mended_leaves_all_other_documents_searchable(
    path: Path, house: Path, tmp_path: Path
) -> None:
    moved = shutil.copytree(house, tmp_path / "moved")
    with Library.open(path, encoder=HashEncoder()) as library:
        library.relocate({house: moved})
    write(moved, {"lift.txt": "The lift was taken out."})
    sql(
        path,
        TEXT.format("lift.txt"),
        VECTORS_OF.format("lift.txt"),
        "UPDATE documents SET title = 'Forged' WHERE path = 'garden.md' AND died IS NULL",
        "UPDATE documents SET language = 'xx' WHERE path = 'minutes/2023.txt'",
    )
    for _ in range(2):  # as people try again
        repaired = repair_library(path, encoder=HashEncoder())
        assert {finding.where for finding in repaired.checkup.findings} == {"lift.txt"}
        with Library.open(path, read_only=True, encoder=HashEncoder()) as library:
            titles = {info.path: info.title for info in library.documents()}
            assert titles["garden.md"] == "Garden rules"
            with library.searching() as searcher:
                assert len(searcher.documents) == 5
                assert searcher.count_with_all(["hose"]) == 1
    with Library.open(path, encoder=HashEncoder()) as library:
        assert library.sync(moved).updated == ("lift.txt",)
    mended(path)


def test_a_vector_of_two_documents_is_made_again_from_the_one_that_is_left(path: Path) -> None:
    with Library.open(path, encoder=HashEncoder()) as library:
        library.add("Bicycles stand in the cellar.", name="bicycles-2", title="Bicycles")
    sql(path, TEXT.format("bicycles"), VECTORS_OF.format("bicycles"))
    repaired = repair_library(path, encoder=HashEncoder())
    assert [finding.kind for finding in repaired.checkup.findings] == ["document"]


def test_a_healthy_library_is_left_alone(path: Path) -> None:
    def there() -> dict[Path, bytes]:
        """Return every file, but for the log: who reads last cannot take an empty one away."""
        files = [file for file in path.rglob("*") if file.is_file()]
        return {file: file.read_bytes() for file in files if not file.name.startswith(f"{FILE}-")}

    before = there()
    assert mended(path).done == ()
    assert there() == before


def test_a_library_that_is_open_is_mended_under_its_readers(path: Path, said: object) -> None:
    with Library.open(path, encoder=HashEncoder()) as library:
        answers(library, ASKED)
        sql(path, f"UPDATE sentences SET kind = 'item' WHERE {of('lift.txt')}")
        repaired = library.repair()
        assert repaired.checkup.ok
        assert (answers(library, ASKED), stored(library)) == said


def test_nobody_repairs_while_somebody_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.lock.WAIT_SECONDS", 0.1)
    (path / "words-77").mkdir()
    checkup = check_library(path)
    with writer_lock(path), pytest.raises(LibraryLockedError):
        repair_library(path, checkup)


def test_where_there_is_no_library_nothing_is_repaired(tmp_path: Path) -> None:
    repaired = repair_library(tmp_path / "none.quoth")
    assert repaired.done == ()
    assert not repaired.checkup.ok
    with pytest.raises(LibraryNotFoundError):
        Library.open(tmp_path / "none.quoth")


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["vector", "row"])
@pytest.mark.parametrize("before", ["1.1.1.1", PIPELINE])
def test_a_vector_that_several_documents_share_stands_for_the_words_alone(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch, before: str, damage: str
) -> None:
    """Of a library that was made by an earlier version, or with a model that sees no parts."""

    class Alone:
        name, dim, fingerprint = encoder.name, encoder.dim, encoder.fingerprint
        encode_documents, encode_query = encoder.encode_documents, encoder.encode_query

    monkeypatch.setattr(ingest, "PIPELINE", before)
    path = tmp_path / "l.quoth"
    with Library.open(path, create=True, encoder=Alone()) as library:
        library.add("The lift is inspected. Who pays?", name="lift")
        library.add("A dog is allowed. Who pays?", name="dog")
    with closing(sqlite3.connect(path / FILE)) as db, db:
        (shared,) = db.execute(
            "SELECT vector FROM sentences GROUP BY vector HAVING count(*) = 2"
        ).fetchone()
        if damage == "row":
            db.execute("DELETE FROM vectors WHERE id = ?", (shared,))
        else:
            db.execute("UPDATE vectors SET vector = zeroblob(768) WHERE id = ?", (shared,))
    repair_library(path, encoder=encoder)
    with closing(sqlite3.connect(path / FILE)) as db:
        (stored_now,) = db.execute("SELECT vector FROM vectors WHERE id = ?", (shared,)).fetchone()
    expected = encoder.encode_documents(["Who pays?"])[0]
    assert np.frombuffer(stored_now, np.float16).astype(np.float32) @ expected > 0.999
