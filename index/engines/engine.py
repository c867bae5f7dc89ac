"""What an engine is: it holds at least what a generation has, and proposes passages.

Whatever it proposes is looked up in the store, which knows what is alive; so an engine may hold
more than a generation, and must never hold less.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from index.database import Database, Row
from index.errors import LibraryError
from index.nearest import Nearest

if TYPE_CHECKING:
    from index.arrays import Arrays

__all__ = ["Engine", "Problem", "Words", "Writer", "tidy_up"]

logger = logging.getLogger(f"quoth.{__name__}")


class Words(Protocol):
    """Which passages hold which words; safe from many threads."""

    def hide(self, documents: Sequence[int], after: int) -> None:
        """Leave out what is not alive: these documents, and all numbered above `after`."""
        ...

    def search(self, terms: Sequence[str], k: int, *, only: Sequence[int] | None) -> list[int]:
        """Return about the `k` best passages that hold any of `terms`, best first."""
        ...

    def holding(self, terms: Sequence[str], *, only: Sequence[int] | None) -> list[int]:
        """Return every passage that holds all of `terms`, in no order."""
        ...

    def count(self, terms: Sequence[str]) -> int:
        """Return how many living passages hold all of `terms`."""
        ...

    def document_frequency(self, term: str) -> int:
        """Return how many living passages hold `term`."""
        ...

    def vocabulary(self, prefix: str) -> list[tuple[str, int]]:
        """Return the terms that begin with `prefix` and how many living passages hold each."""
        ...

    def disturbed(self) -> bool:
        """Return whether somebody has written into a file that is mapped here."""
        ...


class Writer(Protocol):
    """Takes in the documents of a generation in the making."""

    def add(self, document: int) -> None:
        """Take in a document whose rows are in the store, not yet published."""
        ...

    def abandon(self) -> None:
        """Forget what was taken in; it may stay, since the store does not publish it."""
        ...


class Problem(NamedTuple):
    """What is wrong with an engine, a sentence, and whether questions are refused for it."""

    message: str
    refused: bool


class Engine(Protocol):
    """The indexes of one library."""

    def begin(self, base: int, model: int) -> Writer:
        """Get ready to take in documents beside generation `base`, with vectors of `model`."""
        ...

    def complete(self, writer: Writer | None, model: int | None) -> Callable[[Database], None]:
        """Make everything durable that the next generation needs.

        Args:
            writer: What took in documents; None where there are none.
            model: Number of the model; None in an empty library.

        Returns:
            What has to be done in the transaction that publishes the generation.
        """
        ...

    def rewrite(self, db: Database, number: int, *, keep_vectors: bool) -> bool:
        """Make everything anew from generation `number`, within a transaction that writes.

        Returns:
            Whether all who search have to take it up, on whatever machine.
        """
        ...

    def compact(self, db: Database, number: int, dead: Sequence[int]) -> None:
        """Let go of documents that were deleted from the store, within that transaction."""
        ...

    def tidy(self) -> None:
        """Take away what no generation needs any more; readers that hold it keep it."""
        ...

    def words(self, db: Database, number: int) -> Words:
        """Return the words of a generation, or more."""
        ...

    def nearest(
        self, db: Database, number: int, model: Row, arrays: Arrays, before: Nearest | None
    ) -> Nearest:
        """Return the vectors of a generation.

        Args:
            db: A connection that sees it.
            number: The generation.
            model: That made it.
            arrays: What is alive in it.
            before: What an earlier generation had, of which things may be taken over.
        """
        ...

    def problems(self, db: Database, number: int) -> Iterator[Problem]:
        """Yield what it lacks of a generation, or has damaged."""
        ...

    def close(self) -> None:
        """Let go of what is held."""
        ...


def tidy_up(engine: Engine) -> None:
    """Let an engine tidy up after a publication, which stays one where that cannot be done now."""
    try:
        engine.tidy()
    except (LibraryError, OSError) as error:
        logger.warning("what nobody needs any more is left for the next change: %s", error)
