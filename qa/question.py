"""A question as retrieval sees it: checked, its words weighed, its phrases found."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from index.errors import QuestionError
from index.terms import spanned_terms

__all__ = ["MAX_CHARACTERS", "Question", "check_question"]

MAX_CHARACTERS = 2000
MAX_TERMS = 64  # of a question that is a whole page the first words say what it is about

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
        terms: Each term once, in order, without stop words.
        words: The word of the question that each term was read from.
        weights: BM25 weight (inverse document frequency) of each term.
        phrases: Terms of each quoted phrase, stop words left out.
    """

    text: str
    terms: tuple[str, ...]
    words: tuple[str, ...]
    weights: tuple[float, ...]
    phrases: tuple[tuple[str, ...], ...]

    @classmethod
    def read(cls, text: str, weight: Callable[[str], float]) -> Question:
        """Read a question; `weight` gives the inverse document frequency of a term.

        Raises:
            QuestionError: It is empty or too long.
        """
        text = check_question(text)
        words: dict[str, str] = {}
        for term in spanned_terms(text):
            if not term.stop and len(words) < MAX_TERMS:
                words.setdefault(term.term, text[term.start : term.end])
        phrases = (
            tuple(term.term for term in spanned_terms(match[1]) if not term.stop)
            for match in _QUOTED.finditer(text)
        )
        return cls(
            text,
            tuple(words),
            tuple(words.values()),
            tuple(weight(term) for term in words),
            tuple(phrase for phrase in phrases if phrase),
        )

    @property
    def weight(self) -> float:
        """Sum of the weights of all terms."""
        return sum(self.weights)
