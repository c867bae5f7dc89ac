"""What happened in a run: how long things took, what was refused, which promises were broken."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np

__all__ = ["Tally"]

_MOST_EVIDENCE = 5  # of one kind


@dataclass
class Tally:
    """Counts and times of one run, by phase: "alone" first, then "crowd".

    Attributes:
        phase: What is going on.
        seconds: By phase and kind of request, from its beginning to its end.
        checks: How often each promise was looked at and held.
        refused: Honest refusals, by kind of request and status.
        broken: How often a promise was not kept.
        evidence: Of each promise that was broken, the first few cases.
        answered: Answers by person.
        waited: Seconds from a question to its answer, refusals included, by person.
        lost: Requests cut off because the server was killed.
        waiting: People who wait for an answer, every second.
        asking: People who wait for one now.
    """

    phase: str = "alone"
    seconds: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    checks: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, int]] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    evidence: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    answered: Counter[str] = field(default_factory=Counter)
    waited: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    lost: int = 0
    waiting: list[int] = field(default_factory=list)
    asking: int = 0

    def took(self, kind: str, seconds: float) -> None:
        """Keep how long something took."""
        self.seconds[self.phase, kind].append(seconds)

    def check(self, promise: str, holds: bool, evidence: object = "") -> bool:
        """Count that a promise was looked at; keep the evidence where it does not hold."""
        self.checks[promise] += 1
        if not holds:
            self.broken[promise] += 1
            if len(self.evidence[promise]) < _MOST_EVIDENCE:
                self.evidence[promise].append(str(evidence)[:600])
        return holds

    def percentiles(self, phase: str, kind: str) -> dict[str, float] | None:
        """Return count and milliseconds of one kind of request, None where there was none."""
        found = self.seconds.get((phase, kind))
        if not found:
            return None
        p50, p95, p99 = 1000 * np.percentile(found, [50, 95, 99])
        return {"n": len(found), "p50": float(p50), "p95": float(p95), "p99": float(p99)}
