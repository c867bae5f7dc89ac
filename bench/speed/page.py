"""How long until the page can be asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.page import opened_once, server
from bench.speed.figure import Figure

__all__ = ["page"]


def page() -> Iterator[Figure]:
    """Yield the seconds from the start of the server until a question can be typed and asked."""
    with TemporaryDirectory(prefix="quoth-bench-") as folder, server(Path(folder)) as (address, s):
        typed = opened_once(address)
    yield Figure("server until it answers", s, "s")
    yield Figure("page until it can be typed in", typed, "s")
    yield Figure("from start until it can be asked", s + typed, "s")
