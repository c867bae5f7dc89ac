"""The figures that are shown while a reader is trained."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from index.weights import default_model
from qa.windows import Window
from training.batches import Batches, Prepared
from training.examples import Example
from training.judge import LONGEST, _best, area, judged
from training.model import Reader

PAIRS = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=1, max_size=40)


@given(PAIRS)
def test_the_area_is_how_often_a_positive_scores_above_a_negative(
    rows: list[tuple[int, bool]],
) -> None:
    """Ties, of which there are many here, count half."""
    positives = [score for score, right in rows if right]
    negatives = [score for score, right in rows if not right]
    pairs = [(p > n) + (p == n) / 2 for p in positives for n in negatives]
    expected = sum(pairs) / len(pairs) if pairs else 0.5
    found = area([score for score, _ in rows], [right for _, right in rows])
    assert found == pytest.approx(expected)


@given(st.integers(1, 45), st.integers(2, 6), st.integers(0, 10**6))
def test_the_best_span_is_the_best_of_all_that_are_short_enough(
    count: int, text: int, seed: int
) -> None:
    logits = np.random.default_rng(seed).normal(size=(text + count + 1, 3)).astype(np.float32)
    window = Window([0] * len(logits), 2, text, 0, count)
    first, last, margin = _best(logits, Prepared(window, (0,), (0,), ()))
    best = max(
        (float(logits[one, 0] + logits[two, 1]), one, two)
        for one in range(text, text + count)
        for two in range(one, min(one + LONGEST, text + count))
    )
    assert (first, last) == best[1:]
    assert margin == pytest.approx(best[0] - float(logits[0, 0] + logits[0, 1]), abs=1e-5)


def test_a_window_without_text_has_no_span() -> None:
    window = Window([0] * 4, 2, 3, 0, 0)
    first, last, margin = _best(np.zeros((4, 3), np.float32), Prepared(window, (0,), (0,), ()))
    assert (first, last) == (0, 0)
    assert margin < -1e3


@pytest.mark.slow
def test_a_figure_nothing_can_be_said_about_is_left_out() -> None:
    """Of a reader whose head knows nothing yet."""
    folder = default_model()
    reader = Reader(folder)
    said = "The lift is inspected in May. It is red."
    here = Example(
        source="mine",
        question="1",
        asked="When is the lift inspected?",
        before="",
        text=said,
        sentences=((0, 29), (30, 40)),
        answers=((25, 28),),
        evidence=(0,),
    )
    silent = Example(
        source="mine", question="2", asked="Who?", before="", text=said, sentences=((0, 40),)
    )
    batches = Batches(
        [here, silent], Tokenizer.from_file(str(folder / "tokenizer.json")), size=2, seed=1
    )
    assert judged(reader, batches.prepare([silent], None)) == {}
    assert set(judged(reader, batches.prepare([here], None))) == {"exact", "sentence"}
    figures = judged(reader, batches.prepare([here, silent], None))
    assert set(figures) == {"exact", "sentence", "here"}
    assert set(figures.values()) <= {0.0, 0.5, 1.0}
