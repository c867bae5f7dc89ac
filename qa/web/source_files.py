"""Whether the file a document was read from is still what it was then."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Literal

from index.files import sha256

if TYPE_CHECKING:
    from index import Library
    from index.types import DocumentInfo

__all__ = ["FileState", "SourceFiles"]

FileState = Literal["same", "changed", "gone", "none"]

_KEPT = 1_000  # answers; each is a line of memory


class SourceFiles:
    """Looks at the originals of one library; a file is hashed again only once it has changed."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._known: OrderedDict[tuple[object, ...], bool] = OrderedDict()
        self._lock = threading.Lock()

    def state(self, info: DocumentInfo) -> FileState:
        """Return "same" if the bytes are those that were indexed; "none" for a text."""
        if info.file is None:
            return "none"
        try:
            stat = os.stat(info.file, follow_symlinks=False)
            key = (info.id, str(info.file), stat.st_ino, stat.st_mtime_ns, stat.st_size)
            with self._lock:
                known = self._known.get(key)
            if known is None:
                known = sha256(info.file) == self._library.file_hash(info.id)
                with self._lock:
                    self._known[key] = known
                    while len(self._known) > _KEPT:
                        self._known.popitem(last=False)
        except (OSError, ValueError):  # ValueError: a name that no file can have
            return "gone"
        return "same" if known else "changed"
