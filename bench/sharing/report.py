"""The figures of a run with several servers, and a table of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench import machine
from bench.loading.process import Sample
from bench.loading.report import in_words, spread
from bench.sharing.scene import Outcome

__all__ = ["figures", "printed"]

_MB = 1e6
_UNTIMED = ("warming", "after")
_KINDS = ("question", "question after a change", "open a source", "until an upload is found")


def figures(outcome: Outcome) -> dict[str, Any]:
    """Return the figures of a run, ready for JSON."""
    tally, plan = outcome.tally, outcome.plan
    phases = [phase for phase in _phases(outcome) if phase not in _UNTIMED]
    kinds = sorted({kind for phase, kind in tally.seconds if phase in phases})
    return {
        "machine": machine.describe(),
        "people": plan.people,
        "think": plan.think,
        "seconds": {phase: round(lasted, 1) for phase, lasted in outcome.seconds.items()},
        "answers": tally.answered.total(),
        "changes": {f"{kind} at {at}": n for (kind, at), n in sorted(outcome.changes.items())},
        "changes by server": _by_server(outcome),
        "changes refused": dict(outcome.refusals),
        "refused": {f"{kind}: {status}": n for (kind, status), n in sorted(tally.refused.items())},
        "cut off by the kill": tally.lost,
        "seconds until it answers again": round(outcome.restarted, 1),
        "quotes compared with the store": outcome.quotes,
        "milliseconds": {
            kind: {
                phase: {name: round(value, 1) for name, value in found.items()}
                for phase in phases
                if (found := tally.percentiles(phase, kind))
            }
            for kind in kinds
        },
        "servers": {name: _took(samples) for name, samples in outcome.samples.items()},
        "checks": dict(sorted(tally.checks.items())),
        "broken": dict(tally.broken),
        "evidence": {promise: list(cases) for promise, cases in tally.evidence.items()},
    }


def _phases(outcome: Outcome) -> list[str]:
    """Return the phases in the order in which they came."""
    return list(dict.fromkeys(phase for phase, _ in outcome.tally.seconds))


def _by_server(outcome: Outcome) -> dict[str, int]:
    found: dict[str, int] = {}
    for (_, at), number in sorted(outcome.changes.items()):
        found[at] = found.get(at, 0) + number
    return found


def _took(samples: Sequence[Sample]) -> dict[str, dict[str, float]]:
    whole = [sample.proportional / _MB for sample in samples if sample.proportional]
    return {
        "resident MB": spread([sample.resident / _MB for sample in samples]),
        "with children, proportional MB": spread(whole),
        "threads": spread([sample.threads for sample in samples]),
    }


def printed(result: dict[str, Any]) -> str:
    """Return the figures as people read them."""
    lines = [
        ", ".join(str(value) for value in result["machine"].values()),
        f"{result['people']} people, thinking {result['think']:g} s: {result['answers']} answers; "
        f"seconds: {in_words(result['seconds'])}",
        f"changes at two servers: {in_words(result['changes'])}",
        f"changes refused: {in_words(result['changes refused']) or 'none'}",
        f"asked to come back: {in_words(result['refused']) or 'nobody'}",
        f"killed: {result['cut off by the kill']} requests cut off, answers again after "
        f"{result['seconds until it answers again']} s",
        "",
        f"{'milliseconds':<36}{'':<22}{'n':>7}{'p50':>8}{'p95':>8}{'p99':>8}",
    ]
    for kind in sorted(result["milliseconds"], key=lambda kind: kind not in _KINDS):
        for phase, found in result["milliseconds"][kind].items():
            lines.append(
                f"{kind:<36}{phase:<22}{found['n']:>7}{found['p50']:>8.0f}{found['p95']:>8.0f}"
                f"{found['p99']:>8.0f}"
            )
    lines.append("")
    for name, took in result["servers"].items():
        lines += [f"{name}: {what}: {in_words(value)}" for what, value in took.items()]
    lines += [
        "",
        f"{sum(result['checks'].values())} checks of {len(result['checks'])} promises, "
        f"{result['quotes compared with the store']} quotes compared with the store, "
        f"{sum(result['broken'].values())} broken",
    ]
    for promise, times in result["broken"].items():
        lines += [
            f"BROKEN {times} of {result['checks'][promise]} times: {promise}",
            *(f"    {case}" for case in result["evidence"][promise]),
        ]
    return "\n".join(lines)
