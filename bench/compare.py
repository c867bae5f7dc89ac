"""What became slower, and what faster, between two files of figures.

python bench/compare.py OLD NEW [--by 5]

The files are what `bench/run.py --json` or `bench/peers/run.py --json` wrote. A figure has changed
when the runs of both do not overlap and the medians differ by more than so many percent; five times
as many where there was only one run. What is remembered from the making of a kept library ("made")
is not compared. Exit status 1 where something is worse, or not there any more.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

# Where no unit says so: of the figures of bench/peers/run.py, which are better the higher.
HIGHER = ("characters_per_s",)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("old", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("new", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", default=5.0, show_default=True, help="Percent that count as a change.")
def main(old: Path, new: Path, by: float) -> None:
    """Print each figure that is in both files, how it changed, and whether that is worse."""
    before, after = _read(old), _read(new)
    if before["machine"].get("processor") != after["machine"].get("processor"):
        click.echo("The processors differ; so may everything below.", err=True)
    ours, theirs = dict(_figures(before)), dict(_figures(after))
    both = [name for name in ours if name in theirs]
    if not both:
        raise click.ClickException(f"{old} and {new} have no figure in common.")
    worse = 0
    for name in both:
        verdict = _verdict(name, ours[name], theirs[name], by)
        worse += verdict == "worse"
        was = ours[name]["median"]
        change = 100 * (theirs[name]["median"] / was - 1) if was else 0.0
        click.echo(
            f"{name:<62}{ours[name]['median']:>12,.2f}{theirs[name]['median']:>12,.2f}"
            f"{change:>+9.1f} %  {verdict}".rstrip()
        )
    click.echo(f"{worse} of {len(both)} figures are worse.")
    if gone := [name for name in ours if name not in theirs]:
        click.echo(f"Not measured any more: {'; '.join(gone)}.")
    sys.exit(1 if worse or gone else 0)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (UnicodeDecodeError, ValueError) as error:
        raise click.ClickException(f"{path} holds no figures ({error}).") from error
    if not isinstance(found, dict) or not isinstance(found.get("machine"), dict):
        raise click.ClickException(f"{path} holds no figures of bench/run.py.")
    return found


def _figures(result: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every figure with a spread, by the names on the way to it."""
    for key, value in result.items():
        if isinstance(value, dict):
            path = f"{name}: {key}" if name else key
            if isinstance(value.get("median"), int | float):
                yield path.removeprefix("measured: "), value
            elif not key.startswith("made "):
                yield from _figures(value, path)


def _verdict(name: str, old: Mapping[str, Any], new: Mapping[str, Any], by: float) -> str:
    higher = old.get("better") == "higher" or name.rpartition(": ")[2] in HIGHER
    share = by / 100 * (5 if 1 in (old.get("runs"), new.get("runs")) else 1)
    if abs(new["median"] - old["median"]) <= abs(old["median"]) * share:
        return ""
    if new["lowest"] > old["highest"]:
        return "better" if higher else "worse"
    if new["highest"] < old["lowest"]:
        return "worse" if higher else "better"
    return ""


if __name__ == "__main__":
    main()
