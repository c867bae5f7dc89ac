"""Library: an index on disk with its documents, the one object users hold."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from index.adding import Texts, add_texts, file_to_add
from index.address import Address, address_of
from index.catalogue import UPLOADS, Catalogue, drop_removed_elsewhere
from index.content import ContentCache
from index.draft import Draft
from index.errors import FormatError, LibraryError, SourceError
from index.failures import dismiss, failures, forget_failures
from index.files import bytes_in, folder_within, settle
from index.lock import writer_lock
from index.models import Models
from index.opening import Parts, open_parts
from index.reports import (
    Failure,
    FindResult,
    Freed,
    Outdated,
    Progress,
    Source,
    Status,
    SyncReport,
)
from index.searcher import Searcher
from index.snapshots import Snapshots
from index.store import generation
from index.sync import SyncOptions, sync_source
from index.types import Document, DocumentInfo, Encoder, Filter
from index.uploads import exchanging, interrupted, recover, taken_up

if TYPE_CHECKING:
    from index.upkeep.backup import Backup
    from index.upkeep.check import Checkup
    from index.upkeep.repair import Repaired

__all__ = ["Library"]

logger = logging.getLogger(f"quoth.{__name__}")


class Library:
    """An index on disk, one folder that can be moved and copied while it is closed.

    Any number of threads and processes may search; one at a time may change it.
    """

    def __init__(self, parts: Parts, encoder: Encoder | None) -> None:
        self.address, self._store, self._engine = parts
        self.path = self.address.home.resolve()
        self._models = Models(self._store, encoder)
        self._contents = ContentCache()
        self._snapshots = Snapshots(self.path, self._engine, self._contents)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | Address,
        *,
        create: bool = False,
        read_only: bool = False,
        encoder: Encoder | str | None = None,
    ) -> Library:
        """Open the library in the folder `path`, or at the address `path`.

        Args:
            path: The library's folder; by custom its name ends in `.quoth`. Or where it is beyond
                this machine, such as "postgresql://user@host/database"; see `index.address`.
            create: Make an empty library where there is nothing. Without it a mistyped path
                is an error.
            read_only: Allow searching only.
            encoder: The embedding model: an object, or a sentence-transformers name or folder.
                Needed only for a new library that shall not use the default model, or for a
                model that cannot be loaded by the name it was recorded with.

        Raises:
            LibraryNotFoundError: There is nothing and `create` is false.
            LibraryFormatError: The folder is something else, or of a newer version.
            LibraryUnreachableError: A server that it is on does not answer.
            ModelMismatchError: The library was built with another model than `encoder`.
        """
        if isinstance(encoder, str):
            from index.encoder import load_encoder

            encoder = load_encoder(encoder)
        address = path if isinstance(path, Address) else address_of(path)
        library = cls(open_parts(address, create=create, read_only=read_only), encoder)
        if encoder is not None:
            try:
                library._models.check(encoder)
            except BaseException:
                library.close()
                raise
        if not read_only:
            library._recover()
        return library

    def _recover(self) -> None:
        """Put uploads in order that a writer has left half way; who writes now does it later."""
        if interrupted(self.uploads):
            with contextlib.suppress(LibraryError, OSError), writer_lock(self.path, wait=0):
                recover(self.uploads, self._recorded_uploads)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; a question that is being answered is answered first."""
        self._store.close()
        self._engine.close()

    @property
    def uploads(self) -> Path:
        """Folder inside the library for files that have no other place; a source like any other."""
        return self.path / UPLOADS

    @property
    def generation(self) -> int:
        """Number of the published state."""
        with self._store.reading() as db:
            return generation(db)

    # -- changing -----------------------------------------------------------------------------

    def sync(
        self,
        source: str | os.PathLike[str],
        *,
        progress: Callable[[Progress], None] | None = None,
        dry_run: bool = False,
        full: bool = False,
        yes: bool = False,
        cancel: threading.Event | None = None,
        ray: str | None = None,
    ) -> SyncReport:
        """Bring the library into step with a folder or file: read and embed what is new.

        Args:
            source: A folder with its subfolders, or one file.
            progress: Called often while it goes on, from this thread.
            dry_run: Report what would be done and do nothing.
            full: Compare the content of every file, not only of those whose size, time or
                inode changed.
            yes: Allow that more than half of the source's documents are removed.
            cancel: Once set, the sync stops between two files or batches. What was embedded
                until then makes the next one quick.
            ray: Address of a Ray cluster on whose nodes files are read and embedded, "auto" for
                the one that runs here. The files have the same path there.

        Raises:
            SyncCancelledError: `cancel` was set; the library is as it was.
            ClusterError: The cluster is not there, or a node has another version.
            MissingExtraError: Ray is not installed.
            SourceError: The source is missing, holds nothing that can be read, or would lose
                more than half of its documents; the library is as it was.
            LibraryLockedError: Another process is changing the library.
        """
        root = Path(source).expanduser().resolve()
        options = SyncOptions(
            progress=progress, dry_run=dry_run, full=full, yes=yes, cancel=cancel, ray=ray
        )
        with self._changing():
            if root == self.uploads:
                folder_within(root)
            # Not Path.exists(): that raises where a folder above may not be looked into.
            if not os.path.exists(root):
                raise SourceError(f"There is no folder or file at {source}; nothing was changed.")
            if not dry_run:
                with self._store.writing() as db:
                    root = Catalogue(self.path, db).readmit(root)
            return self._sync(root, options)

    def _sync(self, root: Path, options: SyncOptions) -> SyncReport:
        if root == self.uploads:
            settle(root)  # others may have put the files there
        with self._store.reading() as db:
            row = Catalogue(self.path, db).source(root)
        return sync_source(self._engine, self._store, row, self._models.newest, options)

    def add(
        self,
        path_or_text: str | os.PathLike[str],
        *,
        name: str | None = None,
        title: str | None = None,
        date: str | None = None,
    ) -> DocumentInfo:
        """Add one document: a file (a path) or a text (a string, with `name`).

        A file is copied into `uploads` and kept there. A text replaces the text that was added
        under the same name.

        Args:
            path_or_text: A `Path`, or a string: the path of an existing file if no `name` is
                given, otherwise the text itself.
            name: What the document is called; needed for a text.
            title: Title, where the document states none or another is wanted; texts only.
            date: ISO 8601 day; texts only.

        Raises:
            SourceError: There is no such file, or a text has no name.
            FormatError: The file cannot be read; the message says why.
        """
        if isinstance(path_or_text, str) and name is not None:
            return self.add_texts([(name, path_or_text, title, date)])[0]
        return self._add_file(Path(path_or_text), name)

    def add_texts(
        self,
        texts: Texts,
        *,
        progress: Callable[[Progress], None] | None = None,
    ) -> list[DocumentInfo]:
        """Add many texts at once, each (name, text, title or None, ISO 8601 day or None).

        Raises:
            FormatError: A text holds no word or is not valid Unicode; nothing is added.
        """
        with self._changing():
            numbers = add_texts(self._store, self._draft, self.documents, texts, progress)
        return [self.document(number) for number in numbers]

    def _add_file(self, path: Path, name: str | None) -> DocumentInfo:
        file, target = file_to_add(path, name, self.uploads)
        with self._changing(), taken_up(file, target.name, self.uploads) as incoming:
            report = self._take_in(incoming, SyncOptions())
            failed = next((skip for skip in report.skipped if skip.path == target.name), None)
            added = next((d for d in self.documents() if d.file == target), None)
            if failed is not None or added is None:
                self._forget_failed_upload(target.name)
                reason = failed.reason if failed else "the uploads leave it out"
                raise FormatError(f"{target.name}: {reason}")
            return added

    def take_in(
        self,
        incoming: Path,
        *,
        progress: Callable[[Progress], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> SyncReport:
        """Move all files below the folder `incoming` among the uploads, and publish that.

        Files that give no document are taken away again, as the report says; if it fails or is
        cancelled, all are, and what they would have replaced is as it was.

        Args:
            incoming: A folder in the library's folder of uploads whose name begins with a dot;
                its files have been synced to the disk.
            progress: As for `sync`.
            cancel: As for `sync`.

        Raises:
            SyncCancelledError: `cancel` was set; the library is as it was.
            LibraryError: A file cannot be put in its place.
            LibraryLockedError: Another process is changing the library.
        """
        options = SyncOptions(progress=progress, yes=True, cancel=cancel)
        with self._changing():
            return self._take_in(incoming, options)

    def _take_in(self, incoming: Path, options: SyncOptions) -> SyncReport:
        with exchanging(self.uploads, self._recorded_uploads) as exchange:
            exchange.place(incoming)
            report = self._sync(self.uploads, options)
            exchange.undo_failed(skip.path for skip in report.skipped)
        return report

    def _recorded_uploads(self) -> dict[str, str]:
        """Return the SHA-256 of each upload as it is published, by path."""
        with self._store.reading() as db:
            return Catalogue(self.path, db).upload_hashes()

    def _forget_failed_upload(self, name: str) -> None:
        """Whoever added the file is told at once, and the file is not kept."""
        with self._store.writing() as db:
            source = Catalogue(self.path, db).source(self.uploads).id
            if source is not None:
                forget_failures(db, [(source, name)])

    def remove(self, *what: int | str | os.PathLike[str]) -> list[DocumentInfo]:
        """Take documents out of the library at once; files outside it are not touched.

        Args:
            what: Each a document's number, its path, a file or folder on disk, or a source's
                folder (then the source is forgotten). What was removed from a folder one by
                one stays out until it is synced by its own path.

        Returns:
            The documents that were removed.

        Raises:
            DocumentNotFoundError: Nothing of the library is called so; nothing was removed.
        """
        with self._changing():
            found = self.named(*what)
            files = [info.file for info in found if info.file is not None]
            gone = [file for file in files if self.uploads in file.parents and file.is_file()]
            with exchanging(self.uploads, self._recorded_uploads) as exchange:
                exchange.take_away(file.relative_to(self.uploads).as_posix() for file in gone)
                with self._draft() as draft:
                    draft.retire(info.id for info in found)
                    draft.publish(lambda db: Catalogue(self.path, db).forget(found, *what))
        return found

    def dismiss(self, failures: Iterable[Failure]) -> int:
        """Leave these out of `failures()` until another file or another reason comes.

        Returns:
            How many there were.
        """
        if self._store.read_only:
            raise LibraryError(f"{self.path} was opened for reading only.")
        with self._store.writing() as db:
            return dismiss(db, ((failure.source, failure.path) for failure in failures))

    def rebuild(
        self,
        *,
        encoder: Encoder | str | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """Make the derived files anew; with `encoder`, embed every document with that model.

        Search goes on with the old state until the new one is complete.
        """
        from index.maintain import reembed, rewrite_derived

        if isinstance(encoder, str):
            from index.encoder import load_encoder

            encoder = load_encoder(encoder)
        with self._changing():
            if encoder is None:
                rewrite_derived(self._engine, self._store, drop_dead=False)
            else:
                self._models.know(encoder)
                reembed(self._engine, self._store, encoder, progress)
                self._models.use(encoder)

    def compact(self) -> Freed:
        """Remove what is no longer alive from the disk, and return the bytes won.

        Returns:
            The bytes, a number like any other; `left` says why text of what was removed is still
            on the disk. It is empty unless somebody searched all the while, or the disk is full.
        """
        from index.maintain import rewrite_derived

        with self._changing():
            before = self._bytes
            rewrite_derived(self._engine, self._store, drop_dead=True)
            left = self._store.vacuum()
            return Freed(max(0, before - self._bytes), left)

    @property
    def _bytes(self) -> int:
        return bytes_in(self.path) + self._store.bytes_elsewhere

    def check(self) -> Checkup:
        """Return all that is wrong; `check_library` also where it cannot be opened."""
        from index.upkeep.check import check_library

        return check_library(self.address)

    def repair(self, checkup: Checkup | None = None) -> Repaired:
        """Mend what `checkup` found, else a new check, from what is left; and check again."""
        from index.upkeep.repair import repair_library

        if self._store.read_only:
            raise LibraryError(f"{self.path} was opened for reading only.")
        return repair_library(self.address, checkup, encoder=self._models.given)

    def relocate(self, moves: Mapping[Path, Path] | Mapping[str, str]) -> list[tuple[Path, Path]]:
        """Say where sources live now, by where they, or a folder above them, were.

        Returns the old and the new place of each; the next sync reads and embeds nothing twice.

        Raises:
            SourceError: No source was there, the new place does not exist, or it overlaps another.
        """
        from index.upkeep.relocate import relocate

        with self._changing(), self._store.writing() as db:
            return relocate(db, self.path, moves)

    def backup(self, target: str | os.PathLike[str], *, force: bool = False) -> Backup:
        """Write the published state, conversations and uploads into one file, also while in use.

        Raises:
            BackupError: It cannot be written, or the library is damaged; no file was made.
        """
        from index.upkeep.backup import backup_library

        return backup_library(self.path, self._store, Path(target), force=force)

    def documents(self, where: Filter | None = None) -> list[DocumentInfo]:
        """Return the documents, those that `where` allows, in order of path."""
        with self._store.reading() as db:
            infos = Catalogue(self.path, db).documents()
        return [info for info in infos if where is None or where.matches(info)]

    def document(self, number: int) -> DocumentInfo:
        """Return one version of a document, also one that is no longer alive.

        Raises:
            DocumentNotFoundError: There is none with this number.
        """
        with self._store.reading() as db:
            return Catalogue(self.path, db).document(number)

    def file_hash(self, number: int) -> str | None:
        """Return the SHA-256 of the file that a document was read from, as it was then.

        None for a text without a file, and for a document that is no longer alive.
        """
        with self._store.reading() as db:
            return Catalogue(self.path, db).file_hash(number)

    def named(self, *what: int | str | os.PathLike[str]) -> list[DocumentInfo]:
        """Return what `remove(*what)` would take away.

        Raises:
            DocumentNotFoundError: Nothing of the library is called so.
        """
        with self._store.reading() as db:
            return Catalogue(self.path, db).named(*what)

    def failures(self, *, dismissed: bool = False) -> tuple[Failure, ...]:
        """Return the files that gave no document when their source was synced last.

        Args:
            dismissed: Also return those that were dismissed.
        """
        with self._store.reading() as db:
            return failures(db, Catalogue(self.path, db).bases(), dismissed=dismissed)

    def outdated(self) -> Outdated:
        """Return the documents whose files have changed since they were indexed, or are gone."""
        from index.outdated import outdated

        with self._store.reading() as db:
            return outdated(db, Catalogue(self.path, db).bases())

    def content(self, number: int) -> Document:
        """Return the stored text, blocks and pages of a document.

        Raises:
            DocumentNotFoundError: There is none with this number.
        """
        with self._store.reading() as db:
            return self._contents.get(db, number)

    def text(self, number: int) -> str:
        """Return the stored text of a document; every span indexes into it."""
        return self.content(number).text

    def sources(self) -> list[Source]:
        """Return the folders, files, uploads and texts the library keeps."""
        with self._store.reading() as db:
            return Catalogue(self.path, db).sources()

    def find(self, words: str, *, where: Filter | None = None) -> FindResult:
        """Return every sentence with all these words or "quoted phrases"; not a top-k."""
        from index.find import find

        with self.searching() as searcher:
            return find(searcher, words, where)

    def status(self) -> Status:
        """Return counts, sources, model and size."""
        with self.searching() as searcher:
            return searcher.status(self.address, self.sources(), self._bytes)

    @contextmanager
    def searching(self) -> Iterator[Searcher]:
        """Give a searcher over the newest generation; it sees that state until the block ends."""
        with self._store.reading() as db:
            yield Searcher(self._snapshots.newest(db), db)

    @property
    def encoder(self) -> Encoder:
        """The model that made the library's vectors, loaded when it is first needed."""
        return self._models.newest()

    def encoder_for(self, searcher: Searcher) -> Encoder:
        """Return the model that made the vectors of the state that `searcher` sees."""
        return self._models.encoder(searcher.model_name, searcher.model_fingerprint)

    def encoder_loaded(self, searcher: Searcher) -> bool:
        """Return whether `encoder_for` would answer without loading anything."""
        return self._models.loaded(searcher.model_fingerprint)

    # -- inside -------------------------------------------------------------------------------

    @contextmanager
    def _changing(self) -> Iterator[None]:
        if self._store.read_only:
            raise LibraryError(f"{self.path} was opened for reading only.")
        with writer_lock(self.path), self._store.locked():
            try:
                recover(self.uploads, self._recorded_uploads)
                drop_removed_elsewhere(self.path, self._store)
                yield
            except ConnectionError:
                raise  # of whoever is told the progress
            except OSError as error:
                raise LibraryError(
                    f"{error.filename or self.path} cannot be written or read "
                    f"({error.strerror or error}); make room if the disk is full, and try again. "
                    "The library is in order."
                ) from error

    def _draft(
        self, on_progress: Callable[[str, int], None] = lambda path, sentences: None
    ) -> Draft:
        return Draft(self._engine, self._store, self._models.newest, on_progress=on_progress)
