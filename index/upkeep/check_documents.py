"""Documents and vectors, each compared with what was recorded of it when it was written."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from index.alive import living
from index.catalogue import Catalogue
from index.content import decode_content, text_hash
from index.database import Database
from index.files import sha256
from index.sealing import Whole, read_whole, vectors_in_order
from index.seals import (
    DOCUMENT,
    PASSAGE,
    SENTENCE,
    SINCE_FORMAT,
    crc_of,
    document_line,
    vector_intact,
)
from index.types import Document
from index.upkeep.findings import REPAIR, Finding

__all__ = [
    "Damage",
    "damage_of",
    "damaged_vectors",
    "documents",
    "file_of",
    "missing_vectors",
    "users",
    "vectors",
]

_UNREADABLE = (sqlite3.DatabaseError, TypeError, ValueError, OverflowError, AttributeError)
_PATH, _HASH = DOCUMENT.index("path"), DOCUMENT.index("text_hash")


@dataclass(frozen=True, slots=True)
class Damage:
    """What of a document is not what was stored.

    Attributes:
        entry: Its row: path, title, date and the like.
        rows: Its passages and sentences.
        content: Its text, blocks and pages; they cannot be read.
        document: What is stored of it, where it can be read.
    """

    entry: bool = False
    rows: bool = False
    content: bool = False
    document: Document | None = None

    @property
    def any(self) -> bool:
        """Whether there is any."""
        return self.entry or self.rows or self.content

    def __str__(self) -> str:
        parts = [("text", self.content), ("entry", self.entry), ("sentences", self.rows)]
        named = [name for name, damaged in parts if damaged]
        return " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def damage_of(db: Database, number: int, version: int) -> Damage:
    """Compare a document, which is there, with what was recorded of it.

    Args:
        db: A connection that reads.
        number: The document.
        version: Format of the library.
    """
    try:
        whole = read_whole(db, number)
    except _UNREADABLE:
        return _piecemeal(db, number)
    document = _decoded(whole.content)
    sound = document is not None and text_hash(document.text) == whole.row[_HASH]
    if version < SINCE_FORMAT:
        return Damage(content=not sound, rows=not _sane(whole, document), document=document)
    (arrays, crc, digest) = db.execute(
        "SELECT arrays, crc, digest FROM documents WHERE id = ?", (number,)
    ).fetchone()
    try:
        checks = whole.checks()
    except _UNREADABLE:
        return _piecemeal(db, number)
    recorded = [
        row[0]
        for row in db.execute("SELECT crc FROM passages WHERE document = ? ORDER BY id", (number,))
    ]
    rows = checks.arrays != arrays or list(checks.passages) != recorded or bool(whole.stray)
    entry = checks.crc != crc if checks.arrays == arrays else not _entry_intact(whole, arrays, crc)
    # Where the entry is damaged, so may be the hash in it: then zlib's own sum decides.
    content = document is None or not (sound or entry)
    if not (rows or entry or content):
        entry = checks.digest != digest
        rows = not _sane(whole, document)
    return Damage(entry=entry, rows=rows, content=content, document=document)


def _entry_intact(whole: Whole, arrays: object, crc: object) -> bool:
    try:
        return crc_of(document_line(whole.row, arrays)) == crc
    except TypeError:
        return False


def _piecemeal(db: Database, number: int) -> Damage:
    """Tell what can be read of a document that cannot be read as a whole."""
    document = None
    with suppress(*_UNREADABLE):
        row = db.execute("SELECT content FROM documents WHERE id = ?", (number,)).fetchone()
        document = _decoded(row[0])
    return Damage(entry=True, rows=True, content=document is None, document=document)


def _decoded(content: object) -> Document | None:
    try:
        return decode_content(content)  # type: ignore[arg-type]  # damaged it may be anything
    except (zlib.error, KeyError, MemoryError, *_UNREADABLE):
        return None


def _sane(whole: Whole, document: Document | None) -> bool:
    """Return whether every place lies within the text, and the counts are right."""
    if document is None:
        return True  # nothing to compare with
    start, end = PASSAGE.index("start"), PASSAGE.index("end")
    length = len(document.text)
    spans = [(p[start], p[end]) for p in whole.passages]
    start, end = SENTENCE.index("start"), SENTENCE.index("end")
    spans += [(s[start], s[end]) for some in whole.sentences for s in some]
    counted = (
        whole.row[DOCUMENT.index("characters")],
        whole.row[DOCUMENT.index("sentences")],
    )
    found = (length, sum(len(some) for some in whole.sentences))
    return counted == found and all(
        isinstance(a, int) and isinstance(b, int) and 0 <= a < b <= length for a, b in spans
    )


def documents(db: Database, library: Path, number: int, version: int) -> Iterator[Finding]:
    """Yield the documents that are not what was stored."""
    bases: Mapping[int, Path] = {}
    with suppress(*_UNREADABLE):
        bases = Catalogue(library, db).bases()
    alive = {row[0] for row in db.execute(f"SELECT id FROM documents WHERE {living}", (number,))}
    for (document,) in db.execute("SELECT id FROM documents ORDER BY id").fetchall():
        damage = damage_of(db, document, version)
        if damage.any:
            yield _finding(db, document, damage, bases, alive=document in alive)


def _finding(
    db: Database,
    number: int,
    damage: Damage,
    bases: Mapping[int, Path],
    *,
    alive: bool,
) -> Finding:
    path = path_of(db, number)
    repairable, advice = True, REPAIR
    message = f"{path} (document {number}) is damaged in the library: its {damage}."
    if not alive:
        message = f"An older version of {path} (document {number}) is damaged: its {damage}."
        advice = f"{REPAIR} That takes the older version away, as `quoth compact` does."
    elif damage.content:
        file, recorded = file_of(db, number, bases)
        if file is None or not file.is_file():
            repairable = False
            advice = (
                f"Restore the library from a backup, or take it out with `quoth remove {number}`; "
                "the file that it was read from is gone."
            )
        elif _hash(file) != recorded:
            repairable = False
            advice = f"Sync its folder again: {file} has another content now and is read anew."
        else:
            advice = f"{REPAIR} That reads {file} again."
    return Finding(
        kind="document",
        where=path,
        message=message,
        advice=advice,
        repairable=repairable,
        document=number,
    )


def path_of(db: Database, number: int) -> str:
    """Return a document's path as far as it can be read."""
    with suppress(*_UNREADABLE):
        row = db.execute("SELECT path FROM documents WHERE id = ?", (number,)).fetchone()
        if row is not None and isinstance(row[0], str):
            return row[0]
    return f"document {number}"


