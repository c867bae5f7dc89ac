"""What tells that something stored is still what was written.

SQLite does not see a flipped bit in a text or a number. So each vector, each passage with its
sentences and each document carries a CRC-32, which is compared whenever it is used; a document
carries a SHA-256 over everything that belongs to it, for the check; and of the small tables,
and of which documents are alive, a digest is kept in `meta`: the seals. They are compared
before a transaction changes anything and renewed with the change, so that damage is never
sealed in. All of it finds damage, not intent.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Any

from index.database import Database, format_version, stream
from index.errors import LibraryDamagedError
from index.schema import upsert

__all__ = [
    "DOCUMENT",
    "EVERYTHING",
    "PASSAGE",
    "SENTENCE",
    "SINCE_FORMAT",
    "SMALL",
    "arrays_crc",
    "broken",
    "columns",
    "crc_of",
    "digest_of",
    "document_line",
    "passage_intact",
    "passage_line",
    "recorded",
    "renew",
    "seal_as_it_is",
    "seal_now",
    "sealed",
    "vector_crc",
    "vector_intact",
    "verify",
]

SINCE_FORMAT = 3

# What is sealed, in the order of the columns; these orders are part of the format.
DOCUMENT = (
    *("id", "source", "path", "title", "type", "date", "language", "text_hash", "characters"),
    *("sentences", "pages", "blank_pages", "warnings", "indexed_at", "pipeline", "born"),
)
PASSAGE = (
    *("id", "document", "first", "last", "start", "end", "page", "headings", "context", "vector"),
    *("terms", "term_count"),
)
SENTENCE = ("number", "passage", "start", "end", "kind", "context", "vector")

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_KEY = "seals"
_PUBLISHED = "WHERE born <= (SELECT max(number) FROM generations)"
# Which documents are alive changes only with a generation; all else with any transaction.
_QUERIES = {
    "meta": f"SELECT key, value FROM meta WHERE key <> '{_KEY}' ORDER BY key",
    "models": "SELECT * FROM models ORDER BY id",
    "generations": "SELECT * FROM generations ORDER BY number",
    "sources": "SELECT * FROM sources ORDER BY id",
    "files": "SELECT * FROM files ORDER BY source, path",
    "excluded": "SELECT * FROM excluded ORDER BY source, path",
    "failures": "SELECT * FROM failures ORDER BY source, path",
    "documents": f"SELECT id, born, died, crc FROM documents {_PUBLISHED} ORDER BY id",
}
EVERYTHING = frozenset(_QUERIES)
SMALL = EVERYTHING - {"documents"}
_NAMES = {
    "meta": "the list of derived files",
    "models": "the list of models",
    "generations": "the list of generations",
    "sources": "the list of sources",
    "files": "the list of files",
    "excluded": "the list of what was removed by hand",
    "failures": "the list of failures",
    "documents": "the list of documents",
}


def columns(names: Iterable[str], table: str = "") -> str:
    """Return names as SQL takes them, of `table` where it is given."""
    return ", ".join(f'{table}."{name}"' if table else f'"{name}"' for name in names)


def sealed(db: Database) -> bool:
    """Return whether the library's format has all this; an older one that is only read has not."""
    return format_version(db) >= SINCE_FORMAT


def crc_of(line: bytes) -> int:
    """Return the CRC-32 of a line."""
    return zlib.crc32(line)


def vector_crc(number: int, model: int, key: bytes, vector: bytes) -> int:
    """Return the CRC-32 of a vector with its key, begun with its number and model."""
    return zlib.crc32(vector, zlib.crc32(key, (number * 31 + model) & 0xFFFFFFFF))


def vector_intact(number: int, model: int, key: object, vector: object, crc: object) -> bool:
    """Return whether a vector is what was stored."""
    if not (isinstance(key, bytes) and isinstance(vector, bytes) and isinstance(model, int)):
        return False
    return vector_crc(number, model, key, vector) == crc


def passage_line(passage: Sequence[object], sentences: Sequence[Sequence[object]]) -> bytes:
    """Return a passage (columns `PASSAGE`) and its sentences (`SENTENCE`) as bytes.

    Raises:
        TypeError: A value is of no kind that was ever stored.
    """
    return _line([*passage, sentences])


