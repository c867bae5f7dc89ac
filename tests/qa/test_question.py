"""A question is checked, its words weighed and its phrases found."""

from __future__ import annotations

from collections.abc import Iterator
from math import log
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import new_library

from index import Library
from index.errors import QuestionError
from index.searcher import Searcher
from index.terms import STOP_WORDS, index_terms, spanned_terms
from qa.question import LIGHT_WORDS, MAX_TERMS, Question, check_question, gist, searchable

# Each text is one passage; names and titles hold none of the words that are asked for.
TEXTS = {
    "a": "The lift is inspected every year by the inspector.",
    "b": "The lift stands still on the third floor since 2015.",
    "c": "Nobody waters the roses in the garden.",
    "d": "The roses were planted in 1998.",
}


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    path: Path = tmp_path_factory.mktemp("question") / "four.quoth"
    with new_library(path) as library:
        add(library)
        with library.searching() as opened:
            assert opened.passage_count == len(TEXTS)
            yield opened


def add(library: Library) -> None:
    library.add_texts((name, text, f"Paper {name}", None) for name, text in TEXTS.items())


def rarity(n: int) -> float:
    """Return the BM25 weight of a term that `n` of the four passages hold, by the formula."""
    return log(1 + (len(TEXTS) - n + 0.5) / (n + 0.5))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Who inspects the lift?", {"inspect": "inspects", "lift": "lift"}),
        ("LIFT, lifts and Lift's", {"lift": "LIFT"}),
        # Words that shape a question are left out where others tell more…
        ("How many roses are there?", {"rose": "roses"}),
        ("Can you explain what a lift means?", {"lift": "lift"}),
        ("How long does the inspection take?", {"inspect": "inspection", "take": "take"}),
        # …and kept where there is nothing else.
        ("How long?", {"long": "long"}),
        ("What does it mean?", {"mean": "mean"}),
        ("Why is it so?", {}),
        ("?!", {}),
        ("What does E-4304 mean?", {"e4304": "E-4304", "e": "E", "4304": "4304"}),
        ("12,400 pounds", {"12400": "12,400", "pound": "pounds"}),
        ("Where is the Café?", {"cafe": "Café"}),
    ],
)
def test_terms_are_what_the_question_is_about(
    searcher: Searcher, text: str, terms: dict[str, str]
) -> None:
    question = Question.read(text, searcher)
    assert dict(zip(question.terms, question.words, strict=True)) == terms
    assert len(question.weights) == len(terms)


def test_stop_words_alone_weigh_nothing_and_cover_nothing(searcher: Searcher) -> None:
    question = Question.read("What is it that they have?", searcher)
    assert (question.terms, question.weight) == ((), 0)
    assert question.coverage({"lift", "what"}) == 0


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("lift", [rarity(2)]),
        ("inspected", [rarity(1)]),
        ("swimming", [rarity(0) * 0.5]),  # no document has it: half
        ("2015", [rarity(1) * 1.5]),  # a number says which one is meant
        ("third floor", [rarity(1) * 1.5, rarity(1)]),
        ("2016", [rarity(0) * 1.5 * 0.5]),
        ("the roses of the lift", [rarity(2), rarity(2)]),
    ],
)
def test_rare_words_and_numbers_weigh_more_and_unseen_words_half(
    searcher: Searcher, text: str, weights: list[float]
) -> None:
    assert Question.read(text, searcher).weights == pytest.approx(weights)


def test_words_taken_over_from_the_turns_before_weigh_half(searcher: Searcher) -> None:
    question = Question.read("roses lift swimming", searcher, own="And the roses?")
    assert question.weights == pytest.approx([rarity(2), rarity(2) * 0.5, rarity(0) * 0.5 * 0.5])


def test_coverage_is_the_share_of_the_weight(searcher: Searcher) -> None:
    question = Question.read("inspected lift", searcher)
    whole = rarity(1) + rarity(2)
    assert question.weight == pytest.approx(whole)
    assert question.coverage({"lift", "rose"}) == pytest.approx(rarity(2) / whole)
    assert question.coverage({"inspect", "lift"}) == pytest.approx(1)
    assert question.coverage(()) == 0


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ('Where is "the third floor"?', [("third", "floor")]),
        ("Who “waters the roses” and «the lift»?", [("water", "rose"), ("lift",)]),
        ("„im dritten Stock“", [("im", "dritten", "stock")]),
        ('Nothing but "of the"', []),  # stop words only
        ('An open " mark', []),
        ("don't and won't", []),  # apostrophes quote nothing
    ],
)
def test_phrases_are_what_stands_in_quotation_marks(
    searcher: Searcher, text: str, phrases: list[tuple[str, ...]]
) -> None:
    assert list(Question.read(text, searcher).phrases) == phrases


def test_of_a_page_of_text_the_first_terms_count(searcher: Searcher) -> None:
    words = [f"word{number}" for number in range(200)]
    question = Question.read(" ".join(words), searcher)
    assert list(question.words) == words[:MAX_TERMS]


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u3000"])
def test_an_empty_question_is_an_error(searcher: Searcher, text: str) -> None:
    with pytest.raises(QuestionError, match="is empty"):
        check_question(text)
    with pytest.raises(QuestionError, match="is empty"):
        Question.read(text, searcher)


def test_a_question_has_at_most_2000_characters(searcher: Searcher) -> None:
    assert len(check_question("x" * 2000)) == 2000
    with pytest.raises(QuestionError, match=r"2,001 characters; the limit is 2,000"):
        Question.read("x" * 2001, searcher)


