"""How sure it is that the first quote answers: a logistic function of a few signs."""

from __future__ import annotations

from collections.abc import Sequence

from index.terms import index_terms
from qa.asking import is_keywords
from qa.question import Question
from qa.ranking import Candidate
from qa.reading import SOFT, sigmoid

__all__ = ["WEIGHTS", "confidence", "confidence_features"]

# Of 1 and the features of confidence. Fitted by bench/confidence.py on questions kept out of the
# reader's training: such as a library answers, such as it does not, and such about something else.
WEIGHTS = (-3.58, 6.48, 0.43)
NAMED = 0.5


def confidence_features(ranked: Sequence[Candidate]) -> tuple[float, ...]:
    """Return the signs that the first sentence answers, each in about [0, 1].

    They are the score of its passage, which mixes meaning, words and reading and means the same
    for every question, and how much likelier the reader finds words of it than "not here".
    """
    first = ranked[0]
    return first.passage.score, sigmoid(first.sentence.margin / SOFT)


def confidence(ranked: Sequence[Candidate], asked: Question | None = None) -> float:
    """Return how sure it is that the first candidate answers: a logistic function of the signs.

    Args:
        ranked: The candidates, the best first.
        asked: The question. Where the first candidate has a code or quoted phrase of it word for
            word, or all words of a search that is no sentence, it is at least NAMED.
    """
    if not ranked:
        return 0.0
    features = (1.0, *confidence_features(ranked))
    total = sum(weight * feature for weight, feature in zip(WEIGHTS, features, strict=True))
    sure = round(sigmoid(total), 4)
    return max(sure, NAMED) if asked is not None and _named(ranked[0], asked) else sure


def _named(first: Candidate, asked: Question) -> bool:
    terms = index_terms(f"{first.sentence.context} {first.sentence.text}")
    return asked.exact(terms) or (is_keywords(asked.text) and asked.coverage(set(terms)) == 1)
