"""Who is asking: people are told apart by a cookie of their browser, nothing else is known of them.

The cookie is a random number. What the server keeps and files conversations under is a hash of
it, so that whoever reads the file of conversations cannot pass for their owner.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from qa.web.cookies import cookie_header, cookie_name

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["NOBODY", "OWNER_COOKIE", "Owner", "owner_of"]

NOBODY = "api"  # asks without a cookie: a program
OWNER_COOKIE = "quoth_browser"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")  # 128 bits
_PAGES = ("/", "/login")
_YEAR = 365 * 24 * 3600


def owner_of(request: HTTPConnection) -> str:
    """Return whose request this is: a short name made of the cookie, or "api" without one."""
    owner = getattr(request.state, "owner", NOBODY)
    return owner if isinstance(owner, str) else NOBODY


class Owner:
    """ASGI middleware: names the owner of each request and gives a browser its cookie.

    Args:
        app: What comes next.
        path: Where the page lives for browsers: "/", or "/quoth/" behind a proxy.
    """

    def __init__(self, app: ASGIApp, *, path: str = "/") -> None:
        self.app, self.path = app, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        secure = scope["scheme"] == "https"
        name = cookie_name(OWNER_COOKIE, path=self.path, secure=secure)
        token = HTTPConnection(scope).cookies.get(name, "")
        known = _TOKEN.fullmatch(token) is not None
        new = not known and scope["method"] == "GET" and scope["path"] in _PAGES
        if new:
            token = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["owner"] = _name(token) if known or new else NOBODY
        if not new:
            await self.app(scope, receive, send)
            return
        header = cookie_header(
            OWNER_COOKIE,
            token,
            path=self.path,
            secure=secure,
            seconds=_YEAR,
        )

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), header]}
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _name(token: str) -> str:
    return hashlib.sha256(token.encode("ascii")).hexdigest()[:32]
