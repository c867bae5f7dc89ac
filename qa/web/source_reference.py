"""What an address says about a source, checked for its form only: anyone can write one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from index.errors import DocumentNotFoundError, QuestionError
from qa.text import text as words

__all__ = ["Reference", "parse_spans"]

_DOCUMENT = re.compile(r"(\d{1,15})-([0-9a-f]{12})", re.ASCII)
_SPAN = re.compile(r"(\d{1,12})-(\d{1,12})", re.ASCII)
_MOST_SPANS = 500  # asked about on one page


@dataclass(frozen=True, slots=True)
class Reference:
    """What a link to a document says, checked for its form only: anyone can write a link.

    `start` equals `end` in a link to a whole document.
    """

    document: int
    hash: str
    start: int = 0
    end: int = 0

    @classmethod
    def parse(cls, document: str, span: str = "") -> Reference:
        """Return the reference of `12-ab12cd34ef56`, or of that and `100-140`.

        Raises:
            DocumentNotFoundError: It has another form, or the span is empty.
        """
        which = _DOCUMENT.fullmatch(document)
        where = _SPAN.fullmatch(span or "0-1")
        if which is None or where is None or int(where[1]) >= int(where[2]):
            raise DocumentNotFoundError(words("source.no_citation"))
        if not span:
            return cls(int(which[1]), which[2])
        return cls(int(which[1]), which[2], int(where[1]), int(where[2]))


def parse_spans(spans: str) -> list[tuple[int, int]]:
    """Return the spans of "10-20,30-40"; none of an empty string.

    Raises:
        QuestionError: They have another form, or are too many.
    """
    matches = [_SPAN.fullmatch(span) for span in spans.split(",")] if spans else []
    found = [(int(match[1]), int(match[2])) for match in matches if match]
    if len(found) < len(matches) or len(found) > _MOST_SPANS:
        raise QuestionError(words("source.bad_spans", most=_MOST_SPANS))
    return found
