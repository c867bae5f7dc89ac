"""The day a document states for itself: at its head, in words or figures."""

from __future__ import annotations

import re
from datetime import date

__all__ = ["find_date", "is_date_line", "parse_date"]

_HEAD_LINES = 15
_MAX_LINE = 100  # a longer line is prose; dates in prose are about something else
_MAX_WORDS_BEFORE = 7
_YEARS = range(1000, 2200)

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = r"(?P<month>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\.?"
_YEAR = r"(?P<year>\d{4})"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"

_DATES = [
    re.compile(rf"(?<!\w){pattern}(?!\w)", re.IGNORECASE)
    for pattern in (
        r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?:T[\d:.]+(?:Z|[+-][\d:]+)?)?",
        r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})",
        rf"{_DAY}\s+(?:of\s+)?{_MONTH},?\s+{_YEAR}",
        rf"{_MONTH}\s+{_DAY},?\s+{_YEAR}",
    )
]

_WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tue|wed|thu|fri|sat|sun)"
_LABEL = re.compile(
    r"^\W*(?:date|dated|(?:date\s+)?(?:of\s+)?(?:publish|published|publication|issue|issued|"
    r"release|released|revised|updated|created|meeting|posted)(?:\s+(?:date|on))?|"
    r"last\s+(?:updated|revised|modified|changed)(?:\s+on)?|effective(?:\s+(?:date|from))?|"
    r"as\s+of|version\s+of|held\s+on)\s*:?\W*$",
    re.IGNORECASE,
)
_AROUND = re.compile(rf"\b{_WEEKDAY}\b|\bat\b|\d{{1,2}}:\d\d|[\W_]", re.IGNORECASE)


def find_date(text: str) -> str | None:
    """Return the day the text states for itself as ISO 8601, or None.

    Only the first lines count, and of them one that is a date, has a label such as "Date:"
    or "Last updated" before it, or is a short line that ends with the date after a comma, an
    "of" or a bracket ("Geneva, 3 May 2021"). The first one wins. Dates written with slashes
    are not read: 03/04/2024 is March in one country and April in another.
    """
    for line in text.lstrip("\ufeff").splitlines()[:_HEAD_LINES]:
        day = _date_of_line(line)
        if day is not None:
            return day
    return None


def is_date_line(line: str) -> bool:
    """Return whether the line is a date or the label of one, and nothing else."""
    line = line.strip()
    if len(line) > _MAX_LINE:
        return False
    found = _first_date(line)
    if found is None:
        return bool(_LABEL.match(line))
    _, start, end = found
    before = _AROUND.sub(" ", line[:start]).strip()
    return not _AROUND.sub("", line[end:]) and (not before or bool(_LABEL.match(before)))


def parse_date(text: str) -> str | None:
    """Return the first date in `text` as ISO 8601, or None if there is none that exists."""
    found = _first_date(text)
    return found[0] if found else None


def _date_of_line(line: str) -> str | None:
    line = line.strip()
    found = _first_date(line) if len(line) <= _MAX_LINE else None
    if found is None:
        return None
    day, start, end = found
    head, tail = line[:start].rstrip(), _AROUND.sub("", line[end:])
    label = _AROUND.sub(" ", head).strip()
    if not label:
        return None if tail else day
    if _LABEL.match(label):
        return day if not tail or ":" in head else None
    ends_line = not tail and not line.endswith(".") and len(label.split()) <= _MAX_WORDS_BEFORE
    return day if ends_line and head.endswith((",", " of", "(")) else None


def _first_date(text: str) -> tuple[str, int, int] | None:
    found = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            day = _iso(match)
            if day is not None:
                found.append((match.start(), -match.end(), day))
                break
    if not found:
        return None
    start, end, day = min(found)
    return day, start, -end


def _iso(match: re.Match[str]) -> str | None:
    month = match["month"].lower()
    year = int(match["year"])
    if year not in _YEARS:
        return None
    try:
        return date(year, _MONTHS.get(month) or int(month), int(match["day"])).isoformat()
    except ValueError:
        return None
