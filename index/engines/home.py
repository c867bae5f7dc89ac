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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.alive import living_words, model_of, state_key, words_between
from index.database import Database, Row
from index.engines.engine import Problem, Words, Writer
from index.engines.local import can_go_on, new_words_folder, remove_others
from index.errors import LibraryError
from index.files import replace_private
from index.nearest import FaissNearest, Nearest
from index.store import Store, generation, get_meta, set_meta
from index.vectors import VectorBase, intact_base, load_vectors, write_base
from index.words import WordState, WordWriter, intact, load_words, open_words

if TYPE_CHECKING:
    from index.arrays import Arrays

__all__ = ["FILE", "HomeEngine"]

logger = logging.getLogger(f"quoth.{__name__}")

FILE, _LOCK = "derived.json", "derived.lock"
_WAIT_SECONDS = 600.0  # for whoever makes the files


@dataclass(frozen=True, slots=True)
class _Derived:
    """What the files in the home have.

    Attributes:
        library: Of which library.
        compacted: How often that had been compacted.
        generation: Up to which generation.
        since: The generation at which the words were made; those of older ones may lack some.
        mark: What tells this history of the store from another with the same numbers.
        words: The index of words.
        vectors: That of vectors.
    """

    library: str
    compacted: int
    generation: int
    since: int
    mark: list[int]
    words: WordState
    vectors: VectorBase | None

    def to_json(self) -> bytes:
        """Return it as it is written."""
        return json.dumps(asdict(self)).encode()


class HomeEngine:
    """Indexes in the home of a library, made and kept in step from its store."""

    def __init__(self, home: Path, store: Store, *, with_vectors: bool = True) -> None:
        self._home, self._store, self._with_vectors = home, store, with_vectors

    def begin(self, base: int, model: int) -> Writer:
        """Do nothing: what is published is taken from the store."""
        return _Nothing()

    def complete(self, writer: Writer | None, model: int | None) -> Callable[[Database], None]:
        """Note that Milvus, which others may search, lacks what was taken in here."""
        return _without_milvus if writer is not None else lambda db: None

    def rewrite(self, db: Database, number: int, *, keep_vectors: bool) -> bool:
        """Forget the files in this home, which are made anew by who searches next."""
        (self._home / FILE).unlink(missing_ok=True)
        return False

    def compact(self, db: Database, number: int, dead: Sequence[int]) -> None:
        """Do nothing here: in each home the files are made anew by who searches next."""
        _without_milvus(db)

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
        if not self._is_of_this_history(derived):
            return (
                f"The indexes in {self._home} were made from another state than generation "
                f"{number} follows: the store was put back to an older one."
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
        """Give what the files have, at least generation `number`; None: the store has to do."""
        import filelock

        # Somebody may be making them for a library of millions; or hang.
        lock = filelock.FileLock(self._home / _LOCK, mode=0o600, timeout=_WAIT_SECONDS)
        try:
            lock.acquire()
        except (filelock.Timeout, OSError) as error:  # or a home that may only be read
            logger.warning("the indexes in %s cannot be used now (%s)", self._home, error)
            yield None
            return
        try:
            yield self._stepped(db, number)
        finally:
            lock.release()

    def _stepped(self, db: Database, number: int) -> _Derived | None:
        derived = self._recorded()
        if derived is not None and not self._is_of_this_history(derived, db):
            derived = None
        if derived is not None and derived.generation >= number:
            return derived if number >= derived.since else None
        try:
            derived = self._made(db, derived, number)
            replace_private(self._home / FILE, derived.to_json())
        except (LibraryError, OSError) as error:
            logger.warning("%s cannot be brought up to date (%s)", self._home, error)
            return None
        base = derived.vectors
        remove_others(self._home, derived.words.folder, None if base is None else base.file)
        logger.info("%s has generation %d now", self._home, number)
        return derived

    def _is_of_this_history(self, derived: _Derived, db: Database | None = None) -> bool:
        """Return whether the files were made from a state that the store has come through.

        Not where it was put back to an older one, or compacted since.

        Args:
            derived: What the files have.
            db: A connection that sees the store, maybe as it was before that.
        """
        if db is None or derived.generation > generation(db):
            with self._store.reading() as newest:
                if derived.generation > generation(newest):
                    return False
                return self._is_of_this_history(derived, newest)
        if (derived.library, derived.compacted) != (library_of(db), state_key(db)[1]):
            return False
        return derived.mark == _mark(db, derived.generation, derived.vectors)

    def _recorded(self) -> _Derived | None:
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            found: dict[str, Any] = json.loads((self._home / FILE).read_bytes())
            words, base = WordState(**found.pop("words")), found.pop("vectors")
            return _Derived(
                **found, words=words, vectors=None if base is None else VectorBase(**base)
            )
        return None

    def _made(self, db: Database, before: _Derived | None, number: int) -> _Derived:
        """Add what is new to the files, or make them anew where there are none to go on with."""
        model = model_of(db, number) if self._with_vectors else None
        base = None if before is None else before.vectors
        if model is not None:
            base = write_base(self._home, db, model["id"], int(model["dim"]), base)
        if before is not None and self._goes_on(db, before.words):
            words, since = WordWriter(self._home / before.words.folder), before.since
            entries = words_between(db, before.generation, number)
        else:
            words, since = WordWriter(new_words_folder(self._home)), number
            entries = living_words(db, number)
        try:
            words.add(entries)
            state = words.commit()
        except BaseException:
            # It must let go of the folder: the next one begins there.
            with contextlib.suppress(ValueError, OSError, RuntimeError, LibraryError):
                words.abandon()
            raise
        mark = _mark(db, number, base)
        return _Derived(library_of(db), state_key(db)[1], number, since, mark, state, base)

    def _goes_on(self, db: Database, words: WordState) -> bool:
        """Return whether words may be added; not where some were, and that was not noted."""
        return can_go_on(self._home, db, words) and (
            open_words(self._home / words.folder).passages == words.passages
        )


def _mark(db: Database, number: int, base: VectorBase | None) -> list[int]:
    """Return what tells this history of the store from another with the same numbers.

    What was born until a generation changes only with a compaction, which is counted.
    """
    (count, checks) = db.execute(
        "SELECT count(*), CAST(coalesce(sum(crc), 0) AS BIGINT) FROM documents WHERE born <= ?",
        (number,),
    ).fetchone()
    last = None
    if base is not None:
        last = db.execute("SELECT crc FROM vectors WHERE id = ?", (base.last,)).fetchone()
    return [int(count), int(checks), -1 if last is None else int(last[0])]


def _without_milvus(db: Database) -> None:
    """Note that Milvus lacks what is written here: rather refused than searched by half."""
    if get_meta(db, "milvus") is not None:
        set_meta(db, "milvus", None)


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
