"""SQLite: opened only when it is ours, changed whole or not at all."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from index import schema
from index.errors import LibraryError, LibraryFormatError, LibraryNotFoundError
from index.store import FILE, Store, generation, get_meta, set_meta


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Folder of a new, empty library."""
    Store.create(tmp_path / "a.quoth").close()
    return tmp_path / "a.quoth"


def tables(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as db:
        return {row[0] for row in db.execute("SELECT name FROM sqlite_master")}


def pragma(file: Path, name: str, value: object = None) -> object:
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        if value is not None:
            db.execute(f"PRAGMA {name} = {value}")
        return db.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_new_library_is_empty_and_says_whose_it_is(path: Path) -> None:
    with closing(Store.open(path)) as store, store.reading() as db:
        assert generation(db) == 0
        assert get_meta(db, "words") is None
    assert pragma(path / FILE, "application_id") == schema.APPLICATION_ID
    assert pragma(path / FILE, "user_version") == schema.FORMAT_VERSION


def test_a_mistyped_path_is_an_error_and_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(LibraryNotFoundError, match=r"no library at .*mistyped"):
        Store.open(tmp_path / "mistyped")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Ms Hale")
    with pytest.raises(LibraryFormatError, match=r"holds no store\.db"):
        Store.open(tmp_path)
    with pytest.raises(LibraryFormatError, match="another path"):
        Store.create(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_library_is_told_and_not_touched(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    for read_only in (False, True):
        with pytest.raises(LibraryFormatError):
            Store.open(tmp_path, read_only=read_only)
    assert (tmp_path / FILE).read_bytes() == content


def test_a_database_of_another_program_is_told_and_not_touched(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.execute("CREATE TABLE bookmarks(url)")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(LibraryFormatError, match="something else"):
        Store.open(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_library_of_a_newer_version_is_refused_and_not_touched(path: Path) -> None:
    pragma(path / FILE, "user_version", schema.FORMAT_VERSION + 1)
    before = (path / FILE).read_bytes()
    with pytest.raises(LibraryFormatError, match=r"newer Quoth.*update Quoth"):
        Store.open(path)
    assert (path / FILE).read_bytes() == before


def test_an_older_format_is_brought_up_to_date_when_opened_for_writing(path: Path) -> None:
    """As after a crash between the file and its first tables."""
    with closing(sqlite3.connect(path / FILE)) as db:
        for name in tables(path / FILE):
            if not name.startswith("sqlite_"):
                db.execute(f"DROP TABLE IF EXISTS {name}")
    pragma(path / FILE, "user_version", 0)
    with pytest.raises(LibraryFormatError, match="older library format 0"):
        Store.open(path, read_only=True)
    Store.open(path).close()
    assert {"documents", "vectors", "generations"} <= tables(path / FILE)
    assert pragma(path / FILE, "user_version") == schema.FORMAT_VERSION


def test_a_migration_that_fails_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step is one transaction: its tables and the version, or neither."""
    last = schema.FORMAT_VERSION
    steps = (
        *schema.MIGRATIONS,
        (last + 1, "CREATE TABLE notes(text);\nINSERT INTO notes VALUES('a;b');\n"),
        (last + 2, "CREATE TABLE marks(text);\nINSERT INTO nowhere VALUES(1);\n"),
    )
    monkeypatch.setattr("index.store.MIGRATIONS", steps)
    monkeypatch.setattr("index.store.FORMAT_VERSION", last + 2)
    with pytest.raises(LibraryError, match="nowhere"):
        Store.open(path)
    assert pragma(path / FILE, "user_version") == last + 1
    assert "notes" in tables(path / FILE)
    assert "marks" not in tables(path / FILE)


def _write_and_fail(store: Store) -> None:
    with store.writing() as db:
        set_meta(db, "words", {"a": 1})
        set_meta(db, "vectors", {"no JSON": object()})


def test_writing_happens_whole_or_not_at_all(path: Path) -> None:
    with closing(Store.open(path)) as store:
        with pytest.raises(TypeError):
            _write_and_fail(store)
        with store.writing() as db:
            assert get_meta(db, "words") is None
            set_meta(db, "words", {"a": 2})
        with store.reading() as db:
            assert get_meta(db, "words") == {"a": 2}


def test_a_reader_sees_one_state_until_it_ends(path: Path) -> None:
    with closing(Store.open(path)) as store:
        with store.reading() as db:
            assert get_meta(db, "key") is None
            with store.writing() as writer:
                set_meta(writer, "key", {"n": 1})
            assert get_meta(db, "key") is None
        with store.reading() as db:
            assert get_meta(db, "key") == {"n": 1}


def test_after_a_commit_that_failed_the_store_goes_on(path: Path) -> None:
    """A deferred constraint makes COMMIT fail, as a full disk does."""
    with closing(Store.open(path)) as store:
        with store.writing() as db:
            db.execute("CREATE TABLE parent(id INTEGER PRIMARY KEY)")
            db.execute("CREATE TABLE child(id REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
        with pytest.raises(LibraryError, match="FOREIGN KEY"), store.writing() as db:
            db.execute("INSERT INTO child VALUES(5)")
        with store.writing() as db:
            assert db.execute("SELECT count(*) FROM child").fetchone()[0] == 0


def test_a_damaged_page_is_told_in_one_sentence(path: Path) -> None:
    with closing(sqlite3.connect(path / FILE)) as db:
        size = db.execute("PRAGMA page_size").fetchone()[0]
        pages = db.execute("PRAGMA page_count").fetchone()[0]
    data = bytearray((path / FILE).read_bytes())
    data[size : size * pages] = b"\xab" * (size * (pages - 1))
    (path / FILE).write_bytes(data)
    with closing(Store.open(path)) as store, pytest.raises(LibraryError, match="restore it"):
        with store.reading() as db:
            generation(db)


def test_a_closed_store_says_so(path: Path) -> None:
    store = Store.open(path)
    store.close()
    store.close()
    with pytest.raises(LibraryError, match="closed"), store.reading():
        pass


_UNPRIVILEGED = """
import os, sys
from pathlib import Path
from index.errors import LibraryError
from index.store import Store, generation
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
store = Store.open(Path(sys.argv[1]), read_only=True)
with store.reading() as db:
    print(generation(db))
store.close()
try:
    Store.open(Path(sys.argv[1]))
except LibraryError as error:
    print(error)
"""


def test_a_folder_that_may_not_be_written_to_can_be_read() -> None:
    """Not below tmp_path, which only its owner may look into."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Store.create(folder).close()
        (folder / FILE).chmod(0o444)
        folder.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", _UNPRIVILEGED, name], capture_output=True, text=True
        )
        left = [entry.name for entry in folder.iterdir()]
        folder.chmod(0o755)
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert first == "0"
    assert "may not be changed" in second
    assert sorted(left) == [FILE, "writer.lock"]
