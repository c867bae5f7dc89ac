"""PostgreSQL as a store: its values, its tables, and what it refuses to open."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postgres import Server, server
from small import HashEncoder, answers, new_library, stored, write

from index import Library
from index.address import address_of
from index.database import stream, tuples
from index.errors import FormatError, LibraryError, LibraryFormatError, LibraryNotFoundError
from index.postgres import Connection, _numbered, connect, escaped, unescaped
from index.postgres_store import PostgresStore
from index.schema import FORMAT_VERSION
from index.store import FILE, Store, generation, get_meta, set_meta

OURS = {"format", "writer", "numbers"}  # tables that SQLite has no need of
TEXTS = st.text("\0\1\2 01aZ\ufffd\U0010fffd\U0010fffe\U0010ffff") | st.text()


@pytest.fixture(scope="module")
def started() -> Iterator[Server]:
    """One server for this module; each library has a database of its own."""
    with server() as running:
        yield running


@pytest.fixture(scope="module")
def connection(started: Server) -> Iterator[Connection]:
    """A connection for tests of values, which leave no table behind."""
    with closing(connect(started.database(), application="a test")) as db:
        db.execute('CREATE TEMP TABLE texts(id BIGINT, text TEXT COLLATE "C")')
        yield db


@pytest.fixture(autouse=True)
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this machine keeps what belongs to libraries elsewhere."""
    monkeypatch.setenv("QUOTH_HOME", str(tmp_path / "homes"))
    return tmp_path / "homes"


@pytest.fixture
def place(started: Server) -> str:
    """The address of an empty database."""
    return started.database()


def opened(place: str, *, create: bool = False, read_only: bool = False) -> PostgresStore:
    return PostgresStore.open_at(address_of(place), create=create, read_only=read_only)


def ask(place: str, sql: str) -> list[tuple[object, ...]]:
    """Return what the server says, past Quoth."""
    with closing(connect(place, application="a test")) as db:
        cursor = db.execute(sql)
        return [] if cursor.description is None else [tuple(row) for row in cursor.fetchall()]


def everything_in(place: str) -> list[list[tuple[object, ...]]]:
    """Return all tables of a database with their rows."""
    tables = ask(
        place,
        "SELECT table_schema, table_name FROM information_schema.tables"
        " WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2",
    )
    return [tables, *(ask(place, f'SELECT * FROM "{s}"."{t}" ORDER BY 1') for s, t in tables)]


# -- values ---------------------------------------------------------------------------------


@given(TEXTS)
def test_what_is_escaped_comes_back_and_holds_no_character_0(text: str) -> None:
    assert "\0" not in escaped(text)
    assert unescaped(escaped(text)) == text


@given(TEXTS, TEXTS)
def test_what_is_escaped_can_be_joined(one: str, other: str) -> None:
    """The server joins texts, and cuts them at what was escaped alike."""
    assert escaped(one) + escaped(other) == escaped(one + other)


@given(st.lists(TEXTS, max_size=12))
def test_texts_come_back_from_a_table_in_the_order_that_sqlite_has(
    connection: Connection, texts: list[str]
) -> None:
    rows = list(enumerate(texts))
    question, count = "SELECT text FROM texts ORDER BY text, id", "SELECT count(*) FROM texts"
    with closing(sqlite3.connect(":memory:")) as local:
        local.execute("CREATE TABLE texts(id INTEGER, text TEXT)")
        local.executemany("INSERT INTO texts VALUES(?, ?)", rows)
        expected = [row[0] for row in local.execute(question)]
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO texts VALUES(?, ?)", rows)
    found = [row[0] for row in connection.execute(question)]
    plain = [row[0] for row in connection.tuples(question, ())]
    streamed = [row[0] for row in connection.stream(question, ())]
    by_id = connection.execute("SELECT text FROM texts ORDER BY id").fetchall()
    there = [connection.tuples(f"{count} WHERE text = ?", (text,)) for text in texts]
    connection.execute("ROLLBACK")
    assert found == plain == streamed == expected
    assert [row["text"] for row in by_id] == texts
    assert there == [[(texts.count(text),)] for text in texts]


