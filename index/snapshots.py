"""The newest state of a library as arrays, taken once and shared by all who search."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from index.catalogue import Catalogue
from index.content import ContentCache
from index.searcher import Snapshot, state_key

__all__ = ["Snapshots"]


class Snapshots:
    """Keeps one snapshot until there is a newer generation; safe from many threads."""

    def __init__(self, folder: Path, contents: ContentCache) -> None:
        self._folder, self._contents = folder, contents
        self._newest: Snapshot | None = None
        self._lock = threading.Lock()

    def newest(self, db: sqlite3.Connection) -> Snapshot:
        """Return the snapshot of the state that `db` sees."""
        key = state_key(db)
        snapshot = self._newest
        if snapshot is None or snapshot.key != key:
            with self._lock:
                snapshot = self._newest
                if snapshot is None or snapshot.key != key:
                    bases = Catalogue(self._folder, db).bases()
                    snapshot = self._newest = Snapshot(self._folder, db, bases, self._contents)
        return snapshot
