"""Greetings and questions about the collection get fixed replies, and no other question does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from small import new_library, write

from index import Library
from index.searcher import Searcher
from qa import Chat
from qa.fixed import LISTED, about_document, fixed_reply

FILES = {
    "parks/rules.md": "# Rules for the parks\n\nDogs must be kept on a lead. Cats may run free.\n",
    "pool.md": "# The Pool\n\n## Fees\n\nA day ticket costs 6 pounds.\n\nChildren swim free.\n\n"
    "Bottles are not allowed.\n",
    "heating.txt": "The boiler was installed in 2016.",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    path = tmp_path_factory.mktemp("fixed")
    with new_library(path / "house.quoth", write(path / "house", FILES)) as library:
        yield library


@pytest.fixture(scope="module")
def searcher(house: Library) -> Iterator[Searcher]:
    with house.searching() as opened:
        yield opened


@pytest.mark.parametrize(
    "question",
    ["Hi", "hello!", "Hey there", "Good morning.", "HELLO QUOTH", "hi, how are you?", " howdy "],
)
def test_greetings(searcher: Searcher, question: str) -> None:
    reply = fixed_reply(question, searcher)
    assert reply == "Hello. Ask me something about the 3 documents here."


@pytest.mark.parametrize(
    "question", ["Thanks", "thank you!", "Thank you very much.", "many thanks", "ok", "Goodbye"]
)
def test_thanks(searcher: Searcher, question: str) -> None:
    assert fixed_reply(question, searcher) == "You are welcome. Ask on if you like."


@pytest.mark.parametrize(
    "question",
    [
        "What can you do?",
        "what can I ask you",
        "How do you work?",
        "Who are you?",
        "What are you?",
        "Help",
        "help me!",
        "How does this work?",
        "Are you an AI?",
        "are you a robot?",
        "How can you help me?",
    ],
)
def test_abilities_are_told_without_pretence(searcher: Searcher, question: str) -> None:
    reply = fixed_reply(question, searcher) or ""
    assert reply.startswith("I answer questions about the 3 documents here")
    assert "When the documents do not say, I say so." in reply


@pytest.mark.parametrize(
    "question",
    [
        "Which documents do you have?",
        "What files are there?",
        "what documents can you search",
        "How many documents are there?",
        "List all documents",
        "Show me the files.",
        "list your sources",
        "Which documents do you know?",
    ],
)
def test_documents_are_listed_by_path_with_their_titles(searcher: Searcher, question: str) -> None:
    assert fixed_reply(question, searcher) == (
        "3 documents are indexed:\nheating.txt\nparks/rules.md: Rules for the parks\n"
        "pool.md: The Pool"
    )


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("What is rules.md about?", "parks/rules.md"),
        ("What is parks/rules.md about?", "parks/rules.md"),
        ("what's rules about", "parks/rules.md"),
        ("What is “Rules for the parks” about?", "parks/rules.md"),
        ("What does the pool cover?", "pool.md"),
        ("What is Pool about in general?", "pool.md"),
        ("What is the document pool.md about?", "pool.md"),
        ("Summarise the file heating.txt", "heating.txt"),
        ("Summarize HEATING.", "heating.txt"),
        ("Describe the pool", "pool.md"),
        ("What does heating.txt say?", "heating.txt"),
        ("Outline 'Rules for the parks'", "parks/rules.md"),
        # No document is called so.
        ("What is the heater about?", None),
        ("Summarise the rule", None),
        ("What does the boiler say?", None),
        ("What is rules.txt about?", None),
    ],
)
def test_a_document_is_named_by_its_title_file_or_stem(
    searcher: Searcher, question: str, path: str | None
) -> None:
    info = about_document(question, searcher)
    assert (info and info.path) == path


def test_a_document_begins_with_its_first_sentences_and_no_heading(house: Library) -> None:
    answer = Chat(house).ask("What is pool.md about?")
    assert answer.notice == "pool.md (The Pool) begins:"
    assert [quote.text for quote in answer.quotes] == [
        "A day ticket costs 6 pounds.",
        "Children swim free.",
    ]
    for quote in answer.quotes:
        assert house.text(quote.document.id)[quote.start : quote.end] == quote.text
        assert quote.citation.headings == ("The Pool", "Fees")
        assert (quote.citation.start, quote.citation.end) == (quote.start, quote.end)
    assert not answer.abstained


@pytest.mark.parametrize(
    "question",
    [
        "What do dogs need?",
        "Hello Kitty products?",
        "Good morning traffic in the park",
        "Thanks to whom was the pool built?",
        "Great dogs in the park",
        "OK signals of the boiler",
        "What can you do in the parks?",
        "Help for people who cannot swim",
        "Who are you supposed to call in a fire?",
        "How does this work with a season ticket?",
        "Which documents must I bring?",
        "What files does the caretaker keep?",
        "How many documents must be signed?",
        "List the fees",
        "Show the opening hours",
        "Which sources of heat are there?",
        "What is the boiler about to do?",
        "What is the pool about to charge?",
        "What does a day ticket cost?",
        "What are the rules for dogs?",
        "How do I use the boiler?",
        "Describe how the boiler is started",
        "Summarise the rules for dogs",
        "Are you allowed to bring bottles?",
        "Is a bot or robot allowed in the pool?",
        "boiler",
        "?!",
    ],
)
def test_ordinary_questions_are_not_caught(searcher: Searcher, question: str) -> None:
    assert fixed_reply(question, searcher) is None
    assert about_document(question, searcher) is None


def test_one_document_and_none_are_worded_as_such(tmp_path: Path) -> None:
    with new_library(tmp_path / "few.quoth") as library:
        chat = Chat(library)
        assert chat.ask("Hello").notice == (
            "Hello. Ask me something about your documents (none is indexed yet)."
        )
        assert chat.ask("List the documents").notice == "No document is indexed yet."
        library.add("The boiler is old.", name="note")
        assert chat.ask("Hello").notice == "Hello. Ask me something about the one document here."
        assert chat.ask("List the documents").notice == "One document is indexed:\nnote"


def test_of_many_documents_the_first_are_listed(tmp_path: Path) -> None:
    with new_library(tmp_path / "many.quoth") as library:
        library.add_texts((f"n{n:03}", f"Text number {n}.", None, None) for n in range(LISTED + 7))
        first, *names, last = Chat(library).ask("List all documents").notice.split("\n")
    assert first == f"{LISTED + 7} documents are indexed:"
    assert names == [f"n{n:03}" for n in range(LISTED)]
    assert last == "and 7 more"
