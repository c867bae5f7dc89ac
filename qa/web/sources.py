"""A citation opened: which document it means, whether that is as it was, and what stands there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from index.content import text_hash
from index.errors import (
    DocumentNotFoundError,
    LibraryError,
    ParsersBusyError,
    QuestionError,
    QuothError,
)
from index.types import Citation
from qa.text import text as words
from qa.visible import one_line, place
from qa.web.latest import Latest
from qa.web.replies import BusyError
from qa.web.source_files import SourceFiles
from qa.web.source_pages import PageView, SourcePages, nearest_scale
from qa.web.source_reference import Reference
from qa.web.source_search import SearchView, search_source
from qa.web.source_text import OutlineView, SourceText, Stretch

if TYPE_CHECKING:
    from index import Library
    from index.types import DocumentInfo

__all__ = ["OriginalFile", "PreviewView", "SourceView", "Sources"]

logger = logging.getLogger(f"quoth.{__name__}")

_CONTEXT = 300  # characters in `before` and `after`
_LONGEST = 200_000  # characters that one link may mark
_MOST_TEXT = 100_000  # characters of one range
_SECONDS_TO_WAIT = 5  # where others have pages drawn
_KEPT = 16  # documents whose structure is kept, beside the texts that the library keeps


@dataclass(frozen=True, slots=True)
class SourceView:
    """What the panel shows first: facts about a document, and what is around a quote.

    Attributes:
        document: Its number; `ref` is how the other addresses name it ("12-ab12cd34ef56").
        where: One line for people: file, page and section.
        page: Page the quote begins on, from 1; `pages` is 0 where the format has none.
        status: "verbatim" (text and file are what was indexed), "changed" (the file is not, and
            this is the indexed text), "replaced" (it was indexed again; this is the earlier
            text), "moved" (the same text under another number or path) or "gone" (there is no
            file any more).
        note: A sentence that says so, or "" while all is as it was.
        original: Whether the file itself can be opened.
        before, quote, after: The exact text, a little of it around the quote.
        shown: The quote as people read it, on one line.
        stretch: The text around the quote by block.
        print: The printed page with the quote's boxes, where the file can be drawn.
    """

    document: int
    ref: str
    title: str
    name: str
    path: str
    type: str
    date: str | None
    indexed_at: str
    where: str
    page: int | None
    pages: int
    characters: int
    headings: tuple[str, ...]
    status: str
    note: str
    original: bool
    before: str
    quote: str
    after: str
    shown: str
    stretch: Stretch
    print: PageView | None


@dataclass(frozen=True, slots=True)
class PreviewView:
    """A quote between the sentences beside it, each on one line, and where it stands."""

    title: str
    where: str
    before: str
    quote: str
    after: str


@dataclass(frozen=True, slots=True)
class OriginalFile:
    """A file that is what was indexed, opened; whoever gets it closes it.

    `name` is safe to show, `pdf` whether it is one.
    """

    file: BufferedReader
    path: Path
    name: str
    pdf: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """The document that a reference means, and how it differs from what was cited."""

    info: DocumentInfo
    status: str
    note: str


class Sources:
    """Opens the documents of one library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._files = SourceFiles(library)
        self._pages = SourcePages()
        self._texts: Latest[int, SourceText] = Latest(_KEPT)
        self._lock = threading.Lock()

    def open(self, reference: Reference, *, printed: bool = True) -> SourceView:
        """Return what stands at `reference`; without `printed`, the text alone.

        Raises:
            DocumentNotFoundError: No document of the library has or had this text, it is
                shorter than the span says, or the document was removed.
            LibraryError: The stored text is damaged.
        """
        found, source = self._found(reference)
        info, content = found.info, source.content
        start, end = reference.start, reference.end
        citation = _citation(info, source, start, end)
        page = source.page_at(start)
        return SourceView(
            document=info.id,
            ref=_ref(info),
            title=one_line(info.title or info.name),
            name=one_line(info.name),
            path=one_line(info.path),
            type=info.type,
            date=info.date,
            indexed_at=info.indexed_at,
            where=place(citation) if end > start else one_line(info.path),
            page=page,
            pages=info.pages,
            characters=len(content.text),
            headings=tuple(map(one_line, citation.headings)),
            status=found.status,
            note=found.note,
            original=self._files.state(info) == "same",
            before=content.text[max(start - _CONTEXT, 0) : start],
            quote=content.text[start:end],
            after=content.text[end : end + _CONTEXT],
            shown=one_line(content.text[start:end]),
            stretch=source.around(start, end),
            print=self._print_if_free(info, source, page or 1, reference) if printed else None,
        )

    def preview(self, reference: Reference) -> PreviewView:
        """Return the quote at `reference` with the sentences beside it.

        Raises:
            DocumentNotFoundError: As in `open`.
        """
        found, source = self._found(reference)
        start, end = reference.start, reference.end
        before, after = source.sentences_beside(start, end)
        return PreviewView(
            title=one_line(found.info.title or found.info.name),
            where=place(_citation(found.info, source, start, end)),
            before=before,
            quote=one_line(source.content.text[start:end]),
            after=after,
        )

    def text(self, document: str, start: int | None, end: int | None) -> Stretch:
        """Return a stretch of a document: from `start`, up to `end`, or exactly between both.

        Raises:
            DocumentNotFoundError: As in `open`.
            QuestionError: The range is empty or too long.
        """
        _, source = self._found(Reference.parse(document))
        length = len(source.content.text)
        if start is not None and end is not None:
            if not start < end <= start + _MOST_TEXT:
                raise QuestionError(words("source.bad_range", most=_MOST_TEXT))
            return source.exactly(start, end)
        if end is not None:
            return source.before(min(end, length))
        return source.after(min(start or 0, length))

    def around(self, document: str, offset: int) -> Stretch:
        """Return the stretch around `offset`, to jump there.

        Raises:
            DocumentNotFoundError: As in `open`.
        """
        _, source = self._found(Reference.parse(document))
        offset = min(offset, len(source.content.text))
        return source.around(offset, offset)

    def outline(self, document: str) -> OutlineView:
        """Return the headings of a document.

        Raises:
            DocumentNotFoundError: As in `open`.
        """
        return self._found(Reference.parse(document))[1].outline()

    def search(self, document: str, query: str) -> SearchView:
        """Return the places of some words in a document.

        Raises:
            DocumentNotFoundError: As in `open`.
        """
        return search_source(self._found(Reference.parse(document))[1], query)

    def page(self, document: str, number: int, spans: Sequence[tuple[int, int]]) -> PageView:
        """Return a page of a PDF with the boxes of `spans`.

        Raises:
            DocumentNotFoundError: There is no such page, or it cannot be drawn.
            BusyError: Others have too many pages drawn.
        """
        found, source = self._found(Reference.parse(document))
        view = self._print(found.info, source, number, spans)
        if view is None:
            raise _no_page(found.info, number)
        return view

    def image(self, document: str, number: int, scale: float) -> bytes:
        """Return page `number` of the PDF `document` ("12-ab12cd34ef56") as PNG.

        Raises:
            DocumentNotFoundError: There is no such page, or the file is no longer what was
                indexed.
            BusyError: Others have too many pages drawn.
        """
        info = self._find(Reference.parse(document)).info
        file = self._files.open(info) if 1 <= number <= info.pages else None
        if file is None:
            raise _no_page(info, number)
        with file:
            try:
                picture = self._pages.image(info, file, number, nearest_scale(scale))
            except ParsersBusyError as error:
                raise BusyError(_SECONDS_TO_WAIT) from error
            except (QuothError, OSError) as error:
                raise _no_page(info, number) from error
            # Somebody may have written into it while it was drawn.
            if not self._files.is_same(info, file):
                raise _no_page(info, number)
            return picture

    def original(self, document: str) -> OriginalFile:
        """Return the file that a document was read from, opened.

        Raises:
            DocumentNotFoundError: It has none, or one that is no longer what was indexed.
        """
        info = self._find(Reference.parse(document)).info
        file = self._files.open(info)
        if file is None or info.file is None:
            raise DocumentNotFoundError(words("source.no_original", name=one_line(info.name)))
        return OriginalFile(file, info.file, one_line(info.name), info.type == "pdf")

    def _found(self, reference: Reference) -> tuple[_Found, SourceText]:
        if reference.end - reference.start > _LONGEST:
            raise DocumentNotFoundError(words("source.no_citation"))
        found = self._find(reference)
        source = self._text(found.info)
        if reference.end > len(source.content.text):
            raise DocumentNotFoundError(words("source.not_of_document"))
        return found, source

    def _text(self, info: DocumentInfo) -> SourceText:
        with self._lock:
            kept = self._texts.use(info.id)
        if kept is not None:
            return kept
        content = self._library.content(info.id)
        # What is called verbatim is compared here, once for a document that never changes.
        if text_hash(content.text) != info.text_hash:
            raise LibraryError(words("source.damaged", name=one_line(info.name)))
        source = SourceText(content, info.type)
        with self._lock:
            self._texts[info.id] = source
        return source

    def _find(self, reference: Reference) -> _Found:
        """Return the document meant, its status and the sentence about it."""
        living = self._library.documents()
        same = [info for info in living if info.text_hash.startswith(reference.hash)]
        for info in same:
            if info.id == reference.document:
                return self._living(info)
        if same:
            path = one_line(same[0].path)
            return _Found(same[0], "moved", words("source.moved_note", path=path))
        old = self._library.document(reference.document)
        if not old.text_hash.startswith(reference.hash):
            raise DocumentNotFoundError(words("source.not_of_document"))
        for new in living:
            if (new.source, new.path) == (old.source, old.path):
                return _Found(old, "replaced", self._replaced(reference, old, new))
        # What was taken out of the library is not shown, although it may still be on the disk.
        raise DocumentNotFoundError(words("source.removed_note", name=one_line(old.name)))

    def _living(self, info: DocumentInfo) -> _Found:
        state = self._files.state(info)
        if state in ("changed", "gone"):
            return _Found(info, state, words(f"source.{state}_note", name=one_line(info.name)))
        return _Found(info, "verbatim", "")

    def _replaced(self, reference: Reference, old: DocumentInfo, new: DocumentInfo) -> str:
        if reference.end == reference.start:
            return words("source.replaced_note", name=one_line(old.name))
        quote = self._library.text(old.id)[reference.start : reference.end]
        still = "kept" if quote in self._library.text(new.id) else "lost"
        return words(f"source.replaced_{still}_note", name=one_line(old.name))

    def _print_if_free(
        self, info: DocumentInfo, source: SourceText, number: int, reference: Reference
    ) -> PageView | None:
        """Return the printed page with the quote; None also where others have too many drawn."""
        start, end = reference.start, reference.end
        try:
            return self._print(info, source, number, [(start, end)] if end > start else [])
        except BusyError:
            return None

    def _print(
        self, info: DocumentInfo, source: SourceText, number: int, spans: Sequence[tuple[int, int]]
    ) -> PageView | None:
        """Return the printed page, or None where only the text can be shown."""
        if info.type != "pdf" or not 1 <= number <= len(source.content.pages):
            return None
        file = self._files.open(info)
        if file is None:
            return None
        with file:
            try:
                view = self._pages.view(info, file, source.content, number, spans)
            except ParsersBusyError as error:
                raise BusyError(_SECONDS_TO_WAIT) from error
            except (QuothError, OSError) as error:
                logger.info("page %d cannot be drawn: %s", number, type(error).__name__)
                return None
            # Boxes on another file would mark other words.
            return view if self._files.is_same(info, file) else None


def _ref(info: DocumentInfo) -> str:
    return f"{info.id}-{info.text_hash[:12]}"


def _citation(info: DocumentInfo, source: SourceText, start: int, end: int) -> Citation:
    block = source.block_at(start)
    return Citation(
        info.id, info.path, info.title, start, end, info.text_hash,
        source.page_at(start), block.headings if block else (),
    )  # fmt: skip


def _no_page(info: DocumentInfo, number: int) -> DocumentNotFoundError:
    return DocumentNotFoundError(words("source.no_page", number=number, name=one_line(info.name)))
