"""Text of documents made safe and readable to show: no control acts, nothing else changes."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date as Date

from index.types import Citation
from qa.text import text as words
from qa.types import Quote

__all__ = [
    "SIGNED",
    "Split",
    "VisibleFormatter",
    "file_name",
    "long_date",
    "named_path",
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
# What nobody sees but a machine reads stays neither: tags, but those of a flag, annotations between
# the lines, and variation selectors one after the other, which can spell out any message.
SIGNED = (
    "\U0001f3f4[\U000e0061-\U000e007a\U000e0030-\U000e0039]{3,6}\U000e007f"
    "|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}"
    "|[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
_UNSAFE = re.compile(SIGNED)
_FLAG = "\U0001f3f4"
_WHITE = re.compile("[ \t\n\r\v\f\x85\u2028\u2029]+")


def visible(text: str) -> str:
    """Return `text` with every control, but line breaks and tabs, replaced by a visible sign.

    C0 controls become their pictures ("␛"); C1 and bidi controls, tags and whatever else in
    `SIGNED` could hide a message become their number ("‹U+202E›"), lone surrogates "�"; every kind
    of line break becomes a line feed.
    """
    return _UNSAFE.sub(_signs, _BREAKS.sub("\n", text))


def _signs(match: re.Match[str]) -> str:
    return match[0] if match[0][0] == _FLAG else "".join(map(_sign, match[0]))


def _sign(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return "�" if 0xD800 <= code <= 0xDFFF else f"‹U+{code:04X}›"


def one_line(text: str) -> str:
    """Return `text` on one line: visible, runs of white space one space, none at the ends."""
    return _inline(text).strip(" ")


def _inline(text: str) -> str:
    return _UNSAFE.sub(_signs, _WHITE.sub(" ", text))


# Names -----------------------------------------------------------------------------------------

# Letters of other alphabets that look like Latin ones, and what looks like a slash or a dot.
_DOUBLES = "АВЕЅІЈКМНОРСТУХаеѕіјорсухѵһԁԛԝӏΑΒΕΖΗΙΚΜΝΟΡΤΥΧανοϲյօսոԼՏ"
_DOUBLE = re.compile(f"(?<=[A-Za-z])[{_DOUBLES}]+|[{_DOUBLES}]+(?=[A-Za-z])")
_UNSEEN = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2060-\u2064\u2800\u3164"
    "\ufeff\uffa0\U0001d173-\U0001d17a\u2044\u2215\u2024\u29f8\uff0f\uff0e]"
)
_BETWEEN = re.compile(r"(?:^|\s)[·•⋅∙・･‧ᐧ|](?:\s|$)")  # what stands between the parts of a place


def file_name(text: str) -> str:
    """Return the name of a file or folder, or a path, on one line, so that it passes for no other.

    Besides what `one_line` does, characters that are not seen or look like a slash or a dot, and
    letters of another alphabet beside Latin ones that they look like, become their number:
    "p‹U+043E›licy.pdf". A name wholly of another alphabet stays as it is.
    """
    return _DOUBLE.sub(_numbers, _UNSEEN.sub(_numbers, one_line(text)))


def _numbers(match: re.Match[str]) -> str:
    return "".join(f"‹U+{ord(char):04X}›" for char in match[0])


def named_path(path: str) -> str:
    """Return a path as a part of a place: one that looks like several parts in quotation marks."""
    shown = file_name(path)
    return f"“{shown}”" if _BETWEEN.search(shown) else shown


def page_name(number: int) -> str:
    """Return what a page is called beside a quote: "p. 12"."""
    return words("answer.page", number=str(number))


def place(citation: Citation) -> str:
    """Return where a quote stands, for people: "2024/policy.pdf · p. 3 · Inspection".

    The whole path, since one file name may occur in two folders; in quotation marks where it
    looks like more than a path.
    """
    parts = [named_path(citation.path)]
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


class VisibleFormatter(logging.Formatter):
    """Formats what is logged so that nothing in it drives a terminal or passes for another line."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the message, on one line."""
        return one_line(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """Return the message and, below it, the traceback."""
        return visible(super().format(record))
