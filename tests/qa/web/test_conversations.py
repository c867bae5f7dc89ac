"""Live conversations: kept apart, continued after a restart, stopped, edited, cut when shown."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from small import write

from index.errors import ConversationNotFoundError
from index.types import Filter
from qa import Chat
from qa.chats import Chats
from qa.web.conversations import Conversations

if TYPE_CHECKING:
    from index import Library

ME, YOU = "me", "you"
A, B, C = (f"conversation-{name}-0000" for name in "abc")
LIFT = "How often is the lift inspected?"
BOOK = "Who keeps the inspection book?"
WHERE = "And where?"


@pytest.fixture
def chats(library: Library) -> Iterator[Chats]:
    opened = Chats.open(library.path)
    yield opened
    opened.close()


@pytest.fixture
def conversations(library: Library, chats: Chats) -> Conversations:
    return Conversations(library, chats)


def asked(conversations: Conversations, id: str = A) -> list[str]:
    return [turn.question for turn in conversations.get(ME, id).turns]


def test_conversations_do_not_hear_each_other(conversations: Conversations) -> None:
    conversations.get(ME, A).ask(BOOK)
    conversations.get(ME, B).ask(WHERE)
    assert asked(conversations) == [BOOK]
    (turn,) = conversations.get(ME, B).turns
    assert turn.answer is not None
    assert "inspection" not in turn.answer.searched_for


def test_the_turn_that_comes_back_is_the_one_that_is_kept(conversations: Conversations) -> None:
    conversation = conversations.get(ME, A)
    assert (conversation.id, conversation.title, conversation.turns) == (A, "", ())
    only = Filter(documents=frozenset((1, 2)), folder="minutes")
    for question, where in ((BOOK, None), (WHERE, None), (" ", None), (LIFT, only)):
        assert conversation.ask(question, where=where) == conversation.turns[-1]
    assert conversation.title == BOOK
    problem, last = conversation.turns[2:]
    assert problem.answer is None
    assert problem.problem.startswith("The question is empty")
    assert last.where == only
    assert last.answer is not None
    assert last.generation == last.answer.generation == 1


TALK = (BOOK, WHERE, "hello", "What did the owners agree?", "And in 2024?", LIFT, "Why?")


def test_a_restart_changes_no_answer(library: Library, tmp_path: Path) -> None:
    """As if the chat had never been closed: follow-ups, notices and scores."""
    chat = Chat(library)
    alive = [chat.ask(question) for question in TALK]
    assert any(answer.searched_for != answer.question for answer in alive)
    for answer, question in zip(alive, TALK, strict=True):
        chats = Chats.open(library.path)
        turn = Conversations(library, chats).get(ME, A).ask(question)
        assert turn is not None
        assert turn.answer == answer
        chats.close()
    chats = Chats.open(library.path)
    turns = Conversations(library, chats).get(ME, A).turns
    assert [turn.answer for turn in turns] == alive
    chats.close()


def test_two_servers_go_on_with_one_conversation(library: Library, chats: Chats) -> None:
    one, other = Conversations(library, chats), Conversations(library, Chats.open(library.path))
    one.get(ME, A).ask(BOOK)
    turn = other.get(ME, A).ask(WHERE)
    assert turn is not None
    assert turn.answer is not None
    assert "inspection book" in turn.answer.searched_for
    assert asked(one) == asked(other) == [BOOK, WHERE]
    other.chats.close()


def test_nobody_enters_the_conversation_of_another(conversations: Conversations) -> None:
    held = conversations.get(YOU, A)  # begun by both, asked in by one
    conversations.get(ME, A).ask(LIFT)
    with pytest.raises(ConversationNotFoundError):
        conversations.get(YOU, A)
    with pytest.raises(ConversationNotFoundError):
        _ = held.turns
    with pytest.raises(ConversationNotFoundError):
        held.ask(BOOK)
    assert asked(conversations) == [LIFT]


@pytest.mark.parametrize("id", ["", "short", "x" * 65, "conversation-ä-0000", "../../etc/passwd-1"])
def test_an_id_is_letters_digits_and_two_signs(conversations: Conversations, id: str) -> None:
    with pytest.raises(ConversationNotFoundError):
        conversations.get(ME, id)


def test_one_that_was_never_asked_anything_is_not_there(conversations: Conversations) -> None:
    conversations.get(ME, A)
    with pytest.raises(ConversationNotFoundError):
        conversations.get(ME, A, create=False)
    assert conversations.list(ME) == []
    conversations.get(ME, A).ask(LIFT)
    assert conversations.get(ME, A, create=False).title == LIFT
    assert [info.id for info in conversations.list(ME, search="lift")] == [A]


def test_editing_goes_on_from_before(conversations: Conversations) -> None:
    conversation = conversations.get(ME, A)
    first, second = conversation.ask(BOOK), conversation.ask(LIFT)
    conversation.ask("hello")
    assert first is not None
    assert second is not None
    third = conversation.ask(WHERE, instead_of=second.id)
    assert third is not None
    assert asked(conversations) == [BOOK, WHERE]
    assert third.answer is not None
    assert "inspection book" in third.answer.searched_for
    with pytest.raises(ConversationNotFoundError, match="no question number"):
        conversation.ask(LIFT, instead_of=second.id)
    # Taken as it is, it is no follow-up.
    again = conversation.ask(WHERE, whole=True, instead_of=third.id)
    assert again is not None
    assert again.answer is not None
    assert again.answer.searched_for == WHERE


def test_what_is_stopped_leaves_everything_as_it_was(conversations: Conversations) -> None:
    conversation = conversations.get(ME, A)
    kept = conversation.ask(BOOK)
    assert kept is not None
    stop = threading.Event()
    stop.set()
    assert conversation.ask(LIFT, stop=stop) is None
    assert conversation.ask(LIFT, stop=stop, instead_of=kept.id) is None
    assert conversation.turns == (kept,)


def test_a_question_that_waits_can_be_stopped(conversations: Conversations) -> None:
    conversation = conversations.get(ME, A)
    stop = threading.Event()
    conversation._asking.acquire()  # as while a long question is answered
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(conversation.ask, LIFT, stop=stop)
        time.sleep(0.1)
        assert not waiting.done()
        stop.set()
        assert waiting.result(5) is None
    conversation._asking.release()
    assert conversation.turns == ()


def test_a_question_under_way_does_not_bring_a_deleted_conversation_back(
    conversations: Conversations,
) -> None:
    class DeletesMeanwhile(threading.Event):
        def is_set(self) -> bool:
            with suppress(ConversationNotFoundError):
                conversations.delete(ME, A)
            return False

    held = conversations.get(ME, A)
    held.ask(BOOK)
    with pytest.raises(ConversationNotFoundError):
        held.ask(WHERE, stop=DeletesMeanwhile())
    assert held.turns == ()
    with pytest.raises(ConversationNotFoundError):
        conversations.get(ME, A, create=False)


def test_questions_of_one_conversation_wait_for_each_other(library: Library, chats: Chats) -> None:
    conversations = Conversations(library, chats, limit=2)
    with ThreadPoolExecutor(6) as pool:
        jobs = [
            pool.submit(conversations.get(ME, id).ask, question)
            for id in (A, B, C)
            for question in (BOOK, LIFT)
        ]
        assert all(job.result(60) for job in jobs)
    for id in (A, B, C):
        assert sorted(asked(conversations, id)) == sorted((BOOK, LIFT))


def test_more_conversations_than_are_held_are_all_there(library: Library, chats: Chats) -> None:
    conversations = Conversations(library, chats, limit=1)
    for id in (A, B, C):
        conversations.get(ME, id).ask(LIFT)
    for id in (A, B, C):
        assert asked(conversations, id) == [LIFT]


def test_words_go_with_their_document(
    library: Library, conversations: Conversations, folder: Path
) -> None:
    """Also from a conversation whose answers are in memory."""
    conversation = conversations.get(ME, A)
    turn = conversation.ask(BOOK)
    assert turn is not None
    assert turn.lost == 0
    write(folder, {"lift.txt": "There is no lift any more."})
    library.sync(folder)
    assert conversation.turns == (turn,)  # the earlier text, as long as it is kept
    library.compact()
    (again,) = conversation.turns
    assert again.lost == 1
    assert again.answer is not None
    assert again.answer.quotes == ()
    assert again.answer.question == BOOK


def test_feedback_is_part_of_the_turn(conversations: Conversations) -> None:
    conversation = conversations.get(ME, A)
    turn = conversation.ask(BOOK)
    assert turn is not None
    conversations.set_feedback(ME, A, turn.id, "wrong_place")
    assert [turn.feedback for turn in conversation.turns] == ["wrong_place"]
    (said,) = conversations.chats.feedback()
    assert said.turn.question == BOOK
    assert said.turn.generation == 1


def test_half_a_character_is_asked_as_it_is_kept(conversations: Conversations) -> None:
    turn = conversations.get(ME, A).ask("Who keeps \ud800 the inspection book? \U0001f512")
    assert turn is not None
    assert turn.question == "Who keeps � the inspection book? \U0001f512"
    assert conversations.get(ME, A).turns == (turn,)


def test_a_question_too_long_is_a_turn_that_is_cut(conversations: Conversations) -> None:
    turn = conversations.get(ME, A).ask("lift " * 500)
    assert turn is not None
    assert turn.problem.startswith("The question has")
    assert len(turn.question) == 2_001
