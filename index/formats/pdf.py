"""PDF: text by PDFium with the place of every character, and pages as pictures.

`Page.runs` of a document made here lead from its text back to the page: `boxes` turns any
part of the text into rectangles.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from index.errors import FormatError
from index.formats.builder import DocumentBuilder
from index.formats.dates import find_date
from index.formats.pages import Box
from index.formats.pdf_layout import Part, lay_out
from index.formats.pdf_running import without_running_lines
from index.formats.pdf_text import LOCK, PageText, page_to_view, read_page
from index.formats.registry import Limits
from index.formats.titles import chosen_title
from index.types import Block, BlockKind, Document, Page

__all__ = ["Box", "boxes", "boxes_of", "page_image", "page_size", "parse"]

_TAIL = 64 * 1024  # bytes at the end in which a whole file has its mark
_MAX_BOOKMARKS = 50_000  # they only help to find headings
_MAX_PIXELS = 16_000_000
_UNREADABLE_SHARE = 0.2  # of a page's characters, from which on the report warns
_SAYS = re.compile(r"[^\s\ufffd]")
_PDF_DATE = re.compile(r"(?:D:)?(\d{4})(\d{2})(\d{2})")


def parse(path: Path, limits: Limits) -> Document:
    """Return the document in a PDF file.

    Every character of the text comes from the file but for the white space between lines and
    blocks; running headers, footers and page numbers are left out. A hyphen that divides a
    word at the end of a line stays, followed by a line end.

    Raises:
        FormatError: Encrypted, damaged, too long, or without any text.
        OSError: The file cannot be read.
    """
    _check_whole(path)
    with _open(path) as pdf:
        count = len(pdf)
        if count > limits.max_pages:
            raise FormatError(f"too long: {count:,} pages, the limit is {limits.max_pages:,}")
        outline = _outline(pdf)
        stated_title, stated_date = _metadata(pdf)
        pages, broken = _read_pages(pdf, count, limits)
    if not any(page.lines for page in pages):
        if len(broken) == count:
            raise FormatError("damaged PDF")
        raise FormatError("no text: scanned pages without a text layer")
    if not any(_SAYS.search(line.text) for page in pages for line in page.lines):
        raise FormatError("no text: its fonts do not say what their characters are")
    bodies = without_running_lines(pages)
    builder = DocumentBuilder(limits)
    parts = lay_out(bodies, outline)
    placed = _place(builder, parts, count)
    head = builder.build().text[: placed[0].end] if placed else ""
    return builder.build(
        title=stated_title or _largest_heading(parts),
        date=find_date(head) or stated_date,
        pages=placed,
        warnings=_warnings(pages, broken),
    )


def page_image(path: Path, page_number: int, *, scale: float = 2.0) -> bytes:
    """Return page `page_number` (from 1) as a PNG, `scale` times 72 dots an inch.

    Pages of enormous size are drawn smaller, at 16 million dots.

    Raises:
        FormatError: The file is damaged or has no such page.
        OSError: The file cannot be read.
    """
    with _open(path) as pdf, LOCK, _page(pdf, page_number) as page:
        width, height = page.get_size()
        most = (_MAX_PIXELS / max(width * height, 1)) ** 0.5
        bitmap = page.render(scale=min(scale, most))
        try:
            picture = bitmap.to_pil().copy()
        finally:
            bitmap.close()
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def page_size(path: Path, page_number: int) -> tuple[float, float]:
    """Return width and height of a page as shown, in points (72 an inch).

    Raises:
        FormatError: The file is damaged or has no such page.
        OSError: The file cannot be read.
    """
    with _open(path) as pdf, LOCK, _page(pdf, page_number) as page:
        width, height = page.get_size()
    return width, height


def boxes(path: Path, page: Page, start: int, end: int) -> list[Box]:
    """Return where characters [start, end) of the document's text stand on `page`.

    One box a line, top to bottom as the text runs; none where the span is not on the page.

    Raises:
        FormatError: The file is damaged or has no such page.
        OSError: The file cannot be read.
    """
    return boxes_of(path, page, [(start, end)])[0]


def boxes_of(path: Path, page: Page, spans: Sequence[tuple[int, int]]) -> list[list[Box]]:
    """Return the boxes of each of the spans, as `boxes` does; the file is opened once.

    Raises:
        FormatError: The file is damaged or has no such page.
        OSError: The file cannot be read.
    """
    places = [list(_page_spans(page.runs, start, end)) for start, end in spans]
    if not any(places):
        return [[] for _ in places]
    with _open(path) as pdf, LOCK, _page(pdf, page.number) as opened:
        width, height = opened.get_size()
        view = page_to_view(opened)
        textpage = opened.get_textpage()
        try:
            rects = [
                [
                    view.box(*textpage.get_rect(at))
                    for first, length in place
                    for at in range(textpage.count_rects(first, length))
                ]
                for place in places
            ]
        finally:
            textpage.close()
    return [[_percent(rect, width, height) for rect in _by_line(group)] for group in rects]


def _check_whole(path: Path) -> None:
    """Refuse a file that was cut short: PDFium would repair it and leave pages out."""
    with path.open("rb") as file:
        head = file.read(1024)
        file.seek(max(file.seek(0, io.SEEK_END) - _TAIL, 0))
        tail = file.read()
    if b"%PDF-" not in head:
        raise FormatError("not a PDF file")
    if b"startxref" not in tail:
        raise FormatError("damaged PDF: its end is missing")


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    with LOCK:
        try:
            pdf = pdfium.PdfDocument(path if _has_utf8_name(path) else path.read_bytes())
        except pdfium.PdfiumError as error:
            if error.err_code in (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY):
                raise FormatError("encrypted; save a copy without a password") from error
            raise FormatError("damaged PDF") from error
    try:
        yield pdf
    finally:
        with LOCK:
            pdf.close()


def _has_utf8_name(path: Path) -> bool:
    """Return whether PDFium can open the file by its name."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def _page(pdf: Any, number: int) -> Iterator[Any]:  # noqa: ANN401 - pypdfium2 ships no types
    if not 1 <= number <= len(pdf):
        raise FormatError(f"no page {number}; the file has {len(pdf)}")
    try:
        page = pdf[number - 1]
    except pdfium.PdfiumError as error:
        raise FormatError(f"page {number} is damaged") from error
    try:
        yield page
    finally:
        page.close()


