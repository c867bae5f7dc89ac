"""How far two selections of a document's words agree, word by word and place by place."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterator, Mapping

from bench.data import Text, Unit

__all__ = ["count_words", "set_f1", "word_places"]

_WORD = re.compile(r"\w+")


def word_places(
    places: Collection[Unit], documents: Mapping[str, Text]
) -> frozenset[tuple[str, int]]:
    """Return the document and start of each word that begins in one of the places."""
    return frozenset(
        (place.document, start)
        for place in places
        for start in _starts(documents[place.document].text, place.start, place.end)
    )


def set_f1(found: Collection[Hashable], gold: Collection[Hashable]) -> float:
    """Return F1: the harmonic mean of precision and recall of `found` against `gold`.

    Raises:
        ValueError: `gold` is empty.
    """
    if not gold:
        raise ValueError("F1 against nothing is undefined")
    return 2 * len(set(found) & set(gold)) / (len(set(found)) + len(set(gold)))


def count_words(text: str) -> int:
    """Return how many words a text has."""
    return sum(1 for _ in _WORD.finditer(text))


def _starts(text: str, start: int, end: int) -> Iterator[int]:
    for word in _WORD.finditer(text, start):
        if word.start() >= end:
            return
        # A place may begin inside a word, which then began before it.
        if word.start() > start or start == 0 or not _WORD.match(text[start - 1]):
            yield word.start()
