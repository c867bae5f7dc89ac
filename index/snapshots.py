"""The newest state of a library as arrays, taken once and shared by all who search."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index.alive import living, model_of, state_key
from index.arrays import read_arrays
from index.catalogue import COLUMNS, Catalogue, document_info
from index.content import ContentCache
from index.database import Database
from index.engines.engine import Engine
from index.errors import LibraryDamagedError
from index.nearest import Nearest
from index.seals import sealed, verify
from index.types import DocumentInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

__all__ = ["Snapshot", "Snapshots"]


class Snapshot:
    """What is alive in one generation, in memory; shared by threads, and what it says stays."""

    def __init__(
        self,
        home: Path,
        engine: Engine,
        db: Database,
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
        self.words = engine.words(db, self.generation)
        self._hide_dead_words(db)
        self.model = model_of(db, self.generation)
        if before is not None and not self._follows(before):
            before = None
        try:
            self._load(home, db, before)
        except (TypeError, ValueError, OverflowError) as error:
            raise LibraryDamagedError("the list of passages and sentences") from error
        self.dim = 0 if self.model is None else int(self.model["dim"])
        self.nearest: Nearest | None = None
        if self.model is not None:
            known = None if before is None else before.nearest
            self.nearest = engine.nearest(db, self.generation, self.model, self.arrays, known)

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

    def _load(self, home: Path, db: Database, before: Snapshot | None) -> None:
        """Take what is alive, and of which documents."""
        after = -1 if before is None else before.generation
        self.arrays = read_arrays(db, self.generation, after, checked=self.sealed)
        bases = Catalogue(home, db).bases()
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

    def disturbed(self) -> bool:
        """Return whether somebody has written into a file that is mapped here."""
        return self.words.disturbed() or (self.nearest is not None and self.nearest.disturbed())

    def _hide_dead_words(self, db: Database) -> None:
        rows = db.execute(f"SELECT id FROM documents WHERE NOT ({living})", (self.generation,))
        dead = [row[0] for row in rows]
        self.dead = len(dead)
        (last,) = db.execute("SELECT coalesce(max(id), 0) FROM documents").fetchone()
        # A sync that goes on now may have put more into the words than this connection sees.
        self.words.hide(dead, last)


class Snapshots:
    """Keeps one snapshot until there is a newer generation; safe from many threads."""

    def __init__(self, home: Path, engine: Engine, contents: ContentCache) -> None:
        self._home, self._engine, self._contents = home, engine, contents
        self._newest: Snapshot | None = None
        self._lock = threading.Lock()

    def newest(self, db: Database) -> Snapshot:
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
                    snapshot = Snapshot(self._home, self._engine, db, self._contents, before)
                    self._newest = snapshot
        return snapshot
