"""A generation in the making: written beside the published one, then published at once.

Derived files are complete on disk before the one transaction that makes them count, so a
crash at any moment leaves either the old generation or the new one.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from index.alive import model_of
from index.database import Database
from index.engines.engine import Engine, Writer, tidy_up
from index.errors import LibraryError, ModelMismatchError
from index.ingest import Ingest
from index.seals import EVERYTHING, verify
from index.store import Store, generation, now
from index.types import Encoder

__all__ = ["Draft"]

logger = logging.getLogger(f"quoth.{__name__}")


class Draft:
    """Takes in documents, retires others, and publishes both as one generation.

    Leaving the block without `publish` leaves the library as it was; vectors that were made
    are kept for the next time.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        encoder: Callable[[], Encoder],
        *,
        change_model: bool = False,
        on_progress: Callable[[str, int], None] = lambda path, sentences: None,
    ) -> None:
        self._engine = engine
        self._store = store
        self._encoder = encoder
        self._change_model = change_model
        self._on_progress = on_progress
        self._ingest: Ingest | None = None
        self._writer: Writer | None = None
        self._retired: list[int] = []
        with store.writing(seal=()) as db:  # what is not published is not sealed
            verify(db, ("meta", "models", "generations"))
            self.base = generation(db)
            # What an interrupted sync left is never alive; `compact` takes it away.
            db.execute("UPDATE documents SET died = born WHERE born > ?", (self.base,))
            row = model_of(db, self.base)
            self._model: int | None = None if row is None or change_model else row["id"]
        self.generation = self.base + 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            # The library is as it was; a failure to tidy up must not hide the first one.
            with contextlib.suppress(ValueError, OSError, RuntimeError, LibraryError):
                writer.abandon()

    @property
    def ingest(self) -> Ingest:
        """Where documents go in; loads the model at the first use."""
        if self._ingest is None:
            encoder = self._encoder()
            with self._store.writing(seal=("models",)) as db:
                self._model = self._model_row(db, encoder)
            self._writer = self._engine.begin(self.base, self._model)
            self._ingest = Ingest(
                self._store,
                encoder=encoder,
                model=self._model,
                generation=self.generation,
                taken=self._writer.add,
                on_progress=self._on_progress,
            )
        return self._ingest

    def _model_row(self, db: Database, encoder: Encoder) -> int:
        row = model_of(db, self.base)
        if row is not None and not self._change_model and row["fingerprint"] != encoder.fingerprint:
            raise ModelMismatchError(row["name"], encoder.name)
        db.execute(
            "INSERT INTO models(fingerprint, name, dim) VALUES(?, ?, ?) ON CONFLICT DO NOTHING",
            (encoder.fingerprint, encoder.name, encoder.dim),
        )
        (model,) = db.execute(
            "SELECT id FROM models WHERE fingerprint = ?", (encoder.fingerprint,)
        ).fetchone()
        return int(model)

    def retire(self, documents: Iterable[int]) -> None:
        """Let documents die with this generation."""
        self._retired.extend(documents)

    def flush(self) -> None:
        """Write the documents that were taken in; they stay unpublished."""
        if self._ingest is not None:
            self._ingest.flush()

    def publish(self, also: Callable[[Database], None] = lambda db: None) -> int:
        """Make everything count, together with what `also` does in the same transaction.

        Returns:
            The number of the published generation.
        """
        self.flush()
        writer, self._writer = self._writer, None
        note = self._engine.complete(writer, self._model)
        with self._store.writing(seal=EVERYTHING) as db:
            db.executemany(
                "UPDATE documents SET died = ? WHERE id = ?",
                [(self.generation, document) for document in self._retired],
            )
            db.execute(
                "INSERT INTO generations VALUES(?, ?, ?)", (self.generation, self._model, now())
            )
            note(db)
            also(db)
        self._store.checkpoint()
        tidy_up(self._engine)
        logger.info("published generation %d", self.generation)
        return self.generation