def file_of(db: Database, number: int, bases: Mapping[int, Path]) -> tuple[Path | None, str]:
    """Return the file that a document was read from and the hash that it had then."""
    with suppress(*_UNREADABLE):
        row = db.execute(
            "SELECT source, path, hash FROM files WHERE document = ?", (number,)
        ).fetchone()
        if row is not None and row[0] in bases:
            return bases[row[0]] / row[1], str(row[2])
    return None, ""


def _hash(file: Path) -> str:
    try:
        return sha256(file)
    except OSError:
        return ""


def damaged_vectors(db: Database) -> list[int]:
    """Return the numbers of the vectors that are not what was stored."""
    return [
        number
        for number, model, key, vector, crc in vectors_in_order(db)
        if not vector_intact(number, model, key, vector, crc)
    ]


def missing_vectors(db: Database) -> list[int]:
    """Return the numbers of vectors that a sentence or passage has, and that are not there."""
    rows = db.execute(
        "SELECT vector FROM sentences UNION SELECT vector FROM passages EXCEPT"
        " SELECT id FROM vectors"
    )
    return [row[0] for row in rows]


def users(db: Database, numbers: Iterable[int]) -> dict[int, int]:
    """Return for vectors by number a document that uses them; those that none uses are not in."""
    wanted = set(numbers)
    found: dict[int, int] = {}
    for table in ("sentences", "passages"):
        for document, vector in db.execute(f"SELECT document, vector FROM {table}"):
            if vector in wanted:
                found[vector] = document
    return found


def vectors(db: Database) -> Iterator[Finding]:
    """Yield the vectors that are damaged or missing."""
    damaged, missing = damaged_vectors(db), missing_vectors(db)
    owners = users(db, [*damaged, *missing]) if damaged or missing else {}
    for number in [*damaged, *missing]:
        owner = owners.get(number)
        where = "" if owner is None else f" of {path_of(db, owner)} (document {owner})"
        yield Finding(
            kind="vector",
            where=f"vector {number}" if owner is None else path_of(db, owner),
            message=f"Vector {number}{where or ', which nothing uses,'} is "
            f"{'damaged' if number in damaged else 'missing'}.",
            advice=f"{REPAIR} That embeds its sentence again.",
            repairable=True,
            document=owner,
            number=number,
        )
