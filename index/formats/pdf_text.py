"""Characters of a PDF page put into lines, each with its place on the page.

PDFium is not thread-safe: every call to it, here and in `pdf.py`, is made under `LOCK`.
"""

from __future__ import annotations

import ctypes
import re
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium_c

from index.errors import FormatError

__all__ = [
    "LOCK",
    "SENTENCE_END",
    "Affine",
    "Cell",
    "Line",
    "PageText",
    "page_to_view",
    "read_page",
    "runs_on",
]

LOCK = threading.RLock()
SENTENCE_END = re.compile(r"[.!?:;…][\"'”’»)\]\d]*$")

_HYPHEN = 0x02  # what PDFium makes of a hyphen that divides a word at a line's end
_BOLD = re.compile(r"bold|black|heavy|demi|cmbx", re.IGNORECASE)
_BOLD_WEIGHT = 600
_SAMPLES = 5  # characters whose font is asked for, a line
_SCALE = 1_000_000
# A newspaper's page has 30,000. Each takes some 600 bytes until its page is put into lines.
_MAX_PAGE_CHARACTERS = 500_000


class Affine(NamedTuple):
    """A mapping of points: x' = a·x + c·y + e, y' = b·x + d·y + f."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def box(
        self, left: float, bottom: float, right: float, top: float
    ) -> tuple[float, float, float, float]:
        """Return (left, top, right, bottom) of the mapped rectangle, y downwards."""
        x1, y1 = self.a * left + self.c * bottom + self.e, self.b * left + self.d * bottom + self.f
        x2, y2 = self.a * right + self.c * top + self.e, self.b * right + self.d * top + self.f
        return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


class Cell(NamedTuple):
    """A piece of a line between wide gaps: characters [start, end) of its text, and edges."""

    start: int
    end: int
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text as it stands on the page.

    Attributes:
        text: Without white space at its ends, with one space where there are more.
        runs: (offset in `text`, index in PDFium's characters of the page, length).
        left, top, right, bottom: In points from the top left corner of the page as shown.
        size: Font size in points.
        bold: Whether all of it is.
        cells: One, or more where wide gaps divide it.
    """

    page: int
    text: str
    runs: tuple[tuple[int, int, int], ...]
    left: float
    top: float
    right: float
    bottom: float
    size: float
    bold: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class PageText:
    """The lines of a page in reading order, and its size as shown, in points.

    `unreadable` counts characters whose font does not say what they mean.
    """

    number: int
    width: float
    height: float
    lines: tuple[Line, ...]
    unreadable: int = 0


class _Glyph(NamedTuple):
    text: str
    at: int  # in PDFium's characters of the page
    left: float
    top: float
    right: float
    bottom: float


def page_to_view(page: Any) -> Affine:  # noqa: ANN401 - pypdfium2 ships no types
    """Return the mapping from PDF coordinates to points from the top left of the page as shown.

    Rotation and CropBox are taken into account.
    """
    width, height = page.get_size()
    x, y = ctypes.c_int(), ctypes.c_int()

    def view(px: float, py: float) -> tuple[float, float]:
        pdfium_c.FPDF_PageToDevice(page, 0, 0, _SCALE, _SCALE, 0, px, py, x, y)
        return x.value / _SCALE * width, y.value / _SCALE * height

    (e, f), (ax, ay), (cx, cy) = view(0, 0), view(1000, 0), view(0, 1000)
    a, b, c, d = (ax - e) / 1000, (ay - f) / 1000, (cx - e) / 1000, (cy - f) / 1000
    return Affine(a, b, c, d, e, f)


def runs_on(last: Line, line: Line) -> bool:
    """Return whether a sentence seems to go on from `last` to `line`."""
    return not SENTENCE_END.search(last.text) and line.text.lstrip("\"'“‘«(")[:1].islower()


def read_page(page: Any, number: int) -> PageText:  # noqa: ANN401 - pypdfium2 ships no types
    """Return the text of an open page; the caller holds `LOCK`.

    Raises:
        FormatError: It has more characters than any page that people read.
    """
    width, height = page.get_size()
    textpage = page.get_textpage()
    try:
        if (count := textpage.count_chars()) > _MAX_PAGE_CHARACTERS:
            raise FormatError(
                f"too long: page {number} has {count:,} characters, "
                f"the limit is {_MAX_PAGE_CHARACTERS:,}"
            )
        rows, unreadable = _read_rows(textpage, page_to_view(page))
        rows = list(_unweave(rows))
        lines = tuple(_line(textpage, number, row) for row in rows)
    finally:
        textpage.close()
    return PageText(number, width, height, lines, unreadable)


