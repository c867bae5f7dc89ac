"""The database of a library: whether SQLite, its tables and its generations hold together."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import islice

from index.alive import living, model_of
from index.database import Database
from index.errors import LibraryDamagedError
from index.schema import MIGRATIONS, statements
from index.seals import EVERYTHING, SMALL, broken
from index.store import FILE
from index.types import Encoder
from index.upkeep.findings import REPAIR, RESTORE, Finding

__all__ = ["counts", "generations", "only_indexes", "readable", "seals", "structure"]

# What SQLite says of an index that its table can be made to match again.
_OF_AN_INDEX = re.compile(
    r"row \d+ missing from index|wrong # of entries in index|non-unique entry in index"
    r"|\*\*\* in database main \*\*\*"
)
_TABLES = {
    "meta": ("The list of derived files is damaged.", REPAIR),
    "files": ("The list of files is damaged.", f"{REPAIR} The next sync compares every file."),
    "failures": (
        "The list of files that could not be read is damaged.",
        f"{REPAIR} The next sync makes it anew.",
    ),
    "excluded": (
        "The list of what was removed by hand is damaged.",
        f"{REPAIR} What was removed by hand may come back with the next sync.",
    ),
    "sources": (
        "The list of sources is damaged.",
        f"{REPAIR} That helps where all of them are still found; if not, restore a backup.",
    ),
    "documents": (
        "The list of which documents are alive is damaged.",
        f"{REPAIR} That helps where the list of files tells it; if not, restore a backup.",
    ),
    "models": ("The list of models is damaged.", RESTORE),
    "generations": ("The list of generations is damaged.", RESTORE),
}
REPAIRABLE = frozenset(_TABLES) - {"models", "generations"}


def structure(db: Database, version: int) -> Iterator[Finding]:
    """Yield what SQLite itself finds, and where the tables are not those of the format."""
    db.execute("PRAGMA cell_size_check = ON")
    said = [str(row[0]) for row in db.execute("PRAGMA integrity_check(20)")]
    if said != ["ok"]:
        repairable = only_indexes(said)
        yield Finding(
            kind="database",
            where=FILE,
            message=f"{FILE} is damaged: {_first(said)}.",
            advice=REPAIR if repairable else RESTORE,
            repairable=repairable,
        )
    if _schema(db) != _expected(version):
        yield Finding(
            kind="database",
            where=FILE,
            message=f"The tables of {FILE} are not those of library format {version}.",
            advice=RESTORE,
        )
    for table, _, parent, _ in islice(db.execute("PRAGMA foreign_key_check"), 1):
        yield Finding(
            kind="database",
            where=table,
            message=f"A row of {table} points at something that {parent} does not have.",
            advice=RESTORE,
        )


def only_indexes(said: list[str]) -> bool:
    """Return whether SQLite complains of nothing but indexes, which can be made again."""
    lines = [line for message in said for line in message.splitlines() if line.strip()]
    return all(_OF_AN_INDEX.search(line) for line in lines)


def _first(said: list[str]) -> str:
    """Return the first complaint, on one line."""
    lines = [line for message in said for line in message.splitlines()]
    told = next((line for line in lines if not line.startswith("***")), "it cannot be read")
    return told.strip()[:120]


def _schema(db: Database) -> set[tuple[str, ...]]:
    rows = db.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%'"
        " ESCAPE '\\'"
    )
    return {(str(row[0]), str(row[1]), str(row[2]), _plain(str(row[3]))) for row in rows}


def _plain(sql: str) -> str:
    """Return a statement without comments and in one spelling of its spaces."""
    return " ".join(re.sub(r"--[^\n]*", "", sql).split())


def _expected(version: int) -> set[tuple[str, ...]]:
    with closing(sqlite3.connect(":memory:")) as db:
        for reached, script in MIGRATIONS:
            if reached <= version:
                for statement in statements(script):
                    db.execute(statement)
        return _schema(db)


def generations(db: Database, number: int, encoder: Encoder | None) -> Iterator[Finding]:
    """Yield what is wrong with the published state and its model."""
    model = model_of(db, number)
    (documents,) = db.execute(
        f"SELECT count(*) FROM documents WHERE {living}", (number,)
    ).fetchone()
    if model is None and documents:
        yield Finding(
            kind="generation",
            where=FILE,
            message=f"Generation {number} has documents, but the model that made it is missing.",
            advice=RESTORE,
        )
    if model is not None and encoder is not None and model["fingerprint"] != encoder.fingerprint:
        yield Finding(
            kind="generation",
            where=FILE,
            message=f"The library was built with the model {model['name']}, not {encoder.name}.",
            advice="Use that model, or embed everything again with `quoth rebuild --model`.",
        )
    (odd,) = db.execute("SELECT count(*) FROM documents WHERE died < born").fetchone()
    if odd:
        yield Finding(
            kind="generation",
            where=FILE,
            message=f"{odd} documents were replaced before they were there.",
            advice=RESTORE,
        )


def seals(db: Database) -> Iterator[Finding]:
    """Yield the small tables that are not as they were sealed."""
    try:
        found = broken(db, EVERYTHING)
    except LibraryDamagedError:
        yield Finding(
            kind="table",
            where="seals",
            message="The checksums of the small tables are damaged themselves.",
            advice=REPAIR,
            repairable=True,
        )
        return
    for table in found:
        message, advice = _TABLES[table]
        yield Finding(
            kind="table",
            where=table,
            message=message,
            advice=advice,
            repairable=table in REPAIRABLE,
        )


def readable(db: Database) -> Iterator[Finding]:
    """Yield the small tables of an older format that cannot be read at all."""
    there = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table in sorted(SMALL & there):
        try:
            for _ in db.execute(f"SELECT * FROM {table}"):
                pass
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            yield Finding(kind="table", where=table, message=_TABLES[table][0], advice=RESTORE)


def counts(db: Database, number: int) -> dict[str, int]:
    """Return how many of each there are; documents are those alive. What cannot be read is 0."""
    found = {}
    for table in ("documents", "passages", "sentences", "vectors"):
        query = f"SELECT count(*) FROM {table}"
        if table == "documents":
            query += f" WHERE {living}".replace("?1", str(number))
        try:
            found[table] = int(db.execute(query).fetchone()[0])
        except sqlite3.DatabaseError:
            found[table] = 0
    return found
