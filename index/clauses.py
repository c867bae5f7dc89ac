"""Long sentences are divided at clause boundaries, so that each piece says one thing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from math import ceil

__all__ = ["HARD_MAX_CHARS", "MAX_CHARS", "divide"]

MAX_CHARS = 400  # a sentence up to this length stays whole
HARD_MAX_CHARS = 600  # no piece is longer

# Places where a piece may end, with what a place costs: 1 is as bad as a piece that is one
# target length off. The first that matches at a character counts.
_CONJUNCTION = (
    r"and|but|or|nor|which|who|whose|where|while|when|because|although|so|yet|if|unless|that"
    r"|und|oder|aber|die|der|das|weil|dass|y|o|pero|que|et|ou|mais|qui"
)
_PLACES: tuple[tuple[str, str, float], ...] = (
    ("cell", r"(?<=\S)(?:\s*\t\s*|\s+\|\s+)", 0.0),
    ("clause", r"(?<=[;:])\s+|(?<=[；：])\s*|\s+(?=[–—-]\s)|(?<=[.?!…][\"'”’)\]])\s+", 0.0),
    ("conjunction", rf"(?<=,)\s+(?=(?:{_CONJUNCTION})\b)", 0.2),
    ("comma", r"(?<=,)\s+|(?<=[，、،])\s*", 0.6),
    ("space", r"\s+", 2.5),
)
_COSTS = {name: cost for name, _, cost in _PLACES}
_CUT = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern, _ in _PLACES))
_LINE_CUT = re.compile(rf"(?P<cell>[^\S\n]*\n\s*)|{_CUT.pattern.replace('cell', 'tab', 1)}")

_MARKS = ("Mn", "Mc", "Me")
_ZWJ = "\u200d"


def divide(text: str, start: int, end: int, *, lines: bool = False) -> Iterator[tuple[int, int]]:
    """Yield the pieces [start, end) of a sentence in order, white space between them left out.

    A sentence of up to `MAX_CHARS` is one piece; so is one of up to `HARD_MAX_CHARS` in which
    nothing but white space would divide it. Others are divided into pieces of about equal
    length: best at semicolons, colons and dashes, then at a comma before a conjunction, any
    comma, white space. Where there is none of these the cut falls between two characters as
    people see them; only a single one of more than `HARD_MAX_CHARS` code points is broken.

    Args:
        text: What the sentence is in; no white space at the sentence's ends.
        start: Where the sentence begins.
        end: Where it ends.
        lines: Divide at line breaks before anything else, as fits code and table rows.

    Takes time linear in `end - start`.
    """
    while end - start > MAX_CHARS:
        length = end - start
        cut = _best(text, start, end, length / ceil(length / MAX_CHARS), lines)
        if cut is None:
            break
        yield start, cut[0]
        start = cut[1]
    yield start, end


def _best(text: str, start: int, end: int, target: float, lines: bool) -> tuple[int, int] | None:
    """Return the end of the first piece and the start of the rest, or None to leave it whole."""
    lowest = start + int(target * 0.4)
    highest = min(start + int(target * 1.5), start + HARD_MAX_CHARS, end - 1)
    fits = end - start <= HARD_MAX_CHARS
    best: tuple[float, int, int] | None = None
    for match in (_LINE_CUT if lines else _CUT).finditer(text, lowest, highest + 1):
        place = match.lastgroup or "space"
        if fits and place == "space":
            continue
        left = match.start()
        cost = _COSTS.get(place, 0.0) + abs(left - start - target) / target
        if best is None or cost < best[0]:
            best = (cost, left, match.end())
    if best is None:
        return None if fits else _between_characters(text, start, start + int(target), highest)
    return _trimmed(text, best[1], best[2], start, end)


def _trimmed(text: str, left: int, right: int, start: int, end: int) -> tuple[int, int]:
    """Return the cut without white space on either side, however far that reaches."""
    while left > start + 1 and text[left - 1].isspace():
        left -= 1
    while right < end and text[right].isspace():
        right += 1
    return left, right


def _between_characters(text: str, start: int, at: int, highest: int) -> tuple[int, int]:
    """Return a cut at the first place from `at` on that no character as seen spans."""
    for cut in (*range(at, highest + 1), *range(at - 1, start, -1)):
        if not _joined(text, cut):
            return cut, cut
    return at, at


def _joined(text: str, at: int) -> bool:
    """Return whether the code points around `at` are one character as people see it.

    A short form of the grapheme rules of Unicode Standard Annex #29: marks, emoji with
    modifiers, tags and joiners, flags, Hangul syllables from letters, surrogate pairs.
    """
    before, after = text[at - 1], text[at]
    if after.isascii():
        return before == "\r" and after == "\n"
    code = ord(after)
    return (
        unicodedata.category(after) in _MARKS
        or after in (_ZWJ, "\u200c")
        or before == _ZWJ
        or 0x1F3FB <= code <= 0x1F3FF  # skin tones
        or 0xE0020 <= code <= 0xE007F  # tags
        or 0x1160 <= code <= 0x11FF  # vowels and finals of Hangul
        or (0xDC00 <= code <= 0xDFFF and 0xD800 <= ord(before) <= 0xDBFF)
        or _splits_flag(text, at)
    )


def _splits_flag(text: str, at: int) -> bool:
    """Return whether an odd number of regional indicators stands before `at`, and one after."""
    if not 0x1F1E6 <= ord(text[at]) <= 0x1F1FF:
        return False
    first = at
    while first > 0 and at - first < HARD_MAX_CHARS and 0x1F1E6 <= ord(text[first - 1]) <= 0x1F1FF:
        first -= 1
    return (at - first) % 2 == 1
