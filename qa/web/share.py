"""A fair share: one client may not take up the whole server with requests or open streams."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from qa.text import text
from qa.web.address import is_loopback
from qa.web.guard import refuse
from qa.web.limits import Limits
from qa.web.throttle import network_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Share"]

_STREAMS = ("/gradio_api/queue/data", "/gradio_api/heartbeat/")
_ALL = "all"


class Share:
    """ASGI middleware: answers 429 to who has too much under way, 503 when everyone together has.

    Who has signed in is a client by their session, otherwise by their address. What comes from
    this machine itself has no share of its own, only that of everyone.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits | None = None) -> None:
        self.app = app
        self.limits = limits or Limits()
        self._open: Counter[tuple[str, bool]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        streams, client, limits = _is_stream(scope), _client(scope), self.limits
        most = limits.streams if streams else limits.requests
        most_of_all = limits.all_streams if streams else limits.all_requests
        keys = [(_ALL, streams), *([(client, streams)] if client else [])]
        if client and self._open[client, streams] >= most:
            refusal = 429, text("login.too_much_at_once")
        elif self._open[_ALL, streams] >= most_of_all:
            refusal = 503, text("login.too_many_people")
        else:
            self._open.update(keys)
            try:
                await self.app(scope, receive, send)
            finally:
                self._open.subtract(keys)
                for key in keys:
                    if not self._open[key]:
                        del self._open[key]
            return
        await refuse(scope, receive, send, *refusal, {"retry-after": "5"})


def _client(scope: Scope) -> str:
    session = scope.get("state", {}).get("session")
    if session:
        return f"session {session}"
    client = scope.get("client")
    if client is None or is_loopback(client[0]):
        return ""
    return network_of(client[0])


def _is_stream(scope: Scope) -> bool:
    if scope["path"].startswith(_STREAMS):
        return True
    accepted = [value for name, value in scope["headers"] if name == b"accept"]
    return any(b"text/event-stream" in value for value in accepted)
