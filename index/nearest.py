"""Which passages are nearest to a query: FAISS over all vectors of a generation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from index.vectors import RowSet, VectorIndex

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from index.arrays import Arrays

    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]
    Stored = Callable[[Ints], NDArray[np.float64]]

__all__ = ["FaissNearest", "Nearest"]


class Nearest(Protocol):
    """Proposes passages by their vectors; what it says stays, for many threads."""

    @property
    def count(self) -> int:
        """How many vectors of the model are kept, alive or not."""
        ...

    def search(self, query: NDArray[np.float32], k: int, keep: Mask | None, stored: Stored) -> Ints:
        """Return places of passages with about the `k` nearest sentences or nearest as a whole.

        Args:
            query: Shape (dim,).
            k: At least 1.
            keep: Which passages may be found; None stands for all.
            stored: Gives the very vectors by their numbers.
        """
        ...

    def read(self, numbers: Ints) -> NDArray[np.float32] | None:
        """Return the very vectors by their numbers, None where they are not held here."""
        ...

    def disturbed(self) -> bool:
        """Return whether somebody has written into a file that is mapped here."""
        ...


class FaissNearest:
    """The vectors of a generation with the sentences and passages that have them."""

    def __init__(self, vectors: VectorIndex, arrays: Arrays) -> None:
        self.vectors = vectors
        self._arrays = arrays
        self.sentence_rows = vectors.rows(arrays.sentence_vectors)
        self.passage_rows = vectors.rows(arrays.vectors)
        self._sentences_by_row = _Inverse(self.sentence_rows)
        self._passages_by_row = _Inverse(self.passage_rows)
        self._living = self._selected(np.ones(len(arrays.passages), bool))

    @property
    def count(self) -> int:
        """How many vectors of the model are kept, alive or not."""
        return len(self.vectors.ids)

    def search(self, query: NDArray[np.float32], k: int, keep: Mask | None, stored: Stored) -> Ints:
        """Return places of passages with the `k` nearest sentences or nearest as a whole."""
        of_sentences, of_passages = self._living if keep is None else self._selected(keep)
        rows = self.vectors.search(query, k, of_sentences, stored)
        by_sentence = self._arrays.places[self._sentences_by_row.owners(rows)]
        rows = self.vectors.search(query, k, of_passages, stored)
        by_passage = self._passages_by_row.owners(rows)
        return np.unique(np.concatenate([by_sentence, by_passage]))

    def read(self, numbers: Ints) -> NDArray[np.float32] | None:
        """Return the very vectors by their numbers, None where there are only codes of them."""
        return self.vectors.read(self.vectors.rows(numbers)) if self.vectors.exact else None

    def disturbed(self) -> bool:
        """Return whether somebody has written into a file that is mapped here."""
        return self.vectors.watched.changed()

    def _selected(self, keep: Mask) -> tuple[RowSet, RowSet]:
        sentences, passages = (np.zeros(len(self.vectors.ids), bool) for _ in range(2))
        sentences[self.sentence_rows[keep[self._arrays.places]]] = True
        passages[self.passage_rows[keep]] = True
        return RowSet(sentences), RowSet(passages)


class _Inverse:
    """From a vector's row to everything that has it."""

    def __init__(self, rows: Ints) -> None:
        self._order = np.argsort(rows, kind="stable")
        self._sorted = rows[self._order]

    def owners(self, rows: Ints) -> Ints:
        left = np.searchsorted(self._sorted, rows, side="left")
        right = np.searchsorted(self._sorted, rows, side="right")
        parts = [self._order[a:b] for a, b in zip(left, right, strict=True)]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)
