"""What stands around some words of a document: their page, headings and lead-in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from index.passages import group
from index.sentences import split_document
from index.types import Document, PassageSpan, Sentence

__all__ = ["Place", "Places"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where some words stand.

    Attributes:
        page: Page they begin on, or None where the document has none.
        headings: Titles of the sections they are in, outermost first.
        context: Header of their table or lead-in of their list, or "".
        whole: Whether they are one sentence, or several without a gap, and no part of one.
    """

    page: int | None
    headings: tuple[str, ...]
    context: str
    whole: bool


class Places:
    """The places of one document, by its text and blocks as they are stored."""

    def __init__(self, document: Document) -> None:
        self._document = document
        sentences = split_document(document)
        self._sentences, self._passages = sentences, group(document, sentences)
        self._ends = {sentence.end for sentence in sentences}

    def at(self, start: int, end: int) -> Place:
        """Return what is so of characters [start, end)."""
        # The last that does not begin behind it; before the first one there is only white space.
        sentence = self._sentences[max(_last(self._sentences, start), 0)]
        passage = self._passages[max(_last(self._passages, start), 0)]
        return Place(
            self._document.page_at(start),
            passage.headings,
            self._document.blocks[sentence.block].context,
            sentence.start == start and end in self._ends,
        )


def _last(spans: Sequence[Sentence] | Sequence[PassageSpan], start: int) -> int:
    """Return which is the last of some spans in order that begins at `start` or before, or -1."""
    return bisect_right(spans, start, key=lambda span: span.start) - 1
