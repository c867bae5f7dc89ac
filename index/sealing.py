"""Documents and vectors as they are stored, read whole: to be sealed, or compared."""

from __future__ import annotations

import logging
import sqlite3
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from index.database import Database, stream, tuples
from index.seals import (
    DOCUMENT,
    PASSAGE,
    SENTENCE,
    arrays_crc,
    columns,
    crc_of,
    digest_of,
    document_line,
    passage_line,
    seal_as_it_is,
    vector_crc,
)

__all__ = ["Checks", "Whole", "read_whole", "seal_all", "seal_document", "vectors_in_order"]

logger = logging.getLogger(f"quoth.{__name__}")

Row = tuple[object, ...]


class Checks(NamedTuple):
    """What is recorded about a document and its passages, see `index.schema`."""

    arrays: int
    crc: int
    digest: bytes
    passages: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """All that belongs to one document.

    Attributes:
        row: Columns `DOCUMENT`.
        passages: Columns `PASSAGE`, by number.
        sentences: Columns `SENTENCE`, by number, for each passage.
        content: As stored.
        stray: Sentences that stand in no passage.
    """

    row: Row
    passages: Sequence[Row]
    sentences: Sequence[Sequence[Row]]
    content: bytes
    stray: int = 0

    def lines(self) -> list[bytes]:
        """Return each passage with its sentences as bytes, see `passage_line`."""
        return [passage_line(p, s) for p, s in zip(self.passages, self.sentences, strict=True)]

    def arrays(self) -> int:
        """Return the CRC-32 of what a snapshot takes.

        Raises:
            TypeError, ValueError, OverflowError: A value is no number.
        """
        vector, count = PASSAGE.index("vector"), PASSAGE.index("term_count")
        passages = [(p[0], p[vector], p[count]) for p in self.passages]
        number, vector = SENTENCE.index("passage"), SENTENCE.index("vector")
        sentences = [(s[number], s[vector]) for some in self.sentences for s in some]
        return arrays_crc(_int64(passages), _int64(sentences))

    def checks(self) -> Checks:
        """Return what is recorded about it.

        Raises:
            TypeError, ValueError, OverflowError: A value is of no kind that was ever stored.
        """
        arrays, lines = self.arrays(), self.lines()
        line = document_line(self.row, arrays)
        digest = digest_of(line, self.content, lines)
        return Checks(arrays, crc_of(line), digest, tuple(crc_of(line) for line in lines))


def _int64(rows: Sequence[tuple[object, ...]]) -> bytes:
    return np.array(rows, "<i8").tobytes()


def read_whole(db: Database, number: int) -> Whole:
    """Return the document with this number, which is there.

    Raises:
        sqlite3.DatabaseError: Something of it cannot be read at all.
    """
    *row, content = db.execute(
        f"SELECT {columns(DOCUMENT)}, content FROM documents WHERE id = ?", (number,)
    ).fetchone()
    passages = list(
        tuples(
            db, f"SELECT {columns(PASSAGE)} FROM passages WHERE document = ? ORDER BY id", (number,)
        )
    )
    sentences = list(
        tuples(
            db,
            f"SELECT {columns(SENTENCE)} FROM sentences WHERE document = ? ORDER BY number",
            (number,),
        )
    )
    first, last = PASSAGE.index("first"), PASSAGE.index("last")
    numbers = [sentence[0] for sentence in sentences]
    grouped = tuple(
        tuple(sentences[_place(numbers, p[first]) : _place(numbers, p[last])]) for p in passages
    )
    stray = len(sentences) - sum(len(some) for some in grouped)
    return Whole(tuple(row), tuple(passages), grouped, content, stray)


def _place(numbers: list[int], number: object) -> int:
    # A value that is no number was never stored: no sentence stands there.
    return bisect_left(numbers, number) if isinstance(number, int) else 0


def vectors_in_order(db: Database) -> Iterator[tuple[int, int, object, object, object]]:
    """Yield number, model, key, vector and CRC of every vector, by number; damaged ones too."""
    names: tuple[str, ...] = ("key", "vector")
    if isinstance(db, sqlite3.Connection):
        # As text, which it never was, it could not be read at all.
        names = tuple(f"iif(typeof({name}) = 'blob', {name}, NULL)" for name in names)
    yield from stream(db, f"SELECT id, model, {', '.join(names)}, crc FROM vectors ORDER BY id")


def seal_document(db: Database, number: int) -> None:
    """Record the checks of a document as it is now stored."""
    whole = read_whole(db, number)
    checks = whole.checks()
    db.executemany(
        "UPDATE passages SET crc = ? WHERE id = ?",
        [(crc, p[0]) for crc, p in zip(checks.passages, whole.passages, strict=True)],
    )
    db.execute(
        "UPDATE documents SET arrays = ?, crc = ?, digest = ? WHERE id = ?", (*checks[:3], number)
    )


def seal_all(db: Database) -> None:
    """Record the checks of everything: the step to format 3."""
    # Not by one open cursor: rows that are read and written at once may come twice.
    last = 0
    while some := db.execute(
        "SELECT id, model, key, vector FROM vectors WHERE id > ? ORDER BY id LIMIT 2000", (last,)
    ).fetchall():
        last = some[-1][0]
        db.executemany(
            "UPDATE vectors SET crc = ? WHERE id = ?", [(vector_crc(*row), row[0]) for row in some]
        )
    for (number,) in db.execute("SELECT id FROM documents ORDER BY id").fetchall():
        try:
            seal_document(db, number)
        except (TypeError, ValueError, OverflowError, sqlite3.OperationalError) as error:
            if hasattr(error, "sqlite_errorcode"):
                raise
            # No such values were ever stored; unsealed it is found to be damaged.
            logger.warning("document %d is damaged and was not sealed", number)
    seal_as_it_is(db)
