"""Vectors embedded again from the parts they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from index.alive import model_of
from index.database import Database, Row, keep_numbers
from index.errors import LibraryDamagedError, ModelMismatchError
from index.ingest import (
    PIPELINE,
    as_encoded,
    encode,
    insert_vector,
    key_of,
    prepared_again,
)
from index.store import Store, generation
from index.types import Encoder, Part
from index.upkeep.check_documents import damaged_vectors, missing_vectors

__all__ = ["mend"]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a vector is used: the `place`-th sentence or passage, and its span."""

    vector: int
    sentence: bool
    place: int
    start: int
    end: int


def mend(store: Store, encoder: Callable[[], Encoder]) -> Iterator[str]:
    """Embed again what is damaged or missing, delete what nothing uses, and say how much it was.

    What stands in a document that is damaged itself comes with that document.
    """
    with store.reading() as db:
        model = model_of(db, generation(db))
        damaged = damaged_vectors(db)
        wanted = {*damaged, *missing_vectors(db)}
        places = _places(db, wanted)
        parts: dict[int, set[Part]] = {}
        for document, some in places.items():
            for number, part in _parts(db, document, some):
                parts.setdefault(number, set()).add(part)
        keys = {number: _key(db, number) for number in parts}
    used = {place.vector for some in places.values() for place in some}
    # Without it the base is not valid, and cannot be made again where others stay damaged.
    unused = [number for number in damaged if number not in used] if used <= parts.keys() else []
    made = _embedded(parts, keys, model, encoder)
    mended = 0
    with store.writing(seal=()) as db:
        keep_numbers(db)
        db.executemany("DELETE FROM vectors WHERE id = ?", [(number,) for number in unused])
        for number, (key, vector) in made.items():
            its_model = model["id"] if model else 0
            another = db.execute(
                "SELECT id FROM vectors WHERE model = ? AND key = ? AND id <> ?",
                (its_model, key, number),
            ).fetchone()
            # Where another row stands for the same part, the document is made again.
            if another is None:
                db.execute("DELETE FROM vectors WHERE id = ?", (number,))
                insert_vector(db, number, its_model, key, vector)
                mended += 1
    if unused:
        yield f"{len(unused)} damaged vectors that nothing used were deleted."
    if mended:
        yield f"{mended} vectors were made again from their sentences."


def _key(db: Database, number: int) -> object:
    row = db.execute("SELECT key FROM vectors WHERE id = ?", (number,)).fetchone()
    return None if row is None else row[0]


def _embedded(
    parts: Mapping[int, set[Part]],
    keys: Mapping[int, object],
    model: Row | None,
    encoder: Callable[[], Encoder],
) -> dict[int, tuple[bytes, bytes]]:
    """Return key and vector by number."""
    if not parts or model is None:
        return {}
    found = encoder()
    if found.fingerprint != model["fingerprint"]:
        raise ModelMismatchError(model["name"], found.name)
    stand = {number: _what_stood(found, parts[number], keys[number]) for number in parts}
    numbers = sorted(stand, key=lambda number: stand[number])  # those of one text together
    made: dict[int, tuple[bytes, bytes]] = {}
    for start in range(0, len(numbers), 256):
        some = numbers[start : start + 256]
        encoded = np.asarray(encode(found, [stand[n] for n in some]), np.float16)
        made.update(
            (n, (key_of(stand[n]), vector.tobytes()))
            for n, vector in zip(some, encoded, strict=True)
        )
    return made


def _what_stood(encoder: Encoder, parts: set[Part], key: object) -> Part:
    """Return what a vector was made of.

    Its key says so, if it is not damaged. Otherwise, if it is used in several texts, it was made
    of the words alone.
    """
    for part in sorted(parts | {part.alone for part in parts}):
        if key_of(part) == key:
            return part
    stand = set(as_encoded(encoder, parts))
    return min(stand) if len(stand) == 1 else min(parts).alone


def _places(db: Database, wanted: set[int]) -> dict[int, list[_Place]]:
    """Return where these vectors are used, by document."""
    found: dict[int, list[_Place]] = {}
    for row in db.execute('SELECT document, number, start, "end", vector FROM sentences'):
        if row["vector"] in wanted:
            place = _Place(row["vector"], True, row["number"], row["start"], row["end"])
            found.setdefault(row["document"], []).append(place)
    for row in db.execute(
        'SELECT document, start, "end", vector,'
        " row_number() OVER (PARTITION BY document ORDER BY id) - 1 AS place FROM passages"
    ):
        if row["vector"] in wanted:
            place = _Place(row["vector"], False, row["place"], row["start"], row["end"])
            found.setdefault(row["document"], []).append(place)
    return found


def _parts(db: Database, number: int, places: list[_Place]) -> Iterator[tuple[int, Part]]:
    """Yield what the vectors at these places were made of, where that can still be told."""
    try:
        prepared = prepared_again(db, number)
    except LibraryDamagedError:
        return
    (pipeline,) = db.execute("SELECT pipeline FROM documents WHERE id = ?", (number,)).fetchone()
    for place in places:
        spans = prepared.sentences if place.sentence else prepared.passages
        parts = prepared.sentence_parts if place.sentence else prepared.passage_parts
        if place.place < len(spans):
            span = spans[place.place]
            # Another version of the splitter makes other sentences.
            if (span.start, span.end) == (place.start, place.end):
                part = parts[place.place]
                # Earlier versions encoded everything by itself.
                yield place.vector, part if pipeline == PIPELINE else part.alone
