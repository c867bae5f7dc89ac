"""Documents made again: from their stored text, or from the file they were read from."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from index.alive import living
from index.catalogue import Catalogue
from index.database import Database
from index.draft import Draft
from index.engines.engine import Engine
from index.errors import FormatError
from index.formats import format_of, read_file
from index.ingest import Label, Prepared, label_of, prepare
from index.maintain import delete_documents, point_files
from index.schema import FORMAT_VERSION
from index.seals import EVERYTHING
from index.store import Store, generation, set_meta
from index.types import Document, Encoder
from index.upkeep.check_documents import (
    Damage,
    damage_of,
    damaged_vectors,
    file_of,
    missing_vectors,
    path_of,
    users,
)

__all__ = ["mend"]


@dataclass(frozen=True, slots=True)
class _Again:
    """A document that can be made again."""

    number: int
    prepared: Prepared
    told: str


def mend(
    folder: Path, engine: Engine, store: Store, encoder: Callable[[], Encoder]
) -> Iterator[str]:
    """Publish damaged documents anew, and yield what was done, a sentence each.

    Those of which too little is left stay as they are.
    """
    dead: list[int] = []
    again: list[_Again] = []
    with store.reading() as db:
        number = generation(db)
        alive = {r[0] for r in db.execute(f"SELECT id FROM documents WHERE {living}", (number,))}
        bases = Catalogue(folder, db).bases()
        # A vector that could not be made again is made with the document that has it.
        damaged = damaged_vectors(db)
        lost = set(users(db, [*damaged, *missing_vectors(db)]).values())
        for (document,) in db.execute("SELECT id FROM documents ORDER BY id").fetchall():
            damage = damage_of(db, document, FORMAT_VERSION)
            if not damage.any and document not in lost:
                continue
            if document not in alive:
                dead.append(document)
            elif made := _again(db, document, damage, bases):
                again.append(made)
    # As long as a vector cannot be made again, neither can the base, and without a base that has
    # all other vectors nothing would be found in any document: then no vector may go.
    stuck = (lost & alive) - {one.number for one in again}
    if dead:
        _delete(store, dead, with_vectors=not stuck)
        yield f"{len(dead)} damaged older versions of documents were deleted."
    if again:
        _set_aside(store, damaged)
        written: dict[int, int] = {}
        with Draft(engine, store, encoder) as draft:
            for one in again:
                draft.ingest.add(one.prepared, partial(written.__setitem__, one.number))
            draft.flush()
            draft.retire(written)  # the old numbers
            draft.publish(lambda db: point_files(db, written))
        _delete(store, list(written), with_vectors=not stuck)
        yield from (one.told for one in again)


def _delete(store: Store, numbers: list[int], *, with_vectors: bool) -> None:
    with store.writing(seal=EVERYTHING) as db:
        delete_documents(db, numbers, with_vectors=with_vectors)
        # Whatever ends the repair before they are made again: they know what is deleted.
        set_meta(db, "words", None)


def _set_aside(store: Store, damaged: list[int]) -> None:
    """Give damaged vectors other keys: under that of a string one is taken for its vector."""
    with store.writing(seal=()) as db:
        db.executemany(
            "UPDATE vectors SET key = ? WHERE id = ?",
            [(f"damaged {number}".encode(), number) for number in damaged],
        )


def _again(db: Database, number: int, damage: Damage, bases: Mapping[int, Path]) -> _Again | None:
    """Return the document as it can be made again, or None where too little is left."""
    file, recorded = file_of(db, number, bases)
    document, source = damage.document, "its text in the library"
    if damage.content or document is None:
        document, source = _read(file, recorded), str(file)
        if document is None:
            return None
    label = _label(db, number, damage, document)
    if label is None:
        return None
    prepared = prepare(document, label)
    if not prepared.sentences:
        return None
    told = f"{label.path} was made again from {source}."
    if damage.entry and file is None:
        told += " Look whether its name, title and date are right: they were damaged."
    return _Again(number, prepared, told)


def _read(file: Path | None, recorded: str) -> Document | None:
    """Return the document in a file that is still the one that was read."""
    if file is None:
        return None
    with suppress(FormatError):
        reading = read_file(file, root=file.parent)
        if reading.sha256 == recorded:
            return reading.document
    return None


def _label(db: Database, number: int, damage: Damage, document: Document) -> Label | None:
    try:
        row = db.execute(
            "SELECT source, path, type, title, date FROM documents WHERE id = ?", (number,)
        ).fetchone()
    except sqlite3.DatabaseError:
        row = None
    if row is not None and not damage.entry:
        return label_of(row, document)
    known = db.execute("SELECT source, path FROM files WHERE document = ?", (number,)).fetchone()
    if known is not None:  # from a file: its title and date stand in its text
        form = format_of(Path(known["path"]))
        return Label(source=known["source"], path=known["path"], type=form.name if form else "")
    if row is None or not all(isinstance(row[name], str) for name in ("path", "type", "title")):
        return None
    (texts,) = db.execute("SELECT max(id) FROM sources WHERE kind = 'text'").fetchone()
    if texts is None or not path_of(db, number):
        return None
    date = row["date"] if isinstance(row["date"], str) else None
    return Label(source=texts, path=row["path"], type="text", title=row["title"], date=date)
