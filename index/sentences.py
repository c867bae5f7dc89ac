"""A document's sentences: exact spans, a pure function of its text and this version."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from index.clauses import divide
from index.punkt import continues, period_ends
from index.types import BlockKind, Document, Sentence, Span

__all__ = ["SPLITTER_VERSION", "split_document", "split_text", "whole_sentences"]

SPLITTER_VERSION = "1"
"""Changes whenever any text is split differently; stored with what was split."""

_WORD_CHARS = 64  # how far the words around a mark are looked at; longer ones are no abbreviation

# Some of these open elsewhere: German closes with “ and «.
_CLOSERS = r"\"'“”‘’«»‹›)\]}*_`」』）】〉》"
_FULL = "。！？｡"
_FOREIGN = "؟۔।॥።։"  # Arabic, Urdu, Hindi, Amharic, Armenian; these never abbreviate
# A mark, further marks, what closes after them, and references such as "[12]".
_MARK = re.compile(
    rf"[.?!…‽{_FOREIGN}{_FULL}](?:[.?!…‽{_FOREIGN}{_FULL}{_CLOSERS}¹²³⁰-⁹]|\[\d{{1,3}}\])*+"
)
_MARKS_ONLY = re.compile(rf"[.?!…‽{_FOREIGN}{_FULL}]++")
_DETACHED_CLOSERS = re.compile(r"\s++((?:''|[”’»)\]}])++|\")(?=\s|\Z)")
_SPACE = re.compile(r"\s*+")
_HIRAGANA = re.compile(r"[\u3041-\u309f]")

# "1.", "4.2.", "(a).", "iv." with nothing before it numbers what follows.
_ENUMERATOR = re.compile(r"[(\[]?(?:\d{1,3}(?:\.\d{1,3}){0,4}|[^\W\d_]|[ivxIVX]{1,5})[)\]]?\.\Z")
_INTRODUCED_ENUMERATOR = re.compile(r":\s+(?:\d{1,2}|[a-zA-Z])\.\Z")

_BULLET = re.compile(r"\s*+(?:([•‣◦▪▫●○■□◆◇➢➤✓✔✗▶·⁃∙])|([-–—*+]))\s++\S")
_NUMBERED = re.compile(r"\s*+\(?(\d{1,3}|[a-z])[.)]\s++\S")


def split_document(document: Document) -> list[Sentence]:
    """Return the sentences of `document` in order.

    Headings and table rows are one sentence each; paragraphs, list items and code are split.
    None is longer than `clauses.HARD_MAX_CHARS`. Between two there is only white space, and
    none begins or ends with it. Nothing but the text and the blocks decides.
    """
    found = []
    for number, block in enumerate(document.blocks):
        text = document.text[block.start : block.end]
        if block.kind in (BlockKind.HEADING, BlockKind.ROW):
            whole = _trim(text, 0, len(text))
        else:
            whole = whole_sentences(text)
        lines = block.kind in (BlockKind.ROW, BlockKind.CODE)
        for start, end in whole:
            for piece in divide(text, start, end, lines=lines):
                found.append(Sentence(block.start + piece[0], block.start + piece[1], number))
    return found


def split_text(text: str) -> list[Span]:
    """Return the sentences of a plain text in order, as `split_document` splits a paragraph."""
    return [
        Span(*piece) for start, end in whole_sentences(text) for piece in divide(text, start, end)
    ]


def whole_sentences(text: str) -> list[tuple[int, int]]:
    """Return [start, end) of each sentence of `text`, however long."""
    found: list[tuple[int, int]] = []
    for start, end in _segments(text):
        found.extend(_sentences(text, start, end))
    return found


def _trim(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return [start, end) without white space at its ends, as a list: empty if none is left."""
    stripped = text[start:end].strip()
    if not stripped:
        return []
    start = text.index(stripped[0], start)
    return [(start, start + len(stripped))]


# Lines


def _segments(text: str) -> Iterator[tuple[int, int]]:
    """Yield the parts of `text` that blank lines and the markers of lists separate."""
    lines = text.splitlines(keepends=True)
    if len(lines) < 2:
        yield 0, len(text)
        return
    begins = _list_lines(lines)
    start = offset = 0
    for number, line in enumerate(lines):
        if begins[number] or line.isspace():
            if offset > start:
                yield start, offset
            start = offset
        offset += len(line)
    yield start, offset


