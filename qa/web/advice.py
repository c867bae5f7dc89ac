"""Why a file could not be read, for people, and what they can do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qa.text import text
from qa.visible import one_line

__all__ = ["OTHER", "Advice", "advice", "kind_of"]

OTHER = "other"

# What a reason begins with, and what kind of failure it is. The first that fits counts.
_KINDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"encrypted", "encrypted"),
        (r"(an old Word document|unknown format \.doc )", "old_word"),
        (r"no text: scanned", "scanned"),
        (r"no text", "no_text"),
        (r"empty file", "empty"),
        (r"too large", "too_large"),
        (r"too (long|much text)", "too_long"),
        (r"(too many |its titles and headings are)", "parts"),
        (r"takes too long", "slow"),
        (r"the reader of this format crashed", "damaged"),
        (r"(changed while it was read|other files are being read)", "busy"),
        (r"unpacks to", "unpacks"),
        (r"unknown format", "unknown_format"),
        (r"(damaged|page \d+ is damaged)", "damaged"),
        (r"not a table", "table"),
        (
            r"not (a PDF file|a Word document inside)|binary, not text|a .* suffix of another",
            "other_inside",
        ),
        (r"nested too deeply", "nested"),
        (r"its name is not valid", "name"),
        (r"(no permission|(folder )?cannot be read \(Permission)", "permission"),
        (r"no such file", "gone"),
        (r"(folder )?cannot be (read|opened)", "unreadable"),
        (r"needs (more|too much) memory", "memory"),
        (r"(a folder|a symbolic link|not a regular file|no ordinary file)", "no_file"),
        (r"its reader cannot be started", "start"),
    )
)


@dataclass(frozen=True, slots=True)
class Advice:
    """A failure in a person's words: what kind it is, why, and the next step."""

    kind: str
    why: str
    next_step: str


def kind_of(reason: str) -> str:
    """Return the kind of failure that a reason of a report is, `OTHER` if it is none known."""
    return next((kind for pattern, kind in _KINDS if pattern.match(reason)), OTHER)


def advice(reason: str) -> Advice:
    """Return what to tell a person about a file that was skipped for `reason`."""
    kind = kind_of(reason)
    why = text(f"documents.why_{kind}", reason=one_line(reason))
    return Advice(kind, why, text(f"documents.next_{kind}"))