def _read_rows(textpage: Any, view: Affine) -> tuple[list[list[_Glyph]], int]:  # noqa: ANN401
    """Return the visible lines, glyph by glyph, and how many characters are unreadable."""
    rows: list[list[_Glyph]] = []
    row: list[_Glyph] = []
    unreadable = 0
    rect = pdfium_c.FS_RECTF()
    count = textpage.count_chars()
    codes = [_code(textpage, index) for index in range(count)]
    unmapped = _unmapped(textpage, codes)
    for index, code in enumerate(codes):
        if code in (0x0A, 0x0D) and index not in unmapped:
            rows.append(row)
            row = []
            continue
        text = "\ufffd" if index in unmapped else _character(codes, index)
        if not text or _is_unreadable(text):
            unreadable += not 0xDC00 <= code < 0xE000 and code != 0
        if not text:
            continue
        pdfium_c.FPDFText_GetLooseCharBox(textpage, index, rect)
        box = view.box(rect.left, rect.bottom, rect.right, rect.top)
        glyph = _Glyph(text, index, *box)
        if row and not text.isspace() and _is_elsewhere(row, glyph):
            rows.append(row)
            row = []
        # One space is enough, and none at the beginning.
        if not text.isspace() or (row and not row[-1].text.isspace()):
            row.append(glyph)
        if code == _HYPHEN:  # PDFium leaves out the line end behind it
            rows.append(row)
            row = []
    rows.append(row)
    for row in rows:
        while row and row[-1].text.isspace():
            row.pop()
    return [row for row in rows if row], unreadable


def _unmapped(textpage: Any, codes: Sequence[int]) -> frozenset[int]:  # noqa: ANN401
    """Return which characters have fonts that do not say what they are: numbers of glyphs.

    PDFium gives the number as if it were the character. Where most of these are small letters,
    as with the bitmap fonts of old TeX, that is what was meant.
    """
    found = [
        index
        for index, code in enumerate(codes)
        if code != 0x20 and pdfium_c.FPDFText_HasUnicodeMapError(textpage, index) == 1
    ]
    small = sum(0x61 <= codes[index] <= 0x7A for index in found)
    return frozenset() if 2 * small > len(found) else frozenset(found)


def _code(textpage: Any, index: int) -> int:  # noqa: ANN401
    code = int(pdfium_c.FPDFText_GetUnicode(textpage, index))
    if code in (_HYPHEN, 0xFFFE):  # a font without a character map can have such codes too
        return _HYPHEN if pdfium_c.FPDFText_IsHyphen(textpage, index) == 1 else 0x01
    return code


def _character(codes: Sequence[int], index: int) -> str:
    """Return the character at `index`, or "" where it is none or the second half of one."""
    code = codes[index]
    if code == _HYPHEN:
        return "-"
    if 0xD800 <= code < 0xDC00:
        low = codes[index + 1] if index + 1 < len(codes) else 0
        if 0xDC00 <= low < 0xE000:
            return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00))
        return ""
    if 0xDC00 <= code < 0xE000 or code > 0x10FFFF or code & 0xFFFE == 0xFFFE:
        return ""
    character = chr(code)
    category = unicodedata.category(character)
    if character.isspace():
        return character if category == "Zs" else " "
    return "" if category == "Cc" else character


def _is_unreadable(text: str) -> bool:
    # Symbol fonts keep their bullets in the private U+F0xx; those are meant.
    return text == "\ufffd" or (
        unicodedata.category(text) == "Co" and not "\uf000" <= text <= "\uf0ff"
    )


def _is_elsewhere(row: list[_Glyph], glyph: _Glyph) -> bool:
    """Return whether `glyph` stands on another line than `row` though PDFium saw no line end."""
    last = next((each for each in reversed(row) if not each.text.isspace()), None)
    if last is None or (glyph.top < last.bottom and last.top < glyph.bottom):
        return False
    height = last.bottom - last.top
    if glyph.left < last.left - height:
        return True
    return glyph.left > last.right and abs(glyph.top - last.top) > 3 * height


