"""Follow-ups are recognised by what they lack, and made whole with the words of their topic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.followup import leans_on_history, whole_questions

LEANING = [
    # They open as a continuation.
    "And the cats?",
    "What about cats?",
    "How about the second lift?",
    "And what about Sundays?",
    "But who pays for the repair of the roof?",
    "So the tenants must pay for electricity?",
    "Then when does the winter season begin?",
    "Or by bus from the railway station?",
    "Also on public holidays?",
    "OK, and the gardens?",
    "what of the caretaker",
    # They point back.
    "How often is it inspected?",
    "When was it built?",
    "Who pays for them?",
    "What are their opening hours?",
    "Where does he live?",
    "Did she sign the contract of the boiler?",
    "What is the price of this?",
    "Is that allowed on Sundays?",
    "Do those need a permit from the council?",
    "What did the latter say?",
    "Who attended the same meeting?",
    "How do I get there by bicycle?",
    "Are such bottles allowed in the pool?",
    # They are too short to stand alone.
    "Why?",
    "When?",
    "How often?",
    "How much?",
    "Who decides?",
    "And in winter?",
    "The second time?",
    "Which one?",
    "For how long?",
    "What else?",
    "the next one",
]
STANDING_ALONE = [
    "Must dogs be kept on a lead?",
    "How much is a day ticket?",
    "How often is the lift inspected?",
    "Who installed the boiler in the cellar?",
    "What does E-4304 mean on the display?",
    "Where may bicycles be parked?",
    "When do the gates open in the morning?",
    "Which towns take part in the flood forum?",
    "Is there a swimming pool in the building?",
    "Are there lockers in the changing rooms?",
    "Is it forbidden to smoke in the garden?",
    "What does the policy say that tenants must do?",
    "Which rooms are the ones that are closed on Sundays?",
    "What does the contract state that the landlord pays?",
    "Who is responsible for the minutes of the meeting?",
    "How do I restart the heating controller?",
    "Why was the roof of the library renewed?",
    "Name all members of the council.",
    "Who is Marta Lindqvist?",
    "What is Harrowmere?",
    "When was Nordheat founded?",
    "padlock",
    "E-4304",
    "lift inspection",
    "opening hours swimming pool",
    "swimming cap silicone towel padlock",
    '"lime trees along the canal"',
    "What was decided in the first meeting of 2024?",
    "Can visitors bring glass bottles to the pool?",
    "Do children under six pay for swimming?",
    "List the fees for chimney sweeping.",
    "android phones in the office",  # begins with "and", but not as a word
    "organic waste collection days",
]


@pytest.mark.parametrize("question", LEANING)
def test_a_question_that_leans_on_the_one_before(question: str) -> None:
    assert leans_on_history(question)


@pytest.mark.parametrize("question", STANDING_ALONE)
def test_a_question_that_stands_alone(question: str) -> None:
    assert not leans_on_history(question)


@pytest.mark.parametrize(
    ("question", "topic", "shown", "readings"),
    [
        (
            "And the cats?",
            "Must dogs be kept on a lead?",
            [],
            ["the cats dogs kept lead", "the cats"],
        ),
        (
            "And a season ticket?",
            "How much is a day ticket?",
            [],
            ["a season ticket day", "a season ticket"],
        ),
        (  # names in what was shown may be what "she" points to
            "Where does she live?",
            "Who installed the boiler?",
            ["The boiler was installed by Marta Lindqvist of Nordheat in 2016."],
            [
                "Where does she live installed boiler",
                "Where does she live Marta Lindqvist of Nordheat",
                "Where does she live",
            ],
        ),
        (  # light words and ordinals of the topic say nothing about the new question
            "What about the second?",
            "What happened many times at the first meeting?",
            [],
            ["the second meeting", "the second"],
        ),
        ("Why?", "Is smoking forbidden?", [], ["Why smoking forbidden", "Why"]),
        (  # nothing is taken over twice, whatever its ending
            "What about dogs on leads?",
            "Are dogs on a lead?",
            [],
            ["dogs on leads"],
        ),
        ("And?", "How often is the lift inspected?", [], ["And lift inspected", "And"]),
        ("?!", "How often is the lift inspected?", [], ["?! lift inspected", "?!"]),
        ("And the cats?", "What is it?", ["cats only."], ["the cats"]),
    ],
)
def test_readings_of_a_follow_up(
    question: str, topic: str, shown: list[str], readings: list[str]
) -> None:
    assert whole_questions(question, topic, shown) == readings


def test_of_a_long_topic_the_first_words_are_taken_over() -> None:
    topic = " ".join(f"subject{number}" for number in range(40))
    first, bare = whole_questions("And the price?", topic, [])
    assert bare == "the price"
    assert first == " ".join(["the price", *(f"subject{number}" for number in range(12))])


def test_few_names_are_taken_over_from_long_quotes() -> None:
    names = [f"Town{letter * 3}" for letter in "abcdefgh"]
    shown = [f"It was agreed by {name} and others." for name in names]
    readings = whole_questions("Where are they?", "Who agreed?", shown)
    assert readings[1] == f"Where are they {' '.join(names[:4])}"


@given(st.text(min_size=1, max_size=80), st.text(max_size=80), st.lists(st.text(max_size=40)))
def test_any_follow_up_has_readings_that_begin_with_its_own_words(
    question: str, topic: str, shown: list[str]
) -> None:
    readings = whole_questions(question, topic, shown)
    assert 1 <= len(readings) <= 3
    assert len(set(readings)) == len(readings)
    assert all(reading.startswith(readings[-1]) for reading in readings)
    assert readings[-1] in question
    assert readings[-1] or not question.strip()
    assert leans_on_history(question) in (True, False)
