"""A gate before every request: by which name it came, how much it sends, what browsers may do.

The page usually listens on a loopback address, but any web page that a person visits can make
their browser send requests there. So the host must be ours (otherwise a foreign name that resolves
to 127.0.0.1 could read answers), the origin must be ours, and of Gradio's routes only those that
the chat needs are open.

Behind a reverse proxy the gate also makes a request what it was for the browser: behind it, scheme
and host are those of the public address, and paths begin at the page whether or not the proxy
passes on where it has put it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from qa.web.address import LOOPBACK_NAMES, is_loopback
from qa.web.headers import CONTENT_SECURITY_POLICY, with_headers
from qa.web.limits import Limits
from qa.web.settings import STATIC, PageSettings
from qa.web.wellformed import few_ranges, malformed

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from qa.web.address import PublicAddress

__all__ = ["CONTENT_SECURITY_POLICY", "Guard", "Limits", "refuse"]

# What there is: our own, and of Gradio what its chat asks for. Its other routes fetch addresses
# from the network, serve and take files, or run functions outside the queue; whatever a later
# version of it brings stays closed too.
_OURS = ("/", STATIC, "/api")
_BELOW_OURS = (f"{STATIC}/", "/api/")
_GRADIO = "/gradio_api/"
_OPEN = frozenset(
    {
        "/config",
        "/theme.css",
        *(
            f"{_GRADIO}{name}"
            for name in (
                "app_id",
                "cancel",
                "info",
                "queue/data",
                "queue/join",
                "reset",
                "startup-events",
                "theme.css",
            )
        ),
    }
)
_BELOW_OPEN = ("/assets/", f"{_GRADIO}heartbeat/")
_OWN_DOORS = ("/login", "/logout")  # where a password is asked, see `qa.web.auth`

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_UPLOADS = ("/api/documents", "/api/v1/documents")
# What a proxy says about the browser. Gradio would believe these from anyone.
_HEARSAY = ("x-forwarded-", "forwarded", "x-real-ip", "x-gradio-server", "x-original-")


class Guard:
    """ASGI middleware; refuses a request itself or passes it on.

    Args:
        app: What is guarded.
        settings: Names, public address and limits of the server.
    """

    def __init__(self, app: ASGIApp, *, settings: PageSettings | None = None) -> None:
        self.app = app
        self.settings = settings or PageSettings()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:  # The page uses no web sockets.
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _values(scope)
        refusal = malformed(scope, headers) or self._wrong_name(scope, headers)
        if refusal is None:
            scope = few_ranges(self._as_the_browser_asked(scope, headers))
        send = with_headers(send, scope["path"])
        if refusal is None:
            if self.settings.public is not None and scope["path"] == "":
                await _redirect(send, f"{self.settings.path}{_query(scope)}")
                return
            refusal = self._refusal(scope, headers)
        if refusal is not None:
            # Whoever does not agree with us on where a request ends must not send a next one.
            close = {"connection": "close"} if refusal[0] == HTTPStatus.BAD_REQUEST else None
            await refuse(scope, receive, send, *refusal, close)
            return
        limit = self._limit(scope)
        too_large = f"The request is larger than {limit:,} bytes."
        if _declared_length(headers) > limit:
            await refuse(scope, receive, send, 413, too_large)
            return
        body = _CheckedBody(receive, send, limit, self.settings.limits)
        try:
            await self.app(scope, body.receive, body.send)
        except Exception:
            # What the app makes of the cut-off body is of no interest; anything else is.
            if not (body.too_large or body.too_slow):
                raise
        if body.too_large and not body.answered:
            await refuse(scope, receive, send, 413, too_large)
        elif body.too_slow and not body.answered:
            await refuse(scope, receive, send, 408, "The request did not arrive in time.")

    def _wrong_name(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        """Return status and sentence if the server is not called by a name of its own."""
        settings, host = self.settings, headers.get("host", "")
        name = _without_port(host)
        if settings.public is None:
            # An address of IP cannot be made to mean another machine, as a name can.
            ours = name in settings.hosts or (settings.any_ip and _is_ip(name))
            return None if ours else (400, "This address is not served here.")
        near = _from_this_machine(scope)
        asked_for = headers.get("x-forwarded-host", host) if near else host
        # A proxy may well say nothing about the host and call us by our own name.
        if settings.public.is_at(asked_for) or (near and name in LOOPBACK_NAMES):
            return None
        return 400, f"This address is not served here; the page is at {settings.public}."

    def _as_the_browser_asked(self, scope: Scope, headers: dict[str, str]) -> Scope:
        """Return the request as it was before a proxy, without what anyone may claim of it."""
        public = self.settings.public
        kept = [pair for pair in scope["headers"] if not _is_hearsay(pair[0])]
        if public is None:
            return {**scope, "headers": kept}
        kept = [pair for pair in kept if pair[0] != b"host"]
        path = _below(public, scope["path"])
        return {
            **scope,
            "scheme": public.scheme,
            "headers": [(b"host", public.host.encode("ascii")), *kept],
            "client": _client(scope, headers),
            "path": path,
            "raw_path": quote(path).encode("ascii"),
        }

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        """Return status and sentence if the request must not go on, or None."""
        public = self.settings.public
        ours = f"{scope['scheme']}://{headers.get('host', '')}" if public is None else public.origin
        origin = headers.get("origin")
        if origin is None and scope["method"] not in _READING:
            origin = _origin_of(headers.get("referer", ""))
        if origin is not None and origin != ours:
            return 403, "Requests from other web pages are not answered."
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            # A link on another page may lead here; it may not load or send anything here.
            opened = scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate"
            if not (opened and headers.get("sec-fetch-dest") == "document"):
                return 403, "Requests from other web pages are not answered."
        if not self._is_open(scope["path"]):
            return 404, "There is nothing here."
        return None

    def _is_open(self, path: str) -> bool:
        if path in _OWN_DOORS:
            return self.settings.password is not None
        return path in _OURS or path in _OPEN or path.startswith((*_BELOW_OURS, *_BELOW_OPEN))

    def _limit(self, scope: Scope) -> int:
        limits = self.settings.limits
        uploading = scope["method"] == "POST" and scope["path"] in _UPLOADS
        return limits.upload if uploading else limits.body


class _CheckedBody:
    """Ends a request as if the client had gone once its body is too large or does not come."""

    def __init__(self, receive: Receive, send: Send, limit: int, limits: Limits) -> None:
        self._receive, self._send, self._left, self._limits = receive, send, limit, limits
        # What a client may still take, in seconds; only its own time counts, not ours.
        self._time = limits.grace
        self._more = True
        self.too_large = self.too_slow = self.answered = False

    async def receive(self) -> Message:
        if self.too_large or self.too_slow:
            return {"type": "http.disconnect"}
        begun = time.monotonic()
        try:
            # After the body this waits for the client to go, which may take long.
            wait = max(0.0, min(self._limits.wait, self._time)) if self._more else None
            async with asyncio.timeout(wait):
                message = await self._receive()
        except TimeoutError:
            self.too_slow = True
            return {"type": "http.disconnect"}
        if message["type"] == "http.request":
            self._more = message.get("more_body", False)
            self._time += len(message.get("body", b"")) / self._limits.slowest
            self._time -= time.monotonic() - begun
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.too_large = True
                return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        if (self.too_large or self.too_slow) and not self.answered:
            return
        self.answered = True
        await self._send(message)


async def refuse(
    scope: Scope,
    receive: Receive,
    send: Send,
    status: int,
    sentence: str,
    headers: dict[str, str] | None = None,
) -> None:
    """Answer with the sentence that says why the request is refused."""
    from qa.web.replies import problem

    await problem(status, sentence, headers=headers)(scope, receive, send)


async def _redirect(send: Send, location: str) -> None:
    headers = [(b"location", location.encode("latin-1")), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 308, "headers": headers})
    await send({"type": "http.response.body"})


def _below(public: PublicAddress, path: str) -> str:
    """Return `path` as it is below the page: "" where only the slash at the end is missing."""
    if not public.path:
        return path
    if path == public.path:
        return ""
    return path.removeprefix(public.path) if path.startswith(f"{public.path}/") else path


def _client(scope: Scope, headers: dict[str, str]) -> tuple[str, int] | None:
    """Return who asks: behind a proxy on this machine what it added last to the list."""
    client: tuple[str, int] | None = scope.get("client")
    named = headers.get("x-forwarded-for", "").rpartition(",")[2].strip().strip("[]")
    return (named, 0) if named and _is_ip(named) and _from_this_machine(scope) else client


def _from_this_machine(scope: Scope) -> bool:
    client = scope.get("client")
    return client is not None and is_loopback(client[0])


def _origin_of(referer: str) -> str | None:
    """Return the origin of the page that a request came from, or None where it does not say."""
    try:
        parts = urlsplit(referer)
    except ValueError:
        return "null"
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else None


def _is_hearsay(name: bytes) -> bool:
    return name.decode("latin-1").startswith(_HEARSAY)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _values(scope: Scope) -> dict[str, str]:
    """Return the headers by name; one that is there twice counts as both, which fits nothing."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def _declared_length(headers: dict[str, str]) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


def _query(scope: Scope) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    return f"?{query}" if query else ""
