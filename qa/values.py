"""Numbers, amounts, dates and times in a sentence, such that equal ones compare as equal.

"Twice a year" is every six months, "three" is 3, "half of" is 50 %, "GBP 1,000" is "£1000". What
only looks like a number is kept apart: "Lift 3", "room 0.09" and "E-4304" name things.

English surface forms, read by rules; what they do not know is no value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from index.terms import STOP_WORDS, fold, stem
from qa.numerals import NUMBER, RANGE, TO, number_of

__all__ = ["Found", "Value", "agree", "find_values"]

Bounds = tuple[int, int]

_DAYS_A_MONTH = 30.4375
_LOOSE = 0.15  # "about 100" and 90 agree
_ACROSS = 0.1  # "four weeks" and "a month" agree


@dataclass(frozen=True, slots=True)
class Value:
    """What is said at the characters [start, end) of a sentence.

    Attributes:
        kind: "money", "share", "period" (how often), "duration", "clock", "date", "weekday" or
            "count" (measures too).
        unit: Values of one kind and unit can be compared: "GBP", "kg", the stem of what is
            counted; for a clock "from", "until" or "at".
        low, high: The number; they differ for a range. Periods and durations are in days.
        bound: "least" or "most" where only a bound is given.
        loose: Whether it is about that much.
        family: Unit that a period or duration is given in; "month" and "day" never fit exactly.
        date: Year, month and day, as far as given.
        days: Weekdays, Monday is 0.
    """

    kind: str
    unit: str
    start: int
    end: int
    low: float = 0.0
    high: float = 0.0
    bound: str = ""
    loose: bool = False
    family: str = ""
    date: tuple[int | None, int | None, int | None] = (None, None, None)
    days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """The values of a text in order, and the numbers that name things.

    Attributes:
        labels: What is numbered and its number: ("lift", "3"); ("", "e4304") for a code.
        taken: Characters that values and labels stand on, and so say nothing else.
    """

    values: tuple[Value, ...]
    labels: frozenset[tuple[str, str]]
    taken: tuple[Bounds, ...]


def agree(one: Value, other: Value) -> bool:
    """Return whether two values of one kind and unit can both be true of the same thing."""
    if one.kind == "date":
        pairs = zip(one.date, other.date, strict=True)
        return all(a is None or b is None or a == b for a, b in pairs)
    if one.kind == "weekday":
        return bool(one.days & other.days)
    if one.bound == other.bound:
        slack = _slack(one, other)
        return one.low <= other.high * slack and other.low <= one.high * slack
    return _lowest(one) <= _highest(other) and _lowest(other) <= _highest(one)


def _slack(one: Value, other: Value) -> float:
    if one.loose or other.loose:
        return 1 + _LOOSE
    return 1 + (_ACROSS if one.family != other.family else 1e-9)


def _lowest(value: Value) -> float:
    return 0.0 if value.bound == "most" else value.low


def _highest(value: Value) -> float:
    return math.inf if value.bound == "least" else value.high


# Units -----------------------------------------------------------------------------------------

_TIME = {
    "second": ("minute", 1 / 86400),
    "minute": ("minute", 1 / 1440),
    "min": ("minute", 1 / 1440),
    "hour": ("minute", 1 / 24),
    "day": ("day", 1.0),
    "night": ("day", 1.0),
    "week": ("day", 7.0),
    "fortnight": ("day", 14.0),
    "month": ("month", _DAYS_A_MONTH),
    "quarter": ("month", 3 * _DAYS_A_MONTH),
    "year": ("month", 12 * _DAYS_A_MONTH),
    "decade": ("month", 120 * _DAYS_A_MONTH),
}
_TIME_UNIT = r"(?P<unit>(?:second|minute|min|hour|day|night|week|fortnight|month|year|decade))s?\b"
_ADVERBS = {
    "hourly": "hour",
    "daily": "day",
    "weekly": "week",
    "fortnightly": "fortnight",
    "monthly": "month",
    "quarterly": "quarter",
    "yearly": "year",
    "annually": "year",
}
_MEASURES = {
    "g": ("kg", 1e-3), "kg": ("kg", 1.0), "t": ("kg", 1e3), "tonne": ("kg", 1e3),
    "mm": ("m", 1e-3), "cm": ("m", 1e-2), "m": ("m", 1.0), "metre": ("m", 1.0),
    "meter": ("m", 1.0), "km": ("m", 1e3), "mile": ("mile", 1.0),
    "ml": ("l", 1e-3), "l": ("l", 1.0), "litre": ("l", 1.0), "liter": ("l", 1.0),
    "w": ("w", 1.0), "kw": ("w", 1e3), "kwh": ("kwh", 1.0), "mwh": ("kwh", 1e3),
    "person": ("person", 1.0), "people": ("person", 1.0),
    "m²": ("m²", 1.0), "m³": ("m³", 1.0), "°c": ("°c", 1.0), "db": ("db", 1.0),
}  # fmt: skip
_SIGNS = {
    "£": "GBP", "gbp": "GBP", "pound": "GBP", "€": "EUR", "eur": "EUR", "euro": "EUR",
    "$": "USD", "usd": "USD", "dollar": "USD", "chf": "CHF", "franc": "CHF",
}  # fmt: skip
_SIGN = r"[£€$]|\b(?:GBP|EUR|USD|CHF)\b"
_CURRENCY = r"[£€$]|(?:GBP|EUR|USD|CHF|pounds?|euros?|dollars?|francs?)\b"
# "a year" after an amount is a part of it: 10 a month is not 10 a year.
_PER = r"(?:,? ?(?:an?|per|each|every|/) ?(?:full )?(?P<per>[a-z]+))?"

_MONTHS = "january february march april may june july august september october november december"
_MONTH = (
    r"(?:January|February|March|April|(?-i:May)|June|July|August|September|October|November|"
    r"December|(?-i:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec))\b\.?"
)
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_DAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?"
_CLOCK = r"(?:\d{1,2}(?:[:.]\d{2})? ?(?:[ap]m\b|[ap]\.m\.)|\d{1,2}:\d{2}\b|\bnoon\b|\bmidnight\b)"

_LEAST = re.compile(
    r"(?:\bat least|\bminimum(?: of)?|\bno (?:less|fewer) than|\bnot (?:less|earlier) than|"
    r"\b(?:more|longer|later|over|older) than|\babove|\bover|\bfrom) (?:the )?$",
    re.I,
)
_MOST = re.compile(
    r"(?:\bat most|\bmaximum(?: of)?|\bup to|\b(?:no|not) (?:more|longer|later) than|"
    r"\b(?:less|fewer|under) than|\bunder|\bbelow|\blimited to) (?:the )?$",
    re.I,
)
_ABOUT = re.compile(
    r"\b(?:about|around|approximately|roughly|nearly|almost|some|circa|ca\.|an average of) $", re.I
)

_KNOWN_LABELS = (
    r"article|chapter|class|clause|figure|floor|form|gate|grade|level|line|no\.|number|page|"
    r"paragraph|phase|platform|room|route|section|step|table|unit|version|volume|zone|p\."
)
_CODE = re.compile(r"(?<![\w-])(?=[\w./-]*[A-Za-z])(?=[\w./-]*\d)[A-Z][A-Za-z]*[-/]?\d[\w/-]*\b")
_PHONE = re.compile(r"(?<!\w)(?:\+\d{1,3}[ -]?|0)\d{2,5}(?:[ -]\d{3,})+\b")
_LABEL = re.compile(
    rf"(?:\b(?P<known>{_KNOWN_LABELS}) |(?-i:\b(?P<name>[A-Z][\w'-]+)) )"
    r"(?P<first>\d(?:[\d.]*\d)?[a-z]?)(?P<more>(?:(?:, | and | or | to )\d+)*)"
    r"(?![\w%]|[,:]\d|\.\d)",
    re.I,
)


# Finding them ----------------------------------------------------------------------------------


class _Scan:
    """Collects values; what one pattern took, none after it reads."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.rest = text  # what was taken is blanked
        self.values: list[Value] = []
        self.taken: list[Bounds] = []

    def take(self, start: int, end: int) -> None:
        self.taken.append((start, end))
        self.rest = self.rest[:start] + "\0" * (end - start) + self.rest[end:]

    def each(self, pattern: re.Pattern[str], make: Callable[[re.Match[str]], Value | None]) -> None:
        for match in list(pattern.finditer(self.rest)):
            value = make(match)
            if value is not None:
                self.values.append(self._bounded(value))
                self.take(value.start, value.end)

    def _bounded(self, value: Value) -> Value:
        before = self.text[max(0, value.start - 24) : value.start]
        if value.kind in ("date", "weekday", "clock"):
            return value
        bound = "least" if _LEAST.search(before) else "most" if _MOST.search(before) else ""
        return replace(value, bound=bound, loose=bool(_ABOUT.search(before)))


