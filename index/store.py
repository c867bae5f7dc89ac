"""SQLite: the truth of a library.

Readers take a snapshot (one read transaction a question), the one writer publishes a
generation in one transaction; write-ahead logging lets both go on at once.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from index.database import Database
from index.errors import (
    LibraryDamagedError,
    LibraryError,
    LibraryFormatError,
    LibraryLockedError,
    LibraryNotFoundError,
)
from index.files import create_private, flush, private_folder
from index.lock import writer_lock
from index.schema import (
    APPLICATION_ID,
    FORMAT_VERSION,
    MIGRATIONS,
    OLDEST_READABLE,
    statements,
    upsert,
)
from index.seals import SINCE_FORMAT, SMALL, renew, verify
from index.watched import Place

__all__ = ["Store", "generation", "get_meta", "now", "reason_of", "set_meta"]

logger = logging.getLogger(f"quoth.{__name__}")

FILE = "store.db"
_BEGUN = ".store-"  # a database that is being made


def now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def vacant(folder: Path) -> bool:
    """Return whether a library can be made in `folder`: there is none, or nothing in it.

    What is left of making one that was interrupted is nothing.
    """
    if not folder.is_dir():
        return not folder.exists()
    left = ("writer.lock", "writer.json", "remote.json", _BEGUN)
    return all(path.name.startswith(left) for path in folder.iterdir())


class Store:
    """Connections to one library's database."""

    longest_path: int | None = None  # bytes that the path of a document may have

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.path = folder / FILE
        self.read_only = read_only
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue()
        self._write_lock = threading.RLock()
        self._closed = False
        self._keeps = True  # connections that were used, for the next use
        self._place = Place(self.path)

    @classmethod
    def create(cls, folder: Path) -> Store:
        """Make an empty library in `folder`, which is new or empty.

        Raises:
            LibraryFormatError: The folder holds something else.
        """
        if not vacant(folder):
            raise LibraryFormatError(
                f"{folder} exists and is not a Quoth library; give another path for the library."
            )
        try:
            private_folder(folder)
            with writer_lock(folder):
                cls._create(folder)
        except LibraryLockedError:
            raise
        except (OSError, LibraryError) as error:
            cause = error.__cause__ or error
            reason = cause.strerror if isinstance(cause, OSError) else reason_of(cause)
            raise LibraryError(f"Cannot make a library in {folder}: {reason}.") from error
        return cls(folder)

    @classmethod
    def _create(cls, folder: Path) -> None:
        """Make the database beside its place and move it there: half of one is no library."""
        for begun in folder.glob(f"{_BEGUN}*"):
            begun.unlink(missing_ok=True)
        if (folder / FILE).exists():  # somebody else was quicker
            return
        store = cls(folder)
        store.path = folder / f"{_BEGUN}{os.urandom(4).hex()}"
        create_private(store.path)
        try:
            with store.writing(seal=()) as db:
                db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            store._migrate()
            with store._connection() as db:
                (busy, _, _) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            store.close()
        if busy:
            raise LibraryError(f"Cannot make a library in {folder}: its database is in use.")
        flush(store.path)
        store.path.replace(folder / FILE)
        flush(folder)

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> Store:
        """Open the library in `folder`.

        Raises:
            LibraryNotFoundError: Nothing is there.
            LibraryFormatError: It is no library, or one of a newer version, or damaged.
        """
        if not folder.exists():
            raise LibraryNotFoundError(
                f"There is no library at {folder}; check the path, or make one with `quoth sync`."
            )
        if not (folder / FILE).is_file():
            raise LibraryFormatError(f"{folder} is not a Quoth library: it holds no {FILE}.")
        version = _version(folder)
        if version > FORMAT_VERSION:
            raise LibraryFormatError(
                f"{folder} was written by a newer Quoth (library format {version}, this version "
                f"reads up to {FORMAT_VERSION}); update Quoth to open it."
            )
        if not read_only and not os.access(folder, os.W_OK):
            raise LibraryError(f"{folder} may not be changed; open it for reading only.")
        store = cls(folder, read_only=read_only)
        if version < FORMAT_VERSION and not read_only:
            # A writer of the older version must not go on beside it.
            with writer_lock(folder):
                store._migrate()
        elif version < OLDEST_READABLE:
            raise LibraryFormatError(
                f"{folder} has the older library format {version}; "
                "open it once for writing to bring it up to date."
            )
        return store

    def _connect(self) -> sqlite3.Connection:
        mode = "ro" if self.read_only else "rw"
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        if self.read_only and not os.access(self.path.parent, os.W_OK) and not self._is_open():
            # Nothing can be written here, as on a medium that is read only, and nobody writes now.
            # SQLite will not see who begins to: such a connection is good for one look.
            uri += "&immutable=1"
            self._keeps = False
        db = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA busy_timeout = 30000")
            # Not mapped into memory: a part of the disk that cannot be read would end the process.
            db.execute("PRAGMA mmap_size = 0")
            if not self.read_only:
                db.execute("PRAGMA journal_mode = WAL")
                # FULL: a published generation survives a power cut, not only a crash.
                db.execute("PRAGMA synchronous = FULL")
                db.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            db.close()
            raise
        return db

    def _is_open(self) -> bool:
        """Return whether somebody has the database open, or has left something in its log."""
        # Whoever has it open keeps the index of the log, also while the log is empty.
        log, index = (self.path.with_name(f"{FILE}-{end}") for end in ("wal", "shm"))
        return index.exists() or (log.exists() and log.stat().st_size > 0)

    @contextmanager
    def _connection(self) -> Iterator[Database]:
        if self._closed:
            raise LibraryError("The library is closed; open it again.")
        with self._explained():
            db = self._taken()
            try:
                yield db
            finally:
                self._give_back(db)

    def _give_back(self, db: Any) -> None:  # noqa: ANN401 - of either database
        if self._closed or not self._keeps:
            db.close()
        else:
            self._idle.put(db)

    def _taken(self) -> Any:  # noqa: ANN401 - of either database
        """Return a connection to this library, not to another one that is in its place."""
        self._place.refuse_another()
        try:
            db = self._idle.get_nowait()
        except queue.Empty:
            return self._connected()
        self._place.keep_index_whole()
        return db

    def _connected(self) -> sqlite3.Connection:
        db = self._connect()
        try:
            self._place.refuse_another()  # it may have come since it was looked for
        except BaseException:
            db.close()
            raise
        return db

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except UnicodeDecodeError as error:  # in what SQLite had to say
            what = f"{self.path.name} in {self.path.parent} (a text is no Unicode)"
            raise LibraryDamagedError(what) from error
        except sqlite3.DatabaseError as error:
            if _is_damage(error):
                what = f"{self.path.name} in {self.path.parent} ({reason_of(error)})"
                raise LibraryDamagedError(what) from error
            raise LibraryError(
                f"{self.path} cannot be read or written ({error}); if the disk is full make room "
                "on it, if the file is damaged restore it from a copy."
            ) from error

    def _begin(self, db: Database, *, writing: bool) -> None:
        db.execute("BEGIN IMMEDIATE" if writing else "BEGIN")

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """Give a connection that sees one state of the database until the block ends."""
        with self._connection() as db:
            self._begin(db, writing=False)
            try:
                yield db
            finally:
                self._undo(db)

    @contextmanager
    def writing(self, *, seal: Collection[str] = SMALL) -> Iterator[Database]:
        """Give a connection inside one transaction: all of it happens, or nothing.

        Args:
            seal: Tables that the block may change among those of `index.seals`. They are
                compared with their seals before, and sealed again after.

        Raises:
            LibraryDamagedError: One of them is not as it was sealed; nothing is changed.
        """
        with self._write_lock, self._connection() as db:
            self._begin(db, writing=True)
            try:
                verify(db, seal)
                before = db.total_changes
                yield db
                if db.total_changes != before:
                    renew(db, seal)
                self._commit(db)
            except BaseException:
                # Also after a COMMIT that failed: the connection goes back to the others.
                self._undo(db)
                raise

    def _commit(self, db: Database) -> None:
        db.execute("COMMIT")

    def _undo(self, db: Database) -> None:
        if db.in_transaction:
            db.execute("ROLLBACK")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold what else keeps other writers out; a folder's own lock is enough for SQLite."""
        yield

    @property
    def bytes_elsewhere(self) -> int:
        """How much room it takes outside the library's folder."""
        return 0

    def vacuum(self) -> str:
        """Give the space of deleted rows back to the disk, and their text with it.

        Returns:
            Why that is not done yet, a short clause; empty when it is done.
        """
        with self._write_lock, self._connection() as db:
            db.execute("PRAGMA busy_timeout = 2000")
            try:
                db.execute("VACUUM")
                (busy, _, _) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                reason = "somebody reads the library" if busy else ""
            except sqlite3.OperationalError as error:
                reason = str(error)  # a full disk: what is alive stays as it was
            finally:
                db.execute("PRAGMA busy_timeout = 30000")
        if reason:
            logger.info("space is not given back now: %s", reason)
        return reason

    def checkpoint(self) -> None:
        """Move what was published from the log into the database, unless a reader is in the way.

        As long as it is only in the log, a log that is lost takes the library back to an older
        state, which nothing in that state could tell.
        """
        with self._write_lock, self._connection() as db:
            db.execute("PRAGMA busy_timeout = 200")
            try:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.OperationalError as error:
                logger.info("the log is not emptied now: %s", error)
            finally:
                db.execute("PRAGMA busy_timeout = 30000")

    def _migrate(self) -> None:
        from index.sealing import seal_all

        with self._write_lock, self._explained(), closing(self._connect()) as db:
            # Within a transaction this has no effect, and a table that is replaced is dropped.
            db.execute("PRAGMA foreign_keys = OFF")
            for version, script in MIGRATIONS:
                db.execute("BEGIN IMMEDIATE")
                try:
                    if db.execute("PRAGMA user_version").fetchone()[0] < version:
                        for statement in statements(script):
                            db.execute(statement)
                        db.execute(f"PRAGMA user_version = {version}")
                        if version == SINCE_FORMAT:
                            seal_all(db)
                        logger.info("library format %d", version)
                    db.execute("COMMIT")
                except BaseException:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    raise

    def close(self) -> None:
        """Close all connections that are not in use; those in use close when they are done."""
        self._closed = True
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                return


