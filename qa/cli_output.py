"""What a command prints: wrapped and styled in a terminal, plain in a pipe, or JSON."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterable

import click

from qa.lines import Line, Style, to_text
from qa.render import to_json, to_plain

__all__ = ["print_json", "print_lines"]

_RICH_STYLES: dict[Style, str] = {
    "plain": "",
    "strong": "bold",
    "quiet": "dim",
    "warning": "yellow",
}
_MAX_WIDTH = 100  # columns; longer lines are hard to read


def print_lines(lines: Iterable[Line]) -> None:
    """Print the lines on stdout; a pipe gets neither escape codes nor wrapping."""
    if sys.stdout.isatty():
        _print_wrapped(lines)
    else:
        click.echo(to_text(lines))


def _print_wrapped(lines: Iterable[Line]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    width = min(console.width, _MAX_WIDTH)
    for line in lines:
        text = Text.assemble(*((words, _RICH_STYLES[style]) for words, style in line.words))
        wrapped = text.wrap(console, max(width - line.indent, 20)) if line.words else [text]
        for number, part in enumerate(wrapped):
            label = (line.label or line.sign) if number == 0 else ""
            row = Text.assemble((label, "cyan"), " " * (line.indent - len(label)), part)
            console.print(row, no_wrap=True, overflow="ignore", crop=False)


def print_json(kind: str, value: object) -> None:
    """Print one JSON object on one line: `kind`, then the fields of `value`."""
    encoding = codecs.lookup(sys.stdout.encoding or "ascii").name
    line = to_json({"kind": kind, **to_plain(value)}, ascii_only=encoding != "utf-8")
    click.echo(line)
