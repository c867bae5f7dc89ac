"""Measures answers: spans, sentences, quotes, lists, silence, follow-ups, and confidence.

python bench/answers.py --data DIR [--closed] [--sentences] [--open] [--conversations]
                        [--sets a,b] [--split dev|test|all] [--limit N] [--json [FILE]]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for python bench/answers.py

from bench import machine
from bench.closed import THRESHOLD, asks_for_a_span, measure_closed
from bench.conversations import measure_conversations
from bench.data import DataError, Question, Set, load_set
from bench.figures import Table, render_table
from bench.open_answers import open_questions, open_tables
from bench.options import (
    cached_encoder,
    chosen_sets,
    data_folder,
    data_options,
    sample,
    tell,
    write_figures,
)
from bench.product import Product
from bench.said import ask_all
from bench.selection import measure_selection
from bench.trust import Claim, claims, trust_tables

if TYPE_CHECKING:
    from index.types import Encoder


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to measure, on how many questions a set."""

    closed: bool
    sentences: bool
    open: bool
    conversations: bool
    limit: int | None
    threshold: float


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--closed", is_flag=True, help="Short answers from a given text.")
@click.option("--sentences", is_flag=True, help="The answer sentence of a given document.")
@click.option("--open", "open_", is_flag=True, help="Answers from all documents of a set.")
@click.option("--conversations", is_flag=True, help="Follow-up questions.")
@click.option(
    "--threshold",
    default=THRESHOLD,
    show_default=True,
    help="Closed: margin above which the reader's span is taken.",
)
@data_options
def main(
    closed: bool,
    sentences: bool,
    open_: bool,
    conversations: bool,
    threshold: float,
    data: Path | None,
    sets: str,
    split: str,
    limit: int | None,
    cache: Path | None,
    json_to: str | None,
) -> None:
    """Measure answers on sets in the common format; everything if nothing is named.

    Without --data, the folder is $QUOTH_EVAL_DATA or ../shared/eval beside the repository.
    """
    everything = not (closed or sentences or open_ or conversations)
    wanted = Wanted(
        closed=closed or everything,
        sentences=sentences or everything,
        open=open_ or everything,
        conversations=conversations or everything,
        limit=limit,
        threshold=threshold,
    )
    from index.errors import QuothError

    about = {"machine": machine.describe(), "split": split, "limit": limit, "threshold": threshold}
    show = json_to != "-"
    if show:
        click.echo(_head(about))
    measured = []
    try:
        encoder = cached_encoder(cache)
        folders = chosen_sets(data_folder(data), sets)
        # Shown as they come: a run over all sets takes long.
        for table in _measure(folders, split, wanted, encoder):
            measured.append(table)
            if show:
                click.echo("\n".join(["", *render_table(table)]))
    except (DataError, QuothError) as error:
        raise click.ClickException(str(error)) from error
    tables = [asdict(table) for table in measured]
    write_figures(json_to, {**about, "model": encoder.name, "tables": tables})


def _measure(folders: list[Path], split: str, wanted: Wanted, encoder: Encoder) -> Iterator[Table]:
    claimed: dict[str, list[Claim]] = {}
    for folder in folders:
        data = load_set(folder)
        questions = [q for q in data.questions if split in ("all", q.split)]
        if not data.documents or not any(_measurable(q, wanted) for q in questions):
            tell(f"{data.name}: no {split} question that this measures")
            continue
        with Product.build(data, encoder, progress=tell) as product:
            yield from _measure_set(data, questions, product, wanted, encoder, claimed)
    yield from trust_tables(claimed)


def _measurable(question: Question, wanted: Wanted) -> bool:
    return (
        (wanted.closed and asks_for_a_span(question))
        or (wanted.sentences and bool(question.context and question.gold))
        or (wanted.open and bool(open_questions([question])))
        or (wanted.conversations and bool(question.history and question.relevant))
    )


def _measure_set(
    data: Set,
    questions: list[Question],
    product: Product,
    wanted: Wanted,
    encoder: Encoder,
    claimed: dict[str, list[Claim]],
) -> Iterator[Table]:
    from qa.reader import load_reader

    limit = wanted.limit
    if wanted.closed:
        yield from measure_closed(
            data, questions, product, load_reader(), limit=limit, threshold=wanted.threshold
        )
    if wanted.sentences:
        yield from measure_selection(data, questions, product, encoder, load_reader(), limit=limit)
    if wanted.open:
        asked = sample(open_questions(questions), limit)
        said = ask_all(data, asked, product, encoder)
        yield from open_tables(data, said)
        claimed[data.name] = claims(data, said)
    if wanted.conversations:
        yield from measure_conversations(data, questions, product, limit=limit)


def _head(about: Mapping[str, Any]) -> str:
    limit = f", {about['limit']} questions a set" if about["limit"] else ""
    return (
        f"{', '.join(str(value) for value in about['machine'].values())}\n"
        f"split {about['split']}{limit}; differences with the 95 % interval of a paired bootstrap"
    )


if __name__ == "__main__":
    main()
