"""The figures as a page of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["render"]

MEASURES = ("nDCG@10", "MRR@10", "recall@10", "success@1", "success@3", "answered")


def render(result: Mapping[str, Any]) -> str:
    """Return the figures of `bench/quality.py`, one table a set, for people to read."""
    lines = [_head(result)]
    for name, figures in result["sets"].items():
        lines += ["", _title(name, figures), *_table(figures["retrieval"], figures["sentences"])]
    if "mean" in result:
        mean = result["mean"]
        lines += ["", f"mean of {', '.join(mean['sets'])}", *_table(mean["retrieval"], {})]
        lines += ["", *_comparison(result["product_minus_mix"])]
    return "\n".join(lines)


def _head(result: Mapping[str, Any]) -> str:
    machine = dict(result["machine"])
    where = f"{machine.pop('processor')}, {machine.pop('cores')} cores, {machine.pop('date')}"
    versions = ", ".join(f"{name} {version}" for name, version in machine.items())
    limit = f", {result['limit']} questions a set" if result["limit"] else ""
    return f"{where}\n{versions}\nmodel {result['model']}, split {result['split']}{limit}"


def _title(name: str, figures: Mapping[str, Any]) -> str:
    counts = [
        f"{figures['questions']} questions with relevant units",
        f"{figures['answered']} with an answer sentence",
        f"{figures['units']} units in {figures['documents']} documents",
    ]
    return f"{name}: {', '.join(counts)}"


def _table(
    retrieval: Mapping[str, Mapping[str, float]], sentences: Mapping[str, Mapping[str, float]]
) -> list[str]:
    columns = [
        measure
        for measure in MEASURES
        if any(measure in row for table in (retrieval, sentences) for row in table.values())
    ]
    lines = [" " * 18 + "".join(f"{measure:>11}" for measure in columns)]
    for system in dict.fromkeys([*retrieval, *sentences]):
        row = {**retrieval.get(system, {}), **sentences.get(system, {})}
        cells = (f"{row[measure]:.3f}" if measure in row else "-" for measure in columns)
        lines.append(f"  {system:<16}" + "".join(f"{cell:>11}" for cell in cells))
    return lines


def _comparison(difference: Mapping[str, Any]) -> list[str]:
    sets = ", ".join(f"{name} {value:+.3f}" for name, value in difference["sets"].items())
    return [
        f"product - mix, {difference['measure']}: {sets}",
        f"  mean {difference['mean']:+.3f} (accepted from -0.010), "
        f"lowest {difference['lowest']:+.3f} (accepted from -0.030)",
    ]