def _version(folder: Path) -> int:
    """Return the format of the library in `folder`; whatever is there stays as it is.

    Raises:
        LibraryFormatError: It is no library, or damaged.
    """
    store = Store(folder, read_only=True)
    try:
        with store.reading() as db:
            application = db.execute("PRAGMA application_id").fetchone()[0]
            version = db.execute("PRAGMA user_version").fetchone()[0]
    except LibraryDamagedError as error:
        raise LibraryFormatError(
            f"{folder / FILE} cannot be read as a Quoth library ({error.__cause__}); "
            "restore it from a copy, or make the library anew with `quoth sync`."
        ) from error
    finally:
        store.close()
    if application != APPLICATION_ID:
        raise LibraryFormatError(f"{folder} is not a Quoth library: {FILE} is something else.")
    return int(version)


def reason_of(error: BaseException) -> str:
    """Return what SQLite says, without the text that it is about."""
    return "a text is no Unicode" if "Could not decode" in str(error) else str(error)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Return whether the file is damaged, rather than busy, full or out of reach."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # Python's own: a text that is no Unicode
        return "decode" in str(error)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def get_meta(db: Database, key: str) -> dict[str, Any] | None:
    """Return the JSON object stored under `key`, or None.

    Raises:
        LibraryDamagedError: It is none.
    """
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    try:
        value: dict[str, Any] | None = None if row is None else json.loads(row[0])
    except (TypeError, ValueError) as error:
        raise LibraryDamagedError("the list of derived files") from error
    return value


def set_meta(db: Database, key: str, value: dict[str, Any] | None) -> None:
    """Store a JSON object under `key`."""
    db.execute(upsert("meta", ["key"], ["value"]), (key, json.dumps(value)))


def generation(db: Database) -> int:
    """Return the number of the published generation.

    Raises:
        LibraryDamagedError: There is none.
    """
    (number,) = db.execute("SELECT max(number) FROM generations").fetchone()
    if not isinstance(number, int):
        raise LibraryDamagedError("the list of generations")
    return number
