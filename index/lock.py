"""One writer at a time, across threads and processes, and who it is."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.errors import LibraryError, LibraryLockedError
from index.files import create_private, write_private

__all__ = ["writer_lock"]

WAIT_SECONDS = 10.0


@contextmanager
def writer_lock(library: Path, *, wait: float | None = None) -> Iterator[None]:
    """Hold the library's lock; the system lets it go when the process ends, however it ends.

    Args:
        library: The library's folder.
        wait: Seconds to wait for it; None for `WAIT_SECONDS`.

    Raises:
        LibraryLockedError: Somebody else held it for so long.
        LibraryError: The folder cannot be written to.
    """
    import filelock

    file, holder = library / "writer.lock", library / "writer.json"
    lock = filelock.FileLock(file, timeout=WAIT_SECONDS if wait is None else wait, mode=0o600)
    try:
        create_private(file)
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
        with contextlib.suppress(OSError):  # a courtesy to others, not worth failing for
            write_private(holder, json.dumps(who).encode())
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _name(path: Path) -> str:
    try:
        holder = json.loads(path.read_text())
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
