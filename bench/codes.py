"""Exact vectors or codes of them, by size: what `index.vectors` chooses between.

python bench/codes.py [--sizes 10000,50000,100000] [--questions 100]

Libraries are those of `bench/run.py`, copied and their base written anew in each kind. Proposed is
the share of the passages which the exact search proposes that are proposed too.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for python bench/codes.py

from bench import machine
from bench.kept import Kept, kept
from bench.options import sample
from index import Library, vectors
from qa import Retriever

WARM_UP = 5  # questions that are not timed
PROPOSED = 50  # as `qa.retriever` asks for


class Kind(NamedTuple):
    """How vectors are held: exact, or a code for so many dimensions, so many times compared."""

    name: str
    exact: bool
    dimensions: int = 2
    compared: int = 4


KINDS = (
    Kind("half precision", True),
    *(
        Kind(f"a code for {dimensions}, {compared} times", False, dimensions, compared)
        for dimensions in (4, 3, 2)
        for compared in (4, 8)
    ),
)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--sizes", default="10000,50000,100000", show_default=True)
@click.option("--questions", default=100, show_default=True, type=click.IntRange(10))
def main(sizes: str, questions: int) -> None:
    """Print size of the base, times of a search and a retrieval, and what is proposed."""
    click.echo(", ".join(str(value) for value in machine.describe().values()))
    for size in map(int, sizes.split(",")):
        for line in _lines(kept(None, size), questions):
            click.echo(line)


def _lines(found: Kept, questions: int) -> Iterator[str]:
    asked = sample(found.questions, questions + WARM_UP)
    yield f"{found.made['sentences']:,.0f} sentences"
    yield f"  {'':<26}{'base MB':>8}{'nearest ms':>12}{'retrieve p50, p95 ms':>22}{'proposed':>10}"
    with tempfile.TemporaryDirectory(prefix="quoth-bench-") as place:
        path = shutil.copytree(found.path, Path(place) / "l.quoth")
        right: list[frozenset[int]] = []
        for kind in KINDS:
            _choose(kind)
            with Library.open(path) as library:
                library.rebuild()
            with Library.open(path, read_only=True) as library:
                near, proposed = _nearest(library, asked)
                times = _times(library, asked)
            right = right or proposed
            share = np.mean([len(a & b) / len(b) for a, b in zip(proposed, right, strict=True)])
            base = sum(file.stat().st_size for file in path.glob("vectors-*")) / 1e6
            p50, p95 = 1000 * np.percentile(times, [50, 95])
            yield f"  {kind.name:<26}{base:>8.1f}{near:>12.1f}{p50:>15.1f}{p95:>7.1f}{share:>10.4f}"


def _choose(kind: Kind) -> None:
    vectors.LARGEST_EXACT = sys.maxsize if kind.exact else 0
    vectors.DIMENSIONS, vectors.COMPARED = kind.dimensions, kind.compared


def _nearest(library: Library, asked: list[str]) -> tuple[float, list[frozenset[int]]]:
    """Return the median milliseconds of a search, and the passages that each proposes."""
    seconds, proposed = [], []
    for question in asked:
        query = library.encoder.encode_query(question)
        with library.searching() as searcher:
            began = time.perf_counter()
            found = searcher.nearest(query, PROPOSED, None)
            seconds.append(time.perf_counter() - began)
        proposed.append(frozenset(found))
    return 1000 * float(np.median(seconds[WARM_UP:])), proposed


def _times(library: Library, asked: list[str]) -> list[float]:
    retriever, seconds = Retriever(library), []
    for question in asked:
        began = time.perf_counter()
        retriever.retrieve(question)
        seconds.append(time.perf_counter() - began)
    return seconds[WARM_UP:]


if __name__ == "__main__":
    main()
