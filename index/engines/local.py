"""FAISS and Tantivy in the folder of a library; the store says which files a generation has."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.alive import living_words, model_of
from index.database import Database, Row, next_number, tuples
from index.engines.engine import Problem, Writer
from index.errors import LibraryDamagedError
from index.nearest import FaissNearest, Nearest
from index.store import Store, get_meta, set_meta
from index.vectors import VectorBase, load_vectors, write_base
from index.words import (
    WordIndex,
    WordState,
    WordWriter,
    intact,
    load_words,
    open_words,
    remove_folder,
)

if TYPE_CHECKING:
    from index.arrays import Arrays

__all__ = ["LocalEngine", "can_go_on", "new_words_folder", "remove_others"]


class LocalEngine:
    """The indexes beside a library's own database."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder, self._store = folder, store

    def begin(self, base: int, model: int) -> Writer:
        """Open the words for more of them."""
        with self._store.reading() as db:
            meta = get_meta(db, "words")
            state = None if meta is None else WordState(**meta)
            if state is not None and can_go_on(self._folder, db, state):
                return _Writer(self._store, WordWriter(self._folder / state.folder))
            words = WordWriter(new_words_folder(self._folder))
            words.add(living_words(db, base))
        return _Writer(self._store, words)

    def complete(self, writer: Writer | None, model: int | None) -> Callable[[Database], None]:
        """Put words and vectors on disk."""
        words = writer.words.commit() if isinstance(writer, _Writer) else None
        with self._store.reading() as db:
            vectors = self._base(db, model)

        def note(db: Database) -> None:
            if words is not None:
                set_meta(db, "words", words.to_dict())
            set_meta(db, "vectors", None if vectors is None else vectors.to_dict())

        return note

    def _base(self, db: Database, model: int | None) -> VectorBase | None:
        meta = get_meta(db, "vectors")
        current = None if meta is None else VectorBase(**meta)
        if model is None:
            return current
        (dim,) = db.execute("SELECT dim FROM models WHERE id = ?", (model,)).fetchone()
        return write_base(self._folder, db, model, dim, current)

    def rewrite(self, db: Database, number: int, *, keep_vectors: bool) -> bool:
        """Write FAISS and Tantivy files anew."""
        if not keep_vectors:
            set_meta(db, "vectors", self._new_base(db, number))
        words = WordWriter(new_words_folder(self._folder))
        words.add(living_words(db, number))
        set_meta(db, "words", words.commit().to_dict())
        return True

    def _new_base(self, db: Database, number: int) -> dict[str, Any] | None:
        model = model_of(db, number)
        if model is None:
            return None
        base = write_base(self._folder, db, model["id"], model["dim"], None)
        return None if base is None else base.to_dict()

    def compact(self, db: Database, number: int, dead: Sequence[int]) -> None:
        """Write the files anew, without what is dead."""
        self.rewrite(db, number, keep_vectors=False)

    def tidy(self) -> None:
        """Delete files that nothing points to, also what a crash left behind."""
        with self._store.reading() as db:
            words, vectors = get_meta(db, "words"), get_meta(db, "vectors")
        remove_others(
            self._folder,
            None if words is None else words["folder"],
            None if vectors is None else vectors["file"],
        )

    def words(self, db: Database, number: int) -> WordIndex:
        """Return the words as they were published, else made in memory."""
        meta = get_meta(db, "words")
        state = None if meta is None else WordState(**meta)
        return load_words(self._folder, state, living_words(db, number))

    def nearest(
        self, db: Database, number: int, model: Row, arrays: Arrays, before: Nearest | None
    ) -> FaissNearest:
        """Return the vectors as they were published, with what the store has beyond them."""
        meta = get_meta(db, "vectors")
        base = None if meta is None else VectorBase(**meta)
        known = before.vectors if isinstance(before, FaissNearest) else None
        vectors = load_vectors(self._folder, base, db, model["id"], int(model["dim"]), known)
        return FaissNearest(vectors, arrays)

    def problems(self, db: Database, number: int) -> Iterator[Problem]:
        """Yield nothing: `index.upkeep.check_files` looks at files in the library's folder."""
        yield from ()

    def close(self) -> None:
        """Nothing is held."""


class _Writer:
    """Adds the words of documents; their vectors are in the store, which is enough."""

    def __init__(self, store: Store, words: WordWriter) -> None:
        self._store, self.words = store, words

    def add(self, document: int) -> None:
        with self._store.reading() as db:
            rows = tuples(db, "SELECT id, terms FROM passages WHERE document = ?", (document,))
            entries = [(passage, document, terms) for passage, terms in rows]
        self.words.add(entries)

    def abandon(self) -> None:
        self.words.abandon()


def can_go_on(folder: Path, db: Database, state: WordState) -> bool:
    """Return whether words may be added to the index that is there.

    Not where it knows documents that the store has lost: their numbers are given again.
    """
    with contextlib.suppress(LibraryDamagedError, ValueError, OSError):
        if intact(folder, state):
            last = next_number(db, "documents") - 1
            return not open_words(folder / state.folder).knows_more_than(last)
    return False


def remove_others(folder: Path, words: str | None, vectors: str | None) -> None:
    """Delete derived files but these; readers that hold them keep them."""
    for path in folder.glob("words-*"):
        if path.name != words:
            remove_folder(path)
    for path in folder.glob("vectors-*"):
        if path.name != vectors:
            path.unlink(missing_ok=True)


def new_words_folder(library: Path) -> Path:
    """Return a path for a word index that was never used before."""
    numbers = [int(p.name.partition("-")[2]) for p in library.glob("words-*") if p.is_dir()]
    return library / f"words-{max(numbers, default=0) + 1}"
