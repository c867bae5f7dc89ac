"""A question as retrieval sees it: checked, its words weighed, its phrases found."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from index.errors import QuestionError
from index.searcher import Searcher
from index.searchview import plain
from index.terms import fold, spanned_terms

__all__ = [
    "LIGHT_WORDS",
    "MAX_CHARACTERS",
    "QUOTED",
    "Question",
    "check_question",
    "gist",
    "in_a_row",
    "searchable",
]

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
LONG_WORDS = 60  # of a text from which only its question is searched
MAX_TERMS = 64  # of a question that is a whole page the first words say what it is about

# Words that shape a question rather than say what it is about; an index keeps them.
LIGHT_WORDS = frozenset(
    """
    answer ask called deal dealing describe exactly explain find get give happen happened happens
    kind know long many mean meaning means much name need often please said say saying says sort
    tell thing things time times type use used
    """.split()
)

# Words of a letter that its question is not about.
_POLITE_WORDS = frozenset(
    """
    advance advice appreciate dear good grateful hello help hi hope idea information kind kindly
    know let look maybe ok okay perhaps possible problem question reply sorry sure thank thanks
    wonder wondering would
    """.split()
)

QUOTED = re.compile(r'["“”„«]([^"“”„«»]{2,})["“”»]')
# Joiners shape emoji and Persian; between these letters they only hide.
_HIDDEN = re.compile(r"(?<=[a-zA-Z])[\u200c\u200d]+(?=[a-zA-Z])")
_JOINERS = "\u200c\u200d"
_UNSEEN_MARK = "\u034f"  # the one mark that shows nothing

# "Mr.", "St." and initials end no sentence.
_SENTENCE_END = re.compile(r"(?<!\b[A-Z])(?<!\b[A-Z][a-z])(?<![.!?])[.!?]+[\"')\]]*\s+")
_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|ones?)\b",
    re.I,
)
_MOST_LACKED = 8  # words that a question takes over from the sentence before it

# Letters and digits, in any order, joined by hyphens and the like: E-4304, P25, A4/100.
_CODE = re.compile(r"(?<![\w/.-])(?=[\w/.-]*\d)(?=[\w/.-]*[^\W\d_])[^\W_]+(?:[-/.][^\W_]+)*(?!\w)")
# "20-year", "mid-1990s", "3rd", "10mm": words and measures, which a document may write otherwise.
_NO_CODE = re.compile(
    r"\d[\d.]*(?:st|nd|rd|th|s|x|[ap]m|[mck]?m|[mk]?g|ml|l|h|min|k|bn|mn|hz|[mgk]b|[kc]?w|v)"
    r"|[\d.]+(?:-[a-z]{3,})+|(?:mid|pre|post|non|early|late|under|over)-?\d+s?",
    re.I,
)


def check_question(text: str) -> str:
    """Return the question as it was asked, its white space made even.

    Raises:
        QuestionError: It is empty, or holds nothing that can be seen, or is longer than 2,000
            characters.
    """
    question = " ".join(text.split())
    if len(question) > MAX_CHARACTERS:
        raise QuestionError(
            f"The question has {len(question):,} characters; "
            f"the limit is {MAX_CHARACTERS:,}. Ask it in fewer words."
        )
    if not searchable(question):
        raise QuestionError("The question is empty; ask something about the documents.")
    return question


def searchable(text: str) -> str:
    """Return a question as it is searched for: in one spelling, without what cannot be seen.

    It is in Unicode normal form NFKC, with quotes and dashes of ASCII and single spaces; a half
    of a character is U+FFFD. Applied twice it is the same.
    """
    view = plain(text)
    if view.isascii():
        return view
    seen = (
        c
        for c in _HIDDEN.sub("", view)
        if c in _JOINERS or (unicodedata.category(c) != "Cf" and c != _UNSEEN_MARK)
    )
    # What was hidden may have kept letters and their accents apart.
    return plain("".join(seen))


def gist(question: str) -> str:
    """Return what a letter asks: its last question, in a text of more than 60 words.

    A question that points back ("Who pays for it?") or says nothing of its own ("How often?")
    is followed by the telling words of the sentence before it. A text in which no sentence ends
    with a question mark stays as it is.
    """
    if len(question.split()) <= LONG_WORDS:
        return question
    sentences = _sentences(question)
    for at, sentence in reversed(list(enumerate(sentences))):
        own = _telling(sentence)
        asks = sentence.rstrip("\"')]").endswith("?") and (own or not _empty(sentence))
        if not asks or not (own or at):
            continue
        if not at or (len(own) > 1 and not _POINTS_BACK.search(sentence)):
            return sentence
        lacked = [word for word in _telling(sentences[at - 1]) if word not in own]
        return " ".join((sentence, *dict.fromkeys(lacked[:_MOST_LACKED])))
    return question


def _sentences(text: str) -> list[str]:
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return [text[a:b].strip() for a, b in zip([0, *ends], [*ends, len(text)], strict=True) if b > a]


def _telling(sentence: str) -> list[str]:
    """Return the words that say what a sentence of a letter is about."""
    words = (sentence[term.start : term.end] for term in spanned_terms(sentence) if not term.stop)
    return [word for word in words if word.casefold() not in LIGHT_WORDS | _POLITE_WORDS]


def _empty(sentence: str) -> bool:
    """Return whether the sentence has no word or only asks for an answer."""
    words = re.findall(r"\w+", sentence.casefold())
    return not words or not _POLITE_WORDS.isdisjoint(words)


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its terms.

    Attributes:
        text: The question, checked, as `searchable` gives it.
        terms: Each term once, in order, without stop words, and without words such as "many"
            or "mean" where others are there.
        words: The word of the question that each term was read from.
        weights: How much each term tells: its BM25 weight (inverse document frequency), more for
            numbers, less for words that no document has.
        phrases: Terms of each quoted phrase, stop words left out.
        codes: Terms of codes such as E-4304, whole: "e4304".
    """

    text: str
    terms: tuple[str, ...]
    words: tuple[str, ...]
    weights: tuple[float, ...]
    phrases: tuple[tuple[str, ...], ...]
    codes: tuple[str, ...] = ()

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
        text = searchable(check_question(text))
        telling = [term for term in spanned_terms(text) if not term.stop]
        heavy = [t for t in telling if text[t.start : t.end].casefold() not in LIGHT_WORDS]
        words: dict[str, str] = {}
        for term in (heavy or telling)[:MAX_TERMS]:
            words.setdefault(term.term, text[term.start : term.end])
        phrases = (
            tuple(term.term for term in spanned_terms(match[1]) if not term.stop)
            for match in QUOTED.finditer(text)
        )
        return cls(
            text,
            tuple(words),
            tuple(words.values()),
            tuple(_weights(words, searcher, own)),
            tuple(phrase for phrase in phrases if phrase),
            tuple(dict.fromkeys(_codes(text))),
        )

    @property
    def weight(self) -> float:
        """Sum of the weights of all terms."""
        return sum(self.weights)

    @property
    def named(self) -> int:
        """How many quoted phrases and codes it has."""
        return len(self.phrases) + len(self.codes)

    def exact(self, terms: Sequence[str]) -> bool:
        """Return whether a text has every quoted phrase and code of the question.

        False where the question has none: then nothing is known exactly.

        Args:
            terms: Of the text, in order and without stop words, as `index_terms` gives them.
        """
        holds = set(terms)
        return (
            self.named > 0
            and all(code in holds for code in self.codes)
            and all(in_a_row(phrase, terms) for phrase in self.phrases)
        )

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


def _codes(text: str) -> Iterator[str]:
    """Yield the term of each code, as `index.terms` has it."""
    for match in _CODE.finditer(text):
        if not _NO_CODE.fullmatch(match[0]):
            yield fold(re.sub(r"[-/.]", "", match[0]))


def in_a_row(phrase: Sequence[str], terms: Sequence[str]) -> bool:
    """Return whether `phrase` stands in `terms`, its words one after the other."""
    size = len(phrase)
    return any(tuple(terms[i : i + size]) == tuple(phrase) for i in range(len(terms) - size + 1))
