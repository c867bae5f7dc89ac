"""Cookies as this server sets them: out of reach of scripts and of other sites."""

from __future__ import annotations

__all__ = ["cookie_header"]


def cookie_header(
    name: str, value: str, *, path: str, secure: bool, seconds: int | None = None
) -> tuple[bytes, bytes]:
    """Return a `Set-Cookie` header.

    Args:
        name: Of the cookie.
        value: Token characters only.
        path: Where it is sent.
        secure: Whether it goes over https alone.
        seconds: How long it is kept; 0 deletes it, None keeps it while the browser runs.
    """
    parts = [f"{name}={value}", f"Path={path}", "HttpOnly", "SameSite=Lax"]
    if seconds is not None:
        parts.append(f"Max-Age={seconds}")
    if secure:
        parts.append("Secure")
    return b"set-cookie", "; ".join(parts).encode("ascii")
