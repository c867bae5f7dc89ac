"""Whether something grows: a line through what was measured, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Growth", "growth"]

_BLOCK = 10.0  # seconds averaged into one point
_FEWEST = 12  # points of which a line says something


@dataclass(frozen=True, slots=True)
class Growth:
    """How fast a value grows.

    Attributes:
        an_hour: Slope of the line, in units of the value an hour.
        error: Half of the interval that holds the true slope in 95 of 100 cases.
        level: Mean of the values.
    """

    an_hour: float
    error: float
    level: float

    def clearly(self, *, share: float = 0.05) -> bool:
        """Return whether it surely grows by more than `share` of its level in an hour."""
        return self.an_hour - self.error > share * self.level


def growth(runs: Sequence[Sequence[tuple[float, float]]]) -> Growth | None:
    """Return the slope common to several runs of (seconds, value), each with its own level.

    Least squares over means of ten seconds. Neighbouring points tell much the same, so the error
    is that of as many independent points as their correlation leaves (Bartlett, 1935). None where
    there are too few points.
    """
    times, values = [], []
    for run in runs:
        at, value = _blocks(run)
        if len(at) > 1:
            times.append(at - at.mean())
            values.append(value)
    if sum(map(len, times)) < _FEWEST:
        return None
    at = np.concatenate(times)
    centred = np.concatenate([value - value.mean() for value in values])
    slope = float(at @ centred / (at @ at))
    rest = centred - slope * at
    free = len(at) - len(times) - 1
    deviation = float(np.sqrt(rest @ rest / free / (at @ at)))
    square = float(rest @ rest)
    alike = float(rest[:-1] @ rest[1:]) / square if square else 0.0
    alike = min(max(alike, 0.0), 0.9)
    error = 2 * deviation * float(np.sqrt((1 + alike) / (1 - alike)))
    level = float(np.concatenate(values).mean())
    return Growth(an_hour=3600 * slope, error=3600 * error, level=level)


def _blocks(run: Sequence[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    if not run:
        return np.empty(0), np.empty(0)
    points = np.asarray(run, np.float64)
    block = ((points[:, 0] - points[0, 0]) // _BLOCK).astype(int)
    whole = [points[block == each].mean(axis=0) for each in np.unique(block)]
    means = np.stack(whole)
    return means[:, 0], means[:, 1]
