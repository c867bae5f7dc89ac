"""Asking through the routes, and conversations kept apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.testclient import TestClient

from qa import Chat
from qa.web.conversations import Conversations

if TYPE_CHECKING:
    from index import Library

LIFT = "How often is the lift inspected?"


def test_an_answer_is_json_with_quotes_and_references(client: TestClient) -> None:
    answer = client.post("/api/ask", json={"question": LIFT}).json()
    quote = answer["quotes"][0]
    assert quote["text"].startswith("The lift is inspected every twelve months")
    source = client.get(f"/api/source/{quote['citation']['ref']}").json()
    assert source["quote"] == quote["text"]


def test_a_question_that_cannot_be_asked_gets_one_sentence(client: TestClient) -> None:
    for body in ({"question": " "}, {"question": "x" * 2_001}, {}, {"question": 3}):
        reply = client.post("/api/ask", json=body)
        assert reply.status_code == 422
        assert isinstance(reply.json()["detail"], str)
    reply = client.post("/api/ask", json={"question": " ", "conversation": "a"})
    assert reply.status_code == 422


def test_conversations_do_not_hear_each_other(library: Library) -> None:
    conversations = Conversations(lambda: Chat(library))
    conversations.get("a").ask(LIFT)
    assert [turn.question for turn in conversations.get("a").turns] == [LIFT]
    assert conversations.get("b").turns == ()


def test_asking_again_replaces_the_last_turn(library: Library) -> None:
    conversation = Conversations(lambda: Chat(library)).get("a")
    first = conversation.ask(LIFT)
    conversation.ask(" ")  # a problem is a turn too
    assert conversation.turns[-1].problem
    conversation.ask_again()
    assert [turn.question for turn in conversation.turns] == [LIFT, " "]
    conversation.reset()
    assert conversation.ask_again() is None
    assert conversation.ask(LIFT) == first


def test_the_conversation_unused_for_longest_makes_room(library: Library) -> None:
    conversations = Conversations(lambda: Chat(library), limit=2, keep=3)
    for key in ("a", "b"):
        conversations.get(key).ask(LIFT)
    conversations.get("a")
    conversations.get("c")
    assert len(conversations) == 2
    assert conversations.get("a").turns
    assert not conversations.get("b").turns


def test_a_long_conversation_keeps_its_last_turns(library: Library) -> None:
    conversation = Conversations(lambda: Chat(library), keep=2).get("a")
    for question in ("hello", LIFT, "thanks"):
        conversation.ask(question)
    assert [turn.question for turn in conversation.turns] == [LIFT, "thanks"]
