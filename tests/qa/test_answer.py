"""Quotes are the sentences that answer, each cut from the store; where none does, it is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from small import HOUSE, QUESTIONS, new_library, write

from index import Library
from index.types import Encoder
from qa import Answer, Chat, Retriever
from qa.answer import AnswerSettings, Chooser
from qa.ranking import rank_sentences

LEAD = "Every visitor brings the following things:"
STEPS = "To restart the boiler, proceed as follows:"
TOWN = {
    "pool.md": f"""# Prices of the swimming pool

A day ticket costs 6 pounds for adults.

A season ticket costs 95 pounds and is valid from May to October.

Children under six swim free of charge.

## What to bring

{LEAD}

- a towel
- a swimming cap made of silicone
- a padlock for the locker

Glass bottles are not allowed beside the water.
""",
    "boiler.md": f"""# Heating

## Restart

{STEPS}

1. Close the gas valve.
2. Press the green button for five seconds.
3. Open the valve slowly.

## Fees

| Work | Fee |
| --- | --- |
| Sweeping the chimney | 85 pounds |
| Replacing the pump | 240 pounds |
""",
    "first.md": """# Council

## First meeting

The first meeting took place in Harrow in 2021.

## Second meeting

The second meeting took place in Brack in 2022.
""",
    "minutes/2023.txt": """Minutes of the council.

The council agreed on 4 May 2023 to plant forty lime trees along the canal.

Visitors may park their bicycles behind the town hall.
""",
    "minutes/2024.txt": """Minutes of the council.

The council agreed on 6 June 2024 to renew the roof of the library because rain came in.

