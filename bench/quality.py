"""Measures how well questions find their passages and sentences, beside simple baselines.

python bench/quality.py --data DIR [--sets a,b] [--split dev|test|all] [--json [FILE]]
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for python bench/quality.py

from bench import machine, report
from bench.baselines import Baselines, ranking
from bench.data import DataError, Judged, Question, Set, Unit, load_set, relevant_units
from bench.measures import ndcg, recall, reciprocal_rank, success
from bench.options import (
    CORE,
    cached_encoder,
    chosen_sets,
    data_folder,
    data_options,
    sample,
    tell,
    write_figures,
)
from bench.product import Product
from bench.units import numbered, touches, units_of

if TYPE_CHECKING:
    from index.types import Encoder

CUTOFF = 10  # units looked at
DEPTH = 50  # passages the product is asked for; several may count for one unit

Row = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Means over the questions of a set.

    Attributes:
        questions: How many have relevant units: the base of `retrieval`.
        answered: How many have a gold sentence: the base of `sentences`.
        retrieval: nDCG@10, MRR@10 and recall@10 of each system.
        sentences: success@1 and success@3 of each system, and for the quotes of the chat
            how many questions were answered at all.
    """

    documents: int
    units: int
    questions: int
    answered: int
    retrieval: dict[str, Row]
    sentences: dict[str, Row]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--read", is_flag=True, help="Also the order in which answers list passages.")
@data_options
def main(
    read: bool,
    data: Path | None,
    sets: str,
    split: str,
    limit: int | None,
    cache: Path | None,
    json_to: str | None,
) -> None:
    """Measure retrieval and sentence selection on sets in the common format.

    Without --data, the folder is $QUOTH_EVAL_DATA or ../shared/eval beside the repository.
    """
    try:
        folders = chosen_sets(data_folder(data), sets)
        encoder = cached_encoder(cache)
        measured: dict[str, Figures] = {}
        for folder in folders:
            measured.update(_measure_set(load_set(folder), split, limit, encoder, read=read))
    except DataError as error:
        raise click.ClickException(str(error)) from error
    result = {
        "machine": machine.describe(),
        "split": split,
        "limit": limit,
        "model": encoder.name,
        "sets": {name: asdict(figures) for name, figures in measured.items()},
        **_summary(measured),
    }
    if json_to != "-":
        click.echo(report.render(result))
    write_figures(json_to, result)


def _measure_set(
    data: Set, split: str, limit: int | None, encoder: Encoder, *, read: bool
) -> Iterator[tuple[str, Figures]]:
    """Yield the figures of a set, and those of its questions as people rewrote them."""
    found = [
        question
        for question in data.questions
        if split in ("all", question.split) and (question.relevant or question.gold)
    ]
    asked = sample(found, limit)
    if not asked:
        tell(f"{data.name}: no {split} question with something to find")
        return
    tell(f"{data.name}: {len(asked)} questions, {len(data.documents)} documents")
    units = data.units()
    baselines = Baselines(data, units, encoder)
    with Product.build(data, encoder, progress=tell) as product:
        yield data.name, _measure(data, units, asked, _as_asked, baselines, product, read=read)
        if rewritten := [question for question in asked if question.rewrite]:
            figures = _measure(data, units, rewritten, _as_rewritten, baselines, product, read=read)
            yield f"{data.name}, rewritten", figures


def _as_asked(question: Question) -> str:
    return question.text


def _as_rewritten(question: Question) -> str:
    return question.rewrite or question.text


def _measure(
    data: Set,
    units: Sequence[Unit],
    asked: Sequence[Question],
    wording: Callable[[Question], str],
    baselines: Baselines,
    product: Product,
    *,
    read: bool,
) -> Figures:
    places = numbered(units)
    retrieval: dict[str, list[Row]] = defaultdict(list)
    sentences: dict[str, list[Row]] = defaultdict(list)
    for done, question in enumerate(asked, 1):
        found = baselines.ask(wording(question))
        best = product.best_sentences(wording(question), DEPTH)
        rankings = {
            "words": ranking(found.words, CUTOFF),
            "dense": ranking(found.dense, CUTOFF),
            "mix": ranking(found.mix, CUTOFF),
            "product": units_of(best, places),
        }
        if read:
            rankings["product, read"] = units_of(
                product.read_order(wording(question), DEPTH), places
            )
        if grades := relevant_units(question, places):
            for name, order in rankings.items():
                retrieval[name].append(_retrieval_row(order, grades))
        if question.gold:
            sentences["nearest sentence"].append(_sentence_row(found.nearest, question.gold))
            sentences["product"].append(_sentence_row(best, question.gold))
            quotes = product.quotes(wording(question))
            sentences["quotes"].append(
                {**_sentence_row(quotes, question.gold), "answered": float(bool(quotes))}
            )
        if done % 200 == 0:
            tell(f"{data.name}: {done} of {len(asked)} questions asked")
    return Figures(
        documents=len(data.documents),
        units=len(units),
        questions=len(retrieval["words"]),
        answered=len(sentences["product"]),
        retrieval={name: _mean(rows) for name, rows in retrieval.items()},
        sentences={name: _mean(rows) for name, rows in sentences.items()},
    )


def _retrieval_row(order: Sequence[int], grades: dict[int, int]) -> Row:
    return {
        f"nDCG@{CUTOFF}": ndcg(order, grades, CUTOFF),
        f"MRR@{CUTOFF}": reciprocal_rank(order, grades, CUTOFF),
        f"recall@{CUTOFF}": recall(order, grades, CUTOFF),
    }


def _sentence_row(sentences: Sequence[Unit], gold: Sequence[Judged]) -> Row:
    hits = [any(touches(sentence, place) for place in gold) for sentence in sentences]
    return {"success@1": success(hits, 1), "success@3": success(hits, 3)}


def _mean(rows: Sequence[Row]) -> Row:
    return {measure: fmean(row[measure] for row in rows) for measure in rows[0]} if rows else {}


def _summary(measured: dict[str, Figures]) -> dict[str, object]:
    """Return the mean over the core sets that were measured, and how the product fares."""
    core = {name: measured[name].retrieval for name in CORE if name in measured}
    if not core:
        return {}
    measure = f"nDCG@{CUTOFF}"
    systems = next(iter(core.values()))
    mean = {system: _mean([rows[system] for rows in core.values()]) for system in systems}
    differences = {
        name: rows["product"][measure] - rows["mix"][measure] for name, rows in core.items()
    }
    return {
        "mean": {"sets": list(differences), "retrieval": mean},
        "product_minus_mix": {
            "measure": measure,
            "mean": mean["product"][measure] - mean["mix"][measure],
            "lowest": min(differences.values()),
            "sets": differences,
        },
    }


if __name__ == "__main__":
    main()
