"""Vectors in FAISS: derived from the store, so it can always be made again.

A library's vectors are a base, an immutable file that is mapped into memory, and what has
been added since, held in memory. Rows are in the order of the vectors' numbers in the store.
Inner products of unit vectors are cosines: higher is better.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.database import Database, stream, tuples
from index.errors import LibraryDamagedError, LibraryError
from index.files import checksum, create_private, flush
from index.seals import sealed, vector_intact
from index.watched import Watched

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "RowSet",
    "VectorBase",
    "VectorIndex",
    "intact_base",
    "load_vectors",
    "read_vectors",
    "write_base",
]

logger = logging.getLogger(f"quoth.{__name__}")

# Below this many vectors a base is not worth a file: reading them takes a few milliseconds.
SMALLEST_BASE = 4096
# Small indexes over what was added since, one a generation, before they are made one.
MOST_PARTS = 8
# Exact search of half-precision vectors up to here. Beyond, codes of an eighth of that size say
# which few are compared exactly. Measured in docs/benchmarks.md.
LARGEST_EXACT = 50_000
DIMENSIONS = 2  # that one code of four bits stands for
COMPARED = 4  # times as many hits of the codes as are wanted
LISTS = 256  # of codes, all of them searched
TRAINED_ON = 50_000  # vectors that the codes are fitted to


@dataclass(frozen=True, slots=True)
class VectorBase:
    """A written base: vectors of `model` numbered up to `last`, `rows` of them."""

    file: str
    model: int
    last: int
    rows: int
    bytes: int
    crc: int

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return asdict(self)


class RowSet:
    """Rows that a search may find."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        """Take the rows where the mask is true."""
        self._mask = mask
        self._bits: dict[tuple[int, int], tuple[int, NDArray[np.uint8]]] = {}

    def within(self, start: int, end: int) -> tuple[int, NDArray[np.uint8]]:
        """Return how many of the rows [start, end) there are, and a bit for each, lowest first."""
        if (start, end) not in self._bits:
            mask = self._mask[start:end]
            self._bits[start, end] = int(mask.sum()), np.packbits(mask, bitorder="little")
        return self._bits[start, end]


class VectorIndex:
    """All vectors of one model; a row's number is its place in `ids`."""

    def __init__(
        self,
        ids: NDArray[np.int64],
        parts: list[Any],
        watched: Watched | None = None,
        *,
        exact: bool = False,
        base: VectorBase | None = None,
    ) -> None:
        self.ids = ids
        self.base = base  # that the first part is
        self.watched = watched or Watched()  # what is mapped
        self.exact = exact  # whether the parts hold the very vectors of the store
        self.parts = parts  # FAISS indexes over consecutive rows

    def rows(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each vector number.

        Raises:
            LibraryDamagedError: One is not here.
        """
        found = np.searchsorted(self.ids, ids)
        if len(ids) and (found.max() >= len(self.ids) or (self.ids[found] != ids).any()):
            raise LibraryDamagedError("the list of vectors")
        return found

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors of these rows as they are held here, shape (len(rows), dim)."""
        ends = np.cumsum([part.ntotal for part in self.parts])
        of_part = np.searchsorted(ends, rows, side="right")
        found = np.empty((len(rows), self.parts[0].d), np.float32)
        for number, part in enumerate(self.parts):
            (places,) = np.nonzero(of_part == number)
            if len(places):
                found[places] = part.reconstruct_batch(rows[places] - (ends[number] - part.ntotal))
        return found

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        allowed: RowSet,
        stored: Callable[[NDArray[np.int64]], NDArray[np.float64]],
    ) -> NDArray[np.int64]:
        """Return the rows of the `k` largest inner products among the allowed rows, best first.

        With codes some of them are missed: about 2 in 1,000.

        Args:
            query: Shape (dim,).
            k: At least 1.
            allowed: Rows that may be found.
            stored: Gives the very vectors by their numbers, where only codes are held here.
        """
        found: list[NDArray[np.int64]] = []
        scores: list[NDArray[np.float32]] = []
        offset = 0
        for part in self.parts:
            among, bits = allowed.within(offset, offset + part.ntotal)
            if among:
                wanted = k if _is_exact(part) else k * COMPARED
                params = _parameters(part, bits)
                score, row = part.search(query.reshape(1, -1), min(wanted, among), params=params)
                # FAISS fills missing results with row -1; such a row is nothing.
                rows = row[0][row[0] >= 0] + offset
                found.append(rows)
                if _is_exact(part):
                    scores.append(score[0][row[0] >= 0])
                else:
                    scores.append((stored(self.ids[rows]) @ query).astype(np.float32))
            offset += part.ntotal
        if not found:
            return np.empty(0, np.int64)
        order = np.argsort(-np.concatenate(scores), kind="stable")[:k]
        return np.concatenate(found)[order]


