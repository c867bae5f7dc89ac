"""Text of documents made safe and readable to show: no control acts, nothing else changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date as Date

from index.types import Citation
from qa.text import text as words
from qa.types import Quote

__all__ = [
    "Split",
    "long_date",
    "one_line",
    "page_name",
    "place",
    "split_short",
    "visible",
    "with_context_once",
]

_BREAKS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# Escape sequences drive terminals, bidi embeddings and overrides reorder what is read
# (CVE-2021-42574), and a lone surrogate cannot be written at all. The marks U+200E, U+200F and
# U+061C override nothing and are common in Arabic and Hebrew: they stay.
_UNSAFE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_WHITE = re.compile("[ \t\n\r\v\f\x85\u2028\u2029]+")


def visible(text: str) -> str:
    """Return `text` with every control, but line breaks and tabs, replaced by a visible sign.

    C0 controls become their pictures ("␛"), C1 and bidi controls their number ("‹U+202E›"),
    lone surrogates "�"; every kind of line break becomes a line feed.
    """
    return _UNSAFE.sub(_sign, _BREAKS.sub("\n", text))


def _sign(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return "�" if 0xD800 <= code <= 0xDFFF else f"‹U+{code:04X}›"


def one_line(text: str) -> str:
    """Return `text` on one line: visible, runs of white space one space, none at the ends."""
    return _inline(text).strip(" ")


def _inline(text: str) -> str:
    return _UNSAFE.sub(_sign, _WHITE.sub(" ", text))


def page_name(number: int) -> str:
    """Return what a page is called beside a quote: "p. 12"."""
    return words("answer.page", number=str(number))


def place(citation: Citation) -> str:
    """Return where a quote stands, for people: "2024/policy.pdf · p. 3 · Inspection".

    The whole path, since one file name may occur in two folders.
    """
    parts = [one_line(citation.path)]
    if citation.page is not None:
        parts.append(page_name(citation.page))
    if citation.headings:
        parts.append(one_line(citation.headings[-1]))
    return " · ".join(parts)


def long_date(day: str) -> str:
    """Return an ISO 8601 day for people, "3 May 2021"; what is none stays as it is."""
    try:
        date = Date.fromisoformat(day)
    except ValueError:
        return one_line(day)
    # Not strftime: its names of months depend on the machine's language.
    month = words("answer.months").split()[date.month - 1]
    return words("answer.date", day=str(date.day), month=month, year=str(date.year))


@dataclass(frozen=True, slots=True)
class Split:
    """A quote on one line, in three parts: `short` answers, the others stand around it."""

    before: str
    short: str
    after: str

    def __str__(self) -> str:
        return self.before + self.short + self.after


def split_short(quote: Quote) -> Split:
    """Return the quote on one line with its short answer apart, empty where there is none.

    The parts join to `one_line(quote.text)`; the short answer has no space at its ends.
    """
    if quote.short is None:
        return Split(one_line(quote.text), "", "")
    start, end = quote.short.start - quote.start, quote.short.end - quote.start
    # A run of white space across a boundary must not become two spaces: it moves out of the short
    # answer, and the part before gives up its own.
    before, short, after = quote.text[:start], quote.text[start:end], quote.text[end:]
    lead = short[: len(short) - len(_lstrip(short))]
    before, short = before + lead, short[len(lead) :]
    tail = short[len(_rstrip(short)) :]
    short, after = short[: len(short) - len(tail)], tail + after
    if not short:
        return Split(one_line(quote.text), "", "")
    return Split(_inline(before).lstrip(" "), _inline(short), _inline(after).rstrip(" "))


def _lstrip(text: str) -> str:
    return _WHITE.sub("", text, count=1) if _WHITE.match(text) else text


def _rstrip(text: str) -> str:
    return text.rstrip(" \t\n\r\v\f\x85\u2028\u2029")


def with_context_once(quotes: Sequence[Quote]) -> list[Quote]:
    """Return the quotes, the context of a list or table kept only where it begins."""
    shown = []
    before: tuple[int, str] | None = None
    for quote in quotes:
        here = (quote.document.id, quote.context)
        shown.append(replace(quote, context="") if here == before else quote)
        before = here
    return shown
