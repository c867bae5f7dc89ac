"""A citation opened: the document around a quote, as text and as the page it is printed on."""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from index.content import text_hash
from index.errors import DocumentNotFoundError, FormatError, QuothError
from index.types import Citation
from qa.visible import one_line, visible

if TYPE_CHECKING:
    from index import Library
    from index.formats.pdf import Box
    from index.types import Block, Document, DocumentInfo, Page

__all__ = ["BlockView", "PageView", "Reference", "SourceView", "Sources"]

logger = logging.getLogger(f"quoth.{__name__}")

_DOCUMENT = re.compile(r"(\d{1,15})-([0-9a-f]{12})", re.ASCII)
_SPAN = re.compile(r"(\d{1,12})-(\d{1,12})", re.ASCII)

_AROUND = 30_000  # characters shown on each side of a quote
_CONTEXT = 300  # characters in `before` and `after`
_IMAGES = 24  # page images kept, about 150 kB each
_SCALE = 2.0  # pixels a point: sharp on a narrow screen when enlarged


@dataclass(frozen=True, slots=True)
class Reference:
    """What a citation's link says, checked for its form only: anyone can write a link."""

    document: int
    hash: str
    start: int
    end: int

    @classmethod
    def parse(cls, document: str, span: str) -> Reference:
        """Return the reference of `12-ab12cd34ef56` and `100-140`.

        Raises:
            DocumentNotFoundError: It has another form, or the span is empty.
        """
        which, where = _DOCUMENT.fullmatch(document), _SPAN.fullmatch(span)
        if which is None or where is None or int(where[1]) >= int(where[2]):
            raise DocumentNotFoundError("This link is not a citation.")
        return cls(int(which[1]), which[2], int(where[1]), int(where[2]))


@dataclass(frozen=True, slots=True)
class BlockView:
    """A block cut where the quote begins and ends, made visible: `marked` is inside it."""

    kind: str
    level: int
    context: str
    before: str
    marked: str
    after: str


@dataclass(frozen=True, slots=True)
class PageView:
    """The page a quote begins on, with the place of each line of it in percent of the page."""

    number: int
    pages: int
    image: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class SourceView:
    """All that the panel shows of a citation.

    Attributes:
        status: "current", "moved" (the same text under another number or path), "replaced"
            (the file has changed and was indexed again; this is the earlier text) or "gone"
            (the file is missing).
        note: A sentence that says so, or "" while all is as it was.
        before, quote, after: The exact text, a little of it around the quote.
        blocks: The text around the quote by block; `cut_before` and `cut_after` say whether
            the document goes on beyond them.
    """

    document: int
    title: str
    name: str
    path: str
    type: str
    date: str | None
    where: str
    status: str
    note: str
    before: str
    quote: str
    after: str
    blocks: tuple[BlockView, ...]
    cut_before: bool
    cut_after: bool
    page: PageView | None