def _read_pages(
    pdf: Any,  # noqa: ANN401
    count: int,
    limits: Limits,
) -> tuple[list[PageText], list[int]]:
    """Return the text of all pages, and the numbers of those that cannot be read."""
    pages = []
    broken = []
    characters = 0
    for number in range(1, count + 1):
        # The lock is taken page by page: pictures can be drawn while a long file is read.
        with LOCK:
            try:
                with closing(pdf[number - 1]) as page:
                    text = read_page(page, number)
            except pdfium.PdfiumError:
                broken.append(number)
                text = PageText(number, 0, 0, ())
        characters += sum(len(line.text) for line in text.lines)
        if characters > limits.max_characters:
            raise FormatError(f"too long: more than {limits.max_characters:,} characters")
        pages.append(text)
    return pages, broken


def _place(builder: DocumentBuilder, parts: Sequence[Part], count: int) -> list[Page]:
    """Add the parts to the document and return its pages with the way back to the file."""
    runs: list[list[tuple[int, int, int]]] = [[] for _ in range(count)]
    spans: dict[int, tuple[int, int]] = {}
    for part in parts:
        block = _add(builder, part)
        if block is None:
            continue
        offset = block.start
        for line in part.lines:
            end = offset + len(line.text)
            spans[line.page] = (spans.get(line.page, (offset, end))[0], end)
            runs[line.page - 1] += [
                (offset + start, index, length) for start, index, length in line.runs
            ]
            offset = end + 1
    pages = []
    end = 0
    for number in range(1, count + 1):
        start, end = spans.get(number, (end, end))
        pages.append(Page(number, start, end, tuple(runs[number - 1])))
    return pages


def _add(builder: DocumentBuilder, part: Part) -> Block | None:
    page = part.lines[0].page
    if part.kind is BlockKind.HEADING:
        return builder.heading(part.text, part.level, page=page)
    if part.kind is BlockKind.ITEM:
        return builder.item(part.text, part.level, part.context, page=page)
    if part.kind is BlockKind.ROW:
        return builder.row([part.text], part.context, page=page)
    return builder.paragraph(part.text, page=page, context=part.context)


