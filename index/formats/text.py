r"""Plain text: paragraphs by blank lines, and the headings, lists and turns people type.

The text stays exactly as it is in the file, line ends and all; blocks are spans of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from index.formats.builder import HeadingPath, ListPath, lead_in, one_title
from index.formats.dates import find_date, is_date_line
from index.formats.encoding import check_length, decode
from index.formats.registry import Limits
from index.types import Block, BlockKind, Document

__all__ = ["parse", "read_text"]

_MAX_HEADING = 80
_MAX_TITLE_LINES = 4
_MAX_PLAIN_WORDS = 8
_MIN_HAND_LINES = 3
# Dates, places, names of people with their function, quotations.
_NO_PLAIN_HEADING = re.compile(r"[,\d\"“”@]")
_READS_ON = (".", "!", ":", ";", ",", "…")
_NUMBERED = re.compile(r"(?P<number>\d{1,2}(?:\.\d{1,2})*)(?P<dot>\.?)\s+[^\W\d_a-z]")
_NAMED = re.compile(
    r"(?:section|article|chapter|part|annex|appendix|schedule)\s+(?:\d{1,3}|[IVXLC]+|[A-Z])\b",
    re.IGNORECASE,
)
_UNDERLINE = re.compile(r"(={3,}|-{3,})$")
_MARKER = re.compile(
    r"(?:[-*+•‣◦▪–]|\d{1,3}[.)]|\(\d{1,3}\)|\(?[a-z]\)|\(?[ivx]{1,5}\)|[ivx]{1,5}\.)\s+(?=\S)"
)
_SPEAKER = re.compile(r"[^\W\d_][\w.'’\-]*(?: [\w.'’()\-]+){0,4}:\s+\S")
_STAMP = re.compile(r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_LABELLED_TITLE = re.compile(r"(?:title|subject|re|betreff)\s*:\s*(?P<title>\S.*)", re.IGNORECASE)


class _Line(NamedTuple):
    """A line with visible text: its span without the white space around it."""

    start: int
    end: int
    text: str
    indent: int


_Chunk = list[_Line]  # consecutive lines, no blank one between


def parse(path: Path, limits: Limits) -> Document:
    """Return the text file as a document.

    Raises:
        FormatError: The file is binary or too long.
    """
    text = decode(path.read_bytes())
    check_length(text, limits)
    return read_text(text)


def read_text(text: str) -> Document:
    """Return `text` as a document whose text it is, character by character."""
    reader = _Reader()
    for chunk, following in _with_next(_chunks(text)):
        reader.read(chunk, following)
    return Document(
        text=text, blocks=tuple(reader.blocks), title=reader.title, date=find_date(text)
    )


def _chunks(text: str) -> Iterator[_Chunk]:
    chunk: _Chunk = []
    at = 0
    for line in text.splitlines(keepends=True):
        body = line.strip()
        if body:
            indent = len(line) - len(line.lstrip())
            start = at + indent
            chunk.append(_Line(start, start + len(body), body, indent))
        elif chunk:
            yield from _cut_headings(chunk)
            chunk = []
        at += len(line)
    yield from _cut_headings(chunk)


def _cut_headings(chunk: _Chunk) -> Iterator[_Chunk]:
    """Yield the underlined headings that the chunk begins with, then the rest of it."""
    at = 0
    while _is_underlined(chunk[at : at + 2]):
        yield chunk[at : at + 2]
        at += 2
    if chunk[at:]:
        yield chunk[at:]


def _with_next(chunks: Iterator[_Chunk]) -> Iterator[tuple[_Chunk, _Chunk | None]]:
    current = next(chunks, None)
    while current is not None:
        following = next(chunks, None)
        yield current, following
        current = following


class _Reader:
    """Turns chunks into blocks, one after another."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.title = ""
        self._path = HeadingPath()
        self._below_title = 0  # levels that the title takes
        self._marked = 0  # level of the last heading marked as such; plain ones are below it
        self._at_top = True  # nothing but dates so far
        self._list = _List()

    def read(self, chunk: _Chunk, following: _Chunk | None) -> None:
        if self._at_top:
            self._at_top = all(is_date_line(line.text) for line in chunk)
            if not self._at_top and self._take_title(chunk, following):
                return
        level = _heading_level(chunk, following)
        if level and not self._is_next_step(chunk):
            self._marked = level + self._below_title
            self._heading(chunk, self._marked)
        elif _is_plain_heading(chunk, following):
            self._heading(chunk, max(self._marked, self._below_title) + 1)
        elif _starts_lines(chunk):
            self._list = _List()
            self._lines(chunk)
        else:
            self._body(chunk, following)

    def _take_title(self, chunk: _Chunk, following: _Chunk | None) -> bool:
        """Keep the title if the first chunk has one; return whether it was a heading."""
        first = chunk[0].text
        labelled = _LABELLED_TITLE.match(first)
        if labelled:
            self.title = one_title(labelled["title"])
        elif _is_title(chunk):
            self.title = one_title(first)
            if (len(chunk) == 1 or _is_underlined(chunk)) and following is not None:
                self._heading(chunk, 1)
                self._below_title = 1
                return True
        return False

    def _is_next_step(self, chunk: _Chunk) -> bool:
        """Return whether "3. Close the valve" goes on a list instead of beginning a section."""
        return self._list.is_open and _MARKER.match(chunk[0].text) is not None

    def _heading(self, lines: _Chunk, level: int) -> None:
        self._list = _List()
        self._path.close(level)
        self._add(lines, BlockKind.HEADING, level=level)
        self._path.open(level, lines[0].text)

    def _lines(self, chunk: _Chunk) -> None:
        """Add a paragraph for every line that begins one: turns of a talk, log entries."""
        start = 0
        for at in range(1, len(chunk) + 1):
            if at == len(chunk) or _begins_line(chunk[at].text):
                self._add(chunk[start:at], BlockKind.PARAGRAPH)
                start = at

    def _body(self, chunk: _Chunk, following: _Chunk | None) -> None:
        """Add a paragraph, items, or a paragraph that leads to items."""
        marked = [at for at, line in enumerate(chunk) if _MARKER.match(line.text)]
        before = chunk[: marked[0]] if marked else chunk
        lead = lead_in(" ".join(line.text for line in before[-3:])) if before else self._list.lead
        more = following is not None and _MARKER.match(following[0].text) is not None
        in_list = not before and (self._list.is_open or more)
        # One line with a dash may be prose; several, or one after a colon, are a list.
        if not marked or not (len(marked) > 1 or lead.endswith((":", "：")) or in_list):
            self._prose(chunk)
            return
        if before:
            self._add(before, BlockKind.PARAGRAPH)
            self._list = _List(lead=lead)
        for start, end in zip(marked, [*marked[1:], len(chunk)], strict=True):
            level, context = self._list.enter(chunk[start:end])
            self._add(chunk[start:end], BlockKind.ITEM, level=level, context=context)

    def _prose(self, chunk: _Chunk) -> None:
        """Add a paragraph, or an item for every line that somebody ended on purpose."""
        if _is_broken_by_hand(chunk):
            for line in chunk:
                self._add([line], BlockKind.ITEM, level=1, context=self._list.lead)
            self._list = _List()
        else:
            self._list = _List(lead=lead_in(" ".join(line.text for line in chunk[-3:])))
            self._add(chunk, BlockKind.PARAGRAPH)

    def _add(self, lines: _Chunk, kind: BlockKind, *, level: int = 0, context: str = "") -> None:
        self.blocks.append(
            Block(
                start=lines[0].start,
                end=lines[-1].end,
                kind=kind,
                headings=self._path.titles,
                level=level,
                context=context,
            )
        )


