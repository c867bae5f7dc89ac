"""The whole page behind its gates, and requests as they are not made by browsers."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import ui
from qa.web.headers import SAFE_HEADERS
from qa.web.limits import Limits
from qa.web.settings import PageSettings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from index import Library
    from qa.web.password import Password

__all__ = ["HOST", "ORIGIN", "SMALL", "page", "replies", "safe", "statuses"]

HOST = "127.0.0.1:7860"
ORIGIN = f"http://{HOST}"
SMALL = Limits(body=10_000, upload=200_000, wait=0.5)


def page(library: Library, password: Password | None = None) -> FastAPI:
    """Return the page with its chat, with small limits."""

    async def built() -> FastAPI:
        return ui.build_page(library, PageSettings(password=password, limits=SMALL))

    # Without a running event loop Gradio makes some that nobody closes.
    return asyncio.run(built())


def safe(headers: Mapping[str, str]) -> bool:
    """Return whether a reply says all that it must to the browser, and lets no other page read."""
    told = all(headers.get(name) == value for name, value in SAFE_HEADERS.items())
    kept = headers.get("cache-control", "")
    return told and kept != "" and "public" not in kept and not _shared(headers)


def _shared(headers: Mapping[str, str]) -> bool:
    return any(name.lower().startswith("access-control-") for name in headers)


def replies(address: str, *sent: bytes, timeout: float = 20) -> bytes:
    """Send what need not be HTTP to a server and return all that comes back until it closes."""
    parts = urlsplit(address)
    assert parts.hostname is not None
    got = bytearray()
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=timeout) as line:
        with suppress(ConnectionError):  # closed before it had read all; its reply is still here
            for part in sent:
                line.sendall(part)
        with suppress(ConnectionError):
            while received := line.recv(65_536):
                got += received
    return bytes(got)


def statuses(got: bytes) -> list[int]:
    """Return the status of each reply in what came back."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", got)]
