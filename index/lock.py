"""One writer at a time, across threads and processes, and who it is."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.errors import LibraryError, LibraryLockedError

__all__ = ["writer_lock"]

WAIT_SECONDS = 10.0


@contextmanager
def writer_lock(library: Path) -> Iterator[None]:
    """Hold the library's lock; the system lets it go when the process ends, however it ends.

    Raises:
        LibraryLockedError: Somebody else held it for `WAIT_SECONDS`.
        LibraryError: The folder cannot be written to.
    """
    import filelock

    lock = filelock.FileLock(library / "writer.lock", timeout=WAIT_SECONDS)
    holder = library / "writer.json"
    try:
        lock.acquire()
    except filelock.Timeout:
        raise LibraryLockedError(
            f"{library} is being changed by {_name(holder)}; wait until it is done and try again."
        ) from None
    except OSError as error:
        raise LibraryError(f"{library} cannot be changed: {error}.") from error
    try:
        since = time.strftime("%H:%M:%S")
        who = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
        holder.write_text(json.dumps(who))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _name(path: Path) -> str:
    try:
        holder = json.loads(path.read_text())
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError):
        return "another process"