def _outline(pdf: Any) -> list[tuple[str, int]]:  # noqa: ANN401
    """Return the bookmarks as (title, depth from 1), the first ones where they are very many."""
    with LOCK:
        bookmarks = islice(pdf.get_toc(), _MAX_BOOKMARKS)
        titles = [(_stated(bookmark.get_title), bookmark.level + 1) for bookmark in bookmarks]
    return [(title, depth) for title, depth in titles if title]


def _metadata(pdf: Any) -> tuple[str, str | None]:  # noqa: ANN401
    """Return the title, empty unless a person may have written it, and the day it was made."""
    with LOCK:
        title, *days = (
            _stated(pdf.get_metadata_value, key) for key in ("Title", "CreationDate", "ModDate")
        )
    return chosen_title(title), next(filter(None, map(_iso_day, days)), None)


def _stated(ask: Callable[..., str], *arguments: str) -> str:
    """Return what the file states beside its text, "" where that is not valid Unicode."""
    try:
        return ask(*arguments)
    except UnicodeDecodeError:
        return ""


def _iso_day(text: str) -> str | None:
    match = _PDF_DATE.match(text)
    try:
        return date(*map(int, match.groups())).isoformat() if match else None
    except ValueError:
        return None


def _largest_heading(parts: Sequence[Part]) -> str:
    """Return the largest heading of the first page that has text; the first of equals."""
    if not parts:
        return ""
    first = parts[0].lines[0].page
    headings = [
        part for part in parts if part.kind is BlockKind.HEADING and part.lines[0].page == first
    ]
    return max(headings, key=lambda part: part.lines[0].size).text if headings else ""


def _warnings(pages: Sequence[PageText], broken: Sequence[int]) -> list[str]:
    blank = [page.number for page in pages if not page.lines and page.number not in broken]
    garbled = [
        page.number
        for page in pages
        if page.unreadable > _UNREADABLE_SHARE * sum(len(line.text) for line in page.lines)
        and page.lines
    ]
    return [
        f"{len(numbers)} of {len(pages)} pages {clause} ({_numbers(numbers)})"
        for numbers, clause in (
            (blank, "have no text"),
            (broken, "cannot be read"),
            (garbled, "have fonts that do not say what their characters are"),
        )
        if numbers
    ]


def _numbers(numbers: Sequence[int]) -> str:
    """Return "page 2" or "pages 2, 4-6"."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1].append(number)
        else:
            ranges.append([number])
    names = [str(one[0]) if len(one) == 1 else f"{one[0]}-{one[-1]}" for one in ranges]
    return f"page{'s' if len(numbers) > 1 else ''} {', '.join(names)}"


def _page_spans(
    runs: Iterable[tuple[int, int, int]], start: int, end: int
) -> Iterator[tuple[int, int]]:
    """Yield (index on the page, length) of the parts of the runs that lie in [start, end)."""
    for offset, index, length in runs:
        first, last = max(start, offset), min(end, offset + length)
        if first < last:
            yield index + first - offset, last - first


def _by_line(
    rects: Iterable[tuple[float, float, float, float]],
) -> list[tuple[float, float, float, float]]:
    """Unite rectangles that follow each other on a line."""
    lines: list[tuple[float, float, float, float]] = []
    for left, top, right, bottom in rects:
        if right <= left or bottom <= top:
            continue
        if lines:
            x1, y1, x2, y2 = lines[-1]
            shared = min(y2, bottom) - max(y1, top)
            gap = max(left - x2, x1 - right)
            if 2 * shared > min(y2 - y1, bottom - top) and gap < max(y2 - y1, bottom - top):
                lines[-1] = min(x1, left), min(y1, top), max(x2, right), max(y2, bottom)
                continue
        lines.append((left, top, right, bottom))
    return lines


def _percent(rect: tuple[float, float, float, float], width: float, height: float) -> Box:
    left, right = (min(max(x / width * 100, 0), 100) for x in (rect[0], rect[2]))
    top, bottom = (min(max(y / height * 100, 0), 100) for y in (rect[1], rect[3]))
    return Box(left, top, right - left, bottom - top)
