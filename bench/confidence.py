"""How well confidence tells questions that a library answers from questions about something else.

python bench/confidence.py --data DIR --split dev --fit

For each set a library is made of its documents and asked its own questions and those of the
other sets. `--fit` prints the weights of a logistic regression on these questions beside those
in use. The sets are ones whose licences allow a fitted model to be passed on.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for python bench/confidence.py

from bench import machine
from bench.calibration import area, calibration_error
from bench.data import Question, Set, load_set

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from index import Library

SETS = "squad2,clapnq,qed"
ELSEWHERE = 0.2  # of a question from elsewhere, when weights are fitted
KEPT = 0.95  # share of the answered questions that must stay answered


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of one question: its features, and whether it is the library's own."""

    features: tuple[float, ...]
    confidence: float
    own: bool
    answered: bool  # the best sentence holds the answer


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=lambda: Path(os.environ.get("QUOTH_EVAL_DATA", "../shared/eval")),
    help="Folder of sets; default $QUOTH_EVAL_DATA or ../shared/eval.",
)
@click.option("--sets", default=SETS, show_default=True, help="Sets, at least two.")
@click.option("--split", type=click.Choice(["dev", "test"]), default="dev", show_default=True)
@click.option("--limit", default=150, show_default=True, help="Questions a set.")
@click.option("--fit", is_flag=True, help="Also fit the weights anew.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(data: Path, sets: str, split: str, limit: int, fit: bool, as_json: bool) -> None:
    """Measure confidence on questions from elsewhere."""
    from qa.answer import AnswerSettings
    from qa.confidence import WEIGHTS

    loaded = [load_set(data / name) for name in sets.split(",")]
    asked = [a for one in loaded for a in _ask_all(one, loaded, split, limit)]
    least = AnswerSettings().abstain_below
    figures = {**measured(asked, least), "weights": WEIGHTS, "abstain_below": least}
    if fit:
        figures["fitted"] = tuple(round(float(w), 2) for w in fitted(asked))
    if as_json:
        click.echo(json.dumps({"machine": machine.describe(), "split": split, **figures}))
        return
    click.echo(f"{sets}, split {split}: {figures.pop('counts')}")
    for name, value in figures.items():
        click.echo(f"  {name}: {value}")


def _ask_all(one: Set, sets: Sequence[Set], split: str, limit: int) -> Iterator[Asked]:
    import tempfile

    from bench.options import cached_encoder
    from bench.product import added
    from index import Library

    encoder = cached_encoder(None)

    with (
        tempfile.TemporaryDirectory(prefix="quoth-confidence-") as folder,
        Library.open(Path(folder) / "bench.quoth", create=True, encoder=encoder) as library,
    ):
        click.echo(f"{one.name}: indexing", err=True)
        ids = added(library, one)
        for other in sets:
            questions = _questions(other, split, unanswerable=other is one)
            questions = random.Random(0).sample(questions, min(limit, len(questions)))
            for question in questions:
                gold = [(j.document, j.start, j.end) for j in question.gold]
                yield _ask(library, question.text, ids, gold if other is one else None)


def _questions(data: Set, split: str, *, unanswerable: bool) -> list[Question]:
    """Return the questions of a set; of `dev` those that the reader was not trained on."""
    from training.examples import questions_of

    of_split = [q for q in data.questions if q.split == split]
    found = questions_of(data, held_out=True) if split == "dev" else of_split
    return [q for q in found if q.gold or (unanswerable and q.answerable is False)]


def _ask(
    library: Library,
    question: str,
    ids: dict[str, str],
    gold: Sequence[tuple[str, int | None, int | None]] | None,
) -> Asked:
    from qa import Retriever
    from qa.confidence import confidence, confidence_features
    from qa.question import Question as Asking
    from qa.ranking import AnswerSettings, rank_sentences
    from qa.reader import load_reader
    from qa.reading import read_passages

    settings = AnswerSettings()
    with library.searching() as searcher:
        found = Retriever(library).search(searcher, question, k=settings.passages)
        read = read_passages(load_reader(), question, found, settings.read)
        asked = Asking.read(question, searcher)
        ranked = rank_sentences(question, read, settings, whole=asked)
    answered = any(
        ids[c.passage.document.path] == document
        and (start is None or end is None or (c.sentence.start < end and start < c.sentence.end))
        for c in ranked[:1]
        for document, start, end in gold or ()
    )
    own = gold is not None
    return Asked(confidence_features(ranked), confidence(ranked), own, answered)


def measured(asked: Sequence[Asked], least: float) -> dict[str, object]:
    """Return AUROC and refusals of questions from elsewhere, and the calibration error."""
    yes = np.array([a.confidence for a in asked if a.own and a.answered])
    no = np.array([a.confidence for a in asked if not a.own])
    own = [a for a in asked if a.own]
    return {
        "counts": f"{len(yes)} answered of {len(own)} own questions, {len(no)} from elsewhere",
        "AUROC": round(area(yes, no), 4),
        f"refused with {KEPT:.0%} kept": round(float((no < np.quantile(yes, 1 - KEPT)).mean()), 3),
        "kept at the threshold in use": round(float((yes >= least).mean()), 3),
        "refused at the threshold in use": round(float((no < least).mean()), 3),
        "calibration error, own questions": round(
            calibration_error([a.confidence for a in own], [a.answered for a in own]), 3
        ),
    }


def fitted(asked: Sequence[Asked], penalty: float = 0.1) -> NDArray[np.float64]:
    """Return the weights of 1 and the features: logistic regression by Newton's method.

    People mostly ask their own documents, so a question from elsewhere counts less.
    """
    x = np.array([(1.0, *a.features) for a in asked])
    y = np.array([a.answered for a in asked], float)
    counts = np.array([1.0 if a.own else ELSEWHERE for a in asked])
    weights = np.zeros(x.shape[1])
    ridge = penalty * np.diag([0.0, *[1.0] * (x.shape[1] - 1)])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weights))
        gradient = x.T @ (counts * (y - p)) - ridge @ weights
        hessian = (x * (counts * p * (1 - p))[:, None]).T @ x + ridge
        weights += np.linalg.solve(hessian, gradient)
    return weights


if __name__ == "__main__":
    main()