def _list_lines(lines: list[str]) -> list[bool]:
    """Return for each line whether it begins an item of a list.

    A wrapped line may begin with a dash or a number too. So a dash counts where another line
    begins with the same one or a colon stands before it, a number where it counts on.
    """
    bullets = [_BULLET.match(line) for line in lines]
    dashes = [match[2] if match else None for match in bullets]
    often = Counter(dashes)
    numbers = [_ordinal(line) for line in lines]
    values = [(value, number) for number, value in enumerate(numbers) if value is not None]
    counted = {
        at
        for (value, first), (following, second) in pairwise(values)
        if following == value + 1
        for at in (first, second)
    }
    begins = []
    for number, match in enumerate(bullets):
        introduced = number > 0 and lines[number - 1].rstrip().endswith(":")
        if match is not None:
            dash = dashes[number]
            begins.append(dash is None or introduced or often[dash] > 1)
        else:
            begins.append(number in counted or (introduced and numbers[number] == 1))
    return begins


def _ordinal(line: str) -> int | None:
    """Return the number of the item that `line` begins ("b)" is 2), or None."""
    match = _NUMBERED.match(line)
    if match is None:
        return None
    return int(match[1]) if match[1].isdigit() else ord(match[1]) - ord("a") + 1


# Marks


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the sentences of a part of `text` that no line structure divides."""
    quotes = _Quotes(text)
    for match in _MARK.finditer(text, start, end):
        cut = _end(text, start, match, end, quotes)
        if cut is not None:
            yield from _trim(text, start, cut)
            start = cut
    yield from _trim(text, start, end)


class _Quotes:
    """Counts quotation marks in a sentence that grows, so that each is looked at once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._start = self._until = self._count = 0

    def is_open(self, start: int, until: int) -> bool:
        """Return whether the number of '"' in [start, until) is odd."""
        if start != self._start or until < self._until:
            self._start, self._until, self._count = start, start, 0
        self._count += self._text.count('"', self._until, until)
        self._until = until
        return self._count % 2 == 1


def _end(text: str, start: int, match: re.Match[str], end: int, quotes: _Quotes) -> int | None:
    """Return where the sentence from `start` ends if it does at this mark."""
    marks = _MARKS_ONLY.match(text, match.start(), match.end())
    assert marks is not None
    after = match.end()
    spaced = after < end and text[after].isspace()
    if marks[0][-1] in _FULL:
        quoted = after > marks.end() and _HIRAGANA.match(text, after) is not None
        return None if quoted else after
    if not spaced:
        return None
    closers = _DETACHED_CLOSERS.match(text, after, end)
    if closers is not None and (closers[1] != '"' or quotes.is_open(start, after)):
        after = closers.end()
    else:
        closers = None
    following = _following(text, after, end)
    if not following:
        return None
    closed = closers is not None or match.end() > marks.end()
    return after if _ends(text, start, marks, closed, following) else None


def _following(text: str, at: int, end: int) -> str:
    """Return the beginning of the next word, or "" at the end; a dash alone is skipped."""
    space = _SPACE.match(text, at, end)
    assert space is not None
    words = text[space.end() : min(end, space.end() + _WORD_CHARS)].split(None, 2)
    if len(words) > 1 and words[0] in ("-", "–", "—"):
        return words[0] + words[1]
    return words[0] if words else ""


def _ends(text: str, start: int, marks: re.Match[str], closed: bool, following: str) -> bool:
    """Return whether a mark with white space after it ends the sentence from `start`."""
    run = marks[0]
    if run[-1] in _FOREIGN:
        return True
    if following[0] in ".…":
        return False  # leaders: "Scope . . . . 4"
    goes_on = continues(following)
    if goes_on and (closed or "?" in run or "!" in run):
        return False
    if "?" in run or "!" in run or "‽" in run:
        return True
    word = _word(text, start, marks.start())
    if not word and text[max(start, marks.start() - 8) : marks.start()].rstrip()[-1:] in (".", "…"):
        return False
    if run != ".":
        # Punkt knows an ellipsis by its full stops.
        return not goes_on and (following[0].isdigit() or period_ends(f"{word}.", following))
    if _enumerates(text, start, marks.end()):
        return False
    return period_ends(word, following)


def _word(text: str, start: int, end: int) -> str:
    """Return what stands before `end`, back to white space; empty after white space."""
    near = text[max(start, end - _WORD_CHARS) : end]
    return "" if not near or near[-1].isspace() else near.split()[-1]


def _enumerates(text: str, start: int, end: int) -> bool:
    """Return whether the full stop before `end` belongs to the number of an item."""
    near = text[max(start, end - 24) : end]
    if end - start <= 24 and _ENUMERATOR.match(near.lstrip()):
        return True
    return _INTRODUCED_ENUMERATOR.search(near) is not None
