"""What runs, and whether it answers at once."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from qa.reader import reader_loaded

if TYPE_CHECKING:
    from index import Library
    from index.searcher import Searcher

__all__ = ["is_ready", "running_version"]


@cache
def running_version() -> str:
    """Return the version that is installed, or "unknown" where Quoth runs from its source."""
    try:
        return version("quoth")
    except PackageNotFoundError:
        return "unknown"


def is_ready(library: Library, searcher: Searcher | None = None) -> bool:
    """Return whether a question is answered without loading a model first."""
    if searcher is None:
        with library.searching() as opened:
            return is_ready(library, opened)
    return library.encoder_loaded(searcher) and reader_loaded()
