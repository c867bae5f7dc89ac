"""A source and the library are brought into step: only the difference is read and embedded."""

from __future__ import annotations

import logging
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from index.ahead import ahead
from index.alive import living
from index.content import stored_content
from index.database import Database
from index.draft import Draft
from index.engines.engine import Engine
from index.errors import SourceError, SyncCancelledError
from index.failures import failed_before, remember_failures
from index.fileread import FileRead, read_prepared
from index.formats import Limits
from index.formats.opening import content_mark
from index.ingest import BATCH, PIPELINE, Label, Prepared, prepare
from index.reports import Progress, Skip, SyncReport
from index.scan import Difference, Found, Known, Scan, compare, scan
from index.schema import upsert
from index.store import Store, generation
from index.types import Encoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SourceRow", "SyncOptions", "source_id", "sync_source"]

logger = logging.getLogger(f"quoth.{__name__}")


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as the store knows it; `id` is None as long as nothing of it is indexed."""

    id: int | None
    kind: str
    location: str
    root: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """How a sync is done; see `Library.sync`."""

    progress: Callable[[Progress], None] | None = None
    dry_run: bool = False
    full: bool = False
    yes: bool = False
    cancel: threading.Event | None = None
    ray: str | None = None


def sync_source(
    engine: Engine,
    store: Store,
    source: SourceRow,
    encoder: Callable[[], Encoder],
    options: SyncOptions,
) -> SyncReport:
    """Bring one source into step; see `Library.sync`."""
    return _Sync(engine, store, source, encoder, options).run()


class _Sync:
    def __init__(
        self,
        engine: Engine,
        store: Store,
        source: SourceRow,
        encoder: Callable[[], Encoder],
        options: SyncOptions,
    ) -> None:
        self.engine, self.store, self.source, self.encoder = engine, store, source, encoder
        self.options = options
        self.started = time.monotonic()
        self.started_ns = time.time_ns()
        # A source may be one file; what is read lies below a folder in any case.
        self.below = source.root.parent if source.root.is_file() else source.root
        self.files = self.files_failed = 0
        self.read: list[str] = []  # paths of the files that were read
        self.ends: list[int] = []  # sentences up to the end of each of them
        self.skipped: list[Skip] = []
        self.warnings: list[str] = []
        self.written: dict[str, int] = {}  # document by path

    def run(self) -> SyncReport:
        known, synced_ns, stale, excluded = self._before()
        found = scan(self.source.root, excluded=excluded, longest=self.store.longest_path)
        self.skipped += [replace(s, kept=s.path in known) for s in found.skipped]
        if not found.found and self.source.kind != "upload":
            self._refuse_nothing(found.ignored)
        difference, unreadable = compare(
            found.found,
            known,
            synced_ns=synced_ns,
            stale=stale,
            full=self.options.full,
            unseen={skip.path for skip in found.skipped} | found.closed,
            content_hash=self._hash,
        )
        self.skipped += unreadable
        self._ask_before_removing(len(known), len(difference.removed))
        if self.options.dry_run:
            self._expect_failures(difference, known)
            return self._report(difference, known, found.ignored)
        return self._apply(difference, known, found)

    def _before(self) -> tuple[dict[str, Known], int, frozenset[int], list[str]]:
        """Return the known files, time of the last sync, stale documents, excluded paths."""
        with self.store.reading() as db:
            files = db.execute(
                "SELECT path, size, mtime_ns, inode, hash, document FROM files WHERE source = ?",
                (self.source.id,),
            )
            known = {row["path"]: Known(*row) for row in files}
            row = db.execute(
                "SELECT synced_ns FROM sources WHERE id = ?", (self.source.id,)
            ).fetchone()
            stale = db.execute(
                f"SELECT id FROM documents WHERE {living} AND source = ?2 AND pipeline <> ?3",
                (generation(db), self.source.id, PIPELINE),
            )
            excluded = db.execute("SELECT path FROM excluded WHERE source = ?", (self.source.id,))
            return (
                known,
                0 if row is None else int(row[0]),
                frozenset(r[0] for r in stale),
                [r[0] for r in excluded],
            )

    def _hash(self, file: Path) -> str:
        return content_mark(
            file, root=self.below, max_bytes=Limits().max_bytes, between=self._stop_if_asked
        )

    def _stop_if_asked(self) -> None:
        """Raise if the sync was cancelled; called between files and between batches of vectors."""
        if self.options.cancel is not None and self.options.cancel.is_set():
            raise SyncCancelledError

    def _expect_failures(self, difference: Difference, known: dict[str, Known]) -> None:
        """Take files that failed last time and are still the same for failures again."""
        with self.store.reading() as db:
            failed = failed_before(db, self.source.id)
        fresh, difference.fresh = difference.fresh, []
        for item in fresh:
            reason = failed.get((item.path, difference.hashes[item.path]))
            if reason is None:
                difference.fresh.append(item)
            else:
                self.skipped.append(Skip(item.path, reason, kept=item.path in known))

    def _refuse_nothing(self, ignored: int) -> None:
        """An unmounted disk looks like an empty folder; it must not empty the library."""
        what = f"{self.source.root} holds no file that can be read"
        if self.skipped:
            first = self.skipped[0]
            what += f" ({len(self.skipped)} skipped, such as {first.path}: {first.reason})"
        elif ignored:
            what += f" ({ignored} hidden or ignored)"
        raise SourceError(f"{what}; nothing was changed.")

    def _ask_before_removing(self, known: int, removed: int) -> None:
        if self.options.dry_run or self.options.yes or self.source.kind == "upload":
            return
        if removed * 2 > known and removed > 1:
            raise SourceError(
                f"{removed} of {known} documents are gone from {self.source.root}; nothing was "
                "changed. If they shall leave the library, sync again with --yes (yes=True)."
            )

    def _apply(self, difference: Difference, known: dict[str, Known], found: Scan) -> SyncReport:
        self.files = len(difference.fresh) + len(difference.renamed)
        with Draft(self.engine, self.store, self.encoder, on_progress=self._step) as draft:
            if self.files or difference.removed:
                with self.store.writing(seal=("sources",)) as db:
                    source = source_id(db, self.source.kind, self.source.location)
                for before, item in difference.renamed:
                    self._rename(draft, source, before, item)
                with self._readings(difference, source) as readings:
                    for reading in readings:
                        self._take_in_file(draft, reading, difference, known)
            draft.flush()
            gone = [k.document for k in difference.removed]
            gone += [before.document for before, _ in difference.renamed]
            gone += [known[path].document for path in self.written if path in known]
            draft.retire(gone)
            embedded = sentences = 0
            if self.written:
                embedded, sentences = draft.ingest.embedded, draft.ingest.sentences
            number = draft.base
            self._stop_if_asked()
            if self.written or gone:
                number = draft.publish(lambda db: self._remember(db, difference, found))
            else:
                with self.store.writing() as db:
                    self._remember(db, difference, found)
        report = self._report(difference, known, found.ignored)
        return replace(report, embedded=embedded, sentences=sentences, generation=number)

    @contextmanager
    def _readings(self, difference: Difference, source: int) -> Iterator[Iterator[FileRead]]:
        """Give the files read and prepared, while what was read before is embedded."""
        fresh = difference.fresh
        if self.options.ray is not None and fresh:
            from index.nodes import Work, cluster, readings

            encoder = self.encoder()
            work = Work(self.below, source, encoder.name, encoder.fingerprint)
            made = readings(
                work, fresh, difference.hashes, self._stop_if_asked, self.options.cancel
            )
            with cluster(self.options.ray), closing(made):
                yield made
            return
        halt = threading.Event()
        here = (read_prepared(item, self.below, source, halt) for item in fresh)
        with ahead(
            here, BATCH, weight=attrgetter("sentences"), meanwhile=self._stop_if_asked
        ) as found:
            try:
                yield found
            finally:
                halt.set()  # before its end is waited for: a file may take minutes to read

    def _take_in_file(
        self, draft: Draft, reading: FileRead, difference: Difference, known: dict[str, Known]
    ) -> None:
        self._stop_if_asked()
        path, prepared = reading.item.path, reading.prepared
        if prepared is None:
            self._fail(path, reading.failure, kept=path in known)
            return
        # The file may have been replaced since it was compared; its size and times are those of
        # then, so that the next sync looks at it again.
        difference.hashes[path] = reading.sha256
        self.warnings += [f"{path}: {warning}" for warning in prepared.document.warnings]
        self._take_in(draft, prepared, reading.vectors)

    def _fail(self, path: str, reason: str, *, kept: bool) -> None:
        self.skipped.append(Skip(path, reason, kept=kept))
        self.files_failed += 1

    def _rename(self, draft: Draft, source: int, before: Known, item: Found) -> None:
        """Give a document another path: the same text, nothing read or embedded again."""
        with self.store.reading() as db:
            document = stored_content(db, before.document)
            (form,) = db.execute(
                "SELECT type FROM documents WHERE id = ?", (before.document,)
            ).fetchone()
        self._take_in(draft, prepare(document, Label(source=source, path=item.path, type=form)))

    def _take_in(
        self,
        draft: Draft,
        prepared: Prepared,
        vectors: Mapping[bytes, NDArray[np.float16]] | None = None,
    ) -> None:
        self.read.append(prepared.label.path)
        self.ends.append((self.ends[-1] if self.ends else 0) + len(prepared.sentences))
        written = partial(self.written.__setitem__, prepared.label.path)
        draft.ingest.add(prepared, written, vectors or {})

    def _step(self, path: str, sentences: int) -> None:
        self._stop_if_asked()
        if self.options.progress is None:
            return
        embedded = bisect_right(self.ends, sentences)
        part = 0.0
        if embedded < len(self.ends):
            path = self.read[embedded]
            start = self.ends[embedded - 1] if embedded else 0
            part = (sentences - start) / (self.ends[embedded] - start)
        done = self.files_failed + embedded
        seconds = time.monotonic() - self.started
        self.options.progress(Progress(path, done, self.files, sentences, seconds, part))

    def _remember(self, db: Database, difference: Difference, found: Scan) -> None:
        """Note how the files look now, in the transaction that publishes them."""
        source = source_id(db, self.source.kind, self.source.location)
        gone = [k.path for k in difference.removed] + [b.path for b, _ in difference.renamed]
        db.executemany(
            "DELETE FROM files WHERE source = ? AND path = ?", [(source, path) for path in gone]
        )
        fresh = [(item, self.written.get(item.path)) for item in difference.fresh]
        fresh += [(item, self.written.get(item.path)) for _, item in difference.renamed]
        rows = [(item, difference.hashes[item.path], d) for item, d in fresh if d is not None]
        rows += [(item, before.hash, before.document) for before, item in difference.same]
        db.executemany(
            upsert("files", ("source", "path"), ("size", "mtime_ns", "inode", "hash", "document")),
            [
                (source, item.path, item.size, item.mtime_ns, item.inode, digest, document)
                for item, digest, document in rows
            ],
        )
        db.execute("UPDATE sources SET synced_ns = ? WHERE id = ?", (self.started_ns, source))
        # An upload that gave no document is not kept, and its failure is not gone with it.
        only = {item.path for item in found.found} if self.source.kind == "upload" else None
        remember_failures(db, source, self.skipped, difference.hashes, only=only)

    def _report(self, difference: Difference, known: dict[str, Known], ignored: int) -> SyncReport:
        dry_run = self.options.dry_run
        renamed = {item.path for _, item in difference.renamed}
        fresh = [
            item.path
            for item in difference.fresh
            if dry_run or (item.path in self.written and item.path not in renamed)
        ]
        return SyncReport(
            added=tuple(path for path in fresh if path not in known),
            updated=tuple(path for path in fresh if path in known),
            renamed=tuple((before.path, item.path) for before, item in difference.renamed),
            removed=tuple(k.path for k in difference.removed),
            unchanged=len(difference.same),
            ignored=ignored,
            skipped=tuple(sorted(self.skipped, key=lambda skip: skip.path)),
            warnings=tuple(self.warnings),
            seconds=time.monotonic() - self.started,
            dry_run=dry_run,
        )


def source_id(db: Database, kind: str, location: str) -> int:
    """Return the number of a source, making it if it is new."""
    key = (kind, location)
    db.execute("INSERT INTO sources(kind, location) VALUES(?, ?) ON CONFLICT DO NOTHING", key)
    row = db.execute("SELECT id FROM sources WHERE kind = ? AND location = ?", key).fetchone()
    return int(row["id"])
