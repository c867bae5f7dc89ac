"""A backup becomes a library again: all of it as it was, or nothing."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from index.errors import BackupError, LibraryError, LibraryFormatError
from index.files import flush
from index.lock import writer_lock
from index.reports import Source
from index.schema import FORMAT_VERSION
from index.upkeep.archive import CHATS, STORE, Archive, Manifest
from index.upkeep.backup import staging
from index.upkeep.check import Severity, check_library

__all__ = ["Restored", "read_backup", "restore_library"]

_IN_USE_MS = 2_000  # how long somebody who is just leaving is waited for


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A library that was made of a backup.

    Attributes:
        path: Its folder.
        manifest: What the backup says of itself.
        conversations: Whether it has any.
        absent: Sources whose folder or file is not on this machine.
        moved: Old and new place of the sources that have another one now.
        notes: What a check of it found that makes no answer wrong, a sentence each.
    """

    path: Path
    manifest: Manifest
    conversations: bool
    absent: tuple[Source, ...] = ()
    moved: tuple[tuple[Path, Path], ...] = ()
    notes: tuple[str, ...] = ()


def read_backup(file: str | os.PathLike[str]) -> Manifest:
    """Return what a backup holds, after all of it was read and compared with its hashes.

    Raises:
        BackupError: It is no whole backup; the message says why.
    """
    with Archive(Path(file).expanduser()) as archive:
        archive.verify()
        return archive.manifest


def restore_library(
    file: str | os.PathLike[str],
    library: str | os.PathLike[str],
    *,
    sources: Mapping[Path, Path] | Mapping[str, str] | None = None,
    force: bool = False,
    progress: Callable[[str], None] = lambda step: None,
) -> Restored:
    """Make a library of a backup.

    Everything is read and compared before anything is written, then written beside the place
    where it goes, and checked; that it takes its place is the last step.

    Args:
        file: What `Library.backup` wrote.
        library: The folder of the library; there must be nothing, or with `force` a library.
        sources: New places of folders, by the ones they had; see `Library.relocate`.
        force: Replace the library that is there, once the new one is complete. It must not be
            in use.
        progress: Gets a few words before each step that may take long.

    Raises:
        BackupError: The backup is damaged, foreign or of a newer version, or does not fit on
            the disk; nothing was changed.
        LibraryError: The library is there already, or in use.
        SourceError: One of `sources` cannot be.
    """
    file = Path(file).expanduser()
    place = Path(os.path.abspath(Path(library).expanduser()))
    _check_place(place, force=force)
    with Archive(file) as archive:
        _check_version(archive)
        _check_room(archive, place)
        progress("comparing the backup with its hashes")
        archive.verify()
        with staging(place) as inside:
            made = inside / "library"
            progress("unpacking")
            _unpack(archive, made)
            progress("making the search indexes")
            moved = _complete(archive, made, sources or {})
            progress("checking the library")
            notes = _checked(archive, made)
            _flush_all(made)
            _put(made, place, replace=force and place.exists())
    from index.library import Library

    with Library.open(place, read_only=True) as opened:
        absent = tuple(s for s in opened.sources() if s.location and not s.location.exists())
    return Restored(
        path=place,
        manifest=archive.manifest,
        conversations=(place / CHATS).exists(),
        absent=absent,
        moved=tuple(moved),
        notes=notes,
    )


# Before ---------------------------------------------------------------------------------------


def _check_place(place: Path, *, force: bool) -> None:
    if not place.parent.is_dir():
        raise LibraryError(f"There is no folder {place.parent} for the library; make it first.")
    if not os.path.lexists(place) or (place.is_dir() and not any(place.iterdir())):
        return
    if not (place / STORE).is_file() or place.is_symlink():
        raise LibraryFormatError(
            f"{place} exists and is not a Quoth library; give another path for the library."
        )
    if not force:
        raise LibraryError(
            f"There is a library at {place} already; give another path, or --force to replace it."
        )


def _check_version(archive: Archive) -> None:
    manifest = archive.manifest
    if manifest.format > FORMAT_VERSION:
        raise BackupError(
            f"The backup {archive.file} was made by a newer Quoth (library format "
            f"{manifest.format}, this version reads up to {FORMAT_VERSION}); update Quoth."
        )


def _check_room(archive: Archive, place: Path) -> None:
    # Also what a file that only pretends to be a backup may at most take.
    needed, free = archive.manifest.total, shutil.disk_usage(place.parent).free
    if needed > free:
        raise BackupError(
            f"The library in {archive.file} needs {needed:,} bytes and {place.parent} has "
            f"{free:,} left; make room there, or give another path."
        )


# Making it ------------------------------------------------------------------------------------


