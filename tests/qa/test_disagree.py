"""Contradictions: shown where documents disagree, and nowhere else."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qa.disagree import conflicting_words, find_conflicts
from qa.stated import Stated

# Each: a question and what two documents say.
CONTRADICT = [
    (
        "What is the notice period?",
        "The notice period is 30 days.",
        "The notice period is 60 days.",
    ),
    ("", "The notice period is 30 days.", "The notice period is two months."),
    (
        "How often is the boiler inspected?",
        "The boiler is inspected twice a year.",
        "The boiler is inspected once a year.",
    ),
    (
        "How often is the boiler inspected?",
        "The boiler is inspected monthly.",
        "The boiler is inspected every two weeks by a technician.",
    ),
    (
        "How many rooms does the building have?",
        "The building has 12 rooms.",
        "The building has 9 rooms.",
    ),
    ("How much is the deposit?", "The deposit is £1,000.", "The deposit is £1,200."),
    ("How much is the deposit?", "The deposit is 20 per cent.", "The deposit is 25%."),
    ("How much do tenants pay?", "Tenants pay half the price.", "Tenants pay 75% of the price."),
    (
        "How many people may a group have?",
        "A group has at most 18 people.",
        "A group has at most 20 people.",
    ),
    ("How much is a tour?", "Guided tours cost £6.", "Guided tours cost £8."),
    ("When does the desk open?", "The desk opens at 08:00.", "The desk opens at 9 am."),
    (
        "When was the museum founded?",
        "The museum was founded in 1911.",
        "The museum was founded in 1912.",
    ),
    (
        "When was the museum founded?",
        "The museum was founded on 3 May 1911.",
        "The museum was founded on 5 May 1911.",
    ),
    (
        "How many visitors came in 2023?",
        "In 2023 the museum had 4,000 visitors.",
        "In 2023 the museum had 5,000 visitors.",
    ),
    ("Are dogs allowed?", "Dogs are allowed in the garden.", "Dogs are not allowed in the garden."),
    ("Are dogs allowed?", "Dogs are allowed in the garden.", "Dogs are forbidden in the garden."),
    (
        "May tenants sublet?",
        "The tenant may sublet the flat.",
        "The tenant must not sublet the flat.",
    ),
    (
        "May tenants sublet?",
        "The tenant may sublet the flat.",
        "The tenant may no longer sublet the flat.",
    ),
    ("What is the load of Lift 2?", "Lift 2 carries 1,000 kg.", "Lift 2 carries 630 kg."),
    ("What is the rent?", "The rent is £1,500 a month.", "The rent is £1,600 a month."),
    (
        "When is the market?",
        "The market takes place on Tuesdays.",
        "The market takes place on Wednesdays.",
    ),
    (
        "When are the drills?",
        "Drills are held in March and in September.",
        "Drills are held in April and in October.",
    ),
    ("How tall is the tower?", "The tower is 120 m high.", "The tower is 125 m high."),
    (
        "How long is the warranty?",
        "The warranty is three years from the date of purchase.",
        "The warranty is two years from the date of purchase.",
    ),
    (
        "How long does delivery take?",
        "The delivery takes 8 to 12 weeks.",
        "The delivery takes 4 weeks.",
    ),
    (
        "How fast must staff report a data breach?",
        "Staff must report a data breach within 72 hours.",
        "A data breach must be reported within 24 hours.",
    ),
    (
        "How often is the lift inspected?",
        "The lift is inspected weekly.",
        "The lift is inspected every other week.",
    ),
    (
        "How many keys are handed over?",
        "The landlord hands over four keys.",
        "The landlord hands over six keys.",
    ),
    (
        "Is smoking allowed?",
        "Smoking is permitted on the terrace.",
        "Smoking is banned on the terrace.",
    ),
]

AGREE = [
    (
        "What is the notice period?",
        "The notice period is thirty days.",
        "The notice period is 30 days.",
    ),
    (
        "What is the notice period?",
        "The notice period is 30 days.",
        "The notice period is one month.",
    ),
    (
        "How often is the boiler inspected?",
        "The boiler is inspected twice a year.",
        "The boiler is inspected every six months.",
    ),
    (
        "How often is the boiler inspected?",
        "The boiler is inspected monthly.",
        "The boiler is inspected once a month by a technician.",
    ),
    ("How many rooms are there?", "The first floor has 12 rooms.", "The second floor has 9 rooms."),
    (
        "How many rooms does the building have?",
        "The building has twelve rooms.",
        "The building has 12 rooms.",
    ),
    ("How much is the deposit?", "The deposit is £1,000.", "The deposit is GBP 1000."),
    ("How much is the deposit?", "The deposit is £1,000.", "The deposit is a thousand pounds."),
    ("How much is the deposit?", "Tenants pay half of the price.", "Tenants pay 50% of the price."),
    (
        "How many people may a group have?",
        "A group has at least 3 people.",
        "A group has 3 people.",
    ),
    (
        "How many people may a group have?",
        "A group has at least 3 people.",
        "A group has at most 20 people.",
    ),
    ("How much is a tour?", "Tours cost £6 for adults.", "Tours cost £3 for children."),
    ("How much is a tour?", "Tours cost £6.", "Tours cost £3 for children."),
    ("How much is a tour?", "Guided tours cost £6.", "Boat tours cost £10."),
    ("When does the desk open?", "The desk opens at 08:00.", "The desk opens at 8 am."),
    (
        "When does the desk open?",
        "The desk opens at 08:00 on Mondays.",
        "The desk opens at 10:00 on Sundays.",
    ),
    ("When does the desk open?", "The desk opens at 08:00.", "On Sundays the desk opens at 10:00."),
    (
        "When was the museum founded?",
        "The museum was founded in 1911.",
        "The museum was founded on 3 May 1911.",
    ),
    (
        "How many visitors came?",
        "In 2022 the museum had 4,000 visitors.",
        "In 2023 the museum had 5,000 visitors.",
    ),
    (
        "How many visitors came?",
        "The museum had about 5,000 visitors.",
        "The museum had 4,870 visitors.",
    ),
    (
        "Are dogs allowed?",
        "Dogs are not permitted in the garden.",
        "Dogs are forbidden in the garden.",
    ),
    ("Are dogs allowed?", "Dogs are allowed in the garden.", "Dogs are not allowed in the hall."),
    (
        "Are dogs allowed?",
        "Assistance dogs are allowed in the building.",
        "Dogs are not allowed in the building.",
    ),
    ("Are dogs allowed?", "Dogs are allowed.", "Dogs are not allowed unless they are on a lead."),
    ("Are gas kilns allowed?", "Electric kilns may be operated.", "Gas kilns may not be operated."),
    (
        "May tenants sublet?",
        "The tenant may never sublet the flat.",
        "The tenant may not sublet the flat.",
    ),
    (
        "By when?",
        "Claims must arrive not later than 30 days after the journey.",
        "Claims must arrive within 30 days after the journey.",
    ),
    ("Where is it?", "The meeting is in room 12.", "The meeting is in room 14."),
    ("What is the load of Lift 2?", "Lift 2 carries 1,000 kg.", "Lift 3 carries 2,000 kg."),
    ("What is the load of Lift 2?", "Lift 2 carries 1,000 kg.", "Lift 2 carries 1 t."),
    ("What does E-4304 mean?", "E-4304 needs 2 technicians.", "E-4305 needs 3 technicians."),
    (
        "What is the population?",
        "Brackwater has 12,000 inhabitants.",
        "Harrowmere has 9,000 inhabitants.",
    ),
    (
        "What is the fee in Brackwater?",
        "The fee in Brackwater is £5.",
        "The fee in Harrowmere is £7.",
    ),
    ("What is the fee?", "The fee is £5.", "The fee was previously £4."),
    ("What is the fee?", "The fee is £5.", "The board proposed a fee of £6."),
    ("What is the fee?", "The fee is £30 for two hours.", "The fee is £50 for four hours."),
    ("What is the fee?", "The monthly fee is £30.", "The yearly fee is £300."),
    ("What is the rent?", "The rent is £1,500 a month.", "The rent is £18,000 a year."),
    ("What is the fee?", "The fee is £30.", "The fee is €35."),
    (
        "When are the drills?",
        "Drills are held in March and in September.",
        "Drills are held in September.",
    ),
    ("How many members over 65?", "Members pay £10.", "Members over 65 pay £5."),
    ("Who pays?", "The Trust pays for the lifts.", "The tenants do not pay for the garden."),
    ("How tall is the tower?", "The tower is 120 m high.", "The tower is 12,000 cm high."),
    ("How long is the warranty?", "The warranty is three years.", "The warranty is 36 months."),
    ("How long does it take?", "The delivery takes 8 to 12 weeks.", "The delivery takes 10 weeks."),
    (
        "How fast must staff report a data breach?",
        "Staff must report a data breach within 24 hours.",
        "A data breach must be reported within one day.",
    ),
    (
        "How many keys are handed over?",
        "The landlord hands over four keys.",
        "The landlord hands over 4 keys.",
    ),
    ("What share?", "A quarter of the members voted.", "25 per cent of the members voted."),
    ("Is there a fee?", "Some files cannot be played.", "Most files can be played."),
    ("How much is the fine?", "The fine is about £100.", "The fine is £95."),
    (
        "Where is the logbook kept?",
        "The logbook is kept for six years.",
        "The logbook is kept for ten years.",
    ),
]


def said_by_two(one: str, other: str) -> list[Stated]:
    return [Stated(one, document=1), Stated(other, document=2)]


@pytest.mark.parametrize(("question", "one", "other"), CONTRADICT)
def test_what_cannot_both_be_true_is_a_contradiction(question: str, one: str, other: str) -> None:
    (conflict,) = find_conflicts(question, said_by_two(one, other))
    assert (conflict.first, conflict.second) == (0, 1)
    assert conflict.about
    (reverse,) = find_conflicts(question, said_by_two(other, one))
    assert reverse.about == conflict.about


@pytest.mark.parametrize(("question", "one", "other"), AGREE)
def test_other_words_or_other_things_are_none(question: str, one: str, other: str) -> None:
    assert find_conflicts(question, said_by_two(one, other)) == []
    assert find_conflicts(question, said_by_two(other, one)) == []


# -- two versions of a policy, and what else a library has -----------------------------------------


def old(text: str, **more: object) -> Stated:
    return Stated(text, document=1, date="2021-06-01", title="Lift Policy (2021)", **more)  # type: ignore[arg-type]


def new(text: str, **more: object) -> Stated:
    return Stated(text, document=2, date="2024-03-01", title="Lift Policy", **more)  # type: ignore[arg-type]


def about(question: str, *sentences: Stated) -> list[str]:
    return [conflict.about for conflict in find_conflicts(question, sentences)]


EVERY_LIFT = old("Every lift is inspected and serviced every eight weeks.")
BOTH_SORTS = new(
    "The passenger lifts are inspected and serviced every four weeks, the goods lift every\n"
    "six weeks."
)


def test_a_rule_for_all_contradicts_rules_for_each() -> None:
    assert about("How often are the lifts inspected?", EVERY_LIFT, BOTH_SORTS) == ["the lift"]
    assert conflicting_words(EVERY_LIFT, BOTH_SORTS) == (
        "every eight weeks",
        "every four weeks and every six weeks",
    )


def test_what_was_once_is_no_contradiction() -> None:
    before = new("Under the policy of 2021 every lift was inspected every eight weeks.")
    assert about("How often are the lifts inspected?", before, BOTH_SORTS) == []


def test_a_negation_that_leaves_its_verb_to_the_clause_before_it_counts() -> None:
    one = old(
        "Lift 1 returns to the ground floor by itself when the alarm sounds; Lift 2 and Lift 3 "
        "do not."
    )
    other = new(
        "Lift 1 and Lift 2 travel to the ground floor and open their doors when the fire alarm "
        "sounds; Lift 3 stops at the next floor."
    )
    assert about("What does Lift 2 do when the fire alarm sounds?", one, other)
    assert not about("What does Lift 1 do when the fire alarm sounds?", one, other)


HEADER = "Day | Front desk | Reading room"
THURSDAY = Stated("Thursday | 08:00-19:00 | 10:00-18:30", HEADER, kind="row", document=3)
MONDAY = Stated("Monday | 08:00-17:30 | closed", HEADER, kind="row", document=3)
WEEK = Stated("The front desk is open from Monday to Friday from 08:00 to 17:30.", document=4)
LATE = Stated("From 1 June 2024 the front desk stays open until 19:00 on Thursdays.", document=5)


@pytest.mark.parametrize(
    ("one", "other", "contradict"),
    [
        (WEEK, LATE, True),
        (WEEK, THURSDAY, True),
        (LATE, THURSDAY, False),
        (WEEK, MONDAY, False),
        (MONDAY, THURSDAY, False),
        (MONDAY, LATE, False),
    ],
)
def test_a_cell_is_compared_under_its_row_and_column(
    one: Stated, other: Stated, contradict: bool
) -> None:
    question = "Until when is the front desk open on Thursdays?"
    assert bool(about(question, one, other)) == contradict
    assert bool(about(question, other, one)) == contradict


def test_a_csv_row_is_read_by_the_names_in_its_cells() -> None:
    row = Stated("Day: Thursday | Front desk: 08:00-19:00", kind="row", document=3)
    question = "Until when is the front desk open on Thursdays?"
    assert about(question, WEEK, row) == ["the front desk"]
    assert conflicting_words(WEEK, row) == ("17:30", "19:00")


def test_a_row_without_cell_borders_counts_only_where_its_answer_is_known() -> None:
    question = "How quickly must the contractor arrive if someone is trapped?"
    row = "Entrapment 45 minutes 60 minutes"
    text = "If a person is trapped, the contractor must be on site within 60 minutes."
    start = text.index("60")
    sentence = old(text, short=(start, start + 10))
    sure = new(row, short=(11, 21), kind="row", headings=("5.2 Response times",))
    assert about(question, sentence, sure) == ["response times"]
    assert conflicting_words(sentence, sure) == ("60 minutes", "45 minutes")
    assert about(question, sentence, new(row, kind="row")) == []


def test_only_the_answer_of_a_sentence_is_compared_where_it_is_known() -> None:
    text = "The deposit is £300 and the rent is £900."
    rent = Stated(text, document=1, short=(text.index("£900"), len(text) - 1))
    same = Stated("The rent is £900.", document=2)
    other = Stated("The rent is £300.", document=3)
    assert about("What is the rent?", rent, same) == []
    assert about("What is the rent?", rent, other) == ["the rent"]


def test_documents_about_two_units_do_not_contradict_each_other() -> None:
    seven = Stated("The rent is £900 a month.", document=1, title="Lease of Unit 7")
    nine = Stated("The rent is £950 a month.", document=2, title="Lease of Unit 9")
    assert about("What is the rent?", seven, nine) == []


def test_reports_of_two_years_do_not_contradict_each_other() -> None:
    one = Stated("The house used 190 MWh.", document=1, title="Report 2022", date="2023-01-02")
    two = Stated("The house used 210 MWh.", document=2, title="Report 2023", date="2024-01-02")
    assert about("How much electricity did the house use?", one, two) == []


def test_this_policy_is_another_in_another_document() -> None:
    policy = Stated("This policy is reviewed every two years.", document=1, title="Travel")
    notice = Stated("This policy is reviewed every year.", document=2, title="Privacy")
    assert about("How often is the policy reviewed?", policy, notice) == []
    versions = (
        old("This policy is reviewed every three years."),
        new("This policy is reviewed every two years and after every accident."),
    )
    assert about("How often is the policy reviewed?", *versions) == ["this policy"]


def test_items_of_one_list_do_not_contradict_each_other() -> None:
    lead = "A room costs"
    items = [
        Stated(text, lead, kind="item", document=1)
        for text in ("for the morning £30,", "for the evening £50.")
    ]
    assert about("What does a room cost?", *items) == []


def test_two_places_of_one_document_can_contradict_each_other() -> None:
    one = Stated("The notice period is 30 days.", document=1, headings=("Term",))
    two = Stated("The notice period is 60 days.", document=1, headings=("End",))
    assert about("What is the notice period?", one, two) == ["the notice period"]


def test_every_pair_is_found_whatever_else_is_given() -> None:
    texts = ["The fee is £5.", "Dogs are welcome.", "The fee is £6.", "The fee is five pounds."]
    given_ = [Stated(text, document=number) for number, text in enumerate(texts)]
    pairs = [(c.first, c.second) for c in find_conflicts("What is the fee?", given_)]
    assert pairs == [(0, 2), (2, 3)]


# -- properties ------------------------------------------------------------------------------------

SENTENCES = sorted({text for _, *texts in (*CONTRADICT, *AGREE) for text in texts})
QUESTIONS = sorted({question for question, *_ in CONTRADICT})


@given(st.sampled_from(QUESTIONS), st.lists(st.sampled_from(SENTENCES), min_size=2, max_size=4))
def test_the_order_of_sentences_changes_nothing(question: str, texts: list[str]) -> None:
    numbered = [Stated(text, document=number) for number, text in enumerate(texts)]
    found = {
        frozenset(
            (frozenset((order[c.first].document, order[c.second].document)), c.about)
            for c in find_conflicts(question, order)
        )
        for order in map(list, permutations(numbered))
    }
    assert len(found) == 1


@given(st.sampled_from(["", *QUESTIONS]), st.sampled_from(SENTENCES))
def test_no_sentence_contradicts_itself(question: str, text: str) -> None:
    assert find_conflicts(question, said_by_two(text, text)) == []
    assert find_conflicts(question, said_by_two(text, text.upper())) == []
    assert find_conflicts(question, said_by_two(text, f"As agreed, {text.rstrip('.')} .")) == []


@given(st.integers(2, 20), st.integers(2, 20))
def test_numbers_in_words_equal_digits(one: int, other: int) -> None:
    words = (
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen twenty"
    ).split()
    pair = said_by_two(f"The lease has {words[one - 2]} pages.", f"The lease has {other} pages.")
    assert bool(find_conflicts("How many pages has the lease?", pair)) == (one != other)


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(["row", "item", "paragraph"]))
@example("1,000.50.3 – 7 | £ | | 24:99", "a b: c | half an hour | 31 May May 2024-19-39", "row")
@example("; but ; Lift 3 does not.", "not not n't . ", "paragraph")
def test_any_text_can_be_compared(one: str, other: str, kind: str) -> None:
    pair = [Stated(one, other, kind=kind, document=1), Stated(other, one, kind=kind, document=2)]
    for a, b in combinations((*pair, *said_by_two(one, other)), 2):
        assert find_conflicts(one, [a, b]) == find_conflicts(one, [a, b])
        conflicting_words(a, b)
