"""Pages of a PDF as they are printed: an image, and where some words stand on it."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BufferedReader
from typing import TYPE_CHECKING, TypeVar

from index.errors import ParserEndedError
from index.formats.pages import Box, draw_page, find_on_page
from qa.web.latest import Latest
from qa.web.source_files import stamp_of

if TYPE_CHECKING:
    from index.types import Document, DocumentInfo

__all__ = ["SCALES", "PageView", "SourcePages", "nearest_scale"]

T = TypeVar("T")

SCALES = (1.0, 1.5, 2.0, 3.0, 4.0)  # pixels a point; few, so that a picture is drawn once for all
_IMAGE_BYTES = 32_000_000  # of pictures kept, about 150 kB each
_REFUSALS = 1_000  # remembered, so that a page made to take long does so once …
_REFUSED_SECONDS = 600.0  # … in a while: perhaps the machine was busy with something else


@dataclass(frozen=True, slots=True)
class PageView:
    """A page: its size in points, the address of its image, and boxes in percent of it.

    Attributes:
        image: Relative to the root of the API; `?scale=` asks for 1, 1.5, 2, 3 or 4 dots a point.
        start, end: The page's characters in the document's text.
        boxes: For each span that was asked about, a box a line; none where it is elsewhere.
    """

    number: int
    pages: int
    width: float
    height: float
    image: str
    start: int
    end: int
    boxes: tuple[tuple[Box, ...], ...]


class SourcePages:
    """Has pages drawn of open files; keeps the latest images, by the state of the file.

    Args:
        clock: Seconds that only go forward.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._images: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._refused: Latest[tuple[object, ...], tuple[str, float]] = Latest(_REFUSALS)
        self._bytes = 0
        self._lock = threading.Lock()

    def view(
        self,
        info: DocumentInfo,
        file: BufferedReader,
        content: Document,
        number: int,
        spans: Sequence[tuple[int, int]],
    ) -> PageView:
        """Return page `number` with the boxes of `spans`.

        Raises:
            FormatError: The page cannot be read, or that takes too much.
            ParsersBusyError: Others have too many pages drawn.
        """
        page, key = content.pages[number - 1], ("view", info.id, *stamp_of(file), number)
        found = self._once(key, lambda: find_on_page(_from_its_start(file), page, spans))
        return PageView(
            number=number,
            pages=len(content.pages),
            width=round(found.width, 2),
            height=round(found.height, 2),
            image=f"page/{info.id}-{info.text_hash[:12]}/{number}.png",
            start=page.start,
            end=page.end,
            boxes=found.boxes,
        )

    def image(self, info: DocumentInfo, file: BufferedReader, number: int, scale: float) -> bytes:
        """Return page `number` as PNG.

        Raises:
            FormatError: The page cannot be read, or that takes too much.
            ParsersBusyError: Others have too many pages drawn.
        """
        # Two files with one text may look different, and so may one file from one day to the next.
        key = (info.id, *stamp_of(file), number, scale)
        with self._lock:
            if key in self._images:
                self._images.move_to_end(key)
                return self._images[key]
        data = self._once(key, lambda: draw_page(_from_its_start(file), number, scale=scale))
        with self._lock:
            if key not in self._images:
                self._images[key] = data
                self._bytes += len(data)
            while self._bytes > _IMAGE_BYTES and len(self._images) > 1:
                _, oldest = self._images.popitem(last=False)
                self._bytes -= len(oldest)
        return data

    def _once(self, key: tuple[object, ...], work: Callable[[], T]) -> T:
        """Do some work, unless it is known to take too much."""
        with self._lock:
            reason, until = self._refused.get(key, ("", 0.0))
        if reason and self._clock() < until:
            raise ParserEndedError(reason)
        try:
            return work()
        except ParserEndedError as error:
            with self._lock:
                self._refused[key] = error.reason, self._clock() + _REFUSED_SECONDS
            raise


def _from_its_start(file: BufferedReader) -> int:
    # Where a descriptor leads to one that is open already, both read on from the same place.
    return os.lseek(file.fileno(), 0, os.SEEK_SET) or file.fileno()


def nearest_scale(wanted: float) -> float:
    """Return the smallest of `SCALES` that is as sharp as `wanted`, or the largest."""
    return next((scale for scale in SCALES if scale >= wanted), SCALES[-1])