@given(st.binary(), st.integers(-(2**63), 2**63 - 1), st.booleans() | st.none())
def test_other_values_come_back_as_they_are(
    connection: Connection, data: bytes, number: int, rest: bool | None
) -> None:
    (row,) = connection.tuples("SELECT ?::bytea, ?::bigint, ?::boolean", (data, number, rest))
    assert row == (data, number, rest)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT ?, ?", "SELECT $1, $2"),
        ("SELECT ?1, ?2, ?1", "SELECT $1, $2, $1"),
        ("SELECT '?' || ?", "SELECT '?' || $1"),
        ("SELECT ?, 'a?1b', ?", "SELECT $1, 'a?1b', $2"),
        ("SELECT 'it''s ?', ?", "SELECT 'it''s ?', $1"),
        ("SELECT '' || ? || '?'", "SELECT '' || $1 || '?'"),
        ("SELECT ?12", "SELECT $12"),
        ("a = ? OR b IN (?,?,?)", "a = $1 OR b IN ($2,$3,$4)"),
    ],
)
def test_marks_are_numbered_outside_of_strings(sql: str, expected: str) -> None:
    assert _numbered(sql) == expected


def test_numbered_marks_give_the_values_that_sqlite_gives(connection: Connection) -> None:
    sql = "SELECT ?1 || '?' || ?2 || ?1 || '''?2'' ' || ?3"
    values = ("a", "b?", "'")
    with closing(sqlite3.connect(":memory:")) as local:
        expected = local.execute(sql, values).fetchone()
    typed = re.sub(r"(\?\d)(?!')", r"\1::text", sql)
    assert connection.tuples(typed, values) == [expected]
    assert expected == ("a?b?a'?2' '",)


def test_a_row_is_read_by_name_by_place_and_whole(connection: Connection) -> None:
    row = connection.execute("SELECT 7 AS id, 'lift.txt' AS path, NULL AS date").fetchone()
    assert row is not None
    assert (row["id"], row["path"], row["date"]) == (7, "lift.txt", None)
    assert (row[0], row[-1], row[:2]) == (7, None, (7, "lift.txt"))
    number, path, date = row
    assert (number, path, date) == tuple(row) == (7, "lift.txt", None)
    assert dict(row) == {"id": 7, "path": "lift.txt", "date": None}
    assert list(row.keys()) == ["id", "path", "date"]
    with pytest.raises(KeyError):
        row["nothing"]
    with pytest.raises(IndexError):
        row[3]


