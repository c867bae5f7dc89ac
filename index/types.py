"""The values that travel between modules: checked, immutable, and nothing else."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

__all__ = [
    "Block",
    "BlockKind",
    "Citation",
    "Document",
    "DocumentInfo",
    "Encoder",
    "Filter",
    "Page",
    "Part",
    "PartEncoder",
    "PassageSpan",
    "Sentence",
    "Span",
]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters [start, end) of a document's text, counted in code points."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"span [{self.start}, {self.end}) is empty or negative")


class BlockKind(StrEnum):
    """What a block of a document is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    ROW = "row"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list item or table row: characters [start, end) of the text.

    Attributes:
        headings: Titles of the sections the block is in, outermost first; a heading
            is not inside itself.
        page: Page it begins on, from 1; None where the format has no pages.
        level: Depth of a heading from 1, of a list item from 1; otherwise 0.
        context: Words that help to find the block but do not stand in it: the header
            of a table for its rows, the lead-in of a list for its items.
    """

    start: int
    end: int
    kind: BlockKind = BlockKind.PARAGRAPH
    headings: tuple[str, ...] = ()
    page: int | None = None
    level: int = 0
    context: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a document: characters [start, end) of the text, empty when it has none.

    Attributes:
        number: From 1.
        runs: Where the characters are on the page: (offset in the document's text,
            index in the page's own text as the PDF library counts it, length).
    """

    number: int
    start: int
    end: int
    runs: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a format extracts from a file.

    Blocks are in order, do not overlap and leave nothing but white space between them.

    Attributes:
        text: The exact text; every span indexes into it.
        title: As the file states it; empty where it states none.
        date: ISO 8601 day the file states, or None.
        language: ISO 639-1 code guessed from the text, or None.
        pages: All pages in order; empty where the format has none.
        warnings: Clauses for the report, such as "3 of 12 pages have no text".
    """

    text: str
    blocks: tuple[Block, ...]
    title: str = ""
    date: str | None = None
    language: str | None = None
    pages: tuple[Page, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        end = 0
        for block in self.blocks:
            if not end <= block.start < block.end <= len(self.text):
                raise ValueError(f"block [{block.start}, {block.end}) is empty or out of order")
            if self.text[end : block.start].strip():
                raise ValueError(f"text before block [{block.start}, {block.end}) is in no block")
            end = block.end
        if self.text[end:].strip():
            raise ValueError("text after the last block is in no block")

    def page_at(self, offset: int) -> int | None:
        """Return the number of the page that holds `offset`, or None without pages."""
        # Not a list of those with text: a long document is asked once for each of its passages.
        at = bisect_right(self.pages, offset, key=lambda page: page.start) - 1
        while at >= 0 and self.pages[at].start == self.pages[at].end:
            at -= 1
        if at >= 0:
            return self.pages[at].number
        return next((page.number for page in self.pages if page.end > page.start), None)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Characters [start, end) of the text: a sentence, list item or table row.

    `block` is the index of the block it lies in.
    """

    start: int
    end: int
    block: int


