"""One generation, ready to be searched: what is alive, near and holds which words."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.content import ContentCache
from index.draft import living, model_of
from index.store import generation, get_meta
from index.types import Document, DocumentInfo, Filter
from index.vectors import VectorBase, VectorIndex, load_vectors, read_vectors
from index.words import WordIndex, WordState, load_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

__all__ = ["PassageRow", "Searcher", "SentenceRow", "Snapshot", "document_info", "state_key"]


@dataclass(frozen=True, slots=True)
class SentenceRow:
    """A stored sentence: where it is, what kind of block it is in, and its vector's number."""

    start: int
    end: int
    kind: str
    context: str
    vector: int


@dataclass(frozen=True, slots=True)
class PassageRow:
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


def state_key(db: sqlite3.Connection) -> tuple[int, int]:
    """Return what a snapshot depends on: the generation, and how often it was compacted."""
    compacted = get_meta(db, "compacted")
    return generation(db), 0 if compacted is None else int(compacted["times"])


class Snapshot:
    """What is alive in one generation, in memory; shared by threads, never changed."""

    def __init__(
        self,
        folder: Path,
        db: sqlite3.Connection,
        bases: Mapping[int, Path],
        contents: ContentCache,
    ) -> None:
        self.contents = contents
        self.key = state_key(db)
        self.generation = self.key[0]
        meta = get_meta(db, "words")
        self.words: WordIndex = load_words(
            folder, None if meta is None else WordState(**meta), _entries(db, self.generation)
        )
        self._hide_dead_words(db)
        self.documents: dict[int, DocumentInfo] = {
            row["id"]: document_info(row, bases)
            for row in db.execute(
                f"SELECT {COLUMNS} FROM documents WHERE {living} ORDER BY path, id",
                (self.generation,),
            )
        }
        self.model = model_of(db, self.generation)
        self._load_arrays(db)
        meta = get_meta(db, "vectors")
        if self.model is None:
            self.vectors = VectorIndex(np.empty(0, np.int64), [])
            self.dim = 0
        else:
            self.dim = int(self.model["dim"])
            base = None if meta is None else VectorBase(**meta)
            self.vectors = load_vectors(folder, base, db, self.model["id"], self.dim)
        self.sentence_rows = self.vectors.rows(self._sentence_vectors)
        self.passage_rows = self.vectors.rows(self._passage_vectors)
        self._sentences_by_row = _Inverse(self.sentence_rows)
        self._passages_by_row = _Inverse(self.passage_rows)

    def _hide_dead_words(self, db: sqlite3.Connection) -> None:
        rows = db.execute(f"SELECT id FROM documents WHERE NOT ({living})", (self.generation,))
        dead = [row[0] for row in rows]
        self.dead = len(dead)
        (last,) = db.execute("SELECT coalesce(max(id), 0) FROM documents").fetchone()
        # A sync that goes on now may have put more into the words than this connection sees.
        self.words.hide(dead, last)

    def _load_arrays(self, db: sqlite3.Connection) -> None:
        passages = db.execute(
            "SELECT passages.id, document, vector, term_count FROM passages"
            f" JOIN documents ON documents.id = document WHERE {living} ORDER BY passages.id",
            (self.generation,),
        ).fetchall()
        table = np.array([tuple(row) for row in passages], np.int64).reshape(-1, 4)
        self.passage_ids, self.passage_documents, self._passage_vectors, lengths = table.T
        self.mean_length = float(lengths.mean()) if len(lengths) else 1.0
        sentences = db.execute(
            "SELECT passage, vector FROM sentences JOIN documents ON documents.id = document"
            f" WHERE {living} ORDER BY document, number",
            (self.generation,),
        ).fetchall()
        table = np.array([tuple(row) for row in sentences], np.int64).reshape(-1, 2)
        passage, self._sentence_vectors = table.T
        self.sentence_passages = np.searchsorted(self.passage_ids, passage)

    def sentence_hits(self, rows: Ints) -> Ints:
        """Return the passages, as places in `passage_ids`, of all sentences with these vectors."""
        return self.sentence_passages[self._sentences_by_row.owners(rows)]

    def passage_hits(self, rows: Ints) -> Ints:
        """Return the places in `passage_ids` of all passages with these vectors."""
        return self._passages_by_row.owners(rows)


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