def _is_exact(part: Any) -> bool:  # noqa: ANN401 - FAISS is untyped
    """Return whether an index holds the very vectors of the store."""
    import faiss

    return hasattr(part, "sq") and part.sq.qtype == faiss.ScalarQuantizer.QT_fp16


def _parameters(part: Any, bits: NDArray[np.uint8]) -> Any:  # noqa: ANN401 - FAISS is untyped
    import faiss

    selector = faiss.IDSelectorBitmap(bits)
    if hasattr(part, "nlist"):
        return faiss.SearchParametersIVF(sel=selector, nprobe=part.nlist)
    return faiss.SearchParameters(sel=selector)


def read_vectors(db: Database, ids: NDArray[np.int64], dim: int) -> NDArray[np.float64]:
    """Return the stored vectors numbered `ids`, shape (len(ids), dim), in that order.

    Raises:
        LibraryDamagedError: One is missing, or not as it was stored.
    """
    wanted, place = np.unique(ids, return_inverse=True)
    vectors = np.empty((len(wanted), dim), np.float64)
    checked = ", id, model, key, crc" if sealed(db) else ""
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        marks = ",".join("?" * len(some))
        query = f"SELECT vector{checked} FROM vectors WHERE id IN ({marks}) ORDER BY id"
        rows = list(tuples(db, query, some.tolist()))
        if len(rows) != len(some):
            raise LibraryDamagedError("a vector that is missing")
        if checked:
            for vector, number, model, key, crc in rows:
                if not vector_intact(number, model, key, vector, crc):
                    raise LibraryDamagedError(f"vector {number}")
        data = b"".join(row[0] for row in rows)
        vectors[start : start + len(some)] = np.frombuffer(data, np.float16).reshape(-1, dim)
    return vectors[place]


def load_vectors(
    folder: Path,
    base: VectorBase | None,
    db: Database,
    model: int,
    dim: int,
    known: VectorIndex | None = None,
) -> VectorIndex:
    """Return all vectors of `model`; a base that is missing or damaged is made from the store.

    Args:
        folder: The library.
        base: What its first vectors are written in.
        db: A connection to its store.
        model: Number of the model.
        dim: Length of a vector.
        known: An index of the first of these vectors: what it holds is not read again.
    """
    import faiss

    # One question is searched by one thread; others would only spin and wait for it.
    faiss.omp_set_num_threads(1)
    if base is not None and base.model != model:
        base = None
    ids = np.empty(0, np.int64) if known is None else known.ids
    last = int(ids[-1]) if len(ids) else 0
    rows = stream(
        db, "SELECT id FROM vectors WHERE model = ? AND id > ? ORDER BY id", (model, last)
    )
    ids = np.concatenate([ids, np.fromiter((row[0] for row in rows), np.int64)])
    if known is not None and known.base == base and len(known.parts) < MOST_PARTS:
        parts, watched = list(known.parts), known.watched
    else:
        parts, watched = _first(folder, base, ids)
    covered = sum(part.ntotal for part in parts)
    if covered < len(ids):
        parts.append(_built(db, ids[covered:], dim))
    exact = bool(parts) and all(map(_is_exact, parts))
    return VectorIndex(ids, parts, watched, exact=exact, base=base)


