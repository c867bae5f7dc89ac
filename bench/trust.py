"""What confidence is worth: reliability, and how much can be answered at which accuracy.

A question counts as right if the best quote answers it, whether or not the product shows the
quote; of a question that is known to have no answer nothing is right. Where it is not known
whether there is one, the question is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.calibration import area, calibration_error, coverage_at, reliability
from bench.data import Set
from bench.figures import Table
from bench.said import Judge, Said

__all__ = ["ACCURACIES", "Claim", "claims", "trust_tables"]

ACCURACIES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
ALL = "all sets"


@dataclass(frozen=True, slots=True)
class Claim:
    """How sure the product and the baseline were of a question, and whether they were right."""

    confidence: float
    right: bool
    cosine: float
    nearest_right: bool


def claims(data: Set, said: Sequence[Said]) -> list[Claim]:
    """Return a claim for each question whose answer is judged; none where no answer of a set is."""
    if not any(each.question.gold for each in said):
        return []
    judge = Judge(data)
    return [
        Claim(
            each.confidence,
            judge.right(each.question, each.first),
            each.cosine,
            judge.right(each.question, each.nearest[0]),
        )
        for each in said
        if each.question.gold or each.question.answerable is False
    ]


def trust_tables(by_set: Mapping[str, Sequence[Claim]]) -> Iterator[Table]:
    """Yield a table for each set and for all together, then reliability and coverage of all.

    "right" is the share of right first quotes, "ECE" the calibration error of confidence,
    "AUROC" how well it tells right from wrong ones, "at 0.9" the share of the questions that
    can be answered so that 90 % of these are right. The baseline is the nearest sentence,
    ranked by its cosine.
    """
    named = {name: list(some) for name, some in by_set.items() if some}
    if len(named) > 1:
        named[ALL] = [claim for some in named.values() for claim in some]
    for name, some in named.items():
        yield _summary(name, some)
    if named:
        name, some = list(named.items())[-1]
        yield _reliability(name, some)
        yield _coverage(name, some)


def _summary(name: str, some: Sequence[Claim]) -> Table:
    product = _row([c.confidence for c in some], [c.right for c in some])
    product["ECE"] = calibration_error([c.confidence for c in some], [c.right for c in some])
    nearest = _row([c.cosine for c in some], [c.nearest_right for c in some])
    return Table(
        what="confidence that the first quote answers",
        data=name,
        counts={"questions": len(some)},
        rows={"product": product, "nearest sentence": nearest},
    )


def _row(scores: Sequence[float], right: Sequence[bool]) -> dict[str, float]:
    row = {"right": sum(right) / len(right)}
    yes = [score for score, good in zip(scores, right, strict=True) if good]
    no = [score for score, good in zip(scores, right, strict=True) if not good]
    if yes and no:
        row["AUROC"] = area(yes, no)
    return row | {f"at {a}": coverage_at(scores, right, a).coverage for a in ACCURACIES}


def _reliability(name: str, some: Sequence[Claim]) -> Table:
    bins = reliability([c.confidence for c in some], [c.right for c in some])
    return Table(
        what="reliability of confidence",
        data=name,
        counts={"questions": len(some)},
        rows={
            f"{each.low:.1f} to {each.high:.1f}": {
                "questions": float(each.count),
                "confidence": each.confidence,
                "right": each.right,
            }
            for each in bins
        },
    )


def _coverage(name: str, some: Sequence[Claim]) -> Table:
    rows = {}
    for accuracy in ACCURACIES:
        found = coverage_at([c.confidence for c in some], [c.right for c in some], accuracy)
        rows[f"{accuracy:.0%} right"] = {"coverage": found.coverage} | (
            {} if found.threshold is None else {"from confidence": found.threshold}
        )
    return Table(
        what="coverage for an accuracy",
        data=name,
        counts={"questions": len(some)},
        rows=rows,
    )
