"""How good a ranking is: nDCG, MRR, recall and success at a cut-off, and average precision.

A ranking lists what was retrieved, best first, without repeats; `grades` are the judgements
(qrels): what is relevant, each with a grade of at least 1. The values are those of trec_eval.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import log2
from typing import TypeVar

__all__ = ["average_precision", "ndcg", "recall", "reciprocal_rank", "success"]

T = TypeVar("T", bound=Hashable)


def ndcg(ranking: Sequence[T], grades: Mapping[T, int], k: int = 10) -> float:
    """Return nDCG@k: the discounted gain of the first `k`, as a part of the best possible.

    The gain of a hit is its grade, its discount log2(rank + 1), as trec_eval has it.

    Raises:
        ValueError: Nothing is relevant, or `k` is below 1.

    Source: Järvelin and Kekäläinen (2002), Cumulated gain-based evaluation of IR techniques.
    """
    _check(grades, k)
    best = _discounted(sorted(grades.values(), reverse=True)[:k])
    return _discounted([grades.get(item, 0) for item in ranking[:k]]) / best


def reciprocal_rank(ranking: Sequence[T], grades: Mapping[T, int], k: int = 10) -> float:
    """Return 1 / rank of the first relevant among the first `k`, 0 if there is none.

    Its mean over questions is MRR@k.

    Raises:
        ValueError: Nothing is relevant, or `k` is below 1.

    Source: Voorhees (1999), The TREC-8 question answering track report.
    """
    _check(grades, k)
    ranks = (rank for rank, item in enumerate(ranking[:k], 1) if item in grades)
    return 1 / next(ranks, float("inf"))


def recall(ranking: Sequence[T], grades: Mapping[T, int], k: int = 10) -> float:
    """Return the fraction of what is relevant that is among the first `k`.

    Raises:
        ValueError: Nothing is relevant, or `k` is below 1.

    Source: Manning, Raghavan and Schütze (2008), Introduction to Information Retrieval, ch. 8.
    """
    _check(grades, k)
    return len(grades.keys() & set(ranking[:k])) / len(grades)


def average_precision(hits: Sequence[bool]) -> float:
    """Return the mean, over all that is relevant, of the precision at its rank.

    Its mean over questions is MAP.

    Args:
        hits: Whether each item is relevant, best first; a ranking of everything there is.

    Raises:
        ValueError: Nothing is relevant.

    Source: Buckley and Voorhees (2000), Evaluating evaluation measure stability.
    """
    ranks = [rank for rank, hit in enumerate(hits, 1) if hit]
    if not ranks:
        raise ValueError("average precision with nothing relevant is undefined")
    return sum(found / rank for found, rank in enumerate(ranks, 1)) / len(ranks)


def success(hits: Sequence[bool], k: int) -> float:
    """Return 1 if one of the first `k` is a hit, else 0.

    Args:
        hits: Whether each of what was retrieved, best first, is right.
        k: Cut-off, at least 1.

    Raises:
        ValueError: `k` is below 1.

    Source: Craswell (2009), Success at n, in Encyclopedia of Database Systems.
    """
    if k < 1:
        raise ValueError(f"success@{k} is undefined")
    return float(any(hits[:k]))


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))


def _check(grades: Mapping[T, int], k: int) -> None:
    if k < 1 or not grades or min(grades.values()) < 1:
        raise ValueError(f"undefined at a cut-off of {k} with {len(grades)} relevant")
