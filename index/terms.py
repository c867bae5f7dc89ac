"""Words as the index counts them: folded, stemmed, with codes kept whole.

The same function reads documents and questions, so a word matches whatever its case,
accents, ending or hyphenation. Stems are Snowball English (Porter, 2001).
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from index.searchview import plain, search_view

__all__ = ["STOP_WORDS", "TERMS_VERSION", "Term", "fold", "index_terms", "spanned_terms", "stem"]

TERMS_VERSION = "1"
MAX_LENGTH = 100  # of a term: longer ones are data, not words

# Words that say nothing about what a text is about, question words among them.
STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are aren as at be because been before being
    below between both but by can cannot could couldn did didn do does doesn doing don down during
    each few for from further had hadn has hasn have haven having he her here hers herself him
    himself his how i if in into is isn it its itself just ll may me might more most must my myself
    no nor not now of off on once only or other our ours ourselves out over own please re s same
    shall she should shouldn so some such t tell than that the their theirs them themselves then
    there these they this those through to too under until up upon us ve very was wasn we were
    weren what whats when where which while who whom whose why will with won would wouldn you your
    yours yourself yourselves
    """.split()
)

_WORD = re.compile(
    r"\d{1,3}(?:,\d{3})+(?:\.\d+)?"  # 1,200.50
    r"|\d+(?:\.\d+)+"  # 3.2.1
    r"|[^\W_]+(?:'[^\W_]+)*"  # words, with their apostrophes
)
# E-4304, 2024/17, A4-100: found by the whole and by the parts.
# From the beginning of a word only and never giving back: long words take linear time.
_CODE = re.compile(r"(?<![^\W_])[^\W_]++(?:[-/.][^\W_]++)+")
_ENDINGS = frozenset(("d", "ll", "m", "re", "s", "t", "ve"))
_local = threading.local()


@dataclass(frozen=True, slots=True)
class Term:
    """A term, the characters [start, end) of the text it was read from, whether a stop word."""

    term: str
    start: int
    end: int
    stop: bool = False


def fold(word: str) -> str:
    """Return `word` without case, accents and endings such as 's; O'Neill is "oneill"."""
    folded = word.casefold()
    if not folded.isascii():
        decomposed = unicodedata.normalize("NFKD", folded)
        folded = "".join(c for c in decomposed if not unicodedata.combining(c))
    stem, apostrophe, ending = folded.rpartition("'")
    if apostrophe and ending in _ENDINGS:
        folded = stem
    return folded.replace("'", "")


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """Return the stem of a folded word; numbers and codes stay as they are."""
    if not word.isalpha():
        return word
    # A Snowball stemmer keeps state between calls and must not be shared by threads.
    stemmer = getattr(_local, "stemmer", None)
    if stemmer is None:
        import Stemmer

        stemmer = _local.stemmer = Stemmer.Stemmer("english")
    return str(stemmer.stemWord(word))


def index_terms(text: str) -> list[str]:
    """Return the terms of `text` in order, stop words left out."""
    return [term for term, _, _, stop in _terms(plain(text)) if not stop]


def spanned_terms(text: str) -> list[Term]:
    """Return the terms of `text` in order, stop words among them, with where they stand in it."""
    view = search_view(text)
    found = []
    for term, start, end, stop in _terms(view.text):
        original = view.to_original(start, end)
        found.append(Term(term, original.start, original.end, stop))
    return sorted(found, key=lambda term: (term.start, -term.end))


def _terms(view: str) -> Iterator[tuple[str, int, int, bool]]:
    for match in _WORD.finditer(view):
        word = fold(match[0].replace(",", ""))[:MAX_LENGTH]
        yield stem(word), match.start(), match.end(), word in STOP_WORDS
    for match in _CODE.finditer(view):
        joined = re.sub(r"[-/.]", "", match[0])
        if any(c.isdigit() for c in joined) and any(c.isalpha() for c in joined):
            yield fold(joined)[:MAX_LENGTH], match.start(), match.end(), False
