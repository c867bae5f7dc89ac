"""`quoth evaluate`: are questions still answered as people said they should be?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from index.address import Place
from index.errors import QuothError
from qa.cli_options import json_option, library_option, open_library
from qa.cli_output import print_json, print_lines
from qa.lines import Line, Style
from qa.render import to_plain
from qa.visible import one_line

if TYPE_CHECKING:
    from index.library import Library
    from qa.chats import Feedback
    from qa.evaluate import Evaluation, Outcome

__all__ = ["evaluate"]


@click.command()
@click.argument("cases", required=False, type=click.Path(path_type=Path))
@library_option
@json_option
@click.option("--strict", is_flag=True, help="Exit with 1 where something is worse.")
def evaluate(cases: Path | None, library: Place | None, as_json: bool, strict: bool) -> None:
    """Ask the questions that people judged again, and those of CASES.

    Answers are judged on the page of `quoth chat`. CASES is a file with one JSON object a line,
    such as {"question": "Who pays?", "say": "the owners pay"}; "say" is a phrase of the right
    quote, or null where the documents do not say, and "after" may be a question asked before.
    """
    from qa.evaluate import ask_again, evaluated, read_cases

    wanted = [] if cases is None else read_cases(cases)
    with open_library(library) as opened:
        said = _said(opened)
        if not said and not wanted:
            raise QuothError(
                "There is nothing to ask: no answer of this library was judged yet, and no file "
                "of cases was given."
            )
        found = ask_again(opened, said, wanted)
        evaluation = evaluated(opened, _shown(found, len(said) + len(wanted)))
    if as_json:
        worse = {"worse": len(evaluation.worse)}
        print_json("evaluation", to_plain(evaluation) | worse)
    else:
        print_lines(_lines(evaluation))
    if strict and evaluation.worse:
        raise click.exceptions.Exit(1)


def _said(library: Library) -> list[Feedback]:
    from qa.chats import Chats
    from qa.chats.file import FILE

    if not (library.path / FILE).is_file():  # asking is no reason to make one
        return []
    chats = Chats.open(library.path)
    try:
        return chats.feedback()
    finally:
        chats.close()


def _shown(found: Iterator[Outcome | None], count: int) -> Iterator[Outcome | None]:
    """Yield the outcomes, in a terminal with a bar that shows how far it is."""
    if not sys.stderr.isatty():
        yield from found
        return
    with click.progressbar(found, length=count, label="Asking", file=sys.stderr) as bar:
        yield from bar


def _lines(evaluation: Evaluation) -> Iterator[Line]:
    width = max((len(measure.name) for measure in evaluation.measures), default=0)
    counts = max((len(str(measure.of)) for measure in evaluation.measures), default=0)
    for measure in evaluation.measures:
        figures = f"{measure.count:>{counts}} of {measure.of}"
        yield _line(f"{measure.name:<{width}} {figures}")
    if count := evaluation.uncounted:
        judged = "1 answer that was" if count == 1 else f"{count} answers that were"
        yield _line(f"{judged} judged cannot be compared any more.", "quiet")
    for number, outcome in enumerate(evaluation.worse):
        if number == 0:
            yield Line()
            yield _line("Not as it should be:", "strong")
        where = "" if outcome.line is None else f" (line {outcome.line})"
        yield _line(f"{one_line(outcome.question)}{where}: {outcome.worse}", indent=2)


def _line(text: str, style: Style = "plain", *, indent: int = 0) -> Line:
    return Line(((text, style),), indent)