@dataclass(frozen=True, slots=True)
class PassageSpan:
    """Consecutive sentences of one section: numbers [first, last) of a document's sentences."""

    start: int
    end: int
    first: int
    last: int
    headings: tuple[str, ...] = ()
    page: int | None = None
    context: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentInfo:
    """What a library knows about one version of a document.

    Attributes:
        id: Number of this version; a changed file gets a new one, none is used twice.
        path: Relative to the source, with forward slashes; unique within the source.
        file: Where the original is, or None for text that was added as such.
        type: The format's name, such as "pdf".
        date: ISO 8601 day the document states, or None.
        language: ISO 639-1 code, or None where it is not clear.
        text_hash: SHA-256 of the text, hexadecimal.
        sentences: How many sentences it has.
        pages: How many pages, 0 where the format has none.
        blank_pages: Pages without text.
        indexed_at: ISO 8601 time in UTC.
        warnings: What the reader should know, such as pages without text.
    """

    id: int
    source: int
    path: str
    file: Path | None
    title: str
    type: str
    date: str | None
    language: str | None
    text_hash: str
    characters: int
    sentences: int
    pages: int
    blank_pages: tuple[int, ...]
    indexed_at: str
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def folder(self) -> str:
        """The path without its last part; empty at the top of the source."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a quote stands."""

    document: int
    path: str
    title: str
    start: int
    end: int
    text_hash: str
    page: int | None = None
    headings: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        """A reference for links: document number, start of the text's hash, span."""
        return f"{self.document}-{self.text_hash[:12]}/{self.start}-{self.end}"

    def __str__(self) -> str:
        parts = [self.path.rsplit("/", 1)[-1]]
        if self.page is not None:
            parts.append(f"p. {self.page}")
        if self.headings:
            parts.append(self.headings[-1])
        return " · ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which documents may be searched; every condition given must hold.

    Attributes:
        folder: Folder relative to the source; its subfolders count.
        pattern: Shell pattern for the path or the file name, such as "*.pdf" or "2024/*".
        type: Format name, such as "pdf" or "markdown".
        after: ISO 8601 day; documents dated on it or later. Undated ones do not match.
        before: ISO 8601 day; documents dated on it or earlier. Undated ones do not match.
        documents: Numbers of documents.
    """

    folder: str | None = None
    pattern: str | None = None
    type: str | None = None
    after: str | None = None
    before: str | None = None
    documents: frozenset[int] | None = field(default=None)

    def matches(self, document: DocumentInfo) -> bool:
        """Return whether `document` may be searched."""
        from fnmatch import fnmatchcase

        if self.documents is not None and document.id not in self.documents:
            return False
        if self.folder is not None:
            folder = self.folder.strip("/").removeprefix("./")
            if folder not in ("", ".") and not f"{document.path}".startswith(folder + "/"):
                return False
        if self.pattern is not None and not (
            fnmatchcase(document.path, self.pattern) or fnmatchcase(document.name, self.pattern)
        ):
            return False
        if self.type is not None and document.type != self.type:
            return False
        if self.after is not None and (document.date is None or document.date < self.after):
            return False
        return self.before is None or (document.date is not None and document.date <= self.before)


class Part(NamedTuple):
    """What a vector stands for: [start, end) of a text, as it reads in that text."""

    text: str
    start: int
    end: int

    @classmethod
    def whole(cls, text: str) -> Part:
        """Return all of a text."""
        return cls(text, 0, len(text))

    @property
    def alone(self) -> Part:
        """The same words without the text around them."""
        return Part.whole(self.text[self.start : self.end])

    @property
    def is_whole(self) -> bool:
        """Whether it is all of its text."""
        return self.start == 0 and self.end == len(self.text)

    @property
    def identity(self) -> str:
        """One string that no other part has, as long as texts hold no NUL; of a whole its text."""
        return self.text if self.is_whole else f"{self.text}\0{self.start},{self.end}"


class Encoder(Protocol):
    """Turns strings into vectors; any object with these members will do."""

    @property
    def name(self) -> str:
        """How people call the model."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides the vectors; two models never share one."""

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Return float32 of shape (len(texts), dim), each row of L2 length 1."""

    def encode_query(self, text: str) -> Vectors:
        """Return float32 of shape (dim,), of L2 length 1."""


@runtime_checkable
class PartEncoder(Encoder, Protocol):
    """An encoder that gives the vectors of a text and of parts of it in one pass.

    A part's vector is the mean of its tokens as they read in the whole text. Source: Günther et al.
    (2024), Late Chunking, arXiv 2409.04701.
    """

    def encode_parts(self, parts: Sequence[Part]) -> Vectors:
        """Return float32 of shape (len(parts), dim), each row of L2 length 1.

        Parts of one text should be given together: each call takes a text once.
        """
