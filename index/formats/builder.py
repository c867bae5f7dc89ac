"""Puts a document together, block by block, so that every offset is right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from index.errors import FormatError
from index.formats.limits import DEFAULT_LIMITS, Limits
from index.types import Block, BlockKind, Document, Page

__all__ = [
    "DocumentBuilder",
    "HeadingPath",
    "ListPath",
    "clean",
    "join_cells",
    "lead_in",
    "one_title",
]

# Neither belongs to a text: NUL ends strings in C libraries, lone surrogates have no UTF-8.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[^\Wa-z])")
_MAX_LEAD_IN = 300
_MAX_ABOVE = 120  # a longer item says too much to be the heading of those below it
# The title, headings and context of a block are stored with each of its passages. Something
# longer is no title or header, and would make a small file an enormous library.
_MAX_TITLE = 300
_MAX_CONTEXT = 2000
_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")

_RUNS = (BlockKind.ITEM, BlockKind.ROW)


def clean(text: str) -> str:
    """Return `text` without NUL and lone surrogates, which cannot be stored."""
    return _UNSTORABLE.sub("", text)


def one_title(text: str) -> str:
    """Return a title on one line, its first 300 characters if it is longer."""
    return " ".join(clean(text.lstrip()[: 4 * _MAX_TITLE]).split())[:_MAX_TITLE].rstrip()


def join_cells(cells: Sequence[str]) -> str:
    """Return the cells of a table row on one line: "cell | cell".

    White space inside a cell becomes one space. Empty cells at the end are left out; those
    before others stay, so that columns can be told. A row of empty cells is "".
    """
    words = [" ".join(clean(cell).split()) for cell in cells]
    while words and not words[-1]:
        words.pop()
    return " | ".join(words)


def lead_in(text: str) -> str:
    """Return the last sentence of `text` if the list below it completes it, or "".

    It does if it ends with a colon, or with a word where others end with a stop.
    """
    text = " ".join(text.split())
    if not text.endswith((":", "：")) and not text[-1:].isalnum():
        return ""
    return _SENTENCE_END.split(text)[-1][-_MAX_LEAD_IN:]


class HeadingPath:
    """The headings a place in a document is under, outermost first."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    @property
    def titles(self) -> tuple[str, ...]:
        """Titles of the sections that are open."""
        return tuple(title for _, title in self._open)

    def close(self, level: int) -> None:
        """Leave the sections of `level` and deeper."""
        while self._open and self._open[-1][0] >= level:
            self._open.pop()

    def open(self, level: int, title: str) -> None:
        """Enter a section; its title is put on one line as `one_title` does."""
        self.close(level)
        self._open.append((level, one_title(title)))


class ListPath:
    """What leads to the items of a list: its lead-in and, for nested ones, the item above."""

    def __init__(self, lead: str = "") -> None:
        self._above = [lead_in(lead)]

    def enter(self, level: int, words: str) -> str:
        """Begin the item `words` at `level` (from 1); return the words that lead to it."""
        del self._above[max(level, 1) :]
        context = self._above[-1]
        short = " ".join(words.split()) if len(words) <= _MAX_ABOVE else ""
        self._above.append(lead_in(words) or short)
        return context


class DocumentBuilder:
    r"""Collects blocks in reading order and keeps the path of headings.

    Blocks are separated by a blank line, the items of a list and the rows of a table by a
    line end. A block without visible text is skipped. Every method returns the new block,
    or None for a skipped one, and raises FormatError where there is more than `limits` allow:
    what a small file may unfold into is not held in memory first.

        builder = DocumentBuilder()
        builder.heading("Lifts", 1)
        builder.paragraph("They are inspected:")
        builder.item("in spring", context="They are inspected:")
        builder.item("in autumn", context="They are inspected:")
        document = builder.build(title="Lifts")
        # "Lifts\n\nThey are inspected:\n\nin spring\nin autumn"
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._path = HeadingPath()

    @property
    def length(self) -> int:
        """Characters so far: the offset at which the text ends now."""
        return self._length

    @property
    def headings(self) -> tuple[str, ...]:
        """Titles of the sections we are in, outermost first."""
        return self._path.titles

    def heading(self, text: str, level: int, *, page: int | None = None) -> Block | None:
        """Add a heading of `level` (from 1); it closes sections of its level and deeper."""
        title = clean(text)
        if not title.strip():
            return None
        level = max(level, 1)
        self._path.close(level)
        block = self._add(title, BlockKind.HEADING, level=level, page=page)
        self._path.open(level, title)
        return block

    def paragraph(self, text: str, *, page: int | None = None, context: str = "") -> Block | None:
        """Add a paragraph; line ends inside stay."""
        return self._add(text, BlockKind.PARAGRAPH, context=context, page=page)

    def item(
        self, text: str, level: int = 1, context: str = "", *, page: int | None = None
    ) -> Block | None:
        """Add a list item of `level` (from 1); `context` is the lead-in of its list."""
        return self._add(text, BlockKind.ITEM, level=max(level, 1), context=context, page=page)

    def row(
        self, cells: Sequence[str], context: str = "", *, page: int | None = None
    ) -> Block | None:
        """Add a table row on one line, "cell | cell"; `context` is the table's header.

        See `join_cells` for how it reads.
        """
        return self._add(join_cells(cells), BlockKind.ROW, context=context, page=page)

    def code(self, text: str, *, page: int | None = None) -> Block | None:
        """Add preformatted lines; the indentation of the first one stays."""
        return self._add(text, BlockKind.CODE, page=page)

    def build(
        self,
        *,
        title: str = "",
        date: str | None = None,
        language: str | None = None,
        pages: Iterable[Page] = (),
        warnings: Iterable[str] = (),
    ) -> Document:
        """Return the document; `title` is put on one line as `one_title` does."""
        return Document(
            text="".join(self._parts),
            blocks=tuple(self._blocks),
            title=one_title(title),
            date=date,
            language=language,
            pages=tuple(pages),
            warnings=tuple(warnings),
        )

    def _add(
        self,
        text: str,
        kind: BlockKind,
        *,
        level: int = 0,
        context: str = "",
        page: int | None = None,
    ) -> Block | None:
        text = clean(text)
        # The first line of code keeps its indentation; everything else begins with a word.
        text = _BLANK_LINES.sub("", text).rstrip() if kind is BlockKind.CODE else text.strip()
        if not text.strip():
            return None
        if self._blocks:
            same_run = kind in _RUNS and self._blocks[-1].kind is kind
            self._append("\n" if same_run else "\n\n")
        start = self._length
        self._append(text)
        block = Block(
            start=start,
            end=self._length,
            kind=kind,
            headings=self.headings,
            page=page,
            level=level,
            context=_one_context(context.lstrip()[: 2 * _MAX_CONTEXT]),
        )
        self._blocks.append(block)
        return block

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
        if self._length > self._limits.max_characters:
            raise FormatError(f"too much text: over {self._limits.max_characters:,} characters")
        if len(self._blocks) >= self._limits.max_blocks:
            raise FormatError(f"too many paragraphs and rows: over {self._limits.max_blocks:,}")


@lru_cache(maxsize=64)
def _one_context(text: str) -> str:
    # Cached, so that the rows of a table share their header instead of having a copy each.
    return " ".join(clean(text).split())[:_MAX_CONTEXT].rstrip()