class _List:
    """The list we are in: its lead-in and the indentation of the items that are open."""

    def __init__(self, lead: str = "") -> None:
        self.lead = lead
        self._path = ListPath(lead)
        self._indents: list[int] = []

    @property
    def is_open(self) -> bool:
        return bool(self._indents)

    def enter(self, lines: _Chunk) -> tuple[int, str]:
        """Begin an item; return its level and the words that lead to it."""
        while self._indents and self._indents[-1] >= lines[0].indent:
            self._indents.pop()
        self._indents.append(lines[0].indent)
        words = _MARKER.sub("", " ".join(line.text for line in lines), count=1)
        return len(self._indents), self._path.enter(len(self._indents), words)


def _is_underlined(chunk: _Chunk) -> bool:
    """Return whether the chunk is a line of text and a line of dashes below it."""
    return (
        len(chunk) == 2
        and _UNDERLINE.match(chunk[1].text) is not None
        and not _reads_on(chunk[0].text)
        and any(map(str.isalnum, chunk[0].text))
    )


def _is_title(chunk: _Chunk) -> bool:
    """Return whether a document's first lines are a title: short, and none a sentence."""
    first = chunk[0].text
    no_title = (_NUMBERED, _MARKER, _SPEAKER)
    return (
        len(chunk) <= _MAX_TITLE_LINES
        and not any(_reads_on(line.text) for line in chunk)
        and any(map(str.isalpha, first))
        and not first[0].islower()
        and not any(pattern.match(first) for pattern in no_title)
        and not is_date_line(first)
    )