def passage_intact(
    passage: Sequence[object], sentences: Sequence[Sequence[object]], crc: object
) -> bool:
    """Return whether a passage and its sentences are what was stored."""
    try:
        return crc_of(passage_line(passage, sentences)) == crc
    except TypeError:
        return False


def document_line(row: Sequence[object], arrays: object) -> bytes:
    """Return a document's row (columns `DOCUMENT`) and its `arrays` as bytes.

    Raises:
        TypeError: A value is of no kind that was ever stored.
    """
    return _line((*row, arrays))


def arrays_crc(passages: bytes, sentences: bytes) -> int:
    """Return the CRC-32 of what a snapshot takes of a document.

    Args:
        passages: Number, vector and count of terms of each passage, as little-endian int64.
        sentences: Passage and vector of each sentence, likewise.
    """
    return zlib.crc32(sentences, zlib.crc32(passages))


def digest_of(row: bytes, content: bytes, passages: Iterable[bytes]) -> bytes:
    """Return the SHA-256 of a document: its line, its content, the lines of its passages."""
    digest = hashlib.sha256(row)
    digest.update(content)
    for passage in passages:
        digest.update(passage)
    return digest.digest()


def _line(values: Sequence[object]) -> bytes:
    return _encode(values).encode("ascii")


def _seal_of(db: Database, table: str) -> str:
    """Return the SHA-256 of a table as it is now.

    Raises:
        TypeError: A value is of no kind that was ever stored.
    """
    digest = hashlib.sha256()
    rows = stream(db, _QUERIES[table])
    while some := list(islice(rows, 2000)):
        digest.update(_line(some))
    return digest.hexdigest()


def recorded(db: Database) -> dict[str, str]:
    """Return the seals as they are recorded.

    Raises:
        LibraryDamagedError: They are missing or damaged themselves.
    """
    row = db.execute("SELECT value FROM meta WHERE key = ?", (_KEY,)).fetchone()
    try:
        seals: dict[str, Any] = json.loads(row[0])
        if seals.pop("self") == _own(seals):
            return seals
    except (TypeError, ValueError, KeyError, AttributeError):
        pass
    raise LibraryDamagedError("the list of seals")


def broken(db: Database, tables: Collection[str]) -> list[str]:
    """Return those of `tables` that are not as they were sealed.

    Raises:
        LibraryDamagedError: The seals themselves are damaged.
    """
    seals = recorded(db)
    return [table for table in sorted(tables) if seals.get(table) != seal_now(db, table)]


def verify(db: Database, tables: Collection[str]) -> None:
    """Compare tables with their seals; an older format has none.

    Raises:
        LibraryDamagedError: One differs.
    """
    if tables and sealed(db) and (found := broken(db, tables)):
        raise LibraryDamagedError(_NAMES[found[0]])


def renew(db: Database, tables: Collection[str]) -> None:
    """Seal tables as they are now, in the transaction that changed them."""
    if not tables or not sealed(db):
        return
    seals = {} if set(tables) == EVERYTHING else recorded(db)
    seals.update((table, _seal_of(db, table)) for table in tables)
    _record(db, seals)


def seal_as_it_is(db: Database) -> None:
    """Seal all tables where nothing says what they were; one that cannot be is found damaged."""
    if sealed(db):
        seals = {table: seal_now(db, table) for table in EVERYTHING}
        _record(db, {table: seal for table, seal in seals.items() if seal})


def _record(db: Database, seals: dict[str, str]) -> None:
    value = json.dumps({**seals, "self": _own(seals)})
    db.execute(upsert("meta", ["key"], ["value"]), (_KEY, value))


def _own(seals: dict[str, str]) -> str:
    return hashlib.sha256(_line([sorted(seals.items())])).hexdigest()


def seal_now(db: Database, table: str) -> str:
    """Return the SHA-256 of a table as it is now; "" where a value was never stored by us."""
    try:
        return _seal_of(db, table)
    except TypeError:
        return ""  # what cannot be sealed is not what was
    except sqlite3.OperationalError as error:
        if hasattr(error, "sqlite_errorcode"):
            raise
        return ""  # Python's own: a text that is no Unicode
