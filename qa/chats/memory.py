"""Conversations that were kept in memory go into their file when it can be used again."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from qa.chats.file import WAITING_MS, Opened, alone, identity, open_sound
from qa.chats.seals import seal_conversation

__all__ = ["taken_over"]


def taken_over(path: Path, memory: sqlite3.Connection) -> Opened:
    """Return the file at `path` opened, with all that is in memory added to it.

    Raises:
        UnusableError, OSError, sqlite3.Error: It still cannot be used; nothing was added.
    """
    with alone(path):
        db = open_sound(path, wait_ms=WAITING_MS)
        try:
            _copy(memory, db)
        except BaseException:
            db.close()
            raise
        return Opened(db, path, identity(path))


def _copy(memory: sqlite3.Connection, db: sqlite3.Connection) -> None:
    """Add everything in one transaction, which a connection that is closed takes back."""
    db.execute("BEGIN IMMEDIATE")
    for id, owner, *rest in memory.execute("SELECT * FROM conversations").fetchall():
        db.execute(
            "INSERT OR IGNORE INTO conversations VALUES(?, ?, ?, ?, ?, ?, ?)", (id, owner, *rest)
        )
        _copy_turns(memory, db, id, owner)
    db.execute("COMMIT")


def _copy_turns(memory: sqlite3.Connection, db: sqlite3.Connection, id: str, owner: str) -> None:
    """Add the turns of a conversation, unless in the file it is somebody else's."""
    if not db.execute(
        "SELECT 1 FROM conversations WHERE id = ? AND owner = ?", (id, owner)
    ).fetchone():
        return
    turns = memory.execute(
        "SELECT * FROM turns WHERE conversation = ? ORDER BY id", (id,)
    ).fetchall()
    for turn in turns:
        db.execute(f"INSERT INTO turns VALUES({', '.join('?' * len(turn))})", turn)
    (changed_at,) = memory.execute(
        "SELECT changed_at FROM conversations WHERE id = ?", (id,)
    ).fetchone()
    db.execute("UPDATE conversations SET changed_at = ? WHERE id = ?", (changed_at, id))
    seal_conversation(db, id)
