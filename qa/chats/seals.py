"""A check value for every turn and conversation: SQLite does not see a flipped bit in a text."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = [
    "TURN_FIELDS",
    "is_sealed",
    "seal_all",
    "seal_conversation",
    "seal_turn",
    "unsealed_conversations",
    "unsealed_turns",
]

# In this order in the value of a turn; what is added later goes to the end.
TURN_FIELDS = (
    'id, conversation, question, asked_at, "where", whole, answer, problem, generation, feedback,'
    " judged_at"
)
_CONVERSATION_FIELDS = "id, owner, title, named, begun_at, changed_at"


def is_sealed(fields: Sequence[Any], digest: object) -> bool:
    """Return whether `digest` is the value that was kept with these fields."""
    return digest == _digest(fields)


def seal_turn(db: sqlite3.Connection, number: int) -> None:
    """Keep the check value of a turn as it is now; in the transaction that has changed it."""
    fields = db.execute(f"SELECT {TURN_FIELDS} FROM turns WHERE id = ?", (number,)).fetchone()
    db.execute("UPDATE turns SET digest = ? WHERE id = ?", (_digest(fields), number))


def seal_conversation(db: sqlite3.Connection, id: str) -> None:
    """Keep the check value of a conversation as it is now, without its turns."""
    fields = db.execute(
        f"SELECT {_CONVERSATION_FIELDS} FROM conversations WHERE id = ?", (id,)
    ).fetchone()
    db.execute("UPDATE conversations SET digest = ? WHERE id = ?", (_digest(fields), id))


def seal_all(db: sqlite3.Connection) -> None:
    """Keep the check values of everything as it is now."""
    for (number,) in db.execute("SELECT id FROM turns").fetchall():
        seal_turn(db, number)
    for (id,) in db.execute("SELECT id FROM conversations").fetchall():
        seal_conversation(db, id)


def unsealed_turns(db: sqlite3.Connection) -> Iterator[int]:
    """Yield the numbers of the turns that are not what was kept."""
    for *fields, digest in db.execute(f"SELECT {TURN_FIELDS}, digest FROM turns ORDER BY id"):
        if not is_sealed(fields, digest):
            yield int(fields[0])


def unsealed_conversations(db: sqlite3.Connection) -> Iterator[str]:
    """Yield the ids of the conversations that are not what was kept."""
    for *fields, digest in db.execute(
        f"SELECT {_CONVERSATION_FIELDS}, digest FROM conversations ORDER BY id"
    ):
        if not is_sealed(fields, digest):
            yield str(fields[0])


def _digest(fields: Sequence[Any]) -> str:
    # repr tells text from numbers, and where one field ends.
    data = repr(tuple(fields)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=16).hexdigest()
