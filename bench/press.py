"""Asks the chat questions whose answers are known, and counts where the answer stands.

python bench/press.py FOLDER

FOLDER holds documents and `questions.jsonl`, each line with `question`, `say` (words that the
answer must contain; null if the documents do not say) and `after` (null, or the `id` of the
question that was asked just before in the same conversation).
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for python bench/press.py

from bench import machine

if TYPE_CHECKING:
    from index import Library
    from qa.types import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the chat said to one question.

    Attributes:
        say: The words the answer must contain, or None where the documents do not say.
        first, any: Whether the first quote, or any of them, contains `say`.
        quote: The first quote, or "".
    """

    question: str
    say: str | None
    first: bool
    any: bool
    abstained: bool
    confidence: float
    searched_for: str
    quote: str


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(folder: Path, as_json: bool) -> None:
    """Ask the questions of FOLDER about its documents."""
    rows = read_questions(folder / "questions.jsonl")
    outcomes = ask_all(folder, rows)
    totals = totals_of(outcomes)
    if as_json:
        result = {"machine": machine.describe(), "totals": totals}
        click.echo(json.dumps({**result, "questions": [asdict(o) for o in outcomes]}, indent=2))
        return
    for outcome in outcomes:
        click.echo(_line(outcome))
    click.echo(
        f"answerable: the first quote answers {totals['first']} of {totals['answerable']}, "
        f"one of the quotes {totals['any']}\n"
        f"unanswerable: abstained on {totals['abstained']} of {totals['unanswerable']}"
    )


def read_questions(path: Path) -> list[dict[str, Any]]:
    """Return the questions of a file.

    Raises:
        click.ClickException: The file is missing, or a line is not such a question.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines if line.strip()]
        for row in rows:
            _ = row["question"], row["say"]
        ids = {None, *(row["id"] for row in rows)}
        unknown = [row["after"] for row in rows if row["after"] not in ids]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"{path} cannot be used: {error!r}") from error
    if unknown:
        raise click.ClickException(f"{path}: no question has the id {unknown[0]!r}.")
    return rows


def ask_all(folder: Path, rows: list[dict[str, Any]]) -> list[Outcome]:
    """Return what the chat says to each question, each in a conversation of its own."""
    from index import Library

    with (
        tempfile.TemporaryDirectory(prefix="quoth-press-") as place,
        Library.open(Path(place) / "press.quoth", create=True) as library,
    ):
        for path in sorted(folder.iterdir()):
            if path.is_file() and path.name != "questions.jsonl":
                library.sync(path)
        by_id = {row["id"]: row for row in rows}
        return [_outcome(row, _ask(library, row, by_id)) for row in rows]


def _ask(library: Library, row: dict[str, Any], by_id: dict[Any, dict[str, Any]]) -> Answer:
    from qa import Chat

    turns = [row]
    while turns[0]["after"] is not None:
        turns.insert(0, by_id[turns[0]["after"]])
    chat = Chat(library)
    answers: list[Answer] = [chat.ask(turn["question"]) for turn in turns]
    return answers[-1]


def _outcome(row: dict[str, Any], answer: Answer) -> Outcome:
    say = row["say"]
    holds = [say is not None and _plain(say) in _plain(quote.text) for quote in answer.quotes]
    return Outcome(
        question=row["question"],
        say=say,
        first=any(holds[:1]),
        any=any(holds),
        abstained=answer.abstained,
        confidence=answer.confidence,
        searched_for=answer.searched_for,
        quote=answer.quotes[0].text if answer.quotes else "",
    )


def totals_of(outcomes: list[Outcome]) -> dict[str, int]:
    """Return how many questions were answered by the first quote, by any, and abstained on."""
    answerable = [outcome for outcome in outcomes if outcome.say is not None]
    return {
        "answerable": len(answerable),
        "first": sum(outcome.first for outcome in answerable),
        "any": sum(outcome.any for outcome in answerable),
        "unanswerable": len(outcomes) - len(answerable),
        "abstained": sum(outcome.abstained for outcome in outcomes if outcome.say is None),
    }


def _line(outcome: Outcome) -> str:
    if outcome.say is None:
        verdict = "right" if outcome.abstained else "WRONG"
    else:
        verdict = "first" if outcome.first else "later" if outcome.any else "WRONG"
    said = "(the documents do not say)" if outcome.abstained else " ".join(outcome.quote.split())
    return f"{verdict}  {outcome.confidence:.2f}  {outcome.question}\n       {said}"


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


if __name__ == "__main__":
    main()
