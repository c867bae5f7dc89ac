"""SQLite's write-ahead log: what it holds behind the last frame that SQLite could read.

What follows a damaged frame is left out without a word: the library would be an older one.
The format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from index.store import FILE
from index.upkeep.findings import Finding, Severity

__all__ = ["check_log"]

_HEADER, _FRAME = 32, 24
_LITTLE, _BIG = 0x377F0682, 0x377F0683  # magic numbers: the byte order of what is summed


def check_log(library: Path) -> Iterator[Finding]:
    """Yield a finding where the log holds changes that SQLite could not read.

    To be asked while the database is open, and nobody writes.
    """
    path = library / f"{FILE}-wal"
    # Only the log is opened: closing the database, or the index of the log, would take away all
    # locks that SQLite holds on it in this process.
    try:
        # Twice: a change that is just being written looks like a damaged one for a moment.
        lost = _lost(path) and _lost(path)
    except FileNotFoundError:
        return
    if lost:
        # Each change is on the disk before the next begins: a power cut takes one, never two.
        damaged = lost > 1
        yield Finding(
            kind="log",
            where=path.name,
            message=f"{path.name} is damaged: the library is as it was before its last "
            f"{f'{lost} changes' if damaged else 'change'}, which cannot be read.",
            advice="Sync again what was changed last. A power cut in the middle of a change looks "
            "like this too.",
            severity=Severity.WRONG if damaged else Severity.NOTICE,
        )


def _lost(path: Path) -> int:
    """Return how many transactions stand in the log behind the last frame that can be read."""
    # Not mapped into memory: a writer may cut the log short while it is looked at.
    with path.open("rb") as file:
        header = file.read(_HEADER)
        first = file.read(_FRAME)
        if len(first) < _FRAME:
            return 0
        page = int.from_bytes(header[8:12], "big")
        if not 512 <= page <= 65536 or page & (page - 1):
            return 1  # where one of its frames ends cannot be told
        lost = _unread(file, header, first[8:16], page)
        file.seek(0)
        return lost if file.read(_HEADER) == header else 0  # a writer has begun the log anew


def _unread(file: BinaryIO, header: bytes, salts: bytes, page: int) -> int:
    """Return how many transactions of the turn with these salts end in frames not to be read."""
    sums, lost = _Sums(header, page), 0
    file.seek(_HEADER)
    if sums.sound:
        salts = sums.salts
    while len(frame := file.read(_FRAME + page)) == _FRAME + page:
        # The salts tell this turn of the log from what an older one has left behind it;
        # the last frame of a transaction says how large the database is after it.
        ours = frame[8:16] == salts
        lost += not sums.follow(frame) and ours and any(frame[4:8])
    return lost


class _Sums:
    """The running checksum of a log: one wrong bit breaks it for all that follows.

    For each two words x and y it does s0 += x + s1 and s1 += y + s0, so a word with n words
    behind it is in s0 as often as the nth number of Fibonacci says, and in s1 as the next one.
    """

    def __init__(self, header: bytes, page: int) -> None:
        magic = int.from_bytes(header[:4], "big")
        self._order = "<u4" if magic == _LITTLE else ">u4"
        self._times = _fibonacci(page // 4 + 4)
        self._state = self._after((0, 0), header[:24])
        self.salts = header[16:24]
        self.sound = magic in (_LITTLE, _BIG) and self._is(header[24:])

    def follow(self, frame: bytes) -> bool:
        """Return whether a frame, and all that stands before it, is as it was written."""
        if self.sound:
            self._state = self._after(self._state, frame[:8] + frame[_FRAME:])
            self.sound = frame[8:16] == self.salts and self._is(frame[16:_FRAME])
        return self.sound

    def _is(self, stored: bytes) -> bool:
        return b"".join(s.to_bytes(4, "big") for s in self._state) == stored

    def _after(self, state: tuple[int, int], data: bytes) -> tuple[int, int]:
        count = len(data) // 4
        words = np.empty(count + 1, np.uint32)
        words[0], words[1:] = state[1], np.frombuffer(data, self._order)
        words[1:2] += np.uint32(state[0])
        s0, s1 = (words * self._times[n : count + 1 + n][::-1] for n in (0, 1))
        return int(s0.sum(dtype=np.uint32)), int(s1.sum(dtype=np.uint32))


def _fibonacci(count: int) -> NDArray[np.uint32]:
    """Return the first `count` numbers of Fibonacci, from 0, modulo 2**32."""
    numbers = [0, 1]
    while len(numbers) < count:
        numbers.append((numbers[-1] + numbers[-2]) & 0xFFFFFFFF)
    return np.array(numbers, np.uint32)
