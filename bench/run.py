"""All speeds in one table: medians of several runs, each in a process of its own.

python bench/run.py [--runs 3] [--only index,ask] [--large] [--json FILE]

Runs of all measurements take turns, so that a machine that slows down slows all of them. Libraries
to ask are made at the first run and kept in the user's cache. `bench/compare.py OLD NEW` tells
what became slower between two files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for python bench/run.py

from bench import machine
from bench.options import json_option, tell, write_figures
from bench.speed.figure import Figure, merged
from bench.speed.tasks import HALF, TASKS, Task

ROOT = Path(__file__).resolve().parents[1]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1), help="Of each.")
@click.option("--only", default="", help="What the names begin with, separated by semicolons.")
@click.option("--large", is_flag=True, help="With a million sentences: an hour the first time.")
@json_option
def main(runs: int, only: str, *, large: bool, json_to: str | None) -> None:
    """Print medians, lowest and highest values of what is measured."""
    chosen = _chosen([name.strip() for name in only.split(";") if name.strip()], large=large)
    found: dict[str, list[list[Figure]]] = {name: [] for name in chosen}
    failed = set()
    for turn in range(runs):
        for name, task in chosen.items():
            if turn and task.once:
                continue
            tell(f"run {turn + 1} of {runs}: {name}")
            figures = _measured(name, task)
            if figures is None:
                failed.add(name)
            else:
                found[name].append(figures)
    result = {
        "machine": machine.describe(),
        "measured": {name: merged(figures) for name, figures in found.items() if figures},
    }
    if json_to != "-":
        click.echo("\n".join(_lines(result)))
    write_figures(json_to, result)
    if failed:
        raise click.ClickException(f"{', '.join(sorted(failed))} failed, as stands above.")


def _chosen(beginnings: list[str], *, large: bool) -> dict[str, Task]:
    chosen = {
        name: task
        for name, task in TASKS.items()
        if (large or not task.large)
        and (not beginnings or any(name.startswith(some) for some in beginnings))
    }
    if find_spec("openvino") is None:
        for name in [name for name, task in chosen.items() if task.environment == HALF]:
            tell(f"{name} is left out: pip install 'quoth[half]'")
            del chosen[name]
    if not chosen:
        raise click.ClickException(f"There is nothing to measure; there are {'; '.join(TASKS)}.")
    return chosen


def _measured(name: str, task: Task) -> list[Figure] | None:
    """Return the figures of one run; None where it failed, which it says itself."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.speed", name],
        cwd=ROOT,
        env=os.environ | task.environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        return None
    return [Figure(**figure) for figure in json.loads(done.stdout.strip().rpartition("\n")[2])]


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    yield ", ".join(str(value) for value in result["machine"].values())
    for name, figures in result["measured"].items():
        yield name
        for figure, row in figures.items():
            spread = f"{_number(row['lowest'])} to {_number(row['highest'])}"
            runs = f"{row['runs']} runs" if row["runs"] > 1 else "1 run"
            yield (
                f"  {figure:<34}{_number(row['median']):>12} {row['unit']:<18}"
                f"{spread if row['runs'] > 1 else '':<22}{runs}"
            )


def _number(value: float) -> str:
    """Return a number with about three digits that count."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


if __name__ == "__main__":
    main()
