"""Pages of a PDF as they are printed: an image, and where some words stand on it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.formats.pdf import Box  # at run time: the description of the API names its type

if TYPE_CHECKING:
    from index.types import Document, DocumentInfo

__all__ = ["SCALES", "PageView", "SourcePages", "nearest_scale"]

SCALES = (1.0, 1.5, 2.0, 3.0, 4.0)  # pixels a point; few, so that a picture is drawn once for all
_IMAGE_BYTES = 32_000_000  # of pictures kept, about 150 kB each


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
    """Draws pages of files that are known to be the indexed ones, and keeps the latest images."""

    def __init__(self) -> None:
        self._images: OrderedDict[tuple[int, int, float], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def view(
        self, info: DocumentInfo, content: Document, number: int, spans: Sequence[tuple[int, int]]
    ) -> PageView:
        """Return page `number` with the boxes of `spans`.

        Raises:
            FormatError: The page cannot be read.
            OSError: Nor can the file.
        """
        from index.formats.pdf import boxes_of, page_size

        assert info.file is not None
        page = content.pages[number - 1]
        width, height = page_size(info.file, number)
        found = boxes_of(info.file, page, spans)
        return PageView(
            number=number,
            pages=len(content.pages),
            width=round(width, 2),
            height=round(height, 2),
            image=f"page/{info.id}-{info.text_hash[:12]}/{number}.png",
            start=page.start,
            end=page.end,
            boxes=tuple(map(tuple, found)),
        )

    def image(self, info: DocumentInfo, number: int, scale: float) -> bytes:
        """Return page `number` as PNG.

        Raises:
            FormatError: The page cannot be read.
            OSError: Nor can the file.
        """
        from index.formats.pdf import page_image

        assert info.file is not None
        key = (info.id, number, scale)  # two files with one text may look different
        with self._lock:
            if key in self._images:
                self._images.move_to_end(key)
                return self._images[key]
        data = page_image(info.file, number, scale=scale)
        with self._lock:
            if key not in self._images:
                self._images[key] = data
                self._bytes += len(data)
            while self._bytes > _IMAGE_BYTES and len(self._images) > 1:
                _, oldest = self._images.popitem(last=False)
                self._bytes -= len(oldest)
        return data


def nearest_scale(wanted: float) -> float:
    """Return the smallest of `SCALES` that is as sharp as `wanted`, or the largest."""
    return next((scale for scale in SCALES if scale >= wanted), SCALES[-1])
