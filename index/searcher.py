"""One generation, searched: what is near, holds which words, and stands where."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from index.address import Address
from index.database import Database, tuples
from index.errors import LibraryDamagedError
from index.reports import Source, Status
from index.seals import PASSAGE, SENTENCE, columns, passage_intact
from index.snapshots import Snapshot
from index.types import Document, DocumentInfo, Filter
from index.vectors import read_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

__all__ = ["PassageRow", "Searcher", "SentenceRow"]


# Hundreds of them are made for a question: tuples take half the time of data classes.
class SentenceRow(NamedTuple):
    """A stored sentence: where it is, what kind of block it is in, and its vector's number."""

    start: int
    end: int
    kind: str
    context: str
    vector: int


class PassageRow(NamedTuple):
    """A stored passage with its sentences, terms (with repeats) and its vector's number."""

    id: int
    document: int
    start: int
    end: int
    page: int | None
    headings: tuple[str, ...]
    context: str
    vector: int
    terms: tuple[str, ...]
    sentences: tuple[SentenceRow, ...]


class Searcher:
    """A snapshot with a connection that sees the same state, for one question."""

    def __init__(self, snapshot: Snapshot, db: Database) -> None:
        self._snapshot = snapshot
        self._db = db
        self._frequencies: dict[str, int] = {}

    @property
    def generation(self) -> int:
        """The published state that is searched."""
        return self._snapshot.generation

    @property
    def state(self) -> tuple[int, int]:
        """What is searched and how often it was compacted: whatever was read stays while equal."""
        return self._snapshot.key

    @property
    def documents(self) -> Mapping[int, DocumentInfo]:
        """Living documents by number, in order of path."""
        return self._snapshot.documents

    @property
    def sentence_count(self) -> int:
        """How many sentences are alive."""
        return len(self._snapshot.arrays.places)

    @property
    def vector_count(self) -> int:
        """How many vectors of the model are kept, alive or not."""
        return 0 if self._snapshot.nearest is None else self._snapshot.nearest.count

    @property
    def dead_count(self) -> int:
        """How many documents are no longer alive and wait to be compacted."""
        return self._snapshot.dead

    @property
    def model_name(self) -> str:
        """Name of the model that made the vectors; empty in an empty library."""
        return "" if self._snapshot.model is None else str(self._snapshot.model["name"])

    @property
    def model_fingerprint(self) -> str:
        """Fingerprint of the model that made the vectors; empty in an empty library."""
        return "" if self._snapshot.model is None else str(self._snapshot.model["fingerprint"])

    @property
    def passage_count(self) -> int:
        """How many passages are alive."""
        return len(self._snapshot.passage_ids)

    @property
    def mean_length(self) -> float:
        """Mean number of terms of a passage."""
        return self._snapshot.mean_length

    def status(self, library: Address, sources: Iterable[Source], size: int) -> Status:
        """Return counts of what is searched, with the `size` of the library in bytes."""
        return Status(
            path=library.home.resolve(),
            address=str(library) if library.remote else "",
            generation=self.generation,
            documents=len(self.documents),
            sentences=self.sentence_count,
            passages=self.passage_count,
            vectors=self.vector_count,
            dead_documents=self.dead_count,
            sources=tuple(sources),
            model=self.model_name,
            fingerprint=self.model_fingerprint,
            bytes=size,
            types=dict(Counter(info.type for info in self.documents.values())),
        )

    def allowed(self, where: Filter | None) -> frozenset[int] | None:
        """Return the documents that `where` allows; None stands for all."""
        if where is None:
            return None
        return frozenset(i for i, info in self.documents.items() if where.matches(info))

    def nearest(self, query: NDArray[np.float32], k: int, only: frozenset[int] | None) -> list[int]:
        """Return passages with about the `k` nearest sentences and the `k` nearest as a whole."""
        snapshot = self._snapshot
        if snapshot.nearest is None:
            return []
        keep = self._passage_mask(only)
        some = None if only is None else keep
        places = snapshot.nearest.search(query, k, some, self._stored)
        return [int(i) for i in snapshot.passage_ids[places[keep[places]]]]

    def _passage_mask(self, only: frozenset[int] | None) -> Mask:
        documents = self._snapshot.passage_documents
        if only is None:
            return np.ones(len(documents), bool)
        return np.isin(documents, np.fromiter(only, np.int64, len(only)))

    def with_any(self, terms: Sequence[str], k: int, only: frozenset[int] | None) -> list[int]:
        """Return about the `k` best passages that hold any of `terms`."""
        if not terms or not self.passage_count:
            return []
        found = self._snapshot.words.search(terms, k, only=None if only is None else sorted(only))
        return self._known(found)

    def with_all(self, terms: Sequence[str], only: frozenset[int] | None) -> list[int]:
        """Return every passage that holds all of `terms`; without terms, every passage."""
        if not terms:
            return [int(i) for i in self._snapshot.passage_ids[self._passage_mask(only)]]
        found = self._snapshot.words.holding(terms, only=None if only is None else sorted(only))
        return sorted(self._known(found))

    def count_with_all(self, terms: Sequence[str]) -> int:
        """Return how many passages hold all of `terms`, at least one."""
        return self._snapshot.words.count(terms) if self.passage_count else 0

    def _known(self, passages: Sequence[int]) -> list[int]:
        ids = self._snapshot.passage_ids
        places = np.searchsorted(ids, passages)
        return [
            passage
            for passage, place in zip(passages, places, strict=True)
            if place < len(ids) and ids[place] == passage
        ]

    def document_frequency(self, term: str) -> int:
        """Return how many living passages hold `term`."""
        if term not in self._frequencies:  # a question asks for the same few again and again
            self._frequencies[term] = self._snapshot.words.document_frequency(term)
        return self._frequencies[term]

    def vocabulary(self, prefix: str) -> list[tuple[str, int]]:
        """Return the terms that begin with `prefix` and how many living passages hold each."""
        return self._snapshot.words.vocabulary(prefix) if self.passage_count else []

    def inverse_document_frequency(self, term: str) -> float:
        """Return the BM25 weight of `term`: ln(1 + (N - n + 0.5) / (n + 0.5))."""
        holding = self.document_frequency(term)
        return math.log(1 + (self.passage_count - holding + 0.5) / (holding + 0.5))

    def vectors(self, numbers: Sequence[int]) -> NDArray[np.float64]:
        """Return stored vectors, shape (len(numbers), dim)."""
        wanted = np.asarray(numbers, np.int64)
        nearest = self._snapshot.nearest
        held = None if nearest is None else nearest.read(wanted)
        return self._stored(wanted) if held is None else held.astype(np.float64)

    def _stored(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        return read_vectors(self._db, numbers, self._snapshot.dim)

    def passages(self, ids: Sequence[int]) -> list[PassageRow]:
        """Return passages by number, in the order given.

        Raises:
            LibraryDamagedError: One is missing, or not as it was stored.
        """
        found: dict[int, PassageRow] = {}
        wanted = sorted(set(ids))
        for start in range(0, len(wanted), 500):
            found.update(self._read_passages(wanted[start : start + 500]))
        if len(found) != len(wanted):
            raise LibraryDamagedError("a passage that is missing")
        return [found[i] for i in ids]

    def _read_passages(self, some: Sequence[int]) -> Iterator[tuple[int, PassageRow]]:
        """Yield passages by number, each compared with its checksum when it is first read."""
        intact = self._snapshot.intact
        marks = ",".join("?" * len(some))
        sentences: dict[int, list[tuple[Any, ...]]] = {}
        # The primary key finds the sentences: they carry their document and number.
        for row in tuples(
            self._db,
            f"SELECT passages.id, {columns(SENTENCE, 'sentences')} FROM passages JOIN sentences"
            " ON sentences.document = passages.document AND number >= first AND number < last"
            f" WHERE passages.id IN ({marks}) ORDER BY passages.id, number",
            some,
        ):
            sentences.setdefault(row[0], []).append(row[1:])
        crc = "crc" if self._snapshot.sealed else "NULL"
        for row in tuples(
            self._db, f"SELECT {columns(PASSAGE)}, {crc} FROM passages WHERE id IN ({marks})", some
        ):
            values, number = row[:-1], row[0]
            own = sentences.get(number, [])
            if self._snapshot.sealed and number not in intact:
                if not passage_intact(values, own, row[-1]):
                    what = f"passage {number} of document {values[1]}"
                    raise LibraryDamagedError(what, values[1])
                intact.add(number)
            yield number, _passage(values, own)

    def passages_of(self, document: int) -> list[PassageRow]:
        """Return all passages of a document in reading order."""
        rows = self._db.execute(
            "SELECT id FROM passages WHERE document = ? ORDER BY id", (document,)
        )
        return self.passages([row[0] for row in rows])

    def passages_at(self, document: int, offsets: Sequence[int]) -> list[PassageRow]:
        """Return the passages of a document, alive or not, that hold any of these offsets."""
        found = {
            int(row[0])
            for offset in offsets
            for row in self._db.execute(
                'SELECT id FROM passages WHERE document = ?1 AND start <= ?2 AND ?2 < "end"',
                (document, offset),
            )
        }
        return self.passages(sorted(found))

    def content(self, document: int) -> Document:
        """Return the stored document: text, blocks and pages.

        Raises:
            DocumentNotFoundError: There is none with this number.
        """
        return self._snapshot.contents.get(self._db, document)

    def text(self, document: int) -> str:
        """Return the stored text of a document."""
        return self.content(document).text


def _passage(row: Sequence[Any], sentences: Iterable[Sequence[Any]]) -> PassageRow:
    number, document, _, _, start, end, page, headings, context, vector, terms, _ = row
    return PassageRow(
        number,
        document,
        start,
        end,
        page,
        _headings(headings),
        context,
        vector,
        tuple(terms.split()),
        tuple(SentenceRow._make(sentence[2:7]) for sentence in sentences),
    )


@lru_cache(maxsize=10_000)
def _headings(stored: str) -> tuple[str, ...]:
    return tuple(json.loads(stored))