def _reads_on(line: str) -> bool:
    return line.endswith(_READS_ON) or len(line) >= _MAX_HEADING


def _heading_level(chunk: _Chunk, following: _Chunk | None) -> int:
    """Return the level of the heading that the chunk begins with, or 0."""
    line = chunk[0].text
    if _is_underlined(chunk):
        # "===" is the rank above "---", as in Markdown.
        return 1 if chunk[1].text[0] == "=" else 2
    if len(chunk) > 1 or following is None or _reads_on(line) or is_date_line(line):
        return 0
    numbered = _NUMBERED.match(line)
    if numbered:
        level = numbered["number"].count(".") + 1
        # "1. Close the valve" with "2. …" right after it is a step, no section.
        is_step = level == 1 and numbered["dot"] and _MARKER.match(following[0].text)
        return 0 if is_step else level
    letters = sum(map(str.isalpha, line))
    if _NAMED.match(line) or (line.isupper() and letters > 2):
        return 1
    return 0


def _is_plain_heading(chunk: _Chunk, following: _Chunk | None) -> bool:
    """Return whether the chunk is a few words alone above a list or text that goes on."""
    line = chunk[0].text
    return (
        len(chunk) == 1
        and following is not None
        and (_MARKER.match(following[0].text) is not None or _is_text(following))
        and len(line.split()) <= _MAX_PLAIN_WORDS
        and len(line) < _MAX_HEADING
        and line[0].isupper()
        and not _reads_on(line)
        and not _NO_PLAIN_HEADING.search(line)
    )


def _is_text(chunk: _Chunk) -> bool:
    return len(chunk) > 2 or len(chunk[0].text) >= _MAX_HEADING


def _is_broken_by_hand(chunk: _Chunk) -> bool:
    """Return whether lines end where somebody wanted it, as in recipes and addresses.

    Where a program wrapped the lines, the first word of the next would not have fitted.
    """
    width = max(len(line.text) for line in chunk)
    if len(chunk) < _MIN_HAND_LINES or width >= _MAX_HEADING:
        return False
    early = sum(
        len(line.text) + 1 + len(after.text.split(maxsplit=1)[0]) <= width
        for line, after in pairwise(chunk)
    )
    return early * 2 > len(chunk) - 1


def _starts_lines(chunk: _Chunk) -> bool:
    """Return whether most lines begin with a speaker or a time: each stands for itself."""
    starts = sum(_begins_line(line.text) for line in chunk)
    return len(chunk) > 1 and starts * 2 > len(chunk) and _begins_line(chunk[0].text)


def _begins_line(line: str) -> bool:
    return bool(_SPEAKER.match(line) or _STAMP.match(line))
