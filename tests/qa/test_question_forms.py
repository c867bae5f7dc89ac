"""How questions are put: openings, yes or no, comparisons: tables worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from question_cases import CASES

from qa.asking import decides, plainly, sides


@pytest.mark.parametrize(
    ("question", "plain"),
    [
        ("When do the gates open?", "When do the gates open?"),
        ("Could you tell me when the gates open?", "when the gates open?"),
        ("Hello, could you please tell me when the gates open?", "when the gates open?"),
        ("I'd like to know who installed the boiler", "who installed the boiler"),
        ("do you know how many seats the loft has?", "how many seats the loft has?"),
        ("Does anyone know how to restart it?", "how to restart it?"),
        ("I was wondering if you could tell me where the key is.", "where the key is."),
        ("Would you mind telling me why it is shut?", "why it is shut?"),
        ("May I ask what a currier is?", "what a currier is?"),
        ("I don't know which form I need", "which form I need"),
        ("Does the lease say who pays for repairs?", "who pays for repairs?"),
        ("Is it known when it was built?", "when it was built?"),
        ("Can you give me the number of the caretaker?", "the number of the caretaker?"),
        ("Can you list all error codes?", "list all error codes?"),
        ("Can you tell me if dogs are allowed?", "whether dogs are allowed?"),
        ("So, and why?", "why?"),
        ("When the lift fails, who do I call?", "who do I call?"),
        ("The display shows E-4301, what do I do?", "what do I do?"),
        ("If I cancel late, do I lose the deposit?", "do I lose the deposit?"),
        ("I lost my key. Is there a fee? Thanks.", "Is there a fee?"),
        ("Who is Dr. Rao?", "Who is Dr. Rao?"),
        ("What is the fee, and when is it due?", "What is the fee, and when is it due?"),
        ("Can you cancel a room?", "Can you cancel a room?"),
        ("Well water", "Well water"),
        ("  parking \n", "parking"),
        ("And?", "And?"),
        ("", ""),
    ],
)
def test_what_is_said_before_a_question_is_left_out(question: str, plain: str) -> None:
    assert plainly(question) == plain


@given(st.text(max_size=80))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    """What is left are words of the question, and there are some if it had any."""
    plain = plainly(text)
    assert bool(plain) == bool(text.split())
    assert plain.removeprefix("whether") in " ".join(text.split())
    assert isinstance(decides(text), bool)
    assert len(sides(text)) != 1


@pytest.mark.parametrize(
    "question",
    [
        *(case.question for case in CASES["yes/no"]),
        "So, is the archive open on Sundays?",
        "And may I bring a dog?",
        "Do I have to book a tour?",
        "On Sundays, is the archive open?",
        "If I cancel late, do I lose the deposit?",
        "Dogs are allowed, aren't they?",
        "The reading room is free, right?",
        "Can you tell me if dogs are allowed?",
        "I'd like to know whether the deposit is paid back",
        "Does the lease say whether I can sublet?",
        "Has the pump been replaced?",
        "Won't the battery overheat?",
        "is smoking allowed",
        "can i bring my dog",
        "Is smoking or vaping allowed?",
        "Are there any cats or dogs in the house?",
        "Is breakfast included or not?",
        "Will it take one hour or more?",
        "Is the Mill Bridge older than the Lock Bridge?",
    ],
)
def test_yes_or_no_would_answer(question: str) -> None:
    assert decides(question)


@pytest.mark.parametrize(
    "question",
    [
        *(
            case.question
            for kind in ("who", "when", "where", "how many", "how much", "why", "how", "list")
            for case in CASES[kind]
        ),
        "Is it free or is there a fee?",
        "Does the tour start at the desk or in the yard?",
        "I wonder whether it is open or closed",
        "Can you tell me when the gates open?",
        "Do you know who installed the boiler?",
        "Does anyone know how to restart it?",
        "Could you give me the number of the caretaker?",
        "When the lift fails, who is called?",
        "Do not enter",
        "may 2024 minutes",
        "can opener",
        "dogs?",
        "",
    ],
)
def test_yes_or_no_would_not_answer(question: str) -> None:
    assert not decides(question)


@pytest.mark.parametrize(
    ("question", "compared"),
    [
        ("Is Lift 2 older than Lift 3?", ("Lift 2", "Lift 3")),
        ("Does Lift 3 use more electricity than Lift 1?", ("Lift 3", "Lift 1")),
        ("How much longer is the Mill Bridge than the weir?", ("the Mill Bridge", "the weir")),
        ("How many more seats does the loft have than the yard?", ("the loft", "the yard")),
        ("Is it cheaper to hire the Boiler Room than the yard?", ("the Boiler Room", "the yard")),
        ("Are there more seats in the loft than in the yard?", ("the loft", "the yard")),
        ("Was less gas used in 2023 than in 2022?", ("2023", "2022")),
        ("Is a call-out on Sunday dearer than on Saturday?", ("Sunday", "Saturday")),
        ("Is the loft as big as the yard?", ("the loft", "the yard")),
        ("Do adults and children pay the same for a tour?", ("adults", "children")),
        ("Is the loft or the yard bigger?", ("the loft", "the yard")),
        ("Which is longer, the weir or the sluice?", ("the weir", "the sluice")),
        ("What is cheaper: a half day or a full day?", ("a half day", "a full day")),
        ("Which can carry more, Lift 1, Lift 2 or Lift 3?", ("Lift 1", "Lift 2", "Lift 3")),
        ("Which do I need, a receipt or an invoice?", ("a receipt", "an invoice")),
        ("Which of Lift 1 and Lift 2 is faster?", ("Lift 1", "Lift 2")),
        ("What is the difference between a weir and a sluice?", ("a weir", "a sluice")),
        ("How did the rule differ between 2021 and 2024?", ("2021", "2024")),
        ("How does a weir differ from a sluice?", ("a weir", "a sluice")),
        ("Compare Lift 1 with Lift 2", ("Lift 1", "Lift 2")),
        ("Calder 250 vs Calder 400", ("Calder 250", "Calder 400")),
        ("Could you tell me which is heavier, the cart or the sled?", ("the cart", "the sled")),
        # no second thing, or no first
        ("Which rooms hold more than 20?", ()),
        ("Does it take longer than two hours?", ()),
        ("Did the board meet more than once?", ()),
        ("Which rooms are cheaper than the loft?", ()),
        ("Can I stay as long as I like?", ()),
        ("Is it open on Sunday or on Monday?", ()),
        ("What do I do if the door is blocked, or the light is off?", ()),
        ("Who founded the museum and when?", ()),
        ("than", ()),
        ("", ()),
    ],
)
def test_what_a_question_compares(question: str, compared: tuple[str, ...]) -> None:
    assert sides(question) == compared


COMPARING = {case.question for case in CASES["comparison"]}


@pytest.mark.parametrize("kind", sorted(CASES))
def test_only_comparisons_compare(kind: str) -> None:
    for case in CASES[kind]:
        assert len(sides(case.question)) == (2 if case.question in COMPARING else 0), case