def find_values(text: str) -> Found:
    """Return the values and labels of `text`."""
    scan = _Scan(text)
    labels = {("", re.sub(r"\W", "", m[0]).casefold()) for m in _codes(scan)}
    for match in _PHONE.finditer(scan.rest):
        scan.take(*match.span())
    for pattern, make in _PATTERNS[:_BEFORE_LABELS]:
        scan.each(pattern, make)
    labels |= set(_labels(scan))
    for pattern, make in _PATTERNS[_BEFORE_LABELS:]:
        scan.each(pattern, make)
    values = sorted(scan.values, key=lambda value: value.start)
    return Found(tuple(_with_roles(text, values)), frozenset(labels), tuple(sorted(scan.taken)))


def _codes(scan: _Scan) -> Iterator[re.Match[str]]:
    for match in _CODE.finditer(scan.text):
        scan.take(*match.span())
        yield match


def _labels(scan: _Scan) -> Iterator[tuple[str, str]]:
    for match in list(_LABEL.finditer(scan.rest)):
        word = match["known"] or match["name"]
        following = re.match(r"\s?[\w%°²³£€$]+", scan.rest[match.end() :])
        unit = following[0].strip().casefold() if following else ""
        # "About 3 lifts" and "Price 12 EUR" name nothing.
        if fold(word) in STOP_WORDS or _is_unit(unit) or word.casefold() in _NO_LABELS:
            continue
        scan.take(match.start("first"), match.end())
        noun = stem(fold(word))
        yield noun, match["first"].casefold()
        for more in re.findall(r"\d+", match["more"]):
            yield noun, more