def _cells(row: Sequence[_Glyph]) -> list[tuple[int, int]]:
    """Return the pieces [start, end) of a row between gaps wider than the line is high."""
    visible = [at for at, glyph in enumerate(row) if not glyph.text.isspace()]
    cells = []
    start = visible[0]
    for at, after in pairwise(visible):
        height = row[at].bottom - row[at].top
        if row[after].left - row[at].right > height:
            cells.append((start, at + 1))
            start = after
    return [*cells, (start, visible[-1] + 1)]


def _unweave(rows: list[list[_Glyph]]) -> Iterator[list[_Glyph]]:
    """Put two columns one after the other where the file draws them line by line across.

    Columns of prose are meant: at least five lines are divided at the same place with four
    or more words a line on both sides. Rows of a table stay together.
    """
    gutter = _gutter(rows)
    if gutter is None:
        yield from rows
        return
    lefts: list[list[_Glyph]] = []
    rights: list[list[_Glyph]] = []
    for row in rows:
        at = next((at for at, glyph in enumerate(row) if glyph.left >= gutter), len(row))
        if any(glyph.right > gutter and not glyph.text.isspace() for glyph in row[:at]):
            yield from (*lefts, *rights, row)  # runs across both columns
            lefts, rights = [], []
            continue
        left = row[:at]
        while left and left[-1].text.isspace():
            left = left[:-1]
        lefts += [left] if left else []
        rights += [row[at:]] if row[at:] else []
    yield from (*lefts, *rights)


def _gutter(rows: list[list[_Glyph]]) -> float | None:
    """Return where the right one of two interwoven columns begins, or None."""
    halves = []
    for row in rows:
        cells = _cells(row)
        if len(cells) == 2:
            (_, end), (start, _) = cells
            halves.append((row[:end], row[start:]))
    if len(halves) < 5:
        return None
    ends = max(left[-1].right for left, _ in halves)
    begins = min(right[0].left for _, right in halves)
    words = [
        sum(glyph.text.isspace() for half in halves for glyph in half[side]) for side in (0, 1)
    ]
    return begins - 0.1 if ends < begins and min(words) >= 3 * len(halves) else None


def _line(textpage: Any, number: int, row: list[_Glyph]) -> Line:  # noqa: ANN401
    visible = [glyph for glyph in row if not glyph.text.isspace()]
    step = max(len(visible) // _SAMPLES, 1)
    samples = visible[step // 2 :: step][:_SAMPLES]
    sizes = sorted(_size(textpage, glyph.at) for glyph in samples)
    return Line(
        page=number,
        text="".join(glyph.text for glyph in row),
        runs=tuple(_runs(row)),
        left=min(glyph.left for glyph in visible),
        top=min(glyph.top for glyph in visible),
        right=max(glyph.right for glyph in visible),
        bottom=max(glyph.bottom for glyph in visible),
        size=sizes[len(sizes) // 2],
        bold=all(_is_bold(textpage, glyph.at) for glyph in samples),
        cells=tuple(
            Cell(start, end, row[start].left, row[end - 1].right) for start, end in _cells(row)
        ),
    )


def _runs(row: Sequence[_Glyph]) -> Iterator[tuple[int, int, int]]:
    start = 0
    for at in range(1, len(row) + 1):
        if at == len(row) or row[at].at != row[at - 1].at + 1:
            yield start, row[start].at, at - start
            start = at


def _size(textpage: Any, index: int) -> float:  # noqa: ANN401
    """Return the font size on the page: many files set size 1 and scale the text's matrix."""
    matrix = pdfium_c.FS_MATRIX()
    size = float(pdfium_c.FPDFText_GetFontSize(textpage, index))
    if pdfium_c.FPDFText_GetMatrix(textpage, index, matrix):
        size *= hypot(matrix.c, matrix.d)
    return round(size, 1)


def _is_bold(textpage: Any, index: int) -> bool:  # noqa: ANN401
    if pdfium_c.FPDFText_GetFontWeight(textpage, index) >= _BOLD_WEIGHT:
        return True
    name = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()
    pdfium_c.FPDFText_GetFontInfo(textpage, index, name, len(name), flags)
    return bool(_BOLD.search(name.value.decode("utf-8", "replace")))
