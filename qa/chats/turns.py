"""What is kept of a conversation, as values, and how they are read from the file."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qa.chats.seals import TURN_FIELDS, is_sealed
from qa.text import text

__all__ = [
    "FEEDBACK",
    "TURNS",
    "ConversationInfo",
    "Feedback",
    "StoredTurn",
    "packed",
    "turn_of",
]

logger = logging.getLogger(f"quoth.{__name__}")

FEEDBACK = ("good", "wrong_place", "not_answered")
TURNS = f"SELECT {TURN_FIELDS}, digest FROM turns WHERE conversation = ? ORDER BY id"


@dataclass(frozen=True, slots=True)
class ConversationInfo:
    """A conversation in a list; `turns` is how many it has, times are ISO 8601 in UTC."""

    id: str
    title: str
    turns: int
    begun_at: str
    changed_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTurn:
    """A turn as it is kept.

    Attributes:
        id: Its number; 0 until it is stored.
        where: Which documents were asked, JSON-ready, or None for all.
        whole: Whether the question was taken as it is.
        answer: References, see `qa.chats.recall`; None where there was a problem.
        problem: The sentence that says why there is no answer, or "".
        generation: The state of the library that was asked.
        feedback: One of `FEEDBACK`, or "".
    """

    question: str
    answer: dict[str, Any] | None = None
    problem: str = ""
    where: dict[str, Any] | None = None
    whole: bool = False
    generation: int = 0
    id: int = 0
    asked_at: str = ""
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person said of an answer.

    Attributes:
        value: One of `FEEDBACK`.
        judged_at: ISO 8601 time in UTC.
        turn: The question, and the references of what was quoted.
        before: The turns of the conversation before it, oldest first.
    """

    value: str
    judged_at: str
    turn: StoredTurn
    before: tuple[StoredTurn, ...]


def turn_of(row: Sequence[Any], *, sealed: bool = True) -> StoredTurn:
    """Return the turn in a row of `TURNS`; one that is damaged has a problem and no answer.

    Args:
        row: Of the file.
        sealed: Whether the file has check values.
    """
    *fields, digest = row
    number, _, question, asked_at, where, whole, answer, problem, generation, feedback, _ = fields
    if sealed and not is_sealed(fields, digest):
        logger.warning("turn %s of a conversation is damaged and not shown", number)
        return StoredTurn(
            id=number,
            question=str(question),
            problem=text("conversations.damaged"),
            asked_at=str(asked_at),
        )
    return StoredTurn(
        id=number,
        question=question,
        asked_at=asked_at,
        where=None if where is None else json.loads(where),
        whole=bool(whole),
        answer=None if answer is None else json.loads(answer),
        problem=problem,
        generation=generation,
        feedback=feedback,
    )


def packed(value: dict[str, Any] | None) -> str | None:
    """Return a value as it is kept, in JSON."""
    return None if value is None else json.dumps(value, separators=(",", ":"))
