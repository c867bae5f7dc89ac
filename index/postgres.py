"""PostgreSQL as a store: one connection, with what the rest of the code asks of SQLite's.

Statements are the same (see `index.database`); here `?` becomes `$1`, and a text may hold the
character 0, which PostgreSQL cannot store.
"""

from __future__ import annotations

import re
import selectors
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from index.errors import MissingExtraError

try:
    import psycopg
    from psycopg.rows import tuple_row
    from psycopg.types.string import StrDumperUnknown, TextBinaryLoader, TextLoader
except ImportError as error:
    raise MissingExtraError("psycopg", "postgres", "A library in PostgreSQL") from error

if TYPE_CHECKING:
    from psycopg.abc import Buffer

__all__ = ["Connection", "connect", "psycopg"]

CONNECT_SECONDS = 10
_BATCH = 2000  # rows of a long result that are fetched at once
_MARK = re.compile(r"\?(\d*)")
_MARKED = re.compile(r"'[^']*'")  # no mark within a string counts
# The character 0, and the one that stands for it, as they are stored: both of two characters. They
# are the two smallest, so that texts keep their order.
_ESCAPE = "\1"
_ZERO, _ITSELF = f"{_ESCAPE}\1", f"{_ESCAPE}\2"
_CHANGES = ("INSERT", "UPDATE", "DELETE")


class Row(tuple[Any, ...]):
    """A row whose values are got by place or by name."""

    __slots__ = ()
    places: dict[str, int]

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401
        """Return the value at a place, or of a column."""
        return tuple.__getitem__(self, self.places[key] if isinstance(key, str) else key)

    def keys(self) -> list[str]:
        """Return the names of the columns."""
        return list(self.places)


@lru_cache(maxsize=256)
def _row_class(names: tuple[str, ...]) -> type[Row]:
    places = {name: place for place, name in enumerate(names)}
    return type("Row", (Row,), {"__slots__": (), "places": places})


def _rows(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], Any]:
    if cursor.description is None:
        return tuple
    return _row_class(tuple(column.name for column in cursor.description))


@lru_cache(maxsize=1024)
def _numbered(sql: str) -> str:
    """Return a statement with `$1` in place of `?` and `?1`."""
    parts: list[str] = []
    done = count = 0
    strings = [match.span() for match in _MARKED.finditer(sql)]
    for mark in _MARK.finditer(sql):
        if any(start < mark.start() < end for start, end in strings):
            continue
        count = int(mark[1]) if mark[1] else count + 1
        parts += [sql[done : mark.start()], f"${count}"]
        done = mark.end()
    return "".join([*parts, sql[done:]])


def escaped(text: str) -> str:
    """Return a text without the character 0, from which `unescaped` makes it again."""
    if "\0" not in text and _ESCAPE not in text:
        return text
    return text.replace(_ESCAPE, _ITSELF).replace("\0", _ZERO)


def unescaped(text: str) -> str:
    """Return the text that `escaped` was given."""
    if _ESCAPE not in text:
        return text
    return text.replace(_ZERO, "\0").replace(_ITSELF, _ESCAPE)


class _Dumper(StrDumperUnknown):
    def dump(self, obj: str) -> Buffer | None:
        return super().dump(escaped(obj))


class _Loader(TextLoader):
    def load(self, data: Buffer) -> bytes | str:
        found = super().load(data)
        return unescaped(found) if isinstance(found, str) else found


class _BinaryLoader(TextBinaryLoader):
    def load(self, data: Buffer) -> bytes | str:
        found = super().load(data)
        return unescaped(found) if isinstance(found, str) else found


class Connection:
    """A connection that reads and writes as `index.database` has it."""

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self.raw = raw
        self.total_changes = 0
        self._streams = 0
        adapters = raw.adapters
        adapters.register_dumper(str, _Dumper)
        for name in ("text", "varchar", "name"):
            adapters.register_loader(name, _Loader)
            adapters.register_loader(name, _BinaryLoader)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is under way."""
        status = self.raw.info.transaction_status
        return status not in (
            psycopg.pq.TransactionStatus.IDLE,
            psycopg.pq.TransactionStatus.UNKNOWN,
        )

    @property
    def lost(self) -> bool:
        """Whether nothing can be asked any more."""
        return bool(self.raw.closed or self.raw.broken)

    @property
    def ended(self) -> bool:
        """Whether the server has ended it, while nothing was asked; it says so unasked."""
        if self.lost:
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(self.raw.fileno(), selectors.EVENT_READ)
            return bool(selector.select(0))

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> psycopg.Cursor[Any]:
        """Run one statement."""
        cursor = self._cursor(_rows)
        cursor.execute(_numbered(sql), parameters or None)
        self._count(sql, cursor)
        return cursor

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> psycopg.Cursor[Any]:
        """Run one statement for each of these."""
        cursor = self._cursor(_rows)
        cursor.executemany(_numbered(sql), parameters)
        self._count(sql, cursor)
        return cursor

    def tuples(self, sql: str, parameters: Sequence[Any], /) -> list[tuple[Any, ...]]:
        """Return the rows of a query, plain."""
        cursor = self._cursor(tuple_row)
        cursor.execute(_numbered(sql), parameters or None)
        return cursor.fetchall()

    def stream(self, sql: str, parameters: Sequence[Any], /) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query, plain, some at a time from the server."""
        self._streams += 1
        name = f"quoth_{self._streams}"
        with psycopg.RawServerCursor(self.raw, name, row_factory=tuple_row) as cursor:
            cursor.itersize = _BATCH
            cursor.execute(_numbered(sql), parameters or None, binary=True)
            yield from cursor

    def close(self) -> None:
        """End it."""
        self.raw.close()

    def _cursor(self, rows: Any) -> psycopg.RawCursor[Any]:  # noqa: ANN401
        cursor: psycopg.RawCursor[Any] = psycopg.RawCursor(self.raw, row_factory=rows)
        cursor.format = psycopg.pq.Format.BINARY
        return cursor

    def _count(self, sql: str, cursor: psycopg.Cursor[Any]) -> None:
        if sql.lstrip().upper().startswith(_CHANGES):
            self.total_changes += max(cursor.rowcount, 0)


def connect(address: str, *, application: str) -> Connection:
    """Connect to a database.

    Args:
        address: As libpq takes it; a password may come from PGPASSWORD or ~/.pgpass.
        application: What the server calls it.

    Raises:
        psycopg.Error: It is not there, or lets nobody in.
    """
    raw = psycopg.connect(
        address,
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        application_name=application,
        client_encoding="utf8",
        # Who has gone without a word is noticed within a minute.
        keepalives_idle=20,
        keepalives_interval=10,
        keepalives_count=3,
        tcp_user_timeout=60_000,
    )
    return Connection(raw)
