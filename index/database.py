"""What the code below asks of a connection to a store: SQLite's is one, PostgreSQL's another.

Statements are written once, in the SQL that both understand, with SQLite's `?` and `?1` for
values. What the two do differently is here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

__all__ = [
    "Database",
    "Row",
    "Rows",
    "format_version",
    "go_on_numbering",
    "keep_numbers",
    "last_number",
    "next_number",
    "stream",
    "tuples",
]

NUMBERED = ("documents", "passages", "vectors")  # tables whose numbers are never used twice


class Row(Protocol):
    """A row, by place or by name of the column."""

    def __getitem__(self, key: Any, /) -> Any:  # noqa: ANN401
        """Return the value at a place, or of a column."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Yield the values."""
        ...

    def keys(self) -> Iterable[str]:
        """Return the names of the columns."""
        ...


class Rows(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""
        ...

    def fetchone(self) -> Any:  # noqa: ANN401
        """Return the next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows that are left."""
        ...


class Database(Protocol):
    """A connection; `sqlite3.Connection` is one."""

    @property
    def total_changes(self) -> int:
        """How many rows were changed since it was made."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is under way."""
        ...

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Rows:
        """Run one statement."""
        ...

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Rows:
        """Run one statement for each of these."""
        ...


class _Remote(Database, Protocol):
    def stream(self, sql: str, parameters: Sequence[Any], /) -> Iterator[tuple[Any, ...]]:
        """Yield plain rows as they are wanted."""
        ...

    def tuples(self, sql: str, parameters: Sequence[Any], /) -> Iterable[tuple[Any, ...]]:
        """Return plain rows."""
        ...


def stream(db: Database, sql: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query, plain tuples, as they are wanted: there may be many."""
    if isinstance(db, sqlite3.Connection):
        cursor = db.cursor()
        cursor.row_factory = None
        return cursor.execute(sql, parameters)
    return cast(_Remote, db).stream(sql, parameters)


def tuples(db: Database, sql: str, parameters: Sequence[Any] = ()) -> Iterable[tuple[Any, ...]]:
    """Return the rows of a query, plain tuples: a few."""
    if isinstance(db, sqlite3.Connection):
        return stream(db, sql, parameters)
    return cast(_Remote, db).tuples(sql, parameters)


def format_version(db: Database) -> int:
    """Return the format that the tables are in, see `index.schema`."""
    if isinstance(db, sqlite3.Connection):
        return int(db.execute("PRAGMA user_version").fetchone()[0])
    return int(db.execute("SELECT number FROM format").fetchone()[0])


def next_number(db: Database, table: str) -> int:
    """Return a number that no row of `table` ever had, for the transaction that uses it."""
    return last_number(db, table) + 1


def last_number(db: Database, table: str) -> int:
    """Return the largest number that a row of `table` ever had, 0 for none."""
    if isinstance(db, sqlite3.Connection):
        used = "SELECT seq FROM sqlite_sequence WHERE name = ?"
    else:
        used = "SELECT last FROM numbers WHERE name = ?"
    row = db.execute(used, (table,)).fetchone()
    (last,) = db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()
    return max(0 if row is None else int(row[0]), int(last))


def go_on_numbering(db: Database, last: Mapping[str, int]) -> None:
    """Let the next numbers of tables follow these, as if they had been given here."""
    for table, number in last.items():
        if isinstance(db, sqlite3.Connection):
            if table == "models":
                continue  # which has no sequence
            db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            db.execute("INSERT INTO sqlite_sequence VALUES(?, ?)", (table, number))
        else:
            db.execute("UPDATE numbers SET last = ? WHERE name = ?", (number, table))
            sequence = "pg_get_serial_sequence(?, 'id')"
            db.execute(f"SELECT setval({sequence}, greatest(?, 1))", (table, number))


def keep_numbers(db: Database) -> None:
    """Remember which numbers were used, before rows are deleted; SQLite does so by itself."""
    if isinstance(db, sqlite3.Connection):
        return
    for table in NUMBERED:
        db.execute(
            "UPDATE numbers SET last = greatest(last, (SELECT coalesce(max(id), 0)"
            f" FROM {table})) WHERE name = ?",
            (table,),
        )