class Sources:
    """Opens citations of one library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._images: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._originals: OrderedDict[tuple[str, int, int, str], bool] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, reference: Reference) -> SourceView:
        """Return what stands at `reference`.

        Raises:
            DocumentNotFoundError: No document of the library has or had this text, it is
                shorter than the span says, or the document was removed.
        """
        info, status, note = self._find(reference)
        content = self._library.content(info.id)
        start, end = reference.start, reference.end
        if end > len(content.text):
            raise DocumentNotFoundError("This link is not a citation of the document it names.")
        blocks, cut_before, cut_after = _around(content, start, end)
        block = _block_at(content, start)
        citation = Citation(
            info.id, info.path, info.title, start, end, info.text_hash,
            content.page_at(start), block.headings if block else (),
        )  # fmt: skip
        return SourceView(
            document=info.id,
            title=one_line(info.title or info.name),
            name=one_line(info.name),
            path=one_line(info.path),
            type=info.type,
            date=info.date,
            where=one_line(str(citation)),
            status=status,
            note=note,
            before=content.text[max(start - _CONTEXT, 0) : start],
            quote=content.text[start:end],
            after=content.text[end : end + _CONTEXT],
            blocks=blocks,
            cut_before=cut_before,
            cut_after=cut_after,
            page=self._page(info, content, reference) if info.type == "pdf" else None,
        )

    def image(self, document: str, page: int) -> bytes:
        """Return page `page` of the PDF `document` ("12-ab12cd34ef56") as PNG.

        Raises:
            DocumentNotFoundError: There is no such page, or the file is no longer what was
                indexed.
        """
        info, *_ = self._find(Reference.parse(document, "0-1"))
        key = (info.text_hash, page)
        with self._lock:
            if key in self._images:
                self._images.move_to_end(key)
                return self._images[key]
        if not (1 <= page <= info.pages and self._is_original(info)):
            raise DocumentNotFoundError(
                f"There is no page {page} of {one_line(info.name)} to show."
            )
        from index.formats.pdf import page_image

        assert info.file is not None
        data = page_image(info.file, page, scale=_SCALE)
        with self._lock:
            self._images[key] = data
            while len(self._images) > _IMAGES:
                self._images.popitem(last=False)
        return data

    def _find(self, reference: Reference) -> tuple[DocumentInfo, str, str]:
        """Return the document meant, its status and the sentence about it."""
        living = self._library.documents()
        same = [info for info in living if info.text_hash.startswith(reference.hash)]
        for info in same:
            if info.id == reference.document:
                return self._living(info)
        if same:
            return same[0], "moved", f"The same text is now indexed as {one_line(same[0].path)}."
        old = self._library.document(reference.document)
        if not old.text_hash.startswith(reference.hash):
            raise DocumentNotFoundError("This link is not a citation of the document it names.")
        for new in living:
            if (new.source, new.path) == (old.source, old.path):
                return old, "replaced", self._replaced(reference, old, new)
        # What was taken out of the library is not shown, although it may still be on the disk.
        raise DocumentNotFoundError(f"{one_line(old.name)} was removed from the library.")

    def _living(self, info: DocumentInfo) -> tuple[DocumentInfo, str, str]:
        if info.file is not None and not info.file.exists():
            name = one_line(info.name)
            note = f"{name} is no longer where it was; this is the text kept in the index."
            return info, "gone", note
        return info, "current", ""

    def _replaced(self, reference: Reference, old: DocumentInfo, new: DocumentInfo) -> str:
        quote = self._library.text(old.id)[reference.start : reference.end]
        still = "still stand" if quote in self._library.text(new.id) else "no longer stand"
        return (
            f"{one_line(old.name)} has changed since; this is the earlier text. "
            f"The quoted words {still} in the present one."
        )

    def _page(self, info: DocumentInfo, content: Document, reference: Reference) -> PageView | None:
        """Return the printed page, or None where only the text can be shown."""
        page = _page_of(content, reference.start)
        if page is None or info.file is None:
            return None
        try:
            if not self._is_original(info):
                return None
            from index.formats.pdf import boxes

            found = boxes(info.file, page, reference.start, min(reference.end, page.end))
        except (QuothError, OSError) as error:
            logger.info("page %d cannot be drawn: %s", page.number, type(error).__name__)
            return None
        image = f"/api/page/{info.id}-{info.text_hash[:12]}/{page.number}.png"
        return PageView(page.number, info.pages, image, tuple(found))

    def _is_original(self, info: DocumentInfo) -> bool:
        """Return whether the file still gives the text that was indexed.

        Boxes of other words would mark a lie. The answer is kept until the file changes.
        """
        if info.file is None:
            return False
        try:
            stat = info.file.stat()
        except OSError:
            return False
        key = (str(info.file), stat.st_mtime_ns, stat.st_size, info.text_hash)
        with self._lock:
            known = self._originals.get(key)
        if known is None:
            known = _text_hash(info.file) == info.text_hash
            with self._lock:
                self._originals[key] = known
                while len(self._originals) > 1_000:
                    self._originals.popitem(last=False)
        return known


def _text_hash(path: Path) -> str | None:
    from index.formats import read_document

    try:
        text = read_document(path).text
    except (FormatError, OSError):
        return None
    return text_hash(text)


def _around(content: Document, start: int, end: int) -> tuple[tuple[BlockView, ...], bool, bool]:
    """Return the blocks near [start, end) and whether there are more before and after."""
    near = [
        block
        for block in content.blocks
        if block.end > start - _AROUND and block.start < end + _AROUND
    ]
    views = tuple(_view(content.text, block, start, end) for block in near)
    if not near:
        return views, False, False
    return views, near[0] != content.blocks[0], near[-1] != content.blocks[-1]


def _view(text: str, block: Block, start: int, end: int) -> BlockView:
    # A very long block is cut too: a text file without an empty line is one block.
    first, last = max(block.start, start - _AROUND), min(block.end, end + _AROUND)
    a, b = max(start, first), min(end, last)
    if a >= b:
        a = b = last
    return BlockView(
        kind=block.kind.value,
        level=block.level,
        context=one_line(block.context),
        before=visible(text[first:a]),
        marked=visible(text[a:b]),
        after=visible(text[b:last]),
    )


def _block_at(content: Document, offset: int) -> Block | None:
    return next((b for b in content.blocks if b.start <= offset < b.end), None)


def _page_of(content: Document, offset: int) -> Page | None:
    number = content.page_at(offset)
    return next((page for page in content.pages if page.number == number), None)
