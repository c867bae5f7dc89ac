"""Follow-ups made whole from the turns before, by rule and by what retrieval finds.

Joining the whole history to a question is known to be worse than the question alone, so a
question is completed only when it shows signs of leaning on the last turn, and only with the
words of that turn which it lacks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.terms import spanned_terms
from qa.question import LIGHT_WORDS

__all__ = ["leans_on_history", "whole_questions"]

_OPENING = re.compile(
    r"^\s*(?:(?:and )?what about|how about|what of|and|but|or|so|then|also|ok(?:ay)?)\b[\s,]*",
    re.I,
)
_PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|there|"
    r"the same|the former|the latter|the other|the others|another one|such)\b",
    re.I,
)
# "There is" and "that" before a verb or as conjunction do not point back.
_NO_PRONOUN = re.compile(
    r"\b(?:is|are|was|were) there\b|\bthere (?:is|are|was|were|any)\b|\b(?:say|says|said|think|"
    r"thinks|believe|state|states|mean|means|so|given|provided|required?) that\b|"
    r"\b(?:it (?:is|was)|(?:is|was) it) \w+ (?:to|that)\b|"
    r"\bthat (?:is|are|was|were|can|has|have|must|may|will)\b",
    re.I,
)
_ORDINAL = re.compile(r"\b(?:first|second|third|last|next|previous|other|one|ones)\b", re.I)
# Capitalised words in a row, inside a sentence or several of them at its beginning.
_ENTITY = re.compile(
    r"(?:(?<=[a-z,;] )[A-Z][\w'’-]+|\b[A-Z][\w'’-]+ (?:& |of |de |van )?[A-Z][\w'’-]+)"
    r"(?: (?:& |of |de |van )?[A-Z][\w'’-]+)*"
)
_MAX_WORDS = 12  # taken over from the last turn
_MAX_ENTITIES = 4


def leans_on_history(question: str) -> bool:
    """Return whether the question shows signs of leaning on what was asked before it."""
    if _OPENING.match(question):
        return True
    content = [term for term in spanned_terms(question) if not term.stop]
    if _PRONOUN.search(_NO_PRONOUN.sub(" ", question)):
        return True
    telling = [t for t in content if not _ORDINAL.fullmatch(question[t.start : t.end])]
    # "Why?", "How often?", "The second time?"; one keyword on its own is a question, though.
    asks = question.rstrip().endswith("?") or len(question.split()) > 1
    return len(telling) <= 1 and asks and len(question.split()) <= 4 and not _names(question)


def whole_questions(question: str, topic: str, shown: Sequence[str]) -> list[str]:
    """Return readings of a follow-up, the likeliest first; the last is the bare question.

    Args:
        question: As it was asked.
        topic: The last question that stood on its own.
        shown: The quotes of the last answer.
    """
    bare, asked = (text.strip().rstrip(" ?.!") for text in (_OPENING.sub("", question), question))
    rest = bare or asked or question.strip()  # of "And?" and "?!" something must be left
    readings = [_joined(rest, _telling(topic)), _joined(rest, _entities(shown))]
    return [*dict.fromkeys(reading for reading in readings if reading), rest]


def _joined(question: str, words: Sequence[str]) -> str | None:
    """Return the question with those of `words` that it lacks; None if it has them all."""
    own = {term.term for term in spanned_terms(question)}
    new = [w for w in words if not {term.term for term in spanned_terms(w)} <= own]
    return f"{question} {' '.join(dict.fromkeys(new[:_MAX_WORDS]))}" if new else None


def _telling(text: str) -> list[str]:
    words = (text[term.start : term.end] for term in spanned_terms(text) if not term.stop)
    return [w for w in words if w.casefold() not in LIGHT_WORDS and not _ORDINAL.fullmatch(w)]


def _entities(shown: Sequence[str]) -> list[str]:
    """Return the names in the sentences shown last: what "they" and "it" may point to."""
    found = [match[0] for text in shown for match in _ENTITY.finditer(text)]
    return list(dict.fromkeys(found))[:_MAX_ENTITIES]


def _names(question: str) -> bool:
    """Return whether a word inside the question is capitalised: it brings its own topic."""
    return any(word[:1].isupper() for word in question.split()[1:])
