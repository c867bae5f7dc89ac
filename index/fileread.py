"""A file of a source read and prepared, here or on another machine."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import FormatError
from index.formats import format_of, read_file
from index.ingest import Label, Prepared, prepare
from index.scan import Found

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FileRead", "read_prepared"]


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that was read: prepared, or why not.

    Attributes:
        sha256: Of the bytes it was read from, hexadecimal.
        vectors: By key, those that were made where it was read, half precision of shape (dim,).
    """

    item: Found
    failure: str
    prepared: Prepared | None = None
    sha256: str = ""
    vectors: Mapping[bytes, NDArray[np.float16]] | None = None

    @property
    def sentences(self) -> int:
        """How many it has."""
        return 0 if self.prepared is None else len(self.prepared.sentences)


def read_prepared(
    item: Found, below: Path, source: int, cancel: threading.Event | None = None
) -> FileRead:
    """Read a file and prepare its document.

    Args:
        item: The file.
        below: The folder that it may not lead out of.
        source: Number of its source.
        cancel: Once set, reading ends with SyncCancelledError.
    """
    try:
        found = read_file(item.file, root=below, cancel=cancel)
    except FormatError as error:
        return FileRead(item, error.reason)
    form = format_of(item.file)
    label = Label(source=source, path=item.path, type=form.name if form else "")
    prepared = prepare(found.document, label)
    if not prepared.sentences:
        return FileRead(item, "no text")
    return FileRead(item, "", prepared, found.sha256)
