"""Which documents belong to a generation, and which model made it."""

from __future__ import annotations

from collections.abc import Iterable

from index.database import Database, Row, stream
from index.errors import LibraryDamagedError
from index.store import generation, get_meta
from index.words import Entry

__all__ = ["living", "living_words", "model_of", "state_key", "words_between"]

# Documents of generation ?1.
living = "born <= ?1 AND (died IS NULL OR died > ?1)"
_WORDS = (
    "SELECT passages.id, document, terms FROM passages JOIN documents ON documents.id = document"
)


def living_words(db: Database, number: int) -> Iterable[Entry]:
    """Return the passages of generation `number` as the word index takes them."""
    return stream(db, f"{_WORDS} WHERE {living}", (number,))


def words_between(db: Database, after: int, until: int) -> Iterable[Entry]:
    """Return the passages born after one generation and until another, dead ones among them."""
    return stream(db, f"{_WORDS} WHERE born > ? AND born <= ?", (after, until))


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
