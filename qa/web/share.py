"""A fair share: one client may not take up the whole server with what it sends or keeps open."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from qa.text import text
from qa.web.address import is_loopback
from qa.web.guard import refuse
from qa.web.latest import Latest
from qa.web.limits import Limits
from qa.web.throttle import network_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Pace", "Share"]

_STREAMS = ("/gradio_api/queue/data", "/gradio_api/heartbeat/")
_VERSIONS = ("/api", "/api/v1")
_UPLOADS = frozenset(f"{version}/documents" for version in _VERSIONS)
_QUESTIONS = frozenset(
    {
        "/gradio_api/queue/join",
        *(f"{version}/{what}" for version in _VERSIONS for what in ("ask", "find", "retrieve")),
    }
)
_ALL = "all"
_MOST = 10_000  # clients remembered


class Share:
    """ASGI middleware: answers 429 to who has or asks too much, 503 when everyone together has.

    Who has signed in is a client by their session, otherwise by their address. What comes from
    this machine itself has no share of its own, only that of everyone.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits | None = None) -> None:
        self.app = app
        self.limits = limits or Limits()
        self._open: Counter[tuple[str, str]] = Counter()
        self._pace = Pace(self.limits.questions, self.limits.questions_at_first)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        client, kind = _client(scope), _kind(scope)
        refusal = self._too_much(client, kind)
        if refusal is None and client and scope["path"] in _QUESTIONS:
            wait = self._pace.seconds_to_wait(client)
            if wait:
                refusal = 429, text("login.too_many_questions", n=wait), wait
        if refusal is not None:
            status, sentence, seconds = refusal
            headers = {"retry-after": str(seconds)}
            await refuse(scope, receive, send, status, sentence, headers)
            return
        keys = [(_ALL, kind), *([(client, kind)] if client else [])]
        self._open.update(keys)
        try:
            await self.app(scope, receive, send)
        finally:
            self._open.subtract(keys)
            for key in keys:
                if not self._open[key]:
                    del self._open[key]

    def _too_much(self, client: str, kind: str) -> tuple[int, str, int] | None:
        most = getattr(self.limits, kind)
        most_of_all = getattr(self.limits, f"all_{kind}")
        if client and self._open[client, kind] >= most:
            return 429, text("login.too_much_at_once"), 5
        if self._open[_ALL, kind] >= most_of_all:
            return 503, text("login.too_many_people"), 5
        return None


class Pace:
    """How often a client may do something: some times at once, then so often a minute.

    Args:
        a_minute: How often over any length of time.
        at_first: How often at once, by who has done nothing for a while.
        clock: Seconds that only go forward.
    """

    def __init__(
        self, a_minute: int, at_first: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds, self._burst = 60.0 / a_minute, at_first
        self._clock = clock
        # By client, when all it has done would be paid for; before now: nothing is owed.
        self._paid: Latest[str, float] = Latest(_MOST)

    def seconds_to_wait(self, client: str) -> int:
        """Return how long `client` must wait; 0: it may, and that counts.

        This is the generic cell rate algorithm of ITU-T I.371.
        """
        now = self._clock()
        paid = max(self._paid.get(client, now), now) + self._seconds
        early = paid - now - self._seconds * self._burst
        if early > 0:
            return int(early) + 1
        self._paid[client] = paid
        return 0


def _client(scope: Scope) -> str:
    session = scope.get("state", {}).get("session")
    if session:
        return f"session {session}"
    client = scope.get("client")
    if client is None or is_loopback(client[0]):
        return ""
    return network_of(client[0])


def _kind(scope: Scope) -> str:
    """Return which of the limits counts: "streams", "uploads" or "requests"."""
    if scope["path"].startswith(_STREAMS):
        return "streams"
    if scope["method"] == "POST" and scope["path"] in _UPLOADS:
        return "uploads"
    accepted = [value for name, value in scope["headers"] if name == b"accept"]
    return "streams" if any(b"text/event-stream" in value for value in accepted) else "requests"
