"""The conversation as messages to draw: what the chat of the page shows, step by step."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from index.errors import ConversationNotFoundError, QuothError
from qa.text import text
from qa.web.health import is_ready
from qa.web.latest import Latest
from qa.web.messages import pending_message, problem_message, question_message, turn_messages

if TYPE_CHECKING:
    from qa.web.conversations import Conversation, Turn
    from qa.web.orders import Order
    from qa.web.services import Services

__all__ = ["Asking", "Message"]

logger = logging.getLogger(f"quoth.{__name__}")

Message = dict[str, str]  # as Gradio takes it: role and content

_MOST_PAGES = 10_000  # open at a time
_MOST_SECONDS = 300.0  # that a page waits for what another one has asked


@dataclass(frozen=True, slots=True)
class _Running:
    """A question that is being answered, and what is drawn until then."""

    question: str
    drawn: tuple[Message, ...]
    stopped: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


class Asking:
    """Carries out the orders of open pages.

    Args:
        services: The parts of the server.
    """

    def __init__(self, services: Services) -> None:
        self._services, self._conversations = services, services.conversations
        self._running: dict[tuple[str, str], _Running] = {}
        self._on_screen: Latest[str, str] = Latest(_MOST_PAGES)

    def run(self, order: Order | None, owner: str, page: str) -> Iterator[list[Message] | None]:
        """Yield what to draw, again each time it changes; None where that may stay as it is.

        Args:
            order: What the script of the page wants; None draws an empty chat.
            owner: Whose browser it is.
            page: The open page. What it was waiting for is not drawn once it shows another
                conversation; the answer is kept all the same.
        """
        if order is None:
            yield []
            return
        self._on_screen[page] = order.conversation
        for messages in self._carry_out(order, owner):
            here = self._on_screen.get(page) == order.conversation
            yield messages if here else None

    def _carry_out(self, order: Order, owner: str) -> Iterator[list[Message]]:
        if order.do == "new":
            yield []
            return
        drawn: list[Message] = []
        gone = False
        try:
            conversation = self._conversations.get(owner, order.conversation)
            if order.do == "show" or not order.question.strip():
                yield from self._show(conversation, owner)
            else:
                drawn = _drawn(conversation.turns)
                yield from self._ask(conversation, order, owner)
            return
        except QuothError as error:
            sentence = str(error)
            gone = order.do == "show" and isinstance(error, ConversationNotFoundError)
        except Exception:
            # Otherwise the page would wait for ever.
            logger.exception("a question of the page failed")
            sentence = text("api.failed_detail")
        asked = [_asked(question_message(order.question))] if order.question else []
        yield [*drawn, *asked, _said(problem_message(sentence, gone=gone))]

    def _show(self, conversation: Conversation, owner: str) -> Iterator[list[Message]]:
        """Draw a conversation; where the page was loaded again meanwhile, wait for the answer."""
        yield _drawn(conversation.turns)
        running = self._running.get((owner, conversation.id))
        if running is not None:
            yield list(running.drawn)
            running.over.wait(_MOST_SECONDS)
            yield _drawn(conversation.turns)

    def stop(self, order: Order | None, owner: str) -> tuple[list[Message], str]:
        """End what is being asked; return what to draw and the question, to be mended."""
        if order is None:
            return [], ""
        running = self._running.get((owner, order.conversation))
        if running is not None:
            running.stopped.set()
        question = "" if running is None else running.question
        try:
            turns = self._conversations.get(owner, order.conversation).turns
        except QuothError:
            return [], question
        except Exception:
            # Gradio would print what it says, and that may be of a question or a document.
            logger.exception("what was asked could not be drawn once it was stopped")
            return [], question
        return _drawn(turns), question

    def _ask(self, conversation: Conversation, order: Order, owner: str) -> Iterator[list[Message]]:
        key = (owner, order.conversation)
        earlier = self._running.get(key)
        if earlier and earlier.question == order.question and not earlier.stopped.is_set():
            return  # sent twice by a hasty finger
        before = _until(conversation.turns, order.instead_of)
        running = _Running(
            order.question,
            (
                *_drawn(before),
                _asked(question_message(order.question)),
                _said(pending_message(self._status())),
            ),
        )
        self._running[key] = running
        try:
            yield list(running.drawn)
            conversation.ask(
                order.question,
                where=order.where,
                whole=order.whole,
                instead_of=order.instead_of,
                stop=running.stopped,
            )
        finally:
            if self._running.get(key) is running:
                del self._running[key]
            running.over.set()
        yield _drawn(conversation.turns)

    def _status(self) -> str:
        """Return the sentence that stands where an answer is being looked for."""
        library = self._services.library
        if not is_ready(library):
            return text("chat.loading")
        with library.searching() as searcher:
            return text("chat.searching", n=searcher.sentence_count)


def _until(turns: tuple[Turn, ...], number: int | None) -> tuple[Turn, ...]:
    """Return the turns before the one called `number`; all of them where there is none."""
    for at, turn in enumerate(turns):
        if turn.id == number:
            return turns[:at]
    return turns


def _drawn(turns: tuple[Turn, ...]) -> list[Message]:
    messages = []
    for turn in turns:
        asked, said = turn_messages(turn)
        messages += [_asked(asked), _said(said)]
    return messages


def _asked(markup: str) -> Message:
    return {"role": "user", "content": markup}


def _said(markup: str) -> Message:
    return {"role": "assistant", "content": markup}
