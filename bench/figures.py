"""Tables of figures: means over questions for each system, and what differences are worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from bench.chance import Interval, mean_difference

__all__ = ["Difference", "Table", "Values", "compared", "means", "render_table"]

Values = Mapping[str, Sequence[float]]
"""What one system got: by measure, a value for each question."""

PLACES = {"quotes": 1, "words": 1, "questions": 0}  # not shares: shown with fewer than three


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far a system is above its baseline, with the 95 % interval of a paired bootstrap."""

    measure: str
    system: str
    baseline: str
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Figures of one kind on one set.

    Attributes:
        what: The kind, such as "closed spans".
        data: Name of the set, or of a part of it.
        counts: How many questions of which sort.
        rows: By system, its measures.
        differences: Of the system against its baselines.
    """

    what: str
    data: str
    counts: Mapping[str, int]
    rows: Mapping[str, Mapping[str, float]]
    differences: Sequence[Difference] = ()


def means(values: Mapping[str, Values]) -> dict[str, dict[str, float]]:
    """Return the mean of each measure of each system; measures without values are left out."""
    return {
        system: {measure: fmean(each) for measure, each in of_system.items() if each}
        for system, of_system in values.items()
    }


def compared(
    values: Mapping[str, Values],
    measures: Iterable[str],
    pairs: Iterable[tuple[str, str]],
) -> list[Difference]:
    """Return the differences between pairs of systems that were asked the same questions.

    Args:
        values: The values of each system.
        measures: Which of them to compare.
        pairs: A system and its baseline.
    """
    return [
        Difference(
            measure=measure,
            system=system,
            baseline=baseline,
            interval=mean_difference(values[system][measure], values[baseline][measure]),
        )
        for system, baseline in pairs
        if system in values and baseline in values
        for measure in measures
        if values[system].get(measure) and values[baseline].get(measure)
    ]


def render_table(table: Table) -> list[str]:
    """Return the lines of a table for people."""
    counts = ", ".join(f"{count:,} {name}" for name, count in table.counts.items())
    columns = list(dict.fromkeys(name for row in table.rows.values() for name in row))
    widths = [max(9, len(name) + 2) for name in columns]
    first = max(len(system) for system in table.rows) + 4
    lines = [
        f"{table.data}, {table.what}: {counts}",
        " " * first
        + "".join(f"{name:>{width}}" for name, width in zip(columns, widths, strict=True)),
    ]
    for system, row in table.rows.items():
        cells = (
            f"{_shown(name, row.get(name)):>{width}}"
            for name, width in zip(columns, widths, strict=True)
        )
        lines.append(f"  {system:<{first - 2}}" + "".join(cells))
    for each in table.differences:
        found = each.interval
        lines.append(
            f"  {each.measure}: {each.system} - {each.baseline} {found.difference:+.3f} "
            f"[{found.low:+.3f}, {found.high:+.3f}]"
        )
    return lines


def _shown(measure: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.{PLACES.get(measure, 3)}f}"
