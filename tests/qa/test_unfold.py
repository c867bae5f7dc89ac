"""What belongs to a sentence that answers: its list, its table, the sentence before it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from question_cases import TEXTS
from small import new_library, write

from index import Library
from index.terms import index_terms
from index.types import Citation, DocumentInfo, Filter
from qa.expected import Expectation, expectation
from qa.ranking import Candidate
from qa.retriever import Retriever
from qa.types import Passage, ScoredSentence
from qa.unfold import follower, leans_back, predecessors, unfolded

E = Expectation
EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "documents"

INFO = DocumentInfo(
    id=1, source=1, path="a.md", file=None, title="Handbook", type="markdown", date=None,
    language="en", text_hash="0" * 64, characters=1, sentences=1, pages=0, blank_pages=(),
    indexed_at="2024-01-01T00:00:00Z",
)  # fmt: skip
Line = tuple[str, str, str]  # kind, text, context


def passage(*lines: Line, start: int = 0, headings: tuple[str, ...] = ()) -> Passage:
    """Return a passage with one sentence a line; those after "+" go on with their block."""
    text, sentences = "", []
    for kind, words, context in lines:
        text += (" " if words.startswith("+") else "\n") if text else ""
        words = words.removeprefix("+")
        at = start + len(text)
        score = 0.9 if words.endswith("!") else 0.5
        sentences.append(
            ScoredSentence(at, at + len(words), words, score, kind=kind, context=context)
        )
        text += words
    citation = Citation(1, "a.md", "Handbook", start, start + len(text), "0" * 64, None, headings)
    return Passage(
        document=INFO, start=start, end=start + len(text), text=text, score=0.5,
        sentences=tuple(sentences), citation=citation,
    )  # fmt: skip


def heading(text: str) -> Line:
    return ("heading", text, "")


def said(text: str) -> Line:
    return ("paragraph", text, "")


def item(text: str, context: str = "") -> Line:
    return ("item", text, context)


def row(text: str, context: str = "") -> Line:
    return ("row", text, context)


def candidate(of: Passage, text: str) -> Candidate:
    return Candidate(of, next(s for s in of.sentences if s.text == text), 0.4)


def parts(
    of: Passage, text: str, wanted: Expectation, question: str = "", *, items: int = 8
) -> list[str]:
    """Return what the sentence is unfolded into, as text."""
    found = unfolded(candidate(of, text), wanted, items, frozenset(index_terms(question)))
    assert {part.rank for part in found} == {0.4}
    assert [part.sentence.start for part in found] == sorted(p.sentence.start for p in found)
    return [part.sentence.text for part in found]


LEAD = "Bring  the following\nthings:"
THINGS = [item(f"thing {n}", "Bring the following things:") for n in range(12)]
NAMES = [text for _, text, _ in THINGS]


@pytest.mark.parametrize(
    ("lines", "chosen", "wanted", "expected"),
    [
        # a heading gives way
        ([heading("Rules"), said("Text.")], "Rules", E.ANYTHING, ["Text."]),
        ([heading("Rules"), heading("Of old"), said("Text.")], "Rules", E.ANYTHING, ["Text."]),
        ([heading("Rules")], "Rules", E.ANYTHING, ["Rules"]),
        ([heading("Rules")], "Rules", E.LIST, ["Rules"]),
        ([said("Text."), heading("Rules")], "Rules", E.ANYTHING, ["Rules"]),
        ([heading("Rules"), item("one"), item("two")], "Rules", E.ANYTHING, ["one"]),
        ([heading("Rules"), item("one"), item("two")], "Rules", E.LIST, ["one", "two"]),
        (
            [heading("Restart"), said("Be careful."), item("1. Stop."), item("2. Go.")],
            "Restart",
            E.STEPS,
            ["1. Stop.", "2. Go."],
        ),
        (
            [heading("Rules"), said("Text."), heading("Restart"), item("1. Stop.")],
            "Rules",
            E.STEPS,
            ["Text."],
        ),
        # a lead-in
        ([said(LEAD), *THINGS[:3], item("other", "Leave:")], LEAD, E.ANYTHING, NAMES[:3]),
        ([said(LEAD), *THINGS], LEAD, E.NUMBER, NAMES[:8]),
        ([heading("Rules"), said(LEAD), THINGS[0]], "Rules", E.ANYTHING, NAMES[:1]),
        (
            [said("Text."), said("There are two ways"), item("the first", "There are two ways")],
            "There are two ways",
            E.ANYTHING,
            ["the first"],
        ),
        # the best item is enough for a definition
        (
            [said("We say:"), item("A pit", "We say:"), item("Vat: tub!", "We say:")],
            "We say:",
            E.DEFINITION,
            ["Vat: tub!"],
        ),
        # an item
        ([said(LEAD), *THINGS[:3]], "thing 1", E.ANYTHING, ["thing 1"]),
        ([said(LEAD), *THINGS[:3]], "thing 1", E.DEFINITION, ["thing 1"]),
        ([said(LEAD), *THINGS[:3], item("other", "Leave:")], "thing 1", E.LIST, NAMES[:3]),
        ([*THINGS[:3], item("other", "Leave:")], "thing 2", E.STEPS, NAMES[:3]),
        ([*THINGS[:3], item("other", "Leave:")], "other", E.STEPS, ["other"]),
        ([item("a"), said("Text."), item("b")], "b", E.LIST, ["b"]),
        ([said("Text."), *THINGS[:2]], "Text.", E.LIST, ["Text."]),
        # a condition, and the steps below it
        (
            [said("Only when empty."), said("Once."), item("1. Stop."), item("2. Go.")],
            "Only when empty.",
            E.STEPS,
            ["Only when empty.", "1. Stop.", "2. Go."],
        ),
        ([said("Only."), item("- a"), item("- b")], "Only.", E.STEPS, ["Only."]),
    ],
)
def test_a_list_is_unfolded(
    lines: list[Line], chosen: str, wanted: Expectation, expected: list[str]
) -> None:
    assert parts(passage(*lines), chosen, wanted) == expected


HEADER = "Room | Floor | Seats"
TABLE = (
    row(HEADER),
    row("Boiler Room | ground floor | 24", HEADER),
    row("Loft | fifth floor | 80!", HEADER),
    row("Store | second floor | 12", HEADER),
)
ROWS = [text for _, text, _ in TABLE[1:]]


@pytest.mark.parametrize("header", [HEADER, "Room Floor Seats", "Room  Floor\nSeats"])
@pytest.mark.parametrize("before", ["", "Hire: "])
@pytest.mark.parametrize("kind", ["row", "heading"])
def test_a_header_is_never_quoted_as_a_row(header: str, before: str, kind: str) -> None:
    """Nor where cells are parted otherwise than in the context of the rows, as in a PDF."""
    table = passage((kind, header, ""), *(row(text, before + HEADER) for text in ROWS))
    titled = passage(
        heading("Rooms"), (kind, header, ""), *(row(text, before + HEADER) for text in ROWS)
    )
    assert parts(titled, "Rooms", E.LIST) == ROWS
    assert parts(titled, "Rooms", E.ANYTHING) == [ROWS[1]]
    assert parts(table, header, E.LIST) == ROWS
    assert parts(table, ROWS[0], E.LIST) == ROWS
    assert parts(table, header, E.ANYTHING) == [ROWS[1]]
    assert parts(table, ROWS[0], E.ANYTHING) == [ROWS[0]]


@pytest.mark.parametrize(
    ("question", "kept"),
    [
        ("Which rooms can I hire?", ROWS),
        ("Which rooms are on the second floor?", ROWS[2:]),
        ("Which rooms of the handbook are there?", ROWS),  # the title tells no rows apart
        ("Which boilers or lofts are there?", ROWS[:2]),
        ("Which rooms are made of glass?", ROWS),
    ],
)
def test_rows_that_hold_more_of_the_question_leave_others_out(
    question: str, kept: list[str]
) -> None:
    assert parts(passage(*TABLE), ROWS[0], E.LIST, question) == kept


def test_a_sentence_that_announces_a_table_brings_it() -> None:
    table = passage(
        said("The table lists the rooms."), said("Ask."), *TABLE, said("As follows:"), *TABLE
    )
    assert parts(table, "The table lists the rooms.", E.LIST) == ROWS
    assert parts(table, "The table lists the rooms.", E.TIME) == ["The table lists the rooms."]
    assert parts(table, "Ask.", E.LIST) == ["Ask."]
    assert parts(table, "As follows:", E.TIME) == [ROWS[1]]  # the best row


def test_a_single_way_is_quoted_alone_and_a_procedure_whole() -> None:
    steps = ("1. Cool the burn.", "2. Cover the burn with film.", "3. Wait.")
    burns = passage(*map(item, steps), headings=("First aid", "What to do with a burn"))
    assert parts(burns, steps[1], E.MANNER, "How should a burn be covered?") == [steps[1]]
    assert parts(burns, steps[1], E.STEPS, "How do I cover a burn?") == [*steps]
    stop = passage(*map(item, steps), headings=("Manual", "Restarting it"))
    assert parts(stop, steps[0], E.MANNER, "How is it restarted?") == [*steps]


def test_of_a_long_list_the_first_are_kept_and_of_rows_the_best() -> None:
    items = passage(*(item(f"- {n}" + "!" * (n > 7)) for n in range(10)))
    assert parts(items, "- 0", E.LIST, items=3) == ["- 0", "- 1", "- 2"]
    assert parts(items, "- 6", E.LIST, items=3) == ["- 0", "- 1", "- 6"]
    rows = passage(*(row(f"a | {n}" + "!" * (n > 7)) for n in range(10)))
    assert parts(rows, "a | 0", E.LIST, items=4) == ["a | 0", "a | 1", "a | 8!", "a | 9!"]
    assert parts(rows, "a | 6", E.LIST, items=3) == ["a | 6", "a | 8!", "a | 9!"]


@pytest.mark.parametrize("marker", ["1. ", "- ", ""])
def test_of_a_long_list_the_beginnings_of_items_come_first(marker: str) -> None:
    burns = passage(item(f"{marker}Stop"), item("+At once."), item(f"{marker}Cool it"))
    heads = [f"{marker}Stop", f"{marker}Cool it"]
    assert parts(burns, heads[0], E.STEPS) == [heads[0], "At once.", heads[1]]
    assert parts(burns, heads[0], E.STEPS, items=2) == heads


def test_a_list_goes_on_in_the_next_passage_of_its_section() -> None:
    first = passage(*THINGS[:2], headings=("Tour",))
    second = passage(*THINGS[2:4], start=first.end + 1, headings=("Tour",))
    apart = passage(*THINGS[4:6], start=second.end + 9, headings=("Tour",))
    elsewhere = passage(*THINGS[4:6], start=second.end + 1, headings=("Walk",))

    def all_of(of: Passage, text: str, among: list[Passage]) -> list[str]:
        found = unfolded(candidate(of, text), E.LIST, 8, (), among)
        assert all(part.sentence in part.passage.sentences for part in found)
        return [part.sentence.text for part in found]

    assert all_of(second, "thing 3", [second, apart, first]) == NAMES[:4]
    assert all_of(first, "thing 0", [elsewhere, first, second]) == NAMES[:4]
    assert all_of(second, "thing 3", []) == NAMES[2:4]


@pytest.mark.parametrize(
    ("text", "leans"),
    [
        ("They cost £8,700 and save about 13 MWh a year.", True),
        ("It is 62 metres long.", True),
        ("Its relay controller keeps the fan running.", True),
        ("She\norders the visits.", True),
        ("In it there are two pumps.", True),
        ("Together they used 1.9 MWh.", True),
        ("When it has stopped, call the caretaker.", True),
        ("Otherwise we charge £40 for cleaning.", True),
        ("After that we keep the deposit.", True),
        ("This costs nothing.", True),
        ("The oldest is a child's shoe.", True),
        ("Two of them leaked.", True),
        ("The others are closed.", True),
        ("Yes.", True),
        ("2. It is closed.", True),
        ("It is forbidden to smoke.", False),
        ("This policy covers the lifts.", False),
        ("These conditions are met.", True),
        ("Those who stay with friends receive £25.", False),
        ("The forest is closed.", False),
        ("The Mill Bridge was opened in 1874.", False),
        ("Staff keep their cards.", False),
        ("Item 7 is lost.", False),
        ("There is a ramp at the entrance.", False),
        ("Italy lent saddles.", False),
        ("", False),
    ],
)
def test_a_sentence_that_needs_the_one_before_it(text: str, leans: bool) -> None:
    assert leans_back(text) is leans


MUSEUM = (
    heading("Museum"),
    said("The museum was founded in 1962."),
    said("+It holds 2,316 pieces."),
    said("+The oldest is a shoe."),
    said("+It is small."),
    said("It is shut in January."),
)


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("The museum was founded in 1962.", []),
        ("It holds 2,316 pieces.", ["The museum was founded in 1962."]),
        (
            "The oldest is a shoe.",
            ["The museum was founded in 1962.", "It holds 2,316 pieces."],
        ),
        ("It is small.", ["It holds 2,316 pieces.", "The oldest is a shoe."]),
    ],
)
def test_the_sentences_before_say_what_is_spoken_of(text: str, before: list[str]) -> None:
    found = predecessors(candidate(passage(*MUSEUM), text))
    assert [part.sentence.text for part in found] == before
    assert {part.rank for part in found} <= {0.4}


def test_a_sentence_below_its_heading_has_nothing_before_it() -> None:
    data = passage(heading("Calder 250"), said("It works with a compressor."))
    assert predecessors(candidate(data, "It works with a compressor.")) == []


def test_inside_an_item_its_beginning_comes_before() -> None:
    rules = passage(item("1. Be quiet."), item("2. Sweep the room."), item("+Or we charge £40."))
    assert [part.sentence.text for part in predecessors(candidate(rules, "Or we charge £40."))] == [
        "2. Sweep the room."
    ]
    assert predecessors(candidate(rules, "2. Sweep the room.")) == []


@pytest.mark.parametrize(
    ("text", "question", "after"),
    [
        (
            "The museum was founded in 1962.",
            "How many pieces does the museum hold?",
            "It holds 2,316 pieces.",
        ),
        ("The museum was founded in 1962.", "When was the museum founded?", None),
        ("The museum was founded in 1962.", "Why was it founded?", None),
        ("It is small.", "When is the museum shut?", "It is shut in January."),
        ("It is shut in January.", "How many pieces does it hold?", None),
    ],
)
def test_the_sentence_after_may_hold_what_is_asked_for(
    text: str, question: str, after: str | None
) -> None:
    found = follower(candidate(passage(*MUSEUM), text), expectation(question))
    assert (found and found.sentence.text) == after


# -- real documents -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def passages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Passage]]:
    """All passages of the example documents and of the texts of the question cases."""
    path = tmp_path_factory.mktemp("unfold")
    with new_library(path / "all.quoth", EXAMPLES, write(path / "more", TEXTS)) as library:
        yield [*_passages(library)]


def _passages(library: Library) -> Iterator[Passage]:
    retriever = Retriever(library)
    for info in library.documents():
        only = Filter(documents=frozenset((info.id,)))
        yield from sorted(
            retriever.retrieve("which", k=100, where=only), key=lambda passage: passage.start
        )


def real(passages: list[Passage], words: str) -> Candidate:
    return next(
        Candidate(passage, sentence, 0.4)
        for passage in passages
        for sentence in passage.sentences
        if words in " ".join(sentence.text.split())
    )


@pytest.mark.parametrize(
    ("question", "chosen", "first", "last", "count"),
    [
        ("Which error codes are there?", "E-5107 |", "E-4301 |", "E-6001 |", 7),
        ("Which error codes are there?", "The table lists the codes", "E-4301 |", "E-6001 |", 7),
        ("Which lifts are there and what load has each?", "Lift Rated load", "Lift 1", "Lift 3", 3),
        ("Which error codes are there?", "3 Error codes", "E-4301 |", "E-6001 |", 7),
        ("Which rooms can I hire?", "Room | Floor", "Boiler Room", "Yard", 4),
        ("Which rooms can I hire?", "Bark Store | second", "Boiler Room", "Yard", 4),
        ("What does the service charge cover?", "Heating |", "Maintenance", "Total", 7),
        ("What are the house rules?", "Candles and open", "1. Music", "Ask the caretaker", 7),
        ("What are the house rules?", "House rules", "1. Music", "Ask the caretaker", 7),
        ("What are the ingredients of the soup?", "2 carrots", "120 g pearl", "1 teaspoon", 8),
        ("What must I not do with a burn?", "Do not open", "- Do not use ice", "- Do not open", 3),
        ("How do I claim travel expenses?", "Hand in the claim", "Fill in", "If a receipt", 5),
        ("How do I hire a boat?", "Hiring a boat", "1. Sign", "4. Leave", 4),
        ("How do I take a lift out of service?", "3. Put a notice", "1. Send", "3. Put", 4),
        ("How do I restart the controller?", "4 Restarting", "1. Make sure", "5. Turn", 5),
        ("What do I do with a burn?", "4. Cover the burn", "1. Stop", "5. Keep", 5),
        ("How should a burn be covered?", "4. Cover the burn", "4. Cover", "4. Cover", 1),
        ("What is fleshing?", "Fleshing:", "Fleshing:", "Fleshing:", 1),
        ("What is a maintenance visit?", "Maintenance visit:", "• Maint", "• Maint", 1),
        (
            "Name all days on which the café is closed",
            "Day: Sunday",
            "Day: Monday",
            "Day: Sunday",
            3,
        ),
        ("How long is video kept?", "Video from", "Video from", "Video from", 1),
    ],
)
def test_the_examples_are_unfolded(
    passages: list[Passage], question: str, chosen: str, first: str, last: str, count: int
) -> None:
    found = unfolded(
        real(passages, chosen), expectation(question), 8, frozenset(index_terms(question)), passages
    )
    texts = [" ".join(part.sentence.text.split()) for part in found]
    assert len(texts) == count, texts
    assert texts[0].startswith(first)
    assert texts[-1].startswith(last)


def test_a_row_of_a_long_table_brings_those_of_both_its_passages(passages: list[Passage]) -> None:
    found = unfolded(real(passages, "Name: Tom Beckwith"), E.LIST, 20, (), passages)
    assert len(found) == 10
    assert len({part.passage.start for part in found}) == 2


@pytest.mark.parametrize(
    ("chosen", "before"),
    [
        ("They cost £8,700", "The largest saving came from the new lamps"),
        ("It is 62 metres long", "The Mill Bridge was designed"),
        ("It is 48 metres long", "The Lock Bridge was opened"),
        ("Its relay controller from 1987", "Lift 3 alone used"),
        ("Otherwise we charge £40", "3. Leave the room swept"),
        ("She orders the visits", "The facilities manager, Ines Halloran"),
    ],
)
def test_the_examples_say_what_they_speak_of(
    passages: list[Passage], chosen: str, before: str
) -> None:
    found = predecessors(real(passages, chosen))
    assert " ".join(found[0].sentence.text.split()).startswith(before)


@pytest.mark.parametrize(
    ("question", "chosen", "after"),
    [
        ("How long is the Mill Bridge?", "The Mill Bridge was designed", "It is 62 metres"),
        ("How much did the new lamps cost?", "The largest saving came from", "They cost £8,700"),
        ("How many pieces does it hold?", "The museum was founded", "It holds 2,316"),
    ],
)
def test_the_examples_go_on_with_what_is_asked_for(
    passages: list[Passage], question: str, chosen: str, after: str
) -> None:
    found = follower(real(passages, chosen), expectation(question))
    assert found is not None
    assert found.sentence.text.startswith(after)
