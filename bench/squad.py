"""Short answers compared with gold ones: exact match, F1, and whether a text holds one.

As the official evaluation of SQuAD does it: lower case, without punctuation and articles.

Source: Rajpurkar et al. (2016), SQuAD: 100,000+ questions for machine comprehension of text.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

__all__ = ["exact", "f1", "holds", "words"]

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def words(text: str) -> list[str]:
    """Return the words of a text as SQuAD compares them; may be empty."""
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()


def exact(answer: str, gold: Sequence[str]) -> float:
    """Return 1 if `answer` is one of the gold answers, else 0. Without gold "" is right."""
    return max(float(words(answer) == words(each)) for each in gold or ("",))


def f1(answer: str, gold: Sequence[str]) -> float:
    """Return the best F1 of the words of `answer` with those of a gold answer."""
    return max(_f1(words(answer), words(each)) for each in gold or ("",))


def _f1(answer: Sequence[str], gold: Sequence[str]) -> float:
    if not answer or not gold:
        return float(answer == gold)
    common = (Counter(answer) & Counter(gold)).total()
    return 2 * common / (len(answer) + len(gold))


def holds(text: str, answer: str) -> bool:
    """Return whether `text` has the words of `answer` one after the other.

    Of an answer that is nothing but an article or punctuation, the text must have just that.
    """
    wanted = words(answer)
    if not wanted:
        return f" {' '.join(answer.lower().split())} " in f" {' '.join(text.lower().split())} "
    return f" {' '.join(wanted)} " in f" {' '.join(words(text))} "