def test_many_rows_come_in_order_while_other_statements_run(place: str) -> None:
    with closing(opened(place, create=True)) as store, store.reading() as db:
        question = "SELECT n, 'row ' || n FROM generate_series(1, ?) AS n ORDER BY n"
        rows, others = stream(db, question, (5000,)), stream(db, question, (4001,))
        seen: list[tuple[object, ...]] = []
        for row in rows:
            seen.append(row)
            if len(seen) % 500 == 1:
                assert generation(db) == 0
                assert next(others) == (len(seen) // 500 + 1, f"row {len(seen) // 500 + 1}")
                assert list(tuples(db, "SELECT ?::bigint", (len(seen),))) == [(len(seen),)]
        assert seen == [(n, f"row {n}") for n in range(1, 5001)]
        assert [row[0] for row in others] == list(range(11, 4002))


def test_rows_that_nobody_wants_any_more_do_no_harm(place: str) -> None:
    with closing(opened(place, create=True)) as store:
        with store.reading() as db:
            rows = stream(db, "SELECT n FROM generate_series(1, 100000) AS n")
            assert next(rows) == (1,)
        with store.reading() as db:
            assert generation(db) == 0
        del rows
        with store.reading() as db:
            assert generation(db) == 0


def test_a_reader_sees_one_state_while_a_writer_publishes(place: str) -> None:
    with closing(opened(place, create=True)) as store, closing(opened(place)) as other:
        with store.reading() as db:
            assert get_meta(db, "key") is None
            for number in range(3):
                with other.writing() as writer:
                    set_meta(writer, "key", {"n": number})
                assert get_meta(db, "key") is None
        with store.reading() as db:
            assert get_meta(db, "key") == {"n": 2}


def _write_and_fail(store: PostgresStore) -> None:
    with store.writing() as db:
        set_meta(db, "words", {"a": 1})
        db.execute("INSERT INTO nowhere VALUES(1)")


def test_writing_happens_whole_or_not_at_all(place: str) -> None:
    with closing(opened(place, create=True)) as store:
        with pytest.raises(LibraryError, match="nowhere"):
            _write_and_fail(store)
        with store.writing() as db:
            assert get_meta(db, "words") is None
            set_meta(db, "words", {"a": 2})
        with store.reading() as db:
            assert get_meta(db, "words") == {"a": 2}


def test_a_closed_store_says_so(place: str) -> None:
    store = opened(place, create=True)
    store.close()
    store.close()
    with pytest.raises(LibraryError, match="closed"), store.reading():
        pass


# -- tables ---------------------------------------------------------------------------------


def test_a_new_library_has_the_newest_format_and_the_tables_of_sqlite(
    place: str, tmp_path: Path
) -> None:
    opened(place, create=True).close()
    assert ask(place, "SELECT number FROM quoth.format") == [(FORMAT_VERSION,)]
    columns = ask(
        place,
        "SELECT table_name, column_name, is_nullable = 'YES', data_type, collation_name"
        " FROM information_schema.columns WHERE table_schema = 'quoth'"
        " ORDER BY 1, ordinal_position",
    )
    found = [row for row in columns if row[0] not in OURS]
    assert {row[0] for row in columns} - {row[0] for row in found} == OURS
    Store.create(tmp_path / "house.quoth").close()
    types = {"INTEGER": "bigint", "TEXT": "text", "BLOB": "bytea"}
    with closing(sqlite3.connect(tmp_path / "house.quoth" / FILE)) as db:
        names = db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        expected = [
            (table, name, not (required or key), types[kind], "C" if kind == "TEXT" else None)
            for (table,) in sorted(names)
            for _, name, kind, required, _, key in db.execute(f"PRAGMA table_info({table})")
        ]
        references = {
            (table, row[2])
            for table in {row[0] for row in expected}
            for row in db.execute(f"PRAGMA foreign_key_list({table})")
        }
    assert found == expected
    rows = ask(
        place,
        "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint"
        " WHERE contype = 'f'",
    )
    assert {tuple(str(name).removeprefix("quoth.") for name in row) for row in rows} == references


def _last_numbers(library: Library) -> list[int]:
    with library._store.reading() as db:
        return [
            int(db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0])
            for table in ("documents", "passages", "vectors")
        ]


def _first_numbers(library: Library, after: int) -> list[int]:
    """Return the first numbers of documents that were born after a generation, and of theirs."""
    joined = (
        "documents JOIN passages ON passages.document = documents.id"
        " JOIN sentences ON sentences.document = documents.id"
    )
    with library._store.reading() as db:
        row = db.execute(
            "SELECT min(documents.id), min(passages.id), min(passages.vector),"
            f" min(sentences.vector) FROM {joined} WHERE born > ?",
            (after,),
        ).fetchone()
    document, passage, *vectors = (int(number) for number in row)
    return [document, passage, min(vectors)]


def test_no_number_is_used_again_after_everything_was_deleted(place: str) -> None:
    with new_library(place) as library:
        last = [0, 0, 0]
        for turn in range(4):
            before = library.generation
            library.add(f"Flat {turn} has {turn} rooms.\n\nIts key is k{turn}.", name=f"{turn}")
            first = _first_numbers(library, before)
            assert all(new > old for new, old in zip(first, last, strict=True)), (first, last)
            last = _last_numbers(library)
            library.remove(str(turn))
            library.compact()
            assert _last_numbers(library) == [0, 0, 0]
            library.compact()  # with nothing there, it must not forget
        assert library.check().findings == ()


def test_no_number_is_used_again_after_the_last_ones_were_deleted(place: str) -> None:
    with new_library(place) as library:
        library.add("Bicycles stand in the cellar.", name="stays")
        library.add("Prams stand in the hall.\n\nSledges do too.", name="goes")
        last = _last_numbers(library)
        library.remove("goes")
        library.compact()
        before = library.generation
        library.add("Cars stand in the yard.", name="comes")
        first = _first_numbers(library, before)
        assert all(new > old for new, old in zip(first, last, strict=True)), (first, last)
        assert library.find("stand").total == 2


# -- what else may be there -----------------------------------------------------------------


