"""A statement in parts: its subject, its verb and what follows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from qa.suggest.words import (
    AUX,
    DETERMINERS,
    FINITE,
    ODD,
    OPENERS,
    PARTICIPLE,
    POINTING,
    PREPOSITIONS,
    YOU,
)

__all__ = [
    "SUBJECT",
    "Clause",
    "Made",
    "Vocabulary",
    "clause",
    "complete",
    "cut",
    "inside",
    "is_noun_phrase",
    "reads_well",
]

MOST_CHARACTERS = 90
_MOST_WORDS = 14

SUBJECT = r"(?P<subject>[A-Z][\w’'&-]*(?: [\w’'&-]+){0,6}?)"
_NOUNS = frozenset(
    "building ceiling clothing evening heating hearing housing lighting meeting "
    "morning opening painting parking spring training wedding".split()
)
_SMALL = re.compile(r"(?<![\w’'.-])[a-z][\w’'-]*")
_NAMED = re.compile(r"(?<=[a-z,] )[A-Z][\w’'-]*")
_CLAUSE = re.compile(rf"{SUBJECT} (?P<aux>{AUX}) (?P<rest>.+)")
_HEDGES = re.compile(r"(?:usually|normally|generally|currently|always|typically|often) ")
# Where a clause may end without leaving half a thought behind.
_ENDS = re.compile(
    r",(?!\d)| (?:because|although|though|while|whereas|unless|if|when|where|which|who|so that|"
    r"but|as|after|before|since|including|such|except|provided|due to|in order|according|"
    r"depending|and (?:it|its|not|then|\d))\b"
)


class Vocabulary:
    """Which words the documents write small, and which are names; from some of their text."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._small: set[str] = set()
        self._named: set[str] = set()
        for text in texts:
            self._small.update(_SMALL.findall(text))
            self._named.update(_NAMED.findall(text))

    def small(self, word: str) -> bool:
        """Return whether `word`, which begins with a capital, is no name."""
        low = word.lower()
        others = (low, low.removesuffix("s"), f"{low}s")
        return word not in self._named and any(each in self._small for each in others)

    def named(self, word: str) -> bool:
        """Return whether `word` has its capital inside sentences too."""
        return word in self._named and word.lower() not in self._small


@dataclass(frozen=True, slots=True)
class Made:
    """A question, the kind of it, and the words of the document that answer it, or ""."""

    question: str
    kind: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Clause:
    """A subject, written as inside a sentence, an auxiliary verb and what follows it."""

    subject: str
    aux: str
    rest: str


def clause(text: str, words: Vocabulary) -> Clause | None:
    """Return the parts of a sentence without its full stop, or None where they are in doubt."""
    match = _CLAUSE.fullmatch(text)
    if match is None or not is_noun_phrase(match["subject"]):
        return None
    subject = inside(match["subject"], words)
    rest = _HEDGES.sub("", match["rest"], count=1)
    if subject is None or re.match(r"(?:not|never|no)\b", rest):
        return None
    if match["aux"] in ("has", "have", "had") and not PARTICIPLE.match(rest):
        return None
    return Clause(subject, match["aux"], rest)


def is_noun_phrase(phrase: str) -> bool:
    """Return whether words at the beginning of a sentence can be its whole subject."""
    parts = phrase.lower().split()
    if parts[0] in OPENERS or parts[-1] in PREPOSITIONS or FINITE.search(phrase):
        return False
    if any(word in ("every", "each", "that", "there", "to") for word in parts[1:]):
        return False
    # What ends in -ly or -ing is an adverb or half a verb more often than a noun.
    if any(parts[i].endswith("ly") for i in (0, -1)):
        return False
    called = len(parts) == 2 and parts[0] in DETERMINERS  # "the meeting"
    if parts[-1].endswith("ing") and not (called or parts[-1] in _NOUNS):
        return False
    return not POINTING.search(phrase)


def inside(phrase: str, words: Vocabulary) -> str | None:
    """Return words from the beginning of a sentence as they stand inside one; None in doubt."""
    first, _, rest = phrase.partition(" ")
    small = phrase[0].lower() + phrase[1:]
    if first.lower() in DETERMINERS:
        return small
    # "LC-400", "E-4304"; "Lift 2", "Marie Curie"
    if not first[:1].isupper() or not first[1:].islower() or re.match(r"[A-Z\d]", rest):
        return phrase
    word = re.sub(r"['’]s?$", "", first)
    if words.small(word):
        return small
    return phrase if words.named(word) else None


def cut(rest: str) -> str:
    """Return `rest` up to where its clause ends."""
    rest = _ENDS.split(rest, maxsplit=1)[0].strip()
    head, joined, tail = rest.partition(" and ")
    # "were done and the experiment was repeated": another clause begins.
    return head if joined and FINITE.search(tail) else rest


def complete(before: str) -> bool:
    """Return whether the words before an answer can stand without it."""
    words = before.split()
    return bool(words) and words[-1].lower() not in PREPOSITIONS and "," not in before


def reads_well(made: Made) -> bool:
    """Return whether a question is short and understood by itself."""
    words = made.question.split()
    body = made.question.partition(" ")[2]
    if not 4 <= len(words) <= _MOST_WORDS or len(made.question) > MOST_CHARACTERS:
        return False
    if ODD.search(made.question[:-1].replace("“", "").replace("”", "")) or "," in body:
        return False
    if words[-1].rstrip("?").lower() in PREPOSITIONS - {"of", "to", "on", "for", "by", "with"}:
        return False
    if made.kind != "you" and YOU.search(body):
        return False
    # "How many rooms are there in the house?" points nowhere.
    pointing = re.sub(r"\b(?:are|were) there\b", "", body)
    return made.kind == "you" or not POINTING.search(pointing)