_NO_LABELS = frozenset("almost around approximately every nearly price rent roughly total".split())


def _is_unit(word: str) -> bool:
    single = word.removesuffix("s")
    known = word in _MEASURES or single in _MEASURES or single in _TIME
    return known or word in _SIGNS or single in _SIGNS or word in ("%", "per", "percent", "°c")


def _date(match: re.Match[str]) -> Value:
    groups = match.groupdict()
    if groups.get("iso"):
        year, month, day = (int(part) for part in match["iso"].split("-"))
        return Value("date", "", *match.span(), date=(year, month, day))
    name = groups.get("month")
    months = _MONTHS.split()
    month_ = (
        1 + next(i for i, m in enumerate(months) if m[:3] == name[:3].casefold()) if name else 0
    )
    year_, day_ = groups.get("year"), groups.get("day")
    parts = (int(year_) if year_ else None, month_ or None, int(day_) if day_ else None)
    start = match.start("month") if name and not day_ and not year_ else match.start()
    return Value("date", "", start, match.end(), date=parts)


def _weekday(match: re.Match[str]) -> Value:
    words = [word.casefold().rstrip("s") for word in re.findall(r"[A-Za-z]+", match[0])]
    numbers = [_WEEKDAYS.index(word) for word in words if word in _WEEKDAYS]
    if "weekday" in words:
        days = range(5)
    elif "weekend" in words:
        days = range(5, 7)
    else:
        first, last = numbers[0], numbers[-1]
        days = range(first, last + 1 if last >= first else last + 8)
    return Value("weekday", "", *match.span(), days=frozenset(day % 7 for day in days))


def _clock(match: re.Match[str]) -> Value:
    text = match[0].casefold().replace(".", ":")
    if text in ("noon", "midnight"):
        at = 12.0 if text == "noon" else 24.0
    else:
        hour, *minutes = (int(part) for part in re.findall(r"\d+", text))
        at = hour % 12 + 12 * ("p" in text) if re.search("[ap]:?m", text) else hour
        at += (minutes[0] if minutes else 0) / 60
    return Value("clock", "at", *match.span(), low=at, high=at)


