"""A question of the API, answered alone or as a turn of a conversation."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.errors import QuothError
from qa.chat import Chat
from qa.question import check_question
from qa.text import text
from qa.web.events import Stopped
from qa.web.health import is_ready
from qa.web.schemas import AnswerReply

if TYPE_CHECKING:
    from index import Library
    from index.types import Filter
    from qa.web.conversations import Conversation, Conversations
    from qa.web.events import Tell

__all__ = ["Asked", "Questions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked, by whom, and in which conversation; None: in none."""

    question: str
    owner: str
    conversation: str | None = None
    where: Filter | None = None
    whole: bool = False
    instead_of: int | None = None


class Questions:
    """Answers what is asked of one library."""

    def __init__(self, library: Library, conversations: Conversations) -> None:
        self._library, self._conversations = library, conversations

    def check(self, asked: Asked) -> None:
        """Raise what is wrong with the question, before anything is begun.

        Raises:
            QuestionError: It is empty or too long.
            ConversationNotFoundError: The conversation is somebody else's.
        """
        check_question(asked.question)
        self._conversation(asked)

    def answer(
        self,
        asked: Asked,
        stop: threading.Event,
        searched: Callable[[str], None] = lambda question: None,
    ) -> AnswerReply:
        """Return the answer; `searched` is called as by `Chat.ask`.

        Raises:
            Stopped: `stop` was set before the answer was there; nothing is kept of the question.
            QuothError: There is no answer.
        """

        def going_on(question: str) -> None:
            if stop.is_set():
                raise Stopped
            searched(question)

        conversation = self._conversation(asked)
        if conversation is None:
            chat = Chat(self._library, where=asked.where)
            answer = chat.ask(asked.question, whole=asked.whole, searched=going_on)
            return AnswerReply.of_answer(answer)
        turn = conversation.ask(
            asked.question,
            where=asked.where,
            whole=asked.whole,
            instead_of=asked.instead_of,
            stop=stop,
            searched=going_on,
        )
        if turn is None:
            raise Stopped
        if turn.answer is None:
            raise turn.error or QuothError(turn.problem)
        return AnswerReply.of_answer(turn.answer, conversation=asked.conversation, turn=turn.id)

    def tell(self, asked: Asked, tell: Tell, stop: threading.Event) -> None:
        """Tell the answer piece by piece; see the route for the events.

        Raises:
            As `answer` does.
        """

        def searched(question: str) -> None:
            tell("searched_for", {"question": question})
            tell("status", _step("reading"))

        tell("status", _step("searching" if is_ready(self._library) else "loading"))
        answer = self.answer(asked, stop, searched)
        for quote in answer.quotes:
            tell("quote", quote.model_dump(mode="json"))
        tell("answer", answer.model_dump(mode="json"))

    def _conversation(self, asked: Asked) -> Conversation | None:
        if asked.conversation is None:
            return None
        return self._conversations.get(asked.owner, asked.conversation)


def _step(step: str) -> dict[str, str]:
    return {"step": step, "says": text(f"api.{step}")}