def _first(
    folder: Path, base: VectorBase | None, ids: NDArray[np.int64]
) -> tuple[list[Any], Watched]:
    """Return the base, mapped, if it holds the first of these vectors."""
    if base is not None:
        watched = Watched([folder / base.file])
        mapped = None
        if int(np.searchsorted(ids, base.last, side="right")) == base.rows:
            mapped = _map(folder / base.file, base)
        if mapped is not None:
            return [mapped], watched
        logger.warning("%s is missing or damaged; using the store", base.file)
    return [], Watched()


def write_base(
    folder: Path, db: Database, model: int, dim: int, current: VectorBase | None
) -> VectorBase | None:
    """Write a new base if enough vectors are new, and return the base to use.

    The file is complete on disk when this returns; it takes effect when it is published.
    """
    import faiss

    rows = stream(db, "SELECT id FROM vectors WHERE model = ? ORDER BY id", (model,))
    ids = np.fromiter((row[0] for row in rows), np.int64)
    if current is not None and (
        current.model != model
        or not intact_base(folder / current.file, current)
        or int(np.searchsorted(ids, current.last, side="right")) != current.rows
    ):
        current = None
    covered = current.rows if current is not None else 0
    if len(ids) - covered < max(SMALLEST_BASE, min(covered // 8, LARGEST_EXACT)):
        return current
    last = int(ids[-1])
    index = _built(db, ids, dim)
    target = folder / f"vectors-{model}-{last}.faiss"
    if target.exists():  # damaged, or of an interrupted sync: never written over while mapped
        target = folder / f"vectors-{model}-{last}-{os.urandom(4).hex()}.faiss"
    temporary = target.with_suffix(".tmp")
    try:
        create_private(temporary)
        try:
            faiss.write_index(index, str(temporary))
        except RuntimeError as error:
            raise LibraryError(
                f"{temporary} cannot be written; make room if the disk is full, and try again."
            ) from error
        flush(temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    flush(folder)
    return VectorBase(target.name, model, last, len(ids), target.stat().st_size, checksum(target))


def _built(db: Database, ids: NDArray[np.int64], dim: int) -> Any:  # noqa: ANN401 - FAISS is untyped
    """Return an index of these vectors, its kind chosen by how many there are."""
    import faiss

    if len(ids) <= LARGEST_EXACT:
        kind = "SQfp16"
    elif dim % DIMENSIONS:
        kind = "SQ8"
    else:
        # Product quantisation with fast scan (André et al., 2015), behind lists only because a
        # flat one takes no selector of rows.
        kind = f"IVF{min(LISTS, len(ids) // 50)},PQ{dim // DIMENSIONS}x4fs"
    index = faiss.index_factory(dim, kind, faiss.METRIC_INNER_PRODUCT)
    if not index.is_trained:
        index.train(_all(db, ids[:: -(-len(ids) // TRAINED_ON)], dim))
    for vectors in _some(db, ids, dim):
        index.add(vectors)
    return index


def _all(db: Database, ids: NDArray[np.int64], dim: int) -> NDArray[np.float32]:
    """Return the stored vectors of these numbers, held once: there are many."""
    found = np.empty((len(ids), dim), np.float32)
    done = 0
    for vectors in _some(db, ids, dim):
        found[done : done + len(vectors)] = vectors
        done += len(vectors)
    return found


def _some(db: Database, ids: NDArray[np.int64], dim: int) -> Iterator[NDArray[np.float32]]:
    """Yield the stored vectors of these numbers, some at a time, in single precision."""
    step = 4096
    for start in range(0, len(ids), step):
        yield read_vectors(db, ids[start : start + step], dim).astype(np.float32)


def _map(path: Path, base: VectorBase) -> Any:  # noqa: ANN401 - FAISS is untyped
    """Return the base mapped into memory, or None where it is missing or damaged."""
    import faiss

    if not intact_base(path, base):
        return None
    try:
        return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError:  # a writer has just replaced it
        return None


def intact_base(path: Path, base: VectorBase) -> bool:
    """Return whether a base is the one that was written, byte for byte."""
    try:
        return path.stat().st_size == base.bytes and checksum(path) == base.crc
    except OSError:  # gone, or on a part of the disk that cannot be read
        return False
