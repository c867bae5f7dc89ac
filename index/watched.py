"""Files that are in use, watched for what other programs do to them."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable
from pathlib import Path

from index.errors import LibraryError

__all__ = ["Place", "Watched"]

logger = logging.getLogger(f"quoth.{__name__}")


class Place:
    """Where a database is that is kept open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._first: tuple[int, int] | None = None  # device and inode
        self._index_bytes = 0  # most that was seen of the index of the log

    def refuse_another(self) -> None:
        """Raise where another library has been put in the place of this one.

        The database that is open would be read and written with the derived files of the other.
        One that was moved away or deleted can be read for as long as it is open.

        Raises:
            LibraryError: So it is.
        """
        with contextlib.suppress(OSError):
            found = os.stat(self._path)
            here = (found.st_dev, found.st_ino)
            self._first = self._first or here
            if here != self._first:
                raise LibraryError(
                    f"{self._path.parent} was replaced by another library since it was opened; "
                    "open it again, or restart Quoth."
                )

    def keep_index_whole(self) -> None:
        """Let the index of the log be as long as SQLite knows it, which has it mapped.

        Where another program has emptied it, touching it would end the process. Zeros are no
        valid index: SQLite makes it anew from the log.
        """
        file = f"{self._path}-shm"
        with contextlib.suppress(OSError):  # a library that was moved or is only read
            size = os.stat(file).st_size
            if size < self._index_bytes:
                logger.warning("%s-shm was cut short; it is made anew", self._path.name)
                os.truncate(file, self._index_bytes)
            self._index_bytes = max(self._index_bytes, size)


class Watched:
    """Files that are mapped into memory.

    Where another program cuts one short, reading it would end the process; where it writes into
    one, what was verified is no longer what is read. One that is gone stays as it was.
    """

    def __init__(self, files: Iterable[Path] = ()) -> None:
        """Note how the files look; do that before they are verified."""
        self._seen = {str(file): _look(str(file)) for file in files}

    def changed(self) -> bool:
        """Return whether one does not look as it did."""
        for file, before in self._seen.items():
            now = _look(file)
            if now is not None and now != before:
                return True
        return False


def _look(file: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
