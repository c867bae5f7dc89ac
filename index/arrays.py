"""Which passages and sentences are alive in a generation, as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from index.alive import living
from index.database import Database, stream
from index.errors import LibraryDamagedError
from index.seals import DOCUMENT, arrays_crc, columns, crc_of, document_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

__all__ = ["Arrays", "read_arrays"]


@dataclass(frozen=True, slots=True)
class Arrays:
    """Passages by number, and sentences by document and place in it.

    Attributes:
        passages: Numbers, ascending.
        documents: Of each passage.
        vectors: Of each passage, by number.
        lengths: Terms of each passage.
        places: Of each sentence the place of its passage in `passages`.
        sentence_vectors: Of each sentence, by number.
    """

    passages: Ints
    documents: Ints
    vectors: Ints
    lengths: Ints
    places: Ints
    sentence_vectors: Ints

    def without(self, documents: Ints) -> Arrays:
        """Return what is left when these documents are gone."""
        keep = ~np.isin(self.documents, documents)
        kept = keep[self.places]
        return Arrays(
            self.passages[keep],
            self.documents[keep],
            self.vectors[keep],
            self.lengths[keep],
            (np.cumsum(keep) - 1)[self.places[kept]],
            self.sentence_vectors[kept],
        )

    def followed_by(self, new: Arrays) -> Arrays:
        """Return these and what is newer; numbers only grow."""
        return Arrays(
            np.concatenate([self.passages, new.passages]),
            np.concatenate([self.documents, new.documents]),
            np.concatenate([self.vectors, new.vectors]),
            np.concatenate([self.lengths, new.lengths]),
            np.concatenate([self.places, new.places + len(self.passages)]),
            np.concatenate([self.sentence_vectors, new.sentence_vectors]),
        )


def read_arrays(db: Database, generation: int, after: int, *, checked: bool) -> Arrays:
    """Return what is alive in a generation of the documents that were born after another.

    Args:
        db: A connection that sees the generation.
        generation: Its number.
        after: Number of the other one; below 0 for all documents.
        checked: Whether the store has checksums to compare with.

    Raises:
        LibraryDamagedError: It is not what was stored.
        TypeError, ValueError, OverflowError: A value is no number.
    """
    wanted = f"{living} AND born > ?2 ORDER BY documents.id"
    # In this order, which is that of the numbers of all three, nothing has to be sorted.
    passages = stream(
        db,
        "SELECT passages.id, document, vector, term_count FROM documents"
        f" CROSS JOIN passages WHERE document = documents.id AND {wanted}, passages.id",
        (generation, after),
    )
    table = _integers(passages).reshape(-1, 4)
    numbers, documents, vectors, lengths = table.T
    sentences = stream(
        db,
        "SELECT passage, vector FROM documents"
        f" CROSS JOIN sentences WHERE document = documents.id AND {wanted}, number",
        (generation, after),
    )
    pairs = _integers(sentences).reshape(-1, 2)
    passage, sentence_vectors = pairs.T
    places = np.searchsorted(numbers, passage)
    if checked:
        # A sentence stands in the document of its passage; out of range it is damaged.
        within = np.minimum(places, max(len(table) - 1, 0))
        owners = documents[within] if len(table) else passage
        _check(
            db,
            (generation, after),
            _parts(documents, table[:, [0, 2, 3]]),
            _parts(owners, pairs),
        )
    return Arrays(numbers, documents, vectors, lengths, places, sentence_vectors)


def _check(
    db: Database,
    generations: tuple[int, int],
    passages: dict[int, bytes],
    sentences: dict[int, bytes],
) -> None:
    """Compare the entry of each document, and what was taken of it, with their checksums."""
    for *row, arrays, crc in stream(
        db,
        f"SELECT {columns(DOCUMENT)}, arrays, crc FROM documents WHERE {living} AND born > ?2",
        generations,
    ):
        number, path = row[0], row[2]
        try:
            intact = crc == crc_of(document_line(row, arrays))
        except TypeError:
            intact = False
        if not intact:
            raise LibraryDamagedError(f"the entry of document {number}", number)
        if arrays != arrays_crc(passages.get(number, b""), sentences.get(number, b"")):
            what = f"the list of passages and sentences of {path} (document {number})"
            raise LibraryDamagedError(what, number)


def _parts(documents: Ints, table: Ints) -> dict[int, bytes]:
    """Return the rows of each document, which stand together, as little-endian int64."""
    table = np.ascontiguousarray(table, "<i8")
    starts = [0, *(np.flatnonzero(np.diff(documents)) + 1).tolist()]
    ends = [*starts[1:], len(documents)]
    return {
        int(documents[start]): table[start:end].tobytes()
        for start, end in zip(starts, ends, strict=True)
        if start < end
    }


def _integers(rows: Iterable[tuple[int, ...]]) -> Ints:
    """Return all values of rows, one after the other; there may be millions of rows."""
    return np.fromiter(chain.from_iterable(rows), np.int64)
