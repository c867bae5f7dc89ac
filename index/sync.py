"""A source and the library are brought into step: only the difference is read and embedded."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from index.content import decode_content
from index.draft import Draft, living
from index.errors import FormatError, SourceError
from index.files import sha256
from index.formats import format_of, read_document
from index.ingest import PIPELINE, Label, prepare
from index.reports import Progress, Skip, SyncReport
from index.scan import Difference, Found, Known, compare, scan
from index.store import Store, generation
from index.types import Encoder

__all__ = ["SourceRow", "source_id", "sync_source"]

logger = logging.getLogger(f"quoth.{__name__}")


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as the store knows it; `id` is None as long as nothing of it is indexed."""

    id: int | None
    kind: str
    location: str
    root: Path


def sync_source(
    folder: Path,
    store: Store,
    source: SourceRow,
    encoder: Callable[[], Encoder],
    *,
    progress: Callable[[Progress], None] | None = None,
    dry_run: bool = False,
    full: bool = False,
    yes: bool = False,
) -> SyncReport:
    """Bring one source into step; see `Library.sync`."""
    return _Sync(folder, store, source, encoder, progress, full=full, yes=yes).run(dry_run=dry_run)


class _Sync:
    def __init__(
        self,
        folder: Path,
        store: Store,
        source: SourceRow,
        encoder: Callable[[], Encoder],
        progress: Callable[[Progress], None] | None,
        *,
        full: bool,
        yes: bool,
    ) -> None:
        self.folder, self.store, self.source, self.encoder = folder, store, source, encoder
        self.progress = progress
        self.full, self.yes = full, yes
        self.started = time.monotonic()
        self.started_ns = time.time_ns()
        self.files = self.files_done = 0
        self.skipped: list[Skip] = []
        self.warnings: list[str] = []
        self.written: dict[str, int] = {}  # document by path

    def run(self, *, dry_run: bool) -> SyncReport:
        known, synced_ns, stale, excluded = self._before()
        found = scan(self.source.root, excluded=excluded)
        self.skipped += [replace(s, kept=s.path in known) for s in found.skipped]
        if not found.found and self.source.kind != "upload":
            self._refuse_nothing(found.ignored)
        difference, unreadable = compare(
            found.found,
            known,
            synced_ns=synced_ns,
            stale=stale,
            full=self.full,
            unseen={skip.path for skip in found.skipped},
            content_hash=sha256,
        )
        self.skipped += unreadable
        self._ask_before_removing(len(known), len(difference.removed), dry_run=dry_run)
        if dry_run:
            return self._report(difference, known, found.ignored, dry_run=True)
        return self._apply(difference, known, found.ignored)

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

    def _refuse_nothing(self, ignored: int) -> None:
        """An unmounted disk looks like an empty folder; it must not empty the library."""
        what = f"{self.source.root} holds no file that can be read"
        if self.skipped:
            first = self.skipped[0]
            what += f" ({len(self.skipped)} skipped, such as {first.path}: {first.reason})"
        elif ignored:
            what += f" ({ignored} hidden or ignored)"
        raise SourceError(f"{what}; nothing was changed.")

    def _ask_before_removing(self, known: int, removed: int, *, dry_run: bool) -> None:
        if dry_run or self.yes or self.source.kind == "upload":
            return
        if removed * 2 > known and removed > 1:
            raise SourceError(
                f"{removed} of {known} documents are gone from {self.source.root}; nothing was "
                "changed. If they shall leave the library, sync again with --yes (yes=True)."
            )

    def _apply(self, difference: Difference, known: dict[str, Known], ignored: int) -> SyncReport:
        self.files = len(difference.fresh) + len(difference.renamed)
        with Draft(self.folder, self.store, self.encoder, on_progress=self._step) as draft:
            if self.files or difference.removed:
                with self.store.writing() as db:
                    source = source_id(db, self.source.kind, self.source.location)
                for before, item in difference.renamed:
                    self._rename(draft, source, before, item)
                for item in difference.fresh:
                    self._read(draft, source, item, kept=item.path in known)
            draft.flush()
            gone = [k.document for k in difference.removed]
            gone += [before.document for before, _ in difference.renamed]
            gone += [known[path].document for path in self.written if path in known]
            draft.retire(gone)
            embedded = sentences = 0
            if self.written:
                embedded, sentences = draft.ingest.embedded, draft.ingest.sentences
            number = draft.base
            if self.written or gone:
                number = draft.publish(lambda db: self._remember(db, difference))
            else:
                with self.store.writing() as db:
                    self._remember(db, difference)
        report = self._report(difference, known, ignored, dry_run=False)
        return replace(report, embedded=embedded, sentences=sentences, generation=number)

    def _read(self, draft: Draft, source: int, item: Found, *, kept: bool) -> None:
        try:
            document = read_document(item.file)
        except FormatError as error:
            self.skipped.append(Skip(item.path, error.reason, kept=kept))
            self.files_done += 1
            return
        form = format_of(item.file)
        label = Label(source=source, path=item.path, type=form.name if form else "")
        prepared = prepare(document, label)
        if not prepared.sentences:
            self.skipped.append(Skip(item.path, "no text", kept=kept))
            self.files_done += 1
            return
        self.warnings += [f"{item.path}: {warning}" for warning in document.warnings]
        draft.ingest.add(prepared, partial(self._done, item.path))

    def _rename(self, draft: Draft, source: int, before: Known, item: Found) -> None:
        """Give a document another path: the same text, nothing read or embedded again."""
        with self.store.reading() as db:
            row = db.execute(
                "SELECT type, content FROM documents WHERE id = ?", (before.document,)
            ).fetchone()
        label = Label(source=source, path=item.path, type=row["type"])
        document = decode_content(row["content"])
        draft.ingest.add(prepare(document, label), partial(self._done, item.path))

    def _done(self, path: str, number: int) -> None:
        self.written[path] = number
        self.files_done += 1

    def _step(self, path: str, sentences: int) -> None:
        if self.progress is not None:
            seconds = time.monotonic() - self.started
            self.progress(Progress(path, self.files_done, self.files, sentences, seconds))

    def _remember(self, db: sqlite3.Connection, difference: Difference) -> None:
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
            "INSERT OR REPLACE INTO files VALUES(?, ?, ?, ?, ?, ?, ?)",
            [
                (source, item.path, item.size, item.mtime_ns, item.inode, digest, document)
                for item, digest, document in rows
            ],
        )
        db.execute("UPDATE sources SET synced_ns = ? WHERE id = ?", (self.started_ns, source))

    def _report(
        self, difference: Difference, known: dict[str, Known], ignored: int, *, dry_run: bool
    ) -> SyncReport:
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


def source_id(db: sqlite3.Connection, kind: str, location: str) -> int:
    """Return the number of a source, making it if it is new."""
    key = (kind, location)
    db.execute("INSERT OR IGNORE INTO sources(kind, location) VALUES(?, ?)", key)
    row = db.execute("SELECT id FROM sources WHERE kind = ? AND location = ?", key).fetchone()
    return int(row["id"])
