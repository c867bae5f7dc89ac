"""A question becomes a cited answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.types import Answer, Disagreement, Passage, Quote, ScoredSentence

if TYPE_CHECKING:
    from qa.chat import Chat
    from qa.retriever import Retriever, RetrieverSettings, retrieve

__all__ = [
    "Answer",
    "Chat",
    "Disagreement",
    "Passage",
    "Quote",
    "Retriever",
    "RetrieverSettings",
    "ScoredSentence",
    "retrieve",
]

_LAZY = {
    "Chat": "qa.chat",
    "Retriever": "qa.retriever",
    "RetrieverSettings": "qa.retriever",
    "retrieve": "qa.retriever",
}


def __getattr__(name: str) -> object:  # PEP 562: what is heavy is imported when it is used
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
