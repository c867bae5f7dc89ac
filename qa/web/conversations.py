"""Who is asking what: live conversations over what is kept of them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from index.errors import ConversationNotFoundError, QuothError
from qa.chats import Chats, ConversationInfo, StoredTurn
from qa.question import MAX_CHARACTERS
from qa.web.latest import Latest

if TYPE_CHECKING:
    from index import Library
    from index.types import Filter
    from qa.chats.recall import Recalled
    from qa.types import Answer

__all__ = ["CONVERSATION", "Conversation", "Conversations", "Turn"]

CONVERSATION = r"^[A-Za-z0-9_-]{16,64}$"  # names of conversations, chosen by the client
_ID = re.compile(CONVERSATION)


@dataclass(frozen=True, slots=True)
class Turn:
    """A question with its answer, or with the sentence that says why there is none.

    Attributes:
        id: Its number; no other turn of the library has it.
        question: As it was asked.
        asked_at: ISO 8601 time in UTC.
        where: Which documents were asked, or None for all.
        answer: Its text cut from the library as it is now.
        problem: Why there is no answer, or "".
        error: What the problem was raised as, of a turn that was asked just now.
        lost: How many quotes stood in documents that are no longer in the library.
        feedback: "good", "wrong_place", "not_answered" or "".
        generation: The state of the library that was asked.
        whole: Whether the question was taken as it is.
    """

    id: int
    question: str
    asked_at: str = ""
    where: Filter | None = None
    answer: Answer | None = None
    problem: str = ""
    error: QuothError | None = field(default=None, compare=False)
    lost: int = 0
    feedback: str = ""
    generation: int = 0
    whole: bool = False


class Conversation:
    """The turns of one conversation; questions wait for each other.

    What is kept on disk decides; in memory are only answers whose text has been cut already. So
    it does not matter how often a server was restarted, nor whether there are two of them.
    """

    def __init__(self, library: Library, chats: Chats, owner: str, id: str) -> None:
        self.id = id
        self._library, self._chats, self._owner = library, chats, owner
        self._asking = threading.Lock()
        # Guards what follows: the answers cut from one state of the library, by turn.
        self._cutting = threading.Lock()
        self._state: tuple[int, int] | None = None
        self._cut: dict[int, Recalled] = {}

    @property
    def title(self) -> str:
        """Made of the first question, or given by a person; "" before anything was asked."""
        info = self._chats.conversation(self._owner, self.id)
        return "" if info is None else info.title

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns so far, oldest first.

        Raises:
            ConversationNotFoundError: The conversation is somebody else's by now.
        """
        if self._chats.conversation(self._owner, self.id) is None:
            return ()
        return self._turns(self._chats.turns(self.id))

    def ask(
        self,
        question: str,
        *,
        where: Filter | None = None,
        whole: bool = False,
        instead_of: int | None = None,
        stop: threading.Event | None = None,
        searched: Callable[[str], None] | None = None,
    ) -> Turn | None:
        """Ask and return the new turn; an error raised on purpose becomes its problem.

        Args:
            question: What is asked; it may follow up on the turns so far.
            where: Which documents may answer.
            whole: Take the question as it is: no follow-up, and no typing errors in it.
            instead_of: Number of a turn that is dropped with all after it, as if the
                conversation had not gone on from there.
            stop: When it is set before the answer is there, nothing is kept and nothing
                dropped.
            searched: As in `Chat.ask`; what it raises is raised here, and nothing is kept.

        Returns:
            The turn, or None where it was stopped.

        Raises:
            ConversationNotFoundError: The conversation was deleted, or has no turn `instead_of`.
            LibraryError: The turn cannot be kept.
        """
        stop = stop or threading.Event()
        while not self._asking.acquire(timeout=0.05):
            if stop.is_set():
                return None
        try:
            return self._ask(question, where, whole, instead_of, stop, searched)
        finally:
            self._asking.release()

    def _ask(
        self,
        question: str,
        where: Filter | None,
        whole: bool,
        instead_of: int | None,
        stop: threading.Event,
        searched: Callable[[str], None] | None,
    ) -> Turn | None:
        kept = self.turns
        before = kept
        if instead_of is not None:
            before = tuple(turn for turn in kept if turn.id < instead_of)
            if not any(turn.id == instead_of for turn in kept):
                raise ConversationNotFoundError(
                    f"This conversation has no question number {instead_of}; load the page again."
                )
        if stop.is_set():
            return None
        heard = [turn.answer for turn in before if turn.answer is not None]
        turn, answer, error = self._answered(question, where, whole, heard, searched)
        if stop.is_set():
            return None
        stored = self._chats.append(
            self._owner, self.id, turn, instead_of=instead_of, begun=bool(kept)
        )
        return replace(_turn(stored, answer, 0), error=error)

    def _answered(
        self,
        question: str,
        where: Filter | None,
        whole: bool,
        heard: Sequence[Answer],
        searched: Callable[[str], None] | None,
    ) -> tuple[StoredTurn, Answer | None, QuothError | None]:
        """Return the turn to be kept, with the answer, or with what was raised instead."""
        from qa.chat import Chat
        from qa.chats.recall import filter_to_dict, references

        narrowed = None if where is None else filter_to_dict(where)
        chat = Chat(self._library)
        chat.resume(heard)
        # The half of a character has no form on disk: asked is what is kept.
        question = question.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        try:
            answer = chat.ask(question, where=where, whole=whole, searched=searched)
        except QuothError as error:
            shown = question[:MAX_CHARACTERS] + "…" * (len(question) > MAX_CHARACTERS)
            stored = StoredTurn(question=shown, problem=str(error), where=narrowed, whole=whole)
            return stored, None, error
        stored = StoredTurn(
            question=question,
            answer=references(self._library, answer, heard),
            where=narrowed,
            whole=whole,
            generation=answer.generation,
        )
        return stored, answer, None

    def _turns(self, stored: Sequence[StoredTurn]) -> tuple[Turn, ...]:
        from qa.chats.recall import recalled

        with self._library.searching() as searcher:
            state = searcher.state
        with self._cutting:
            if state != self._state:
                self._state, self._cut = state, {}
            cut = {
                turn.id: self._cut.get(turn.id) or recalled(self._library, turn.answer)
                for turn in stored
                if turn.answer is not None
            }
            self._cut = cut
        turns = []
        for turn in stored:
            found = cut.get(turn.id)
            turns.append(
                _turn(turn, None, 0) if found is None else _turn(turn, found.answer, found.lost)
            )
        return tuple(turns)


