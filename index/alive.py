"""Which documents belong to a generation, and which model made it."""

from __future__ import annotations

from collections.abc import Iterable

from index.database import Database, Row, stream
from index.errors import LibraryDamagedError
from index.store import generation, get_meta
from index.words import Entry

__all__ = ["living", "living_words", "model_of", "state_key"]

# Documents of generation ?1.
living = "born <= ?1 AND (died IS NULL OR died > ?1)"


def living_words(db: Database, number: int, after: int = -1) -> Iterable[Entry]:
    """Return the passages of generation `number` as the word index takes them.

    Args:
        db: A connection that sees the generation.
        number: Its number.
        after: Only of documents born after this generation.
    """
    return stream(
        db,
        "SELECT passages.id, document, terms FROM passages"
        f" JOIN documents ON documents.id = document WHERE {living} AND born > ?2",
        (number, after),
    )


def model_of(db: Database, number: int) -> Row | None:
    """Return the row of the model that made a generation, or None for an empty library."""
    row: Row | None = db.execute(
        "SELECT models.* FROM generations JOIN models ON models.id = model WHERE number = ?",
        (number,),
    ).fetchone()
    return row


def state_key(db: Database) -> tuple[int, int]:
    """Return what a snapshot depends on: the generation, and how often it was compacted.

    Raises:
        LibraryDamagedError: That is not what was stored.
    """
    compacted = get_meta(db, "compacted")
    try:
        return generation(db), 0 if compacted is None else int(compacted["times"])
    except (KeyError, TypeError, ValueError) as error:
        raise LibraryDamagedError("the list of derived files") from error
