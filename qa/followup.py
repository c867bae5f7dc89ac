"""Follow-ups: questions that lean on the turns before, and how they may be read.

Joining the whole history to a question is known to be worse than the question alone. So only
what a question lacks is taken over, from three places: the topic, which is the last question
that stood on its own; the question just before; and the names in what was shown last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from index.terms import index_terms, spanned_terms
from qa.rewrite import added, exchanged, introduced, phrases, substituted
from qa.types import Answer

__all__ = ["Turn", "leans_on_history", "own_words", "whole_questions", "without_chatter"]

_OPENING = re.compile(
    r"^\s*(?:(?:and )?what about|how about|what of|(?:(?:no|sorry|oops)\b[\s,]*)?i (?:mean|meant)|"
    r"and|but|or|so|then|also|ok(?:ay)?)\b[\s,]*",
    re.I,
)
# A remark on the last answer, before the question itself: "That's interesting. Who paid?"
_CHATTER = re.compile(
    r"^\s*(?:(?:thanks?|thank you|ok(?:ay)?|great|good|cool|wow|hmm+|oh|nice|really|perfect|"
    r"interesting|amazing|i see|got it|(?:that|this)(?:['’]s| is| was| sounds)\b[^.!?,;]{0,40}|"
    r"wh?at)(?: (?:so|very) much)?[.!?]+\s+)+(?=\S)",
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
_PERSONAL = re.compile(r"it|its|they|them|their|theirs|he|him|his|she|her|hers", re.I)
# From so many telling words before a pronoun on, it points to one of them: "Does the controller
# of the heating restart when it is cold?"
_OF_ITS_OWN = 3
_ORDINAL = re.compile(r"\b(?:first|second|third|last|next|previous|other|one|ones)\b", re.I)
# Capitalised words in a row, inside a sentence or several of them at its beginning.
_ENTITY = re.compile(
    r"(?:(?<=[a-z,;] )[A-Z][\w'’-]+|\b[A-Z][\w'’-]+ (?:& |of |de |van )?[A-Z][\w'’-]+)"
    r"(?: (?:& |of |de |van )?[A-Z][\w'’-]+)*"
)
_SHORT = 4  # words of a question that may be the rest of another one
_MAX_ENTITIES = 4
_MAX_ENTITY_WORDS = 5  # what is longer is a headline


@dataclass(frozen=True, slots=True)
class Turn:
    """What a conversation keeps of a question.

    Attributes:
        question: As it was asked.
        searched_for: As it was made whole.
        shown: The texts that answered it.
    """

    question: str
    searched_for: str
    shown: tuple[str, ...] = ()

    @classmethod
    def of(cls, answer: Answer) -> Turn:
        """Return what is kept of an answer."""
        shown = tuple(quote.text for quote in answer.quotes)
        return cls(answer.question, answer.searched_for, shown)

    @property
    def alone(self) -> bool:
        """Whether nothing was taken over: the question was a topic of its own.

        A word mended is not taken over, so as many terms as before are no more.
        """
        said, searched = (set(index_terms(text)) for text in (self.question, self.searched_for))
        return searched <= said or len(searched) <= len(said)


def without_chatter(question: str) -> str:
    """Return the question without remarks on the last answer: "Great, thanks! Who paid?"."""
    return _CHATTER.sub("", question).strip()


def leans_on_history(question: str) -> bool:
    """Return whether the question shows signs of leaning on what was asked before it."""
    question = without_chatter(question)
    if _OPENING.match(question):
        return True
    if _points_back(_NO_PRONOUN.sub(" ", question)):
        return True
    content = [term for term in spanned_terms(question) if not term.stop]
    telling = [t for t in content if not _ORDINAL.fullmatch(question[t.start : t.end])]
    # "Why?", "How often?", "The second time?"; one keyword on its own is a question, though.
    asks = question.rstrip().endswith("?") or len(question.split()) > 1
    short = len(telling) <= 1 and asks and len(question.split()) <= _SHORT
    return short and not _brings_a_topic(question)


def _points_back(question: str) -> bool:
    found = _PRONOUN.search(question)
    if found is None:
        return False
    own = _PERSONAL.fullmatch(found[0]) and index_terms(question[: found.start()])
    return not own or len(own) < _OF_ITS_OWN


def own_words(question: str) -> str:
    """Return what a follow-up says by itself: "What about the cats?" says "the cats"."""
    said = without_chatter(question)
    bare, asked = (text.strip().rstrip(" ?.!") for text in (_OPENING.sub("", said), said))
    return bare or asked or question.strip()  # of "And?" and "?!" something must be left


def whole_questions(question: str, turns: Sequence[Turn]) -> list[str]:
    """Return how a question may be read after `turns`, the likeliest first.

    None of them is the question itself; there are none where `turns` add nothing to it.

    Args:
        question: As it was asked.
        turns: What was asked before, oldest first; at least one.
    """
    said, opened = own_words(question), bool(_OPENING.match(without_chatter(question)))
    topic, last = _topic(turns), turns[-1]
    leans = leans_on_history(question)
    readings: list[str | None] = []
    if leans and (opened or len(said.split()) <= _SHORT):
        readings.append(exchanged(said, last.searched_for) or exchanged(said, topic))
    # Of the question before only what it said itself: what it took over is in the topic.
    sources = (topic, own_words(last.question))
    if leans:
        readings += [_completed(said, source) for source in sources]
        readings.append(added(said, _entities(last.shown)))
    else:  # a pronoun in it, if there is one, points to something in the question itself
        readings += [_lengthened(said, source) for source in sources]
    found = dict.fromkeys(reading for reading in readings if reading)
    return [reading for reading in found if index_terms(reading) != index_terms(said)]


def _topic(turns: Sequence[Turn]) -> str:
    """Return the last question that stood on its own, or the first of all."""
    alone = [
        turn.searched_for for turn in turns if turn.alone and not leans_on_history(turn.question)
    ]
    return alone[-1] if alone else turns[0].searched_for


def _completed(said: str, source: str) -> str:
    """Return a question with a phrase of `source` for its pronoun, and the others behind it."""
    replaced = substituted(said, source)
    whole = _lengthened(replaced or said, source)
    # With a heap of words behind it, it is a sentence no more.
    return f"{whole}?" if whole == replaced else whole


def _lengthened(said: str, source: str) -> str:
    return added(said, [phrase.text for phrase in phrases(source)])


def _entities(shown: Sequence[str]) -> list[str]:
    """Return the names in the sentences shown last: what "they" and "it" may point to."""
    found = [match[0] for text in shown for match in _ENTITY.finditer(text)]
    names = [name for name in found if len(name.split()) <= _MAX_ENTITY_WORDS]
    return list(dict.fromkeys(names))[:_MAX_ENTITIES]


def _brings_a_topic(question: str) -> bool:
    """Return whether a short question names something: "Where is the sauna?", "Who is Ann?"."""
    if any(word[:1].isupper() for word in question.split()[1:]):
        return True
    return any(introduced(phrase, question) for phrase in phrases(question))
