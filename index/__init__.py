"""Files become sentences, vectors, words and a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from index.errors import QuothError
from index.types import Citation, Document, DocumentInfo, Encoder, Filter, Span

if TYPE_CHECKING:
    from index.library import Library
    from index.reports import FindResult, Skip, Status, SyncReport
    from index.upkeep.copy import copy_library

__all__ = [
    "Citation",
    "Document",
    "DocumentInfo",
    "Encoder",
    "Filter",
    "FindResult",
    "Library",
    "QuothError",
    "Skip",
    "Span",
    "Status",
    "SyncReport",
    "copy_library",
]

_LAZY = {
    "FindResult": "index.reports",
    "Library": "index.library",
    "Skip": "index.reports",
    "Status": "index.reports",
    "SyncReport": "index.reports",
    "copy_library": "index.upkeep.copy",
}


def __getattr__(name: str) -> object:  # PEP 562: what is heavy is imported when it is used
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
