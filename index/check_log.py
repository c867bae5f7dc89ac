"""SQLite's write-ahead log: what it holds behind the last frame that SQLite could read.

What follows a damaged frame is left out without a word: the library would be an older one.
The formats: https://www.sqlite.org/fileformat2.html#the_write_ahead_log and
https://www.sqlite.org/walformat.html
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from index.findings import Finding, Severity
from index.store import FILE

__all__ = ["check_log"]

_HEADER, _FRAME = 32, 24


def check_log(library: Path) -> Iterator[Finding]:
    """Yield a finding where the log holds changes that SQLite could not read.

    To be asked while the database is open, and nobody writes.
    """
    path = library / f"{FILE}-wal"
    try:
        size, index = path.stat().st_size, path.with_name(f"{FILE}-shm").read_bytes()[:24]
    except FileNotFoundError:
        return
    if size <= _HEADER or len(index) < 24:
        return
    lost = _lost(path, size, int.from_bytes(index[16:20], sys.byteorder))
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


def _lost(path: Path, size: int, read: int) -> int:
    """Return how many transactions stand in the log behind its first `read` frames."""
    lost = 0
    # Not mapped into memory: a writer may cut the log short while it is looked at.
    with path.open("rb") as file:
        header = file.read(_HEADER)
        page = int.from_bytes(header[8:12], "big")
        if not 512 <= page <= 65536:
            return int(read == 0)
        step = _FRAME + page
        for start in range(_HEADER + read * step, size - step + 1, step):
            file.seek(start)
            frame = file.read(16)
            # The salts tell this turn of the log from what an older one has left behind it;
            # the last frame of a transaction says how large the database is after it.
            lost += frame[8:16] == header[16:24] and any(frame[4:8])
    return lost
