"""What a question lacks is found in another one, and put where it belongs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.rewrite import added, exchanged, phrases, substituted


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("How often is the goods lift serviced?", ["goods lift"]),
        ("Since when has Brandt & Okoro maintained the lifts?", ["Brandt & Okoro", "lifts"]),
        ("What power does the Calder 250 need?", ["power", "Calder 250"]),
        ("Where did the Flood Forum meet for the first time?", ["Flood Forum"]),
        ("How many seats does the Boiler Room have?", ["seats", "Boiler Room"]),
        ("Where is Marta Lindqvist\u2019s report?", ["Marta Lindqvist\u2019s report"]),
        ("How deep is the river in Ness Haven?", ["river", "Ness Haven"]),
        ("Why was the E-4304 really shown?", ["E-4304", "shown"]),
        ("What is it?", []),
        ("", []),
    ],
)
def test_phrases_name_something(text: str, found: list[str]) -> None:
    assert [phrase.text for phrase in phrases(text)] == found


def test_names_are_capitalised_where_no_sentence_begins() -> None:
    found = phrases("Lifts stop. Marta Lindqvist called Nordheat about the lifts.")
    assert [phrase.text for phrase in found if phrase.name] == ["Marta Lindqvist", "Nordheat"]


@pytest.mark.parametrize(
    ("rest", "source", "whole"),
    [
        # the same kind of sign
        (
            "the second time",
            "Where did it meet for the first time?",
            "Where did it meet for the second time?",
        ),
        ("the 400", "What power does the Calder 250 need?", "What power does the Calder 400 need?"),
        ("E-4305", "What does E-4304 mean?", "What does E-4305 mean?"),
        ("in 2019", "How many fires were there in 2018?", "How many fires were there in 2019?"),
        # the same last word
        ("a season ticket", "How much is a day ticket?", "How much is a season ticket?"),
        (
            "the goods lift",
            "Does a passenger lift have a phone?",
            "Does the goods lift have a phone?",
        ),
        # the same preposition
        ("in Canada", "How is Diwali celebrated in India?", "How is Diwali celebrated in Canada?"),
        ("in winter", "When do the gates open in summer?", "When do the gates open in winter?"),
        # a name for a name, things for things and a thing for a thing
        ("Ness Haven", "How old is Brackwater?", "How old is Ness Haven?"),
        ("the cats", "Must dogs be kept on a lead?", "Must cats be kept on a lead?"),
        ("the mayor", "Who pays the caretaker?", "Who pays the mayor?"),
    ],
)
def test_what_is_like_it_gives_way(rest: str, source: str, whole: str) -> None:
    assert exchanged(rest, source) == whole


@pytest.mark.parametrize(
    ("rest", "source"),
    [
        ("how often is it inspected", "How often is the goods lift serviced?"),  # a clause
        ("the first time", "Where did it meet the first time?"),  # nothing new
        ("the mayor", "Must dogs pay?"),  # nothing alike
        ("the fee for the key of the lift in the yard", "What is the rent?"),  # too much
        ("", "What is the rent?"),
    ],
)
def test_nothing_is_exchanged_where_nothing_is_alike(rest: str, source: str) -> None:
    assert exchanged(rest, source) is None


@pytest.mark.parametrize(
    ("question", "source", "whole"),
    [
        ("Who pays for it", "How often is the goods lift serviced?", "Who pays for the goods lift"),
        (
            "What does it cost",
            "How much room does a day ticket buy?",
            "What does the day ticket cost",
        ),
        ("When do they begin", "How much do guided tours cost?", "When do guided tours begin"),
        (
            "On what number can they be reached",
            "Since when has Brandt & Okoro looked after the lift?",
            "On what number can Brandt & Okoro be reached",
        ),
        (
            "How long did their batteries last",
            "Where are the radar gauges?",
            "How long did the radar gauges' batteries last",
        ),
        ("What is her name", "Where does Ines Halloran live?", "What is Ines Halloran's name"),
        ("Who met her in May", "Where does Ines Halloran live?", "Who met Ines Halloran in May"),
        ("Is it near my flat", "Where is my parking space?", "Is my parking space near my flat"),
    ],
)
def test_a_phrase_takes_the_place_of_a_pronoun(question: str, source: str, whole: str) -> None:
    assert substituted(question, source) == whole


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("Where does she live", "How often is the goods lift serviced?"),  # no name
        ("What do they cost", "Where is the goods lift?"),  # nothing of which there are several
        ("How do I treat it", "How dangerous is that?"),  # a pronoun stands for a thing
        ("Where is the lift", "How often is the goods lift serviced?"),  # no pronoun
        ("Is the goods lift in it", "Where is the goods lift?"),  # said already
    ],
)
def test_nothing_is_substituted_where_nothing_fits(question: str, source: str) -> None:
    assert substituted(question, source) is None


def test_only_what_is_lacking_is_added_and_not_too_much() -> None:
    assert added("the cats", ["dogs", "cat", "lead", "dog"]) == "the cats dogs lead"
    many = [f"subject{number}" for number in range(40)]
    assert added("the price", many) == " ".join(["the price", *many[:6]])


@given(st.text(max_size=200))
def test_phrases_stand_where_they_say_and_do_not_overlap(text: str) -> None:
    end = 0
    for phrase in phrases(text):
        assert end <= phrase.start < phrase.end
        assert text[phrase.start : phrase.end] == phrase.text
        end = phrase.end


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_can_be_read_against_any_other(question: str, source: str) -> None:
    whole = substituted(question, source)
    assert whole is None or whole != question
    assert added(question, [phrase.text for phrase in phrases(source)]).startswith(question)
    exchanged(question, source)
