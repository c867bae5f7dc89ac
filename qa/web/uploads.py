"""Files that people send: kept aside batch by batch, then put among the library's uploads.

A file counts only once its batch is taken in. Until then it lies in a hidden folder that no sync
looks into, and if the batch is given up, what it would have replaced is as it was.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import time
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, BinaryIO
from uuid import uuid4

from index.errors import LibraryError, SourceError
from qa.text import text

if TYPE_CHECKING:
    from index import Library
    from index.reports import SyncReport
    from index.types import DocumentInfo

__all__ = ["BATCH", "Placed", "Uploads", "clean_path", "is_upload", "new_batch"]

BATCH = r"^[A-Za-z0-9_-]{8,64}$"

_INCOMING, _REPLACED = ".incoming", ".replaced"
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
            target = self._incoming(batch) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as file:
                part = Path(file.name)
                shutil.copyfileobj(content, file, 1 << 20)
            part.replace(target)
        except OSError as error:
            if part is not None:
                part.unlink(missing_ok=True)
            raise LibraryError(f"{path} cannot be saved: {error.strerror or error}.") from error
        return path

    def forget(self, batch: str) -> None:
        """Delete what was sent for `batch`."""
        shutil.rmtree(self._incoming(batch), ignore_errors=True)

    @contextlib.contextmanager
    def placed(self, batch: str) -> Iterator[Placed]:
        """Put the files of `batch` in place; if the block fails, everything is as it was."""
        placed = Placed(self.folder, self._incoming(batch), self.folder / _REPLACED / batch)
        try:
            placed.place()
            yield placed
        except BaseException:
            placed.undo(placed.paths)
            raise
        finally:
            placed.close()
            for above in (_INCOMING, _REPLACED):  # where nothing else is on its way
                with contextlib.suppress(OSError):
                    (self.folder / above).rmdir()

    def _incoming(self, batch: str) -> Path:
        if re.match(BATCH, batch) is None:
            raise SourceError(text("documents.no_batch"))
        return self.folder / _INCOMING / batch

    def _tidy(self) -> None:
        """Delete what was sent but never taken in: its sender has gone long ago."""
        if self._tidied:
            return
        self._tidied = True
        for above in (_INCOMING, _REPLACED):
            for folder in (self.folder / above).glob("*"):
                if folder.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)


class Placed:
    """The files of a batch in their place, and what they replaced."""

    def __init__(self, uploads: Path, incoming: Path, replaced: Path) -> None:
        self.paths: list[str] = []
        self._uploads, self._incoming, self._replaced = uploads, incoming, replaced

    def place(self) -> None:
        """Move every file of the batch to its place.

        Raises:
            LibraryError: A file has the name of a folder, or cannot be moved.
        """
        for file in sorted(self._incoming.rglob("*")):
            path = file.relative_to(self._incoming).as_posix()
            if not file.is_file() or file.name.startswith("."):
                continue
            target = self._uploads / path
            try:
                if target.is_file():
                    # Moved, not copied: back in its place it is the file that was indexed.
                    _move(target, self._replaced / path)
                self.paths.append(path)
                _move(file, target)
            except OSError as error:
                reason = error.strerror or error
                raise LibraryError(f"{path} cannot be saved: {reason}.") from error

    def undo(self, paths: Iterable[str]) -> None:
        """Take files away again, and put back what they replaced."""
        for path in paths:
            target, before = self._uploads / path, self._replaced / path
            if target.is_file():  # not the folder that was in the way
                target.unlink()
            if before.is_file():
                _move(before, target)
            _drop_empty(target.parent, self._uploads)

    def settle(self, report: SyncReport) -> None:
        """Take away what gave no document: its owner is told now and has the file."""
        self.undo(sorted({skip.path for skip in report.skipped} & set(self.paths)))

    def close(self) -> None:
        """Delete what is not needed any more."""
        for folder in (self._incoming, self._replaced):
            shutil.rmtree(folder, ignore_errors=True)


def _move(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    file.replace(target)


def _drop_empty(folder: Path, top: Path) -> None:
    while folder != top:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


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
