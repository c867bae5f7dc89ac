"""A document's text to read on the page: stretches of it by block, made visible, and its headings.

A long document has millions of characters, so nobody gets all of it: a stretch is about as much
as a few screens show, and the page asks for the next one as a person scrolls. Spans are those of
the document's text; what is shown for a character may be longer or shorter ("‹U+202E›"), so each
piece says where the two part.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.sentences import split_text
from index.types import BlockKind
from qa.visible import SIGNED, one_line, visible

if TYPE_CHECKING:
    from index.types import Block, Document

__all__ = [
    "BlockView",
    "Heading",
    "OutlineView",
    "Piece",
    "SourceText",
    "Stretch",
]

STRETCH = 16_000  # characters asked for at a time
_AROUND = 9_000  # shown at first on each side of a quote
_SLACK = 4_000  # a block that ends this soon is shown to its end
_BREAK_WITHIN = 1_000  # where a longer one is cut, a space is looked for this far
_MOST_HEADINGS = 1_000
_MOST_COLUMNS = 60
_SENTENCE = 400  # characters of the sentence before and after a quote
_CELL = " | "  # what `index.formats.builder.join_cells` puts between the cells of a row
_NAMED = re.compile(r"([^|]{1,60}?): ")

# Characters whose visible form, or whose form in UTF-16, is not one unit long.
_UNEVEN = re.compile(f"\r\n|{SIGNED}|[\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters [start, end) of the document as they are shown.

    Attributes:
        text: The visible form.
        shifts: (offset in the document, index in `text` in units of UTF-16), in order: from this
            offset on both count in step again, until the next one. Before the first, `start` is 0.
        name: The column, for a cell whose row says it ("Room: 5.01"); the text then has only the
            value.
    """

    start: int
    end: int
    text: str
    shifts: tuple[tuple[int, int], ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class BlockView:
    """A block, or the part of it that lies in a stretch.

    Attributes:
        kind: "heading", "paragraph", "item", "row" or "code".
        level: Depth of a heading or list item from 1; otherwise 0.
        page: Page it begins on.
        context: The header of its table or the lead-in of its list, or "".
        header: Whether this row is the header of the rows below it.
        continued: Whether the block begins before this stretch.
        pieces: The cells of a row; else one.
    """

    kind: str
    level: int
    start: int
    end: int
    page: int | None
    context: str
    header: bool
    continued: bool
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Characters [start, end) of a document by block, and how long its whole text is."""

    start: int
    end: int
    characters: int
    columns: tuple[str, ...]
    blocks: tuple[BlockView, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading to jump to."""

    title: str
    level: int
    start: int
    page: int | None


@dataclass(frozen=True, slots=True)
class OutlineView:
    """The headings of a document; `complete` is false where the deepest were left out."""

    headings: tuple[Heading, ...]
    complete: bool


class SourceText:
    """Reads one document for the page; made once for a document that is open."""

    def __init__(self, content: Document, type_: str) -> None:
        self.content = content
        self._starts = [block.start for block in content.blocks]
        self._pages = [page for page in content.pages if page.end > page.start]
        self._page_starts = [page.start for page in self._pages]
        # A row of a CSV file names its columns itself; shown as a table they stand on top.
        self._columns = _columns(content) if type_ == "csv" else ()
        self._cells = type_ != "pdf"  # a row of a page has no cells that can be told apart

    def page_at(self, offset: int) -> int | None:
        """Return the number of the page that holds `offset`, as `Document.page_at` does."""
        if not self._pages:
            return None
        return self._pages[max(bisect_right(self._page_starts, offset) - 1, 0)].number

    def block_at(self, offset: int) -> Block | None:
        """Return the block that holds `offset`."""
        at = bisect_right(self._starts, offset) - 1
        block = self.content.blocks[at] if at >= 0 else None
        return block if block is not None and offset < block.end else None

    def around(self, start: int, end: int) -> Stretch:
        """Return a stretch that holds [start, end), with as much on both sides."""
        first, last = max(start - _AROUND, 0), end + _AROUND
        return self._stretch(self._begin(first), self._end(last))

    def after(self, start: int) -> Stretch:
        """Return the stretch that begins at `start`."""
        return self._stretch(start, self._end(start + STRETCH))

    def before(self, end: int) -> Stretch:
        """Return the stretch that ends at `end`."""
        return self._stretch(self._begin(max(end - STRETCH, 0)), end)

    def exactly(self, start: int, end: int) -> Stretch:
        """Return [start, end)."""
        return self._stretch(start, end)

    def outline(self) -> OutlineView:
        """Return the headings, the deepest left out where there are more than a thousand."""
        blocks = [block for block in self.content.blocks if block.kind is BlockKind.HEADING]
        shown = blocks
        for deepest in sorted({block.level for block in blocks}, reverse=True):
            if len(shown) <= _MOST_HEADINGS:
                break
            shown = [block for block in shown if block.level < deepest]
        shown = (shown or blocks)[:_MOST_HEADINGS]
        text = self.content.text
        headings = tuple(
            Heading(one_line(text[b.start : b.end])[:300], b.level, b.start, self.page_at(b.start))
            for b in shown
        )
        return OutlineView(headings, len(headings) == len(blocks))

    def sentences_beside(self, start: int, end: int) -> tuple[str, str]:
        """Return the sentence before [start, end) and the one after it, on one line each.

        They come from the same section; a heading is neither.
        """
        return self._sentence_before(start), self._sentence_after(end)

    def _sentence_before(self, start: int) -> str:
        at = bisect_right(self._starts, start) - 1
        here = self.content.blocks[at] if at >= 0 else None
        for number in (at, at - 1):
            block = self.content.blocks[number] if number >= 0 else None
            if block is None or here is None or not _same_section(block, here):
                break
            end = min(start, block.end)
            text = self.content.text[max(block.start, end - 4 * _SENTENCE) : end]
            if spans := split_text(text):
                return one_line(text[spans[-1].start : spans[-1].end][-_SENTENCE:])
        return ""

    def _sentence_after(self, end: int) -> str:
        at = max(bisect_left(self._starts, end) - 1, 0)
        here = self.content.blocks[at]
        for number in (at, at + 1):
            block = self.content.blocks[number] if number < len(self._starts) else None
            if block is None or not _same_section(block, here):
                break
            start = max(end, block.start)
            text = self.content.text[start : min(block.end, start + 4 * _SENTENCE)]
            if spans := split_text(text):
                return one_line(text[spans[0].start : spans[0].end][:_SENTENCE])
        return ""

    def _begin(self, offset: int) -> int:
        """Return a good place to begin at or before `offset`: a block's start, or a space."""
        block = self.block_at(offset)
        if block is None:
            return offset
        if offset - block.start <= _SLACK:
            return block.start
        text = self.content.text
        found = max(text.rfind(sign, offset - _BREAK_WITHIN, offset) for sign in ("\n", " "))
        return found + 1 if found >= 0 else offset

    def _end(self, offset: int) -> int:
        """Return a good place to end at or after `offset`."""
        text = self.content.text
        if offset >= len(text):
            return len(text)
        block = self.block_at(offset)
        if block is None:
            return offset
        if block.end - offset <= _SLACK:
            return block.end
        places = [text.find(sign, offset, offset + _BREAK_WITHIN) for sign in ("\n", " ")]
        found = min((place for place in places if place >= 0), default=offset - 1)
        return found + 1

    def _stretch(self, start: int, end: int) -> Stretch:
        text, blocks = self.content.text, self.content.blocks
        start, end = max(start, 0), min(end, len(text))
        first = max(bisect_right(self._starts, start) - 1, 0)
        last = bisect_left(self._starts, end)
        views = tuple(
            self._view(number, max(block.start, start), min(block.end, end))
            for number, block in enumerate(blocks[first:last], first)
            if max(block.start, start) < min(block.end, end)
        )
        return Stretch(start, end, len(text), self._columns, views)

    def _view(self, number: int, start: int, end: int) -> BlockView:
        block = self.content.blocks[number]
        whole = (start, end) == (block.start, block.end)
        is_row = block.kind is BlockKind.ROW
        return BlockView(
            kind=block.kind.value,
            level=block.level,
            start=start,
            end=end,
            page=block.page,
            context=one_line(block.context),
            header=is_row and self._is_header(number),
            continued=start > block.start,
            # A row that is cut has lost its cells: it is shown as the text it is.
            pieces=self._row(start, end)
            if is_row and whole and self._cells
            else (_piece(self.content.text, start, end),),
        )

    def _row(self, start: int, end: int) -> tuple[Piece, ...]:
        text = self.content.text
        pieces = []
        for cell in text[start:end].split(_CELL):
            stop = start + len(cell)
            named = _NAMED.match(cell) if self._columns else None
            if named is not None:
                value = _piece(text, start + named.end(), stop)
                pieces.append(
                    Piece(value.start, value.end, value.text, value.shifts, one_line(named[1]))
                )
            else:
                pieces.append(_piece(text, start, stop))
            start = stop + len(_CELL)
        return tuple(pieces)

    def _is_header(self, number: int) -> bool:
        """Return whether the rows below name this one as what leads to them."""
        blocks = self.content.blocks
        block, below = blocks[number], blocks[number + 1 : number + 2]
        if not below or below[0].kind is not BlockKind.ROW or block.context:
            return False
        words = one_line(self.content.text[block.start : block.end])
        return bool(words) and one_line(below[0].context).endswith(words)


def _piece(text: str, start: int, end: int) -> Piece:
    shifts = []
    grown = 0  # by how much an index in the visible text is ahead of the offset
    for match in _UNEVEN.finditer(text, start, end):
        shown = visible(match[0])
        grown += sum(1 + (ord(char) > 0xFFFF) for char in shown) - len(match[0])
        shifts.append((match.end(), match.end() - start + grown))
    kept = tuple(
        (offset, index)
        for (offset, index), before in zip(shifts, [(start, 0), *shifts], strict=False)
        if offset - before[0] != index - before[1]
    )
    return Piece(start, end, visible(text[start:end]), kept)


def _columns(content: Document) -> tuple[str, ...]:
    """Return the names of the columns, in order; none where not every cell names its own."""
    names: dict[str, None] = {}
    for block in content.blocks:
        if block.kind is not BlockKind.ROW:
            continue
        before = ""
        for cell in content.text[block.start : block.end].split(_CELL):
            match = _NAMED.match(cell)
            if match is None:
                return ()
            name = one_line(match[1])
            if name not in names:
                # An empty cell is left out of its row, so a later row may have one in between.
                names = _inserted(names, name, before)
            before = name
        if len(names) > _MOST_COLUMNS:
            return ()
    return tuple(names)


def _inserted(names: dict[str, None], name: str, before: str) -> dict[str, None]:
    order = list(names)
    at = order.index(before) + 1 if before else 0
    return dict.fromkeys([*order[:at], name, *order[at:]])


def _same_section(block: Block, other: Block) -> bool:
    """Return whether a sentence of one says what is around a sentence of the other."""
    # A row or a line of code says nothing about the prose beside it, nor the other way round.
    prose = (BlockKind.PARAGRAPH, BlockKind.ITEM)
    alike = block.kind is other.kind or (block.kind in prose and other.kind in prose)
    return alike and block.headings == other.headings and block.kind is not BlockKind.HEADING