def test_two_schemas_of_a_database_do_not_see_each_other(place: str) -> None:
    names = ("House", "house")  # one is not the other
    for name in names:
        with new_library(f"{place}&schema={name}") as library:
            library.add(f"{name} has a lift.", name=name)
    for name in names:
        with Library.open(f"{place}&schema={name}", encoder=HashEncoder()) as library:
            assert [info.path for info in library.documents()] == [name]
            assert library.check().findings == ()
            assert library.path.name.count(name) == 1
            library.remove(name)
            library.compact()
    with pytest.raises(LibraryNotFoundError):
        Library.open(place)


def test_a_schema_that_holds_something_else_is_refused_and_not_touched(
    place: str, homes: Path
) -> None:
    ask(place, "CREATE TABLE bookmarks AS SELECT 'https://example.org' AS url")
    ask(place, "CREATE SCHEMA views")
    ask(place, "CREATE VIEW views.bookmarks AS SELECT * FROM public.bookmarks")
    ask(place, "CREATE SCHEMA sequences")
    ask(place, "CREATE SEQUENCE sequences.numbers")
    ask(place, "CREATE SCHEMA functions")
    ask(place, "CREATE FUNCTION functions.f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    ask(place, "CREATE SCHEMA alike")
    ask(place, "CREATE TABLE alike.format AS SELECT 7 AS application, 3 AS number")
    before = everything_in(place)
    others = ("views", "sequences", "functions", "alike", "pg_catalog", "information_schema")
    for schema in ("public", *others):
        for create, read_only in ((True, False), (False, False), (False, True), (True, True)):
            with pytest.raises(LibraryFormatError, match=rf"schema {schema} .*\?schema=NAME\.$"):
                Library.open(f"{place}&schema={schema}", create=create, read_only=read_only)
    assert everything_in(place) == before
    assert not homes.exists()


def test_an_empty_schema_that_is_there_is_used(place: str) -> None:
    ask(place, "CREATE SCHEMA quoth")
    with new_library(place) as library:
        library.add("Bicycles stand in the cellar.", name="bicycles")
        assert library.find("cellar").total == 1


def test_a_database_of_another_encoding_is_refused(started: Server, place: str) -> None:
    name = "letters"
    ask(place, f"CREATE DATABASE {name} ENCODING SQL_ASCII TEMPLATE template0 LOCALE 'C'")
    other = f"postgresql://postgres@/{name}?host={started.folder}"
    before = everything_in(other)
    with pytest.raises(LibraryFormatError) as caught:
        Library.open(other, create=True)
    assert str(caught.value) == (
        "The database letters has the encoding SQL_ASCII; make one for Quoth with "
        "`createdb --encoding UTF8 --template template0`."
    )
    assert everything_in(other) == before


@pytest.mark.parametrize("read_only", [False, True])
def test_a_library_of_a_newer_version_is_refused_and_not_touched(
    place: str, read_only: bool
) -> None:
    opened(place, create=True).close()
    ask(place, f"UPDATE quoth.format SET number = {FORMAT_VERSION + 1}")
    before = everything_in(place)
    with pytest.raises(LibraryFormatError, match=r"newer Quoth.*update Quoth"):
        Library.open(place, create=not read_only, read_only=read_only)
    assert everything_in(place) == before


def test_an_older_format_is_brought_up_to_date_when_opened_for_writing(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = ((FORMAT_VERSION + 1, "CREATE TABLE notes(text TEXT);\n"),)
    opened(place, create=True).close()
    monkeypatch.setattr("index.postgres_store.FORMAT_VERSION", FORMAT_VERSION + 1)
    monkeypatch.setattr("index.postgres_store.POSTGRES_MIGRATIONS", steps)
    with pytest.raises(LibraryFormatError, match=f"older library format {FORMAT_VERSION}"):
        opened(place, read_only=True)
    assert ask(place, "SELECT to_regclass('quoth.notes')") == [(None,)]
    opened(place).close()
    assert ask(place, "SELECT number FROM quoth.format") == [(FORMAT_VERSION + 1,)]
    opened(place, read_only=True).close()


def test_a_migration_that_fails_changes_nothing(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = ((FORMAT_VERSION + 1, "CREATE TABLE notes(a TEXT);\nINSERT INTO nowhere VALUES(1);\n"),)
    opened(place, create=True).close()
    monkeypatch.setattr("index.postgres_store.FORMAT_VERSION", FORMAT_VERSION + 1)
    monkeypatch.setattr("index.postgres_store.POSTGRES_MIGRATIONS", steps)
    before = everything_in(place)[0]
    with pytest.raises(LibraryError, match="nowhere"):
        opened(place)
    assert everything_in(place)[0] == before
    assert ask(place, "SELECT number FROM quoth.format") == [(FORMAT_VERSION,)]


def test_a_library_that_is_not_there_is_told_and_not_made(place: str, homes: Path) -> None:
    before = everything_in(place)
    for create, read_only in ((False, False), (False, True), (True, True)):
        with pytest.raises(LibraryNotFoundError, match=r"no library at postgresql://.*quoth sync"):
            Library.open(place, create=create, read_only=read_only)
    assert everything_in(place) == before
    assert not homes.exists()


def test_what_is_read_only_changes_nothing(place: str) -> None:
    with new_library(place) as library:
        library.add("Bicycles stand in the cellar.", name="bicycles")
    before = everything_in(place)
    with Library.open(place, read_only=True, encoder=HashEncoder()) as library:
        assert library.find("cellar").total == 1
        for change in (library.compact, lambda: library.add("No.", name="no"), library.rebuild):
            with pytest.raises(LibraryError, match="reading only"):
                change()
    assert everything_in(place) == before


def test_the_character_0_changes_no_quote(place: str, tmp_path: Path) -> None:
    """In a name, a title, a heading, a context and a text; also the one that stands for it."""
    odd = "\0\1\U0010fffe"
    text = (
        f"# The{odd}rules\n\nThese are kept{odd}in the hall:\n\n"
        f"- prams{odd}and sledges\n- the key k{odd}7\n\n{odd}Bicycles stand{odd} in the cellar."
    )
    found = []
    for where in (place, tmp_path / "house.quoth"):
        with new_library(where) as library:
            library.add(text, name=f"a{odd}b.md", title=f"House{odd}rules")
            library.add("The lift is inspected.", name="a b", title="\1")
            library.add("The lift is inspected twice.", name="\2")
            questions = ("Where do bicycles stand?", f"prams{odd}and", "lift", '"kept in the hall"')
            paths = [info.path for info in library.documents()]
            found.append((paths, stored(library), answers(library, questions)))
            assert library.check().findings == ()
            library.remove(f"a{odd}b.md")
            assert len(library.documents()) == 2
    assert found[0] == found[1]


def test_a_path_that_the_server_cannot_index_is_told_and_holds_nothing_up(
    place: str, tmp_path: Path
) -> None:
    folder = deep = write(tmp_path / "texts", {"short.txt": "The short lift."})
    with pytest.MonkeyPatch.context() as patch:
        for number in range(24):  # each by itself: all together are longer than a call takes
            patch.chdir(deep)
            deep = Path(secrets.token_hex(70) + str(number))  # nothing that could be packed
            deep.mkdir()
        patch.chdir(deep)
        Path("deep.txt").write_text("The deep lift.")
    with new_library(place) as library:
        report = library.sync(folder)
        assert report.added == ("short.txt",)
        (skip,) = report.skipped
        assert "path is longer than 2,500 bytes" in skip.reason
        assert len(library.failures()) == 1
        with pytest.raises(FormatError, match="its name is longer than 2,500 bytes"):
            library.add("A text.", name=secrets.token_hex(3000))
        library.add("A text.", name="short")
        assert library.check().findings == ()


def test_no_number_is_used_again_after_repair(place: str) -> None:
    with new_library(place) as library:
        library.add("Bicycles stand in the cellar.", name="stays")
        library.add("Prams stand in the hall.", name="goes")
        last = _last_numbers(library)
        library.remove("goes")
        # What is unused and damaged is deleted.
        ask(place, "DELETE FROM quoth.sentences WHERE document = 2")
        ask(place, "DELETE FROM quoth.passages WHERE document = 2")
        ask(
            place,
            "UPDATE quoth.vectors SET vector = '' WHERE id = (SELECT max(id) FROM quoth.vectors)",
        )
        library.repair()
        before = library.generation
        library.add("Cars stand in the yard.", name="comes")
        assert min(_first_numbers(library, before)) > 0
        assert _first_numbers(library, before)[2] > last[2]
