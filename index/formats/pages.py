"""Pages of a PDF for people to look at: their size, their picture, and where words stand.

Files are as untrusted when they are shown as when they are read, so this happens in the
processes of `index.formats.apart` too, under limits that are short: somebody waits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from index.formats.limits import Limits
from index.types import Page

if TYPE_CHECKING:
    from index.formats.apart import Pool, Reply

T = TypeVar("T")

__all__ = ["PAGE_LIMITS", "Box", "PagePlace", "draw_page", "find_on_page"]

PAGE_LIMITS = Limits(seconds=10)
_AT_ONCE = 2  # pages drawn or searched at the same time; not those that are parsed
_PATIENCE = 15.0  # seconds to wait for other pages
_PNG = b"\x89PNG\r\n\x1a\n"
_MODULES = ("index.formats.pdf", "encodings.utf_16_le", "PIL.Image", "PIL.PngImagePlugin")
_LONGEST_SIDE = 1e6  # points


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page as shown, in percent of its width and height, from the top left."""

    left: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        sides = (self.left, self.top, self.width, self.height)
        if not all(math.isfinite(side) and -1 <= side <= 101 for side in sides):
            raise ValueError("a box is not on its page")


@dataclass(frozen=True, slots=True)
class PagePlace:
    """Width and height of a page as shown, in points (72 an inch), and boxes for each span."""

    width: float
    height: float
    boxes: tuple[tuple[Box, ...], ...]


def draw_page(
    file: Path | int, number: int, *, scale: float, limits: Limits = PAGE_LIMITS
) -> bytes:
    """Return page `number` (from 1) of a PDF as PNG, `scale` times 72 dots an inch.

    Pages of enormous size are drawn smaller, at 16 million dots.

    Args:
        file: The file, or a descriptor of one that is open already.
        number: Of the page.
        scale: Dots a point.
        limits: For the work.

    Raises:
        FormatError: The file is missing, damaged, has no such page, or that takes too much.
        ParsersBusyError: Too many pages are being drawn.
    """
    return _run({"do": "image", "number": number, "scale": scale}, file, limits, _picture)


def find_on_page(
    file: Path | int, page: Page, spans: Sequence[tuple[int, int]], *, limits: Limits = PAGE_LIMITS
) -> PagePlace:
    """Return the size of a page of a PDF, and where parts of the document's text stand on it.

    Args:
        file: The file, or a descriptor of one that is open already.
        page: The page, as it was when the file was read.
        spans: Characters [start, end) of the document's text. A span has a box a line, top to
            bottom as the text runs; none where it is not on the page.
        limits: For the work.

    Raises:
        FormatError: The file is missing, damaged, has no such page, or that takes too much.
        ParsersBusyError: Too many pages are being searched.
    """
    first = min((start for start, _ in spans), default=0)
    last = max((end for _, end in spans), default=0)
    runs = [run for run in page.runs if run[0] < last and run[0] + run[2] > first]
    order = {
        "do": "view",
        "page": [page.number, page.start, page.end, runs],
        "spans": [list(span) for span in spans],
    }
    return _run(order, file, limits, lambda reply: _place(reply, len(spans)))


def _run(
    order: Mapping[str, Any], file: Path | int, limits: Limits, receive: Callable[[Reply], T]
) -> T:
    with _descriptor(file) as descriptor:
        return _pool().run(
            {**order, "modules": _MODULES}, descriptor, limits, receive, patience=_PATIENCE
        )


@contextmanager
def _descriptor(file: Path | int) -> Iterator[int]:
    from index.formats.opening import opened

    if isinstance(file, int):
        yield file
        return
    # A link in the place of a file that was indexed is not followed.
    with opened(file, root=file.parent) as descriptor:
        yield descriptor


def _picture(reply: Reply) -> bytes:
    picture = reply.picture()
    if not picture.startswith(_PNG):
        raise ValueError("no PNG")
    return picture


def _place(reply: Reply, spans: int) -> PagePlace:
    """Return what the answer says; whatever is wrong with it is a ValueError."""
    values = reply.values()
    try:
        width, height = map(float, values["size"])
        boxes = tuple(tuple(Box(*map(float, box)) for box in each) for each in values["boxes"])
    except (KeyError, TypeError) as error:
        raise ValueError("not a size and boxes") from error
    if len(boxes) != spans or not all(0 <= side <= _LONGEST_SIDE for side in (width, height)):
        raise ValueError("a page of no size, or boxes of other spans")
    return PagePlace(width, height, boxes)


@cache
def _pool() -> Pool:
    from index.formats.apart import Pool

    return Pool(_AT_ONCE)
