"""What search sees of a text: one spelling for what looks the same, mapped back by offsets.

The text itself is never changed. The view undoes what typesetting did to words (hyphens at
line ends, ligatures, curly quotes, runs of white space) so that a word typed is a word found.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from index.types import Span

__all__ = ["SearchView", "plain", "search_view"]

# Hyphens that exist only at a line's end; PDFium writes the last two for one it has undone.
_SOFT = "\u00ad\u0002\ufffe"
_HYPHENS = "-\u2010" + _SOFT
_BREAK = r"[ \t\u00a0]*+(?:\r\n?|[\n\x0b\x0c\x85\u2028])[ \t\u00a0]*+"

# "well-\nand" suspends a part of a word; the hyphen divides nothing.
_SUSPENDED = r"(?!(?:and|or|nor|to|und|oder|bis|sowie|et|ou|y|o|e)\b)"
_EDIT = re.compile(
    rf"(?<=[^\W_])([{_HYPHENS}]){_BREAK}(?=[^\W_]){_SUSPENDED}"
    r"|(?<=[^\W\d_])\x02(?=[^\W\d_])"
    r"|[\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufffe]+"
)
_FRACTIONS = re.compile("[¼-¾⅐-⅟↉]")
_FRACTION = re.compile(rf"(?<=\d)(?={_FRACTIONS.pattern})")  # "1½" is not "11/2"

_SAME: dict[int, str] = {
    **dict.fromkeys(map(ord, "‘’‚‛′‵‹›´ʼ＇"), "'"),
    **dict.fromkeys(map(ord, "“”„‟″‶«»〝〞＂"), '"'),
    **dict.fromkeys(map(ord, "‐‑‒–—―⁃−﹘﹣－"), "-"),
    ord("⁄"): "/",
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], " "),
    # Half a character: no program outside can store it.
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}

_CHUNK_CHARS = 1024  # normalising takes time quadratic in the marks on one character


@dataclass(frozen=True, slots=True)
class SearchView:
    """A text as search sees it.

    Attributes:
        text: The view.
        offsets: For each character of the view where it begins in the original, and last
            where the original of the last character ends; never descending.
    """

    text: str
    offsets: Sequence[int]

    def to_original(self, start: int, end: int) -> Span:
        """Return the characters of the original that [start, end) of the view stands for.

        A ligature or a character with marks is covered whole.

        Raises:
            ValueError: The span is empty or not in the view.
        """
        if not 0 <= start < end <= len(self.text):
            raise ValueError(f"[{start}, {end}) is not in a view of {len(self.text)} characters")
        # "ﬁ" gives two characters that begin at one place: its end is the next greater offset.
        after = bisect_right(self.offsets, self.offsets[end - 1], end)
        return Span(self.offsets[start], self.offsets[min(after, len(self.text))])


def search_view(text: str) -> SearchView:
    """Return the view of `text`.

    In a view

    - each character is in Unicode normal form NFKC; quotes and dashes are those of ASCII;
    - characters that cannot be seen (soft hyphens, zero-width spaces, marks of direction) are
      left out, joiners of emoji and of Persian are not;
    - a hyphen at a line's end between two lower-case letters is undone with the line break,
      between other letters and digits it stays without the break: "E-4304";
    - control characters are spaces, white space is one space, none at the ends.

    The view of a view's text is the same text.
    """
    if text.isascii() and text.isprintable() and "  " not in text and text == text.strip():
        return SearchView(text, range(len(text) + 1))
    edited, starts = _edited(text)
    characters: list[str] = []
    offsets = array("q")
    last_end = 0
    space_at: int | None = None
    for start, end, string in _normalised(edited):
        for character in string:
            if character.isspace():
                space_at = starts[start] if space_at is None else space_at
                continue
            if space_at is not None and characters:
                characters.append(" ")
                offsets.append(space_at)
            space_at = None
            characters.append(character)
            offsets.append(starts[start])
            last_end = starts[end - 1] + 1
    offsets.append(last_end)
    return SearchView("".join(characters), offsets)


def plain(text: str) -> str:
    """Return the text of `search_view(text)`, several times faster."""
    if text.isascii():
        if not text.isprintable():
            text = _EDIT.sub(_replacement, text).translate(_SAME)
        return " ".join(text.split())
    text = _EDIT.sub(_replacement, text).translate(_SAME)
    text = _FRACTION.sub(" ", text)
    chunks = (unicodedata.normalize("NFKC", text[start:end]) for start, end in _chunks(text))
    return " ".join("".join(chunks).translate(_SAME).split())


def _replacement(match: re.Match[str]) -> str:
    """Return "-" where only the line break behind a hyphen goes, "" where all of it goes."""
    if match[1] is None or match[1] in _SOFT:
        return ""
    before, after = match.string[match.start() - 1], match.string[match.end()]
    return "" if before.islower() and after.islower() else "-"


def _edited(text: str) -> tuple[str, array[int]]:
    """Return `text` with what `_EDIT` finds replaced, and where each character of it was."""
    pieces: list[str] = []
    starts = array("q")
    done = 0
    for match in _EDIT.finditer(text):
        pieces += (text[done : match.start()], hyphen := _replacement(match))
        starts.extend(range(done, match.start() + len(hyphen)))
        done = match.end()
    pieces.append(text[done:])
    starts.extend(range(done, len(text)))
    return "".join(pieces).translate(_SAME), starts


def _normalised(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield [start, end) of each character with its marks, and its normal form."""
    for first, last in _chunks(text):
        start = first
        while start < last:
            end = start + 1
            while end < last and _attaches(text[end]):
                end += 1
            cluster = text[start:end]
            if not cluster.isascii():
                cluster = unicodedata.normalize("NFKC", cluster).translate(_SAME)
                if start and text[start - 1].isdecimal() and _FRACTIONS.match(text, start):
                    cluster = f" {cluster}"
            yield start, end, cluster
            start = end


def _chunks(text: str) -> Iterator[tuple[int, int]]:
    """Yield [start, end) of parts that can be normalised one by one, of limited length."""
    start = 0
    while start < len(text):
        end = min(start + _CHUNK_CHARS, len(text))
        while start + _CHUNK_CHARS // 2 < end < len(text) and _attaches(text[end]):
            end -= 1
        yield start, end
        start = end


@lru_cache(maxsize=4096)
def _attaches(character: str) -> bool:
    """Return whether normalising may join `character` with the one before it.

    Marks do, and so do characters whose normal form begins with one ("ﾞ"), and the vowels and
    final consonants of Hangul.
    """
    if character.isascii():
        return False
    first = unicodedata.normalize("NFKD", character)[0]
    return (
        unicodedata.combining(first) != 0
        or unicodedata.category(first) in ("Mn", "Mc", "Me")
        or "\u1160" <= first <= "\u11ff"
    )
