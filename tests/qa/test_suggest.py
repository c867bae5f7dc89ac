"""Questions to begin with: good English, answered by what they were made of, the same each time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import HashEncoder, new_library, write

from index import Library
from index.types import Encoder
from qa import Chat
from qa.suggest import suggested_questions
from qa.suggest.clause import MOST_CHARACTERS, Vocabulary
from qa.suggest.heading import of_heading
from qa.suggest.sentence import of_sentence
from qa.visible import one_line

WORDS = Vocabulary(
    [
        "the lifts, candles and fires of the house; rules about dogs, prices, visitors and caves.",
        "We asked Marie Curie and Polonia about Harrowmere, and Thames House about Lift 2.",
    ]
)


# -- a library ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_every_suggestion_is_answered_surely_and_by_different_documents(
    examples: Library, seed: int
) -> None:
    questions = suggested_questions(examples, 3, seed=seed)
    answers = [Chat(examples).ask(question) for question in questions]
    assert len(questions) == 3
    assert all(answer.quotes and answer.confidence >= 0.55 for answer in answers)
    assert all(answer.searched_for == answer.question for answer in answers)
    assert len({answer.quotes[0].document.id for answer in answers}) == 3


@pytest.mark.slow
def test_suggestions_stay_the_same_while_the_documents_do(examples: Library) -> None:
    assert suggested_questions(examples, 2) == suggested_questions(examples, 2)


@pytest.mark.slow
def test_suggestions_are_short_questions(examples: Library) -> None:
    questions = suggested_questions(examples, 4)
    assert len({*questions}) == len(questions) == 4
    for question in questions:
        assert question.endswith("?")
        assert question[0].isupper()
        assert len(question) <= MOST_CHARACTERS


def test_an_empty_library_suggests_nothing(tmp_path: Path, encoder: Encoder) -> None:
    with Library.open(tmp_path / "empty.quoth", create=True, encoder=encoder) as library:
        assert suggested_questions(library) == []


def test_what_gives_no_question_is_asked_what_it_is_about(tmp_path: Path) -> None:
    folder = write(tmp_path / "songs", {"evening song.md": "# Evening Song\n\nLa la. Hey, oh!\n"})
    with new_library(tmp_path / "songs.quoth", folder) as library:
        assert suggested_questions(library) == ["What is “Evening Song” about?"]


def test_a_hostile_title_is_not_suggested(tmp_path: Path) -> None:
    with Library.open(tmp_path / "x.quoth", create=True, encoder=HashEncoder()) as library:
        for number, title in enumerate(
            ("<img src=x onerror=alert(1)>", "a\u202egpj.exe", "${7*7}", "x” about? “y", "007")
        ):
            library.add("La la la. Hey, oh!", name=f"{number}.txt", title=title)
        assert suggested_questions(library) == []


def test_fewer_than_one_question_cannot_be_wanted(examples: Library) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        suggested_questions(examples, 0)


# -- a sentence -----------------------------------------------------------------------------------


def first(sentence: str, *headings: str) -> str:
    """Return the first question made of a sentence, or ""."""
    return next((made.question for made in of_sentence(sentence, WORDS, headings)), "")


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        (
            "The lifts are inspected every four weeks, the goods lift every six weeks.",
            "How often are the lifts inspected?",
        ),
        (
            "The contractor must be on site within 60 minutes of the call.",
            "",  # what the minutes are counted from belongs to the answer
        ),
        ("The board must be told within two days.", "How quickly must the board be told?"),
        ("The reports are kept for six years in the office.", "For how long are the reports kept?"),
        ("The works were built in 1911 by Jonas Aldwick.", "When were the works built?"),
        ("In 1911, the works were extended.", "When were the works extended?"),
        ("Since 1990 nobody has lived here.", ""),
        (
            "The interval was shortened because the doors failed eleven times.",
            "Why was the interval shortened?",
        ),
        ("The book was written by Marie Curie.", "Who wrote the book?"),
        ("The facilities manager is responsible for repairs.", "Who is responsible for repairs?"),
        ("A lost key costs £85, because it is replaced.", "How much does a lost key cost?"),
        ("A visit takes about 90 minutes.", "How long does a visit take?"),
        ("The trial ends on 30 November 2024.", "When does the trial end?"),
        ("The price of a ticket is £4.", "What is the price of a ticket?"),
        ("The rent is £18,400 a year.", "What is the rent?"),
        ("The house has 24 rooms on five floors.", "How many rooms does the house have?"),
        ("There are 24 seats in the hall.", "How many seats are there in the hall?"),
        ("Eleven patients were excluded.", "How many patients were excluded?"),
        ("A currier is a craftsman who dresses leather.", "What is a currier?"),
        ("Marie Curie was a physicist from Warsaw.", "Who was Marie Curie?"),
        ("Polonia's home is located at the station.", "Where is Polonia's home located?"),
        ("Lift 2 must not be lowered by staff.", "May Lift 2 be lowered by staff?"),
        ("Candles are forbidden in all rooms.", "Are candles forbidden in all rooms?"),
        ("You may bring your own food.", "May I bring my own food?"),
        ("You must not feed the ducks, please.", "May I feed the ducks?"),
    ],
)  # fmt: skip
def test_a_statement_becomes_the_question_it_answers(sentence: str, question: str) -> None:
    assert first(sentence) == question


@pytest.mark.parametrize(
    "sentence",
    [
        "It was shortened because the doors failed.",  # what was?
        "This policy is reviewed every three years.",
        "They are inspected every week.",
        "The menus may not appear depending on the model.",  # forbids nothing
        "Zorbing is a sport of two people.",  # a name or not? Neither is seen elsewhere
        "Thames House was a success in its time.",  # a person or a thing?
        "The aim is to help.",  # whose?
        "Under the rules the lifts are inspected every week.",
        "“The lifts are inspected every week.”",
        "The lifts are inspected every week",  # no sentence
        "The network is operated by 2 cables.",
        "See https://example.org, which is updated daily.",
        "You can add food if you like your guests.x",
    ],
)
def test_in_doubt_nothing_is_made(sentence: str) -> None:
    assert first(sentence) == ""


def test_a_term_is_asked_about_below_definitions_only() -> None:
    term = "• Entrapment: a person is in a lift that does not move."
    assert first(term, "2 Definitions") == "What does “entrapment” mean?"
    assert first(term, "6 Accidents") == ""


@given(st.text(max_size=200) | st.text(alphabet="TheA liftsarwdby.,0129 ", max_size=80))
def test_questions_of_any_text_are_one_short_line(sentence: str) -> None:
    for made in of_sentence(f"The {sentence} is kept in the hall.", WORDS):
        assert one_line(made.question) == made.question
        assert len(made.question) <= MOST_CHARACTERS


# -- a heading ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "title", "question"),
    [
        ("May I bring my dog?", "", "May I bring my dog?"),
        ("3.2 How to book a room", "", "How do I book a room?"),
        ("4.2 Why the interval was shortened", "", "Why was the interval shortened?"),
        ("6.2 Who may free people", "", "Who may free people?"),
        ("Repeated faults", "Lift Policy", "What does the Lift Policy say about repeated faults?"),
        ("Bicycle store", "Lease of 2024", ""),
        ("Bicycle store", "Lift Policy", "What does the Lift Policy say about “Bicycle store”?"),
        ("Introduction", "Lift Policy", ""),
        ("Lift Policy", "Lift Policy", ""),
        ("Repeated faults", "Notes", ""),
        ("Why?", "", ""),
        ("<b>May</b> I bring my dog", "", ""),
    ],
)  # fmt: skip
def test_a_heading_asks_what_stands_below_it(heading: str, title: str, question: str) -> None:
    made = [each.question for each in of_heading(heading, title, WORDS)]
    assert made == ([question] if question else [])
