"""Documents whose files are no longer what was read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from index.alive import living
from index.database import Database
from index.files import sha256
from index.reports import Outdated
from index.store import generation

__all__ = ["outdated"]


def outdated(db: Database, bases: Mapping[int, Path]) -> Outdated:
    """Return the living documents whose files have another content by now, or are gone.

    Only files whose size, time or inode differ are read. What cannot be looked at, such as a
    folder of a disk that is not there, is not told to be gone.

    Args:
        db: A connection that reads.
        bases: By source, the folder that paths are relative to.
    """
    changed: list[int] = []
    gone: list[int] = []
    rows = db.execute(
        "SELECT files.* FROM files JOIN documents ON documents.id = document"
        f" WHERE {living} ORDER BY document",
        (generation(db),),
    )
    there = {source: base.is_dir() for source, base in bases.items()}
    for row in rows:
        if not there.get(row["source"], False):
            continue
        file = bases[row["source"]] / row["path"]
        try:
            stat = os.stat(file, follow_symlinks=False)
            seen = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
            if seen == (row["size"], row["mtime_ns"], row["inode"]):
                continue
            if stat.st_size != row["size"] or sha256(file) != row["hash"]:
                changed.append(row["document"])
        except FileNotFoundError:
            gone.append(row["document"])
        except OSError:
            continue
    return Outdated(tuple(changed), tuple(gone))
