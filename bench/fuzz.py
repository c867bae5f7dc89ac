"""Reads thousands of bad files of all formats, and counts broken promises.

python bench/fuzz.py [--files 10000] [--seed 1] [--minutes M] [--keep FOLDER] [DATA]

Each file is a sound one that was changed: bits, blocks, lengths and words of its format, for DOCX
and PDF also inside the packing. Those of `bench/fuzzing/special.py` (bombs, circles, nesting) come
first. A process that is watched reads every file, checks the document (its text, spans, pages,
sentences and passages), and syncs a folder of them into a library. Only the embedding model is
left out: vectors are hashes, since the model sees sentences and no files.

What is promised: the process never ends, no file takes longer than its limit, no process takes
more memory than the ceiling, every file is in the report, indexed or with a reason of one clause,
and reading a file again gives the same text. Exit status 1 if one of these is broken.

The same seed gives the same files; DATA adds more sound ones to begin with.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for python bench/fuzz.py

from bench import machine
from bench.fuzzing.check import class_of
from bench.fuzzing.mutate import Mutant, mutant
from bench.fuzzing.seeds import Seed, seeds
from bench.fuzzing.special import specials
from bench.fuzzing.watch import Batch, Outcome, run_batch
from bench.options import json_option, tell, write_figures
from index.formats import Limits, format_of

_BATCH = 200
_MB = 2**20
_SHOWN = 8


@dataclass(slots=True)
class Result:
    """The outcomes of all batches, with the mutants that they are of by name."""

    mutants: dict[str, Mutant] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    own_mb: int = 0
    parsers_mb: int = 0

    def add(self, made: dict[str, Mutant], batch: Batch) -> None:
        """Take in a batch; of its mutants only those are kept that may be written out."""
        self.outcomes += batch.outcomes
        self.breaches += batch.breaches
        self.own_mb = max(self.own_mb, batch.own_mb)
        self.parsers_mb = max(self.parsers_mb, batch.parsers_mb)
        for outcome in batch.outcomes:
            self.breaches += [f"{outcome.name}: {breach}" for breach in outcome.breaches]
        missing = made.keys() - {outcome.name for outcome in batch.outcomes}
        self.breaches += [f"{name}: nothing became of it" for name in sorted(missing)]
        for name, each in made.items():
            # The bytes are made again where they are needed.
            self.mutants[name] = Mutant(each.format, each.suffix, b"", each.made_by)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument(
    "data", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--files", default=10_000, show_default=True, help="Mutants to read.")
@click.option("--seed", default=1, show_default=True, help="Another one gives other mutants.")
@click.option("--first", default=0, show_default=True, help="Number of the first mutant.")
@click.option("--minutes", type=float, help="Begin no batch after so many minutes.")
@click.option("--keep", type=click.Path(path_type=Path), help="Folder for files with breaches.")
@click.option("--workers", default=2, show_default=True, help="Processes that read at a time.")
@click.option("--special/--no-special", default=True, help="Read the files made by hand too.")
@click.option(
    "--own-mb", default=1024, show_default=True, help="Memory that the process itself may take."
)
@json_option
def main(
    data: Path | None,
    files: int,
    seed: int,
    first: int,
    minutes: float | None,
    keep: Path | None,
    workers: int,
    special: bool,
    own_mb: int,
    json_to: str | None,
) -> None:
    """Read mutants of the example documents, of files made here, and of those in DATA."""
    sound = seeds(data)
    began = time.monotonic()
    result = Result()
    with (
        tempfile.TemporaryDirectory(prefix="quoth-fuzz-") as place,
        ThreadPoolExecutor(workers) as pool,
    ):

        def run(numbered: tuple[int, dict[str, Mutant]]) -> tuple[dict[str, Mutant], Batch | None]:
            if minutes is not None and time.monotonic() - began > 60 * minutes:
                return {}, None
            number, made = numbered
            return made, _run(Path(place) / f"{number}", made)

        for made, batch in pool.map(run, enumerate(_batches(sound, seed, first, files, special))):
            if batch is not None:
                result.add(made, batch)
                if keep is not None:
                    for outcome in batch.outcomes:
                        if outcome.breaches:
                            _keep(keep, outcome.name, made[outcome.name])
                tell(f"{len(result.outcomes):,} files, {len(result.breaches)} breaches")
    ceiling = Limits().memory // _MB
    if result.own_mb > own_mb:
        result.breaches.append(f"the process itself took {result.own_mb} MB, more than {own_mb}")
    if result.parsers_mb > ceiling:
        result.breaches.append(f"a parser took {result.parsers_mb} MB, more than {ceiling}")
    figures = _figures(result, time.monotonic() - began, seed)
    if json_to != "-":
        _show(figures)
    write_figures(json_to, figures)
    sys.exit(1 if result.breaches else 0)


def _batches(
    sound: Sequence[Seed], seed: int, first: int, files: int, special: bool
) -> Iterator[dict[str, Mutant]]:
    if special:
        yield {
            each.file: Mutant(_format(each.file), "", each.data(), each.name) for each in specials()
        }
    for start in range(first, first + files, _BATCH):
        numbers = range(start, min(start + _BATCH, first + files))
        made = {number: mutant(sound, number, seed) for number in numbers}
        yield {f"{number:06}{each.suffix}": each for number, each in made.items()}


def _format(name: str) -> str:
    found = format_of(Path(name))
    assert found is not None
    return found.name


def _run(place: Path, made: dict[str, Mutant]) -> Batch:
    folder = place / "files"
    folder.mkdir(parents=True)
    for name, each in made.items():
        (folder / name).write_bytes(each.data)
    limits = Limits()
    # Twice what a parser is given by the clock, then it is no parser that hangs.
    patience = 2.0 * limits.wall_seconds
    try:
        return run_batch(
            folder, place / "library.quoth", patience=patience, sync_patience=10 * patience
        )
    finally:
        shutil.rmtree(place)


def _keep(folder: Path, name: str, made: Mutant) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(made.data)


def _figures(result: Result, seconds: float, seed: int) -> dict[str, object]:
    formats: dict[str, Counter[str]] = {}
    reasons: Counter[tuple[str, str]] = Counter()
    unforeseen: Counter[str] = Counter()
    for outcome in result.outcomes:
        form = result.mutants[outcome.name].format
        counts = formats.setdefault(form, Counter())
        kind = "refused" if outcome.reason is not None else "indexed"
        counts.update(("files", kind))
        counts["with warning"] += bool(outcome.warnings)
        if outcome.reason is not None:
            reasons[form, class_of(outcome.reason)] += 1
        if outcome.reason is not None and outcome.reason.startswith("damaged, or not a"):
            unforeseen[f"{form}: {outcome.cause}"] += 1
    slowest = sorted(result.outcomes, key=lambda each: -each.seconds)[:_SHOWN]
    largest = sorted(result.outcomes, key=lambda each: -each.parser_mb)[:_SHOWN]

    def told(outcome: Outcome) -> str:
        return f"{outcome.name} ({result.mutants[outcome.name].made_by})"

    return {
        "machine": machine.describe(),
        "seed": seed,
        "files": len(result.outcomes),
        "seconds": round(seconds, 1),
        "formats": {form: dict(counts) for form, counts in sorted(formats.items())},
        "reasons": [[form, reason, n] for (form, reason), n in reasons.most_common()],
        "unforeseen": dict(unforeseen.most_common()),
        "slowest": [[round(each.seconds, 2), told(each), each.reason] for each in slowest],
        "largest_parsers_mb": [[each.parser_mb, told(each), each.reason] for each in largest],
        "own_mb": result.own_mb,
        "parsers_mb": result.parsers_mb,
        "crashes": sum("ended the process" in breach for breach in result.breaches),
        "hangs": sum("hung:" in breach for breach in result.breaches),
        "breaches": result.breaches,
    }


def _show(figures: dict[str, object]) -> None:
    described = machine.describe()
    click.echo(", ".join(str(value) for value in described.values()))
    click.echo(f"seed {figures['seed']}: {figures['files']} files in {figures['seconds']} s")
    click.echo(f"\n{'format':10} {'files':>7} {'indexed':>8} {'refused':>8} {'warned':>7}")
    formats = figures["formats"]
    assert isinstance(formats, dict)
    for form, counts in formats.items():
        columns = [counts.get(key, 0) for key in ("files", "indexed", "refused", "with warning")]
        click.echo("{:10} {:>7} {:>8} {:>8} {:>7}".format(form, *columns))
    for title, key in (
        ("refused because", "reasons"),
        ("slowest, in s", "slowest"),
        ("most memory of a parser, as seen, in MB", "largest_parsers_mb"),
    ):
        click.echo(f"\n{title}")
        rows = figures[key]
        assert isinstance(rows, list)
        for row in rows:
            click.echo("  " + "  ".join(str(value) for value in row if value is not None))
    unforeseen = figures["unforeseen"]
    assert isinstance(unforeseen, dict)
    if unforeseen:
        click.echo("\nerrors of parsers that nobody foresaw, reported as damaged")
        for cause, count in unforeseen.items():
            click.echo(f"  {count:5}  {cause}")
    click.echo(
        f"\nmost memory: {figures['own_mb']} MB the process itself, "
        f"{figures['parsers_mb']} MB a parser"
    )
    click.echo(f"crashes {figures['crashes']}, hangs {figures['hangs']}")
    breaches = figures["breaches"]
    assert isinstance(breaches, list)
    click.echo(f"broken promises: {len(breaches)}")
    for breach in breaches:
        click.echo(f"  {breach}")


if __name__ == "__main__":
    main()
