"""A document as bytes between two processes, and back without trust in who sent them.

Not pickle, which runs what it is told to, and not one JSON value, which grows without bound
before it can be checked: numbers come as arrays whose lengths are announced, and what is
announced is compared with the limits before it is read.
"""

from __future__ import annotations

import json
import re
import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, islice, pairwise
from typing import Any, NamedTuple, TypeVar

from index.formats.limits import Limits, check_document
from index.types import Block, BlockKind, Document, Page

__all__ = ["pack", "unpack"]

T = TypeVar("T")
Read = Callable[[int], bytes | bytearray]  # exactly as many bytes as asked for

_KINDS = tuple(BlockKind)
_NUMBERS_A_BLOCK = 7
_NUMBERS_A_PAGE = 4
_NUMBERS_A_RUN = 3
_BYTES_A_CHARACTER = 4  # at most, in UTF-8
_MOST_HEAD = 2**24  # bytes of title, date, language and warnings
_MOST_WARNINGS = 1_000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2}", re.ASCII)


class _Sizes(NamedTuple):
    """What is announced: bytes of `head`, `strings` and `text`, elsewhere how many there are.

    `paths` are sequences of headings: numbers of strings, each path preceded by its length.
    """

    head: int
    blocks: int
    pages: int
    runs: int
    paths: int
    lengths: int
    strings: int
    text: int

    def check(self, limits: Limits) -> None:
        characters = limits.max_characters * _BYTES_A_CHARACTER
        most = _Sizes(
            head=_MOST_HEAD,
            blocks=limits.max_blocks,
            pages=limits.max_pages,
            runs=limits.max_runs,
            paths=16 * limits.max_blocks,
            lengths=2 * limits.max_blocks,
            strings=2 * characters,
            text=characters,
        )
        if any(size > limit for size, limit in zip(self, most, strict=True)):
            raise ValueError("more is announced than the limits allow")


_HEADER = struct.Struct(f"!{len(_Sizes._fields)}Q")


def pack(document: Document) -> Iterator[bytes]:
    """Yield `document` as pieces of bytes; `unpack` gives an equal document."""
    strings: dict[str, int] = {}
    paths: dict[tuple[str, ...], int] = {}

    def number(text: str) -> int:
        return strings.setdefault(text, len(strings))

    blocks = array("i")
    for b in document.blocks:
        path = paths.setdefault(b.headings, len(paths))
        kind = _KINDS.index(b.kind)
        blocks.extend((b.start, b.end, kind, path, b.page or 0, b.level, number(b.context)))
    steps = array("i")
    for headings in paths:
        steps.append(len(headings))
        steps.extend(map(number, headings))
    pages = array("i")
    runs = array("i")
    for page in document.pages:
        pages.extend((page.number, page.start, page.end, len(page.runs)))
        for run in page.runs:
            runs.extend(run)
    lengths = array("i", map(len, strings))
    about = [document.title, document.date, document.language, document.warnings]
    head = json.dumps(about).encode("ascii")
    joined, text = _encoded("".join(strings)), _encoded(document.text)
    yield _HEADER.pack(
        *_Sizes(
            head=len(head),
            blocks=len(document.blocks),
            pages=len(document.pages),
            runs=len(runs) // _NUMBERS_A_RUN,
            paths=len(steps),
            lengths=len(lengths),
            strings=len(joined),
            text=len(text),
        )
    )
    yield head
    yield from (numbers.tobytes() for numbers in (blocks, pages, runs, steps, lengths))
    yield joined
    yield text


