"""Lines of a PDF put into paragraphs, headings, list items and table rows."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby, pairwise
from math import inf
from statistics import median

from index.formats.builder import ListPath
from index.formats.pdf_text import SENTENCE_END, Cell, Line, PageText, runs_on
from index.types import BlockKind

__all__ = ["Part", "lay_out"]

_BULLET = re.compile(r"(?:[•‣⁃◦▪▫●○■□◆➢➤✓✔–—*·\uf000-\uf0ff-]|o(?=\s))(?:\s+|$)")
_NUMBER = re.compile(r"(?:\d{1,3}[.)]|[a-z][.)]|[A-Z]\)|[ivx]{2,5}[.)]|\((?:\w|[ivx]{2,5})\))\s+\S")
_NUMBERED_HEADING = re.compile(r"(?:§\s*)?(\d{1,3}(?:\.\d{1,3}){0,4})\.?\s+[^\W\d_]")
_LEADERS = re.compile(r"(?:\.\s?){4,}")

_VALUE = re.compile(r"\W*\d")  # "120 EUR", "£9.50"; "Unit 7" is a name

_LARGER = 1.12  # headings against the body, in font sizes
_SAME_SIZE = 0.12  # code inside a sentence is often a little smaller
_MAX_HEADING = 160  # characters
_MAX_BOLD_HEADING = 12  # words


@dataclass(frozen=True, slots=True)
class Part:
    """Lines that make one block; `level` and `context` as in `Block`."""

    kind: BlockKind
    lines: tuple[Line, ...]
    level: int = 0
    context: str = ""

    @property
    def text(self) -> str:
        """The text of the block: a line of the page is a line of it."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True)
class _Habits:
    """What is usual in a document: distances in points."""

    pages: Sequence[PageText]

    @cached_property
    def _sizes(self) -> Counter[tuple[float, bool]]:
        sizes: Counter[tuple[float, bool]] = Counter()
        for page in self.pages:
            for line in page.lines:
                sizes[line.size, line.bold] += len(line.text)
        return sizes

    @cached_property
    def body(self) -> float:
        """Font size of most of the text."""
        return max(self._sizes, key=lambda style: (self._sizes[style], style), default=(0, False))[
            0
        ]

    @cached_property
    def is_bold(self) -> bool:
        """Whether the body itself is bold."""
        bold = sum(count for (_, bold), count in self._sizes.items() if bold)
        return 2 * bold > self._sizes.total()

    @cached_property
    def pitch(self) -> float:
        """Distance from line to line inside a paragraph, in font sizes."""
        pitches: Counter[float] = Counter()
        for page in self.pages:
            for a, b in pairwise(page.lines):
                pitch = (b.bottom - a.bottom) / b.size if b.size else 0
                if a.size == b.size and 0.8 < pitch < 3:
                    pitches[round(pitch * 20) / 20] += 1
        if not pitches:
            return 1.3
        common = max(pitches.values())
        return min(pitch for pitch, count in pitches.items() if 3 * count >= common)

    def margin(self, line: Line) -> float:
        """Return where the lines of the column that `line` is in end on the right."""
        return self._margins[id(line)]

    @cached_property
    def _margins(self) -> dict[int, float]:
        columns = [column for page in self.pages for column in _columns(page.lines)]
        full = sorted((_left(column), _right(column)) for column in columns if len(column) >= 5)
        lefts = [left for left, _ in full]
        usual: dict[tuple[int, int], float] = {}  # columns of a kind are many in a long document
        margins: dict[int, float] = {}
        for column in columns:
            right = _right(column)
            if len(column) < 5:
                near = (
                    bisect_right(lefts, _left(column) - 2 * self.body),
                    bisect_left(lefts, _left(column) + 2 * self.body),
                )
                if near not in usual:
                    usual[near] = median([other for _, other in full[slice(*near)]] or [-inf])
                right = max(right, usual[near])
            margins.update((id(line), right) for line in column)
        return margins


def lay_out(pages: Sequence[PageText], outline: Sequence[tuple[str, int]] = ()) -> list[Part]:
    """Return the blocks of a document in reading order.

    Args:
        pages: Their lines, without running headers and footers.
        outline: Bookmarks as (title, depth from 1); a line with such a title is a heading.
    """
    habits = _Habits(pages)
    titles = {_plain(title): depth for title, depth in outline}
    parts = [part for page in pages for part in _page_parts(page, habits)]
    parts = [_as_heading(part, habits, titles) for part in parts]
    parts = _joined(parts)
    return list(_with_lists(_with_levels(parts, titles)))


def _columns(lines: Sequence[Line]) -> Iterator[list[Line]]:
    column: list[Line] = []
    for line in lines:
        if column and _is_above(line, column[-1]):
            yield column
            column = []
        column.append(line)
    if column:
        yield column


def _is_above(line: Line, other: Line) -> bool:
    return line.bottom < other.top + 0.3 * (other.bottom - other.top)


