"""A file opened without surprises, and its bytes as they were at one moment.

What is hashed and what is parsed are the same bytes: the file is copied once into memory that
has no name, and it does not matter what happens to it afterwards.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from index.errors import FormatError
from index.formats.limits import megabytes

__all__ = ["FileCopy", "content_mark", "copied", "opened", "path_of"]

_CHUNK = 1 << 20
_ATTEMPTS = 3
# O_NONBLOCK: a pipe that stands there now must not wait for somebody to write to it.
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_LINK = "a symbolic link"


@dataclass(frozen=True, slots=True)
class FileCopy:
    """The bytes of a file: a descriptor to read them from, their SHA-256 and how many."""

    descriptor: int
    sha256: str
    size: int

    @property
    def path(self) -> Path:
        """A path to read the copy by in this process; nothing can be learnt from its name."""
        return path_of(self.descriptor)


@contextmanager
def opened(path: Path, *, root: Path | None = None) -> Iterator[int]:
    """Give a descriptor of the regular file at `path`; nothing else is ever opened for long.

    Args:
        path: The file.
        root: The folder that `path` was found below. With it neither the file nor a folder
            between the two may be a symbolic link, whatever they were before.

    Raises:
        FormatError: It is missing, closed to us or no regular file.
    """
    descriptor = _open(path, root)
    try:
        _check_kind(os.fstat(descriptor))
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def copied(path: Path, *, root: Path | None = None, max_bytes: int) -> Iterator[FileCopy]:
    """Give the bytes of the file at `path`, as they all were at one moment.

    Raises:
        FormatError: As `opened`; empty, too large, or changing faster than it can be read.
    """
    with opened(path, root=root) as source:
        for _ in range(_ATTEMPTS):
            before = os.fstat(source)
            _check_size(before.st_size, max_bytes)
            target = _nameless()
            try:
                digest = _copy(source, target, max_bytes)
                after = os.fstat(source)
                size = os.fstat(target).st_size
                if _state(before) == _state(after) and size == after.st_size:
                    os.lseek(target, 0, os.SEEK_SET)
                    yield FileCopy(target, digest, size)
                    return
            finally:
                os.close(target)
    raise FormatError("changed while it was read; sync again once it is finished")


def content_mark(
    path: Path,
    *,
    root: Path | None = None,
    max_bytes: int,
    between: Callable[[], None] = lambda: None,
) -> str:
    """Return the SHA-256 of the file's bytes, hexadecimal.

    A file too large to be read is not read for this either: its size and time stand for it.

    Args:
        path: The file.
        root: As for `opened`.
        max_bytes: The size up to which files are read.
        between: Called now and then; what it raises ends the reading.

    Raises:
        OSError: It cannot be read, or is no regular file any more; `strerror` says why.
    """
    digest = hashlib.sha256()
    between()
    try:
        with opened(path, root=root) as descriptor:
            status = os.fstat(descriptor)
            if status.st_size > max_bytes:
                return f"{status.st_size} bytes at {status.st_mtime_ns}"
            while chunk := os.read(descriptor, _CHUNK):
                digest.update(chunk)
                between()
    except FormatError as error:
        raise OSError(errno.EINVAL, error.reason) from error
    return digest.hexdigest()


def path_of(descriptor: int) -> Path:
    """Return a path by which this process can open what the descriptor is open for."""
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    return _Descriptor(f"{folder}/{descriptor}")


class _Descriptor(type(Path())):  # type: ignore[misc]  # the one of this system
    """The path of an open file; where it leads to, there may be nothing with a name."""

    def resolve(self, strict: bool = False) -> _Descriptor:
        """Return the path as it is."""
        return self


def _open(path: Path, root: Path | None) -> int:
    try:
        if root is None:
            _check_kind(os.stat(path))
            return os.open(path, _FLAGS)
        return _open_below(root, path.relative_to(root).parts)
    except FileNotFoundError as error:
        raise FormatError("no such file") from error
    except PermissionError as error:
        raise FormatError("no permission to read it") from error
    except OSError as error:
        if root is not None and error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise FormatError("a symbolic link, or below one") from error
        raise FormatError(_no_opening(error)) from error
    except ValueError as error:  # a name that no file can have
        raise FormatError(f"cannot be opened: {str(error).lower()}") from error


def _open_below(root: Path, parts: tuple[str, ...]) -> int:
    """Open a file step by step, so that no folder on the way can be swapped for a link."""
    folder = os.open(root, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            flags = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY | os.O_NOFOLLOW
            deeper = os.open(part, flags, dir_fd=folder)
            os.close(folder)
            folder = deeper
        _check_kind(os.stat(parts[-1], dir_fd=folder, follow_symlinks=False))
        return os.open(parts[-1], _FLAGS | os.O_NOFOLLOW, dir_fd=folder)
    finally:
        os.close(folder)


def _check_kind(status: os.stat_result) -> None:
    # Asked before it is opened, since opening a device may do something, and again afterwards.
    if stat.S_ISLNK(status.st_mode):
        raise FormatError(_LINK)
    if not stat.S_ISREG(status.st_mode):
        raise FormatError("a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file")


def _no_opening(error: OSError) -> str:
    if error.errno in (errno.ENXIO, errno.ENODEV):  # what a socket or a missing device answers
        return "not a regular file"
    return f"cannot be opened: {(error.strerror or str(error)).lower()}"


def _check_size(size: int, max_bytes: int) -> None:
    if size == 0:
        raise FormatError("empty file")
    if size > max_bytes:
        raise FormatError(f"too large: {megabytes(size)}, the limit is {megabytes(max_bytes)}")


def _copy(source: int, target: int, max_bytes: int) -> str:
    """Copy the file from its beginning, one byte over the limit at most; return its SHA-256."""
    digest = hashlib.sha256()
    size = 0
    os.lseek(source, 0, os.SEEK_SET)
    try:
        while chunk := os.read(source, min(_CHUNK, max_bytes + 1 - size)):
            digest.update(chunk)
            size += len(chunk)
            view = memoryview(chunk)
            while view:
                view = view[os.write(target, view) :]
    except OSError as error:
        raise FormatError(f"cannot be read: {(error.strerror or str(error)).lower()}") from error
    return digest.hexdigest()


def _nameless() -> int:
    """Return a file to write and read that has no name: in memory where the system has that."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("document", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _state(status: os.stat_result) -> tuple[int, int, int]:
    # Not the time of the last change of the inode: a link or a renaming changes no byte.
    return status.st_size, status.st_mtime_ns, status.st_ino
