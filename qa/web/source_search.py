"""Words searched for inside one document, as a person reads them.

Case, accents, ligatures, curly quotes and words divided at a line's end make no difference; an
accent that is typed does. What is found is given as spans of the document's own text.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from index.searchview import plain, search_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qa.web.source_text import SourceText

__all__ = ["SearchHit", "SearchView", "search_source"]

_MOST_HITS = 2_000  # sent; all are counted
_WINDOW = 20_000  # characters of a block that are looked at in one piece
_OVERLAP = 1_000  # longer than what any query can stand for
_MARKS = re.compile("[\u0300-\u036f]")  # accents; the vowel signs of other scripts are no accents


@dataclass(frozen=True, slots=True)
class SearchHit:
    """Characters [start, end) that were found, and the page they are on."""

    start: int
    end: int
    page: int | None


@dataclass(frozen=True, slots=True)
class SearchView:
    """What was searched for, how often it occurs, and the places: the first 2,000."""

    query: str
    total: int
    hits: tuple[SearchHit, ...]


def search_source(source: SourceText, query: str) -> SearchView:
    """Return every place of `query` in the document, in order; none for an empty one."""
    wanted = plain(query).casefold()
    accents = _MARKS.search(unicodedata.normalize("NFD", wanted)) is not None
    wanted = _folded(wanted, accents)
    hits: list[SearchHit] = []
    total = 0
    for start, end in _places(source, wanted, accents) if wanted else ():
        total += 1
        if len(hits) < _MOST_HITS:
            hits.append(SearchHit(start, end, source.page_at(start)))
    return SearchView(query, total, tuple(hits))


def _places(source: SourceText, wanted: str, accents: bool) -> Iterator[tuple[int, int]]:
    text = source.content.text
    for block in source.content.blocks:
        done = block.start
        for first in range(block.start, block.end, _WINDOW):
            part = text[first : min(first + _WINDOW + _OVERLAP, block.end)]
            # Most parts do not have it, and this is much faster than knowing where each
            # character came from.
            if wanted not in _folded(plain(part).casefold(), accents):
                continue
            for start, end in _in_part(part, wanted, accents):
                if first + start >= done:  # windows overlap
                    done = first + end
                    yield first + start, done


def _in_part(part: str, wanted: str, accents: bool) -> Iterator[tuple[int, int]]:
    view = search_view(part)
    folded: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(view.text):
        for sign in _fold(character, accents):
            folded.append(sign)
            origin.append(index)
    string = "".join(folded)
    at = string.find(wanted)
    while at >= 0:
        last = origin[at + len(wanted) - 1]
        span = view.to_original(origin[at], last + 1)
        yield span.start, span.end
        at = string.find(wanted, at + len(wanted))


@lru_cache(maxsize=4096)
def _fold(character: str, accents: bool) -> str:
    return _folded(character.casefold(), accents)


def _folded(text: str, accents: bool) -> str:
    """Return casefolded `text` decomposed, without accents unless they count."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text)
    return decomposed if accents else _MARKS.sub("", decomposed)
