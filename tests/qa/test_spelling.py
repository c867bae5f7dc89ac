"""Typing errors are mended with the documents' words, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from small import new_library

from index.searcher import Searcher
from index.terms import spanned_terms, stem
from qa.question import searchable
from qa.spelling import _ordinary, corrected

TEXTS = {
    "lift": "The lift is inspected every four weeks by the inspector from Brackwater.",
    "desk": "The defibrillator hangs behind the front desk, where the caretaker sits.",
    "tours": "Guided tours cost £6. Dogs wait outside; the dog of a blind visitor may come in.",
    "warranty": "The warranty of the Calder 250 is three years. Error E-4304 needs a technician.",
    "garden": "Celery and lamina grow in the garden. Agnes Thorley planted the hyacinths.",
    "ward": "Hyperglycemia and hydrophilic dressings are explained on the medical ward.",
}


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    path: Path = tmp_path_factory.mktemp("spelling") / "six.quoth"
    with new_library(path) as library:
        library.add_texts((name, text, f"Paper {name}", None) for name, text in TEXTS.items())
        with library.searching() as opened:
            yield opened


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("how ofen is the lfit inspected", "how often is the lift inspected"),
        ("How often is the lift inspecetd?", "How often is the lift inspected?"),
        ("wher is the defibrllator", "where is the defibrillator"),
        (
            "Where does the caretakr's defibrllator hang?",
            "Where does the caretaker's defibrillator hang?",
        ),
        ("may my dgo wait", "may my dog wait"),
        ("guided  tuors,\nprice?", "guided  tours,\nprice?"),
        ("WARANTY OF THE CALDER", "WARRANTY OF THE CALDER"),
        ("What did Agnes Throley plant?", "What did Agnes Thorley plant?"),
        ("Error E-4304 tecnhician", "Error E-4304 technician"),
        ("the gardan, the hyacints", "the garden, the hyacinths"),
        ("ilft", "lift"),  # the first two letters exchanged
    ],
)
def test_a_typing_error_becomes_the_word_of_the_documents(
    searcher: Searcher, typed: str, meant: str
) -> None:
    assert corrected(typed, searcher) == meant


@pytest.mark.parametrize(
    "question",
    [
        "How often is the lift inspected?",
        "What is the salary?",  # an ordinary word; the documents have "celery"
        "Who inspected the gift shop?",
        "What are hydrophobic dressings?",  # two letters replaced are another word
        "Is hypoglycemia explained?",
        "What is E-4034, E4034 or E-43O4?",
        "lfit@example.org lfit.txt /lfit lfit_2",
        'Who said "lfit"?',
        "LFIT is what?",  # an abbreviation among other words
        "iLfit",
        "xift",  # the first letter is another one
        "dfibrllatr",  # three letters are missing
        "ift",
        "a of",
        "Wie oft wird der Aufzug gewartet?",
        "电梯多久检查一次？ лфит",
        "",
        "?!",
        "x" * 2000,
        "lfit" * 400,
    ],
)
def test_what_is_no_typing_error_stays_as_it_is(searcher: Searcher, question: str) -> None:
    assert corrected(question, searcher) == question


def test_the_word_that_stands_with_the_others_is_meant(tmp_path: Path) -> None:
    """A word that no passage has beside the others of the question is not."""
    texts = ("The switch of the lamp is red.", "The swath of the mower is wide.")
    with new_library(tmp_path / "two.quoth") as library:
        library.add_texts((str(i), text, None, None) for i, text in enumerate(texts))
        with library.searching() as searcher:
            assert corrected("swtch of the lamp", searcher) == "switch of the lamp"
            assert corrected("swtch of the mower", searcher) == "swtch of the mower"
            assert corrected("swtah of the mower", searcher) == "swath of the mower"


def test_of_equally_near_words_the_most_frequent_is_meant(tmp_path: Path) -> None:
    texts = ["A crane lifts it."] * 3 + ["The crate is shut."]
    with new_library(tmp_path / "cranes.quoth") as library:
        library.add_texts((str(i), f"{text} {i}", None, None) for i, text in enumerate(texts))
        with library.searching() as searcher:
            assert corrected("crae", searcher) == "crane"


def test_words_of_removed_documents_are_not_meant(tmp_path: Path) -> None:
    with new_library(tmp_path / "gone.quoth") as library:
        library.add_texts([("a", "The weir is old.", None, None), ("b", "A lock.", None, None)])
        with library.searching() as searcher:
            assert corrected("the wier", searcher) == "the weir"
            assert dict(searcher.vocabulary("we")) == {"weir": 1}
            assert searcher.count_with_all(("weir", "old")) == 1
        library.remove("a")
        with library.searching() as searcher:
            assert corrected("the wier", searcher) == "the wier"
            assert searcher.vocabulary("we") == []
            assert searcher.count_with_all(("weir", "old")) == 0


def test_an_empty_library_mends_nothing(tmp_path: Path) -> None:
    with new_library(tmp_path / "empty.quoth") as library, library.searching() as searcher:
        assert corrected("the lfit", searcher) == "the lfit"


# Far from each other and from the words that shape questions.
WORDS = ("inspected", "caretaker", "defibrillator", "warranty", "technician", "hyacinths", "garden")


@settings(max_examples=60)
@given(word=st.sampled_from(WORDS), data=st.data())
def test_one_slip_is_mended(searcher: Searcher, word: str, data: st.DataObject) -> None:
    """A letter left out, doubled, or exchanged with its neighbour, but never the first."""
    at = data.draw(st.integers(1, len(word) - 2))
    typed = data.draw(
        st.sampled_from(
            [
                word[:at] + word[at + 1 :],
                word[: at + 1] + word[at:],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            ]
        )
    )
    # "inspectd" is the same term already, "technicians" a word.
    assume(not searcher.document_frequency(stem(typed)) and not _ordinary(typed))
    assert corrected(f"the {typed}?", searcher) == f"the {word}?"


@given(words=st.lists(st.sampled_from(sorted(set(" ".join(TEXTS.values()).split()))), max_size=9))
def test_words_of_the_documents_never_change(searcher: Searcher, words: list[str]) -> None:
    question = " ".join(words)
    assert corrected(question, searcher) == question


@given(question=st.text(max_size=80).map(searchable))
def test_only_words_of_letters_change_in_any_text(searcher: Searcher, question: str) -> None:
    mended = corrected(question, searcher)
    assert corrected(question, searcher) == mended
    for old, new in zip(question.split(), mended.split(), strict=True):
        if old != new:
            meant = [term for term in spanned_terms(new) if term.term not in old.casefold()]
            assert all(term.stop or searcher.document_frequency(term.term) for term in meant)
