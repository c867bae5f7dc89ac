"""What a question asks for, and whether a sentence holds one: tables worked out by hand."""

from __future__ import annotations

import pytest

from index.terms import index_terms
from qa.expected import Expectation, another_one, expectation, holds

E = Expectation


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How much does a ticket cost?", E.MONEY),
        ("What is the rent of unit 7?", E.MONEY),
        ("What are the fees?", E.MONEY),
        ("how much is it", E.MONEY),
        ("Which deposit is paid?", E.MONEY),
        ("When do the gates open?", E.TIME),
        ("What year was it built?", E.TIME),
        ("How often is the lift inspected?", E.TIME),
        ("How long does it take?", E.TIME),
        ("Since when is it closed?", E.TIME),
        ("On which day does the council meet?", E.TIME),
        ("How many trees were planted?", E.NUMBER),
        ("How tall is the tower?", E.NUMBER),
        ("What percentage of tenants agreed?", E.NUMBER),
        ("At what temperature does it start?", E.NUMBER),
        ("Who installed the boiler?", E.PERSON),
        ("Whose job is it?", E.PERSON),
        ("To whom do I report a fault?", E.PERSON),
        ("Where is the key?", E.PLACE),
        ("In which room is it kept?", E.PLACE),
        ("In what city is the office?", E.PLACE),
        ("How do I restart the controller?", E.STEPS),
        ("What should staff do in a fire?", E.STEPS),
        ("What must I do first?", E.STEPS),
        ("Describe the procedure.", E.STEPS),
        ("Why is the roof renewed?", E.REASON),
        ("What caused the fire?", E.REASON),
        ("Which towns take part?", E.LIST),
        ("What things are forbidden?", E.LIST),
        ("List everything in the box.", E.LIST),
        ("What does the fee include?", E.MONEY),  # the first rule that fits
        ("What does a visit include?", E.LIST),
        ("Is smoking allowed?", E.ANYTHING),
        ("Must dogs be kept on a lead?", E.ANYTHING),
        ("boiler", E.ANYTHING),
        ("", E.ANYTHING),
    ],
)
def test_what_a_question_asks_for(question: str, kind: Expectation) -> None:
    assert expectation(question) is kind


@pytest.mark.parametrize(
    ("kind", "sentence", "held"),
    [
        (E.NUMBER, "There are 40 trees.", True),
        (E.NUMBER, "There are forty-two thousand trees.", True),
        (E.NUMBER, "Half of the trees are limes.", True),
        (E.NUMBER, "There are some trees.", False),
        (E.NUMBER, "Someone is alone.", False),  # "one" only as a word
        (E.MONEY, "It costs £4.", True),
        (E.MONEY, "It costs 4.", True),
        (E.MONEY, "Children swim free of charge.", True),
        (E.MONEY, "It costs a few euros.", True),
        (E.MONEY, "It is expensive.", False),
        (E.TIME, "It was built in 1998.", True),
        (E.TIME, "It opens at 9:30.", True),
        (E.TIME, "It is done on Mondays.", True),
        (E.TIME, "Inspect it twice.", True),
        (E.TIME, "It is inspected every twelve months.", True),
        (E.TIME, "It may be closed.", False),  # "may" is no month here
        (E.TIME, "It has 40 rooms.", False),
        (E.PERSON, "It was installed by the company.", True),
        (E.PERSON, "It is the work of Marta Lindqvist.", True),
        (E.PERSON, "The caretaker is asleep.", False),
        (E.PERSON, "It is locked.", False),
        (E.PLACE, "It is kept in the office of Harrow.", True),
        (E.PLACE, "It is near Brack.", True),
        (E.PLACE, "It is near here.", False),
        (E.PLACE, "Brack has it.", False),
        (E.REASON, "It is closed because of rain.", True),
        (E.REASON, "Ice is put down to prevent burns.", True),
        (E.REASON, "It is closed.", False),
        (E.ANYTHING, "It costs £4 in 1998.", False),
        (E.LIST, "It costs £4 in 1998.", False),
        (E.STEPS, "First, turn it off.", False),
    ],
)
def test_what_a_sentence_holds(kind: Expectation, sentence: str, held: bool) -> None:
    assert holds(kind, sentence, frozenset()) is held


def test_a_name_that_the_question_has_does_not_answer_it() -> None:
    sentence = "It is the work of Marta Lindqvist."
    assert not holds(E.PERSON, sentence, frozenset(index_terms("Who is Marta Lindqvist?")))
    assert holds(E.PERSON, sentence, frozenset(index_terms("Who is Marta?")))  # Lindqvist is new
    assert not holds(E.PLACE, "It is near Brack.", frozenset(index_terms("Where is Brack?")))


@pytest.mark.parametrize(
    ("question", "sentence", "another"),
    [
        ("Where was the third meeting?", "The first meeting was in Harrow.", True),
        ("Where was the third meeting?", "The third meeting was in Brack.", False),
        ("Where was the third meeting?", "The first and the third were in Brack.", False),
        ("Where was the third meeting?", "The meeting was in Brack.", False),
        ("Where was the meeting?", "The first meeting was in Harrow.", False),
        ("Where was the THIRD meeting?", "Third meetings are in Brack.", False),
        ("What was paid in 2015?", "In 2014 nothing was paid.", True),
        ("What was paid in 2015?", "In 2014 and 2015 nothing was paid.", False),
        ("What was paid in 2015?", "Nothing was paid.", False),
        ("What was paid in 2015?", "It cost 12015 pounds.", False),
        ("What was paid in 2015?", "It cost 900 pounds.", False),
        ("The second time in 2015?", "The second time was in 2016.", True),
        ("The second time in 2015?", "The first time was in 2015.", True),
        ("The second time in 2015?", "The second time was in 2015.", False),
        ("", "", False),
    ],
)
def test_a_sentence_about_another_one(question: str, sentence: str, another: bool) -> None:
    assert another_one(question, sentence) is another