Visitors may park their bicycles behind the town hall.
""",
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Library]:
    path = tmp_path_factory.mktemp("answers")
    with Library.open(path / "town.quoth", create=True, encoder=encoder) as library:
        library.sync(write(path / "town", TOWN))
        yield library


def ask(library: Library, question: str) -> Answer:
    """Ask in a conversation of its own, and check what holds for every answer."""
    answer = Chat(library).ask(question)
    check(library, answer)
    return answer


def check(library: Library, answer: Answer) -> None:
    assert 0 <= answer.confidence <= 1
    assert answer.confidence == round(answer.confidence, 4)
    assert answer.abstained == (not answer.quotes)
    assert bool(answer.nearest) <= answer.abstained
    assert answer.generation == library.generation
    seen: set[tuple[int, int, int, str]] = set()
    for quote in answer.quotes:
        text = library.text(quote.document.id)
        assert quote.text == text[quote.start : quote.end]
        assert (quote.citation.start, quote.citation.end) == (quote.start, quote.end)
        places = [
            (c.document, c.start, c.end, library.text(c.document)[c.start : c.end])
            for c in (quote.citation, *quote.also_at)
        ]
        assert len(set(places)) == len(places), "a quote lists a place twice"
        assert len({words(place[3]) for place in places}) == 1
        assert not seen & set(places), "two quotes are the same"
        seen |= set(places)


def words(text: str) -> str:
    return " ".join(text.split()).casefold()


def texts(answer: Answer) -> list[str]:
    return [quote.text for quote in answer.quotes]


# -- which sentence ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("How much is a day ticket?", "A day ticket costs 6 pounds for adults."),
        (
            "Until when is a season ticket valid?",
            "A season ticket costs 95 pounds and is valid from May to October.",
        ),
        ("Do small kids pay for swimming?", "Children under six swim free of charge."),
        ("Are glass bottles allowed?", "Glass bottles are not allowed beside the water."),
        (
            "Why is the roof of the library renewed?",
            "The council agreed on 6 June 2024 to renew the roof of the library because rain"
            " came in.",
        ),
        ("Where may I park my bicycle?", "Visitors may park their bicycles behind the town hall."),
        ("Where was the second meeting?", "The second meeting took place in Brack in 2022."),
        ("Where did they meet in 2021?", "The first meeting took place in Harrow in 2021."),
        ("What does it cost to sweep the chimney?", "Sweeping the chimney | 85 pounds"),
        ("padlock", "a padlock for the locker"),
    ],
)
def test_the_best_sentence_comes_first(town: Library, question: str, best: str) -> None:
    assert texts(ask(town, question))[0] == best


def test_others_as_good_follow_up_to_the_limit(town: Library) -> None:
    answer = ask(town, "What does a ticket cost?")
    assert set(texts(answer)[:2]) == {
        "A day ticket costs 6 pounds for adults.",
        "A season ticket costs 95 pounds and is valid from May to October.",
    }
    scores = [quote.score for quote in answer.quotes]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) >= AnswerSettings().near_best * max(scores)
    assert len(scores) <= AnswerSettings().quotes
    one = Chat(town, settings=AnswerSettings(quotes=1)).ask("What does a ticket cost?")
    assert texts(one) == texts(answer)[:1]


@pytest.mark.parametrize(
    "question",
    ["Prices of the swimming pool", "What to bring", "Restart", "Fees", "First meeting", "Council"],
)
def test_a_heading_is_never_quoted_while_something_stands_below(
    town: Library, question: str
) -> None:
    answer = ask(town, question)
    kinds = {
        sentence.kind
        for passage in answer.passages
        for sentence in passage.sentences
        if sentence.text in texts(answer)
    }
    assert answer.quotes
    assert "heading" not in kinds


def test_a_heading_alone_may_be_quoted(tmp_path: Path, encoder: Encoder) -> None:
    """It is all there is to see."""
    with Library.open(tmp_path / "one.quoth", create=True, encoder=encoder) as library:
        library.sync(write(tmp_path / "one", {"only.md": "# Emergency number of the lift\n"}))
        answer = ask(library, "emergency number of the lift")
        assert texts(answer) == ["Emergency number of the lift"]


def test_a_sentence_about_another_year_or_ordinal_ranks_lower(town: Library) -> None:
    passages = Retriever(town).retrieve("the meeting took place", k=5)
    question = "Where did the second meeting take place?"
    kept = rank_sentences(question, passages)
    free = rank_sentences(question, passages, AnswerSettings(another=1))
    sentence = "The first meeting took place in Harrow in 2021."
    lower, higher = (
        next(c.rank for c in candidates if c.sentence.text == sentence)
        for candidates in (kept, free)
    )
    assert lower == pytest.approx(0.75 * higher, abs=1e-4)
    assert kept[0].sentence.text == "The second meeting took place in Brack in 2022."


def test_what_is_asked_for_lifts_a_sentence(town: Library) -> None:
    passages = Retriever(town).retrieve("ticket, glass bottles", k=5)
    ranks = {
        candidate.sentence.text: candidate.rank
        for candidate in rank_sentences("How much is it?", passages)
    }
    plain = {
        candidate.sentence.text: candidate.rank
        for candidate in rank_sentences("How much is it?", passages, AnswerSettings(expected=0))
    }
    day, bottles = "A day ticket costs 6 pounds for adults.", "Glass bottles are not allowed"
    assert ranks[day] == pytest.approx(plain[day] + 0.05, abs=1e-4)
    unlifted = next(text for text in ranks if text.startswith(bottles))
    assert ranks[unlifted] == plain[unlifted]


# -- lists ------------------------------------------------------------------------------------

THINGS = ["a towel", "a swimming cap made of silicone", "a padlock for the locker"]
PROCEDURE = [
    "1. Close the gas valve.",
    "2. Press the green button for five seconds.",
    "3. Open the valve slowly.",
]


@pytest.mark.parametrize(
    ("question", "items", "context"),
    [
        ("What must every visitor bring?", THINGS, LEAD),
        ("Which things do visitors bring?", THINGS, LEAD),
        ("How do I restart the boiler?", PROCEDURE, STEPS),
        ("restart the boiler", PROCEDURE, STEPS),
    ],
)
def test_a_lead_in_unfolds_into_its_items_in_order(
    town: Library, question: str, items: list[str], context: str
) -> None:
    answer = ask(town, question)
    assert texts(answer)[:3] == items
    assert [quote.context for quote in answer.quotes[:3]] == [context] * 3
    assert context not in texts(answer)


def test_an_item_brings_its_siblings_in_order_where_a_list_is_asked_for(town: Library) -> None:
    steps = ask(town, "How do I press the green button for five seconds?")
    assert texts(steps)[:3] == PROCEDURE
    one = ask(town, "green button five seconds")
    assert texts(one)[:1] == PROCEDURE[1:2]
    assert one.quotes[0].context == STEPS


def test_a_row_is_quoted_under_the_header_of_its_table(town: Library) -> None:
    quote = ask(town, "What does replacing the pump cost?").quotes[0]
    assert (quote.text, quote.context) == ("Replacing the pump | 240 pounds", "Work | Fee")
    assert quote.citation.headings == ("Heating", "Fees")


# -- the same words in several places -----------------------------------------------------------


def test_the_same_sentence_in_two_documents_is_quoted_once_with_both_places(town: Library) -> None:
    answer = ask(town, "Where may bicycles be parked?")
    first, *others = answer.quotes
    places = [first.citation.path, *(c.path for c in first.also_at)]
    assert sorted(places) == ["minutes/2023.txt", "minutes/2024.txt"]
    assert others == []


def test_a_sentence_twice_in_one_document_is_its_own_other_place_only_elsewhere(
    tmp_path: Path, encoder: Encoder
) -> None:
    rule = "Dogs must be kept on a lead."
    text = f"# Parks\n\n## Day\n\n{rule}\n\n## Night\n\n{rule} Gates are closed at nine.\n"
    with Library.open(tmp_path / "one.quoth", create=True, encoder=encoder) as library:
        library.add(text, name="parks")
        quote = ask(library, "Must dogs be kept on a lead?").quotes[0]
        assert quote.text == rule
        starts = sorted([quote.start, *(c.start for c in quote.also_at)])
        assert starts == [text.index(rule), text.rindex(rule)]


def test_case_and_white_space_do_not_make_two_quotes(tmp_path: Path, encoder: Encoder) -> None:
    with Library.open(tmp_path / "two.quoth", create=True, encoder=encoder) as library:
        library.add("Dogs must be kept on a lead.", name="one")
        library.add("Dogs must be\nkept  on a LEAD. Nothing is said about cats.", name="two")
        (quote,) = ask(library, "Must dogs be kept on a lead?").quotes
        assert sorted([quote.citation.path, *(c.path for c in quote.also_at)]) == ["one", "two"]


def test_a_nearly_equal_passage_is_another_place_only_of_the_words_that_it_has(
    tmp_path: Path, encoder: Encoder
) -> None:
    """Two versions of a rule count as one passage; the word that changed stands in one."""
    start = "The boards at the doors of the quay are tested by the caretaker before each winter."
    changed = "They are put up when the water is {} centimetres below the edge of the quay."
    rest = (
        "Whoever takes away a board tells the office, and brings the board back on the same day. "
        "Sacks of sand lie in the cellar beside the pump, and nobody uses them for other work. "
        "Cars leave the yard as soon as sirens sound twice; drivers follow the yellow arrows "
        "painted along Mill Lane. Whoever cannot walk upstairs alone is fetched by two wardens, "
        "who wear orange jackets and carry torches, whistles, blankets and a list of names."
    )
    with Library.open(tmp_path / "two.quoth", create=True, encoder=encoder) as library:
        for name, number in (("new", "forty"), ("old", "fifty")):
            library.add(f"{start} {changed.format(number)} {rest}", name=name, title="Flood")
        assert len(Retriever(library).retrieve("boards")) == 1
        same = ask(library, "Who tests the boards at the doors of the quay?").quotes[0]
        assert same.text == start
        assert len(same.also_at) == 1
        other = ask(library, "How many centimetres below the edge are they put up?").quotes[0]
        assert other.text in (changed.format("forty"), changed.format("fifty"))
        assert other.also_at == ()


# -- abstention and confidence ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("What is the capital of Mongolia?", ("capital", "Mongolia")),
        ("Who won the chess championship?", ("chess", "championship")),
        ("Is there a helicopter landing pad?", ("helicopter", "landing", "pad")),
        ("asdf qwertz", ("asdf", "qwertz")),
    ],
)
def test_what_the_documents_do_not_say_is_said(
    town: Library, question: str, missing: tuple[str, ...]
) -> None:
    answer = ask(town, question)
    assert answer.abstained
    assert answer.missing_words == missing
    assert answer.confidence < AnswerSettings().abstain_below
    assert len(answer.nearest) == 3
    assert answer.nearest == answer.passages[:3]


def test_a_word_that_a_document_has_is_not_missing(town: Library) -> None:
    assert ask(town, "How much is a day ticket to Mongolia?").missing_words == ("Mongolia",)
    assert ask(town, "How much is a day ticket?").missing_words == ()


def test_right_questions_are_surer_than_wrong_ones(town: Library) -> None:
    right = [
        ask(town, question).confidence
        for question in ("How much is a day ticket?", "Where was the second meeting?", "Fees")
    ]
    wrong = [
        ask(town, question).confidence
        for question in ("What is the speed of light?", "Who wrote Hamlet?", "What is?", "?!")
    ]
    assert min(right) > 0.6 > 0.2 > max(wrong)


def test_an_empty_library_abstains(tmp_path: Path, encoder: Encoder) -> None:
    with Library.open(tmp_path / "empty.quoth", create=True, encoder=encoder) as library:
        answer = ask(library, "How much is a day ticket?")
    assert (answer.abstained, answer.confidence, answer.nearest) == (True, 0, ())
    assert answer.missing_words == ("day", "ticket")


def test_the_threshold_decides(town: Library) -> None:
    question = "How much is a day ticket?"
    confidence = ask(town, question).confidence
    at = Chat(town, settings=AnswerSettings(abstain_below=confidence)).ask(question)
    above = Chat(town, settings=AnswerSettings(abstain_below=confidence + 1e-4)).ask(question)
    assert not at.abstained
    assert above.abstained
    assert above.confidence == confidence


# -- the store has the last word ------------------------------------------------------------------


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Library]:
    with new_library(tmp_path / "house.quoth", write(tmp_path / "house", HOUSE)) as library:
        yield library


@pytest.mark.parametrize(
    "alter",
    [
        lambda s: replace(s, text=s.text.replace("twelve", "thirteen")),
        lambda s: replace(s, text=s.text + " "),
        lambda s: replace(s, start=s.start + 1),
        lambda s: replace(s, end=s.end - 1),
        lambda s: replace(s, text=s.text.upper()),
    ],
)
def test_a_quote_that_differs_from_the_store_never_leaves(house: Library, alter: object) -> None:
    """As if retrieval had a fault, or the words of a document had been touched on the way."""
    assert callable(alter)
    question = "How often is the lift inspected every twelve months by an engineer?"
    settings = AnswerSettings(abstain_below=0)
    with house.searching() as searcher:
        passages = Retriever(house).search(searcher, question, k=8)
        chooser = Chooser(searcher, settings)
        assert chooser.answer(question, question, passages).quotes[0].text.startswith("The lift")
        first = passages[0]
        assert first.best.text == HOUSE["lift.txt"].split("\n")[0]
        altered = tuple(alter(s) if s == first.best else s for s in first.sentences)
        with pytest.raises(AssertionError, match="differs from the stored text"):
            chooser.answer(question, question, [replace(first, sentences=altered), *passages[1:]])


def test_an_answer_says_of_which_state_it_is(house: Library) -> None:
    chat = Chat(house)
    before = chat.ask("How often is the lift inspected?")
    house.add("The lift is inspected twice a year.", name="new")
    after = chat.ask("How often is the lift inspected?")
    assert (before.generation, after.generation) == (house.generation - 1, house.generation)
    assert chat.ask("Hello").generation == house.generation


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_gets_the_same_answer_again(town: Library, question: str) -> None:
    assert repr(ask(town, question)) == repr(ask(town, question))
