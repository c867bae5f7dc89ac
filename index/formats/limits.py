"""How much one file may hold and need; what is over a limit is refused, never cut."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from index.errors import FormatError
from index.types import Document

__all__ = ["DEFAULT_LIMITS", "Limits", "check_document", "megabytes"]

# A passage repeats the title, headings and context of its block, a sentence the context; about
# so many characters make one.
_CHARACTERS_A_PASSAGE = 200
_MOST_REPEATED = 5  # times the characters that a document may have


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one file may hold and its reading may take.

    Attributes:
        max_bytes: Of the file.
        max_characters: Of the text, also of its titles each time they are repeated, times five.
        max_blocks: Headings, paragraphs, items and rows.
        max_pages: Pages.
        seconds: Of processor time that a parser may take. Five times as much may pass by the
            clock, for a machine that is busy with other things.
        memory: Bytes of address space that the parser's process may have.
    """

    max_bytes: int = 64 * 2**20
    max_characters: int = 20_000_000
    max_blocks: int = 1_000_000
    max_pages: int = 5_000
    seconds: int = 120  # what 4,000 full pages of a PDF take on a slow core
    memory: int = 2**30

    @property
    def max_runs(self) -> int:
        """Stretches of text whose place on a page is known, in the whole document."""
        return 3 * self.max_blocks

    @property
    def wall_seconds(self) -> int:
        """How long a parser may take by the clock."""
        return 5 * self.seconds


DEFAULT_LIMITS = Limits()


def check_document(document: Document, limits: Limits) -> None:
    """Refuse a document without text, or with more than `limits` allow.

    Raises:
        FormatError: It is; `reason` says by which limit.
    """
    characters, blocks, pages = len(document.text), len(document.blocks), len(document.pages)
    if characters > limits.max_characters:
        raise FormatError(
            f"too much text: {characters:,} characters, the limit is {limits.max_characters:,}"
        )
    if blocks > limits.max_blocks:
        raise FormatError(
            f"too many paragraphs and rows: {blocks:,}, the limit is {limits.max_blocks:,}"
        )
    if pages > limits.max_pages:
        raise FormatError(f"too long: {pages:,} pages, the limit is {limits.max_pages:,}")
    if sum(len(page.runs) for page in document.pages) > limits.max_runs:
        raise FormatError(f"too many pieces of text on its pages: over {limits.max_runs:,}")
    if _repeated(document) > _MOST_REPEATED * limits.max_characters:
        raise FormatError("its titles and headings are out of all proportion to its text")
    if not any(map(_is_visible, document.text)):
        raise FormatError("no text")


def megabytes(size: int) -> str:
    """Return a size in bytes for people, such as "64 MB"."""
    # Rounded up, so that a file just above the limit does not read as if it were at it.
    return f"{size:,} bytes" if size < 2**20 else f"{-(-size // 2**20):,} MB"


def _repeated(document: Document) -> int:
    """Return about how many characters of titles and headings the library would repeat.

    A long heading above many short paragraphs is small in the file and grows without bound
    where each of them is stored with it.
    """
    lengths: dict[int, int] = {}  # of headings, by identity: blocks of a section share a tuple
    title = len(document.title)
    total = 0
    for block in document.blocks:
        key = id(block.headings)
        if key not in lengths:
            lengths[key] = sum(map(len, block.headings))
        beside = title + lengths[key] + len(block.context)
        total += beside * (1 + (block.end - block.start) // _CHARACTERS_A_PASSAGE)
    return total


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ"
