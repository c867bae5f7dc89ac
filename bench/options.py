"""What the commands share: which data, which questions, where vectors and figures go."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from bench.data import DataError, find_sets
from bench.vectors import CachedEncoder

__all__ = [
    "CORE",
    "cache_folder",
    "cached_encoder",
    "chosen_sets",
    "data_folder",
    "data_options",
    "json_option",
    "sample",
    "tell",
    "write_figures",
]

T = TypeVar("T")
Command = TypeVar("Command", bound=Callable[..., Any])

ROOT = Path(__file__).resolve().parents[1]
CORE = ("manual-tv", "xquad-en", "squad2", "inscit", "rgb-news")


json_option = click.option(
    "--json",
    "json_to",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="Write the figures as JSON to FILE too; without FILE print nothing but JSON.",
)


def data_options(command: Command) -> Command:
    """Give a command --data, --sets, --split, --limit, --cache and --json."""
    folder = click.Path(path_type=Path)
    for option in (
        json_option,
        click.option("--cache", type=folder, help="Folder where vectors are kept."),
        click.option(
            "--limit", type=click.IntRange(1), help="Questions a set, spread evenly over it."
        ),
        click.option(
            "--split",
            type=click.Choice(["dev", "test", "all"]),
            default="dev",
            show_default=True,
            help="Which questions.",
        ),
        click.option(
            "--sets", default="", help="Names of sets, separated by commas; 'core' for five."
        ),
        click.option("--data", type=folder, help="Folder of a set, or of sets."),
    ):
        command = option(command)
    return command


def data_folder(given: Path | None) -> Path:
    """Return the folder of sets: `given`, else $QUOTH_EVAL_DATA, else ../shared/eval."""
    return given or Path(os.environ.get("QUOTH_EVAL_DATA") or ROOT.parent / "shared" / "eval")


def cache_folder() -> Path:
    """Return where vectors and libraries are kept from one run to the next."""
    from platformdirs import user_cache_path

    return user_cache_path("quoth") / "bench"


def chosen_sets(folder: Path, names: str) -> list[Path]:
    """Return the folders of the sets with these names, separated by commas; of all without.

    Raises:
        DataError: There is no such folder or set.
    """
    found = {path.resolve().name: path for path in find_sets(folder)}
    wanted = CORE if names == "core" else tuple(filter(None, names.split(",")))
    if missing := [name for name in wanted if name not in found]:
        raise DataError(
            f"{folder} has no set called {', '.join(missing)}; it has {', '.join(found)}."
        )
    return [found[name] for name in wanted] or list(found.values())


def cached_encoder(folder: Path | None) -> CachedEncoder:
    """Return the default model, with its vectors kept in `folder` or the user's cache."""
    from index.encoder import load_encoder
    from index.types import PartEncoder

    def progress(done: int, total: int) -> None:
        tell(f"encoded {done:,} of {total:,} texts")

    encoder = load_encoder()
    if not isinstance(encoder, PartEncoder):
        raise click.ClickException("The lean runtime is not used; quoth doctor says why.")
    return CachedEncoder(encoder, folder or cache_folder(), progress)


def sample(items: Sequence[T], limit: int | None) -> list[T]:
    """Return `limit` of the items, spread evenly, always the same; all where there are fewer."""
    if limit is None or limit >= len(items):
        return list(items)
    return [items[number * len(items) // limit] for number in range(limit)]


def write_figures(json_to: str | None, result: Mapping[str, object]) -> None:
    """Write figures as --json asked for: to stdout, to a file, or not at all.

    Raises:
        click.ClickException: The file cannot be written.
    """
    if json_to is None:
        return
    figures = json.dumps(result, indent=2)
    if json_to == "-":
        click.echo(figures)
        return
    try:
        Path(json_to).write_text(figures + "\n", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{json_to} cannot be written: {error}") from error


def tell(message: str) -> None:
    """Say on stderr how far it is."""
    click.echo(message, err=True)