def _money(match: re.Match[str]) -> Value:
    groups = match.groupdict()
    sign = (groups.get("sign") or groups.get("behind") or "").casefold()
    scale = 0.01 if groups.get("small") else 1.0
    unit = _SIGNS.get(sign) or _SIGNS.get(sign.removesuffix("s")) or "GBP"
    per = groups.get("per")
    value = _ranged(match, "money", f"{unit}/{stem(per.casefold())}" if per else unit, scale)
    return replace(value, loose=bool(re.search("illion", match["low"])))


def _ranged(match: re.Match[str], kind: str, unit: str, scale: float, family: str = "") -> Value:
    low = number_of(match["low"])
    high = number_of(match["high"]) if match["high"] else low
    ends = (low * scale, max(low, high) * scale)
    return Value(kind, unit, *match.span(), low=ends[0], high=ends[1], family=family)


def _share(match: re.Match[str]) -> Value:
    return _ranged(match, "share", "%", 1.0)


def _fraction(match: re.Match[str]) -> Value:
    parts = {"hal": 2, "thi": 3, "qua": 4}[match["part"][:3].casefold()]
    share = 100 * number_of(match["times"] or "one") / parts
    return Value("share", "%", *match.span(), low=share, high=share, loose=parts == 3)


def _period(match: re.Match[str]) -> Value:
    groups = match.groupdict()
    if adverb := groups.get("adverb"):
        family, days = _TIME[_ADVERBS[adverb.casefold()]]
    else:
        family, days = _TIME[match["unit"].casefold()]
        if groups.get("times"):
            word = match["times"].casefold()
            days /= (
                {"once": 1.0, "twice": 2.0}.get(word) or number_of(word.split(" time")[0]) or 1.0
            )
        elif groups.get("every"):
            word = match["every"].casefold()
            days *= 2.0 if word == "other" else number_of(word)
    return Value("period", "", *match.span(), low=days, high=days, family=family)


def _duration(match: re.Match[str]) -> Value:
    family, days = _TIME[match["unit"].casefold()]
    # Working days never equal days; how many there are in a week depends.
    unit = "working" if match["working"] else ""
    return _ranged(match, "duration", unit, days, family)


def _single(match: re.Match[str]) -> Value:
    family, days = _TIME[match["unit"].casefold()]
    days *= 0.5 if match["half"] else 1.0
    return Value("duration", "", *match.span("said"), low=days, high=days, family=family)


def _measure(match: re.Match[str]) -> Value:
    word = match["unit"].casefold()
    unit, scale = _MEASURES.get(word) or _MEASURES[word.removesuffix("s")]
    return _ranged(match, "count", unit, scale)


def _count(match: re.Match[str]) -> Value | None:
    """Return a number with what it counts, the first plural after it, or None."""
    words = [word for word in match["noun"].split() if fold(word) not in STOP_WORDS]
    if not words or words[0] != match["noun"].split()[0]:
        return None  # "3 of them", "one is"
    plural = next((w for w in words if w.endswith("s") and not w.endswith("ss")), "")
    if not plural and number_of(match["low"]) != 1:
        plural = next((w for w in words if w in ("children", "men", "women", "people")), "")
    if not plural and match["low"].casefold() == "one":
        return None  # "one lift" is hardly ever a number of lifts
    noun = plural or words[0]
    value = _ranged(match, "count", stem(fold(noun)), 1.0)
    return replace(value, end=match.start("noun") + match["noun"].index(noun) + len(noun))


_FROM = re.compile(r"\b(?:from|after|since|(?:start|open|begin)(?:s|ing)?(?: at)?|between) $", re.I)
_UNTIL = re.compile(r"\b(?:until|till|to|by|before|(?:clos|end)(?:e?s|ing)?(?: at)?|than) $", re.I)
_THROUGH = re.compile(r"\s?(?:[-–—]|to|until|till|and)\s?", re.I)


def _with_roles(text: str, values: list[Value]) -> Iterator[Value]:
    """Yield the values, clock times told apart by whether something begins or ends then."""
    clocks = [value for value in values if value.kind == "clock"]
    ends = {
        (first.end, second.start): (first, second)
        for first, second in pairwise(clocks)
        if _THROUGH.fullmatch(text[first.end : second.start])
    }
    begin = {first for first, _ in ends.values()}
    finish = {second for _, second in ends.values()}
    for value in values:
        if value.kind != "clock":
            yield value
            continue
        before = text[max(0, value.start - 16) : value.start]
        if value in begin or (value not in finish and _FROM.search(before)):
            yield replace(value, unit="from")
        elif value in finish or _UNTIL.search(before):
            yield replace(value, unit="until")
        else:
            yield value


