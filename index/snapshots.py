"""The newest state of a library as arrays, taken once and shared by all who search."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index.catalogue import COLUMNS, Catalogue, document_info
from index.content import ContentCache
from index.draft import living, living_words, model_of
from index.errors import LibraryDamagedError
from index.seals import DOCUMENT, arrays_crc, columns, crc_of, document_line, sealed, verify
from index.store import generation, get_meta
from index.types import DocumentInfo
from index.vectors import RowSet, VectorBase, VectorIndex, load_vectors
from index.words import WordIndex, WordState, load_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

__all__ = ["Snapshot", "Snapshots", "state_key"]


def state_key(db: sqlite3.Connection) -> tuple[int, int]:
    """Return what a snapshot depends on: the generation, and how often it was compacted.

    Raises:
        LibraryDamagedError: That is not what was stored.
    """
    compacted = get_meta(db, "compacted")
    try:
        return generation(db), 0 if compacted is None else int(compacted["times"])
    except (KeyError, TypeError, ValueError) as error:
        raise LibraryDamagedError("the list of derived files") from error


class Snapshot:
    """What is alive in one generation, in memory; shared by threads, and what it says stays."""

    def __init__(
        self,
        folder: Path,
        db: sqlite3.Connection,
        contents: ContentCache,
    ) -> None:
        verify(db, ("meta", "models", "generations", "sources", "documents"))
        self.sealed = sealed(db)  # an older format that is only read has no checksums
        self.intact: set[int] = set()  # passages that were compared with their checksums
        self.contents = contents
        self.key = state_key(db)
        self.generation = self.key[0]
        meta = get_meta(db, "words")
        self.words: WordIndex = load_words(
            folder, None if meta is None else WordState(**meta), living_words(db, self.generation)
        )
        self._hide_dead_words(db)
        bases = Catalogue(folder, db).bases()
        self.documents: dict[int, DocumentInfo] = {
            row["id"]: document_info(row, bases)
            for row in db.execute(
                f"SELECT {COLUMNS} FROM documents WHERE {living} ORDER BY path, id",
                (self.generation,),
            )
        }
        self.model = model_of(db, self.generation)
        try:
            self._load_arrays(db)
        except (TypeError, ValueError, OverflowError) as error:
            raise LibraryDamagedError("the list of passages and sentences") from error
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
        self._living = self._selected(np.ones(len(self.passage_ids), bool))

    def rows_of(self, keep: Mask | None) -> tuple[RowSet, RowSet]:
        """Return the vectors of the sentences, and of the passages, that may be found.

        Args:
            keep: Which places of `passage_ids`; None stands for all.
        """
        return self._living if keep is None else self._selected(keep)

    def _selected(self, keep: Mask) -> tuple[RowSet, RowSet]:
        sentences, passages = (np.zeros(len(self.vectors.ids), bool) for _ in range(2))
        sentences[self.sentence_rows[keep[self.sentence_passages]]] = True
        passages[self.passage_rows[keep]] = True
        return RowSet(sentences), RowSet(passages)

    def disturbed(self) -> bool:
        """Return whether somebody has written into a file that is mapped here."""
        return self.words.watched.changed() or self.vectors.watched.changed()

    def _hide_dead_words(self, db: sqlite3.Connection) -> None:
        rows = db.execute(f"SELECT id FROM documents WHERE NOT ({living})", (self.generation,))
        dead = [row[0] for row in rows]
        self.dead = len(dead)
        (last,) = db.execute("SELECT coalesce(max(id), 0) FROM documents").fetchone()
        # A sync that goes on now may have put more into the words than this connection sees.
        self.words.hide(dead, last)

    def _load_arrays(self, db: sqlite3.Connection) -> None:
        cursor = db.cursor()
        cursor.row_factory = None
        passages = cursor.execute(
            "SELECT passages.id, document, vector, term_count FROM passages"
            f" JOIN documents ON documents.id = document WHERE {living} ORDER BY passages.id",
            (self.generation,),
        )
        table = _integers(passages).reshape(-1, 4)
        self.passage_ids, self.passage_documents, self._passage_vectors, lengths = table.T
        self.mean_length = float(lengths.mean()) if len(lengths) else 1.0
        sentences = cursor.execute(
            "SELECT passage, vector FROM sentences JOIN documents ON documents.id = document"
            f" WHERE {living} ORDER BY document, number",
            (self.generation,),
        )
        pairs = _integers(sentences).reshape(-1, 2)
        passage, self._sentence_vectors = pairs.T
        self.sentence_passages = np.searchsorted(self.passage_ids, passage)
        if self.sealed:
            # A sentence stands in the document of its passage; out of range it is damaged.
            places = np.minimum(self.sentence_passages, max(len(table) - 1, 0))
            owners = self.passage_documents[places] if len(table) else passage
            self._check_documents(
                db, _parts(self.passage_documents, table[:, [0, 2, 3]]), _parts(owners, pairs)
            )

    def _check_documents(
        self, db: sqlite3.Connection, passages: dict[int, bytes], sentences: dict[int, bytes]
    ) -> None:
        """Compare the entry of each document, and what was taken of it, with their checksums."""
        cursor = db.cursor()
        cursor.row_factory = None
        for *row, arrays, crc in cursor.execute(
            f"SELECT {columns(DOCUMENT)}, arrays, crc FROM documents WHERE {living}",
            (self.generation,),
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

    def sentence_hits(self, rows: Ints) -> Ints:
        """Return the passages, as places in `passage_ids`, of all sentences with these vectors."""
        return self.sentence_passages[self._sentences_by_row.owners(rows)]

    def passage_hits(self, rows: Ints) -> Ints:
        """Return the places in `passage_ids` of all passages with these vectors."""
        return self._passages_by_row.owners(rows)


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


def _integers(rows: Iterable[tuple[int, ...]]) -> Ints:
    """Return all values of rows, one after the other; there may be millions of rows."""
    return np.fromiter(chain.from_iterable(rows), np.int64)


class Snapshots:
    """Keeps one snapshot until there is a newer generation; safe from many threads."""

    def __init__(self, folder: Path, contents: ContentCache) -> None:
        self._folder, self._contents = folder, contents
        self._newest: Snapshot | None = None
        self._lock = threading.Lock()

    def newest(self, db: sqlite3.Connection) -> Snapshot:
        """Return the snapshot of the state that `db` sees.

        Raises:
            LibraryDamagedError: It is not what was stored.
        """
        key = state_key(db)
        snapshot = self._newest
        if snapshot is None or snapshot.key != key or snapshot.disturbed():
            with self._lock:
                snapshot = self._newest
                if snapshot is None or snapshot.key != key or snapshot.disturbed():
                    snapshot = self._newest = Snapshot(self._folder, db, self._contents)
        return snapshot
