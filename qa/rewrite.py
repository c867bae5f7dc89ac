"""Follow-ups made whole in words: something of an earlier question takes a pronoun's place.

Without a language model this goes by the shape of words. A *phrase* is a run of words that name
something ("goods lift", "Brandt & Okoro", "Unit 7"); three things are done with phrases:

- **exchange**: "And the 400?" is the question before with 400 in the place of 250;
- **substitution**: "How long did their batteries last?" has "the radar gauges'" for "their";
- **addition**: what else the question lacks is put behind it.

Which of several readings is meant, the documents decide; see `qa.chat`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from index.terms import STOP_WORDS, index_terms
from qa.question import LIGHT_WORDS

__all__ = ["Phrase", "added", "exchanged", "introduced", "phrases", "substituted"]

# Verbs and words for anything: they join or fill phrases and name nothing themselves.
_EMPTY = frozenset(
    """
    affect agree allow allowed appear apply ask attempt become begin belong bring build built buy
    came carried carry cause change choose close come compare consider contain cost create cut
    decide depend describe develop die differ do drive earn eat end enter exist expect fail fall
    feel find finish follow gain give go going gone got grow happen hear heard held help hold
    include increase involve join keep kept know known lead learn leave let like live look lose
    made make manage meet mention mentioned move need occur offer open order own owned paid pay
    perform produce protect provide publish put reach reached read receive reduce released remain
    remember replace require run saw see sell send serve set show sing sold speak spend stand start
    stay stop suggest support take taken teach think took try turn understand wait want wear went
    win won work write written wrote

    actually anything article aspect aspects big common different else ever everything example
    examples exactly far first fourth good great important information interesting issue issues
    last like lot lots main new next number often ok okay one ones other others overall part parts
    please possible previous reason reasons second several significant similar since soon
    something sort still thanks third today type types usually various way ways year years yes
    """.split()
)
_TOKEN = re.compile(r"&|[^\W_]+(?:[-'’/.][^\W_]+)*")
_SENTENCE_START = re.compile(r"(?:^|[.?!:]\s+|\n\s*)[\"'“‘(]*")
_VERBAL = re.compile(r"(?:ed|ing)$")  # at the end of a phrase: "goods lift serviced"
_MEASURE = re.compile(r"\bhow\s+$", re.I)
_DETERMINER = re.compile(r"\b(?:the|an?|this|that|these|those|my|our|your)\s+$", re.I)
_PREPOSITION = re.compile(r"\b(in|on|at|for|by|from|with|of|to|under|during)\s+(?:the\s+)?$", re.I)
_PLURAL = re.compile(r"(?:[^su]s|people|children|men|women)$", re.I)
_MAX_ADDED = 6  # phrases put behind a question

_POSSESSIVE = frozenset(("its", "their", "his", "her"))
_PERSON = frozenset(("he", "him", "his", "she", "her"))
_SEVERAL = frozenset(("they", "them", "their"))
_PRONOUN = re.compile(r"\b(?:its?|they|them|their|he|him|his|she|her)\b(?!['’])", re.I)
# "Her" before a word that goes on with the sentence stands for a person: "Who met her in May?"
_GOES_ON = re.compile(
    r"\s*(?:$|[^\w\s]|(?:in|on|at|for|to|with|by|and|or|from|after|before|as|again|when)\b)"
)

_ORDINAL = re.compile(
    r"\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last)\b", re.I
)
_CODE = re.compile(r"\b[^\W\d_]+[-/.]?\d[\w-]*\b")
_NUMBER = re.compile(r"(?<![\w-])\d+(?:[.,]\d+)*(?![\w-])")
_CLAUSE = re.compile(
    r"(?:how|what|which|who|whom|whose|when|where|why|is|are|was|were|do|does|did|can|could|will|"
    r"would|should|must|may|has|have|had)\b",
    re.I,
)
_MAX_EXCHANGED = 7  # words of "What about …?"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in a row that name something: `text` is [start, end) of what was read.

    Attributes:
        name: Whether most of its words are capitalised where no sentence begins.
    """

    text: str
    start: int
    end: int
    name: bool = False

    @property
    def plural(self) -> bool:
        """Whether it looks like several: lifts, people, Brandt & Okoro."""
        return "&" in self.text or bool(_PLURAL.search(self.text))

    @property
    def head(self) -> str:
        """The term of its last word: "ticket" in "day ticket"; "" of a number or sign."""
        return (index_terms(self.text) or [""])[-1]


def phrases(text: str) -> list[Phrase]:
    """Return the phrases of `text` in order; they do not overlap."""
    starts = {match.end() for match in _SENTENCE_START.finditer(text)}
    found = []
    for run in _runs(text, starts):
        while len(run) > 1 and run[-1][0].islower() and _VERBAL.search(run[-1][0]):
            run = run[:-1]
        start, end = run[0].start(), run[-1].end()
        words = re.sub(r"['’]s?$", "", text[start:end])
        capitals = sum(word[0][:1].isupper() and word.start() not in starts for word in run)
        if len(run) > 1:
            # The first word of a sentence says nothing of itself, but takes part in a name.
            capitals += run[0].start() in starts and run[0][0][:1].isupper() and capitals > 0
        found.append(Phrase(words, start, start + len(words), 2 * capitals >= len(run)))
    return found


def _runs(text: str, starts: set[int]) -> Iterator[list[re.Match[str]]]:
    """Yield words that name something and stand side by side."""
    run: list[re.Match[str]] = []
    for word in _TOKEN.finditer(text):
        if run and text[run[-1].end() : word.start()] != " ":
            yield from _without_joint(run)
            run = []
        in_name = run and run[-1][0][:1].isupper() and (word[0][:1].isupper() or word[0] == "&")
        if in_name or _names(word[0], begins=word.start() in starts):
            # "How old" asks for a measure; old names nothing.
            if run or not _MEASURE.search(text, 0, word.start()):
                run.append(word)
        elif run:
            yield from _without_joint(run)
            run = []
    yield from _without_joint(run)


