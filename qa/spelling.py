"""Typing errors in a question, mended with the documents' own words.

A word is taken for a typing error only when no document has it and the vocabulary of the default
model does not either: that holds the common words of English whole, so "salary" never becomes
"celery" only because the documents speak of vegetables. What replaces it stands in a document and
is one edit away, in long words two (Damerau, 1964): one letter
wrong, missing or too many, or two exchanged. The first letter is right or exchanged with the
second, as it is in nearly all of them (Yannakoudakis and Fawthrop, 1983).
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from index.searcher import Searcher
from index.terms import STOP_WORDS, fold, spanned_terms, stem
from index.weights import default_model
from qa.question import LIGHT_WORDS, QUOTED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

__all__ = ["corrected"]

# Fewer letters are three, where only two exchanged ones are mended: "teh", "dgo".
SHORTEST, LONG = 4, 8
LONGEST = 30  # letters; longer ones are no words
MOST_WORDS = 8  # mended in a question
MOST_TERMS = 8  # of the documents that a word is compared with letter by letter
PASSAGES, AT_A_TIME = 24, 6  # read to see how a term is written

_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_ALIKE = ("aeiouy", "cksz", "mn", "dt", "bp", "fvw", "gj")  # to the ear

_WORD = re.compile(r"[^\W\d_]+")
# A part of one of these is no word: addresses, file names, codes.
_NO_WORD = re.compile(r"[\d@#/\\_:&+]|\w\.\w")
# Words that differ in nothing else are two words, not one with an error in it.
_CONTRASTS = (("hyper", "hypo"), ("inter", "intra"), ("macro", "micro"), ("ante", "anti"))
_SALTS = frozenset(("ane", "ate", "ene", "ide", "ine", "ite", "yne"))
# What may be missing behind a common word for it to be one all the same.
_ENDINGS = ("s", "es", "d", "ed", "ing", "ly", "er", "ers", "or", "ness", "less", "able")


def corrected(question: str, searcher: Searcher) -> str:
    """Return the question with its typing errors mended; else the question itself.

    All but the mended words stays as it is. Words in quotation marks, codes, and names with
    capitals inside are never touched.

    Args:
        question: As `qa.question.searchable` gives it.
        searcher: Has the words that may be meant.
    """
    unknown = list(_unknown(question, searcher))
    if len(unknown) > MOST_WORDS or (len(unknown) > 3 and 2 * len(unknown) > len(question.split())):
        return question  # of another language
    known = _known(question, searcher) if unknown else []
    pieces: list[str] = []
    done = 0
    for start, end in unknown:
        word = question[start:end]
        if (meant := _meant(fold(word), known, searcher)) is not None:
            pieces += (question[done:start], _in_case(meant, word))
            done = end
    return "".join((*pieces, question[done:]))


def _unknown(question: str, searcher: Searcher) -> Iterator[tuple[int, int]]:
    """Yield [start, end) of each word that neither the documents nor the model know."""
    shouted = question.isupper()
    quoted = [match.span() for match in QUOTED.finditer(question)]
    for match in _WORD.finditer(question):
        word, start, end = match[0], match.start(), match.end()
        folded = fold(word)
        if not (3 <= len(word) <= LONGEST and folded.isascii() and folded.isalpha()):
            continue
        if word[1:] != word[1:].lower() and not shouted:  # NATO, iPhone
            continue
        if folded in STOP_WORDS or folded in LIGHT_WORDS or _is_part(question, start, end):
            continue
        if any(first < start < last for first, last in quoted):
            continue
        if not searcher.document_frequency(stem(folded)) and not _ordinary(folded):
            yield start, end


def _known(question: str, searcher: Searcher) -> list[str]:
    """Return the terms of the question that tell something and are in the documents."""
    words = {
        term.term: fold(question[term.start : term.end])
        for term in spanned_terms(question)
        if not term.stop
    }
    return [
        term
        for term, word in words.items()
        if word not in LIGHT_WORDS and searcher.document_frequency(term)
    ]


def _is_part(question: str, start: int, end: int) -> bool:
    """Return whether the word at [start, end) belongs to a code, an address or the like."""
    before = re.split(r"\s", question[:start])[-1]
    after = re.split(r"\s", question[end:], maxsplit=1)[0]
    return _NO_WORD.search(f"{before}{question[start:end]}{after.rstrip('.')}") is not None


def _meant(word: str, known: Sequence[str], searcher: Searcher) -> str | None:
    """Return the word, in lower case, that was most likely meant by one that nobody knows.

    It stands in a passage with one of the `known` terms of the question, if there are any.
    The nearest wins; of equally near ones a word that shapes questions, then the one whose term
    most passages hold.
    """
    allowed = 2 if len(word) >= LONG else 1
    found: list[tuple[int, float, int, int, str]] = [
        (cost, -math.inf, differing, more, other)
        for cost, differing, more, other in _near(_SHAPING, word, allowed)
    ]
    for term, count, least in _terms_like(word, searcher, allowed):
        if found and least > min(found)[0]:
            continue
        if known and not any(searcher.count_with_all((term, other)) for other in known):
            continue
        for written in _written(term, searcher):
            if near := list(_near(written, word, allowed)):
                found += ((cost, -count, differing, more, o) for cost, differing, more, o in near)
                break
    return min(found)[-1] if found else None


def _terms_like(word: str, searcher: Searcher, allowed: int) -> Iterator[tuple[str, int, int]]:
    """Yield terms that forms of `word` may have, the likeliest first.

    With each comes how many passages hold it and what any form of it costs at least.
    """
    even = _even(word)
    letters = set(even)
    longest = len(word) + allowed
    counts = {
        term: count
        for prefix in (word[0], word[1] + word[0])
        for term, count in searcher.vocabulary(prefix)
        # Cheap, and leaves out most.
        if len(term) <= longest and term.isalpha() and len(set(_even(term)) - letters) <= allowed
    }
    least = _costs([_even(term) for term in counts], even)[1].tolist()
    # A letter more of the word that a term explains counts a quarter of an edit.
    found = sorted(
        (4 * cost - len(term), -count, term, cost)
        for (term, count), cost in zip(counts.items(), least, strict=True)
        if cost <= allowed
    )
    for _, count, term, cost in found[:MOST_TERMS]:
        yield term, -count, cost


def _written(term: str, searcher: Searcher) -> Iterator[list[str]]:
    """Yield how `term` is written, from a few of the passages that hold it at a time."""
    passages = searcher.with_any([term], PASSAGES, None)
    for start in range(0, len(passages), AT_A_TIME):
        found: set[str] = set()
        for row in searcher.passages(passages[start : start + AT_A_TIME]):
            text = searcher.text(row.document)[row.start : row.end]
            title = searcher.documents[row.document].title
            for word in _WORD.findall("\n".join((title, *row.headings, row.context, text))):
                # Most words are told apart by their beginning, and stemming costs.
                if word[:2].casefold() == term[:2] and stem(other := fold(word)) == term:
                    found.add(other)
        yield sorted(found)


def _near(others: Sequence[str], word: str, allowed: int) -> Iterator[tuple[int, int, int, str]]:
    """Yield those of `others` that may be meant by `word`, each behind how near it is.

    That is what it costs, how many letters differ (exchanged ones do not), and how many are too
    many: people leave out more than they add.
    """
    # Two letters replaced make another word: "hydrophilic" of "hydrophobic".
    most = 0 if len(word) < SHORTEST else 2
    for other, cost in zip(others, _costs(others, word)[0].tolist(), strict=True):
        if cost > allowed or len(other) < min(len(word), SHORTEST) or _contrast(word, other):
            continue
        if other[0] != word[0] and other[:2] != word[1::-1]:
            continue
        differing = (Counter(word) - Counter(other)) + (Counter(other) - Counter(word))
        if differing.total() <= most:
            yield cost, differing.total(), len(word) - len(other), other


def _contrast(word: str, other: str) -> bool:
    """Return whether the two are told apart by parts that words are made of."""
    for pair in _CONTRASTS:
        if any(word.startswith(a) and other.startswith(b) for a, b in (pair, pair[::-1])):
            return True
    return word[:-3] == other[:-3] and {word[-3:], other[-3:]} <= _SALTS


def _costs(meant: Sequence[str], typed: str) -> tuple[Ints, Ints]:
    """Return what it costs to type `typed` for each word, and the least for a beginning of it.

    The edits are those of Damerau (1964): a letter left out and two exchanged cost 1, and so do
    one for another and one too many where the hand or the ear explains them. Else the latter
    costs 2 and the former 3 (optimal string alignment, of all words at once).

    Returns:
        Two arrays of shape (len(meant),).
    """
    if not meant:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    lengths = np.array([len(word) for word in meant])
    # One row a letter, one column a word; zeros behind its end.
    letters = np.array(meant, f"U{lengths.max()}").view(np.uint32).reshape(len(meant), -1).T
    letters = np.minimum(letters, 127)
    seen = np.array([ord(letter) for letter in typed])[:, None]
    confused = _confused()
    # One too many is mostly typed with the key beside, or doubled.
    beside = [typed[max(at - 1, 0) : at] + typed[at + 1 : at + 2] for at in range(len(typed))]
    extra = [
        1 if any(confused[ord(letter), ord(other)] for other in others) else 2
        for letter, others in zip(typed, beside, strict=True)
    ]
    sums = np.array([0, *accumulate(extra)])[:, None]
    row = before = np.repeat(sums, len(meant), axis=1)
    last = row.copy()
    for i, letter in enumerate(letters):
        above_before, before = before, row
        replaced = np.where(letter == seen, 0, np.where(confused[letter, seen], 1, 3))
        step = np.minimum(before[:-1] + replaced, before[1:] + 1)
        if i:
            exchanged = (letter == seen[:-1]) & (letters[i - 1] == seen[1:])
            step[1:] = np.where(exchanged, np.minimum(step[1:], above_before[:-2] + 1), step[1:])
        row = np.concatenate([before[:1] + 1, step])
        # From any place on, all further letters may be too many.
        row = np.minimum.accumulate(row - sums) + sums
        last = np.where(lengths == i + 1, row, last)
    return last[-1], last.min(axis=0)


@lru_cache(maxsize=1)
def _confused() -> NDArray[np.bool_]:
    """Return which letters, by code, are typed for which: beside each other or alike."""
    places = {
        letter: (y, x + 0.4 * y) for y, keys in enumerate(_KEYS) for x, letter in enumerate(keys)
    }
    found = np.zeros((128, 128), np.bool_)
    for one, (y, x) in places.items():
        for other, (v, u) in places.items():
            alike = any(one in letters and other in letters for letters in _ALIKE)
            found[ord(one), ord(other)] = alike or (abs(y - v) <= 1 and abs(x - u) <= 1)
    return found


def _even(word: str) -> str:
    """Return the word as it can be compared with a stem: those of "city" end in i."""
    return word.replace("y", "i")


def _in_case(word: str, like: str) -> str:
    if len(like) > 1 and like.isupper():
        return word.upper()
    return word.capitalize() if like[0].isupper() else word


_SHAPING = tuple(sorted(word for word in STOP_WORDS | LIGHT_WORDS if len(word) > 2))


def _ordinary(word: str) -> bool:
    """Return whether the model has the word whole, or it is made of such words."""
    known = _common_words()
    if word in known:
        return True
    if any(
        word.endswith(end) and len(word) - len(end) >= 4 and word[: -len(end)] in known
        for end in _ENDINGS
    ):
        return True
    return any(word[:at] in known and word[at:] in known for at in range(4, len(word) - 3))


@lru_cache(maxsize=1)
def _common_words() -> frozenset[str]:
    """Return what the default model's tokenizer keeps whole: names and words of English."""
    content = json.loads((default_model() / "tokenizer.json").read_text("utf-8"))
    return frozenset(token for token in content["model"]["vocab"] if token.isalpha())
