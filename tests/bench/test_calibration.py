"""What confidence is worth, worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.calibration import Bin, Coverage, area, calibration_error, coverage_at, reliability

scores = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=12)


def test_area_counts_pairs_in_the_right_order() -> None:
    """Of 2 x 3 pairs 4 are in order and 1 is a tie."""
    assert area([0.9, 0.4], [0.1, 0.4, 0.5]) == pytest.approx(4.5 / 6)
    assert area([1.0], [0.0]) == 1.0
    assert area([0.0], [1.0]) == 0.0
    with pytest.raises(ValueError, match="undefined"):
        area([0.5], [])


@given(scores, scores)
def test_area_agrees_with_counting_every_pair(yes: list[float], no: list[float]) -> None:
    pairs = [(a > b) + (a == b) / 2 for a in yes for b in no]
    assert area(yes, no) == pytest.approx(sum(pairs) / len(pairs))


def test_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    """Two claim 0.9 in the mean and one is right, two claim 0.2 and none is."""
    confidence, right = [0.85, 0.95, 0.15, 0.25], [True, False, False, False]
    low, high = reliability(confidence, right, bins=2)
    assert low == Bin(0.0, 0.5, 2, low.confidence, 0.0)
    assert high == Bin(0.5, 1.0, 2, high.confidence, 0.5)
    assert (low.confidence, high.confidence) == pytest.approx((0.2, 0.9))
    assert calibration_error(confidence, right, bins=2) == pytest.approx((2 * 0.2 + 2 * 0.4) / 4)


def test_a_confidence_of_1_belongs_to_the_last_bin() -> None:
    (only,) = reliability([1.0], [True])
    assert (only.low, only.high, only.count) == (0.9, 1.0, 1)
    assert calibration_error([1.0], [True]) == 0.0


@pytest.mark.parametrize(
    ("accuracy", "coverage", "threshold"),
    [
        (1.0, 0.2, 0.9),  # the first alone
        (0.75, 0.8, 0.5),  # right, wrong, right, right: 3 of 4
        (0.6, 1.0, 0.1),
        (0.5, 1.0, 0.1),
    ],
)
def test_coverage_is_the_most_that_reaches_an_accuracy(
    accuracy: float, coverage: float, threshold: float
) -> None:
    confidence = [0.1, 0.9, 0.8, 0.7, 0.5]
    right = [False, True, False, True, True]
    assert coverage_at(confidence, right, accuracy) == Coverage(accuracy, coverage, threshold)


def test_equal_confidences_are_answered_together() -> None:
    """Only a threshold between different values can be set."""
    found = coverage_at([0.8, 0.8], [True, False], 1.0)
    assert found == Coverage(1.0, 0.0, None)
