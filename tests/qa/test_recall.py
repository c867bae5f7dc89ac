"""An answer kept as references is the same when shown again, and goes when its documents go."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from heard import Heard
from small import HashEncoder, new_library, write

from index import Library
from qa import Answer, Chat
from qa.chats.recall import Recalled, recalled, references

# With a table, a list, two versions that disagree, the same words twice, and names to take over.
TOWN = {
    "heating/manual.md": (
        "# Heating\n\nThe boiler was installed in 2016 by Marta Lindqvist of Nordheat.\n\n"
        "The caretaker must:\n\n- bleed the radiators in October\n- check the pressure weekly\n"
    ),
    "heating/contract.txt": (
        "Nordheat answers emergency calls within four hours.\n\n"
        "Marta Lindqvist can be reached by telephone."
    ),
    "pool/prices-2021.md": (
        "---\ndate: 2021-03-01\n---\n\n# Prices\n\nA season ticket costs 80 pounds."
    ),
    "pool/prices-2024.md": (
        "---\ndate: 2024-03-01\n---\n\n# Prices\n\nA season ticket costs 95 pounds."
    ),
    "pool/notice.txt": "Glass bottles are not allowed beside the water.",
    "pool/poster.txt": "Glass bottles are not allowed beside the water.\n\nWelcome to the baths.",
    "keys.csv": "Item,Fee\nSpare key,12 pounds\nParking permit,40 pounds\n",
}
TALK = (
    "Who installed the boiler?",
    "How can she be reached?",
    "How much is a season ticket?",
    "Are glas botles allowed beside the water?",
    "What must the caretaker do?",
    "What does a spare key cost?",
    "hello",
    "Which documents do you have?",
    "What is manual.md about?",
    "Who won the chess tournament in Reykjavik?",
)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Library]:
    with new_library(tmp_path / "town.quoth", write(tmp_path / "town", TOWN)) as library:
        yield library


def kept(library: Library, answer: Answer, before: Sequence[Answer]) -> dict[str, Any]:
    """Return what is kept of an answer, as read from disk."""
    stored: dict[str, Any] = json.loads(json.dumps(references(library, answer, before)))
    return stored


def asked(library: Library, questions: Sequence[str]) -> list[tuple[Answer, dict[str, Any]]]:
    """Ask in one conversation; return each answer and what is kept of it."""
    chat = Chat(library)
    found = []
    for question in questions:
        before = list(chat.turns)
        answer = chat.ask(question)
        found.append((answer, kept(library, answer, before)))
    return found


def talk_of(town: Library) -> dict[str, tuple[Answer, dict[str, Any]]]:
    return dict(zip(TALK, asked(town, TALK), strict=True))


def test_the_same_answer_comes_back(town: Library) -> None:
    """Equal in every field, so in every form it is shown in."""
    talk = asked(town, TALK)
    for answer, stored in talk:
        again = recalled(town, stored)
        assert again == Recalled(answer, lost=0)
        assert again.answer.to_markdown() == answer.to_markdown()
        assert again.answer.to_dict() == answer.to_dict()
    answers = [answer for answer, _ in talk]
    # All kinds of answer were among them.
    assert any(answer.disagreements for answer in answers)
    assert any(quote.context for answer in answers for quote in answer.quotes)
    assert any(quote.also_at for answer in answers for quote in answer.quotes)
    assert any(quote.short for answer in answers for quote in answer.quotes)
    assert any(answer.nearest for answer in answers)
    assert any(answer.missing_words for answer in answers)
    assert sum(bool(answer.notice) for answer in answers) == 3


def words_of(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{3,}", text.casefold()))


# What the form itself is made of, and the words that shape every question.
OURS = words_of(json.dumps([
    "question generation confidence abstained decides missing quotes passages looked_at "
    "nearest disagreements searched_for notice documents at score short also matched why "
    "sentences heading paragraph item row code about listing count said words kind null true false "
    "close in meaning nearest there is",
    "Hello. Ask me something about the documents here.",
]))  # fmt: skip


def test_what_is_kept_holds_no_word_of_a_document(town: Library) -> None:
    theirs = words_of(" ".join((*TOWN.values(), *TOWN))) - words_of(" ".join(TALK)) - OURS
    assert {"lindqvist", "nordheat", "radiators", "emergency", "glass", "bottles"} <= theirs
    for answer, stored in asked(town, TALK):
        found = words_of(json.dumps(stored)) & theirs
        assert not found, (answer.question, found)


def test_a_name_taken_over_and_a_word_mended_are_places(town: Library) -> None:
    talk = talk_of(town)
    answer, stored = talk["How can she be reached?"]
    assert "Marta Lindqvist" in answer.searched_for
    assert isinstance(stored["searched_for"], list)
    answer, stored = talk["Are glas botles allowed beside the water?"]
    assert "glass bottles" in answer.searched_for
    assert isinstance(stored["searched_for"], list)


def test_what_was_removed_is_gone_from_old_answers(town: Library) -> None:
    talk = talk_of(town)
    town.remove("heating/manual.md")
    # Also while the text is still on the disk.
    _, stored = talk["Who installed the boiler?"]
    again = recalled(town, stored)
    assert (again.answer.quotes, again.lost) == ((), 1)
    assert not again.answer.abstained
    town.compact()
    assert recalled(town, stored) == again
    # Two of the words were taken from a document that is there.
    shown = recalled(town, talk["How can she be reached?"][1]).answer
    assert shown.searched_for == "How can she be reached Marta Lindqvist of …"
    assert [quote.document.name for quote in shown.quotes] == ["contract.txt"]
    assert recalled(town, talk["What is manual.md about?"][1]).answer.notice == ""
    listed = recalled(town, talk["Which documents do you have?"][1]).answer.notice
    assert "contract.txt" in listed
    assert "manual.md" not in listed


def test_one_side_of_a_disagreement_is_none(town: Library) -> None:
    answer, stored = talk_of(town)["How much is a season ticket?"]
    assert len(answer.disagreements) == 1
    town.remove("pool/prices-2021.md")
    town.compact()
    again = recalled(town, stored)
    assert again.lost == 1
    assert again.answer.disagreements == ()
    assert [quote.document.name for quote in again.answer.quotes] == ["prices-2024.md"]


def test_the_same_text_elsewhere_takes_its_place(town: Library, tmp_path: Path) -> None:
    """A document that was renamed, or removed and added again, is known by its text."""
    answer, stored = talk_of(town)["What does a spare key cost?"]
    town.remove("keys.csv")
    town.compact()
    assert recalled(town, stored).lost == len(answer.quotes)
    copy = write(tmp_path / "more", {"fees.csv": TOWN["keys.csv"]})
    town.sync(copy)
    again = recalled(town, stored)
    assert again.lost == 0
    assert [quote.text for quote in again.answer.quotes] == [q.text for q in answer.quotes]
    assert again.answer.quotes[0].citation.path == "fees.csv"


def test_the_same_words_elsewhere_stand_in(town: Library) -> None:
    answer, stored = talk_of(town)["Are glas botles allowed beside the water?"]
    (quote,) = answer.quotes
    (other,) = quote.also_at
    town.remove(quote.document.path)
    town.compact()
    again = recalled(town, stored)
    (moved,) = again.answer.quotes
    assert again.lost == 0
    assert (moved.citation, moved.also_at, moved.text) == (other, (), quote.text)
    assert quote.short is not None
    assert moved.short is not None
    assert moved.short.start - moved.start == quote.short.start - quote.start
    assert moved.short.end - moved.start == quote.short.end - quote.start
    town.remove(other.path)
    town.compact()
    assert recalled(town, stored).lost == 1


def test_answers_outlive_another_model(tmp_path: Path) -> None:
    """Every document gets a new number then; its text is the same."""
    with new_library(tmp_path / "town.quoth", write(tmp_path / "town", TOWN)) as library:
        talk = asked(library, TALK)
        library.rebuild(encoder=HashEncoder("another"))
        library.compact()
        for answer, stored in talk:
            again = recalled(library, stored)
            assert again.lost == 0
            texts = [quote.text for quote in answer.quotes]
            assert [quote.text for quote in again.answer.quotes] == texts
            assert again.answer.to_markdown() == answer.to_markdown()


def test_hostile_words_come_back_too(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a<b>.txt": "The \ud800gate\u202e is locked by Zoë O'Neill-Brandt at ten ﬁrst.".encode(
            "utf-16", "surrogatepass"
        ),
        "${x}.txt": "Zoë O'Neill-Brandt keeps the key of the gate in a <script>.",
    }
    with new_library(tmp_path / "odd.quoth", write(tmp_path / "odd", files)) as library:
        questions = ("Who locks the gate?", "And where does she keep the key?", "which documents")
        for answer, stored in asked(library, questions):
            assert recalled(library, stored) == Recalled(answer)


@pytest.mark.slow
def test_every_question_of_the_examples_comes_back(examples: Library, heard: list[Heard]) -> None:
    """With a real model, and with follow-ups after the questions before them."""
    theirs: set[str] = set()
    for info in examples.documents():
        theirs |= words_of(f"{examples.text(info.id)} {info.title} {info.path}")
    for each in heard:
        stored = kept(examples, each.answer, each.before)
        assert recalled(examples, stored) == Recalled(each.answer), each.row["id"]
        said = " ".join(answer.question for answer in (*each.before, each.answer))
        found = words_of(json.dumps(stored)) & theirs - words_of(said) - OURS
        assert not found - STOP_WORDS, each.row["id"]


STOP_WORDS = words_of("the and for are was who when how what which does")