def unpack(read: Read, limits: Limits) -> Document:
    """Return the document that `pack` was given.

    Args:
        read: Returns the next bytes, exactly as many as it is asked for.
        limits: What the document may hold; no more than that is ever read.

    Raises:
        ValueError: What came is no document.
        FormatError: It is one over the limits.
    """
    sizes = _Sizes(*_HEADER.unpack(read(_HEADER.size)))
    sizes.check(limits)
    title, date, language, warnings = _about(read(sizes.head))
    blocks = _numbers(read, sizes.blocks * _NUMBERS_A_BLOCK)
    pages = _numbers(read, sizes.pages * _NUMBERS_A_PAGE)
    runs = _numbers(read, sizes.runs * _NUMBERS_A_RUN)
    steps = _numbers(read, sizes.paths)
    lengths = _numbers(read, sizes.lengths)
    strings = _strings(_decoded(read(sizes.strings)), lengths)
    text = _decoded(read(sizes.text))
    document = Document(
        text=text,
        blocks=tuple(_blocks(blocks, _paths(steps, strings), strings, sizes.pages)),
        title=title,
        date=date,
        language=language,
        pages=tuple(_pages(pages, runs, len(text))),
        warnings=warnings,
    )
    check_document(document, limits)
    return document


def _about(head: bytes | bytearray) -> tuple[str, str | None, str | None, tuple[str, ...]]:
    try:
        title, date, language, warnings = json.loads(head)
    except (TypeError, RecursionError) as error:
        raise ValueError("no list of title, date, language and warnings") from error
    if not (
        isinstance(title, str)
        and (date is None or (isinstance(date, str) and _DATE.fullmatch(date)))
        and (language is None or (isinstance(language, str) and _LANGUAGE.fullmatch(language)))
        and isinstance(warnings, list)
        and len(warnings) <= _MOST_WARNINGS
        and all(isinstance(warning, str) for warning in warnings)
    ):
        raise ValueError("title, date, language or warnings are of another kind")
    return title, date, language, tuple(warnings)


def _numbers(read: Read, count: int) -> array[int]:
    numbers = array("i")
    numbers.frombytes(read(count * numbers.itemsize))
    if min(numbers, default=0) < 0:
        raise ValueError("a number is negative")
    return numbers


def _strings(joined: str, lengths: array[int]) -> list[str]:
    ends = list(accumulate(lengths, initial=0))
    if ends[-1] != len(joined):
        raise ValueError("strings do not end where they should")
    return [joined[start:end] for start, end in pairwise(ends)]


def _paths(steps: array[int], strings: list[str]) -> list[tuple[str, ...]]:
    paths = []
    at = 0
    while at < len(steps):
        end = at + 1 + steps[at]
        if end > len(steps):
            raise ValueError("a path does not end where it should")
        paths.append(tuple(_at(strings, number) for number in steps[at + 1 : end]))
        at = end
    return paths


def _blocks(
    numbers: array[int], paths: list[tuple[str, ...]], strings: list[str], pages: int
) -> Iterator[Block]:
    for start, end, kind, path, page, level, context in _rows(numbers, _NUMBERS_A_BLOCK):
        if page > pages:
            raise ValueError("a block is on a page that there is not")
        # Document compares the spans with the text.
        yield Block(
            start,
            end,
            _at(_KINDS, kind),
            _at(paths, path),
            page or None,
            level,
            _at(strings, context),
        )


def _pages(numbers: array[int], runs: array[int], length: int) -> Iterator[Page]:
    rest = iter(_rows(runs, _NUMBERS_A_RUN))
    for at, (number, start, end, count) in enumerate(_rows(numbers, _NUMBERS_A_PAGE), 1):
        if number != at or not start <= end <= length:
            raise ValueError("pages are out of order or beyond the text")
        own = tuple(islice(rest, count))
        if len(own) < count or any(not start <= o < o + n <= end for o, _, n in own):
            raise ValueError("what is on a page is not in its text")
        yield Page(number, start, end, own)


def _rows(numbers: array[int], width: int) -> Iterable[tuple[Any, ...]]:
    return zip(*[iter(numbers)] * width, strict=True)


def _at(values: Sequence[T], number: int) -> T:
    if number >= len(values):
        raise ValueError("a number refers to nothing")
    return values[number]


def _encoded(text: str) -> bytes:
    # surrogatepass: a text is kept as it is, also where it is no proper Unicode.
    return text.encode("utf-8", "surrogatepass")


def _decoded(data: bytes | bytearray) -> str:
    return data.decode("utf-8", "surrogatepass")