def _left(column: Sequence[Line]) -> float:
    return min(line.left for line in column)


def _right(column: Sequence[Line]) -> float:
    """Return the right margin: where many lines end, else where nearly all have ended."""
    rights = Counter(round(line.right / 3) for line in column)
    right, count = rights.most_common(1)[0]
    if count >= 3 and 4 * count >= len(column):
        return right * 3.0
    return sorted(line.right for line in column)[len(column) * 9 // 10]


def _page_parts(page: PageText, habits: _Habits) -> Iterator[Part]:
    """Yield the rows of tables, a line each, and the other lines in paragraphs and items."""
    rows = _rows(page.lines)
    for row, lines in groupby(page.lines, key=lambda line: rows.get(id(line))):
        if row is None:
            yield from _paragraphs(list(lines), habits)
        else:
            yield from (Part(BlockKind.ROW, (line,), context=row) for line in lines)


def _rows(lines: Sequence[Line]) -> dict[int, str]:
    """Return the table header for each line, by `id`, that is a row of a table.

    Rows are lines one after the other with cells that begin or end at the same place.
    Entries of a table of contents are rows without a header.
    """
    tables: list[list[Line]] = []
    for a, b in pairwise(lines):
        if _are_aligned(a, b):
            if tables and tables[-1][-1] is a:
                tables[-1].append(b)
            else:
                tables.append([a, b])
    rows = {id(line): "" for line in lines if _LEADERS.search(line.text)}
    for table in tables:
        header = _header(table)
        rows.update((id(line), header) for line in table[1:])
        rows[id(table[0])] = ""
    return rows


def _are_aligned(a: Line, b: Line) -> bool:
    near = 0.6 * max(a.size, b.size)
    return any(
        abs(one.left - other.left) < near or abs(one.right - other.right) < near
        for one in _later_cells(a)
        for other in _later_cells(b)
    )


def _later_cells(line: Line) -> Sequence[Cell]:
    """Return the cells after the first; the text after a bullet is none."""
    first = line.cells[0]
    marker = line.text[first.start : first.end]
    is_item = _BULLET.fullmatch(marker) or _NUMBER.match(marker + " x")
    return line.cells[2:] if is_item else line.cells[1:]


def _header(table: Sequence[Line]) -> str:
    first, *others = table
    is_header = (first.bold and not all(line.bold for line in others)) or (
        not _has_value(first) and sum(map(_has_value, others)) * 2 > len(others)
    )
    if not is_header:
        return ""
    return " | ".join(first.text[cell.start : cell.end].strip() for cell in first.cells)


def _has_value(line: Line) -> bool:
    return any(_VALUE.match(line.text[cell.start : cell.end]) for cell in line.cells)


def _paragraphs(lines: Sequence[Line], habits: _Habits) -> Iterator[Part]:
    block: list[Line] = []
    for line in lines:
        if block and _is_new(block, line, habits):
            yield _part(block)
            block = []
        block.append(line)
    if block:
        yield _part(block)


def _part(block: Sequence[Line]) -> Part:
    return Part(BlockKind.ITEM if _is_item(block[0]) else BlockKind.PARAGRAPH, tuple(block))


def _is_item(first: Line) -> bool:
    return bool(_BULLET.match(first.text) or _NUMBER.match(first.text))


def _is_new(block: Sequence[Line], line: Line, habits: _Habits) -> bool:
    """Return whether `line` begins a new paragraph, heading or item after `block`."""
    last = block[-1]
    em = line.size or habits.body
    if _BULLET.fullmatch(last.text) and len(block) == 1:
        return False  # the bullet stands alone; this is what it is for
    if _is_above(line, last):
        return not runs_on(last, line)
    if not _same_size(line, last):
        return True
    if line.bottom - last.bottom > 1.25 * habits.pitch * em:
        return True
    if line.bold is not last.bold:
        return not runs_on(last, line)
    if _BULLET.match(line.text):
        return True
    ended = bool(SENTENCE_END.search(last.text))
    is_large = em > _LARGER * habits.body
    if _NUMBER.match(line.text) or ((is_large or line.bold) and _NUMBERED_HEADING.match(line.text)):
        # A full line may be followed by one that begins with "12." by chance.
        return ended or _is_short(last, line, habits) or _is_item(block[0])
    if is_large:
        return False  # a title of several lines
    shift = line.left - last.left
    hanging = len(block) > 1 and block[1].left - block[0].left > 0.8 * em
    if hanging:
        return shift < -0.8 * em
    broken = _is_short(last, line, habits) and (ended or not line.text[:1].islower())
    if shift > 0.8 * em:  # the first line of a paragraph, or the second one of an item
        return broken or (ended and not _is_item(block[0]))
    return broken


def _same_size(a: Line, b: Line) -> bool:
    return abs(a.size - b.size) <= _SAME_SIZE * max(a.size, b.size)


def _is_short(last: Line, line: Line, habits: _Habits) -> bool:
    """Return whether the first word of `line` would have found room behind `last`."""
    word = line.text.split(" ", 1)[0]
    width = (line.right - line.left) * len(word) / len(line.text)
    return habits.margin(last) - last.right > 1.3 * width + line.size


def _as_heading(part: Part, habits: _Habits, titles: dict[str, int]) -> Part:
    if part.kind is BlockKind.ROW or not _looks_like_heading(part, habits, titles):
        return part
    return replace(part, kind=BlockKind.HEADING)


def _looks_like_heading(part: Part, habits: _Habits, titles: dict[str, int]) -> bool:
    text = part.text
    if len(text) > _MAX_HEADING or len(part.lines) > 3 or not any(map(str.isalpha, text)):
        return False
    if _is_in(part, titles):
        return True
    words = len(text.split())
    if part.lines[0].size >= _LARGER * habits.body:
        return not _BULLET.match(text) and not (text.endswith((".", ",", ";")) and words > 6)
    if part.lines[0].size < (1 - _SAME_SIZE) * habits.body or text.endswith((".", ",", ":", ";")):
        return False
    if all(line.bold for line in part.lines) and not habits.is_bold:
        return words <= _MAX_BOLD_HEADING and not text[0].islower() and not _BULLET.match(text)
    number = _NUMBERED_HEADING.match(text)
    if number is None or words > 8 or len(part.lines) > 1:
        return False
    # "3.2 Inspections" and "3. SCOPE" need no emphasis; "3 lifts were closed" is no heading.
    return "." in number[1] or text.isupper()


def _joined(parts: Sequence[Part]) -> list[Part]:
    """Join a paragraph that goes on in the next column or on the next page."""
    joined: list[Part] = []
    for part in parts:
        before = joined[-1] if joined else None
        if (
            before is not None
            and before.kind in (BlockKind.PARAGRAPH, BlockKind.ITEM)
            and part.kind is BlockKind.PARAGRAPH
            and part.lines[0].page == before.lines[-1].page + 1
            and _same_size(part.lines[0], before.lines[-1])
            and runs_on(before.lines[-1], part.lines[0])
        ):
            joined[-1] = replace(before, lines=before.lines + part.lines)
        else:
            joined.append(part)
    return joined


def _with_levels(parts: Sequence[Part], titles: dict[str, int]) -> Iterator[Part]:
    """Give headings their levels: by the outline, by their numbers, else by size."""
    headings = [part for part in parts if part.kind is BlockKind.HEADING]
    ranks = {style: rank for rank, style in enumerate(sorted(set(map(_style, headings))), 1)}
    # A title that stands above the numbered sections, or the outline, moves them down.
    numbered = [(_depth(part), ranks[_style(part)]) for part in headings if _depth(part)]
    depth, rank = min(numbered, default=(0, 0))
    shift = max(rank - depth, 0)
    depths = {_style(part): titles[_plain(part.text)] for part in headings if _is_in(part, titles)}
    below_title = 1 not in map(ranks.__getitem__, depths)
    outlined = {style: depth + below_title for style, depth in depths.items()}
    current = 0
    for part in parts:
        if part.kind is BlockKind.HEADING:
            style = _style(part)
            if _is_in(part, titles):
                level = current = titles[_plain(part.text)] + below_title
            elif style in outlined:
                level = current = outlined[style]
            else:
                level = _depth(part) + shift if _depth(part) else ranks[style]
                level = max(level, current + 1) if outlined else level
            part = replace(part, level=min(level, 6))
        yield part


def _is_in(part: Part, titles: dict[str, int]) -> bool:
    return _plain(part.text) in titles


def _style(part: Part) -> tuple[float, bool]:
    """Return what sorts headings, the most prominent first."""
    return -round(part.lines[0].size * 2) / 2, not part.lines[0].bold


def _depth(part: Part) -> int:
    """Return how many numbers "3.2 Inspections" begins with; 0 for none."""
    number = _NUMBERED_HEADING.match(part.text)
    return number[1].count(".") + 1 if number else 0


def _with_lists(parts: Iterator[Part]) -> Iterator[Part]:
    """Give items what leads to them and the level of their indentation."""
    path = ListPath()
    lefts: list[float] = []
    for part in parts:
        first = part.lines[0]
        if part.kind is BlockKind.ITEM:
            while lefts and first.left < lefts[-1] - 0.5 * first.size:
                lefts.pop()
            if not lefts or first.left > lefts[-1] + 0.5 * first.size:
                lefts.append(first.left)
            part = replace(part, level=len(lefts), context=path.enter(len(lefts), part.text))
        elif not lefts or first.left < lefts[-1] + 0.5 * first.size:
            # What stands further in than an item belongs to it; the list goes on below.
            path = ListPath(part.text if part.kind is BlockKind.PARAGRAPH else "")
            lefts = []
        yield part


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
