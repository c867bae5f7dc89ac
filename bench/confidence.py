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
from bench.data import Set, load_set

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from index import Library

SETS = "squad2,clapnq,qed"
KEPT = 0.95  # share of the answered questions that must stay answered


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of one question: its features, and whether it is the library's own."""

    features: tuple[float, float]
    confidence: float
    own: bool
    answered: bool  # one of the best three sentences holds the answer


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
    from qa.answer import WEIGHTS, AnswerSettings

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

    from bench.product import added
    from index import Library

    with (
        tempfile.TemporaryDirectory(prefix="quoth-confidence-") as folder,
        Library.open(Path(folder) / "bench.quoth", create=True) as library,
    ):
        click.echo(f"{one.name}: indexing", err=True)
        ids = added(library, one)
        for other in sets:
            questions = [q for q in other.questions if q.split == split and q.gold]
            questions = random.Random(0).sample(questions, min(limit, len(questions)))
            for question in questions:
                gold = [(j.document, j.start, j.end) for j in question.gold]
                yield _ask(library, question.text, ids, gold if other is one else None)


def _ask(
    library: Library,
    question: str,
    ids: dict[str, str],
    gold: Sequence[tuple[str, int | None, int | None]] | None,
) -> Asked:
    from qa import Retriever
    from qa.answer import Chooser, confidence_features, rank_sentences
    from qa.question import Question

    with library.searching() as searcher:
        passages = Retriever(library).search(searcher, question, k=8)
        ranked = rank_sentences(question, passages)
        features = confidence_features(Question.read(question, searcher), ranked)
        confidence = Chooser(searcher).answer(question, question, passages).confidence
    answered = any(
        ids[c.passage.document.path] == document
        and (start is None or end is None or (c.sentence.start < end and start < c.sentence.end))
        for c in ranked[:3]
        for document, start, end in gold or ()
    )
    return Asked(features, confidence, gold is not None, answered)


def measured(asked: Sequence[Asked], least: float) -> dict[str, object]:
    """Return AUROC and refusals of questions from elsewhere, and the calibration error."""
    yes = np.array([a.confidence for a in asked if a.own and a.answered])
    no = np.array([a.confidence for a in asked if not a.own])
    own = [a for a in asked if a.own]
    return {
        "counts": f"{len(yes)} answered of {len(own)} own questions, {len(no)} from elsewhere",
        "AUROC": round(auroc(yes, no), 4),
        f"refused with {KEPT:.0%} kept": round(float((no < np.quantile(yes, 1 - KEPT)).mean()), 3),
        "kept at the threshold in use": round(float((yes >= least).mean()), 3),
        "refused at the threshold in use": round(float((no < least).mean()), 3),
        "calibration error, own questions": round(calibration_error(own), 3),
    }


def auroc(yes: NDArray[np.float64], no: NDArray[np.float64]) -> float:
    """Return how often one of `yes` is above one of `no`; ties count half (Mann and Whitney)."""
    above = (yes[:, None] > no).mean() + (yes[:, None] == no).mean() / 2
    return float(above)


def calibration_error(asked: Sequence[Asked], bins: int = 10) -> float:
    """Return the expected calibration error (Naeini et al., 2015) in bins of equal width."""
    confidence = np.array([a.confidence for a in asked])
    right = np.array([a.answered for a in asked], float)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[place == b].mean() - right[place == b].mean()) * (place == b).sum()
        for b in range(bins)
        if (place == b).any()
    ]
    return float(sum(gaps) / len(asked))


def fitted(asked: Sequence[Asked], penalty: float = 0.1) -> NDArray[np.float64]:
    """Return the weights of 1 and the features: logistic regression by Newton's method."""
    rows = [a for a in asked if not a.own or a.answered]
    x = np.array([(1.0, *a.features) for a in rows])
    y = np.array([a.own for a in rows], float)
    weights = np.zeros(x.shape[1])
    ridge = penalty * np.diag([0.0, *[1.0] * (x.shape[1] - 1)])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weights))
        gradient = x.T @ (y - p) - ridge @ weights
        hessian = (x * (p * (1 - p))[:, None]).T @ x + ridge
        weights += np.linalg.solve(hessian, gradient)
    return weights


if __name__ == "__main__":
    main()
