"""A question as retrieval sees it: checked, its words weighed, its phrases found."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from index.errors import QuestionError
from index.searcher import Searcher
from index.terms import spanned_terms

__all__ = ["LIGHT_WORDS", "MAX_CHARACTERS", "Question", "check_question"]

MAX_CHARACTERS = 2000
# Share of its weight that a term no document has keeps: the documents may say it in another word.
UNSEEN = 0.5
# Share of its weight that a term keeps which was taken over from the turns before.
BORROWED = 0.5
# A number or ordinal says which of several alike is meant: "the third meeting", "in 2015".
SPECIFIC = 1.5
_SPECIFIC = re.compile(
    r"\d|^(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last)$", re.I
)
MAX_TERMS = 64  # of a question that is a whole page the first words say what it is about

# Words that shape a question rather than say what it is about; an index keeps them.
LIGHT_WORDS = frozenset(
    """
    answer ask called deal dealing describe exactly explain find get give happen happened happens
    kind know long many mean meaning means much name need often please said say saying says sort
    tell thing things time times type use used
    """.split()
)

_QUOTED = re.compile(r'["“”„«]([^"“”„«»]{2,})["“”»]')


def check_question(text: str) -> str:
    """Return the question without white space around it.

    Raises:
        QuestionError: It is empty or longer than 2,000 characters.
    """
    question = " ".join(text.split())
    if not question:
        raise QuestionError("The question is empty; ask something about the documents.")
    if len(question) > MAX_CHARACTERS:
        raise QuestionError(
            f"The question has {len(question):,} characters; "
            f"the limit is {MAX_CHARACTERS:,}. Ask it in fewer words."
        )
    return question


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its terms.

    Attributes:
        text: As it is asked, checked.
        terms: Each term once, in order, without stop words, and without words such as "many"
            or "mean" where others are there.
        words: The word of the question that each term was read from.
        weights: How much each term tells: its BM25 weight (inverse document frequency), more for
            numbers, less for words that no document has.
        phrases: Terms of each quoted phrase, stop words left out.
    """

    text: str
    terms: tuple[str, ...]
    words: tuple[str, ...]
    weights: tuple[float, ...]
    phrases: tuple[tuple[str, ...], ...]

    @classmethod
    def read(cls, text: str, searcher: Searcher, *, own: str | None = None) -> Question:
        """Read a question, its terms weighed by how rare they are in what `searcher` has.

        Args:
            text: The question.
            searcher: Knows how many passages hold a term.
            own: The question as it was asked, where `text` was completed from the turns before:
                what was taken over weighs less.

        Raises:
            QuestionError: It is empty or too long.
        """
        text = check_question(text)
        telling = [term for term in spanned_terms(text) if not term.stop]
        heavy = [t for t in telling if text[t.start : t.end].casefold() not in LIGHT_WORDS]
        words: dict[str, str] = {}
        for term in (heavy or telling)[:MAX_TERMS]:
            words.setdefault(term.term, text[term.start : term.end])
        phrases = (
            tuple(term.term for term in spanned_terms(match[1]) if not term.stop)
            for match in _QUOTED.finditer(text)
        )
        return cls(
            text,
            tuple(words),
            tuple(words.values()),
            tuple(_weights(words, searcher, own)),
            tuple(phrase for phrase in phrases if phrase),
        )

    @property
    def weight(self) -> float:
        """Sum of the weights of all terms."""
        return sum(self.weights)

    def coverage(self, terms: Collection[str]) -> float:
        """Return the weight of the question's terms among `terms`, as a share of all."""
        if not self.weight:
            return 0.0
        pairs = zip(self.terms, self.weights, strict=True)
        return sum(weight for term, weight in pairs if term in terms) / self.weight


def _weights(words: Mapping[str, str], searcher: Searcher, own: str | None) -> Iterator[float]:
    """Yield the weight of each term, given with the word it was read from."""
    asked = None if own is None else {term.term for term in spanned_terms(own)}
    for term, word in words.items():
        weight = searcher.inverse_document_frequency(term)
        if _SPECIFIC.search(word):
            weight *= SPECIFIC
        if not searcher.document_frequency(term):
            weight *= UNSEEN
        yield weight if asked is None or term in asked else weight * BORROWED
