"""How long an answer takes in a large library, and how much is read for it.

python bench/latency.py [--sentences 100000] [--questions 300]

The library is made of the documents of `bench/corpus.py` and kept in the user's cache: making one
of 100,000 sentences takes some minutes, a second run only asks. Questions are those of the sets
whose documents went in, none asked twice.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, TypeVar

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for python bench/latency.py

from bench import machine
from bench.data import DataError
from bench.kept import kept
from bench.options import json_option, sample, write_figures

if TYPE_CHECKING:
    from index import Library

T = TypeVar("T")

WARM_UP = 5  # questions that are not timed


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--sentences", default=100_000, show_default=True, type=click.IntRange(1), help="At least."
)
@click.option("--questions", default=300, show_default=True, type=click.IntRange(1), help="Asked.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of sets.")
@click.option("--cache", type=click.Path(path_type=Path), help="Folder where libraries are kept.")
@json_option
def main(
    sentences: int, questions: int, data: Path | None, cache: Path | None, json_to: str | None
) -> None:
    """Print the median and the 95th percentile of the time of a search and of an answer.

    Without --data, the folder is $QUOTH_EVAL_DATA or ../shared/eval beside the repository;
    where there is none, the examples.
    """
    from index import Library

    try:
        material = kept(data, sentences, cache)
    except DataError as error:
        raise click.ClickException(str(error)) from error
    chosen = sample(material.questions, questions + WARM_UP)
    with Library.open(material.path, read_only=True) as library:
        status = library.status()
        result = {
            "machine": machine.describe(),
            "sentences": status.sentences,
            "documents": status.documents,
            "questions": len(chosen) - WARM_UP,
            **timed(library, chosen),
        }
    if json_to != "-":
        click.echo(_page(result))
    write_figures(json_to, result)


def timed(library: Library, questions: list[str]) -> dict[str, dict[str, float]]:
    """Return the times of an answer and of a search in milliseconds, and what an answer reads.

    Each question is asked in a chat of its own, and all are answered before any is only searched
    for: an answer has nothing ready that a search left behind.
    """
    from qa import Chat, Retriever
    from qa.reading import was_read

    answers, answering = _timed(lambda question: Chat(library).ask(question), questions)
    _, searching = _timed(Retriever(library).retrieve, questions)
    read = [[each for each in answer.passages if was_read(each)] for answer in answers]
    return {
        "ask": _milliseconds(answering),
        "retrieve": _milliseconds(searching),
        "read": {
            "passages": fmean(len(passages) for passages in read),
            "sentences": fmean(sum(len(each.sentences) for each in passages) for passages in read),
        },
    }


def _timed(ask: Callable[[str], T], questions: list[str]) -> tuple[list[T], list[float]]:
    """Return what came of the questions and how many seconds each took, without the first few."""
    found, seconds = [], []
    for question in questions:
        began = time.perf_counter()
        found.append(ask(question))
        seconds.append(time.perf_counter() - began)
    return found[WARM_UP:], seconds[WARM_UP:]


def _milliseconds(seconds: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(seconds, [50, 95])
    return {"p50": round(1000 * p50, 1), "p95": round(1000 * p95, 1)}


def _page(result: Mapping[str, Any]) -> str:
    lines = [
        ", ".join(str(value) for value in result["machine"].values()),
        f"{result['sentences']:,} sentences in {result['documents']:,} documents, "
        f"{result['questions']} questions",
        *(
            f"  {name:<9} p50 {result[name]['p50']:7.1f} ms   p95 {result[name]['p95']:7.1f} ms"
            for name in ("retrieve", "ask")
        ),
        f"  an answer reads {result['read']['passages']:.1f} passages "
        f"of {result['read']['sentences']:.0f} sentences in the mean",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
