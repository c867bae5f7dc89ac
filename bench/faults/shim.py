"""The shim: compiled, loaded, armed; and what it wrote down, read again."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from pathlib import Path

__all__ = ["Kind", "Record", "Shim", "build", "read_log", "why_not"]

SOURCE = Path(__file__).with_name("shim.c")
_HEAD = struct.Struct("<IIIIQQQ")


class Kind(IntEnum):
    """What a step does; the numbers are those of the shim."""

    CREATE = 1
    WRITE = 2
    TRUNCATE = 3
    RENAME = 4
    UNLINK = 5
    MKDIR = 6
    RMDIR = 7
    LINK = 8
    SYNC = 9
    MARK = 10
    MAPPED = 11


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the log; paths are relative to the folder that is watched.

    Attributes:
        folder: Whether what a SYNC made durable is a folder's names.
        offset: Of a WRITE; the new size of a TRUNCATE; the number of a MARK.
    """

    kind: Kind
    folder: bool
    path: str
    to: str
    inode: int
    offset: int
    data: bytes


def why_not() -> str:
    """Return why there can be no shim on this machine; empty where there can."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "system calls are caught on 64-bit Linux on x86 only"
    if _compiler() is None:
        return "there is no C compiler (gcc or cc)"
    return ""


def _compiler() -> str | None:
    return shutil.which("gcc") or shutil.which("cc")


def build(folder: Path) -> Path:
    """Compile the shim into `folder`, unless this source was compiled there before.

    Raises:
        RuntimeError: There can be none here.
        subprocess.CalledProcessError: The compiler refuses it.
    """
    if reason := why_not():
        raise RuntimeError(reason)
    name = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    target = folder / f"shim-{name}.so"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f"{target.name}.{os.getpid()}")
        compiler = _compiler()
        assert compiler is not None
        command = [compiler, "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC"]
        subprocess.run([*command, "-o", temporary, SOURCE, "-ldl"], check=True)
        temporary.replace(target)
    return target


class Shim:
    """The shim of this process, which was started with it in LD_PRELOAD."""

    def __init__(self) -> None:
        self._shim = _loaded()

    def arm(self, folder: Path, log: int = -1, *, reading: bool = False) -> None:
        """Watch what happens below `folder` from now on; once a process, before its threads.

        Args:
            folder: Absolute, without symbolic links.
            log: A descriptor that the steps are written to.
            reading: Also catch reading, which makes everything slower.
        """
        error = self._shim.shim_arm(os.fsencode(folder), log, int(reading))
        if error:
            raise OSError(error, f"the shim cannot be armed: {os.strerror(error)}")

    def kill(self, at: int, *, torn: bool = False) -> None:
        """End the process at step `at`, the first being 1; `torn`: when half is written."""
        self._shim.shim_kill(at, int(torn))

    def fail(
        self, start: int, count: int, error: int, kinds: frozenset[Kind], *, shorten: int = 0
    ) -> None:
        """Let steps from `start` on fail; `shorten` 1: the first writes half, 2: only that."""
        mask = sum(1 << kind for kind in kinds)
        self._shim.shim_fail(start, count, error, mask, shorten)

    def fail_reads(self, start: int, count: int, error: int) -> None:
        """Let reads from `start` on fail."""
        self._shim.shim_fail_reads(start, count, error)

    def clock(self, seconds: int) -> None:
        """Set the clock that this process sees so far ahead, or back."""
        self._shim.shim_clock(seconds)

    def mark(self, number: int) -> None:
        """Write a number into the log."""
        self._shim.shim_mark(number)

    @property
    def steps(self) -> int:
        """How many steps there were."""
        return int(self._shim.shim_steps())

    @property
    def reads(self) -> int:
        """How many reads there were, counted once `fail_reads` was called."""
        return int(self._shim.shim_reads())


@lru_cache(maxsize=1)
def _loaded() -> ctypes.CDLL:
    shim = ctypes.CDLL(None)
    if not hasattr(shim, "shim_arm"):
        raise RuntimeError("start this process with the shim in LD_PRELOAD")
    shim.shim_arm.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
    shim.shim_kill.argtypes = [ctypes.c_long, ctypes.c_int]
    shim.shim_fail.argtypes = [
        *(ctypes.c_long, ctypes.c_long, ctypes.c_int),
        *(ctypes.c_uint, ctypes.c_int),
    ]
    shim.shim_fail_reads.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_int]
    shim.shim_clock.argtypes = [ctypes.c_long]
    shim.shim_mark.argtypes = [ctypes.c_long]
    shim.shim_steps.restype = ctypes.c_long
    shim.shim_reads.restype = ctypes.c_long
    return shim


def read_log(path: Path) -> Iterator[Record]:
    """Yield the steps that the shim wrote down, in order."""
    data = path.read_bytes()
    at = 0
    while at < len(data):
        kind, flags, path_length, to_length, inode, offset, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        name, at = data[at : at + path_length], at + path_length
        to, at = data[at : at + to_length], at + to_length
        content, at = data[at : at + length], at + length
        yield Record(
            *(Kind(kind), bool(flags & 1), os.fsdecode(name), os.fsdecode(to)),
            *(inode, offset, content),
        )
