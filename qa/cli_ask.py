"""`quoth ask`: one question, or a conversation."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from index.address import Place
from index.errors import QuestionError, QuothError
from index.types import Filter
from qa.cli_options import filter_options, json_option, library_option, open_library
from qa.cli_output import print_json, print_lines
from qa.lines import answer_lines
from qa.render import escape_markdown
from qa.visible import one_line

if TYPE_CHECKING:
    from qa.types import Answer

__all__ = ["ask"]


@click.command()
@click.argument("question", nargs=-1)
@library_option
@filter_options
@json_option
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the answer as Markdown.")
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1),
    help="Answer only from this confidence on: higher is right more often, and silent more often.",
)
def ask(
    question: tuple[str, ...],
    library: Place | None,
    where: Filter | None,
    as_json: bool,
    as_markdown: bool,
    confidence: float | None,
) -> None:
    """Answer QUESTION in the words of the documents, with citations.

    Without QUESTION a conversation begins, in which "And how often?" is understood; an empty
    line or Ctrl+D ends it. Questions that are piped in are answered line by line.
    """
    if as_json and as_markdown:
        raise click.UsageError("--json and --markdown exclude each other.")
    with open_library(library, where) as opened:
        # It takes a sixth of what one question takes, and another processor than the imports do.
        threading.Thread(target=_load_reader).start()
        from qa.chat import Chat
        from qa.ranking import AnswerSettings

        settings = (
            AnswerSettings() if confidence is None else AnswerSettings(abstain_below=confidence)
        )
        chat = Chat(opened, where=where, settings=settings)
        if question:
            _print(chat.ask(" ".join(question)), as_json=as_json, as_markdown=as_markdown)
            return
        failed = False
        for number, asked in enumerate(_questions()):
            try:
                answer = chat.ask(asked)
            except QuestionError as error:
                click.echo(f"quoth: {one_line(str(error))}", err=True)
                failed = True
                continue
            if not as_json:
                _print_question(asked, first=number == 0, as_markdown=as_markdown)
            _print(answer, as_json=as_json, as_markdown=as_markdown)
            if sys.stdin.isatty():
                click.echo(err=True)
    if failed and not sys.stdin.isatty():
        raise click.exceptions.Exit(1)


def _load_reader() -> None:
    from qa.reader import load_reader

    with suppress(QuothError, OSError):  # told to who reads
        load_reader()


def _questions() -> Iterator[str]:
    """Yield what is typed until an empty line, or every line with words of a pipe."""
    if not sys.stdin.isatty():
        for line in sys.stdin:
            if line.strip():
                yield line.strip()
        return
    with suppress(ImportError):
        import readline  # noqa: F401 - gives `input` a history and keys to edit with

    while True:
        try:
            line = _input().strip()
        except EOFError:
            click.echo(err=True)
            return
        if not line:
            return
        yield line


def _input() -> str:
    if sys.stdout.isatty():
        return input("> ")
    click.echo("> ", nl=False, err=True)
    return input()


def _print_question(asked: str, *, first: bool, as_markdown: bool) -> None:
    """Print the question above its answer where nobody has just typed it."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        return
    if not first:
        click.echo()
    shown = f"**{escape_markdown(asked)}**" if as_markdown else f"> {one_line(asked)}"
    click.echo(f"{shown}\n")


def _print(answer: Answer, *, as_json: bool, as_markdown: bool) -> None:
    if as_json:
        print_json("answer", answer)
    elif as_markdown:
        click.echo(answer.to_markdown(), nl=False)
    else:
        print_lines(answer_lines(answer))
