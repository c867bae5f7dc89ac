"""The questions about the examples, each asked once a run: several modules look at the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.golden import EXAMPLES, read_rows
from index import Library
from qa import Answer, Chat

DOCUMENTS = EXAMPLES / "documents"
QUESTIONS: list[dict[str, Any]] = read_rows(EXAMPLES / "questions.jsonl")


@dataclass(frozen=True, slots=True)
class Heard:
    """A question of the examples, its answer, and the answers before it in its conversation."""

    row: dict[str, Any]
    before: tuple[Answer, ...]
    answer: Answer


def hear(library: Library, rows: Sequence[dict[str, Any]]) -> list[Heard]:
    """Ask the questions in their order, each after those of its conversation.

    The turns before a question are rows themselves, in the order in which they were asked, so
    each conversation is held once.
    """
    chats: dict[str, Chat] = {}
    heard = []
    for row in rows:
        chat = chats.setdefault(row["conversation"] or row["id"], Chat(library))
        before = tuple(chat.turns)
        assert [turn.question for turn in before] == [turn["question"] for turn in row["history"]]
        heard.append(Heard(row, before, chat.ask(row["question"])))
    return heard
