"""The file of conversations: its tables, and what is done where it cannot be used."""

from __future__ import annotations

import errno
import logging
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from index.errors import LibraryError
from qa.chats.seals import seal_all
from qa.visible import one_line

__all__ = [
    "FILE",
    "MIGRATIONS",
    "SEALED_SINCE",
    "WAITING_MS",
    "Opened",
    "UnusableError",
    "alone",
    "check_file",
    "decoded",
    "identity",
    "is_busy",
    "is_damage",
    "open_file",
    "open_sound",
    "set_aside",
    "set_aside_if_damaged",
]

logger = logging.getLogger(f"quoth.{__name__}")

FILE = "chats.db"
APPLICATION_ID = 0x51754368  # "QuCh": tells it from any other SQLite file

_CREATE = """
CREATE TABLE conversations(
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    title TEXT NOT NULL,
    named INTEGER NOT NULL DEFAULT 0,  -- 1 when a person gave the title
    begun_at TEXT NOT NULL,
    changed_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX conversations_by_owner ON conversations(owner, changed_at);
CREATE TABLE turns(
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- a number that was used once is never used again
    conversation TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
    question TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    "where" TEXT,  -- JSON: which documents were asked
    whole INTEGER NOT NULL,  -- 1 when the question was taken as it is
    answer TEXT,  -- JSON: references, see qa.chats.recall
    problem TEXT NOT NULL,
    generation INTEGER NOT NULL,
    feedback TEXT NOT NULL DEFAULT '',
    judged_at TEXT
);
CREATE INDEX turns_by_conversation ON turns(conversation);
CREATE INDEX turns_judged ON turns(feedback) WHERE feedback <> '';
"""

# Check values, see qa.chats.seals; what is there already gets them in the same transaction.
_DIGESTS = """
ALTER TABLE turns ADD COLUMN digest TEXT NOT NULL DEFAULT '';
ALTER TABLE conversations ADD COLUMN digest TEXT NOT NULL DEFAULT '';
"""

# (version reached, SQL); applied in order, each in one transaction.
MIGRATIONS: tuple[tuple[int, str], ...] = ((1, _CREATE), (2, _DIGESTS))
SEALED_SINCE = 2

# Who opens the file may have to bring it up to date, and waits for others who do; a person who
# asks waits no longer than somebody's patience.
_OPENING_MS, WAITING_MS = 30_000, 5_000


class UnusableError(Exception):
    """The file is none of conversations that this version can use; says why."""


