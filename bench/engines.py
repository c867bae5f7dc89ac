"""The same library on one machine, in PostgreSQL, and in Milvus: what each costs.

python bench/engines.py [--sentences 10000] [--postgres URL] [--milvus URL] [--json FILE]

A library is copied to each place with `quoth copy`, opened in a process of its own from an empty
home, asked, and changed. The baseline is its folder. Servers that are not given are started on
this machine: Debian's PostgreSQL, and Milvus Lite, which is no measure of a Milvus cluster.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for python bench/engines.py

from bench import machine
from bench.kept import kept
from bench.latency import WARM_UP, timed
from bench.options import json_option, sample, tell, write_figures
from bench.speed.figure import Figure, current_mb, merged
from bench.started import NotInstalledError, milvus, postgres

ROOT = Path(__file__).resolve().parents[1]
TIMES = 5
TEN = 10


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--sentences", default=10_000, show_default=True, type=click.IntRange(1))
@click.option("--postgres", "database", metavar="URL", help="An empty database.")
@click.option("--milvus", "engine", metavar="URL", help="Such as milvus+http://host:19530/NAME.")
@json_option
def main(sentences: int, database: str | None, engine: str | None, json_to: str | None) -> None:
    """Print times, memory and space of one library on every engine."""
    found = kept(None, sentences)
    result: dict[str, Any]
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="quoth-bench-") as place:
        try:
            places = _places(stack, Path(place), database, engine)
        except NotInstalledError as error:
            raise click.ClickException(str(error)) from error
        result = {
            "machine": machine.describe(),
            "measured": {
                name: merged([_measured(name, str(found.path), to, sentences, Path(place))])
                for name, to in places.items()
            },
        }
    if json_to != "-":
        for name, figures in result["measured"].items():
            click.echo(name)
            for figure, row in figures.items():
                click.echo(f"  {figure:<42}{row['median']:>12,.2f} {row['unit']}")
    write_figures(json_to, result)


def _places(
    stack: ExitStack, place: Path, database: str | None, engine: str | None
) -> dict[str, str]:
    if database is None:
        server = stack.enter_context(postgres(shared_buffers="512MB"))
        databases = server.database(), server.database()
    else:
        mark = "&" if "?" in database else "?"
        databases = database, f"{database}{mark}schema=with_milvus"
    if engine is None:
        engine = f"{stack.enter_context(milvus(place / 'milvus')).address}/bench"
    return {
        "a folder": str(place / "copy.quoth"),
        "PostgreSQL": databases[0],
        "PostgreSQL and Milvus": f"{engine}?store={databases[1]}",
    }


def _measured(name: str, source: str, to: str, sentences: int, place: Path) -> list[Figure]:
    """Copy the library, and measure it in a process of its own."""
    from index import copy_library

    tell(f"{name}: copying")
    home = place / f"home of {name}"
    before = os.environ.get("QUOTH_HOME")
    os.environ["QUOTH_HOME"] = str(place / f"writer of {name}")
    began = time.perf_counter()
    try:
        copy_library(source, to)
    finally:
        os.environ.pop("QUOTH_HOME")
        if before is not None:
            os.environ["QUOTH_HOME"] = before
    copied = Figure("copied", time.perf_counter() - began, "s")
    tell(f"{name}: asking")
    done = subprocess.run(
        [sys.executable, __file__, "--", "one", to, str(sentences)],
        cwd=ROOT,
        env=os.environ | {"QUOTH_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures = [Figure(**figure) for figure in json.loads(done.stdout.strip().rpartition("\n")[2])]
    return [copied, *figures]


def one(to: str, sentences: int) -> Iterator[Figure]:
    """Yield what is measured in a process that opens the library for the first time."""
    from index import Library
    from index.files import bytes_in
    from qa import Retriever

    found = kept(None, sentences)
    questions = sample(found.questions, 100 + WARM_UP)
    with Library.open(found.path, read_only=True) as library:
        searched = Retriever(library)
        expected = [_passages(searched, question) for question in questions[:50]]
    began = time.perf_counter()
    with Library.open(to) as library:
        Retriever(library).retrieve(questions[0])
        yield Figure("opened from an empty home, first passages", time.perf_counter() - began, "s")
    began = time.perf_counter()
    with Library.open(to) as library:
        retriever = Retriever(library)
        retriever.retrieve(questions[0])
        yield Figure("opened again, first passages", time.perf_counter() - began, "s")
        times = timed(library, questions)
        for key, what in (("retrieve", "retrieve"), ("ask", "answer")):
            yield Figure(f"{what}, p50", times[key]["p50"], "ms")
            yield Figure(f"{what}, p95", times[key]["p95"], "ms")
        same = [_passages(retriever, question) for question in questions[:50]]
        shared = sum(len(set(a) & set(b)) for a, b in zip(expected, same, strict=True))
        yield Figure("of the folder's best ten", shared / sum(map(len, expected)), "share")
        added, removed = [], []
        for number in range(TIMES):
            question = f"Where is the zorblat of house {number} kept?"
            began = time.perf_counter()
            library.add(
                f"The zorblat of house {number} is kept in cellar {number}.", name=f"note {number}"
            )
            assert retriever.retrieve(question)[0].document.path == f"note {number}"
            added.append(time.perf_counter() - began)
            began = time.perf_counter()
            library.remove(f"note {number}")
            assert all(p.document.path != f"note {number}" for p in retriever.retrieve(question))
            removed.append(time.perf_counter() - began)
        yield Figure("one more text until it is found", median(added), "s")
        yield Figure("a text removed until it is gone", median(removed), "s")
        yield Figure("memory of the process", current_mb(), "MB")
        count = library.status().sentences
        yield Figure("files on this machine", bytes_in(library.path) / count, "bytes/sentence")
        elsewhere = library._store.bytes_elsewhere
        yield Figure("in the database", elsewhere / count, "bytes/sentence")


def _passages(retriever: object, question: str) -> list[tuple[str, int]]:
    from qa import Retriever

    assert isinstance(retriever, Retriever)
    found = retriever.retrieve(question, k=TEN)
    return [(passage.document.path, passage.citation.start) for passage in found]


if __name__ == "__main__":
    if sys.argv[1:3] == ["--", "one"]:
        from dataclasses import asdict

        figures = [asdict(figure) for figure in one(sys.argv[3], int(sys.argv[4]))]
        sys.stdout.write("\n" + json.dumps(figures) + "\n")
    else:
        main()
