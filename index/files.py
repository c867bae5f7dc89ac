"""Small things about files."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from pathlib import Path

__all__ = ["bytes_in", "checksum", "flush", "sha256"]

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
