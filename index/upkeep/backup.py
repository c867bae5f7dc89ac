"""A library becomes one file, while people search it and somebody may be changing it.

In the file are the published state of the store, the conversations and the uploaded files that
this state names. What was removed or is staged stays out, and so do the derived files: they are
half of a library, and making them again takes less time than reading them from most disks.
Folders of documents are no part of a library and are not in its backup.
"""

from __future__ import annotations

import errno
import glob
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from index.address import address_of
from index.alive import living, model_of
from index.catalogue import Catalogue
from index.database import Database
from index.errors import BackupError, LibraryError
from index.files import create_private, flush
from index.maintain import delete_dead
from index.schema import FORMAT_VERSION
from index.seals import EVERYTHING
from index.store import Store, generation, now, set_meta
from index.upkeep.archive import CHATS, STORE, UPLOADS, Manifest
from index.upkeep.check import Severity, check_library
from index.upkeep.packing import State, Upload, pack

__all__ = ["Backup", "backup_library", "copy_chats", "staging", "written_by"]

_NOTHING = 1 << 20  # bytes of free space that are as good as none


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that was made.

    Attributes:
        path: The file.
        bytes: Its size.
        generation: The state that is in it.
        documents: How many.
        uploads: How many uploaded files.
        conversations: Whether conversations are in it.
        missing: What could not be packed, a sentence each.
        warnings: What else should be known, a sentence each.
    """

    path: Path
    bytes: int
    generation: int
    documents: int
    uploads: int
    conversations: bool
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def backup_library(folder: Path, store: Store, target: Path, *, force: bool = False) -> Backup:
    """Write the library in `folder` into the file `target`; see `Library.backup`."""
    address = address_of(folder)
    if address.remote:
        raise BackupError(
            f"{address} is not on this machine alone: copy it into a folder with `quoth copy` and "
            "back that up, or back up its servers with their own tools."
        )
    target = Path(os.path.abspath(target.expanduser()))
    warnings = _place(folder, store, target, force=force)
    with staging(target) as inside, _explained(target, inside):
        missing: list[str] = []
        # First: a conversation must not speak of a state that the store in the backup lacks.
        conversations = copy_chats(folder / CHATS, inside / CHATS, missing)
        state = _copy_store(store, inside)
        packed = inside / "packed"
        members = pack(folder, inside, packed, state, missing)
        flush(packed)
        _publish(packed, target, force=force)
        return Backup(
            path=target,
            bytes=target.stat().st_size,
            generation=state.manifest.generation,
            documents=state.manifest.documents,
            uploads=sum(member.name.startswith(UPLOADS) for member in members),
            conversations=conversations,
            missing=tuple(missing),
            warnings=warnings,
        )


def written_by() -> str:
    """Return the version of Quoth, "" where it runs from its source."""
    try:
        return version("quoth")
    except PackageNotFoundError:
        return ""


# Where it goes --------------------------------------------------------------------------------


def _place(folder: Path, store: Store, target: Path, *, force: bool) -> tuple[str, ...]:
    """Return warnings about where the backup goes.

    Raises:
        BackupError: It cannot go there.
    """
    place = target.parent.resolve() / target.name
    if not place.parent.is_dir():
        raise BackupError(f"There is no folder {target.parent} for the backup; make it first.")
    if place.is_dir():
        raise BackupError(f"{target} is a folder; give the name of a file for the backup.")
    if place.exists() and not force:
        raise BackupError(
            f"{target} is there already; give another name, or replace it with --force."
        )
    if folder in place.parents:
        raise BackupError(f"{target} lies in the library itself; give a place outside of it.")
    with store.reading() as db:
        roots = Catalogue(folder, db).roots().values()
    return tuple(
        f"{target} lies in {root}, which is synced: each sync will report it as a file that it "
        "cannot read. Better keep backups elsewhere, on another disk."
        for root in roots
        if root in place.parents
    )


@contextmanager
def staging(target: Path) -> Iterator[Path]:
    """Give a folder beside `target` that only we can read; it is gone when the block ends.

    What a process left that was killed is taken away first.
    """
    prefix = f".{target.name[:100]}."
    for left in target.parent.glob(f"{glob.escape(prefix)}*.partial"):
        with suppress(OSError), _held(left):
            shutil.rmtree(left, ignore_errors=True)
    try:
        made = Path(tempfile.mkdtemp(prefix=prefix, suffix=".partial", dir=target.parent))
    except OSError as error:
        raise BackupError(
            f"Nothing can be written in {target.parent} ({error.strerror}); give another place."
        ) from error
    try:
        with _held(made):
            yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a folder as ours while the block runs; the system lets it go with the process.

    Raises:
        OSError: Another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # no such locks here: nothing is held, and nothing taken for abandoned
        if folder.suffix == ".partial" and any(folder.iterdir()):
            raise OSError(errno.EWOULDBLOCK, "cannot be told") from None
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


@contextmanager
def _explained(target: Path, inside: Path) -> Iterator[None]:
    """Turn what the disk says of the backup, or of what is made in `inside`, into one sentence."""
    try:
        yield
    except (OSError, sqlite3.Error, LibraryError) as error:
        cause = error.__cause__ if isinstance(error, LibraryError) else error
        reason = (cause.strerror or "") if isinstance(cause, OSError) else str(cause)
        # SQLite has other words for it where the file beside its own does not fit.
        full = (
            (isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT))
            or "full" in reason
            or shutil.disk_usage(inside).free < _NOTHING
        )
        if isinstance(error, LibraryError) and not full and str(inside) not in str(error):
            raise  # about the library itself
        what = (
            f"The disk is full: there is no room for the backup in {target.parent}"
            if full
            else f"The backup {target} cannot be written ({reason})"
        )
        raise BackupError(f"{what}; nothing of it is left there. Give another place.") from error


# What goes in ---------------------------------------------------------------------------------


def _copy_store(store: Store, inside: Path) -> State:
    """Copy the published state of the store and return what it is."""
    copy = inside / STORE
    create_private(copy)
    with store.reading() as db, closing(sqlite3.connect(copy)) as target:
        assert isinstance(db, sqlite3.Connection)
        generation(db)  # the read transaction begins: what is copied is this state
        try:
            db.backup(target)
            # A file by itself, without a log: it can be read where nothing more can be written.
            target.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:  # of the copy: the library is read already
            code = errno.ENOSPC if "full" in str(error) else errno.EIO
            raise OSError(code, str(error)) from error
    _refuse_damaged(inside)  # before anything is written, which would seal what is there
    own = Store.open(inside)  # brings it up to date, where the library may only be read
    try:
        with own.writing(seal=EVERYTHING) as db:
            number = generation(db)
            set_meta(db, "words", None)
            set_meta(db, "vectors", None)
            delete_dead(db, number)
        with own.reading() as db:
            state = _state(inside, db)
    finally:
        own.close()
    _settle(copy)
    return state


def _state(folder: Path, db: Database) -> State:
    number = generation(db)
    model = model_of(db, number)
    (documents,) = db.execute(
        f"SELECT count(*) FROM documents WHERE {living}", (number,)
    ).fetchone()
    uploads = db.execute(
        "SELECT files.path, hash FROM files JOIN sources ON sources.id = files.source"
        " WHERE kind = 'upload' ORDER BY files.path"
    )
    manifest = Manifest(
        quoth=written_by(),
        format=FORMAT_VERSION,
        generation=number,
        model="" if model is None else model["name"],
        fingerprint="" if model is None else model["fingerprint"],
        made_at=now(),
        documents=documents,
        members=(),
    )
    return State(manifest=manifest, uploads=tuple(Upload(*row) for row in uploads))


def _settle(database: Path) -> None:
    """Make a database one file, without what was deleted from it."""
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("VACUUM")


def _refuse_damaged(inside: Path) -> None:
    """Raise where what was copied is not what was once stored: a backup must be good."""
    for finding in check_library(inside).findings:
        if finding.severity is Severity.WRONG and finding.kind != "upload":
            raise BackupError(
                f"The library is damaged ({finding.message.rstrip('.')}) and no backup was made; "
                "run `quoth doctor --repair`, or copy the folder as it is."
            )


def copy_chats(source: Path, copy: Path, missing: list[str], into: str = "the backup") -> bool:
    """Copy the conversations and return whether there are any; what is damaged is told."""
    if not source.is_file():
        return False
    create_private(copy)
    try:
        uri = f"{source.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as db, closing(sqlite3.connect(copy)) as to:
            db.execute("PRAGMA busy_timeout = 30000")
            db.backup(to)
        with closing(sqlite3.connect(copy)) as db:
            (sound,) = db.execute("PRAGMA integrity_check(1)").fetchone()
        if sound != "ok":
            raise sqlite3.DatabaseError(sound)
        _settle(copy)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if "full" in str(error):
            raise
        copy.unlink(missing_ok=True)
        missing.append(
            f"The conversations are not in {into}: {source} cannot be read ({error}); "
            "`quoth doctor` says what to do."
        )
        return False
    return True


def _publish(packed: Path, target: Path, *, force: bool) -> None:
    """Give the finished file its name, at once; another one of that name only with `force`."""
    if force:
        os.replace(packed, target)
    else:
        try:
            os.link(packed, target)  # unlike a renaming, never over another file
        except FileExistsError as error:
            raise BackupError(f"{target} has just been made by somebody else.") from error
        except OSError:  # no hard links on this file system
            os.replace(packed, target)
    flush(target.parent)
