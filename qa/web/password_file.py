"""The password file of a server that runs: a password or token that was changed counts at once."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from qa.web.password import Password, PasswordError

__all__ = ["PasswordFile"]

logger = logging.getLogger(f"quoth.{__name__}")

_SECONDS = 1.0  # between two looks


class PasswordFile:
    """Reads `file` again when it has changed.

    Args:
        file: Made by `quoth password`.
        clock: Seconds that only go forward.
    """

    def __init__(self, file: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._file, self._clock = file, clock
        self._looked = clock()
        # What was read before may be another one by now: indexing lies in between.
        self._state: tuple[int, ...] | None = None

    def changed(self) -> Password | None:
        """Return what the file holds, if it has changed since last asked; else None.

        The first time it is what the file holds.

        A file that is missing or no good changes nothing, but is told in the log: a slip of an
        administrator must neither open the server nor lock everyone out.
        """
        now = self._clock()
        if now - self._looked < _SECONDS:
            return None
        self._looked = now
        state = self._look()
        if state == self._state:
            return None
        self._state = state
        try:
            return Password.read(self._file)
        except PasswordError as error:
            logger.warning("the password stays as it was: %s", error)
            return None

    def _look(self) -> tuple[int, ...]:
        try:
            stat = os.stat(self._file)
        except OSError:
            return ()
        return stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_mode
