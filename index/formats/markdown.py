"""Markdown: the text as it is rendered, without the markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from index.formats.builder import DocumentBuilder, join_cells
from index.formats.dates import find_date, parse_date
from index.formats.encoding import decode
from index.formats.flow import Flow
from index.formats.html import add_html
from index.formats.registry import Limits
from index.formats.text import read_text
from index.types import BlockKind, Document

__all__ = ["parse"]

# The parser leaves out what is nested deeper; see `parse`.
_MAX_NESTING = 60
_FRONT_MATTER = re.compile(
    r"\A---[ \t]*\r?\n(?P<body>.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.S | re.M
)
_ENTRY = re.compile(r"^(?P<key>[A-Za-z][\w -]*):(?P<value>.*)$", re.M)
_LINE_BREAK_TAG = re.compile(r"<br\b", re.IGNORECASE)


class _FrontMatter(NamedTuple):
    title: str = ""
    date: str | None = None


def parse(path: Path, limits: Limits) -> Document:
    """Return the Markdown file (CommonMark and tables) as a document.

    Title and date come from the front matter, else from the first heading and from a date
    at the head of the text. A file nested too deeply for the parser is read as plain text.

    Raises:
        FormatError: The file is binary.
    """
    front, source = _cut_front_matter(decode(path.read_bytes()))
    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING})
    parser.enable(["table", "strikethrough"])
    tokens = parser.parse(source)
    if any(token.level >= _MAX_NESTING - 1 for token in tokens):
        warning = "nested too deeply for Markdown; read as plain text"
        return replace(read_text(source), warnings=(warning,))
    builder = DocumentBuilder(limits)
    _Renderer(builder).render(tokens)
    document = builder.build(title=front.title)
    return builder.build(
        title=front.title or _first_heading(document),
        date=front.date or find_date(document.text),
    )


def _cut_front_matter(text: str) -> tuple[_FrontMatter, str]:
    match = _FRONT_MATTER.match(text)
    if match is None:
        return _FrontMatter(), text
    entries = {
        entry["key"].lower(): entry["value"].strip(" \t\r").strip("\"'")
        for entry in _ENTRY.finditer(match["body"])
    }
    if not entries:  # two rules with text between them
        return _FrontMatter(), text
    front = _FrontMatter(entries.get("title", ""), parse_date(entries.get("date", "")))
    return front, text[match.end() :]


def _first_heading(document: Document) -> str:
    """Return the first heading of rank 1, or the heading that the document begins with."""
    headings = [block for block in document.blocks if block.kind is BlockKind.HEADING]
    top = [block for block in headings if block.level == 1]
    for block in top or (headings if headings == list(document.blocks[: len(headings)]) else []):
        return document.text[block.start : block.end]
    return ""


class _Renderer:
    """Turns the parser's tokens into blocks."""

    def __init__(self, builder: DocumentBuilder) -> None:
        self._builder = builder
        self._flow = Flow(builder)

    def render(self, tokens: Sequence[Token]) -> None:
        rest = iter(tokens)
        for token in rest:
            self._render(token, rest)

    def _render(self, token: Token, rest: Iterator[Token]) -> None:
        match token.type:
            case "inline":
                self._flow.text(_inline(token))
            case "bullet_list_open" | "ordered_list_open":
                self._flow.open_list()
            case "bullet_list_close" | "ordered_list_close":
                self._flow.close_list()
            case "list_item_open":
                self._flow.open_item(f"{token.info}{token.markup} " if token.info else "")
            case "list_item_close":
                self._flow.close_item()
            case "heading_open":
                self._builder.heading(_inline(next(rest)), int(token.tag[1:]))
                self._flow.interrupt()
            case "table_open":
                self._table(rest)
                self._flow.interrupt()
            case "fence" | "code_block":
                self._builder.code(token.content)
                self._flow.interrupt()
            case "html_block":
                add_html(self._builder, token.content)
                self._flow.interrupt()

    def _table(self, rest: Iterator[Token]) -> None:
        header = ""
        cells: list[str] = []
        for token in rest:
            match token.type:
                case "inline":
                    cells.append(_inline(token))
                case "tr_close":
                    self._builder.row(cells, header)
                    header = header or join_cells(cells)  # the first row is the header
                    cells = []
                case "table_close":
                    break


def _inline(token: Token) -> str:
    """Return what a reader sees of the inline tokens: no markup, no addresses of links."""
    parts = []
    for child in token.children or ():
        match child.type:
            case "softbreak":
                parts.append(" ")
            case "hardbreak":
                parts.append("\n")
            case "image":
                parts.append(_inline(child))
            case "html_inline":
                parts.append("\n" if _LINE_BREAK_TAG.match(child.content) else "")
            case _:
                parts.append(child.content)
    return "".join(parts)
