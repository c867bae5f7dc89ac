"""Files that people send: kept aside batch by batch, then put among the library's uploads.

A file counts only once its batch is taken in. Until then it lies in a hidden folder that no sync
looks into; `Library.take_in` moves them among the uploads.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
import unicodedata
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, BinaryIO
from uuid import uuid4

from index.errors import LibraryError, SourceError
from index.uploads import make_folder
from qa.text import text

if TYPE_CHECKING:
    from index import Library
    from index.types import DocumentInfo

__all__ = ["BATCH", "Uploads", "clean_path", "is_upload", "new_batch"]

BATCH = r"^[A-Za-z0-9_-]{8,64}$"

_INCOMING = ".incoming"
_ABANDONED_SECONDS = 24 * 60 * 60
_MAX_NAME_BYTES = 200  # most file systems allow 255
_MAX_SUFFIX_BYTES = 20  # of a longer one nothing is a format
_MAX_FOLDERS = 12
_MAX_PATH_BYTES = 1_000


def new_batch() -> str:
    """Return a name for a batch that nobody uses."""
    return uuid4().hex


class Uploads:
    """The library's folder of uploads, and the batches on their way there."""

    def __init__(self, library: Library) -> None:
        self.folder = library.uploads
        self._tidied = False

    def save(self, batch: str, path: str, content: BinaryIO) -> str:
        """Keep a file for `batch` and return the path it got.

        Raises:
            SourceError: The path has no usable character, or lies too deep.
            LibraryError: The file cannot be written.
        """
        path = clean_path(path)
        part: Path | None = None
        try:
            self._tidy()
            target = self.incoming(batch) / path
            make_folder(target.parent, self.folder)
            with NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as file:
                part = Path(file.name)
                shutil.copyfileobj(content, file, 1 << 20)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except OSError as error:
            if part is not None:
                part.unlink(missing_ok=True)
            raise LibraryError(f"{path} cannot be saved: {error.strerror or error}.") from error
        return path

    def forget(self, batch: str) -> None:
        """Delete what was sent for `batch`."""
        shutil.rmtree(self.incoming(batch), ignore_errors=True)
        with contextlib.suppress(OSError):  # others are on their way
            (self.folder / _INCOMING).rmdir()

    def incoming(self, batch: str) -> Path:
        """Return the folder with the files of `batch`, for `Library.take_in`.

        Raises:
            SourceError: It is no name of a batch.
        """
        if re.match(BATCH, batch) is None:
            raise SourceError(text("documents.no_batch"))
        return self.folder / _INCOMING / batch

    def _tidy(self) -> None:
        """Delete what was sent but never taken in: its sender has gone long ago."""
        if self._tidied:
            return
        self._tidied = True
        for folder in (self.folder / _INCOMING).glob("*"):
            if folder.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def is_upload(library: Library, document: DocumentInfo) -> bool:
    """Return whether the original of `document` lies in the library's folder of uploads."""
    return document.file is not None and document.file.is_relative_to(library.uploads)


def clean_path(path: str) -> str:
    """Return `path` as a relative path that is what it looks like.

    Subfolders are kept where the path stays below its top; of "/etc/x.txt" and "../x.txt" only
    the name is. Control characters, marks that turn the direction of text, and
    dots that hide a file are dropped.

    Raises:
        SourceError: No name is left, it lies too deep, or it is an office program's lock file.
    """
    parts = unicodedata.normalize("NFC", path).replace("\\", "/").split("/")
    if len(parts) > 1 and (".." in parts or parts[0] == ""):
        parts = parts[-1:]
    *above, name = parts
    folders = [folder for folder in (_clean_part(part).lstrip("~$. ") for part in above) if folder]
    if folders and folders[0].endswith(":"):  # a drive: the path began at its top
        folders = []
    cleaned = "/".join([*folders, _clean_name(name)])
    if len(folders) > _MAX_FOLDERS or len(cleaned.encode()) > _MAX_PATH_BYTES:
        raise SourceError(text("documents.too_deep"))
    return cleaned


def _clean_name(name: str) -> str:
    kept = _clean_part(name)
    if kept.startswith("~$"):
        raise SourceError(text("documents.lock_file"))
    suffix = Path(kept).suffix
    if len(suffix.encode()) > _MAX_SUFFIX_BYTES:
        suffix = ""
    stem = kept.removesuffix(suffix).encode()[: _MAX_NAME_BYTES - len(suffix.encode())]
    cleaned = stem.decode(errors="ignore") + suffix
    if not Path(cleaned).stem.strip(". "):
        raise SourceError(text("documents.no_name"))
    return cleaned


def _clean_part(part: str) -> str:
    kept = "".join(char for char in part if unicodedata.category(char)[0] != "C")
    cut = " ".join(kept.split()).lstrip(". ").encode()[:_MAX_NAME_BYTES]
    return cut.decode(errors="ignore").rstrip()