def is_damage(error: sqlite3.Error | UnicodeDecodeError) -> bool:
    """Return whether SQLite says that a file is damaged, or no database.

    Where names in the file are damaged, what SQLite has to say of it is not even text.
    """
    if isinstance(error, UnicodeDecodeError):
        return True
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether another process was in the way for as long as one waits."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(error: sqlite3.Error) -> int:
    # The low byte is the kind of the error; one of Python's own module has none.
    return int(getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def decoded(data: bytes) -> str:
    """Return a text of the file, also where a flipped bit has made it none."""
    return data.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Opened:
    """An open file of conversations.

    Attributes:
        db: For any thread that takes care that it is the only one.
        path: Where the file is, or None for memory.
        identity: Which file it is, however it is called by now.
    """

    db: sqlite3.Connection
    path: Path | None = None
    identity: tuple[int, int] | None = None


def identity(path: Path) -> tuple[int, int] | None:
    """Return which file is called so now, or None where there is none to be seen."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Be the only one who opens, mends or renames the file at `path`; others wait their turn.

    Else two who find a damaged file would each set aside what the other has begun, and of two
    who make a new one SQLite turns one away. The folder is what is locked, which leaves nothing
    behind in it. Where that cannot be done, as on Windows, it goes without.
    """
    try:
        import fcntl

        handle = os.open(path.parent, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    ends = time.monotonic() + _OPENING_MS / 1000
    try:
        with suppress(TimeoutError):
            while not _locked(handle):
                if time.monotonic() > ends:  # who stands still must not stop everybody
                    raise TimeoutError
                time.sleep(0.01)
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)  # also where a child has the handle too
        os.close(handle)


def _locked(handle: int) -> bool:
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a disk without locks
    return True


def open_file(path: Path) -> Opened:
    """Return the file at `path` opened, made or brought up to date if need be.

    What cannot be used never stops a server: a file that is damaged or of a newer version is
    set aside and conversations begin anew, and where nothing can be written they are kept in
    memory. Both are told in the log.
    """
    try:
        with alone(path):
            return Opened(_sound_or_new(path), path, identity(path))
    except (OSError, sqlite3.Error, UnusableError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        logger.warning(
            "Conversations are forgotten when Quoth ends, because %s cannot be written (%s).",
            path,
            reason,
        )
        return Opened(_in_memory())


def _sound_or_new(path: Path) -> sqlite3.Connection:
    try:
        return open_sound(path)
    except UnusableError as error:
        set_aside(path, str(error))
        return _opened(path)


def _in_memory() -> sqlite3.Connection:
    db = _connect(":memory:")
    # Numbers that no file has given, so that they can stay when the turns go into the file.
    db.execute("INSERT INTO sqlite_sequence VALUES('turns', ?)", (time.time_ns() // 1000,))
    return db


def open_sound(path: Path, *, wait_ms: int = _OPENING_MS) -> sqlite3.Connection:
    """Return a connection to a file that is what it should be; for who is `alone` with it.

    It is looked at twice before it is called damaged: SQLite says that also of what the disk
    did not give out this once.

    Raises:
        UnusableError: It must be set aside.
        OSError, sqlite3.Error: It cannot be written.
    """
    with suppress(UnusableError):
        return _opened(path, wait_ms)
    return _opened(path, wait_ms)


def _opened(path: Path, wait_ms: int = _OPENING_MS) -> sqlite3.Connection:
    """Return a connection to the file.

    Raises:
        UnusableError: It must be set aside.
        OSError: It cannot be written.
        sqlite3.Error: The same.
    """
    # Made by us first, so that nobody else can read it at any moment; SQLite gives the files
    # beside it the same mode. One that is there is never opened past SQLite: closing it would
    # drop the locks that this process has on it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    for code, refused in (
        (errno.EISDIR, path.is_dir()),
        (errno.EACCES, not os.access(path, os.R_OK | os.W_OK)),
    ):
        if refused:
            raise OSError(code, os.strerror(code), str(path))
    with suppress(OSError):
        os.chmod(path, 0o600)
    try:
        return _connect(str(path), wait_ms)
    except sqlite3.OperationalError:
        raise  # busy, or not to be written: nothing is wrong with the file
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise UnusableError(f"cannot be read ({one_line(str(error))})") from error


def _connect(path: str, wait_ms: int = _OPENING_MS) -> sqlite3.Connection:
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        db.text_factory = decoded
        db.execute(f"PRAGMA busy_timeout = {wait_ms}")
        check_file(db)
        db.execute("PRAGMA journal_mode = WAL")
        # FULL: what was said survives a power cut, not only a crash.
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        # What is deleted is overwritten: a conversation that is gone cannot be read from the disk.
        db.execute("PRAGMA secure_delete = ON")
        _migrate(db)
        db.create_function("folded", 1, _folded, deterministic=True)
        db.execute(f"PRAGMA busy_timeout = {WAITING_MS}")
    except BaseException:
        db.close()
        raise
    return db


def check_file(db: sqlite3.Connection) -> None:
    """Look whether a database is one of conversations, and sound as SQLite sees it.

    Raises:
        UnusableError: It is not.
        sqlite3.OperationalError: The disk does not give it out.
    """
    version = db.execute("PRAGMA user_version").fetchone()[0]
    application = db.execute("PRAGMA application_id").fetchone()[0]
    empty = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if application != APPLICATION_ID and not empty:
        raise UnusableError("is no file of conversations")
    if version > MIGRATIONS[-1][0]:
        raise UnusableError("was written by a newer Quoth")
    sound = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if sound != "ok":
        code = re.search(r"error code=(\d+)", sound)
        if code and int(code.group(1)) & 0xFF == sqlite3.SQLITE_IOERR:
            raise sqlite3.OperationalError(one_line(sound))  # of the disk: the file may be sound
        raise UnusableError(f"is damaged ({one_line(sound)})")


def _migrate(db: sqlite3.Connection) -> None:
    for version, script in MIGRATIONS:
        if db.execute("PRAGMA user_version").fetchone()[0] >= version:
            continue  # without waiting for whoever writes now
        db.execute("BEGIN IMMEDIATE")
        try:
            if db.execute("PRAGMA user_version").fetchone()[0] < version:
                for statement in _statements(script):
                    db.execute(statement)
                if version == SEALED_SINCE:
                    seal_all(db)
                db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                db.execute(f"PRAGMA user_version = {version}")
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of `script`; executescript() would end the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _folded(text: bytes) -> str:
    return decoded(text).casefold()


def set_aside_if_damaged(path: Path) -> Path | None:
    """Set the file aside where it is damaged and return its new path; None where it is sound.

    Raises:
        LibraryError: It is damaged and cannot be renamed.
        OSError, sqlite3.Error: It cannot be looked at.
    """
    with alone(path):
        try:
            open_sound(path).close()
        except UnusableError as damage:
            try:
                return set_aside(path, str(damage))
            except OSError as error:
                raise LibraryError(
                    f"The file {path.name} in the folder of the library {damage} and cannot be "
                    f"set aside ({error.strerror}); move it away to begin a new one."
                ) from error
    return None


def set_aside(path: Path, reason: str) -> Path:
    """Rename the file and those that belong to it, tell so in the log, and return its new path.

    For who is `alone` with it.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    aside = path.with_name(f"chats-aside-{stamp}.db")
    for ending in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.replace(f"{path}{ending}", f"{aside}{ending}")
    os.replace(path, aside)
    logger.warning(
        "%s %s; it is kept as %s and conversations begin anew.", path, reason, aside.name
    )
    return aside
