"""FAISS and Tantivy for a library whose store is elsewhere: derived in the home, by who searches.

A writer on another machine leaves nothing here but a new generation in the store. Whoever looks
at that first in this home, a server or a command, adds what is new to the files; others wait for
it, and open the same. What the files have is written beside them.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.alive import living_words, model_of, state_key
from index.database import Database, Row
from index.engines.engine import Problem, Words, Writer
from index.engines.local import can_go_on, new_words_folder, remove_others
from index.errors import LibraryError
from index.files import replace_private
from index.nearest import FaissNearest, Nearest
from index.store import Store, generation, get_meta
from index.vectors import VectorBase, intact_base, load_vectors, write_base
from index.words import WordState, WordWriter, intact, load_words

if TYPE_CHECKING:
    from index.arrays import Arrays

__all__ = ["FILE", "HomeEngine"]

logger = logging.getLogger(f"quoth.{__name__}")

FILE, _LOCK = "derived.json", "derived.lock"


@dataclass(frozen=True, slots=True)
class _Derived:
    """What the files in the home have: of which library, up to which generation, and where."""

    library: str
    generation: int
    compacted: int
    words: WordState
    vectors: VectorBase | None


class HomeEngine:
    """Indexes in the home of a library, made and kept in step from its store."""

    def __init__(self, home: Path, store: Store, *, with_vectors: bool = True) -> None:
        self._home, self._store, self._with_vectors = home, store, with_vectors

    def begin(self, base: int, model: int) -> Writer:
        """Do nothing: what is published is taken from the store."""
        return _Nothing()

    def complete(self, writer: Writer | None, model: int | None) -> Callable[[Database], None]:
        """Do nothing."""
        return lambda db: None

    def rewrite(self, db: Database, number: int, *, keep_vectors: bool) -> None:
        """Do nothing: what was compacted is made anew by who searches next."""

    def compact(self, db: Database, number: int, dead: Sequence[int]) -> None:
        """Do nothing: the files are made anew by who searches next."""

    def tidy(self) -> None:
        """Do nothing: the files are tidied where they are made."""

    def words(self, db: Database, number: int) -> Words:
        """Return the words, brought into step first."""
        with self._in_step(db, number) as derived:
            state = None if derived is None else derived.words
            return load_words(self._home, state, living_words(db, number))

    def nearest(
        self, db: Database, number: int, model: Row, arrays: Arrays, before: Nearest | None
    ) -> Nearest:
        """Return the vectors, brought into step first."""
        with self._in_step(db, number) as derived:
            base = None if derived is None else derived.vectors
            known = before.vectors if isinstance(before, FaissNearest) else None
            vectors = load_vectors(self._home, base, db, model["id"], int(model["dim"]), known)
        return FaissNearest(vectors, arrays)

    def problems(self, db: Database, number: int) -> Iterator[Problem]:
        """Yield what the files in the home lack, or have damaged; they are made again."""
        if message := self._fault(db, number):
            yield Problem(message, refused=False)

    def _fault(self, db: Database, number: int) -> str:
        derived = self._recorded()
        if derived is None:
            return ""  # they are made when somebody asks
        if (derived.library, derived.compacted) != (library_of(db), state_key(db)[1]):
            return ""  # or made anew
        if not self._is_ahead(derived):
            return (
                f"The store has generation {number} and the indexes in {self._home} have "
                f"{derived.generation}: the store was put back to an older state."
            )
        if not intact(self._home, derived.words):
            return f"The word index {derived.words.folder} in {self._home} is damaged or missing."
        base = derived.vectors
        if base is not None and not intact_base(self._home / base.file, base):
            return f"The vector index {base.file} in {self._home} is damaged or missing."
        return ""

    def close(self) -> None:
        """Nothing is held."""

    @contextmanager
    def _in_step(self, db: Database, number: int) -> Iterator[_Derived | None]:
        """Give what the files have, at least generation `number`; None: they cannot be made."""
        import filelock

        lock = filelock.FileLock(self._home / _LOCK, mode=0o600)
        try:
            lock.acquire()
        except OSError as error:  # a home that may only be read
            logger.warning("%s may not be written to (%s); using the store", self._home, error)
            yield None
            return
        try:
            yield self._stepped(db, number)
        finally:
            lock.release()

    def _stepped(self, db: Database, number: int) -> _Derived | None:
        library, compacted = library_of(db), state_key(db)[1]
        derived = self._recorded()
        if derived is not None and (derived.library, derived.compacted) != (library, compacted):
            derived = None
        if derived is not None and derived.generation > number and not self._is_ahead(derived):
            logger.warning("the store is older than what %s was made from", self._home)
            derived = None
        if derived is not None and derived.generation >= number:
            return derived
        try:
            derived = self._made(db, derived, _Key(library, number, compacted))
        except LibraryError as error:
            logger.warning("%s; using the store", error)
            return None
        fields = {
            "library": derived.library,
            "generation": derived.generation,
            "compacted": derived.compacted,
            "words": derived.words.to_dict(),
            "vectors": None if derived.vectors is None else derived.vectors.to_dict(),
        }
        replace_private(self._home / FILE, json.dumps(fields).encode())
        base = derived.vectors
        remove_others(self._home, derived.words.folder, None if base is None else base.file)
        logger.info("%s has generation %d now", self._home, number)
        return derived

    def _is_ahead(self, derived: _Derived) -> bool:
        """Return whether another reader has seen a newer generation, rather than a lost one."""
        with self._store.reading() as db:
            return derived.generation <= generation(db)

    def _recorded(self) -> _Derived | None:
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            found: dict[str, Any] = json.loads((self._home / FILE).read_bytes())
            base = found["vectors"]
            return _Derived(
                str(found["library"]),
                int(found["generation"]),
                int(found["compacted"]),
                WordState(**found["words"]),
                None if base is None else VectorBase(**base),
            )
        return None

    def _made(self, db: Database, before: _Derived | None, key: _Key) -> _Derived:
        """Add what is new to the files, or make them anew where there are none to go on with."""
        if before is not None and can_go_on(self._home, db, before.words):
            words = WordWriter(self._home / before.words.folder)
            words.add(living_words(db, key.generation, before.generation))
        else:
            words = WordWriter(new_words_folder(self._home))
            words.add(living_words(db, key.generation))
        state = words.commit()
        model = model_of(db, key.generation) if self._with_vectors else None
        base = None if before is None else before.vectors
        if model is not None:
            base = write_base(self._home, db, model["id"], int(model["dim"]), base)
        return _Derived(key.library, key.generation, key.compacted, state, base)


@dataclass(frozen=True, slots=True)
class _Key:
    library: str
    generation: int
    compacted: int


class _Nothing:
    """Takes in nothing: what is published is read from the store."""

    def add(self, document: int) -> None:
        pass

    def abandon(self) -> None:
        pass


def library_of(db: Database) -> str:
    """Return what tells a library from any other, also from one that was at its address before."""
    meta = get_meta(db, "library")
    return "" if meta is None else str(meta.get("id", ""))