def _bare(match: re.Match[str]) -> Value:
    return _ranged(match, "count", "", 1.0)


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I)


_UNIT_WORDS = "|".join(sorted(map(re.escape, _MEASURES), key=len, reverse=True))
_NO_NOUN = "and|or|at|by|in|on|for|from|with|until|to|the|a|an|is|are|unless|if|when|between"
_BEFORE_MONTH = "|".join(
    f"(?<={word} )" for word in "in of and or until to by since from every".split()
)
_BEFORE_A = "|".join(
    f"(?<={word} )" for word in "within in after for of than about least most take takes".split()
)
_FULL_MONTH = "|".join(month.title() for month in _MONTHS.split())
_DAY_OF_MONTH = r"\b(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:1[5-9]|20)\d\d)\b"
_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Value | None]], ...] = (
    (_pattern(r"\b(?P<iso>\d{4}-[01]\d-[0-3]\d)\b"), _date),
    (_pattern(rf"{_DAY_OF_MONTH}(?: of)? (?P<month>{_MONTH})(?:,? {_YEAR})?"), _date),
    (_pattern(rf"\b(?P<month>{_MONTH}) {_DAY_OF_MONTH}\b(?:, ?{_YEAR})?"), _date),
    (_pattern(rf"\b(?P<month>{_MONTH}) {_YEAR}"), _date),
    (_pattern(_CLOCK), _clock),
    (
        _pattern(
            rf"(?P<sign>{_SIGN}) ?(?P<low>{NUMBER})(?:{TO}(?:{_SIGN})? ?(?P<high>{NUMBER}))?{_PER}"
        ),
        _money,
    ),
    (_pattern(rf"{RANGE} ?(?P<behind>{_CURRENCY}){_PER}"), _money),
    (_pattern(rf"{RANGE} ?(?P<small>pence|p)\b{_PER}"), _money),
    (_pattern(rf"{RANGE} ?(?:%|per ?cent\b)"), _share),
    (
        _pattern(
            rf"\b(?P<times>once|twice|{NUMBER} times) (?:an?|per|each|every|in a) {_TIME_UNIT}"
        ),
        _period,
    ),
    (_pattern(rf"\b(?:every|each) (?:(?P<every>other|{NUMBER}) )?{_TIME_UNIT}"), _period),
    # "a monthly fee" does not say how often.
    (_pattern(rf"\b(?P<adverb>{'|'.join(_ADVERBS)})\b(?=\W*$|[,.;:)]| (?:{_NO_NOUN})\b)"), _period),
    (
        _pattern(rf"{RANGE}[ -]?(?P<working>working |business )?(?:full |whole )?{_TIME_UNIT}"),
        _duration,
    ),
    (
        _pattern(
            r"(?P<said>(?:(?P<half>half an?)|"
            rf"(?:{_BEFORE_A})an?) {_TIME_UNIT})"
        ),
        _single,
    ),
    (_pattern(rf"{RANGE} ?(?P<unit>{_UNIT_WORDS})s?(?![\w²³])"), _measure),
    (_pattern(rf"(?<![\w.,/-]){_YEAR}(?![,.]\d|-\d)"), _date),
    # From here on "Lift 3" and "room 0.09" are out of the way.
    (_pattern(rf"(?:{_BEFORE_MONTH})(?P<month>(?-i:{_FULL_MONTH}))\b"), _date),
    (
        _pattern(
            r"(?P<times>one |an? |two |three )?(?P<part>thirds?|quarters?|half)"
            r"(?= of\b| the\b| its\b| their\b| as\b|\W*$)"
        ),
        _fraction,
    ),
    (
        _pattern(rf"\b(?:{_DAY}(?: ?(?:to|-|–|through|until) ?{_DAY})?|weekdays?|weekends?)\b"),
        _weekday,
    ),
    (_pattern(rf"{RANGE} (?P<noun>[a-z][\w-]*(?: [a-z][\w-]*){{0,2}})"), _count),
    (_pattern(r"(?P<low>(?<![\w.,/-])\d[\d,]*(?:\.\d+)?)(?P<high>)(?![\w/-]|\.\d)"), _bare),
)
_BEFORE_LABELS = 16
