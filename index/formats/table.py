"""CSV and TSV: a row a block, every value with the name of its column."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Literal

from index.errors import FormatError
from index.formats.builder import DocumentBuilder, clean
from index.formats.encoding import check_length, decode
from index.formats.registry import Limits
from index.types import Document

__all__ = ["parse"]

_Quoting = Literal[0, 3]  # csv.QUOTE_MINIMAL, csv.QUOTE_NONE

_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 30
_MAX_NAME = 60  # characters in the name of a column
# Written by Excel.
_SEPARATOR_LINE = re.compile(r"\A\"?sep=([^\w\s\"]|[\t ])\"?\r?\n", re.IGNORECASE)
_NUMBER = re.compile(r"[^\w\s]?\s*[-+(]?\s*\d[\d.,:/'\s-]*\)?\s*(?:[^\w\s]|[A-Za-z]{1,3})?")


def parse(path: Path, limits: Limits) -> Document:
    """Return the table as a document: "Header: value | Header: value" for every row.

    Without a header the values alone are joined by " | ". Empty cells are left out, line
    ends inside cells become spaces.

    Raises:
        FormatError: The file is binary or holds a cell of more than 131,072 characters.
    """
    text = clean(decode(path.read_bytes()))
    check_length(text, limits)
    try:
        return _read(text, limits, quoting=csv.QUOTE_MINIMAL)
    except csv.Error:
        pass  # a quotation mark that is never closed swallows the rest: quotes mean nothing then
    try:
        return _read(text, limits, quoting=csv.QUOTE_NONE)
    except csv.Error as error:
        raise FormatError(f"not a table: {error}") from error


def _read(text: str, limits: Limits, *, quoting: _Quoting) -> Document:
    stated = _SEPARATOR_LINE.match(text)
    text = text[stated.end() :] if stated else text
    rows = _rows(text, stated[1] if stated else _delimiter(text, quoting), quoting)
    sample = list(islice(rows, _SAMPLE_ROWS))
    builder = DocumentBuilder(limits)
    while _is_caption(sample):
        builder.paragraph(" ".join(filter(None, sample.pop(0))))
    header = sample.pop(0) if _has_header(sample) else []
    for row in chain(sample, rows):
        builder.row(_named(row, header))
    return builder.build()


def _rows(text: str, delimiter: str, quoting: _Quoting) -> Iterator[list[str]]:
    """Yield the rows that are not empty, cells without white space around them."""
    lines = io.StringIO(text, newline="")
    for row in csv.reader(lines, delimiter=delimiter, quoting=quoting, skipinitialspace=True):
        cells = [" ".join(cell.split()) for cell in row]
        if any(cells):
            yield cells


def _delimiter(text: str, quoting: _Quoting) -> str:
    """Return the delimiter that cuts the first rows most evenly; the first of equals.

    `csv.Sniffer` takes letters for delimiters, or commas in prose for those of a table.
    """

    def evenness(delimiter: str) -> tuple[float, int]:
        try:
            rows = islice(_rows(text, delimiter, quoting), _SAMPLE_ROWS)
            widths = Counter(len(row) for row in rows)
        except csv.Error:  # the wrong delimiter makes one enormous cell of many
            return 0.0, 0
        width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
        return (count / widths.total(), width) if width > 1 else (0.0, 0)

    return max(_DELIMITERS, key=evenness)


def _is_caption(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row is a line above the table: one cell, where others have three."""
    filled = [sum(map(bool, row)) for row in rows]
    return len(rows) > 2 and filled[0] == 1 and sorted(filled)[len(filled) // 2] > 2


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row names the columns.

    It does if its cells are distinct short words and the rows below differ from it: they
    have numbers where it has none, or do not repeat its words.
    """
    if len(rows) < 2:
        return False
    names = [name for name in rows[0] if name]
    if len(set(names)) < len(names) or any(
        _NUMBER.fullmatch(name) or len(name) > _MAX_NAME for name in names
    ):
        return False
    below = {cell for row in rows[1:] for cell in row}
    has_numbers = any(map(_NUMBER.fullmatch, below))
    return has_numbers or (len(names) > 1 and below.isdisjoint(names))


def _named(row: Sequence[str], header: Sequence[str]) -> list[str]:
    # Not as many steps as the header has cells: that may be a million, above rows of one.
    pairs = zip(chain(header, repeat("")), row, strict=False)
    return [f"{name.rstrip(':')}: {cell}" if name else cell for name, cell in pairs if cell]