def test_white_space_around_and_inside_does_not_count() -> None:
    assert check_question(f"  Who\n\n inspects{' ' * 3000}it? ") == "Who inspects it?"


def test_light_words_are_in_the_index_and_stop_words_are_not() -> None:
    """A word in both lists would be left out of the light words without anyone noticing."""
    assert LIGHT_WORDS - STOP_WORDS >= {"many", "mean", "need", "often"}
    assert not any(term.stop for term in spanned_terms("many mean need often"))


@given(text=st.text(min_size=1, max_size=300))
def test_any_question_reads_without_fault(searcher: Searcher, text: str) -> None:
    if not searchable(text):
        return
    question = Question.read(text, searcher)
    assert len(set(question.terms)) == len(question.terms) == len(question.weights)
    assert all(word in question.text for word in question.words)
    assert all(weight > 0 for weight in question.weights)
    assert question.coverage(question.terms) == pytest.approx(1 if question.terms else 0)


@pytest.mark.parametrize(
    ("text", "searched"),
    [
        ("How often?", "How often?"),
        ("Ｈｏｗ ｏｆｔｅｎ？", "How often?"),
        ("the ﬁre o\ufb03ce", "the fire office"),
        ("l\u200bift in\u200dspect\ufeffed", "lift inspected"),
        ("\u202elift\u202c \u2066now\u2069", "lift now"),
        ("lift\x00 now\x1b", "lift now"),
        ("“it’s” – E‑4304", '"it\'s" - E-4304'),
        ("half \ud83d", "half \ufffd"),
        ("li\U000e0066ft", "lift"),  # letters of the invisible tag alphabet
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian needs its joiner
    ],
)
def test_what_is_searched_has_one_spelling_and_nothing_unseen(text: str, searched: str) -> None:
    assert searchable(text) == searched


def test_the_question_as_asked_keeps_its_letters(searcher: Searcher) -> None:
    assert check_question(" Ｗｈｏ\u200b? ") == "Ｗｈｏ\u200b?"
    assert Question.read("Ｗｈｏ\u200b inspects?", searcher).text == "Who inspects?"


@given(text=st.text(st.characters(), max_size=100))
def test_what_is_searched_is_searched_again_the_same(text: str) -> None:
    assert searchable(searchable(text)) == searchable(text)


LETTER = (
    "Good afternoon, I hope that this finds the right person. We moved into the house last spring "
    "with two children, a piano and far too many boxes, and have been happy ever since. My "
    "neighbour Mr. Brown, who has lived here for twenty years, told me to write to you, since he "
    "could not say himself. "
)


@pytest.mark.parametrize(
    ("end", "asked"),
    [
        ("How often is the lift inspected?", "How often is the lift inspected?"),
        ("How often is the lift inspected? Many thanks!", "How often is the lift inspected?"),
        ("What does Mr. Brown pay? Could you help me with that?", "What does Mr. Brown pay?"),
        ("Why? No. 7 is shut. When is it open?", "When is it open? 7 shut"),
        ("The lift was out of order. How often?", "How often? lift order"),
        ("Who waters the roses? Who inspects the lift?", "Who inspects the lift?"),
    ],
)
def test_of_a_letter_its_last_question_is_searched(end: str, asked: str) -> None:
    assert gist(LETTER + end) == asked


@pytest.mark.parametrize(
    "text",
    [
        "I live here. Is the lift safe?",  # short enough to be searched whole
        LETTER,
        f"{LETTER} Can you help me?",
        "lift " * 200,
        "? " * 200,
    ],
)
def test_what_is_no_letter_with_a_question_stays_whole(text: str) -> None:
    assert gist(text) == text


@given(
    text=st.lists(st.sampled_from(["lift", "it", "why?", "Thanks.", "Who", "?", "A.", "“", "\n"]))
)
def test_a_gist_takes_no_word_from_elsewhere(text: list[str]) -> None:
    whole = LETTER + " ".join(text)
    assert set(spanned_words(gist(whole))) <= set(spanned_words(whole))


def spanned_words(text: str) -> list[str]:
    return [text[term.start : term.end] for term in spanned_terms(text)]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("What does E-4304 mean?", ["e4304"]),
        ("e4304, P-25 and A4/100", ["e4304", "p25", "a4100"]),
        ("COVID-19 (ISO27001)", ["covid19", "iso27001"]),
        ("the 3rd 20-year plan of the mid-1990s, 10mm, 5kg, 10am", []),
        ("12,400 pounds in 2019-2021", []),
        ("an e-mail about the x-ray", []),
    ],
)
def test_codes_are_letters_with_digits(searcher: Searcher, text: str, codes: list[str]) -> None:
    assert list(Question.read(text, searcher).codes) == codes


@pytest.mark.parametrize(
    ("question", "text", "exact"),
    [
        ("What does E-4304 mean?", "Error E4304 is shown.", True),
        ("What does E4304 mean?", "Error E-4304 is shown.", True),
        ("What does E-4304 mean?", "Error E-4305 is shown on page 4304.", False),
        ('Who said "the third floor"?', "They live on the third floor.", True),
        ('Who said "the third floor"?', "The floor was the third.", False),
        ('Does "the pump" show P-25?', "The pump shows P-25.", True),
        ('Does "the pump" show P-25?', "The pump shows P-26.", False),
        ("Who waters the roses?", "Nobody waters the roses.", False),
    ],
)
def test_phrases_and_codes_stand_in_a_text_or_not(
    searcher: Searcher, question: str, text: str, exact: bool
) -> None:
    asked = Question.read(question, searcher)
    assert asked.exact(index_terms(text)) is exact
    assert asked.named == len(asked.codes) + len(asked.phrases)
