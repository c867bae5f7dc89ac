"""The figures of a run, and a table of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bench import machine
from bench.loading.growth import Growth, growth
from bench.loading.process import Sample
from bench.loading.scene import Outcome

__all__ = ["figures", "in_words", "printed", "spread"]

_WARM_UP = 120.0  # seconds after a start in which memory may grow
_MB = 1e6
_ENOUGH = 60.0  # seconds of a run that a line is drawn through
_GROWS = "memory does not clearly grow once the server is warm"


def figures(outcome: Outcome) -> dict[str, Any]:
    """Return the figures of a run, ready for JSON."""
    tally, plan = outcome.tally, outcome.plan
    memory = _memory(outcome)
    whole, late = memory["growth"], memory["growth at the end"]
    if whole is not None and late is not None:
        # What fills caches and the pools of the allocator grows less and less; a leak does not.
        tally.check(_GROWS, not (whole.clearly() and late.clearly()), f"{whole}, then {late}")
    memory |= {"growth": _an_hour(whole), "growth at the end": _an_hour(late)}
    kinds = sorted({kind for phase, kind in tally.seconds if phase in ("alone", "crowd")})
    answers = tally.answered.total()
    people = [float(np.median(waited)) for waited in tally.waited.values() if waited]
    return {
        "machine": machine.describe(),
        "people": plan.people,
        "seconds": round(outcome.crowd, 1),
        "think": plan.think,
        "answers": answers,
        "answers a second": round(answers / outcome.crowd, 2) if outcome.crowd else 0.0,
        "requests": sum(
            len(found) for (phase, _), found in tally.seconds.items() if phase == "crowd"
        ),
        "changes of documents": outcome.changes,
        "waiting": spread(tally.waiting),
        "median wait by person": spread(people),
        "refused": {f"{kind}: {status}": n for (kind, status), n in sorted(tally.refused.items())},
        "cut off by the kill": tally.lost,
        "seconds until it answers again": round(outcome.restarted, 1),
        "seconds until it ends": None if outcome.ended is None else round(outcome.ended, 2),
        "milliseconds": {
            kind: {
                phase: {name: round(value, 1) for name, value in found.items()}
                for phase in ("alone", "crowd")
                if (found := tally.percentiles(phase, kind))
            }
            for kind in kinds
        },
        "server": memory,
        "checks": dict(sorted(tally.checks.items())),
        "broken": dict(tally.broken),
        "evidence": {promise: list(cases) for promise, cases in tally.evidence.items()},
    }


def _memory(outcome: Outcome) -> dict[str, Any]:
    samples = outcome.samples
    runs = _runs(samples)
    warm = [_after(run, _WARM_UP) for run in runs]
    long = [run for run in warm if len(run) > 1 and run[-1].at - run[0].at >= _ENOUGH]
    values = [[(sample.at, float(sample.resident)) for sample in run] for run in long]
    whole = [sample.proportional for sample in samples if sample.proportional]
    busy = sum(run[-1].cpu - run[0].cpu for run in runs)
    lasted = sum(run[-1].at - run[0].at for run in runs)
    return {
        "resident MB": spread([sample.resident / _MB for sample in samples]),
        "with children, proportional MB": spread([value / _MB for value in whole]),
        "by minute MB": [
            round(run[at].resident / _MB) for run in runs for at in range(0, len(run), 60)
        ],
        "growth": growth(values),
        "growth at the end": growth([values[-1][len(values[-1]) // 2 :]]) if values else None,
        "files": spread([sample.files for sample in samples]),
        "threads": spread([sample.threads for sample in samples]),
        "before and after": None
        if outcome.before is None or outcome.after is None
        else {
            name: [getattr(outcome.before, name), getattr(outcome.after, name)]
            for name in ("files", "threads", "resident")
        },
        "cores busy": round(busy / lasted, 2) if lasted else 0.0,
    }


def _an_hour(line: Growth | None) -> dict[str, float] | None:
    if line is None:
        return None
    return {"MB an hour": round(line.an_hour / _MB, 1), "error": round(line.error / _MB, 1)}


def _runs(samples: Sequence[Sample]) -> list[list[Sample]]:
    starts = sorted({sample.start for sample in samples})
    return [[sample for sample in samples if sample.start == start] for start in starts]


def _after(run: list[Sample], seconds: float) -> list[Sample]:
    return [sample for sample in run if sample.at - run[0].at >= seconds]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, 95th percentile and the most of some values; nothing of none."""
    if not values:
        return {}
    return {
        "p50": round(float(np.median(values)), 2),
        "p95": round(float(np.percentile(values, 95)), 2),
        "most": round(float(max(values)), 2),
    }


def printed(result: dict[str, Any]) -> str:
    """Return the figures as people read them."""
    wait, person = result["waiting"], result["median wait by person"]
    server = result["server"]
    lines = [
        ", ".join(str(value) for value in result["machine"].values()),
        f"{result['people']} people for {result['seconds']:.0f} s, thinking {result['think']:g} s: "
        f"{result['answers']} answers ({result['answers a second']} a second), "
        f"{result['requests']} requests, {result['changes of documents']} changes of documents",
        f"people waiting for an answer: {in_words(wait)}; "
        f"median wait of a person in s: {in_words(person)}",
        f"killed: {result['cut off by the kill']} requests cut off, answers again after "
        f"{result['seconds until it answers again']} s; "
        f"told to end, it ends in {result['seconds until it ends']} s",
        f"refused: {result['refused'] or 'nobody'}",
        "",
        f"{'milliseconds':<26}{'alone: n':>9}{'p50':>8}{'p95':>8}   {'crowd: n':>9}"
        f"{'p50':>8}{'p95':>8}{'p99':>8}",
    ]
    for kind, found in result["milliseconds"].items():
        alone, crowd = found.get("alone"), found.get("crowd")
        lines.append(
            f"{kind:<26}"
            + (f"{alone['n']:>9}{alone['p50']:>8.0f}{alone['p95']:>8.0f}" if alone else " " * 25)
            + "   "
            + (
                f"{crowd['n']:>9}{crowd['p50']:>8.0f}{crowd['p95']:>8.0f}{crowd['p99']:>8.0f}"
                if crowd
                else ""
            )
        )
    lines += [
        "",
        *(f"{name}: {in_words(value)}" for name, value in server.items() if value is not None),
        "",
        f"{sum(result['checks'].values())} checks of {len(result['checks'])} promises",
    ]
    for promise, times in result["broken"].items():
        lines += [
            f"BROKEN {times} of {result['checks'][promise]} times: {promise}",
            *(f"    {case}" for case in result["evidence"][promise]),
        ]
    return "\n".join(lines)


def in_words(value: object) -> str:
    """Return figures in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return str(value)
