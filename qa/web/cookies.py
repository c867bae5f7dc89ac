"""Cookies as this server sets them: out of reach of scripts and of other sites."""

from __future__ import annotations

__all__ = ["cookie_header", "cookie_name"]


def cookie_name(name: str, *, path: str, secure: bool) -> str:
    """Return what a cookie is called so that no other server of the same domain can set it.

    Browsers take a cookie whose name begins with `__Host-` or `__Secure-` over https alone, and
    one with `__Host-` from the host itself alone (RFC 6265bis, section 4.1.3). A path of its own
    allows the second only, and without https there is neither.
    """
    if not secure:
        return name
    return f"__Host-{name}" if path == "/" else f"__Secure-{name}"


def cookie_header(
    name: str, value: str, *, path: str, secure: bool, seconds: int | None = None
) -> tuple[bytes, bytes]:
    """Return a `Set-Cookie` header.

    Args:
        name: Of the cookie, without the prefix that `cookie_name` gives it.
        value: Token characters only.
        path: Where it is sent.
        secure: Whether it goes over https alone.
        seconds: How long it is kept; 0 deletes it, None keeps it while the browser runs.
    """
    whole = cookie_name(name, path=path, secure=secure)
    parts = [f"{whole}={value}", f"Path={path}", "HttpOnly", "SameSite=Lax"]
    if seconds is not None:
        parts.append(f"Max-Age={seconds}")
    if secure:
        parts.append("Secure")
    return b"set-cookie", "; ".join(parts).encode("ascii")
