"""How long a sync takes, and what it embeds: a first one, an unchanged one, one sentence changed.

python bench/sync.py [--files 1000]

The baseline is the first sync, which reads and embeds everything. Files are short Markdown notes
made for the occasion.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for python bench/sync.py

from bench import machine

if TYPE_CHECKING:
    from index import Library

SUBJECTS = ("lift", "roof", "boiler", "garden", "archive", "kitchen", "gate", "pump", "window")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--files", default=1000, show_default=True, help="Files in the folder.")
def main(files: int) -> None:
    """Print seconds and strings embedded of each sync, and the time of a question after it."""
    from index import Library

    click.echo(", ".join(str(value) for value in machine.describe().values()))
    with tempfile.TemporaryDirectory(prefix="quoth-sync-") as place:
        folder = Path(place) / "notes"
        folder.mkdir()
        for number in range(files):
            _write(folder / f"note{number}.md", number, days=number % 90 + 1)
        with Library.open(Path(place) / "notes.quoth", create=True) as library:
            _sync(library, folder, "first")
            _sync(library, folder, "unchanged")
            _write(folder / "note7.md", 7, days=99)
            _sync(library, folder, "one sentence changed")
            _sync(library, folder, "unchanged, every file hashed", full=True)
            _ask(library)
        began = time.perf_counter()
        with Library.open(Path(place) / "notes.quoth") as library:
            library.encoder.encode_query("warm")
            with library.searching():
                click.echo(f"  opened, model loaded: {time.perf_counter() - began:.2f} s")


def _write(path: Path, number: int, *, days: int) -> None:
    subject = SUBJECTS[number % len(SUBJECTS)]
    path.write_text(
        f"# Note {number}\n\nThe {subject} of house {number} was looked at. It is due again in "
        f"{days} days. The next visit is made by company {number % 17}.\n\n"
        f"Costs of up to {number + 20} euros are paid by the owner of house {number}.\n"
    )
    os.utime(path, (1_700_000_000 + days, 1_700_000_000 + days))


def _sync(library: Library, folder: Path, name: str, *, full: bool = False) -> None:
    began = time.perf_counter()
    report = library.sync(folder, full=full)
    click.echo(
        f"  {name}: {time.perf_counter() - began:.2f} s, "
        f"{report.sentences} sentences written, {report.embedded} strings embedded"
    )


def _ask(library: Library) -> None:
    from qa import Chat, Retriever

    questions = [f"When is the {subject} of house {i} due?" for i, subject in enumerate(SUBJECTS)]
    for name, ask in (("retrieve", Retriever(library).retrieve), ("ask", Chat(library).ask)):
        seconds = []
        for question in questions * 3:
            began = time.perf_counter()
            ask(question)
            seconds.append(time.perf_counter() - began)
        click.echo(f"  {name}, median: {1000 * median(seconds):.0f} ms")


if __name__ == "__main__":
    main()