def _without_joint(run: list[re.Match[str]]) -> Iterator[list[re.Match[str]]]:
    if run and run[-1][0] == "&":
        run = run[:-1]
    if run:
        yield run


def _names(word: str, *, begins: bool) -> bool:
    """Return whether a word may name something, by itself."""
    plain = re.split("['’]", word.casefold())[0]
    if plain in STOP_WORDS or plain in LIGHT_WORDS or word == "&":
        return False
    if word[:1].isupper() and not begins:
        return True
    if plain in _EMPTY or (plain.endswith("ly") and len(plain) > 4):
        return False
    return len(plain) > 1 or plain.isdigit()


def exchanged(rest: str, source: str) -> str | None:
    """Return the question `source` with `rest` in the place of what is like it; None if none is.

    Like each other are ordinals, codes, numbers, phrases with the same last word, those after
    the same preposition, names, and things of the same number (dogs and cats, not a lead).

    Args:
        rest: What is left of "What about the cats?": the cats.
        source: The question before, whole.
    """
    if _CLAUSE.match(rest) or len(rest.split()) > _MAX_EXCHANGED:
        return None
    for kind in (_ORDINAL, _CODE, _NUMBER):
        new, old = kind.search(rest), kind.search(source)
        if new and old:
            if new[0].casefold() == old[0].casefold():
                return None
            return source[: old.start()] + new[0] + source[old.end() :]
    brought = phrases(rest)
    if len(brought) != 1:
        return None
    new_phrase = brought[0]
    old_phrase = _counterpart(new_phrase, rest, source)
    if old_phrase is None:
        return None
    start = old_phrase.start
    of_new, of_old = (
        _DETERMINER.search(text[: phrase.start])
        for text, phrase in ((rest, new_phrase), (source, old_phrase))
    )
    if of_new and of_old:  # its own article comes with it: "a day ticket", "the season ticket"
        start = of_old.start()
    first = of_new.start() if of_new and (of_old or new_phrase.name) else new_phrase.start
    return source[:start] + rest[first:] + source[old_phrase.end :]


def _counterpart(new: Phrase, rest: str, source: str) -> Phrase | None:
    """Return the phrase of `source` that is most like `new`, a phrase of `rest`."""
    old = [phrase for phrase in phrases(source) if phrase.text.casefold() != new.text.casefold()]
    before = _preposition(rest, new)
    name = new.text[:1].isupper()  # no sentence begins after "what about"
    alike = (
        [each for each in old if each.head == new.head],
        [each for each in old if before and _preposition(source, each) == before],
        [each for each in old if each.name and name],
        [each for each in old if not (each.name or name) and each.plural == new.plural],
    )
    return next((group[0] for group in alike if group), None)


def _preposition(text: str, phrase: Phrase) -> str:
    found = _PREPOSITION.search(text[: phrase.start])
    return found[1].casefold() if found else ""


def substituted(question: str, source: str) -> str | None:
    """Return `question` with a phrase of `source` for its first pronoun; None if none fits.

    He and she stand for names; they for what looks like several, or for a name; it for a single
    thing, or for a name.
    """
    own = set(index_terms(question))
    for match in _PRONOUN.finditer(question):
        fitting = [
            phrase
            for phrase in phrases(source)
            if _stands_for_a_thing(phrase, source)
            and _fits(phrase, match[0].casefold())
            and not set(index_terms(phrase.text)) <= own
        ]
        if fitting:
            # Of several, one that agrees in number goes before a name of which nobody knows.
            several = match[0].casefold() in _SEVERAL
            phrase = next((each for each in fitting if each.plural == several), fitting[0])
            words = _with_article(phrase, source)
            if match[0].casefold() in _POSSESSIVE and not _GOES_ON.match(question, match.end()):
                words += "'" if words.endswith("s") else "'s"
            return question[: match.start()] + words + question[match.end() :]
    return None


def _stands_for_a_thing(phrase: Phrase, source: str) -> bool:
    """Return whether a pronoun may point to the phrase: to "the lift", never to "dangerous"."""
    if phrase.name or phrase.plural or introduced(phrase, source):
        return True
    return bool(_PREPOSITION.search(source[: phrase.start]))


def introduced(phrase: Phrase, source: str) -> bool:
    """Return whether an article or the like stands before the phrase: "the lift", "my flat"."""
    return bool(_DETERMINER.search(source[: phrase.start]))


def _fits(phrase: Phrase, pronoun: str) -> bool:
    if phrase.text.isdigit():
        return False
    if pronoun in _PERSON:
        return phrase.name
    return phrase.name or phrase.plural == (pronoun in _SEVERAL)


def _with_article(phrase: Phrase, source: str) -> str:
    """Return the phrase as one speaks of it again: "a day ticket" is "the day ticket" then."""
    found = _DETERMINER.search(source[: phrase.start])
    if not found:
        return phrase.text
    word = found[0].strip().casefold()
    return f"{word if word in ('my', 'our', 'your') else 'the'} {phrase.text}"


def added(question: str, words: Iterable[str]) -> str:
    """Return the question with those of `words` behind it that it lacks, a few at most."""
    own = set(index_terms(question))
    new = []
    for word in words:
        terms = set(index_terms(word))
        if terms - own:
            new.append(word)
            own |= terms
    return " ".join([question, *new[:_MAX_ADDED]])
