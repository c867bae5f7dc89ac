"""Word-level agreement by places in the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data import Text, Unit
from bench.overlap import count_words, set_f1, word_places

TEXT = "Lifts are inspected twice. The book's kept."
DOCUMENTS = {"a": Text(id="a", title="", text=TEXT)}


def test_words_are_told_apart_by_where_they_begin() -> None:
    assert word_places([Unit("a", 0, 9)], DOCUMENTS) == {("a", 0), ("a", 6)}
    # A place that begins inside a word does not have it, one that ends inside has.
    assert word_places([Unit("a", 2, 12)], DOCUMENTS) == {("a", 6), ("a", 10)}
    assert word_places([Unit("a", 9, 10)], DOCUMENTS) == frozenset()


def test_f1_of_two_selections() -> None:
    """Of 4 and 2 words 2 are the same: precision 2/4, recall 2/2."""
    found = word_places([Unit("a", 0, 26)], DOCUMENTS)
    gold = word_places([Unit("a", 10, 26)], DOCUMENTS)
    assert set_f1(found, gold) == pytest.approx(2 * 0.5 * 1 / 1.5)
    assert set_f1(gold, gold) == 1.0
    assert set_f1([], gold) == 0.0
    with pytest.raises(ValueError, match="undefined"):
        set_f1(found, [])


@given(st.text("ab .'\n", max_size=30), st.data())
def test_two_halves_of_a_text_share_its_words_out(text: str, data: st.DataObject) -> None:
    """Each word begins in just one of them, wherever the cut is."""
    cut = data.draw(st.integers(0, len(text)))
    documents = {"a": Text(id="a", title="", text=text)}
    one = word_places([Unit("a", 0, cut)], documents)
    other = word_places([Unit("a", cut, len(text))], documents)
    assert not one & other
    assert len(one) + len(other) == count_words(text)
