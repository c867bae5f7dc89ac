"""The paired bootstrap against values known beforehand and against counting."""

from __future__ import annotations

import numpy as np
import pytest

from bench.calibration import area
from bench.chance import Interval, _Side, area_difference, mean_difference


def test_a_difference_without_spread_is_certain() -> None:
    assert mean_difference([1.0, 0.5, 0.75], [0.5, 0.0, 0.25]) == Interval(0.5, 0.5, 0.5)


def test_the_interval_of_a_coin_is_the_binomial_one() -> None:
    """100 questions, 60 won and 40 lost: +-1.96 standard errors, 2 sqrt(0.24 / 100) each."""
    found = mean_difference([1.0] * 60 + [0.0] * 40, [0.0] * 60 + [1.0] * 40)
    assert found.difference == pytest.approx(0.2)
    assert found.low == pytest.approx(0.2 - 1.96 * 2 * (0.24 / 100) ** 0.5, abs=0.021)
    assert found.high == pytest.approx(0.2 + 1.96 * 2 * (0.24 / 100) ** 0.5, abs=0.021)


def test_the_same_values_give_the_same_interval() -> None:
    values = [float(number % 3) for number in range(50)]
    one, other = (mean_difference(values, values[::-1], resamples=450) for _ in range(2))
    assert one == other
    assert one != mean_difference(values, values[::-1], resamples=450, seed=1)


def test_values_that_are_no_pairs_are_an_error() -> None:
    for one, other in (([1.0], [1.0, 0.0]), ([], [])):
        with pytest.raises(ValueError, match="cannot be paired"):
            mean_difference(one, other)


def test_areas_of_resamples_are_those_of_the_questions_drawn() -> None:
    """Counted how often each was drawn, against the scores really repeated."""
    random = np.random.default_rng(3)
    yes, no = random.integers(0, 6, 9) / 5, random.integers(0, 6, 7) / 5
    drawn_yes, drawn_no = random.integers(0, 3, (5, 9)), random.integers(0, 3, (5, 7))
    expected = [
        area(np.repeat(yes, some), np.repeat(no, others))
        for some, others in zip(drawn_yes, drawn_no, strict=True)
    ]
    assert _Side(yes, no).areas(drawn_yes, drawn_no) == pytest.approx(expected)


def test_a_ranking_that_is_always_right_beats_one_that_is_always_wrong() -> None:
    positive = [True, True, False, False]
    found = area_difference([0.9, 0.8, 0.2, 0.1], [0.1, 0.2, 0.8, 0.9], positive, resamples=500)
    assert found == Interval(1.0, 1.0, 1.0)
    chance = area_difference([0.9, 0.1, 0.8, 0.2], [0.5] * 4, positive, resamples=500)
    assert chance.difference == 0.0
    assert chance.low < 0 < chance.high
