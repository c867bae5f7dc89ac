"""A generation in the making: written beside the published one, then published at once.

Derived files are complete on disk before the one transaction that makes them count, so a
crash at any moment leaves either the old generation or the new one.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from index.errors import LibraryDamagedError, ModelMismatchError
from index.ingest import Ingest, next_number
from index.seals import EVERYTHING, verify
from index.store import Store, generation, get_meta, now, set_meta
from index.types import Encoder
from index.vectors import VectorBase, write_base
from index.words import Entry, WordState, WordWriter, intact, open_words, remove_folder

__all__ = ["Draft", "living", "living_words", "model_of", "new_words_folder", "tidy"]

logger = logging.getLogger(f"quoth.{__name__}")

# Documents of generation ?1.
living = "born <= ?1 AND (died IS NULL OR died > ?1)"


def living_words(db: sqlite3.Connection, number: int) -> Iterable[Entry]:
    """Return the passages of generation `number` as the word index takes them."""
    return db.execute(
        "SELECT passages.id, document, terms FROM passages"
        f" JOIN documents ON documents.id = document WHERE {living}",
        (number,),
    )


def model_of(db: sqlite3.Connection, number: int) -> sqlite3.Row | None:
    """Return the row of the model that made a generation, or None for an empty library."""
    row: sqlite3.Row | None = db.execute(
        "SELECT models.* FROM generations JOIN models ON models.id = model WHERE number = ?",
        (number,),
    ).fetchone()
    return row


class Draft:
    """Takes in documents, retires others, and publishes both as one generation.

    Leaving the block without `publish` leaves the library as it was; vectors that were made
    are kept for the next time.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        encoder: Callable[[], Encoder],
        *,
        change_model: bool = False,
        on_progress: Callable[[str, int], None] = lambda path, sentences: None,
    ) -> None:
        self._folder = folder
        self._store = store
        self._encoder = encoder
        self._change_model = change_model
        self._on_progress = on_progress
        self._ingest: Ingest | None = None
        self._words: WordWriter | None = None
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
        if self._words is not None:
            words, self._words = self._words, None
            # The library is as it was; a failure to tidy up must not hide the first one.
            with contextlib.suppress(ValueError, OSError, RuntimeError):
                words.abandon()

    @property
    def ingest(self) -> Ingest:
        """Where documents go in; loads the model at the first use."""
        if self._ingest is None:
            encoder = self._encoder()
            with self._store.writing(seal=("models",)) as db:
                self._model = self._model_row(db, encoder)
            self._words = self._open_words()
            self._ingest = Ingest(
                self._store,
                encoder=encoder,
                model=self._model,
                generation=self.generation,
                words=self._words,
                on_progress=self._on_progress,
            )
        return self._ingest

    def _model_row(self, db: sqlite3.Connection, encoder: Encoder) -> int:
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

    def _open_words(self) -> WordWriter:
        with self._store.reading() as db:
            meta = get_meta(db, "words")
            state = None if meta is None else WordState(**meta)
            if state is not None and self._can_go_on(db, state):
                return WordWriter(self._folder / state.folder)
            words = WordWriter(new_words_folder(self._folder))
            words.add(living_words(db, self.base))
        return words

    def _can_go_on(self, db: sqlite3.Connection, state: WordState) -> bool:
        """Return whether words may be added to the index that is there.

        Not where it knows documents that the store has lost: their numbers are given again.
        """
        with contextlib.suppress(LibraryDamagedError, ValueError, OSError):
            if intact(self._folder, state):
                last = next_number(db, "documents") - 1
                return not open_words(self._folder / state.folder).knows_more_than(last)
        return False

    def retire(self, documents: Iterable[int]) -> None:
        """Let documents die with this generation."""
        self._retired.extend(documents)

    def flush(self) -> None:
        """Write the documents that were taken in; they stay unpublished."""
        if self._ingest is not None:
            self._ingest.flush()

    def publish(self, also: Callable[[sqlite3.Connection], None] = lambda db: None) -> int:
        """Make everything count, together with what `also` does in the same transaction.

        Returns:
            The number of the published generation.
        """
        self.flush()
        words = None
        if self._words is not None:
            words, self._words = self._words.commit(), None
        with self._store.reading() as db:
            vectors = self._vector_base(db)
        with self._store.writing(seal=EVERYTHING) as db:
            db.executemany(
                "UPDATE documents SET died = ? WHERE id = ?",
                [(self.generation, document) for document in self._retired],
            )
            db.execute(
                "INSERT INTO generations VALUES(?, ?, ?)", (self.generation, self._model, now())
            )
            if words is not None:
                set_meta(db, "words", words.to_dict())
            set_meta(db, "vectors", None if vectors is None else vectors.to_dict())
            also(db)
        self._store.checkpoint()
        tidy(self._folder, self._store)
        logger.info("published generation %d", self.generation)
        return self.generation

    def _vector_base(self, db: sqlite3.Connection) -> VectorBase | None:
        meta = get_meta(db, "vectors")
        current = None if meta is None else VectorBase(**meta)
        if self._model is None:
            return current
        (dim,) = db.execute("SELECT dim FROM models WHERE id = ?", (self._model,)).fetchone()
        return write_base(self._folder, db, self._model, dim, current)


def tidy(library: Path, store: Store) -> None:
    """Delete derived files that nothing points to, also what a crash left behind.

    Readers that hold them keep them.
    """
    with store.reading() as db:
        words, vectors = get_meta(db, "words"), get_meta(db, "vectors")
    for path in library.glob("words-*"):
        if words is None or path.name != words["folder"]:
            remove_folder(path)
    for path in library.glob("vectors-*"):
        if vectors is None or path.name != vectors["file"]:
            path.unlink(missing_ok=True)


def new_words_folder(library: Path) -> Path:
    """Return a path for a word index that was never used before."""
    numbers = [int(p.name.partition("-")[2]) for p in library.glob("words-*") if p.is_dir()]
    return library / f"words-{max(numbers, default=0) + 1}"
