"""Values: equal ones are equal however they are written, and names are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.values import agree, find_values


def only(text: str) -> tuple[str, str]:
    (value,) = find_values(text).values
    return value.kind, text[value.start : value.end]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("serviced every four weeks in turn", "period", "every four weeks"),
        ("tested twice a year", "period", "twice a year"),
        ("cleaned monthly.", "period", "monthly"),
        ("kept for ten years", "duration", "ten years"),
        ("two and a half years", "duration", "two and a half years"),
        ("half an hour", "duration", "half an hour"),
        ("£18,400 a year", "money", "£18,400 a year"),
        ("a thousand pounds", "money", "a thousand pounds"),
        ("45 pence a mile", "money", "45 pence a mile"),
        ("4 per cent", "share", "4 per cent"),
        ("two thirds of it", "share", "two thirds"),
        ("opens at 8 a.m. sharp", "clock", "8 a.m."),
        ("on 3rd of May 2021", "date", "3rd of May 2021"),
        ("on March 3, 2024", "date", "March 3, 2024"),
        ("by September", "date", "September"),
        ("Monday to Friday", "weekday", "Monday to Friday"),
        ("142 square metres", "count", "142 square metres"),
        ("one hundred and twenty chairs", "count", "one hundred and twenty chairs"),
        ("1,000 kg", "count", "1,000 kg"),
    ],
)
def test_a_value_is_found_with_its_words(text: str, kind: str, words: str) -> None:
    assert only(text) == (kind, words)


@pytest.mark.parametrize(
    "text",
    ["Lift 3 stops", "in room 0.09", "the code E-4304", "call 01632 960911", "the monthly fee",
     "one of them", "it may rain"],
)  # fmt: skip
def test_what_names_a_thing_is_no_value(text: str) -> None:
    assert find_values(text).values == ()


def test_numbered_things_and_codes_are_labels() -> None:
    found = find_values("Lifts 1 and 2 show E-4304 in room 0.09")
    assert found.labels == {("lift", "1"), ("lift", "2"), ("", "e4304"), ("room", "0.09")}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("every six months", "twice a year", True),
        ("every four weeks", "monthly", True),
        ("every four weeks", "every two weeks", False),
        ("60 minutes", "one hour", True),
        ("30 days", "one month", True),
        ("30 days", "60 days", False),
        ("GBP 1000", "£1,000.00", True),
        ("about 100 pages", "93 pages", True),
        ("at least 3 pages", "5 pages", True),
        ("at least 3 pages", "2 pages", False),
        ("up to 9 pages", "at least 3 pages", True),
        ("up to 9 pages", "up to 8 pages", False),
        ("8 to 12 weeks", "10 weeks", True),
        ("May 2021", "17 May 2021", True),
        ("17 May 2021", "2021-05-18", False),
        ("Monday to Friday", "Thursdays", True),
        ("17:30", "5:30 pm", True),
    ],
)
def test_values_agree_if_both_can_be_true(one: str, other: str, same: bool) -> None:
    (a,), (b,) = find_values(one).values, find_values(other).values
    assert (a.kind, a.unit) == (b.kind, b.unit)
    assert agree(a, b) == agree(b, a) == same


def test_a_working_day_is_no_day() -> None:
    (a,), (b,) = find_values("3 working days").values, find_values("3 days").values
    assert a.unit != b.unit


def test_when_it_opens_and_when_it_closes_are_two_values() -> None:
    for text in ("08:00-17:30", "from 08:00 to 17:30", "between 08:00 and 17:30"):
        assert [value.unit for value in find_values(text).values] == ["from", "until"]


@given(st.text(alphabet="0123456789.,:-£% aEMmpyd\n", max_size=40) | st.text(max_size=40))
def test_values_stand_inside_the_text_and_do_not_overlap(text: str) -> None:
    found = find_values(text)
    end = 0
    for value in found.values:
        assert end <= value.start < value.end <= len(text)
        assert value.low <= value.high
        assert agree(value, value)
        end = value.end
