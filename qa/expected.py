"""What kind of thing a question asks for, and whether a sentence holds one.

Surface signs only: digits, months, capitals. They never decide alone, they lift a sentence
among others that fit as well (answer-type matching, as in Prager et al., 2000).
"""

from __future__ import annotations

import re
from enum import StrEnum

from index.terms import index_terms

__all__ = ["Expectation", "another_one", "expectation", "holds"]


class Expectation(StrEnum):
    """What an answer must hold."""

    ANYTHING = "anything"
    NUMBER = "number"
    MONEY = "money"
    TIME = "time"
    PERSON = "person"
    PLACE = "place"
    REASON = "reason"
    STEPS = "steps"
    LIST = "list"


_RULES: tuple[tuple[Expectation, re.Pattern[str]], ...] = (
    (
        Expectation.MONEY,
        re.compile(
            r"\b(how much (?:does|do|did|is|are|was|money)|what (?:is|are) the (?:price|cost|"
            r"fee|rent)|costs?|price|fees?|salary|deposit|budget)\b",
            re.I,
        ),
    ),
    (
        Expectation.TIME,
        re.compile(
            r"\b(when|what (?:year|date|day|month|time|century|decade)|which (?:year|day|"
            r"month|date|century|decade)|how (?:often|long|soon|frequently)|since when|"
            r"until when|what hours)\b",
            re.I,
        ),
    ),
    (
        Expectation.NUMBER,
        re.compile(
            r"\b(how (?:many|much|far|tall|high|large|big|old|fast|heavy|wide|deep|small)|"
            r"what (?:percentage|percent|number|proportion|share)|at what (?:age|speed|"
            r"temperature|pressure))\b",
            re.I,
        ),
    ),
    (Expectation.PERSON, re.compile(r"\b(who|whom|whose)\b", re.I)),
    (
        Expectation.PLACE,
        re.compile(
            r"\b(where|(?:what|which) (?:city|country|place|town|street|address|room|floor|"
            r"state|region))\b",
            re.I,
        ),
    ),
    (
        Expectation.STEPS,
        re.compile(
            r"\bhow (?:do|can|could|should|must|to|may|is|are|does)\b|\bwhat should|"
            r"\bwhat (?:do|must|shall) (?:I|we|you|one|people|staff)\b|"
            r"\b(?:steps|procedure)\b",
            re.I,
        ),
    ),
    (Expectation.REASON, re.compile(r"\b(why|for what reason|what (?:caused|causes))\b", re.I)),
    (
        Expectation.LIST,
        re.compile(
            r"\b(?:which|what)(?: \w+){0,2} \w+s\b|\b(?:list|name all|enumerate)\b|"
            r"\bwhat (?:does|do) .+ (?:include|contain|consist|propose|cover)",
            re.I,
        ),
    ),
)

_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|"
    r"thousand|million|billion|half|third|quarter|twice|once|none|several|percent)\b",
    re.I,
)
_TIME = re.compile(
    r"\b\d{4}\b|\b\d{1,2}[:.]\d{2}\b|\b\d+ ?(?:am|pm|years?|months?|weeks?|days?|hours?|minutes?|"
    r"seconds?)\b|\b(?:January|February|March|April|May|June|July|August|September|October|"
    r"November|December|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)s?\b|"
    r"\b(?i:daily|weekly|monthly|yearly|annually|annual|quarterly|century|every|twice|once|"
    r"morning|evening|noon|midnight|year|years|months?|weeks?|days?|hours?|minutes?)\b"
)
_MONEY = re.compile(
    r"[$€£¥]|\b(?:EUR|USD|GBP|CHF|euros?|dollars?|pounds?|cents?|free)\b|\d[\d.,]*", re.I
)
_NAME = re.compile(r"(?<![.!?] )(?<!^)\b[A-Z][\w'’-]+|\b[A-Z]{2,}\b")
_AGENT = re.compile(
    r"\b(?:by|manager|director|officer|president|chair\w*|secretary|owner|tenant|landlord|"
    r"company|engineer|contractor|team|staff|committee|council|person|people|he|she)\b",
    re.I,
)
_PLACE = re.compile(
    r"\b(?:in|at|on|near|from|to|inside|outside|behind|under|between|street|room|"
    r"floor|building|hall|office)\b",
    re.I,
)
_REASON = re.compile(
    r"\b(?:because|since|so that|in order to|due to|as a result|therefore|to avoid|to prevent|"
    r"reason|caused?|owing to|thanks to|for fear)\b",
    re.I,
)


_SPECIFICS = (
    re.compile(r"\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b", re.I),
    re.compile(r"\b(?:1[5-9]|20)\d\d\b"),
)


def another_one(question: str, sentence: str) -> bool:
    """Return whether `sentence` speaks of another one than the question: the first, not the third.

    It does when the question names an ordinal or a year, and the sentence names others only.
    """
    for pattern in _SPECIFICS:
        asked = {match.casefold() for match in pattern.findall(question)}
        said = {match.casefold() for match in pattern.findall(sentence)}
        if asked and said and not asked & said:
            return True
    return False


def expectation(question: str) -> Expectation:
    """Return what kind of thing `question` asks for."""
    for kind, pattern in _RULES:
        if pattern.search(question):
            return kind
    return Expectation.ANYTHING


def holds(wanted: Expectation, sentence: str, asked: frozenset[str]) -> bool:
    """Return whether `sentence` holds a thing of the kind `wanted`.

    Args:
        wanted: What the question asks for.
        sentence: Text of a sentence.
        asked: Terms of the question: a name that the question itself has does not answer it.
    """
    match wanted:
        case Expectation.NUMBER:
            return bool(_NUMBER.search(sentence))
        case Expectation.MONEY:
            return bool(_MONEY.search(sentence))
        case Expectation.TIME:
            return bool(_TIME.search(sentence))
        case Expectation.PERSON:
            return _new_name(sentence, asked) or bool(_AGENT.search(sentence))
        case Expectation.PLACE:
            return _new_name(sentence, asked) and bool(_PLACE.search(sentence))
        case Expectation.REASON:
            return bool(_REASON.search(sentence))
        case _:
            return False


def _new_name(sentence: str, asked: frozenset[str]) -> bool:
    return any(
        not set(index_terms(match[0])) & asked and index_terms(match[0])
        for match in _NAME.finditer(sentence)
    )
