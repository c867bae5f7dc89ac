"""Which lines of a PDF are running headers, footers and page numbers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from index.formats.pdf_text import Line, PageText, runs_on

__all__ = ["without_running_lines"]

_ZONE = 0.12  # share of the page's height at its top and at its bottom
_SET_OFF = 0.7  # gap between a running line and the text, in heights of a line
_LARGE = 1.12  # against the body's font size
_MANY_PAGES = 3
_NUMBER = re.compile(r"(?<!\d)\d{1,9}(?!\d)")  # a longer one counts no pages
_MAX_NUMBERS = 6
_PAGE_NUMBER = re.compile(
    r"\W*(?:page|p\.|seite|página|pagina)?\s*(\d{1,4})(?:\s*(?:/|of|von|de|di)\s*(\d{1,4}))?\W*",
    re.IGNORECASE,
)
_ROMAN = re.compile("[ivxl]{1,7}")


def without_running_lines(pages: Sequence[PageText]) -> list[PageText]:
    """Return the pages without what repeats at their edges.

    A line goes if it is among the outermost lines of its page, lies in the top or bottom
    eighth, is set off from the text by a gap or its font, and stands in the same place with
    the same words on three pages, or on two that are half of all or all left or right ones.
    One number in it may count the pages. A page number that is right goes even where it
    stands on a single page. If all that a document has would go, nothing does.
    """
    enough = max(min(_MANY_PAGES, (len(pages) + 1) // 2), 2)
    sides = [{page.number for page in pages[side::2]} for side in (0, 1)]
    body = median([line.size for page in pages for line in page.lines] or [0])
    on_pages: dict[tuple[object, ...], set[int]] = defaultdict(set)
    for page in pages:
        for line in page.lines:
            for key in _keys(page, line, body):
                on_pages[key].add(page.number)

    def runs(page: PageText, line: Line) -> bool:
        for key in _keys(page, line, body):
            found = on_pages[key]
            if len(found) >= enough or (len(found) > 1 and any(found >= side for side in sides)):
                return True
        return _zone(page, line) is not None and _is_page_number(line, page.number, len(pages))

    bodies = []
    for page in pages:
        edge = {id(line) for line in _edge_lines(page) if runs(page, line)}
        outer = _outermost(page, edge, body)
        bodies.append(tuple(line for line in page.lines if id(line) not in outer))
    if not any(bodies):
        return list(pages)
    return [replace(page, lines=lines) for page, lines in zip(pages, bodies, strict=True)]


def _zone(page: PageText, line: Line) -> str | None:
    if line.bottom <= page.height * _ZONE:
        return "top"
    return "bottom" if line.top >= page.height * (1 - _ZONE) else None


def _edge_lines(page: PageText) -> Iterator[Line]:
    return (line for line in page.lines if _zone(page, line) is not None)


def _keys(page: PageText, line: Line, body: float) -> Iterator[tuple[object, ...]]:
    """Yield what is the same on all pages if the line is a running one.

    The words as they are, and for every number in them the words with its distance from the
    number of the page: "Total 120" on page 1 and "Total 80" on page 2 have no key in common,
    "Page 7" on page 1 and "Page 8" on page 2 do.
    """
    zone = _zone(page, line)
    if zone is None:
        return
    # Odd and even pages may mirror their headers, so only the height counts as the place.
    place = (zone, round(line.bottom / 6))
    text = " ".join(line.text.casefold().split())
    yield (*place, text)
    # "Step 1", "Step 2" in large or bold letters at the heads of pages are headings.
    if (line.bold or line.size > _LARGE * body) and not _PAGE_NUMBER.fullmatch(text):
        return
    for number in list(_NUMBER.finditer(text))[:_MAX_NUMBERS]:
        distance = int(number[0]) - page.number
        yield (*place, text[: number.start()], distance, text[number.end() :])
        # A number that counts the pages at an end of the line tells enough: the words beside
        # it may be the title of a chapter.
        if number.start() == 0 or number.end() == len(text):
            yield (*place, number.start() == 0, distance)


def _is_page_number(line: Line, number: int, pages: int) -> bool:
    if pages > 1 and _ROMAN.fullmatch(line.text):
        return True
    match = _PAGE_NUMBER.fullmatch(line.text)
    if match is None or int(match[1]) != number:
        return False
    return pages > 1 if match[2] is None else int(match[2]) == pages


def _outermost(page: PageText, running: set[int], body: float) -> set[int]:
    """Return those of `running` that are set off from the text, seen from the page's edges."""
    outer: set[int] = set()
    by_height = sorted(page.lines, key=_top)
    for zone, lines in (("top", by_height), ("bottom", by_height[::-1])):
        count = 0
        while count < len(lines) and id(lines[count]) in running:
            if _zone(page, lines[count]) != zone or _is_prose(lines[count : count + 2], body):
                break
            count += 1
        # Pages that begin alike have no header: their first line is as close to the next
        # one as any other.
        while 0 < count < len(lines) and not _set_off(lines[count - 1], lines[count]):
            count -= 1
        outer.update(map(id, lines[:count]))
    return outer


def _is_prose(lines: Sequence[Line], body: float) -> bool:
    """Return whether a sentence in the body's letters goes on over two neighbouring lines."""
    upper, lower = min(lines, key=_top), max(lines, key=_top)
    return abs(lines[0].size - body) <= 0.05 * body and runs_on(upper, lower)


def _top(line: Line) -> float:
    return line.top


def _set_off(line: Line, text: Line) -> bool:
    height = max(line.bottom - line.top, text.bottom - text.top)
    gap = max(line.top - text.bottom, text.top - line.bottom)
    return (
        gap > _SET_OFF * height
        or abs(line.size - text.size) > 0.05 * text.size
        or line.bold is not text.bold
        or _PAGE_NUMBER.fullmatch(line.text) is not None
    )
