"""Guessing made slow: who has failed several times waits, longer each time."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from qa.web.latest import Latest

__all__ = ["Throttle", "network_of"]

_FREE = 5  # failures that cost nothing: people mistype
_LONGEST = 900.0  # seconds to wait
_FORGET = 3600.0  # seconds after which failures no longer count
_ALL = 60  # failures of everyone together …
_ALL_SECONDS = 60.0  # … within this time
_MOST = 10_000  # networks remembered


@dataclass(slots=True)
class _Failures:
    count: int
    last: float


class Throttle:
    """Counts failed logins by the network that they come from, and all together.

    Guessers must not lock out those who know the password. So a browser that has signed in before
    is counted by itself, whatever others do at its address ("device cookies" at OWASP), and while
    too many fail together only such browsers may try.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: Latest[str, _Failures] = Latest(_MOST)
        self._all: deque[float] = deque()
        self._known: Latest[str, None] = Latest(_MOST)
        self._lock = threading.Lock()

    def seconds_to_wait(self, address: str, owner: str) -> int:
        """Return how long a try from `address` by `owner` must wait; 0: it may be made.

        `owner` is "" for a browser that nothing is known of.

        A try that may be made counts as a failure until `succeeded` says otherwise, so that many
        at the same time gain nothing.
        """
        now = self._clock()
        with self._lock:
            who = self._who(address, owner)
            while self._all and now - self._all[0] > _ALL_SECONDS:
                self._all.popleft()
            failures = self._failures.get(who)
            if failures is not None and now - failures.last > _FORGET:
                failures = None
            wait = 0.0
            if failures is not None and failures.count >= _FREE:
                pause = min(2.0 ** (failures.count - _FREE + 1), _LONGEST)
                wait = failures.last + pause - now
            if len(self._all) >= _ALL and owner not in self._known:
                wait = max(wait, self._all[0] + _ALL_SECONDS - now)
            if wait > 0:
                return int(wait) + 1
            self._all.append(now)
            count = 1 if failures is None else failures.count + 1
            self._failures[who] = _Failures(count, now)
            return 0

    def succeeded(self, address: str, owner: str) -> None:
        """Forget the failures counted with this one, and know `owner` from now on."""
        with self._lock:
            self._failures.pop(self._who(address, owner), None)
            if self._all:
                self._all.pop()
            if owner:
                self._known[owner] = None

    def forget(self) -> None:
        """Know nobody any more: there is another password."""
        with self._lock:
            self._known.clear()

    def _who(self, address: str, owner: str) -> str:
        return f"browser {owner}" if owner in self._known else network_of(address)


def network_of(address: str) -> str:
    """Return what stands for one household: an IPv4 address, or the first half of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))
