"""How far a sync is, on stderr: a bar in a terminal, a line now and then when piped."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa.visible import one_line

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

    from index.library import Library
    from index.reports import Progress, SyncReport

__all__ = ["SECONDS_BETWEEN_LINES", "shown_progress", "sync_with_progress"]

SECONDS_BETWEEN_LINES = 5.0


def sync_with_progress(
    library: Library,
    source: Path,
    *,
    dry_run: bool = False,
    full: bool = False,
    yes: bool = False,
    ray: str | None = None,
) -> SyncReport:
    """Bring `library` in step with `source` and show on stderr how far it is.

    Raises what `Library.sync` raises.
    """
    with shown_progress() as show:
        return library.sync(source, progress=show, dry_run=dry_run, full=full, yes=yes, ray=ray)


@contextmanager
def shown_progress() -> Iterator[Callable[[Progress], None]]:
    """Yield a function that shows the progress it is given, until the block ends."""
    if sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _lines()


def _lines() -> Callable[[Progress], None]:
    # The first line comes after a while: what is quick needs none.
    last = 0.0

    def show(progress: Progress) -> None:
        nonlocal last
        if progress.seconds - last >= SECONDS_BETWEEN_LINES:
            last = progress.seconds
            click.echo(
                f"{progress.files_done} of {progress.files} files, {_pace(progress)}", err=True
            )

    return show


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    # File names come from outside: no column reads them as markup.
    columns: tuple[ProgressColumn, ...] = (
        BarColumn(bar_width=24),
        TextColumn("{task.fields[count]}", markup=False),
        TextColumn("{task.fields[pace]}", markup=False, style="dim"),
        TextColumn("{task.fields[path]}", markup=False, style="dim"),
    )
    with Bar(*columns, console=Console(stderr=True, highlight=False), transient=True) as bar:
        task = bar.add_task("", total=None, count="looking", pace="", path="")

        def show(progress: Progress) -> None:
            bar.update(
                task,
                total=progress.files,
                completed=progress.files_done,
                count=f"{progress.files_done}/{progress.files} files",
                pace=_pace(progress),
                path=_short(progress.path),
            )

        yield show


def _pace(progress: Progress) -> str:
    parts = [f"{progress.sentences} sentences"]
    if progress.sentences:
        parts.append(f"{progress.sentences_per_second:.0f} a second")
    left = progress.seconds_left
    if left is not None and progress.files_done < progress.files:
        parts.append(f"{_duration(left)} left")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _short(path: str, width: int = 32) -> str:
    name = one_line(path)
    return name if len(name) <= width else "…" + name[1 - width :]
