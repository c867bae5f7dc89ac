"""Is confidence worth its name? AUROC, reliability, calibration error, and coverage.

Confidences lie in [0, 1]; `right` says of each whether it was deserved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Scores = Sequence[float] | NDArray[np.float64]

__all__ = ["Bin", "Coverage", "area", "calibration_error", "coverage_at", "reliability"]

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """The questions whose confidence lies in [low, high), in the last bin also at 1.

    Attributes:
        confidence: Their mean confidence.
        right: The share of them that were right.
    """

    low: float
    high: float
    count: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many questions may be answered at an accuracy.

    Attributes:
        coverage: Share of the questions with a confidence of at least `threshold`.
        threshold: None where no threshold reaches the accuracy.
    """

    accuracy: float
    coverage: float
    threshold: float | None


def area(yes: Scores, no: Scores) -> float:
    """Return how often one of `yes` is above one of `no`; ties count half (AUROC).

    Raises:
        ValueError: One of them is empty.

    Source: Mann and Whitney (1947), On a test of whether one of two random variables is
    stochastically larger than the other.
    """
    if not len(yes) or not len(no):
        raise ValueError(f"AUROC of {len(yes)} against {len(no)} is undefined")
    ordered = np.sort(np.asarray(no, float))
    below = np.searchsorted(ordered, yes, side="left")
    upto = np.searchsorted(ordered, yes, side="right")
    return float((below + upto).mean() / 2 / len(ordered))


def reliability(confidence: Scores, right: Sequence[bool], bins: int = BINS) -> list[Bin]:
    """Return bins of equal width with what was claimed and what was right; empty ones are out.

    Source: Niculescu-Mizil and Caruana (2005), Predicting good probabilities with supervised
    learning.
    """
    claimed, deserved = np.asarray(confidence, float), np.asarray(right, float)
    place = np.minimum((claimed * bins).astype(int), bins - 1)
    return [
        Bin(
            number / bins,
            (number + 1) / bins,
            int((place == number).sum()),
            float(claimed[place == number].mean()),
            float(deserved[place == number].mean()),
        )
        for number in range(bins)
        if (place == number).any()
    ]


def calibration_error(confidence: Scores, right: Sequence[bool], bins: int = BINS) -> float:
    """Return the expected calibration error: the mean gap of the bins, weighed by their size.

    Source: Naeini et al. (2015), Obtaining well calibrated probabilities using Bayesian binning.
    """
    gaps = (
        each.count * abs(each.confidence - each.right)
        for each in reliability(confidence, right, bins)
    )
    return sum(gaps) / len(confidence)


def coverage_at(confidence: Scores, right: Sequence[bool], accuracy: float) -> Coverage:
    """Return how many questions can be answered so that `accuracy` of them are right.

    Of all thresholds that reach the accuracy, the one that answers most.

    Source: Geifman and El-Yaniv (2017), Selective classification for deep neural networks.
    """
    claimed, deserved = np.asarray(confidence, float), np.asarray(right, float)
    order = np.argsort(-claimed, kind="stable")
    claimed, reached = claimed[order], np.cumsum(deserved[order]) / np.arange(1, len(order) + 1)
    # Questions with the same confidence are answered together or not at all.
    last = np.append(claimed[1:] != claimed[:-1], True)
    good = np.flatnonzero(last & (reached >= accuracy))
    if not len(good):
        return Coverage(accuracy, 0.0, None)
    return Coverage(accuracy, float(good[-1] + 1) / len(claimed), float(claimed[good[-1]]))
