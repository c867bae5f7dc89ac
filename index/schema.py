"""The tables of a library, and the named steps from older formats to this one."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence

__all__ = [
    "APPLICATION_ID",
    "FORMAT_VERSION",
    "MIGRATIONS",
    "OLDEST_READABLE",
    "POSTGRES_MIGRATIONS",
    "statements",
    "upsert",
]

APPLICATION_ID = 0x51754F74  # "QuOt": tells a library from any other SQLite file
FORMAT_VERSION = 3
OLDEST_READABLE = 1  # where nothing is written: readers do without what came later

# Only documents carry generations; what belongs to a document lives and dies with it.
# AUTOINCREMENT: a number that was used once is never used again, also after compaction.
# REFERENCES only where an index finds the referring rows: without one, SQLite reads the whole
# referring table for every row that is deleted.
_CREATE = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE models(
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,  -- what load_encoder() takes
    dim INTEGER NOT NULL
);
CREATE TABLE generations(
    number INTEGER PRIMARY KEY,
    model INTEGER REFERENCES models,
    published_at TEXT NOT NULL
);
CREATE TABLE sources(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    location TEXT NOT NULL,  -- absolute; relative inside the library folder for uploads
    synced_ns INTEGER NOT NULL DEFAULT 0,
    UNIQUE(kind, location)
);
CREATE TABLE files(  -- how each file looked when it was last read, and what came of it
    source INTEGER NOT NULL REFERENCES sources,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    hash TEXT NOT NULL,
    document INTEGER NOT NULL,
    PRIMARY KEY(source, path)
) WITHOUT ROWID;
CREATE TABLE excluded(  -- removed by hand from a folder that still has the file
    source INTEGER NOT NULL REFERENCES sources,
    path TEXT NOT NULL,
    PRIMARY KEY(source, path)
) WITHOUT ROWID;
CREATE TABLE documents(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source INTEGER NOT NULL REFERENCES sources,
    path TEXT NOT NULL,
    title TEXT NOT NULL,
    type TEXT NOT NULL,
    date TEXT,
    language TEXT,
    text_hash TEXT NOT NULL,
    characters INTEGER NOT NULL,
    sentences INTEGER NOT NULL,
    pages INTEGER NOT NULL,
    blank_pages TEXT NOT NULL,
    warnings TEXT NOT NULL,
    indexed_at TEXT NOT NULL,
    pipeline TEXT NOT NULL,  -- versions of what made sentences and passages of the text
    content BLOB NOT NULL,  -- text, blocks and pages, see index.content
    born INTEGER NOT NULL,
    died INTEGER
);
CREATE INDEX documents_by_path ON documents(source, path);
CREATE TABLE passages(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    page INTEGER,
    headings TEXT NOT NULL,
    context TEXT NOT NULL,
    vector INTEGER NOT NULL,  -- in vectors
    terms TEXT NOT NULL,
    term_count INTEGER NOT NULL
);
CREATE INDEX passages_by_document ON passages(document);
CREATE TABLE sentences(
    document INTEGER NOT NULL REFERENCES documents,
    number INTEGER NOT NULL,
    passage INTEGER NOT NULL,  -- in passages
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    kind TEXT NOT NULL,
    context TEXT NOT NULL,
    vector INTEGER NOT NULL,  -- in vectors
    PRIMARY KEY(document, number)
) WITHOUT ROWID;
CREATE TABLE vectors(  -- half precision; staged before anything that uses them
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    model INTEGER NOT NULL REFERENCES models,
    key BLOB NOT NULL,  -- BLAKE2b of the exact string that was encoded
    vector BLOB NOT NULL,
    UNIQUE(model, key)
);
INSERT INTO generations VALUES(0, NULL, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'));
"""

_FAILURES = """
CREATE TABLE failures(  -- files that the last sync of their source could not take in
    source INTEGER NOT NULL REFERENCES sources,
    path TEXT NOT NULL,
    reason TEXT NOT NULL,
    hash TEXT NOT NULL,  -- of the content; empty where it could not be read
    kept INTEGER NOT NULL,  -- whether an older version still answers
    since TEXT NOT NULL,
    dismissed INTEGER NOT NULL,  -- waved away, until another file or another reason comes
    PRIMARY KEY(source, path)
) WITHOUT ROWID;
"""

