"""Conversations on disk: what people asked, where the answers stand, and what they thought of them.

One SQLite file beside the store, `chats.db`, with nothing of the library in it: it has its own
lock, takes no part in generations and is not exported. Answers are kept as references to places
in documents (`qa.chats.recall`), so that no text of a document outlives the document here.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from index.errors import ConversationNotFoundError, LibraryError, LibraryLockedError
from qa.chats.file import (
    FILE,
    Opened,
    UnusableError,
    identity,
    is_busy,
    is_damage,
    open_file,
    set_aside_if_damaged,
)
from qa.chats.memory import taken_over
from qa.chats.seals import seal_conversation, seal_turn
from qa.chats.turns import FEEDBACK, TURNS, ConversationInfo, Feedback, StoredTurn, packed, turn_of
from qa.visible import one_line

__all__ = ["FEEDBACK", "Chats", "ConversationInfo", "Feedback", "StoredTurn"]

logger = logging.getLogger(f"quoth.{__name__}")

TITLE = 60  # characters of a title made of a question
NAMED = 200  # characters of a title given by a person
_SEARCHED = 8  # words of a search that count


class Chats:
    """The conversations of one library; for any number of threads, and of processes."""

    def __init__(self, file: Path) -> None:
        """Open a file; see `open_file`."""
        self._lock = threading.RLock()
        self._file = file
        self._use(open_file(file))

    @classmethod
    def open(cls, folder: Path) -> Chats:
        """Open the conversations kept in a library's folder; see `open_file`."""
        return cls(folder / FILE)

    @property
    def persistent(self) -> bool:
        """Whether conversations outlive this process."""
        return self.path is not None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._close()

    # -- conversations ------------------------------------------------------------------------

    def conversations(
        self, owner: str, *, search: str = "", limit: int = 50, before: str = ""
    ) -> list[ConversationInfo]:
        """Return conversations of `owner`, the one changed last first.

        Args:
            owner: Whose.
            search: Words of which each stands in the title or in a question, in any case.
            limit: Most to return.
            before: `changed_at` of the last one that is known already: those older follow.
        """
        words = [word for word in _sound(search).casefold().split() if word][:_SEARCHED]
        holds = (
            " AND (instr(folded(CAST(title AS BLOB)), ?) OR EXISTS(SELECT 1 FROM turns WHERE"
            " conversation = c.id AND instr(folded(CAST(question AS BLOB)), ?)))"
        )
        with self._reading() as db:
            rows = db.execute(
                "SELECT id, title, (SELECT count(*) FROM turns WHERE conversation = c.id),"
                " begun_at, changed_at FROM conversations AS c WHERE owner = ?"
                " AND (? = '' OR changed_at < ?)"
                f"{holds * len(words)} ORDER BY changed_at DESC, id LIMIT ?",
                (
                    owner,
                    before,
                    before,
                    *(half for word in words for half in (word, word)),
                    limit,
                ),
            ).fetchall()
        return [ConversationInfo(*row) for row in rows]

    def conversation(self, owner: str, id: str) -> ConversationInfo | None:
        """Return one conversation, or None where there is none with this id.

        Raises:
            ConversationNotFoundError: It is somebody else's.
        """
        with self._reading() as db:
            row = db.execute(
                "SELECT owner, id, title, (SELECT count(*) FROM turns WHERE conversation = c.id),"
                " begun_at, changed_at FROM conversations AS c WHERE id = ?",
                (id,),
            ).fetchone()
        if row is None:
            return None
        if row[0] != owner:
            raise ConversationNotFoundError
        return ConversationInfo(*row[1:])

    def rename(self, owner: str, id: str, title: str) -> ConversationInfo:
        """Give a conversation a title; an empty one brings back the title of its first question.

        Raises:
            ConversationNotFoundError: `owner` has no such conversation.
        """
        named = _shortened(one_line(_sound(title)), NAMED)
        with self._writing() as db:
            _check_owner(db, owner, id)
            db.execute(
                "UPDATE conversations SET title = ?, named = ? WHERE id = ?",
                (named, int(bool(named)), id),
            )
            _retitle(db, id)
            seal_conversation(db, id)
        info = self.conversation(owner, id)
        if info is None:  # deleted between the two
            raise ConversationNotFoundError
        return info

    def delete(self, owner: str, id: str) -> None:
        """Delete a conversation with all that was said in it; nothing of it stays in the file.

        Raises:
            ConversationNotFoundError: `owner` has no such conversation.
        """
        with self._writing() as db:
            _check_owner(db, owner, id)
            db.execute("DELETE FROM conversations WHERE id = ?", (id,))
        self._forget_log()

    # -- turns --------------------------------------------------------------------------------

    def turns(self, id: str) -> list[StoredTurn]:
        """Return the turns of a conversation, oldest first."""
        with self._reading() as db:
            return [turn_of(row) for row in db.execute(TURNS, (id,))]

    def append(
        self,
        owner: str,
        id: str,
        turn: StoredTurn,
        *,
        instead_of: int | None = None,
        begun: bool = False,
    ) -> StoredTurn:
        """Store a turn at the end of a conversation, which begins with its first one.

        Args:
            owner: Whose conversation it is.
            id: Of the conversation.
            turn: Its number and time are given here.
            instead_of: A turn that is dropped first, with all after it.
            begun: Whether the conversation must be there already: one that was deleted
                meanwhile does not come back.

        Returns:
            The turn with its number and time.

        Raises:
            ConversationNotFoundError: The conversation is somebody else's, or gone.
        """
        at = _now()
        question = _sound(turn.question)
        with self._writing() as db:
            if begun or db.execute("SELECT 1 FROM conversations WHERE id = ?", (id,)).fetchone():
                _check_owner(db, owner, id)
            else:
                db.execute(
                    "INSERT INTO conversations(id, owner, title, begun_at, changed_at)"
                    " VALUES(?, ?, '', ?, ?)",
                    (id, owner, at, at),
                )
            if instead_of is not None:
                db.execute("DELETE FROM turns WHERE conversation = ? AND id >= ?", (id, instead_of))
            number = db.execute(
                'INSERT INTO turns(conversation, question, asked_at, "where", whole, answer,'
                " problem, generation) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    id,
                    question,
                    at,
                    packed(turn.where),
                    int(turn.whole),
                    packed(turn.answer),
                    _sound(turn.problem),
                    turn.generation,
                ),
            ).lastrowid
            seal_turn(db, number or 0)
            db.execute("UPDATE conversations SET changed_at = ? WHERE id = ?", (at, id))
            _retitle(db, id)
            seal_conversation(db, id)
        if instead_of is not None:
            self._forget_log()
        return replace(
            turn, id=number or 0, question=question, asked_at=at, problem=_sound(turn.problem)
        )

    def set_feedback(self, owner: str, id: str, turn: int, value: str) -> None:
        """Keep what a person says of an answer; "" takes it back.

        Raises:
            ConversationNotFoundError: `owner` has no such conversation, or it has no such turn.
            ValueError: `value` is none of `FEEDBACK`.
        """
        if value and value not in FEEDBACK:
            raise ValueError(f"feedback is one of {', '.join(FEEDBACK)} or empty, not {value!r}")
        with self._writing() as db:
            _check_owner(db, owner, id)
            changed = db.execute(
                "UPDATE turns SET feedback = ?, judged_at = ? WHERE conversation = ? AND id = ?",
                (value, _now() if value else None, id, turn),
            ).rowcount
            if not changed:
                raise ConversationNotFoundError(
                    f"This conversation has no question number {turn}; load the page again."
                )
            seal_turn(db, turn)

    def feedback(self) -> list[Feedback]:
        """Return what people said of answers, in the order in which the questions were asked."""
        with self._reading() as db:
            judged = db.execute(
                "SELECT conversation, id, feedback, judged_at FROM turns WHERE feedback <> ''"
                " ORDER BY id"
            ).fetchall()
            found = []
            for conversation, number, value, judged_at in judged:
                turns = [turn_of(row) for row in db.execute(TURNS, (conversation,))]
                turn = next(each for each in turns if each.id == number)
                if not turn.feedback:  # damaged: what it was said of is not known
                    continue
                before = tuple(each for each in turns if each.id < number)
                found.append(Feedback(value, judged_at, turn, before))
        return found

    # -- inside -------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._explained():
            self._follow()
            self._db.execute("BEGIN")
            try:
                yield self._db
            finally:
                self._roll_back()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside one transaction: all of it happens, or nothing."""
        with self._lock, self._explained():
            self._leave_memory()
            self._begin_writing()
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def _begin_writing(self) -> None:
        while True:
            self._follow()
            self._db.execute("BEGIN IMMEDIATE")
            if not self._replaced():
                return
            self._roll_back()  # while this waited, the file was set aside

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _replaced(self) -> bool:
        """Return whether another file has the name by now: what is written here nobody will see."""
        return self.path is not None and identity(self.path) != self._identity

    def _follow(self) -> None:
        """Open the file that has the name by now, where another process has set ours aside."""
        if self._replaced() and self._close.alive:
            self._close()
            self._use(open_file(self._file))

    def _leave_memory(self) -> None:
        """Go over to the file, with all that was said, where it can be written again."""
        if self.path is not None or not self._close.alive:
            return
        with suppress(UnusableError, OSError, sqlite3.Error):
            opened = taken_over(self._file, self._db)
            self._close()
            self._use(opened)
            logger.info("Conversations are kept in %s again.", self._file)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite says into one sentence; a file that is damaged is set aside."""
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as error:
            name = _named(self.path)
            if isinstance(error, sqlite3.Error) and is_busy(error):
                raise LibraryLockedError(
                    f"{name} is being changed by another process; try again in a moment."
                ) from error
            advice = "make room if the disk is full, or move the file away to begin a new one."
            if self.path is not None and is_damage(error):
                advice = self._anew(self.path, name) or advice
            raise LibraryError(f"{name} cannot be read or written ({error}); {advice}") from error

    def _anew(self, path: Path, name: str) -> str:
        """Open the file again, and return what can be done where it is sound.

        Raises:
            LibraryError: It was damaged; conversations begin anew.
        """
        self._close()
        try:
            aside = set_aside_if_damaged(path)
        except (OSError, sqlite3.Error):
            return ""  # it cannot even be looked at
        finally:
            self._use(open_file(path))
        if aside is None:
            return "try again, and if it stays so, run `quoth doctor --repair`."
        raise LibraryError(
            f"{name} was damaged. It is kept as {aside.name}, and conversations begin anew: "
            "ask again."
        )

    def _use(self, opened: Opened) -> None:
        self._db, self.path, self._identity = opened.db, opened.path, opened.identity
        # Also where nobody closes it: at the latest when the process ends in good order.
        self._close = weakref.finalize(self, opened.db.close)

    def _forget_log(self) -> None:
        """Take what was deleted out of the write-ahead log too, unless another process reads it.

        Then it goes with the next time that the log is emptied.
        """
        with self._lock, suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _check_owner(db: sqlite3.Connection, owner: str, id: str) -> None:
    row = db.execute("SELECT owner FROM conversations WHERE id = ?", (id,)).fetchone()
    if row is None or row[0] != owner:
        raise ConversationNotFoundError


def _retitle(db: sqlite3.Connection, id: str) -> None:
    """Give a conversation that nobody has named the title of its first question."""
    row = db.execute(
        "SELECT question FROM turns WHERE conversation = ? ORDER BY id LIMIT 1", (id,)
    ).fetchone()
    if row is not None:
        title = _shortened(one_line(row[0]), TITLE)
        db.execute("UPDATE conversations SET title = ? WHERE id = ? AND NOT named", (title, id))


def _shortened(text: str, most: int) -> str:
    """Return `text`, cut between words where it is longer than `most` characters."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    whole = cut.rpartition(" ")[0]
    return (whole if len(whole) > most // 2 else cut).rstrip(" ,;:–-") + "…"


def _sound(text: str) -> str:
    """Return `text` with halves of characters, which UTF-8 has no form for, as U+FFFD."""
    return re.sub("[\ud800-\udfff]", "�", text)


def _now() -> str:
    # To the microsecond: it tells the order of conversations, and where a page of them begins.
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _named(path: Path | None) -> str:
    # People who ask over the network need not know where it lies.
    if path is None:
        return "The list of conversations"
    return f"The file {path.name} in the folder of the library"
