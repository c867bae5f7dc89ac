"""Short answers compared as SQuAD compares them, worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.squad import exact, f1, holds, words


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("The  Lift, inspected\tin May.", ["lift", "inspected", "in", "may"]),
        ("a 12-year theatre", ["12year", "theatre"]),  # "the" inside a word stays
        ("An a the.", []),
        ("", []),
    ],
)
def test_case_articles_and_punctuation_do_not_count(text: str, left: list[str]) -> None:
    assert words(text) == left


@pytest.mark.parametrize(
    ("answer", "gold", "em", "overlap"),
    [
        ("the Ministry", ["Ministry"], 1.0, 1.0),
        ("in May 1851", ["1851"], 0.0, 2 * 1 / (3 + 1)),
        ("in May 1851", ["June", "May 1851"], 0.0, 2 * 2 / (3 + 2)),  # the better of the two
        ("to be or to be", ["to be"], 0.0, 2 * 2 / (5 + 2)),  # a word counts as often as in both
        ("June", ["May"], 0.0, 0.0),
        ("", ["May"], 0.0, 0.0),
        ("", [], 1.0, 1.0),  # nothing to answer, and nothing answered
        ("May", [], 0.0, 0.0),
    ],
)
def test_exact_match_and_f1(answer: str, gold: list[str], em: float, overlap: float) -> None:
    assert exact(answer, gold) == em
    assert f1(answer, gold) == pytest.approx(overlap)


@pytest.mark.parametrize(
    ("text", "answer", "held"),
    [
        ("It was opened in May 1851, they say.", "May 1851", True),
        ("It was opened on the 1 May.", "1 may", True),
        ("It was opened in May of 1851.", "May 1851", False),
        ("Room 12 is closed.", "2", False),  # whole words only
        ("He got an A in maths", "A", True),
        ("He got the best mark", "A", False),
    ],
)
def test_a_text_holds_the_words_of_an_answer_in_order(text: str, answer: str, held: bool) -> None:
    assert holds(text, answer) is held


@given(st.text("ab T.,", max_size=12), st.text("ab T.,", max_size=12))
def test_f1_is_symmetric_and_1_for_equal_words(one: str, other: str) -> None:
    assert f1(one, [other]) == f1(other, [one])
    assert (f1(one, [other]) == 1.0) is (sorted(words(one)) == sorted(words(other)))
