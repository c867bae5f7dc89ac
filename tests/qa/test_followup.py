"""Follow-ups are recognised by what they lack, and made whole with the words of their topic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.followup import Turn, leans_on_history, own_words, whole_questions, without_chatter

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
    # They set right what was asked before.
    "No, I meant the goods lift.",
    "Sorry, I mean on Sundays",
    "I meant the cats in the park",
    # A remark on the answer comes first.
    "That's good to know. Who pays for it?",
    "Thanks! And the cats?",
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
    # Short, but they name something.
    "Where is the sauna?",
    "Is my flat heated?",
    # The pronoun points to something in the question itself.
    "Does the controller of the heating restart when it is cold?",
    "May a tenant of the second floor sublet their flat?",
    "Great, thanks! How often is the lift inspected?",
]


@pytest.mark.parametrize("question", LEANING)
def test_a_question_that_leans_on_the_one_before(question: str) -> None:
    assert leans_on_history(question)


@pytest.mark.parametrize("question", STANDING_ALONE)
def test_a_question_that_stands_alone(question: str) -> None:
    assert not leans_on_history(question)


DOGS = "Must dogs be kept on a lead?"


def after(*questions: str, shown: tuple[str, ...] = ()) -> list[Turn]:
    """Return turns that were asked as they are, the last of them answered by `shown`."""
    return [
        *(Turn(question, question) for question in questions[:-1]),
        Turn(questions[-1], questions[-1], shown),
    ]


@pytest.mark.parametrize(
    ("question", "turns", "readings"),
    [
        # Ellipsis: the question before, with the new in the place of what is like it.
        ("And the cats?", after(DOGS), ["Must cats be kept on a lead?", "the cats dogs"]),
        (
            "And a season ticket?",
            after("How much is a day ticket?"),
            ["How much is a season ticket?"],
        ),
        (
            "And in 2019?",
            after("How many fires were there in 2018?"),
            ["How many fires were there in 2019?"],
        ),
        (
            "What about the second?",
            after("Where was the first meeting?"),
            ["Where was the second meeting?"],
        ),
        # A pronoun: what it stands for in its place.
        (
            "How long did their batteries last?",
            after("How many radar gauges are there?"),
            ["How long did radar gauges' batteries last?"],
        ),
        # Why and how: the words of the question before.
        ("Why?", after("Is smoking forbidden in the garden?"), ["Why smoking forbidden garden"]),
        # A missing subject.
        (
            "How many were there?",
            after("Where are the bicycle stands?"),
            ["How many were there bicycle stands"],
        ),
        # A correction by the user.
        (
            "No, I meant the goods lift.",
            after("How often is the passenger lift serviced?"),
            ["How often is the goods lift serviced?"],
        ),
        # A name that the answer brought.
        (
            "Where does she live?",
            after(
                "Who installed the boiler?",
                shown=("It was installed by Marta Lindqvist of Nordheat in 2016.",),
            ),
            [
                "Where does she live installed boiler",
                "Where does she live Marta Lindqvist of Nordheat",
            ],
        ),
    ],
)
def test_the_likeliest_readings_of_a_follow_up(
    question: str, turns: list[Turn], readings: list[str]
) -> None:
    found = whole_questions(question, turns)
    assert [each for each in found if each in readings] == readings
    assert found[0] == readings[0]


@pytest.mark.parametrize(
    "question", ["What about dogs on leads?", "And?", "?!", "And the lead for dogs?"]
)
def test_nothing_is_taken_over_twice(question: str) -> None:
    for reading in whole_questions(question, after("Are dogs on a lead?")):
        words = [word.casefold().rstrip("s?") for word in reading.split()]
        assert words.count("dog") <= 1
        assert words.count("lead") <= 1


def test_a_pronoun_that_points_into_its_own_question_stays() -> None:
    question = "Does the controller of the heating restart when it is cold?"
    [reading] = whole_questions(question, after("Where is the sauna?"))
    assert reading == "Does the controller of the heating restart when it is cold sauna"


def test_where_the_turns_add_nothing_there_is_no_reading() -> None:
    assert whole_questions("And the cats?", after("What is it?", shown=("cats only.",))) == []


def test_the_topic_is_kept_until_another_question_stands_alone() -> None:
    turns = [
        Turn("How often is the goods lift serviced?", "How often is the goods lift serviced?"),
        Turn("Who pays for it?", "Who pays for the goods lift"),
    ]
    assert "When was the goods lift built?" in whole_questions("When was it built?", turns)
    turns.append(Turn("Where is the sauna?", "Where is the sauna?"))
    readings = whole_questions("When was it built?", turns)
    assert readings == ["When was the sauna built?"]


def test_of_the_question_before_only_its_own_words_are_taken_over() -> None:
    """What it took over itself would grow from turn to turn."""
    turns = [
        Turn("What does the pool cost?", "What does the pool cost?"),
        Turn("And the sauna?", "the sauna pool Harrowmere Ness Haven"),
    ]
    assert not any("Harrowmere" in each for each in whole_questions("Is it warm?", turns))


def test_few_names_are_taken_over_from_long_quotes() -> None:
    names = [f"Town{letter * 3}" for letter in "abcdefgh"]
    shown = tuple(f"It was agreed by {name} and others." for name in names)
    readings = whole_questions("Where are they?", after("Who agreed?", shown=shown))
    assert f"Where are they {' '.join(names[:4])}" in readings


def test_a_headline_is_no_name() -> None:
    shown = ("Home Garden Lift Boiler Heating Overview of All Rooms",)
    readings = whole_questions("Where are they?", after("Who agreed?", shown=shown))
    assert not any("Heating" in reading for reading in readings)


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("Thanks! Who pays?", "Who pays?"),
        ("That's interesting. How often is it inspected?", "How often is it inspected?"),
        ("Wow. I see. And the cats?", "And the cats?"),
        ("Okay, and the cats?", "Okay, and the cats?"),
        ("Great.", "Great."),
        ("How did it end? And who paid?", "How did it end? And who paid?"),
        ("What was R. Kelly's part?", "What was R. Kelly's part?"),
    ],
)
def test_a_remark_before_a_question_is_left_out(question: str, left: str) -> None:
    assert without_chatter(question) == left


@pytest.mark.parametrize(
    ("question", "own"),
    [
        ("What about the cats?", "the cats"),
        ("Thanks! And in winter?", "in winter"),
        ("No, I meant the goods lift.", "the goods lift"),
        ("How often?", "How often"),
        ("And?", "And"),
        ("?!", "?!"),
    ],
)
def test_what_a_follow_up_says_itself(question: str, own: str) -> None:
    assert own_words(question) == own


@given(st.text(min_size=1, max_size=80), st.text(max_size=80), st.lists(st.text(max_size=40)))
def test_any_question_after_anything_has_a_few_readings(
    question: str, before: str, shown: list[str]
) -> None:
    turns = [Turn(before, before, tuple(shown))]
    readings = whole_questions(question, turns)
    assert len(set(readings)) == len(readings) <= 4
    assert all(reading.strip() and reading != own_words(question) for reading in readings)
    assert own_words(question) in without_chatter(question) or not without_chatter(question)
    assert leans_on_history(question) in (True, False)
