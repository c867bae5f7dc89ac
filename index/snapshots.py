"""The newest state of a library as arrays, taken once and shared by all who search."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index.arrays import read_arrays
from index.catalogue import COLUMNS, Catalogue, document_info
from index.content import ContentCache
from index.draft import living, living_words, model_of
from index.errors import LibraryDamagedError
from index.seals import sealed, verify
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
        before: Snapshot | None = None,
    ) -> None:
        """Take the state that `db` sees; of what was alive `before` only the difference is read.

        Raises:
            LibraryDamagedError: It is not what was stored.
        """
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
        self.model = model_of(db, self.generation)
        if before is not None and not self._follows(before):
            before = None
        try:
            self._load(folder, db, before)
        except (TypeError, ValueError, OverflowError) as error:
            raise LibraryDamagedError("the list of passages and sentences") from error
        meta = get_meta(db, "vectors")
        if self.model is None:
            self.vectors = VectorIndex(np.empty(0, np.int64), [])
            self.dim = 0
        else:
            self.dim = int(self.model["dim"])
            base = None if meta is None else VectorBase(**meta)
            known = None if before is None else before.vectors
            self.vectors = load_vectors(folder, base, db, self.model["id"], self.dim, known)
        self.sentence_rows = self.vectors.rows(self.arrays.sentence_vectors)
        self.passage_rows = self.vectors.rows(self.arrays.vectors)
        self._sentences_by_row = _Inverse(self.sentence_rows)
        self._passages_by_row = _Inverse(self.passage_rows)
        self._living = self._selected(np.ones(len(self.passage_ids), bool))

    def _follows(self, before: Snapshot) -> bool:
        """Return whether this is what was before with some documents gone and some new."""
        ours, theirs = self.model, before.model
        return (
            (before.sealed, before.key[1]) == (self.sealed, self.key[1])
            and before.generation <= self.generation
            and ours is not None
            and theirs is not None
            and ours["id"] == theirs["id"]
        )

    def _load(self, folder: Path, db: sqlite3.Connection, before: Snapshot | None) -> None:
        """Take what is alive, and of which documents."""
        after = -1 if before is None else before.generation
        self.arrays = read_arrays(db, self.generation, after, checked=self.sealed)
        bases = Catalogue(folder, db).bases()
        rows = db.execute(
            f"SELECT {COLUMNS} FROM documents WHERE {living} AND born > ?2 ORDER BY path, id",
            (self.generation, after),
        )
        self.documents: dict[int, DocumentInfo] = {
            row["id"]: document_info(row, bases) for row in rows
        }
        if before is not None:
            gone = {
                row[0]
                for row in db.execute(
                    "SELECT id FROM documents WHERE died > ? AND died <= ?",
                    (after, self.generation),
                )
            }
            left = before.arrays.without(np.fromiter(gone, np.int64))
            self.arrays = left.followed_by(self.arrays)
            infos = [info for info in before.documents.values() if info.id not in gone]
            infos += self.documents.values()
            infos.sort(key=lambda info: (info.path, info.id))
            self.documents = {info.id: info for info in infos}
        lengths = self.arrays.lengths
        self.mean_length = float(lengths.mean()) if len(lengths) else 1.0

    @property
    def passage_ids(self) -> Ints:
        """Numbers of the living passages, ascending."""
        return self.arrays.passages

    @property
    def passage_documents(self) -> Ints:
        """The document of each living passage."""
        return self.arrays.documents

    def rows_of(self, keep: Mask | None) -> tuple[RowSet, RowSet]:
        """Return the vectors of the sentences, and of the passages, that may be found.

        Args:
            keep: Which places of `passage_ids`; None stands for all.
        """
        return self._living if keep is None else self._selected(keep)

    def _selected(self, keep: Mask) -> tuple[RowSet, RowSet]:
        sentences, passages = (np.zeros(len(self.vectors.ids), bool) for _ in range(2))
        sentences[self.sentence_rows[keep[self.arrays.places]]] = True
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

    def sentence_hits(self, rows: Ints) -> Ints:
        """Return the passages, as places in `passage_ids`, of all sentences with these vectors."""
        return self.arrays.places[self._sentences_by_row.owners(rows)]

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
                    before = None if snapshot is None or snapshot.disturbed() else snapshot
                    snapshot = Snapshot(self._folder, db, self._contents, before)
                    self._newest = snapshot
        return snapshot
