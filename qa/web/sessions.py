"""Who has signed in: random tokens, of which the server keeps hashes in memory alone."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from qa.web.latest import Latest

__all__ = ["Sessions"]

IDLE = 24 * 3600.0
ABSOLUTE = 14 * 24 * 3600.0
_MOST = 10_000


@dataclass(slots=True)
class _Session:
    begun: float
    used: float


class Sessions:
    """The sessions going on; a restart of the server ends them all.

    Args:
        idle: Seconds without a request after which a session has ended.
        absolute: Seconds after which it has ended in any case.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        *,
        idle: float = IDLE,
        absolute: float = ABSOLUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.absolute = absolute
        self._idle, self._clock = idle, clock
        self._sessions: Latest[str, _Session] = Latest(_MOST)
        self._lock = threading.Lock()

    def begin(self) -> str:
        """Return the token of a new session; of too many the one unused for longest ends."""
        token, now = secrets.token_urlsafe(32), self._clock()
        with self._lock:
            self._sessions[_key(token)] = _Session(now, now)
        return token

    def use(self, token: str) -> str | None:
        """Return the key of the session of `token` and note that it is used; None: none goes on."""
        key = _key(token)
        with self._lock:
            if not self._goes_on(key):
                return None
            self._sessions[key].used = self._clock()
            self._sessions.move_to_end(key)
            return key

    def goes_on(self, key: str) -> bool:
        """Return whether the session has not ended, without using it."""
        with self._lock:
            return self._goes_on(key)

    def end(self, token: str) -> None:
        """End the session of `token`, if there is one."""
        with self._lock:
            self._sessions.pop(_key(token), None)

    def end_all(self) -> None:
        """End every session."""
        with self._lock:
            self._sessions.clear()

    def _goes_on(self, key: str) -> bool:
        session = self._sessions.get(key)
        if session is None:
            return False
        now = self._clock()
        if now - session.used < self._idle and now - session.begun < self.absolute:
            return True
        del self._sessions[key]
        return False


def _key(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
