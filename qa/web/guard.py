"""A gate before every request: who may ask, how much they may send, what the browser may do.

The page listens on a loopback address, but any web page that a person visits can make their
browser send requests there. So the host must be ours (otherwise a foreign name that resolves to
127.0.0.1 could read answers), the origin must be ours, and of Gradio's routes only those that
the chat needs are open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CONTENT_SECURITY_POLICY", "Guard", "Limits"]

# Gradio's own inline scripts are blocked by this; it then fetches /config and works.
# Inline styles are needed by Gradio; nothing may be loaded from or sent to another host.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)

_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)

# What Gradio's chat asks for. Its other routes fetch addresses from the network, serve and take
# files, or run functions outside the queue: none of that is part of the page.
_GRADIO = "/gradio_api/"
_OPEN_GRADIO = (
    "queue/join",
    "queue/data",
    "heartbeat/",
    "cancel",
    "reset",
    "startup-events",
    "info",
    "app_id",
    "theme.css",
)
_CLOSED = ("/monitoring", "/login", "/logout", "/custom_component", "/proxy=", "/file=", "/file/")


@dataclass(frozen=True, slots=True)
class Limits:
    """Most bytes that a request body may have: anywhere, and in an upload of documents."""

    body: int = 1_000_000
    upload: int = 256_000_000


class Guard:
    """ASGI middleware; answers 400, 403, 404 or 413 itself or passes the request on.

    Args:
        app: What is guarded.
        hosts: Names by which the server may be addressed, without port.
        limits: Body sizes.
        uploads: Path whose POST requests may be as large as an upload.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str] = ("127.0.0.1", "localhost", "[::1]"),
        limits: Limits | None = None,
        uploads: str = "/api/documents",
    ) -> None:
        self.app = app
        self.hosts = frozenset(hosts)
        self.limits = limits or Limits()
        self.uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:  # The page uses no web sockets.
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        limit = self._limit(scope)
        if _declared_length(headers) > limit:
            await _refuse(send, 413, f"The request is larger than {limit:,} bytes.")
            return
        body = _CountedBody(receive, send, limit)
        try:
            await self.app(scope, body.receive, body.send)
        except Exception:
            # What the app makes of the cut-off body is of no interest; anything else is.
            if not body.too_large:
                raise
        if body.too_large and not body.answered:
            await _refuse(send, 413, f"The request is larger than {limit:,} bytes.")

    def _refusal(self, scope: Scope, headers: dict[bytes, str]) -> tuple[int, str] | None:
        """Return status and sentence if the request must not go on, or None."""
        host = headers.get(b"host", "")
        if _without_port(host) not in self.hosts:
            return 400, "This address is not served here."
        origin = headers.get(b"origin")
        if origin is not None and origin != f"{scope['scheme']}://{host}":
            return 403, "Requests from other web pages are not answered."
        if headers.get(b"sec-fetch-site", "none") not in ("none", "same-origin"):
            # A link on another page may lead here; it may not load or send anything here.
            opened = scope["method"] == "GET" and headers.get(b"sec-fetch-mode") == "navigate"
            if not (opened and headers.get(b"sec-fetch-dest") == "document"):
                return 403, "Requests from other web pages are not answered."
        if not _is_open(scope["path"]):
            return 404, "There is nothing here."
        return None

    def _limit(self, scope: Scope) -> int:
        uploading = scope["method"] == "POST" and scope["path"] == self.uploads
        return self.limits.upload if uploading else self.limits.body


class _CountedBody:
    """Ends a request as if the client had gone once its body is larger than `limit`."""

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive, self._send, self._left = receive, send, limit
        self.too_large = self.answered = False

    async def receive(self) -> Message:
        if self.too_large:
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.too_large = True
                return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        if self.too_large and not self.answered:
            return
        if message["type"] == "http.response.start":
            self.answered = True
            ours = {name for name, _ in _HEADERS}
            kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in ours]
            message = {**message, "headers": [*kept, *_HEADERS]}
        await self._send(message)


def _is_open(path: str) -> bool:
    if path.startswith(_GRADIO):
        return path.removeprefix(_GRADIO).startswith(_OPEN_GRADIO)
    return not path.startswith(_CLOSED)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def _declared_length(headers: dict[bytes, str]) -> int:
    length = headers.get(b"content-length", "0")
    return int(length) if length.isdigit() else 0


async def _refuse(send: Send, status: int, sentence: str) -> None:
    body = sentence.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        *_HEADERS,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
