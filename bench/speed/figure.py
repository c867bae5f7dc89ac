"""One measured figure, and several runs of it taken together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

__all__ = ["Figure", "current_mb", "merged", "peak_mb"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A value of one run, in its unit; speeds are better the higher, all others the lower."""

    name: str
    value: float
    unit: str

    @property
    def higher_is_better(self) -> bool:
        """Whether more of it is better."""
        return self.unit.endswith("/s") or self.unit == "share"


def merged(runs: Sequence[Iterable[Figure]]) -> dict[str, dict[str, Any]]:
    """Return median, lowest and highest of each figure, by its name, in the order they came."""
    values: dict[str, list[float]] = {}
    first: dict[str, Figure] = {}
    for run in runs:
        for figure in run:
            first.setdefault(figure.name, figure)
            values.setdefault(figure.name, []).append(figure.value)
    return {
        name: {
            "unit": first[name].unit,
            "better": "higher" if first[name].higher_is_better else "lower",
            "median": median(found),
            "lowest": min(found),
            "highest": max(found),
            "runs": len(found),
        }
        for name, found in values.items()
    }


def peak_mb() -> float:
    """Return the most memory that this process has held, in MB of 2^20 bytes."""
    return _status("VmHWM")


def current_mb() -> float:
    """Return the memory that this process holds, in MB of 2^20 bytes."""
    return _status("VmRSS")


def _status(name: str) -> float:
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))
