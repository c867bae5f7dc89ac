from __future__ import annotations

import pytest

from bench.data import Judged, Question, Set, Text
from bench.train_punkt import MIN_COUNT, Score, boundaries, train, training_texts


def test_boundaries_are_scored_without_the_end_of_the_document() -> None:
    text = Text(id="a", title="", text="One. Two. Three.", sentences=((0, 4), (5, 9), (10, 16)))
    found = boundaries(text, lambda _: [(0, 4), (5, 16)])
    assert found == Score(right=1, predicted=1, gold=2)
    assert (found.precision, found.recall) == (1.0, 0.5)
    assert found.f1 == pytest.approx(2 / 3)


def test_documents_of_test_questions_are_not_trained_on() -> None:
    documents = {name: Text(id=name, title="", text=name.upper()) for name in ("a", "b", "c")}
    questions = (
        Question(id="1", text="?", split="test", relevant=(Judged("b"),)),
        Question(id="2", text="?", split="dev", relevant=(Judged("c"),)),
    )
    assert list(training_texts(Set(name="s", documents=documents, questions=questions))) == [
        "A",
        "C",
    ]


def test_training_finds_abbreviations_and_leaves_rare_words_out() -> None:
    sentences = [f"The kgm. of the {word} is {word}." for word in ("lift", "door", "roof", "hall")]
    sentences += [f"A {word} is new and this {word} is old now" for word in ("lift", "door")]
    parameters = train([" ".join(sentences * 10), "A quixotic end."])
    assert parameters.abbrev_types == {"kgm"}
    assert "lift" in parameters.ortho_context
    assert "quixotic" not in parameters.ortho_context
    assert MIN_COUNT > 1
