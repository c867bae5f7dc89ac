"""Where documents live now: sources that were moved, with their documents as they are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from index.catalogue import Catalogue
from index.database import Database
from index.errors import SourceError
from index.store import get_meta, set_meta

__all__ = ["relocate"]

Place = str | os.PathLike[str]


def relocate(
    db: Database, library: Path, moves: Mapping[Path, Path] | Mapping[str, str]
) -> list[tuple[Path, Path]]:
    """Note new places of sources and return the old and new one of each.

    The next sync compares the content of the files there with what is known, and reads and embeds
    only what differs.

    Args:
        db: A connection in a transaction that writes.
        library: The library's folder.
        moves: By the old place of a source, or of a folder above some, the new one.

    Raises:
        SourceError: No source was there, the new place does not exist, or it overlaps another.
    """
    rows = db.execute(
        "SELECT id, kind, location FROM sources WHERE kind IN ('folder', 'file') ORDER BY id"
    ).fetchall()
    moved: dict[int, tuple[str, Path, Path]] = {}
    for old, new in moves.items():
        there = Path(new).expanduser().resolve()
        before = len(moved)
        for row in rows:
            below = _below(Path(row["location"]), old)
            if below is not None:
                moved[row["id"]] = (row["kind"], Path(row["location"]), there / below)
        if len(moved) == before:
            raise SourceError(
                f"The library keeps no folder or file at {old}; `quoth status` lists what it keeps."
            )
    for kind, _, there in moved.values():
        _check_there(kind, there)
    places = {number: there for number, (_, _, there) in moved.items()}
    _check_apart(Catalogue(library, db).roots() | places, library, {*moved})
    for number in moved:  # two may change places
        db.execute("UPDATE sources SET location = ? WHERE id = ?", (f"moving {number}", number))
    for number, there in places.items():
        db.execute("UPDATE sources SET location = ? WHERE id = ?", (str(there), number))
    # Whoever searches now has the old places in memory, and takes the state anew.
    compacted = get_meta(db, "compacted") or {"times": 0}
    set_meta(db, "compacted", {**compacted, "times": compacted["times"] + 1})
    return [(old, there) for _, old, there in moved.values()]


def _below(location: Path, old: Place) -> Path | None:
    """Return where `location` is below `old`, "." where it is `old` itself, None elsewhere."""
    # The old place may be of another machine: it is a name, and need not exist.
    for place in (Path(os.path.abspath(Path(old).expanduser())), Path(old).expanduser().resolve()):
        if location.is_relative_to(place):
            return location.relative_to(place)
    return None


def _check_there(kind: str, there: Path) -> None:
    if not (os.path.isdir(there) if kind == "folder" else os.path.isfile(there)):
        raise SourceError(f"There is no {kind} at {there}; nothing was changed.")


def _check_apart(roots: Mapping[int, Path], library: Path, moved: set[int]) -> None:
    """Raise where a document would be in the library twice, or the library in itself."""
    for number in moved:
        root = roots[number]
        if root == library or library in root.parents:
            raise SourceError(f"{root} is the library itself; nothing was changed.")
        for other, place in roots.items():
            if other == number or library in place.parents:
                continue
            if place == root or place in root.parents or root in place.parents:
                raise SourceError(
                    f"{root} and {place} overlap, and the library keeps both; nothing was changed."
                )
