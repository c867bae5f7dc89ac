"""Upkeep: derived files made anew, another model, what is dead taken away."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from index.alive import living
from index.database import Database, keep_numbers
from index.draft import Draft
from index.engines.engine import Engine, tidy_up
from index.ingest import prepared_again
from index.reports import Progress
from index.seals import EVERYTHING
from index.store import Store, generation, get_meta, set_meta
from index.types import Encoder

__all__ = ["delete_dead", "delete_documents", "point_files", "reembed", "rewrite_derived"]


def reembed(
    engine: Engine,
    store: Store,
    encoder: Encoder,
    progress: Callable[[Progress], None] | None = None,
) -> None:
    """Embed every living document with `encoder` and publish that as one generation."""
    started = time.monotonic()
    written: dict[int, int] = {}  # new number by old
    with store.reading() as db:
        rows = db.execute(
            f"SELECT id FROM documents WHERE {living} ORDER BY id", (generation(db),)
        ).fetchall()
    old = [int(row["id"]) for row in rows]

    def step(path: str, sentences: int) -> None:
        if progress is not None:
            seconds = time.monotonic() - started
            progress(Progress(path, len(written), len(old), sentences, seconds))

    with Draft(engine, store, lambda: encoder, change_model=True, on_progress=step) as draft:
        for number in old:
            with store.reading() as db:
                prepared = prepared_again(db, number)
            draft.ingest.add(prepared, partial(written.__setitem__, number))
        draft.flush()
        draft.retire(old)
        draft.publish(lambda db: point_files(db, written))


def point_files(db: Database, written: Mapping[int, int]) -> None:
    """Let files belong to the documents that were made anew, by the old ones' numbers."""
    db.executemany(
        "UPDATE files SET document = ? WHERE document = ?",
        [(new, old) for old, new in written.items()],
    )


def rewrite_derived(
    engine: Engine, store: Store, *, drop_dead: bool, keep_vectors: bool = False
) -> None:
    """Make the indexes anew from the store, without embedding.

    Args:
        engine: That has them.
        store: The library's store.
        drop_dead: Also delete what is not alive from the store. Questions that are being
            answered see the state they began with until they end.
        keep_vectors: Leave the index of vectors as it is.

    Raises:
        LibraryDamagedError: A vector is not what was stored; nothing is changed.
    """
    with store.writing(seal=EVERYTHING) as db:
        number = generation(db)
        db.execute("UPDATE documents SET died = born WHERE born > ?", (number,))
        if drop_dead:
            engine.compact(db, number, delete_dead(db, number))
        if drop_dead or engine.rewrite(db, number, keep_vectors=keep_vectors):
            compacted = get_meta(db, "compacted") or {"times": 0}
            set_meta(db, "compacted", {"times": compacted["times"] + 1})
    store.checkpoint()
    tidy_up(engine)


def delete_dead(db: Database, number: int) -> list[int]:
    """Delete what is not alive in generation `number`, and vectors that nothing uses.

    Returns:
        The documents that are gone.
    """
    rows = db.execute(f"SELECT id FROM documents WHERE NOT ({living})", (number,))
    dead = [int(row[0]) for row in rows]
    delete_documents(db, dead)
    db.execute("DELETE FROM generations WHERE number < ?", (number,))
    db.execute(
        "DELETE FROM models WHERE id NOT IN (SELECT model FROM generations WHERE model IS NOT NULL)"
    )
    db.execute("DELETE FROM sources WHERE kind = 'gone'")
    return dead


def delete_documents(db: Database, numbers: Sequence[int], *, with_vectors: bool = True) -> None:
    """Delete documents with all that belongs to them, and vectors that nothing uses."""
    keep_numbers(db)
    db.execute("CREATE TEMP TABLE dead(id BIGINT PRIMARY KEY)")
    db.executemany("INSERT INTO dead VALUES(?)", [(number,) for number in numbers])
    for table in ("sentences", "passages"):
        db.execute(f"DELETE FROM {table} WHERE document IN (SELECT id FROM dead)")
    db.execute("DELETE FROM documents WHERE id IN (SELECT id FROM dead)")
    db.execute("DROP TABLE dead")
    if with_vectors:
        db.execute(
            # Not "NOT IN": PostgreSQL would look through all of them for each.
            "DELETE FROM vectors WHERE id IN (SELECT id FROM vectors"
            " EXCEPT SELECT vector FROM sentences EXCEPT SELECT vector FROM passages)"
        )
