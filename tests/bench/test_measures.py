"""Our measures against ir_measures, and tables worked out by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.measures import average_precision, ndcg, recall, reciprocal_rank, success

ir_measures = pytest.importorskip("ir_measures", reason="needs the extra 'bench'")

items = st.integers(0, 30).map(str)
rankings = st.lists(items, unique=True, max_size=25)
judgements = st.dictionaries(items, st.integers(1, 4), min_size=1, max_size=15)


@settings(deadline=None)  # the first call imports their module
@given(rankings, judgements, st.integers(1, 20))
def test_measures_agree_with_ir_measures(
    ranking: list[str], grades: dict[str, int], k: int
) -> None:
    run = [ir_measures.ScoredDoc("q", item, float(-rank)) for rank, item in enumerate(ranking)] or [
        ir_measures.ScoredDoc("q", "not judged", 0.0)
    ]
    qrels = [ir_measures.Qrel("q", item, grade) for item, grade in grades.items()]
    measures = [
        ir_measures.nDCG @ k,
        ir_measures.RR @ k,
        ir_measures.R @ k,
        ir_measures.Success @ k,
    ]
    theirs = ir_measures.calc_aggregate(measures, qrels, run)
    ours = [
        ndcg(ranking, grades, k),
        reciprocal_rank(ranking, grades, k),
        recall(ranking, grades, k),
        success([item in grades for item in ranking], k),
    ]
    assert ours == pytest.approx([theirs[measure] for measure in measures])


def test_ndcg_discounts_grades_by_rank() -> None:
    """Grades 2 and 1 found at ranks 3 and 1, against the best order 2, 1."""
    found = 1 / math.log2(2) + 2 / math.log2(4)
    best = 2 / math.log2(2) + 1 / math.log2(3)
    assert ndcg(["b", "x", "a"], {"a": 2, "b": 1}) == pytest.approx(found / best)


@pytest.mark.parametrize(
    ("ranking", "k", "rank", "found"),
    [
        (["a", "b"], 10, 1.0, 1.0),
        (["x", "b"], 10, 0.5, 0.5),
        (["x", "b"], 1, 0.0, 0.0),
        ([], 10, 0.0, 0.0),
    ],
)
def test_rank_and_recall_end_at_the_cut_off(
    ranking: list[str], k: int, rank: float, found: float
) -> None:
    grades = {"a": 1, "b": 3}
    assert reciprocal_rank(ranking, grades, k) == rank
    assert recall(ranking, grades, k) == found


def test_success_needs_one_hit_among_the_first_k() -> None:
    assert success([False, True], 2) == 1.0
    assert success([False, True], 1) == 0.0
    assert success([], 3) == 0.0


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=20).filter(any))
def test_average_precision_agrees_with_ir_measures(hits: list[bool]) -> None:
    run = [ir_measures.ScoredDoc("q", str(at), float(-at)) for at in range(len(hits))]
    qrels = [ir_measures.Qrel("q", str(at), int(hit)) for at, hit in enumerate(hits)]
    (theirs,) = ir_measures.calc_aggregate([ir_measures.AP], qrels, run).values()
    assert average_precision(hits) == pytest.approx(theirs)


def test_average_precision_is_the_mean_of_precisions_at_hits() -> None:
    assert average_precision([True, False, True]) == pytest.approx((1 + 2 / 3) / 2)
    with pytest.raises(ValueError, match="nothing relevant"):
        average_precision([False])


@pytest.mark.parametrize("measure", [ndcg, reciprocal_rank, recall])
def test_a_measure_without_relevant_items_is_an_error(measure: type) -> None:
    """A question with nothing to find has no figure; counting it as 0 would lower the mean."""
    with pytest.raises(ValueError, match="0 relevant"):
        measure(["a"], {})
    with pytest.raises(ValueError, match="cut-off of 0"):
        measure(["a"], {"a": 1}, 0)
