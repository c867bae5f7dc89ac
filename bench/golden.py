"""Writes down what is answered to every question about the examples.

python bench/golden.py

A test asks the same questions and fails when an answer is another one than written down. Run this
when answers were meant to change, and read the difference before you commit it: each line of it
is something that people will see.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for python bench/golden.py

if TYPE_CHECKING:
    from index import Library
    from qa.types import Answer, Quote

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
GOLDEN = ROOT / "tests" / "qa" / "golden" / "answers.jsonl"
RENEW = "python bench/golden.py"
# Other processors round otherwise: confidence may move by this much, everything else by nothing.
TOLERANCE = 0.05

Row = dict[str, Any]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=GOLDEN,
    help="The file to write.  [default: where the test looks for it]",
)
def main(output: Path) -> None:
    """Ask all questions about the examples and write the answers down."""
    before = read_rows(output) if output.is_file() else []
    rows = ask_all()
    output.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    changed = changes(before, rows)
    for change in changed:
        click.echo(f"{change}\n")
    click.echo(f"{output}: {len(rows)} answers, {len(changed)} of them changed")


def ask_all() -> list[Row]:
    """Return a row for every question, follow-ups asked after the questions before them."""
    from index import Library

    questions = read_rows(EXAMPLES / "questions.jsonl")
    with (
        tempfile.TemporaryDirectory(prefix="quoth-golden-") as place,
        Library.open(Path(place) / "examples.quoth", create=True) as library,
    ):
        library.sync(EXAMPLES / "documents")
        return [row_of(question, _ask(library, question)) for question in questions]


def read_rows(path: Path) -> list[Row]:
    """Return the objects of a file with one in each line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _ask(library: Library, question: Row) -> Answer:
    from qa import Chat

    chat = Chat(library)
    for turn in question["history"]:
        chat.ask(turn["question"])
    return chat.ask(question["question"])


def row_of(question: Row, answer: Answer) -> Row:
    """Return what people see of an answer, and how sure it is (two places)."""
    return {
        "id": question["id"],
        "after": [turn["question"] for turn in question["history"]],
        "question": answer.question,
        "searched_for": answer.searched_for,
        "notice": answer.notice,
        "abstained": answer.abstained,
        "decides": answer.decides,
        "quotes": [_quote_row(quote) for quote in answer.quotes],
        "disagreements": [
            {"about": d.about, "first": _quote_row(d.first), "second": _quote_row(d.second)}
            for d in answer.disagreements
        ],
        "confidence": round(answer.confidence, 2),
    }


def _quote_row(quote: Quote) -> Row:
    short = quote.short
    return {
        "path": quote.document.path,
        "start": quote.start,
        "end": quote.end,
        "text": quote.text,
        "short": quote.text[short.start - quote.start : short.end - quote.start] if short else None,
    }


def changes(expected: Sequence[Row], found: Sequence[Row]) -> list[str]:
    """Return a readable difference for each answer that is another one, in the order of `found`.

    Answers that only one side has are among them, those that only `expected` has at the end.
    """
    old, new = ({row["id"]: row for row in rows} for rows in (expected, found))
    ids = dict.fromkeys([*new, *old])
    return [text for id in ids if (text := _change(old.get(id, {}), new.get(id, {})))]


def _change(old: Row, new: Row) -> str:
    """Return the difference of two rows with the question above it, or "" if there is none."""
    if old and new and round(abs(old["confidence"] - new["confidence"]), 2) <= TOLERANCE:
        new = {**new, "confidence": old["confidence"]}
    lines = list(unified_diff(list(_lines(old)), list(_lines(new)), n=0, lineterm=""))
    marked = [line for line in lines[2:] if not line.startswith("@@")]  # the first two name files
    row = new or old
    return "\n".join([f"{row['id']}  {row['question']}", *marked]) if marked else ""


def _lines(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield all that a row says: a line a field, of a list a line an element."""
    for field, value in row.items():
        for item in value if isinstance(value, list) else [value]:
            yield f" {field}: {json.dumps(item, ensure_ascii=False)}"


if __name__ == "__main__":
    main()
