"""A library copied to another place: from a folder to servers, back, or between servers.

What is published is copied with its numbers, so conversations still find what they quote, and its
vectors, so nothing is embedded. The indexes of the new place are made from its store. All of it
counts in one transaction: what ends the copy before leaves an empty library, and the next copy
begins again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice

from index.address import Place, address_of
from index.alive import living
from index.catalogue import UPLOADS, Catalogue, drop_removed_elsewhere
from index.database import Database, go_on_numbering, last_number, stream
from index.engines.engine import tidy_up
from index.engines.home import library_of
from index.errors import LibraryError
from index.files import private_folder, settle, write_private
from index.lock import writer_lock
from index.opening import Parts, open_parts
from index.seals import DOCUMENT, EVERYTHING, PASSAGE, SENTENCE, columns, verify
from index.store import generation
from index.upkeep.archive import CHATS
from index.upkeep.backup import copy_chats
from index.uploads import recover

__all__ = ["Copied", "copy_library"]

_BEGUN = ".quoth-copy"  # in the home of a copy that does not count yet
_BATCH = 2000  # rows on their way at once
_USED = (
    "SELECT {table}.vector FROM {table} JOIN documents ON documents.id = {table}.document"
    f" WHERE {living}"
)
# Tables in an order in which each refers only to those before it, with what is taken of them.
_TABLES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "models",
        ("id", "fingerprint", "name", "dim"),
        "id IN (SELECT model FROM generations WHERE number = ?1)",
    ),
    ("generations", ("number", "model", "published_at"), "number = ?1"),
    ("sources", ("id", "kind", "location", "synced_ns"), "kind <> 'gone' AND ?1 >= 0"),
    (
        "vectors",
        ("id", "model", "key", "vector", "crc"),
        f"id IN ({_USED.format(table='sentences')} UNION {_USED.format(table='passages')})",
    ),
    ("documents", (*DOCUMENT, "died", "arrays", "crc", "digest", "content"), living),
    (
        "passages",
        (*PASSAGE, "crc"),
        f"document IN (SELECT id FROM documents WHERE {living})",
    ),
    (
        "sentences",
        ("document", *SENTENCE),
        f"document IN (SELECT id FROM documents WHERE {living})",
    ),
    (
        "files",
        ("source", "path", "size", "mtime_ns", "inode", "hash", "document"),
        f"document IN (SELECT id FROM documents WHERE {living})",
    ),
    (
        "excluded",
        ("source", "path"),
        "source IN (SELECT id FROM sources WHERE kind <> 'upload' AND ?1 >= 0)",
    ),
    (
        "failures",
        ("source", "path", "reason", "hash", "kept", "since", "dismissed"),
        "source IN (SELECT id FROM sources WHERE ?1 >= 0)",
    ),
)
_NUMBERED = ("sources", "models", "documents", "passages", "vectors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A library that was copied.

    Attributes:
        source: Its address.
        target: That of the copy.
        documents: How many.
        sentences: How many.
        uploads: How many uploaded files.
        conversations: Whether kept conversations were copied.
        warnings: What else should be known, a sentence each.
    """

    source: str
    target: str
    documents: int
    sentences: int
    uploads: int
    conversations: bool
    warnings: tuple[str, ...] = ()


def copy_library(
    source: Place, target: Place, *, progress: Callable[[str], None] = lambda step: None
) -> Copied:
    """Copy what a library has published to another place, where there is none yet.

    Nobody can change the library meanwhile; it can be searched. Nothing is embedded.

    Args:
        source: Folder or address of the library.
        target: Folder or address of the copy.
        progress: Gets a few words before each part.

    Raises:
        LibraryError: There is no library at `source`, or one with documents at `target`; nothing
            was changed.
        LibraryLockedError: Another process is changing one of the two.
    """
    old, new = address_of(source), address_of(target)
    if old == new or old.home.resolve() == new.home.resolve():
        raise LibraryError(f"{old} cannot be copied to itself; give another place.")
    before = open_parts(old, create=False, read_only=False)
    with closing(before.store), closing(before.engine):
        after = open_parts(new, create=True, read_only=False)
        with closing(after.store), closing(after.engine):
            return _Copy(before, after, progress).run()


