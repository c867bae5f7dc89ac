"""Which unit a sentence counts for, and which places it touches."""

from __future__ import annotations

import pytest

from bench.data import Judged, Text, Unit
from bench.units import numbered, shared, touches, units_of, within


def test_a_passage_counts_for_the_unit_with_most_of_its_best_sentence() -> None:
    """Units rank by first appearance; a sentence in no unit counts for none."""
    units = numbered([Unit("a", 0, 10), Unit("a", 10, 30), Unit("b", 0, 10)])
    best = [
        Unit("a", 8, 16),
        Unit("b", 40, 50),
        Unit("a", 12, 20),
        Unit("c", 0, 9),
        Unit("b", 0, 4),
    ]
    assert units_of(best, units) == [1, 2]


@pytest.mark.parametrize(
    ("place", "touched"),
    [
        (Judged("a", 5, 9), True),
        (Judged("a", 10, 12), False),  # begins where the sentence ends
        (Judged("a"), True),  # the whole document
        (Judged("b"), False),
        (Judged("b", 5, 9), False),
    ],
)
def test_a_sentence_touches_a_place_with_a_character(place: Judged, touched: bool) -> None:
    assert touches(Unit("a", 0, 10), place) is touched


def test_places_share_characters_only_within_a_document() -> None:
    assert shared(Unit("a", 0, 10), Unit("a", 8, 20)) == 2
    assert shared(Unit("a", 0, 10), Unit("b", 0, 10)) == 0
    assert within(Judged("a"), Text(id="a", title="", text="12345")) == Unit("a", 0, 5)
