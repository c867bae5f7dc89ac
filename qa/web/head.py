"""The head of the page: our style, script and icon, in the page as it is served.

And what is said where scripts are switched off.

Gradio adds a head of one's own only when it runs, which is late: the page would first be drawn
without its style, and the bar on top would come when everything else is there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Head"]

# What Gradio says of itself to those who preview links, or who would install it.
_ITS_OWN = re.compile(
    rb'<(?:meta\s+(?:property="og:|name="twitter:)|link\s+rel="manifest")[^>]*>\s*'
)
_BODY = re.compile(rb"<body[^>]*>")


class Head:
    """ASGI middleware: puts markup into the head of the page.

    Args:
        app: What serves the page, at "/" and at `path`.
        path: Where the page lives for browsers; a proxy may leave that in what it passes on.
        markup: Ours; where it holds text of others, escaped.
        without_script: Markup that is shown where there is no script.
    """

    def __init__(
        self, app: ASGIApp, *, markup: str, without_script: str = "", path: str = "/"
    ) -> None:
        self.app, self._markup, self._paths = app, markup.encode(), ("/", path)
        self._without = f"<noscript>{without_script}</noscript>".encode() if without_script else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        page = scope["type"] == "http" and scope["path"] in self._paths
        if not page or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def send_whole(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif start is None or message["type"] != "http.response.body":
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    await self._send(start, body, send)

        await self.app(scope, receive, send_whole)

    async def _send(self, start: Message, body: bytes, send: Send) -> None:
        page = _ITS_OWN.sub(b"", body).replace(b"</head>", self._markup + b"</head>", 1)
        page = _BODY.sub(lambda body: body[0] + self._without, page, count=1)
        length = (b"content-length", str(len(page)).encode())
        kept = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        await send({**start, "headers": [*kept, length]})
        await send({"type": "http.response.body", "body": page})


def _is_page(message: Message) -> bool:
    headers = {name.lower(): value for name, value in message.get("headers", ())}
    plain = b"content-encoding" not in headers
    html = headers.get(b"content-type", b"").startswith(b"text/html")
    return message["status"] == 200 and html and plain
