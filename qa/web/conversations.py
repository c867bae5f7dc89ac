"""Who is asking what: one `Chat` for each conversation, a bounded number of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from index.errors import QuothError

if TYPE_CHECKING:
    from qa.types import Answer

__all__ = ["Asker", "Conversation", "Conversations", "Turn"]


class Asker(Protocol):
    """What a conversation needs of `qa.Chat`."""

    turns: list[Answer]

    def ask(self, question: str) -> Answer:
        """Return the answer; later questions may follow up on it."""

    def reset(self) -> None:
        """Forget what was asked."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question with its answer, or with the sentence that says why there is none."""

    question: str
    answer: Answer | None = None
    problem: str = ""


class Conversation:
    """The turns of one conversation; questions wait for each other."""

    def __init__(self, chat: Asker, *, keep: int) -> None:
        self._chat = chat
        self._keep = keep
        self._turns: list[Turn] = []
        self._lock = threading.Lock()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns so far, oldest first; the last `keep` of them."""
        return tuple(self._turns)

    def ask(self, question: str) -> Turn:
        """Ask and return the new turn; an error raised on purpose becomes its problem."""
        with self._lock:
            return self._ask(question)

    def ask_again(self) -> Turn | None:
        """Ask the last question again as if it had not been asked; None where there is none."""
        with self._lock:
            if not self._turns:
                return None
            last = self._turns.pop()
            if last.answer is not None:
                self._chat.turns.pop()
            return self._ask(last.question)

    def reset(self) -> None:
        """Forget all turns."""
        with self._lock:
            self._chat.reset()
            self._turns = []

    def _ask(self, question: str) -> Turn:
        try:
            turn = Turn(question, self._chat.ask(question))
        except QuothError as error:
            turn = Turn(question, problem=str(error))
        self._turns = [*self._turns, turn][-self._keep :]
        del self._chat.turns[: -self._keep]
        return turn


class Conversations:
    """The conversations going on, by key; the one unused for longest makes room for a new one.

    Args:
        chat: Makes the `Chat` of a new conversation.
        limit: Most conversations at a time.
        keep: Most turns kept of each.
    """

    def __init__(self, chat: Callable[[], Asker], *, limit: int = 200, keep: int = 50) -> None:
        self._chat, self._limit, self._keep = chat, limit, keep
        self._by_key: OrderedDict[str, Conversation] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, key: str) -> Conversation:
        """Return the conversation called `key`, begun now if there is none."""
        with self._lock:
            conversation = self._by_key.pop(key, None)
            if conversation is None:
                conversation = Conversation(self._chat(), keep=self._keep)
            self._by_key[key] = conversation
            while len(self._by_key) > self._limit:
                self._by_key.popitem(last=False)
            return conversation