# Checks of what is stored, see index.seals. The content goes to the end of its row: what stands
# behind it is found only by reading through it.
_SEALS = """
ALTER TABLE vectors ADD COLUMN crc INTEGER;
ALTER TABLE passages ADD COLUMN crc INTEGER;
CREATE TABLE documents_3(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source INTEGER NOT NULL REFERENCES sources,
    path TEXT NOT NULL,
    title TEXT NOT NULL,
    type TEXT NOT NULL,
    date TEXT,
    language TEXT,
    text_hash TEXT NOT NULL,
    characters INTEGER NOT NULL,
    sentences INTEGER NOT NULL,
    pages INTEGER NOT NULL,
    blank_pages TEXT NOT NULL,
    warnings TEXT NOT NULL,
    indexed_at TEXT NOT NULL,
    pipeline TEXT NOT NULL,  -- versions of what made sentences and passages of the text
    born INTEGER NOT NULL,
    died INTEGER,
    arrays INTEGER NOT NULL,  -- CRC-32 of what a snapshot takes of its passages and sentences
    crc INTEGER NOT NULL,  -- of this row but `died`, `digest` and `content`
    digest BLOB NOT NULL,  -- SHA-256 of this row, its content, its passages and sentences
    content BLOB NOT NULL  -- text, blocks and pages, see index.content
);
INSERT INTO documents_3 SELECT id, source, path, title, type, date, language, text_hash,
    characters, sentences, pages, blank_pages, warnings, indexed_at, pipeline, born, died,
    0, 0, x'', content FROM documents ORDER BY id;
DELETE FROM sqlite_sequence WHERE name = 'documents_3';
INSERT INTO sqlite_sequence SELECT 'documents_3', seq FROM sqlite_sequence
    WHERE name = 'documents';
DROP TABLE documents;
ALTER TABLE documents_3 RENAME TO documents;
CREATE INDEX documents_by_path ON documents(source, path);
"""

# (version reached, SQL); applied in order, each in one transaction.
MIGRATIONS: tuple[tuple[int, str], ...] = ((1, _CREATE), (2, _FAILURES), (3, _SEALS))


def _for_postgres(script: str) -> str:
    """Return a script as PostgreSQL takes it: its types, and texts in the order of their bytes."""
    for pattern, other in (
        (
            r"INTEGER PRIMARY KEY( AUTOINCREMENT)?",
            "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
        ),
        (r"\bINTEGER\b", "BIGINT"),
        (r"\bBLOB\b", "BYTEA"),
        (r"\bTEXT\b", 'TEXT COLLATE "C"'),
        (r"\) WITHOUT ROWID;", ");"),
        (r"(?s)DELETE FROM sqlite_sequence.*?;|INSERT INTO sqlite_sequence.*?;", ""),
        (
            r"strftime\('%Y-%m-%dT%H:%M:%SZ', 'now'\)",
            """to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')""",
        ),
        (r"x''", "''::bytea"),
        # What referred to a table that is replaced refers to the new one.
        (r"DROP TABLE documents;", "DROP TABLE documents CASCADE;"),
        (
            r"RENAME TO documents;",
            "RENAME TO documents;\n"
            "ALTER TABLE passages ADD FOREIGN KEY(document) REFERENCES documents;\n"
            "ALTER TABLE sentences ADD FOREIGN KEY(document) REFERENCES documents;",
        ),
    ):
        script = re.sub(pattern, other, script)
    return script


# The same steps: a library in PostgreSQL goes through all that its tables have been.
POSTGRES_MIGRATIONS = tuple((version, _for_postgres(script)) for version, script in MIGRATIONS)


def statements(script: str) -> Iterator[str]:
    """Yield the statements of `script`; executescript() would end the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def upsert(table: str, key: Sequence[str], others: Sequence[str]) -> str:
    """Return the statement that stores a row, in place of the one that has its key.

    Args:
        table: Its name.
        key: The columns that no two rows share, which come first.
        others: All other columns, in order.
    """
    marks = ", ".join("?" * (len(key) + len(others)))
    changed = ", ".join(f"{name} = excluded.{name}" for name in others)
    return (
        f"INSERT INTO {table}({', '.join((*key, *others))}) VALUES({marks})"
        f" ON CONFLICT({', '.join(key)}) DO UPDATE SET {changed}"
    )
