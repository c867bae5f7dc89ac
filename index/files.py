"""Small things about files, and who may read those of a library.

What is made has the permissions of the folder it is in, without those to execute; a library's
folder is made for its owner alone. So nobody else reads what is in it, and whoever opens the
folder to a group on purpose opens what comes later too. The umask of the process has no say.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from pathlib import Path

__all__ = [
    "bytes_in",
    "checksum",
    "create_private",
    "file_mode",
    "flush",
    "folder_within",
    "private_folder",
    "replace_private",
    "settle",
    "sha256",
    "write_private",
]

_CHUNK = 1 << 22


def checksum(path: Path) -> int:
    """Return the CRC-32 of a file's bytes: finds damage, not intent."""
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            crc = zlib.crc32(chunk, crc)
    return crc


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def flush(path: Path) -> None:
    """Make a file, or the names in a folder, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def bytes_in(folder: Path) -> int:
    """Return how many bytes the files below `folder` have together."""
    size = 0
    # Not Path.rglob(): that raises where somebody takes a folder away meanwhile.
    for inside, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                size += os.stat(os.path.join(inside, name)).st_size
    return size


def file_mode(folder: Path) -> int:
    """Return the permissions that a new file in `folder` gets."""
    return folder.stat().st_mode & 0o666 | 0o600


def private_folder(folder: Path) -> None:
    """Make a folder for its owner alone, and those above it as usual, to survive a power cut."""
    if not folder.is_dir():
        missing = [above for above in folder.parents if not above.is_dir()]
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            folder.chmod(0o700)
        for made in (folder, *missing):
            flush(made.parent)


def folder_within(folder: Path) -> None:
    """Make a folder with the permissions of the one it is in; there already, it stays."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        folder.chmod(folder.parent.stat().st_mode & 0o777 | 0o700)


def create_private(path: Path) -> None:
    """Make an empty file before somebody else's code opens it; there already, it stays."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    try:
        os.fchmod(handle, file_mode(path.parent))
    finally:
        os.close(handle)


def write_private(path: Path, data: bytes) -> None:
    """Write a file; a new one gets the permissions of its folder."""
    create_private(path)
    path.write_bytes(data)


def replace_private(path: Path, data: bytes) -> None:
    """Put a file in place of another, all of it or nothing, to survive a power cut."""
    temporary = path.with_name(f".quoth-{path.name}-{os.urandom(4).hex()}")
    try:
        write_private(temporary, data)
        flush(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    flush(path.parent)


def settle(folder: Path, *, only_close: bool = False) -> None:
    """Give what is below `folder` its permissions: files that other code has made.

    Args:
        folder: With what is below it.
        only_close: Open nothing that is closed, such as conversations, which no group may read.
    """
    mode = folder.stat().st_mode
    kept = 0o777 if only_close else 0
    for inside, folders, names in os.walk(folder):
        for name in folders:
            _chmod(os.path.join(inside, name), mode & 0o777 | 0o700, kept)
        for name in names:
            _chmod(os.path.join(inside, name), mode & 0o666 | 0o600, kept)


def _chmod(path: str, mode: int, kept: int) -> None:
    """Give a file these permissions, but none of those in `kept` that it has not."""
    # Somebody else's file stays as it is, and one that is gone meanwhile needs nothing.
    with contextlib.suppress(OSError):
        now = os.stat(path).st_mode & 0o777
        wanted = mode & ~(kept & ~now)
        if not os.path.islink(path) and now != wanted:
            os.chmod(path, wanted)
