"""Measures how well questions find their passages and sentences, beside simple baselines.

python bench/quality.py --data DIR [--sets a,b] [--split dev|test|all] [--json]
"""

from __future__ import annotations

import json
import os
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
from bench.data import DataError, Judged, Question, Set, Unit, find_sets, load_set, relevant_units
from bench.measures import ndcg, recall, reciprocal_rank, success
from bench.product import Product
from bench.vectors import CachedEncoder

if TYPE_CHECKING:
    from index.types import Encoder

ROOT = Path(__file__).resolve().parents[1]
CORE = ("manual-tv", "xquad-en", "squad2", "inscit", "rgb-news")
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
@click.option("--data", type=click.Path(path_type=Path), help="Folder of a set, or of sets.")
@click.option("--sets", default="", help="Names of sets, separated by commas; 'core' for five.")
@click.option(
    "--split",
    type=click.Choice(["dev", "test", "all"]),
    default="dev",
    show_default=True,
    help="Which questions.",
)
@click.option("--limit", type=click.IntRange(1), help="Questions a set, the first ones.")
@click.option("--cache", type=click.Path(path_type=Path), help="Folder where vectors are kept.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(
    data: Path | None, sets: str, split: str, limit: int | None, cache: Path | None, as_json: bool
) -> None:
    """Measure retrieval and sentence selection on sets in the common format.

    Without --data, the folder is $QUOTH_EVAL_DATA or ../shared/eval beside the repository.
    """
    try:
        folders = _chosen(data or _default_data(), sets)
        encoder = _encoder(cache or _default_cache())
        measured: dict[str, Figures] = {}
        for folder in folders:
            measured.update(_measure_set(load_set(folder), split, limit, encoder))
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
    click.echo(json.dumps(result, indent=2) if as_json else report.render(result))


def _default_data() -> Path:
    return Path(os.environ.get("QUOTH_EVAL_DATA") or ROOT.parent / "shared" / "eval")


def _default_cache() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("quoth") / "bench"


def _chosen(folder: Path, names: str) -> list[Path]:
    found = {path.resolve().name: path for path in find_sets(folder)}
    wanted = CORE if names == "core" else tuple(filter(None, names.split(",")))
    if missing := [name for name in wanted if name not in found]:
        raise DataError(
            f"{folder} has no set called {', '.join(missing)}; it has {', '.join(found)}."
        )
    return [found[name] for name in wanted] or list(found.values())


def _encoder(cache: Path) -> CachedEncoder:
    from index.encoder import load_encoder

    def progress(done: int, total: int) -> None:
        _tell(f"encoded {done:,} of {total:,} texts")

    return CachedEncoder(load_encoder(), cache, progress)


def _measure_set(
    data: Set, split: str, limit: int | None, encoder: Encoder
) -> Iterator[tuple[str, Figures]]:
    """Yield the figures of a set, and those of its questions as people rewrote them."""
    asked = [
        question
        for question in data.questions
        if split in ("all", question.split) and (question.relevant or question.gold)
    ][:limit]
    if not asked:
        _tell(f"{data.name}: no {split} question with something to find")
        return
    _tell(f"{data.name}: {len(asked)} questions, {len(data.documents)} documents")
    units = data.units()
    baselines = Baselines(data, units, encoder)
    with Product.build(data, encoder, progress=_tell) as product:
        yield data.name, _measure(data, units, asked, _as_asked, baselines, product)
        if rewritten := [question for question in asked if question.rewrite]:
            figures = _measure(data, units, rewritten, _as_rewritten, baselines, product)
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
) -> Figures:
    numbered: dict[str, list[tuple[int, Unit]]] = defaultdict(list)
    for number, unit in enumerate(units):
        numbered[unit.document].append((number, unit))
    retrieval: dict[str, list[Row]] = defaultdict(list)
    sentences: dict[str, list[Row]] = defaultdict(list)
    for done, question in enumerate(asked, 1):
        found = baselines.ask(wording(question))
        best = product.best_sentences(wording(question), DEPTH)
        rankings = {
            "words": ranking(found.words, CUTOFF),
            "dense": ranking(found.dense, CUTOFF),
            "mix": ranking(found.mix, CUTOFF),
            "product": units_of(best, numbered),
        }
        if grades := relevant_units(question, numbered):
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
            _tell(f"{data.name}: {done} of {len(asked)} questions asked")
    return Figures(
        documents=len(data.documents),
        units=len(units),
        questions=len(retrieval["words"]),
        answered=len(sentences["product"]),
        retrieval={name: _mean(rows) for name, rows in retrieval.items()},
        sentences={name: _mean(rows) for name, rows in sentences.items()},
    )


def units_of(best: Sequence[Unit], numbered: dict[str, list[tuple[int, Unit]]]) -> list[int]:
    """Return the numbers of the units that hold these sentences, by first appearance.

    The unit of a sentence is the one with most of its characters, the first of equals;
    sentences between the units count for none.
    """
    order: dict[int, None] = {}
    for sentence in best:
        shares = [
            (_shared(sentence, unit.start, unit.end), -number)
            for number, unit in numbered[sentence.document]
        ]
        share, number = max(shares, default=(0, 0))
        if share > 0:
            order.setdefault(-number)
    return list(order)


def _shared(sentence: Unit, start: int, end: int) -> int:
    return min(sentence.end, end) - max(sentence.start, start)


def _retrieval_row(order: Sequence[int], grades: dict[int, int]) -> Row:
    return {
        f"nDCG@{CUTOFF}": ndcg(order, grades, CUTOFF),
        f"MRR@{CUTOFF}": reciprocal_rank(order, grades, CUTOFF),
        f"recall@{CUTOFF}": recall(order, grades, CUTOFF),
    }


def _sentence_row(sentences: Sequence[Unit], gold: Sequence[Judged]) -> Row:
    hits = [any(_touches(sentence, place) for place in gold) for sentence in sentences]
    return {"success@1": success(hits, 1), "success@3": success(hits, 3)}


def _touches(sentence: Unit, place: Judged) -> bool:
    if sentence.document != place.document:
        return False
    if place.start is None or place.end is None:
        return True
    return _shared(sentence, place.start, place.end) > 0


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


def _tell(message: str) -> None:
    click.echo(message, err=True)


if __name__ == "__main__":
    main()