class Searcher:
    """A snapshot with a connection that sees the same state, for one question."""

    def __init__(self, snapshot: Snapshot, db: sqlite3.Connection) -> None:
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
        return len(self._snapshot.sentence_rows)

    @property
    def vector_count(self) -> int:
        """How many vectors of the model are kept, alive or not."""
        return len(self._snapshot.vectors.ids)

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

    def allowed(self, where: Filter | None) -> frozenset[int] | None:
        """Return the documents that `where` allows; None stands for all."""
        if where is None:
            return None
        return frozenset(i for i, info in self.documents.items() if where.matches(info))

    def nearest(self, query: NDArray[np.float32], k: int, only: frozenset[int] | None) -> list[int]:
        """Return passages with about the `k` nearest sentences and the `k` nearest as a whole."""
        snapshot = self._snapshot
        keep = self._passage_mask(only)
        sentence_mask = np.zeros(len(snapshot.vectors.ids), bool)
        sentence_mask[snapshot.sentence_rows[keep[snapshot.sentence_passages]]] = True
        passage_mask = np.zeros(len(snapshot.vectors.ids), bool)
        passage_mask[snapshot.passage_rows[keep]] = True
        by_sentence = snapshot.sentence_hits(snapshot.vectors.search(query, k, sentence_mask))
        by_passage = snapshot.passage_hits(snapshot.vectors.search(query, k, passage_mask))
        places = np.unique(np.concatenate([by_sentence, by_passage]))
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
        return read_vectors(self._db, np.asarray(numbers, np.int64), self._snapshot.dim)

    def passages(self, ids: Sequence[int]) -> list[PassageRow]:
        """Return passages by number, in the order given."""
        rows: dict[int, PassageRow] = {}
        wanted = sorted(set(ids))
        for start in range(0, len(wanted), 500):
            some = wanted[start : start + 500]
            marks = ",".join("?" * len(some))
            sentences: dict[int, list[SentenceRow]] = {}
            # The primary key finds the sentences: they carry their document and number.
            for row in self._db.execute(
                "SELECT passages.id, sentences.start, sentences.end, kind, sentences.context,"
                " sentences.vector FROM passages JOIN sentences ON"
                " sentences.document = passages.document"
                " AND number >= first AND number < last"
                f" WHERE passages.id IN ({marks}) ORDER BY passages.id, number",
                some,
            ):
                sentences.setdefault(row[0], []).append(SentenceRow(*tuple(row)[1:]))
            for row in self._db.execute(f"SELECT * FROM passages WHERE id IN ({marks})", some):
                rows[row["id"]] = PassageRow(
                    row["id"],
                    row["document"],
                    row["start"],
                    row["end"],
                    row["page"],
                    tuple(json.loads(row["headings"])),
                    row["context"],
                    row["vector"],
                    tuple(row["terms"].split()),
                    tuple(sentences.get(row["id"], ())),
                )
        return [rows[i] for i in ids]

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


COLUMNS = (
    "id, source, path, title, type, date, language, text_hash, characters, sentences, pages,"
    " blank_pages, warnings, indexed_at"
)


def document_info(row: sqlite3.Row, bases: Mapping[int, Path]) -> DocumentInfo:
    """Return a row with `COLUMNS` of the documents as a value.

    Args:
        row: Of the table `documents`.
        bases: By source, the folder that paths are relative to.
    """
    values: dict[str, Any] = dict(row)
    values["blank_pages"] = tuple(json.loads(values["blank_pages"]))
    values["warnings"] = tuple(json.loads(values["warnings"]))
    base = bases.get(values["source"])
    return DocumentInfo(file=None if base is None else base / values["path"], **values)


def _entries(db: sqlite3.Connection, number: int) -> Any:  # noqa: ANN401 - a cursor of rows
    return db.execute(
        "SELECT passages.id, document, terms FROM passages"
        f" JOIN documents ON documents.id = document WHERE {living}",
        (number,),
    )