class _Copy:
    def __init__(self, source: Parts, target: Parts, progress: Callable[[str], None]) -> None:
        self.source, self.target, self.progress = source, target, progress
        self.homes = source.address.home.resolve(), target.address.home.resolve()

    def run(self) -> Copied:
        source, target = self.source.store, self.target.store
        self._refuse_the_same()
        with (
            writer_lock(self.homes[0]),
            source.locked(),
            writer_lock(self.homes[1]),
            target.locked(),
        ):
            recover(self.homes[0] / UPLOADS, self._published)
            drop_removed_elsewhere(self.homes[0], source)
            with source.reading() as db:
                return self._copied(db)

    def _copied(self, db: Database) -> Copied:
        target = self.target.store
        verify(db, EVERYTHING)
        with target.reading() as other:
            self._refuse_used(other)
        self.progress("copying uploads and conversations")
        warnings: list[str] = []
        with self._begun():
            uploads = self._uploads(db)
            conversations = self._conversations(warnings)
            with target.writing(seal=EVERYTHING) as other:
                number = self._rows(db, other)
                counts = [
                    int(other.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
                    for table in ("documents", "sentences")
                ]
                self.progress("making the indexes")
                self.target.engine.rewrite(other, number, keep_vectors=False)
        target.checkpoint()
        tidy_up(self.target.engine)
        return Copied(
            source=str(self.source.address),
            target=str(self.target.address),
            documents=counts[0],
            sentences=counts[1],
            uploads=uploads,
            conversations=conversations,
            warnings=tuple(warnings),
        )

    def _refuse_the_same(self) -> None:
        with self.source.store.reading() as db, self.target.store.reading() as other:
            if library_of(db) and library_of(db) == library_of(other):
                raise LibraryError(
                    f"{self.target.address} is the same library; give another place."
                )

    def _refuse_used(self, db: Database) -> None:
        if db.execute("SELECT 1 FROM documents").fetchone() or generation(db) > 0:
            raise LibraryError(
                f"There is a library at {self.target.address} already; give another place, or "
                "delete that one first. Nothing was changed."
            )

    def _published(self) -> dict[str, str]:
        with self.source.store.reading() as db:
            return Catalogue(self.homes[0], db).upload_hashes()

    @contextmanager
    def _begun(self) -> Iterator[None]:
        """Mark the target's home as long as what lies in it does not count.

        What a copy that was killed has left is taken away: it may have been removed since.

        Raises:
            LibraryError: The home has uploads or conversations of another library.
        """
        home = self.homes[1]
        mark, uploads, chats = home / _BEGUN, home / UPLOADS, list(home.glob(f"{CHATS}*"))
        if mark.exists():
            shutil.rmtree(uploads, ignore_errors=True)
            for path in chats:
                path.unlink(missing_ok=True)
        elif chats or (uploads.is_dir() and any(path.is_file() for path in uploads.rglob("*"))):
            raise LibraryError(
                f"{home} has uploads or conversations of a library that was there before; move "
                "that folder away, then copy again. Nothing was changed."
            )
        write_private(mark, b"")
        yield
        mark.unlink()

    def _rows(self, db: Database, other: Database) -> int:
        """Copy all rows of the published generation, and return its number."""
        number = generation(db)
        last = {table: last_number(db, table) for table in _NUMBERED}
        ours, theirs = (
            Catalogue(home, of).uploads for home, of in zip(self.homes, (db, other), strict=True)
        )
        other.execute("DELETE FROM generations")
        other.execute("DELETE FROM sources")  # of a sync that failed before
        for table, names, which in _TABLES:
            self.progress(f"copying {table}")
            marks = ", ".join("?" * len(names))
            insert = f"INSERT INTO {table}({columns(names)}) VALUES({marks})"
            rows = stream(db, f"SELECT {columns(names)} FROM {table} WHERE {which}", (number,))
            if table == "sources":
                rows = (_source(row, ours, theirs) for row in rows)
            while some := list(islice(rows, _BATCH)):
                other.executemany(insert, some)
        go_on_numbering(other, last)
        return number

    def _uploads(self, db: Database) -> int:
        """Copy the uploaded files that are published, and return how many they are."""
        there, to = (home / UPLOADS for home in self.homes)
        paths = [
            path
            for path in sorted(Catalogue(self.homes[0], db).upload_hashes())
            if ".." not in path.split("/") and (there / path).is_file()
        ]
        if not paths:
            return 0
        private_folder(to)
        for path in paths:
            (to / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(there / path, to / path)
        settle(to)
        return len(paths)

    def _conversations(self, warnings: list[str]) -> bool:
        source, target = (home / CHATS for home in self.homes)
        return copy_chats(source, target, warnings, "the copy")


def _source(row: tuple[object, ...], ours: str, theirs: str) -> tuple[object, ...]:
    """Return a source as it is at the new place.

    Files uploaded at another server of a remote library stay there: their documents are texts.
    """
    number, kind, location, synced = row
    if kind == "upload":
        return (number, kind, theirs, synced) if location == ours else (number, "text", location, 0)
    return row
