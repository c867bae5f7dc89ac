"""A conversation: follow-ups are understood, a new topic is left alone, nothing is mixed up."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from small import write

from index import Filter, Library
from index.errors import QuestionError
from index.types import Encoder
from qa import Answer, Chat
from qa.chat import HEARD, SHOWN

TOWN = {
    "parks/rules.md": """# Park rules

## Animals

Dogs must be kept on a lead in all parks from April to September.

Cats may run free, since nobody has ever kept a cat on a lead.

## Opening hours

The gates open at seven in the morning and close at nine in the evening.
""",
    "pool/prices.md": """# Prices of the swimming pool

A day ticket costs 6 pounds for adults.

A season ticket costs 95 pounds and is valid from May to October.

Children under six swim free of charge.

Glass bottles are not allowed beside the water.
""",
    "heating/manual.txt": """Heating manual.

When the display shows E-4304, the pressure of the water is below one bar.

When the display shows E-4305, the flue is blocked and a chimney sweep must be called.

The boiler was installed in 2016 by Marta Lindqvist of Nordheat.
""",
    "heating/fees.txt": "A day ticket for the sauna costs 11 pounds.",
}
DOGS = "Dogs must be kept on a lead in all parks from April to September."
CATS = "Cats may run free, since nobody has ever kept a cat on a lead."
GATES = "The gates open at seven in the morning and close at nine in the evening."
DAY = "A day ticket costs 6 pounds for adults."
SEASON = "A season ticket costs 95 pounds and is valid from May to October."
E4304 = "When the display shows E-4304, the pressure of the water is below one bar."
E4305 = "When the display shows E-4305, the flue is blocked and a chimney sweep must be called."
BOILER = "The boiler was installed in 2016 by Marta Lindqvist of Nordheat."
POOL = Filter(folder="pool")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Library]:
    path = tmp_path_factory.mktemp("chat")
    with Library.open(path / "town.quoth", create=True, encoder=encoder) as library:
        library.sync(write(path / "town", TOWN))
        yield library


@pytest.fixture
def chat(town: Library) -> Chat:
    return Chat(town)


def first(answer: Answer) -> str | None:
    return answer.quotes[0].text if answer.quotes else None


@pytest.mark.parametrize(
    "turns",
    [
        [("Must dogs be kept on a lead?", DOGS), ("And the cats?", CATS)],
        [("May cats run free?", CATS), ("What about dogs?", DOGS)],
        [("How much is a season ticket?", SEASON), ("Until when is it valid?", SEASON)],
        [("What does E-4304 mean?", E4304), ("And E-4305?", E4305)],
        [("What does E-4305 mean?", E4305), ("And E-4304?", E4304)],
        [("When do the gates open?", GATES), ("And when do they close?", GATES)],
        [("Who installed the boiler?", BOILER), ("When?", BOILER)],
        [("Who installed the boiler?", BOILER), ("In which year was that?", BOILER)],
        [
            ("Must dogs be kept on a lead?", DOGS),
            ("And the cats?", CATS),
            ("What about dogs?", DOGS),
        ],
    ],
)
def test_a_follow_up_is_answered_by_its_own_words(chat: Chat, turns: list[tuple[str, str]]) -> None:
    for question, expected in turns:
        assert first(chat.ask(question)) == expected
    last = chat.turns[-1]
    assert last.question == turns[-1][0]
    # What was made of it is not hidden.
    assert last.searched_for != last.question


def test_a_follow_up_about_another_ticket(town: Library) -> None:
    pool = Chat(town, where=POOL)
    assert first(pool.ask("How much is a day ticket?")) == DAY
    assert first(pool.ask("And a season ticket?")) == SEASON


def test_without_the_turn_before_a_follow_up_says_little(chat: Chat) -> None:
    """So the tests above show what the conversation does, not what the words alone would do."""
    assert first(chat.ask("When?")) is None
    assert chat.turns[-1].searched_for == "When?"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("When do the gates open?", GATES),
        ("Who installed the boiler?", BOILER),
        ("Are glass bottles allowed?", "Glass bottles are not allowed beside the water."),
        ("What does E-4305 mean?", E4305),
        ("How much is a season ticket?", SEASON),
    ],
)
def test_a_new_topic_is_asked_as_it_is(chat: Chat, question: str, expected: str) -> None:
    chat.ask("Must dogs be kept on a lead?")
    answer = chat.ask(question)
    assert answer.searched_for == question
    assert first(answer) == expected
    # What was shown already may stand lower; what answers is the same as without the turn before.
    assert answer.passages[0] == Chat(chat.library).ask(question).passages[0]


def test_after_a_new_topic_the_old_one_is_not_dragged_along(chat: Chat) -> None:
    chat.ask("Must dogs be kept on a lead?")
    chat.ask("What does E-4304 mean?")
    answer = chat.ask("And E-4305?")
    assert first(answer) == E4305
    assert "dogs" not in answer.searched_for
    assert "lead" not in answer.searched_for


def test_a_question_without_an_answer_gets_none_from_the_topic(chat: Chat) -> None:
    chat.ask("Must dogs be kept on a lead?")
    answer = chat.ask("What is the capital of Mongolia?")
    assert answer.abstained
    assert answer.searched_for == answer.question


def test_whole_takes_the_question_as_it_is(chat: Chat) -> None:
    chat.ask("Must dogs be kept on a lead?")
    answer = chat.ask("And the cats?", whole=True)
    assert answer.searched_for == "And the cats?"
    assert answer == Chat(chat.library).ask("And the cats?")


def test_reset_begins_anew(chat: Chat) -> None:
    chat.ask("Who installed the boiler?")
    assert first(chat.ask("When?")) == BOILER
    assert len(chat.turns) == 2
    chat.reset()
    assert chat.turns == []
    assert chat.ask("When?") == Chat(chat.library).ask("When?")


@pytest.mark.parametrize("notice", ["Thanks", "Hello", "Which documents do you have?", "rules?"])
def test_a_notice_in_between_keeps_the_topic(chat: Chat, notice: str) -> None:
    chat.ask("Must dogs be kept on a lead?")
    said = chat.ask("What is rules.md about?" if notice == "rules?" else notice)
    assert said.notice
    answer = chat.ask("And the cats?")
    assert (first(answer), answer.notice) == (CATS, "")
    assert answer.searched_for == "Must cats be kept on a lead?"


@pytest.mark.parametrize("question", ["And?", "?!", "...", "So?", "And", "but", "What about it?"])
def test_a_follow_up_of_nothing_is_no_error(chat: Chat, question: str) -> None:
    chat.ask("Must dogs be kept on a lead?")
    assert chat.ask(question).question == question
    assert chat.turns[-1].searched_for.strip()


def test_a_filter_leaves_only_what_it_allows(town: Library) -> None:
    question = "How much is a day ticket for the sauna?"
    chat = Chat(town, where=POOL)
    answer = chat.ask(question)
    assert {passage.document.path for passage in answer.passages} == {"pool/prices.md"}
    # That of one question goes before that of the conversation.
    other = chat.ask(question, where=Filter(folder="heating"), whole=True)
    assert first(other) == "A day ticket for the sauna costs 11 pounds."
    assert first(Chat(town).ask(question)) == "A day ticket for the sauna costs 11 pounds."
    assert chat.ask(question, whole=True) == answer


def test_a_filter_holds_for_follow_ups_too(town: Library) -> None:
    chat = Chat(town, where=Filter(folder="heating"))
    chat.ask("Must dogs be kept on a lead?")
    answer = chat.ask("And the cats?")
    assert all(p.document.folder == "heating" for p in answer.passages)
    assert CATS not in [quote.text for quote in answer.quotes]


def test_turns_keep_what_was_asked_and_answered(chat: Chat) -> None:
    questions = ["Must dogs be kept on a lead?", "Hello", "  And   the cats? "]
    answers = [chat.ask(question) for question in questions]
    assert chat.turns == answers
    assert [turn.question for turn in chat.turns] == [*questions[:2], "And the cats?"]


@pytest.mark.parametrize("question", ["", " \n", "y" * 2001])
def test_what_cannot_be_asked_is_no_turn(chat: Chat, question: str) -> None:
    chat.ask("Must dogs be kept on a lead?")
    with pytest.raises(QuestionError):
        chat.ask(question)
    assert len(chat.turns) == 1
    assert first(chat.ask("And the cats?")) == CATS


def test_a_conversation_resumed_is_understood_as_if_it_had_gone_on(town: Library) -> None:
    questions = ("Must dogs be kept on a lead?", "And the cats?", "hello", "What about dogs?")
    chat = Chat(town)
    answers = [chat.ask(question) for question in questions]
    resumed = Chat(town)
    resumed.ask("Who installed the boiler?")  # of another conversation, and forgotten
    for number, answer in enumerate(answers):
        resumed.resume(answers[:number])
        assert resumed.ask(questions[number]) == answer
        assert resumed.turns == answers[: number + 1]
    resumed.resume(answers[:1] * 3 * HEARD)
    assert len(resumed.turns) == HEARD


@pytest.mark.slow
def test_conversations_side_by_side_do_not_know_of_each_other(town: Library) -> None:
    """Each thread has its own chat over one library, and hears what it would hear alone."""
    conversations = [
        ["Must dogs be kept on a lead?", "And the cats?", "When do the gates open?"],
        ["Who installed the boiler?", "When?", "What does E-4304 mean?", "And E-4305?"],
        ["How much is a season ticket?", "Until when is it valid?", "Hello"],
    ]

    def talk(questions: list[str]) -> list[Answer]:
        chat = Chat(town)
        return [chat.ask(question) for question in questions]

    alone = [talk(questions) for questions in conversations]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(talk, conversations * 6))
    assert together == alone * 6


def test_interleaved_conversations_keep_their_own_topics(town: Library) -> None:
    one, two = Chat(town), Chat(town)
    one.ask("Must dogs be kept on a lead?")
    two.ask("What does E-4304 mean?")
    assert first(one.ask("And the cats?")) == CATS
    assert first(two.ask("And E-4305?")) == E4305


def test_a_document_that_was_added_meanwhile_is_heard_of(
    tmp_path_factory: pytest.TempPathFactory, encoder: Encoder
) -> None:
    path = tmp_path_factory.mktemp("growing")
    with Library.open(path / "one.quoth", create=True, encoder=encoder) as library:
        library.add(DOGS, name="dogs")
        chat = Chat(library)
        assert first(chat.ask("Must dogs be kept on a lead?")) == DOGS
        library.add(CATS, name="cats")
        assert first(chat.ask("And the cats?")) == CATS
        library.remove("cats")
        assert CATS not in [quote.text for quote in chat.ask("And the cats?").quotes]


def test_a_turn_that_happened_elsewhere_is_continued(town: Library) -> None:
    chat = Chat(town)
    chat.remember("Must dogs be kept on a lead?", DOGS)
    assert chat.turns == []  # it was not asked here
    assert chat.retrieve("And the cats?", k=1)[0].best.text == CATS
    assert chat.ask("And the cats?").searched_for == "Must cats be kept on a lead?"
    chat.reset()
    assert chat.ask("And the cats?").searched_for == "And the cats?"


def test_retrieving_is_no_turn(chat: Chat) -> None:
    chat.ask("Must dogs be kept on a lead?")
    passages = chat.retrieve("And the cats?", k=2)
    assert (len(passages), len(chat.turns)) == (2, 1)
    with pytest.raises(ValueError, match="k must be at least 1"):
        chat.retrieve("And the cats?", k=0)


def test_what_was_shown_stands_lower_unless_the_same_is_asked_again(town: Library) -> None:
    question = "Must dogs be kept on a lead?"
    fresh = Chat(town).retrieve(question)[0]
    chat = Chat(town)
    chat.remember("Who installed the boiler?", DOGS)
    assert chat.retrieve(question)[0].score == pytest.approx(fresh.score - SHOWN)
    chat.remember(question, DOGS)
    assert chat.retrieve(question)[0] == fresh