def _unpack(archive: Archive, made: Path) -> None:
    """Write every file of the backup below `made`."""
    try:
        os.mkdir(made, 0o700)
        for member in archive.manifest.members:
            *above, name = member.name.split("/")
            folder = made
            for part in above:
                folder /= part
                with suppress(FileExistsError):
                    os.mkdir(folder, 0o700)
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
            with os.fdopen(os.open(folder / name, flags, 0o600), "wb") as target:
                for data in archive.chunks(member):
                    target.write(data)
    except OSError as error:
        raise _unwritten(archive, made, error) from error


def _unwritten(archive: Archive, made: Path, error: Exception) -> BackupError:
    where, reason = made.parent.parent, str(error)
    full = "full" in reason or "space" in reason  # as SQLite, Tantivy and FAISS say it
    if isinstance(error, OSError):
        full, reason = error.errno in (errno.ENOSPC, errno.EDQUOT), error.strerror or reason
    if full:
        return BackupError(
            f"The disk is full: there is no room in {where} for the library in {archive.file}; "
            "nothing was restored. Make room, or give another path."
        )
    return BackupError(
        f"There is no room in {where} for the library in {archive.file}, or it cannot be written "
        f"there ({reason}); nothing was restored."
    )


def _complete(
    archive: Archive,
    made: Path,
    sources: Mapping[Path, Path] | Mapping[str, str],
) -> list[tuple[Path, Path]]:
    """Make what is derived, and note where the sources are now."""
    from index.library import Library

    try:
        with Library.open(made) as library:
            if library.generation != archive.manifest.generation:
                raise BackupError(
                    f"The backup {archive.file} holds another state than its manifest says; "
                    "nothing was restored. Use another one."
                )
            moved = library.relocate(sources) if sources else []
            library.rebuild()
    except LibraryError as error:
        if isinstance(error.__cause__, OSError | sqlite3.OperationalError):
            raise _unwritten(archive, made, error.__cause__) from error
        raise BackupError(
            f"The library in {archive.file} cannot be used; nothing was restored. {error}"
        ) from error
    except (OSError, ValueError, RuntimeError) as error:  # Tantivy and FAISS have no others
        raise _unwritten(archive, made, error) from error
    return moved


def _checked(archive: Archive, made: Path) -> tuple[str, ...]:
    """Return what is to be told of the new library.

    Raises:
        BackupError: Something in it is wrong.
    """
    notes = []
    for finding in check_library(made).findings:
        # An upload that was gone already when the backup was made takes no answer away.
        if finding.severity is Severity.WRONG and finding.kind != "upload":
            raise BackupError(
                f"The library in {archive.file} is damaged ({finding.message.rstrip('.')}); "
                "nothing was restored. Use another backup."
            )
        notes.append(f"{finding.message} {finding.advice}")
    return tuple(notes)


def _flush_all(folder: Path) -> None:
    for inside, _, names in os.walk(folder):
        for name in names:
            flush(Path(inside, name))
        flush(Path(inside))


# Its place ------------------------------------------------------------------------------------


def _put(made: Path, place: Path, *, replace: bool) -> None:
    """Give the new library its place; what was there stays beside it until that is done."""
    if not replace:
        try:
            os.rename(made, place)  # never over something that is not empty
        except OSError as error:
            raise LibraryError(
                f"{place} has been made by somebody else meanwhile; nothing was restored."
            ) from error
        flush(place.parent)
        return
    with writer_lock(place):
        for name in (STORE, CHATS):
            _refuse_in_use(place / name)
        _exchange(made, place)
        flush(place.parent)
    # What `made` is now, the library that was replaced, goes with the folder that it lies in.


def _refuse_in_use(database: Path) -> None:
    """Raise where another process has a database open; it would go on writing into the old one."""
    if not database.is_file():
        return
    try:
        with closing(sqlite3.connect(database)) as db:
            db.execute(f"PRAGMA busy_timeout = {_IN_USE_MS}")
            # Write-ahead logging is left by the last one who uses a database only.
            db.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise LibraryError(
                f"{database.parent} is in use by another process, such as a server; end that "
                "first. Nothing was changed."
            ) from error
    except sqlite3.DatabaseError:
        return  # damaged: that is what backups are for


def _exchange(made: Path, place: Path) -> None:
    """Exchange two folders: at every moment there is a library at `place`, where Linux does it."""
    at_here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
        if rename(at_here, os.fsencode(made), at_here, os.fsencode(place), exchange) == 0:
            return
    except (OSError, AttributeError):
        pass
    aside = made.with_name("replaced")
    os.rename(place, aside)
    try:
        os.rename(made, place)
    except OSError:
        os.rename(aside, place)
        raise
