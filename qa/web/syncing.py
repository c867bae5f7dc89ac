"""Bringing the library up to date in the background: one change at a time, watched and stopped."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import LibraryLockedError, QuothError, SourceError, SyncCancelledError
from qa.text import text
from qa.visible import one_line
from qa.web.uploads import Uploads

if TYPE_CHECKING:
    from index import Library
    from index.reports import Progress, Source, SyncReport

__all__ = ["Preview", "Reported", "SyncState", "Syncing", "source_name"]

logger = logging.getLogger(f"quoth.{__name__}")


@dataclass(frozen=True, slots=True)
class Reported:
    """What the sync of one source did; `source` is its name for people."""

    source: str
    report: SyncReport


@dataclass(frozen=True, slots=True)
class Preview:
    """What a sync of one source would do, or why it cannot be done.

    Attributes:
        report: None where there is a problem.
        asks: Whether so much would be removed that a person must say yes.
    """

    source: Source
    report: SyncReport | None
    problem: str = ""
    asks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncState:
    """Where it stands: at most one run at a time.

    Attributes:
        number: Counts the runs, so that a watcher can tell a new report from an old one.
        cancelling: Somebody has asked to stop; it will soon.
        cancelled: The last run was stopped.
        source: Name of what is brought up to date now.
        waiting: Why it cannot begin yet, or "".
        progress: The latest, while it runs.
        reports: What has been done in this run.
        problems: Why parts of it failed.
    """

    number: int = 0
    running: bool = False
    cancelling: bool = False
    cancelled: bool = False
    source: str = ""
    waiting: str = ""
    progress: Progress | None = None
    reports: tuple[Reported, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Job:
    """A source to sync; with `batch`, the uploads after the files accepted by that name."""

    root: Path
    source: str
    yes: bool = False
    batch: str | None = None


class Syncing:
    """Does one job after another in a thread of its own while anyone asks."""

    def __init__(self, library: Library, uploads: Uploads) -> None:
        self._library = library
        self._uploads = uploads
        # Held for every change of the state: an order to stop must not be overwritten.
        self._lock = threading.RLock()
        self._state = SyncState()
        self._jobs: deque[_Job] = deque()
        self._cancel = threading.Event()
        self._worker: threading.Thread | None = None
        self._closing = False

    @property
    def state(self) -> SyncState:
        """The present state."""
        return self._state

    def take_in(self, batch: str) -> SyncState:
        """Take in the files of a batch in the background, after what is going on now.

        Once this has returned, they are taken in although the server may end before: when it
        starts again.

        Raises:
            LibraryError: They cannot be kept until then.
        """
        return self._take_in([self._uploads.accept(batch)])

    def resume(self) -> SyncState:
        """Take in the batches that were accepted when the server ended."""
        return self._take_in(self._uploads.accepted())

    def _take_in(self, accepted: Sequence[str]) -> SyncState:
        folder, name = self._uploads.folder, text("documents.uploads")
        jobs = [_Job(folder, name, True, batch) for batch in accepted]
        return self._start(jobs) if jobs else self._state

    def update(self, sources: Sequence[int] | None = None, *, yes: bool = False) -> SyncState:
        """Bring sources up to date in the background: those with these numbers, or all.

        Raises:
            SourceError: The library has no such source.
        """
        jobs = [
            # Removing uploads from their folder is what somebody did on purpose.
            _Job(source.location, source_name(source), yes or source.kind == "upload")
            for source in self._chosen(sources)
            if source.location is not None
        ]
        return self._start(jobs) if jobs else self._state

    def preview(self, sources: Sequence[int] | None = None) -> list[Preview]:
        """Return what `update` would do now, source by source, and do nothing.

        Raises:
            LibraryLockedError: The library is being changed.
            SourceError: The library has no such source.
        """
        self.refuse_while_running()
        return [self._preview(s) for s in self._chosen(sources) if s.location is not None]

    def cancel(self) -> SyncState:
        """Ask the run to stop, and forget the batches that wait."""
        for job in self._stop():
            if job.batch is not None:
                self._uploads.done(job.batch)
        return self._state

    def _stop(self) -> list[_Job]:
        """Ask the run to stop; return the jobs that wait and are not done any more."""
        with self._lock:
            if not self._state.running:
                return []
            self._cancel.set()
            waiting, self._jobs = list(self._jobs), deque()
            self._state = replace(self._state, cancelling=True)
            return waiting

    def refuse_while_running(self) -> None:
        """Raise if the library is being changed from this page.

        Raises:
            LibraryLockedError: It is.
        """
        if self._state.running:
            raise LibraryLockedError(text("documents.busy"))

    def wait(self, timeout: float | None = None) -> None:
        """Wait until nothing is running."""
        worker = self._worker
        if worker is not None:
            worker.join(timeout)

    def close(self, timeout: float = 10.0) -> None:
        """Stop what is going on and wait: a thread that is cut off at the end ends the process.

        Batches that were accepted and not taken in yet are kept, see `resume`.
        """
        self._closing = True
        self._stop()
        self.wait(timeout)

    def _chosen(self, numbers: Sequence[int] | None) -> list[Source]:
        sources = self._library.sources()
        if numbers is None:
            return sources
        found = [source for source in sources if source.id in set(numbers)]
        if len(found) < len(set(numbers)):
            raise SourceError(text("documents.no_source"))
        return found

    def _preview(self, source: Source) -> Preview:
        assert source.location is not None
        try:
            report = self._library.sync(source.location, dry_run=True)
        except SourceError as error:
            return Preview(source, None, one_line(str(error)))
        gone = len(report.removed)
        asks = source.kind != "upload" and gone > 1 and gone * 2 > source.documents
        return Preview(source, report, asks=asks)

    def _start(self, jobs: list[_Job]) -> SyncState:
        with self._lock:
            if self._closing:
                return self._state
            self._jobs.extend(job for job in jobs if job not in self._jobs)
            if self._state.running:
                return self._state
            self._cancel = threading.Event()
            self._state = SyncState(
                number=self._state.number + 1, running=True, source=self._jobs[0].source
            )
            self._worker = threading.Thread(target=self._run, name="quoth-sync", daemon=True)
            self._worker.start()
            return self._state

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._jobs or self._cancel.is_set():
                    stopped = self._cancel.is_set()
                    # Jobs that came after the order to stop begin a run of their own.
                    jobs, self._jobs = list(self._jobs), deque()
                    self._state = replace(
                        self._state,
                        running=False,
                        cancelling=False,
                        cancelled=stopped,
                        progress=None,
                        source="",
                        waiting="",
                    )
                    break
                job = self._jobs.popleft()
                self._change(source=job.source, progress=None)
            self._do(job)
        if jobs:
            self._start(jobs)

    def _do(self, job: _Job) -> None:
        try:
            report = self._sync(job)
            self._change(reports=(*self._state.reports, Reported(job.source, report)))
        except SyncCancelledError:
            if self._closing:
                return
        except QuothError as error:
            self._tell(one_line(str(error)))
        except Exception:
            # The thread has no one above it to tell, and the page must not wait for ever.
            logger.exception("bringing the library up to date failed")
            self._tell(text("documents.broken"))
        if job.batch is not None:
            self._uploads.done(job.batch)

    def _sync(self, job: _Job) -> SyncReport:
        while True:
            try:
                report = self._run_once(job)
            except LibraryLockedError as error:
                # Another process holds the lock; what was sent must not be lost for that.
                self._change(waiting=one_line(str(error)))
                if self._cancel.is_set():
                    raise SyncCancelledError from error
                continue
            self._change(waiting="")
            return report

    def _run_once(self, job: _Job) -> SyncReport:
        if job.batch is None:
            return self._library.sync(
                job.root, progress=self._on_progress, yes=job.yes, cancel=self._cancel
            )
        with self._uploads.at_hand(job.batch) as incoming:
            return self._library.take_in(incoming, progress=self._on_progress, cancel=self._cancel)

    def _on_progress(self, progress: Progress) -> None:
        self._change(progress=progress, waiting="")

    def _tell(self, problem: str) -> None:
        self._change(problems=(*self._state.problems, problem))

    def _change(self, **values: object) -> None:
        with self._lock:
            self._state = replace(self._state, **values)  # type: ignore[arg-type]


def source_name(source: Source) -> str:
    """Return what a source is called on the page: not where it lies on this machine."""
    if source.kind == "upload":
        return text("documents.uploads")
    if source.location is None:
        return text("documents.texts")
    return one_line(source.location.name) or text("documents.source_folder")
