"""What the routes work with, in one place: each group of routes takes what it needs from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index import Library
    from qa.web.conversations import Conversations
    from qa.web.gate import Gate
    from qa.web.settings import PageSettings
    from qa.web.sources import Sources
    from qa.web.suggestions import Suggestions
    from qa.web.syncing import Syncing
    from qa.web.uploads import Uploads

__all__ = ["Services"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of one running server.

    Attributes:
        gate: Before questions and searches.
        pictures: Before pages of PDFs, which may take long to draw.
        previews: Before looking what a sync would do, which reads files.
    """

    library: Library
    settings: PageSettings
    conversations: Conversations
    sources: Sources
    uploads: Uploads
    syncing: Syncing
    suggestions: Suggestions
    gate: Gate
    pictures: Gate
    previews: Gate
