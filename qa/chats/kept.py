"""What kept conversations quote, as places that can be checked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from index.errors import LibraryError
from qa.chats.check import opened_read_only
from qa.chats.file import FILE, SEALED_SINCE, UnusableError
from qa.chats.seals import TURN_FIELDS, is_sealed
from qa.chats.turns import StoredTurn, turn_of
from qa.saved import Claim
from qa.visible import one_line

__all__ = ["Kept", "kept_claims"]

# What a turn was made of, and what it quotes; None where it is damaged.
Kept = tuple[StoredTurn, list[Claim] | None]


def kept_claims(folder: Path) -> list[Kept]:
    """Return every kept turn with what it quotes; the file is only read.

    Raises:
        LibraryError: It cannot be read.
    """
    path = folder / FILE
    if not path.is_file():
        return []
    try:
        with closing(opened_read_only(path)) as db:
            return list(_kept(db))
    except (UnusableError, sqlite3.Error, UnicodeDecodeError) as error:
        raise LibraryError(
            f"The conversations in {path} cannot be read ({one_line(str(error))}); "
            "`quoth doctor` says what to do."
        ) from error


def _kept(db: sqlite3.Connection) -> Iterator[Kept]:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    digest = "digest" if version >= SEALED_SINCE else "NULL"
    for row in db.execute(f"SELECT {TURN_FIELDS}, {digest} FROM turns ORDER BY id"):
        turn = StoredTurn(id=row[0], question=str(row[2]))
        if version >= SEALED_SINCE and not is_sealed(row[:-1], row[-1]):
            yield turn, None
            continue
        try:
            yield turn, _claims(turn_of(row, sealed=version >= SEALED_SINCE))
        except (ValueError, LookupError, TypeError):  # of a version without check values
            yield turn, None


def _claims(turn: StoredTurn) -> list[Claim]:
    if turn.answer is None:
        return []
    documents = turn.answer["documents"]
    claims = []
    for quote in turn.answer["quotes"]:
        place, start, end = quote["at"]
        number, text_hash = documents[place]
        claims.append(
            Claim(
                text=None,
                document=number,
                path="",
                text_hash=text_hash,
                start=start,
                end=end,
                question=turn.question,
            )
        )
    return claims
