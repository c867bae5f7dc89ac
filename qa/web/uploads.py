"""Documents that come and go through the page: saved in the library's own folder, then synced."""

from __future__ import annotations

import logging
import shutil
import threading
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, BinaryIO

from index.errors import LibraryError, QuothError, SourceError

if TYPE_CHECKING:
    from index import Library
    from index.reports import Progress, SyncReport
    from index.types import DocumentInfo

__all__ = ["SyncState", "Uploads", "clean_name"]

logger = logging.getLogger(f"quoth.{__name__}")

_MAX_NAME_BYTES = 200  # most file systems allow 255
_MAX_SUFFIX_BYTES = 20  # of a longer one nothing is a format


@dataclass(frozen=True, slots=True)
class SyncState:
    """Where taking in uploads stands: at most one sync runs at a time.

    Attributes:
        number: Counts the syncs, so that a watcher can tell a new report from an old one.
        progress: The latest, while it runs.
        reports: Of the runs since then; more than one where files came in meanwhile.
        problem: Why the last run failed, or "".
    """

    number: int = 0
    running: bool = False
    progress: Progress | None = None
    reports: tuple[SyncReport, ...] = ()
    problem: str = ""


class Uploads:
    """Saves uploaded files and keeps the library in step with them, in the background."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._state = SyncState()
        self._again = False
        self._worker: threading.Thread | None = None

    @property
    def state(self) -> SyncState:
        """The present state."""
        return self._state

    def save(self, name: str, content: BinaryIO) -> str:
        """Write an uploaded file and return the name it got; one of that name is replaced.

        Raises:
            SourceError: The name has no usable character.
            LibraryError: The file cannot be written.
        """
        name = clean_name(name)
        folder = self._library.uploads
        part: Path | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # The dot keeps a half-written file out of a sync that runs meanwhile.
            with NamedTemporaryFile(dir=folder, prefix=".", suffix=".part", delete=False) as file:
                part = Path(file.name)
                shutil.copyfileobj(content, file, 1 << 20)
            part.replace(folder / name)
        except OSError as error:
            if part is not None:
                part.unlink(missing_ok=True)
            raise LibraryError(f"{name} cannot be saved: {error.strerror or error}.") from error
        return name

    def start(self) -> SyncState:
        """Sync the uploads in the background; if a sync is running, once more after it."""
        with self._lock:
            if self._state.running:
                self._again = True
                return self._state
            self._state = SyncState(number=self._state.number + 1, running=True)
            self._worker = threading.Thread(target=self._run, name="quoth-uploads", daemon=True)
            self._worker.start()
            return self._state

    def wait(self, timeout: float | None = None) -> None:
        """Wait until no sync is running."""
        worker = self._worker
        if worker is not None:
            worker.join(timeout)

    def _run(self) -> None:
        while True:
            self._sync()
            with self._lock:
                if not self._again:
                    self._state = replace(self._state, running=False, progress=None)
                    return
                self._again = False

    def _sync(self) -> None:
        problem = ""
        try:
            # Removing most of the uploads in one go is what the person asked for here.
            report = self._library.sync(self._library.uploads, progress=self._progress, yes=True)
            self._drop_skipped(report)
            self._state = replace(self._state, reports=(*self._state.reports, report))
        except QuothError as error:
            problem = str(error)
        except Exception:
            # The thread has no one above it to tell, and the page must not wait for ever.
            logger.exception("taking in the uploads failed")
            problem = "The documents could not be taken in; the log of the server says why."
        self._state = replace(self._state, problem=problem)

    def _progress(self, progress: Progress) -> None:
        self._state = replace(self._state, progress=progress)

    def _drop_skipped(self, report: SyncReport) -> None:
        """Delete the uploads that gave no document: their owner is told now and has the file."""
        for skip in report.skipped:
            if not skip.kept:
                (self._library.uploads / skip.path).unlink(missing_ok=True)


def is_upload(library: Library, document: DocumentInfo) -> bool:
    """Return whether the original of `document` lies in the library's folder of uploads."""
    return document.file is not None and document.file.is_relative_to(library.uploads)


def clean_name(name: str) -> str:
    """Return `name` as a file name that is what it looks like.

    Folders, control characters and marks that turn the direction of text are dropped.

    Raises:
        SourceError: Nothing is left.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(char for char in last if unicodedata.category(char)[0] != "C")
    kept = " ".join(kept.split()).lstrip(". ")
    suffix = Path(kept).suffix
    if len(suffix.encode()) > _MAX_SUFFIX_BYTES:
        suffix = ""
    stem = kept.removesuffix(suffix).encode()[: _MAX_NAME_BYTES - len(suffix.encode())]
    cleaned = stem.decode(errors="ignore") + suffix
    if not Path(cleaned).stem.strip(". "):
        raise SourceError("A file without a usable name was sent; give it a name and try again.")
    return cleaned
