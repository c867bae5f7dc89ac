"""Whether the file a document was read from is still what it was then, and that file opened.

Whoever may write in a folder of documents could put a link to another file in the place of one. So
a link is never followed, what counts is the content of the file that was opened, and that file is
sent, whatever its name leads to by then.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from qa.web.latest import Latest

if TYPE_CHECKING:
    from index import Library
    from index.types import DocumentInfo

__all__ = ["FileState", "SourceFiles", "stamp_of"]

FileState = Literal["same", "changed", "gone", "none"]

_KEPT = 1_000  # answers; each is a line of memory
# Not waiting: somebody may have put a pipe there.
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class SourceFiles:
    """Looks at the originals of one library; a file is hashed again only once it has changed."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._known: Latest[tuple[object, ...], bool] = Latest(_KEPT)
        self._lock = threading.Lock()

    def state(self, info: DocumentInfo) -> FileState:
        """Return "same" if the bytes are those that were indexed; "none" for a text."""
        if info.file is None:
            return "none"
        try:
            with _opened(info.file) as file:
                return "same" if self.is_same(info, file) else "changed"
        except (OSError, ValueError):  # ValueError: a name that no file can have
            return "gone"

    def open(self, info: DocumentInfo) -> BufferedReader | None:
        """Return the file, opened, if its bytes are those that were indexed; the caller closes it.

        None: it is another one, or cannot be opened.
        """
        if info.file is None:
            return None
        try:
            file = _opened(info.file)
        except (OSError, ValueError):
            return None
        try:
            if self.is_same(info, file):
                file.seek(0)
                return file
        except OSError:
            pass
        file.close()
        return None

    def is_same(self, info: DocumentInfo, file: BufferedReader) -> bool:
        """Return whether the bytes of an open file are, by now, those that were indexed."""
        key = (info.id, *stamp_of(file))
        with self._lock:
            known = self._known.use(key)
        if known is None:
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            known = digest == self._library.file_hash(info.id)
            with self._lock:
                self._known[key] = known
        return known


def stamp_of(file: BufferedReader) -> tuple[int, ...]:
    """Return which file is open, and in which state: no other one has all these numbers."""
    found = os.fstat(file.fileno())
    return (
        found.st_dev,
        found.st_ino,
        found.st_mtime_ns,
        found.st_ctime_ns,  # cannot be set back
        found.st_size,
    )


def _opened(path: Path) -> BufferedReader:
    """Open an ordinary file.

    Raises:
        OSError: It is a link or no file, or cannot be opened.
    """
    file = open(os.open(path, _FLAGS), "rb")
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(f"{path.name} is no ordinary file")
