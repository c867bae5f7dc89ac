"""Vectors and words in Milvus, beside a store in PostgreSQL or SQLite.

The store says which collection a generation has, and up to which one documents that died were
deleted from it; those that died since are left out of each search. Rows of documents are written
when their own rows are in the store, before they are published, so Milvus holds at least what a
generation has. Words are counted exactly, and found by their beginnings, in a small Tantivy index
in the home of each machine that searches.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.alive import living, model_of
from index.database import Database, Row, tuples
from index.engines.engine import Problem, Words, Writer
from index.engines.home import HomeEngine, library_of
from index.errors import LibraryError
from index.milvus import PASSAGE, SENTENCE, Milvus, passage_words, query_words
from index.nearest import Nearest
from index.store import Store, get_meta, set_meta
from index.vectors import read_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from index.arrays import Arrays

    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

__all__ = ["MilvusEngine"]

_KEY = "milvus"  # in the store's meta
_ROWS = 1000  # that are written at once
_SENTENCES = 1 << 24  # of one document, at most


class MilvusEngine(HomeEngine):
    """The collections of one library."""

    def __init__(self, home: Path, store: Store, address: str, prefix: str) -> None:
        super().__init__(home, store, with_vectors=False)
        self._milvus = Milvus(address)
        self._prefix = prefix

    # -- writing ------------------------------------------------------------------------------

    def begin(self, base: int, model: int) -> Writer:
        """Open the collection of this model, or make one; documents that died leave it."""
        with self._store.reading() as db:
            state, published = get_meta(db, _KEY), model_of(db, base)
            if state is not None and state["model"] == model:
                dim = self._ready(db, state)
                name, before = state["collection"], None
                self._milvus.unmark(name, but=state["mark"])
                self._milvus.delete(name, _died(db, int(state["cleared"]), base))
            else:
                (dim,) = db.execute("SELECT dim FROM models WHERE id = ?", (model,)).fetchone()
                name = self._make(db, int(dim))
                before = None if state is None else state["collection"]
                if state is None and published is not None and published["id"] == model:
                    self._fill(db, name, base)  # somebody wrote into the store alone
        state = {"collection": name, "before": before, "model": model, "cleared": base}
        return _Writer(self._store, self._milvus, state, int(dim))

    def complete(self, writer: Writer | None, model: int | None) -> Callable[[Database], None]:
        """Write what is waiting, and let Milvus put it on disk."""
        if not isinstance(writer, _Writer):
            return lambda db: None
        writer.write()
        state = self._marked(writer.state, writer.dim)
        return lambda db: set_meta(db, _KEY, state)

    def _marked(self, state: dict[str, Any], dim: int) -> dict[str, Any]:
        """Put all rows on disk, with one that tells this state from older ones."""
        marked = {**state, "mark": secrets.randbits(60) + 1}
        self._milvus.mark(state["collection"], marked["mark"], dim)
        self._milvus.flush(state["collection"])
        return marked

    def rewrite(self, db: Database, number: int, *, keep_vectors: bool) -> bool:
        """Fill a new collection from the store, which takes the place of the old one."""
        super().rewrite(db, number, keep_vectors=keep_vectors)
        model, state = model_of(db, number), get_meta(db, _KEY)
        if model is None:
            return False
        name = self._make(db, int(model["dim"]))
        self._fill(db, name, number)
        before = None if state is None else state["collection"]
        fields = {"collection": name, "before": before, "model": model["id"], "cleared": number}
        set_meta(db, _KEY, self._marked(fields, int(model["dim"])))
        return True

    def _fill(self, db: Database, name: str, number: int) -> None:
        """Write all rows of a generation into a new collection."""
        rows = _Rows(self._milvus, name)
        documents = db.execute(f"SELECT id FROM documents WHERE {living}", (number,)).fetchall()
        for (document,) in documents:
            rows.add(_rows_of(db, document))
        rows.write()

    def compact(self, db: Database, number: int, dead: Sequence[int]) -> None:
        """Delete the rows of documents that the store no longer has."""
        state = get_meta(db, _KEY)
        if state is not None and state["collection"] in self._milvus.collections():
            self._milvus.load(state["collection"])
            self._milvus.delete(state["collection"], dead)
            set_meta(db, _KEY, {**state, "cleared": number})

    def tidy(self) -> None:
        """Drop collections of this library that no generation needs any more.

        The last one stays until the next change: somebody may search it now.
        """
        with self._store.reading() as db:
            state, library = get_meta(db, _KEY) or {}, library_of(db)
        kept = {state.get("collection"), state.get("before")}
        for name in self._milvus.collections():
            if name.startswith(f"{self._prefix}_{library}_") and name not in kept:
                self._milvus.drop(name)

    def _make(self, db: Database, dim: int) -> str:
        # Its name says whose it is: Milvus Lite keeps no description.
        name = f"{self._prefix}_{library_of(db)}_{secrets.token_hex(4)}"
        self._milvus.make(name, dim)
        return name

    # -- searching ----------------------------------------------------------------------------

    def words(self, db: Database, number: int) -> Words:
        """Return the words: the best by Milvus, counted by Tantivy."""
        counted = super().words(db, number)
        state = get_meta(db, _KEY)
        if state is None:
            return counted
        hidden = _hidden(db, number, int(state["cleared"]))
        return _MilvusWords(self._milvus, state["collection"], hidden, counted, _count(db, number))

    def nearest(
        self, db: Database, number: int, model: Row, arrays: Arrays, before: Nearest | None
    ) -> Nearest:
        """Return the vectors of a generation.

        Raises:
            LibraryError: Milvus has not what the store says it has.
        """
        state = get_meta(db, _KEY)
        if state is None or state["model"] != model["id"]:
            raise self._out_of_step("does not have the vectors of the library")
        self._ready(db, state)
        rows = len(arrays.places) + len(arrays.passages)
        if self._milvus.count(state["collection"]) < rows:
            raise self._out_of_step("lacks some of the vectors of the library")
        (count,) = db.execute(
            "SELECT count(*) FROM vectors WHERE model = ?", (model["id"],)
        ).fetchone()
        hidden = _hidden(db, number, int(state["cleared"]))
        return _MilvusNearest(self._milvus, state["collection"], hidden, arrays, int(count))

    def _ready(self, db: Database, state: dict[str, Any]) -> int:
        """Load a collection, which must be as it was published, and return its dimension."""
        if state["collection"] not in self._milvus.collections():
            raise self._out_of_step("does not have the vectors of the library")
        dim = self._milvus.load(state["collection"])
        row = db.execute("SELECT dim FROM models WHERE id = ?", (state["model"],)).fetchone()
        if row is None or int(row[0]) != dim:
            raise self._out_of_step(f"has vectors of {dim} numbers, which are of another model")
        if not self._milvus.is_marked(state["collection"], state["mark"]):
            raise self._out_of_step("lacks the last change of the library")
        return dim

    def _out_of_step(self, what: str) -> LibraryError:
        return LibraryError(
            f"Milvus at {self._milvus.name} {what}; `quoth doctor --repair` makes them again from "
            "the store, without embedding."
        )

    def problems(self, db: Database, number: int) -> Iterator[Problem]:
        """Yield what Milvus lacks, or has that it should not."""
        yield from super().problems(db, number)
        for message in self._lacks(db, number):
            yield Problem(message, refused=True)

    def _lacks(self, db: Database, number: int) -> Iterator[str]:
        state, model = get_meta(db, _KEY), model_of(db, number)
        if model is None:
            return
        try:
            if state is None or state["model"] != model["id"]:
                raise self._out_of_step("does not have the vectors of the library")
            self._ready(db, state)
        except LibraryError as error:
            yield f"{str(error).partition(';')[0]}."
            return
        there = Counter(self._milvus.documents(state["collection"]))
        wanted = _row_counts(db, number)
        lacking = [document for document, rows in wanted.items() if there[document] < rows]
        if lacking:
            yield (
                f"Milvus at {self._milvus.name} lacks vectors of {len(lacking)} documents, such as "
                f"number {lacking[0]}."
            )
        known = {row[0] for row in db.execute("SELECT id FROM documents")}
        strangers = [document for document in there if document not in known]
        if strangers:
            yield (
                f"Milvus at {self._milvus.name} has vectors of {len(strangers)} documents that the "
                "store does not have: it was put back to an older state."
            )

    def close(self) -> None:
        """End the connection."""
        self._milvus.close()


class _Rows:
    """Rows on their way, written some at a time."""

    def __init__(self, milvus: Milvus, collection: str) -> None:
        self._milvus, self._collection = milvus, collection
        self._waiting: list[dict[str, Any]] = []

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        self._waiting += rows
        while len(self._waiting) >= _ROWS:
            some, self._waiting = self._waiting[:_ROWS], self._waiting[_ROWS:]
            self._milvus.write(self._collection, some)

    def write(self) -> None:
        if self._waiting:
            self._milvus.write(self._collection, self._waiting)
            self._waiting = []


class _Writer:
    """Writes the rows of documents as they come into the store."""

    def __init__(self, store: Store, milvus: Milvus, state: dict[str, Any], dim: int) -> None:
        self._store, self.state, self.dim = store, state, dim
        self._rows = _Rows(milvus, state["collection"])

    def add(self, document: int) -> None:
        with self._store.reading() as db:
            self._rows.add(_rows_of(db, document))

    def write(self) -> None:
        self._rows.write()

    def abandon(self) -> None:
        """What is there already is not published, and deleted by the next writer."""


def _rows_of(db: Database, document: int) -> list[dict[str, Any]]:
    """Return the rows of a document that is in the store."""
    passages = list(
        tuples(db, "SELECT id, vector, terms FROM passages WHERE document = ?", (document,))
    )
    sentences = list(
        tuples(db, "SELECT number, passage, vector FROM sentences WHERE document = ?", (document,))
    )
    numbers = [row[1] for row in passages] + [row[2] for row in sentences]
    if not numbers:
        return []
    (dim,) = db.execute(
        "SELECT dim FROM models JOIN vectors ON model = models.id WHERE vectors.id = ?",
        (numbers[0],),
    ).fetchone()
    vectors = read_vectors(db, np.asarray(numbers, np.int64), int(dim)).astype(np.float32)
    rows = []
    for (passage, _, terms), vector in zip(passages, vectors, strict=False):
        rows.append(
            {
                "id": 2 * passage,
                "kind": PASSAGE,
                "document": document,
                "passage": passage,
                "dense": vector,
                "words": passage_words(terms.split()),
            }
        )
    for (number, passage, _), vector in zip(sentences, vectors[len(passages) :], strict=True):
        rows.append(
            {
                "id": 2 * (document * _SENTENCES + number) + 1,
                "kind": SENTENCE,
                "document": document,
                "passage": passage,
                "dense": vector,
                "words": passage_words(()),
            }
        )
    return rows


def _row_counts(db: Database, number: int) -> Counter[int]:
    """Return how many rows each living document has."""
    found: Counter[int] = Counter()
    for table in ("passages", "sentences"):
        rows = tuples(
            db,
            f"SELECT document, count(*) FROM {table} JOIN documents ON documents.id = document"
            f" WHERE {living} GROUP BY document",
            (number,),
        )
        found.update(dict(rows))
    return found


def _count(db: Database, number: int) -> int:
    """Return how many passages are alive."""
    (count,) = db.execute(
        f"SELECT count(*) FROM passages JOIN documents ON documents.id = document WHERE {living}",
        (number,),
    ).fetchone()
    return int(count)


def _died(db: Database, after: int, until: int) -> list[int]:
    rows = db.execute("SELECT id FROM documents WHERE died > ? AND died <= ?", (after, until))
    return [row[0] for row in rows]


class _Hidden:
    """What Milvus may hold and a generation has not."""

    def __init__(self, documents: Sequence[int], last: int) -> None:
        self.documents, self.last = frozenset(documents), last

    def where(self, kind: int, only: Iterable[int] | None) -> str:
        """Return the condition for rows of a kind, of these documents when they are given."""
        found = f"kind == {kind} and document <= {self.last}"
        if only is not None:
            return f"{found} and document in {sorted(set(only) - self.documents)}"
        if self.documents:
            found += f" and document not in {sorted(self.documents)}"
        return found


def _hidden(db: Database, number: int, cleared: int) -> _Hidden:
    rows = db.execute(
        f"SELECT id FROM documents WHERE NOT ({living}) AND (died IS NULL OR died > ?2)",
        (number, cleared),
    )
    documents = [row[0] for row in rows]
    (last,) = db.execute("SELECT coalesce(max(id), 0) FROM documents").fetchone()
    return _Hidden(documents, int(last))


class _MilvusNearest:
    """The vectors of a generation."""

    def __init__(
        self, milvus: Milvus, collection: str, hidden: _Hidden, arrays: Arrays, count: int
    ) -> None:
        self._milvus, self._collection, self._hidden = milvus, collection, hidden
        self._arrays, self.count = arrays, count

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        keep: Mask | None,
        stored: Callable[[Ints], NDArray[np.float64]],
    ) -> Ints:
        """Return places of passages with about the `k` nearest sentences or nearest as a whole."""
        only = None if keep is None else np.unique(self._arrays.documents[keep]).tolist()
        if only == []:
            return np.empty(0, np.int64)
        found: set[int] = set()
        for kind in (SENTENCE, PASSAGE):
            where = self._hidden.where(kind, only)
            found.update(self._milvus.search(self._collection, "dense", query, k, where))
        numbers = np.array(sorted(found), np.int64)
        passages = self._arrays.passages
        places = np.minimum(np.searchsorted(passages, numbers), max(len(passages) - 1, 0))
        return places[passages[places] == numbers] if len(passages) else places[:0]

    def read(self, numbers: Ints) -> None:
        """The very vectors are in the store."""

    def disturbed(self) -> bool:
        """Nothing is mapped here."""
        return False


class _MilvusWords:
    """The words of a generation: the best found by Milvus, everything exact by Tantivy."""

    def __init__(
        self, milvus: Milvus, collection: str, hidden: _Hidden, counted: Words, passages: int
    ) -> None:
        self._milvus, self._collection, self._hidden = milvus, collection, hidden
        self._counted, self._passages = counted, passages
        self.hide, self.holding, self.count = counted.hide, counted.holding, counted.count
        self.document_frequency = counted.document_frequency
        self.vocabulary, self.disturbed = counted.vocabulary, counted.disturbed

    def search(self, terms: Sequence[str], k: int, *, only: Sequence[int] | None) -> list[int]:
        """Return about the `k` best passages that hold any of `terms`, best first."""
        if only is not None and not only:
            return []
        weights = {}
        for term in dict.fromkeys(terms):
            holding = self._counted.document_frequency(term)
            if holding:
                ratio = (self._passages - holding + 0.5) / (holding + 0.5)
                weights[term] = float(np.log1p(ratio))
        if not weights:
            return []
        where = self._hidden.where(PASSAGE, only)
        return self._milvus.search(self._collection, "words", query_words(weights), k, where)
