"""What every reply tells the browser: what it may load, frame, keep and guess.

After the OWASP cheat sheets on HTTP headers and on content security policies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Message, Send

__all__ = ["CONTENT_SECURITY_POLICY", "SAFE_HEADERS", "with_headers"]

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

SAFE_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    # "no-referrer" would make browsers hide the origin of our own forms as well.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-frame-options": "DENY",
}
_HEADERS = tuple((name.encode(), value.encode()) for name, value in SAFE_HEADERS.items())
# Ours replace those of what is behind, and no other page may read anything (Gradio would let it).
_OURS = (*(name for name, _ in _HEADERS), b"access-control-")

# Without a word browsers keep what they like for as long as they like: after an update that would
# be an old script with a new page. Gradio's files have a name of their own for each version.
_ASK_AGAIN = (b"cache-control", b"private, no-cache")
_FOR_GOOD = (b"cache-control", b"private, max-age=31536000, immutable")
_NEVER = (b"cache-control", b"no-store")
_VERSIONED = "/assets/"
# Where documents and conversations come from.
_PRIVATE = ("/api/", "/gradio_api/")


def with_headers(send: Send, path: str) -> Send:
    """Return `send` with what every reply to a request for `path` tells the browser."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = message.get("headers", ())
            kept = [pair for pair in given if not pair[0].lower().startswith(_OURS)]
            if not any(name.lower() == b"cache-control" for name, _ in kept):
                kept.append(_keeping(path, message["status"]))
            message = {**message, "headers": [*kept, *_HEADERS]}
        await send(message)

    return send_with_headers


def _keeping(path: str, status: int) -> tuple[bytes, bytes]:
    if path.startswith(_VERSIONED) and status in (200, 304):
        return _FOR_GOOD
    return _NEVER if path.startswith(_PRIVATE) else _ASK_AGAIN
