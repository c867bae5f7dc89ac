"""Files that people send: kept aside batch by batch, then put among the library's uploads.

A file counts only once its batch is taken in. Until then it lies in a hidden folder that no sync
looks into; `Library.take_in` moves them among the uploads. A batch whose sender was told that it
will be taken in is `accepted`: it lies in a folder of its own until that has been done or given
up, whatever ends the process meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, BinaryIO
from uuid import uuid4

from index.errors import LibraryError, SourceError
from index.files import flush
from index.uploads import make_folder
from qa.text import text

if TYPE_CHECKING:
    from index import Library
    from index.types import DocumentInfo

__all__ = ["BATCH", "Uploads", "clean_path", "is_upload", "new_batch"]

BATCH = r"^[A-Za-z0-9_-]{8,64}$"

_INCOMING, _ACCEPTED = ".incoming", ".accepted"
_ABANDONED_SECONDS = 24 * 60 * 60
_TIDY_SECONDS = 60 * 60  # between two times
_MAX_NAME_BYTES = 200  # most file systems allow 255
_MAX_SUFFIX_BYTES = 20  # of a longer one nothing is a format
_MAX_FOLDERS = 12
_MAX_PATH_BYTES = 1_000


def new_batch() -> str:
    """Return a name for a batch that nobody uses."""
    return uuid4().hex


class Uploads:
    """The library's folder of uploads, and the batches on their way there.

    Args:
        library: Whose uploads they become.
        clock: Seconds that only go forward.
    """

    def __init__(self, library: Library, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder = library.uploads
        self._clock = clock
        self._tidied: float | None = None

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
                with contextlib.suppress(OSError):  # goes with what else is abandoned
                    part.unlink()
            raise LibraryError(f"{path} cannot be saved: {error.strerror or error}.") from error
        return path

    def forget(self, batch: str) -> None:
        """Delete what was sent for `batch` and not accepted."""
        _remove(self.incoming(batch))

    def accept(self, batch: str) -> str:
        """Set aside what was sent for `batch`, to survive a power cut; return its new name.

        What is sent for it later is another batch. Nothing may have been sent at all.

        Raises:
            SourceError: It is no name of a batch.
            LibraryError: The files cannot be moved.
        """
        # By these names they are taken in, in the order in which they were accepted.
        name = f"{time.time_ns():020}-{uuid4().hex[:12]}"
        sent = self.incoming(batch)
        try:
            for folder, _, _ in os.walk(sent):
                flush(Path(folder))
            if sent.is_dir():
                make_folder(self.folder / _ACCEPTED, self.folder)
                sent.rename(self.folder / _ACCEPTED / name)
                flush(self.folder / _ACCEPTED)
        except OSError as error:
            reason = (error.strerror or "unknown error").lower()
            raise LibraryError(text("documents.not_kept", reason=reason)) from error
        return name

    def accepted(self) -> list[str]:
        """Return the names of what was accepted and not taken in yet, the first one first."""
        folder = self.folder / _ACCEPTED
        return sorted(path.name for path in folder.glob("*") if re.fullmatch(BATCH, path.name))

    @contextmanager
    def at_hand(self, name: str) -> Iterator[Path]:
        """Give a folder with the files of an accepted batch, for `Library.take_in`.

        It takes the files out of there; what was accepted stays until `done`.

        Raises:
            LibraryError: The files cannot be had.
        """
        folder = self.incoming(name)
        _remove(folder)
        try:
            _link_all(self.folder / _ACCEPTED / name, folder, self.folder)
            yield folder
        finally:
            _remove(folder)

    def done(self, name: str) -> None:
        """Delete an accepted batch: it has been taken in, or given up."""
        _remove(self.folder / _ACCEPTED / name)

    def incoming(self, batch: str) -> Path:
        """Return the folder with the files of `batch`, for `Library.take_in`.

        Raises:
            SourceError: It is no name of a batch.
        """
        if re.fullmatch(BATCH, batch) is None:
            raise SourceError(text("documents.no_batch"))
        return self.folder / _INCOMING / batch

    def _tidy(self) -> None:
        """Delete what was sent but never taken in: its sender has gone long ago."""
        now = self._clock()
        if self._tidied is not None and now - self._tidied < _TIDY_SECONDS:
            return
        self._tidied = now
        for folder in (self.folder / _INCOMING).glob("*"):
            # It may just be taken in, or given up.
            with contextlib.suppress(OSError):
                if folder.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)


def _remove(batch: Path) -> None:
    """Delete the folder of a batch, and the one it lies in where it was the last."""
    shutil.rmtree(batch, ignore_errors=True)
    with contextlib.suppress(OSError):  # others are on their way
        batch.parent.rmdir()


def _link_all(batch: Path, target: Path, top: Path) -> None:
    """Give all files of a batch a second name below `target`."""
    try:
        for folder, _, names in os.walk(batch):
            there = target / Path(folder).relative_to(batch)
            make_folder(there, top)
            for name in names:
                _link(Path(folder, name), there / name)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise LibraryError(text("documents.not_kept", reason=reason)) from error


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:  # this file system gives a file one name
        shutil.copy2(file, target)
        flush(target)


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