class Conversations:
    """The conversations of a library, by owner and id.

    Args:
        library: That is asked.
        chats: Where conversations are kept.
        limit: Most conversations of which answers are held in memory.
    """

    def __init__(self, library: Library, chats: Chats, *, limit: int = 100) -> None:
        self.chats = chats
        self._library = library
        self._live: Latest[tuple[str, str], Conversation] = Latest(limit)
        # A conversation that is being asked stays the same one, also when many others were opened
        # meanwhile: otherwise the next question of it would not wait for this one.
        self._known: WeakValueDictionary[tuple[str, str], Conversation] = WeakValueDictionary()
        self._lock = threading.Lock()

    def get(self, owner: str, id: str, *, create: bool = True) -> Conversation:
        """Return a conversation; a new one is kept from its first question on.

        Args:
            owner: Who asks for it.
            id: Chosen by the client: 16 to 64 letters, digits, "-" and "_".
            create: Whether there may be none yet.

        Raises:
            ConversationNotFoundError: It is somebody else's, there is none and `create` is
                false, or nothing can be called so.
        """
        info = self.chats.conversation(owner, id) if _ID.fullmatch(id) else None
        if info is None and not (create and _ID.fullmatch(id)):
            raise ConversationNotFoundError
        with self._lock:
            conversation = self._known.get((owner, id))
            if conversation is None:
                conversation = Conversation(self._library, self.chats, owner, id)
                self._known[owner, id] = conversation
            self._live[owner, id] = conversation
            return conversation

    def list(
        self, owner: str, *, search: str = "", limit: int = 50, before: str = ""
    ) -> list[ConversationInfo]:
        """Return what `Chats.conversations` does."""
        return self.chats.conversations(owner, search=search, limit=limit, before=before)

    def rename(self, owner: str, id: str, title: str) -> ConversationInfo:
        """Give a conversation a title; an empty one brings back that of its first question.

        Raises:
            ConversationNotFoundError: `owner` has no such conversation.
        """
        return self.chats.rename(owner, id, title)

    def delete(self, owner: str, id: str) -> None:
        """Delete a conversation with all that was said in it.

        Raises:
            ConversationNotFoundError: `owner` has no such conversation.
        """
        self.chats.delete(owner, id)
        with self._lock:
            self._live.pop((owner, id), None)

    def set_feedback(self, owner: str, id: str, turn: int, value: str) -> None:
        """Keep what a person says of an answer: one of `qa.chats.FEEDBACK`, "" to take it back.

        Raises:
            ConversationNotFoundError: `owner` has no such conversation, or it has no such turn.
            ValueError: The value is none of these.
        """
        self.chats.set_feedback(owner, id, turn, value)


def _turn(stored: StoredTurn, answer: Answer | None, lost: int) -> Turn:
    from qa.chats.recall import filter_from_dict

    return Turn(
        id=stored.id,
        question=stored.question,
        asked_at=stored.asked_at,
        where=None if stored.where is None else filter_from_dict(stored.where),
        answer=answer,
        problem=stored.problem,
        lost=lost,
        feedback=stored.feedback,
        generation=stored.generation,
        whole=stored.whole,
    )
