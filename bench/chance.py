"""How much of a difference may be chance: paired bootstrap intervals.

Questions are drawn again with replacement, each with the values of both systems, and the
difference is computed anew; 95 % of the differences so found lie in the interval.

Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, ch. 13 (percentiles).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.calibration import area

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Interval", "area_difference", "mean_difference"]

RESAMPLES = 10_000
SEED = 2026
CHUNK = 200  # resamples at once, which bounds the memory
COVERED = 95.0  # per cent


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference with the ends of its 95 % interval."""

    difference: float
    low: float
    high: float


def mean_difference(
    one: Sequence[float], other: Sequence[float], *, resamples: int = RESAMPLES, seed: int = SEED
) -> Interval:
    """Return the mean of `one` minus that of `other`; both have a value for each question.

    Raises:
        ValueError: They differ in length or are empty.
    """
    if len(one) != len(other) or not one:
        raise ValueError(f"{len(one)} and {len(other)} values cannot be paired")
    values = np.asarray(one, float) - np.asarray(other, float)
    random = np.random.default_rng(seed)
    means = [
        values[random.integers(len(values), size=(rows, len(values)))].mean(axis=1)
        for rows in _chunks(resamples)
    ]
    return _interval(float(values.mean()), np.concatenate(means))


def area_difference(
    one: Sequence[float],
    other: Sequence[float],
    positive: Sequence[bool],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Return AUROC of the scores `one` minus that of `other`, for the same questions.

    Positive and negative questions are drawn apart, so that there are always both.

    Raises:
        ValueError: There are no positive or no negative questions.
    """
    yes = np.asarray(positive, bool)
    pair = [(values[yes], values[~yes]) for values in (np.asarray(one), np.asarray(other))]
    difference = area(*pair[0]) - area(*pair[1])
    sides = [_Side(*scores) for scores in pair]
    random = np.random.default_rng(seed)
    counts = int(yes.sum()), int((~yes).sum())
    found = []
    for rows in _chunks(resamples):
        drawn = [random.multinomial(n, np.full(n, 1 / n), size=rows) for n in counts]
        found.append(sides[0].areas(*drawn) - sides[1].areas(*drawn))
    return _interval(difference, np.concatenate(found))


class _Side:
    """The scores of one system, ready to have many resamples' areas computed at once."""

    def __init__(self, yes: Floats, no: Floats) -> None:
        self._order = np.argsort(no, kind="stable")
        ordered = no[self._order]
        self._below = np.searchsorted(ordered, yes, side="left")
        self._upto = np.searchsorted(ordered, yes, side="right")

    def areas(self, yes: NDArray[np.int64], no: NDArray[np.int64]) -> Floats:
        """Return the area for each row of counts: how often each question was drawn."""
        total = np.zeros((len(no), no.shape[1] + 1))
        np.cumsum(no[:, self._order], axis=1, out=total[:, 1:])
        above = (total[:, self._below] + total[:, self._upto]) / 2  # ties count half
        found: Floats = (yes * above).sum(axis=1) / (yes.sum(axis=1) * total[:, -1])
        return found


def _chunks(resamples: int) -> list[int]:
    return [min(CHUNK, resamples - start) for start in range(0, resamples, CHUNK)]


def _interval(difference: float, found: Floats) -> Interval:
    low, high = np.percentile(found, [(100 - COVERED) / 2, (100 + COVERED) / 2])
    return Interval(difference, float(low), float(high))
