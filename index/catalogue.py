"""Sources and documents as the store lists them: by number, by name, by place."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from index.address import home_id
from index.alive import living
from index.database import Database, Row
from index.errors import DocumentNotFoundError, LibraryDamagedError, SourceError
from index.failures import forget_failures
from index.reports import Source
from index.store import Store, generation
from index.sync import SourceRow
from index.types import DocumentInfo

__all__ = ["COLUMNS", "UPLOADS", "Catalogue", "document_info", "drop_removed_elsewhere"]

UPLOADS = "uploads"
_LONGEST_NUMBER = 19  # digits; SQLite has no longer ones
COLUMNS = (
    "id, source, path, title, type, date, language, text_hash, characters, sentences, pages,"
    " blank_pages, warnings, indexed_at"
)


def document_info(row: Row, bases: Mapping[int, Path]) -> DocumentInfo:
    """Return a row with `COLUMNS` of the documents as a value.

    Args:
        row: Of the table `documents`.
        bases: By source, the folder that paths are relative to.

    Raises:
        LibraryDamagedError: It is no such row.
    """
    values: dict[str, Any] = dict(row)
    try:
        values["blank_pages"] = tuple(json.loads(values["blank_pages"]))
        values["warnings"] = tuple(json.loads(values["warnings"]))
        base = bases.get(values["source"])
        return DocumentInfo(file=None if base is None else base / values["path"], **values)
    except (TypeError, ValueError) as error:
        raise LibraryDamagedError(f"the entry of document {row['id']}", row["id"]) from error


class Catalogue:
    """Looks things up for one library folder over one connection."""

    def __init__(self, library: Path, db: Database) -> None:
        self.library = library
        self.db = db
        # Servers of one library keep their uploads apart: each has the files of its own only.
        here = home_id(library)
        self.uploads = f"{UPLOADS} of {here}" if here else UPLOADS

    def roots(self) -> dict[int, Path]:
        """Return where each source is; texts have no place, nor has what was removed."""
        return {row["id"]: self._root(row["kind"], row["location"]) for row in self._placed()}

    def bases(self) -> dict[int, Path]:
        """Return the folder that the paths of each source are relative to."""
        return {
            row["id"]: root.parent if row["kind"] == "file" else root
            for row in self._placed()
            for root in [self._root(row["kind"], row["location"])]
        }

    def sources(self) -> list[Source]:
        """Return every source with how many living documents it has."""
        rows = self.db.execute(
            "SELECT id, kind, synced_ns, (SELECT count(*) FROM documents WHERE source = sources.id"
            f" AND {living}) AS documents FROM sources WHERE kind <> 'gone' ORDER BY id",
            (generation(self.db),),
        ).fetchall()
        roots = self.roots()
        return [
            Source(row["id"], row["kind"], roots.get(row["id"]), row["documents"], row["synced_ns"])
            for row in rows
        ]

    def _placed(self) -> list[Row]:
        return self.db.execute(
            "SELECT id, kind, location FROM sources WHERE kind NOT IN ('text', 'gone')"
            " AND (kind <> 'upload' OR location = ?)",
            (self.uploads,),
        ).fetchall()

    def _root(self, kind: str, location: str) -> Path:
        # Uploads move with the library; everything else is where it is.
        return self.library / UPLOADS if kind == "upload" else Path(location)

    def documents(self) -> list[DocumentInfo]:
        """Return the living documents in order of path."""
        rows = self.db.execute(
            f"SELECT {COLUMNS} FROM documents WHERE {living} ORDER BY path, id",
            (generation(self.db),),
        )
        bases = self.bases()
        return [document_info(row, bases) for row in rows]

    def document(self, number: int) -> DocumentInfo:
        """Return one version of a document, alive or not.

        Raises:
            DocumentNotFoundError: There is none with this number.
        """
        row = self.db.execute(f"SELECT {COLUMNS} FROM documents WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise DocumentNotFoundError(f"The library has no document number {number}.")
        return document_info(row, self.bases())

    def file_hash(self, number: int) -> str | None:
        """Return the SHA-256 of the file a living document was read from; None for a text."""
        row = self.db.execute(
            "SELECT files.hash FROM files JOIN documents USING (source, path)"
            " WHERE documents.id = ?1 AND files.document = ?1",
            (number,),
        ).fetchone()
        return None if row is None else str(row[0])

    def upload_hashes(self) -> dict[str, str]:
        """Return the SHA-256 of each upload as it was read, by path."""
        rows = self.db.execute(
            "SELECT path, hash FROM files JOIN sources ON sources.id = source"
            " WHERE kind = 'upload' AND location = ?",
            (self.uploads,),
        )
        return {row["path"]: row["hash"] for row in rows}

    def source(self, root: Path) -> SourceRow:
        """Return the source at `root`, or what it will be.

        Raises:
            SourceError: It lies in another source, or another lies in it: each document would
                be there twice.
        """
        if root == self.library / UPLOADS:
            kind, location = "upload", self.uploads
        else:
            kind, location = ("file" if root.is_file() else "folder"), str(root)
        if root == self.library or (self.library in root.parents and kind != "upload"):
            raise SourceError(f"{root} is the library itself; give the folder of the documents.")
        row = self.db.execute(
            "SELECT id FROM sources WHERE kind = ? AND location = ?", (kind, location)
        ).fetchone()
        if row is None:
            self._refuse_overlap(root)
        return SourceRow(None if row is None else row["id"], kind, location, root)

    def _refuse_overlap(self, root: Path) -> None:
        for other in self.roots().values():
            if other in root.parents:
                raise SourceError(f"{root} lies in {other}, which the library keeps; sync that.")
            if root in other.parents and other != self.library / UPLOADS:
                raise SourceError(
                    f"{root} holds {other}, which the library keeps already; "
                    f"remove that first (quoth remove {other})."
                )

    def readmit(self, root: Path) -> Path:
        """Let what was removed by hand at or below `root` come back.

        Returns:
            The folder source it lies in; `root` itself where nothing of it had been removed.
        """
        for source, folder in self.roots().items():
            if folder not in root.parents:
                continue
            path = root.relative_to(folder).as_posix()
            lifted = self.db.execute(
                "DELETE FROM excluded WHERE source = ?1 AND (path = ?2 OR"
                " substr(path, 1, length(?2) + 1) = ?2 || '/')",
                (source, path),
            )
            if lifted.rowcount:
                return folder
        return root

    def named(self, *what: int | str | os.PathLike[str]) -> list[DocumentInfo]:
        """Return the living documents with these numbers, paths, places or source folders.

        Raises:
            DocumentNotFoundError: For one of them there is none.
        """
        documents = {info.id: info for info in self.documents()}
        found: dict[int, DocumentInfo] = {}
        for one in what:
            found.update((info.id, info) for info in self._called(documents, one))
        return list(found.values())

    def _called(
        self, documents: Mapping[int, DocumentInfo], what: int | str | os.PathLike[str]
    ) -> list[DocumentInfo]:
        if isinstance(what, int):
            found = [documents[what]] if what in documents else []
            known = bool(found)
        else:
            found = _called(documents.values(), what)
            known = bool(found) or self._source_at(what) is not None
            if not known and str(what).isdecimal() and len(str(what)) < _LONGEST_NUMBER:
                return self._called(documents, int(str(what)))
        if not known:
            raise DocumentNotFoundError(
                f"The library has no document called {what}; "
                "`quoth status --documents` lists what it has."
            )
        return found

    def _source_at(self, what: str | os.PathLike[str]) -> int | None:
        if what == "":
            return None
        place = _place_of(what)
        if place is None:
            return None
        row = self.db.execute(
            "SELECT id FROM sources WHERE location = ? AND kind IN ('folder', 'file')",
            (str(place),),
        ).fetchone()
        return None if row is None else int(row["id"])

    def forget(self, removed: Iterable[DocumentInfo], *what: int | str | os.PathLike[str]) -> None:
        """Note a removal, so that the next sync does not bring the documents back."""
        places = [self._source_at(one) for one in what if not isinstance(one, int)]
        sources = {source for source in places if source is not None}
        kinds = {row["id"]: row["kind"] for row in self.db.execute("SELECT id, kind FROM sources")}
        here = self.roots()
        for info in removed:
            key = (info.source, info.path)
            self.db.execute("DELETE FROM files WHERE source = ? AND path = ?", key)
            forget_failures(self.db, [key])
            elsewhere = kinds.get(info.source) == "upload" and info.source not in here
            if elsewhere or (kinds.get(info.source) == "folder" and info.source not in sources):
                self.db.execute("INSERT INTO excluded VALUES(?, ?) ON CONFLICT DO NOTHING", key)
        for source in sources:
            for table in ("excluded", "files", "failures"):
                self.db.execute(f"DELETE FROM {table} WHERE source = ?", (source,))
            # The row stays for documents that are dead but not compacted; it has no place now.
            self.db.execute(
                "UPDATE sources SET kind = 'gone', location = ? WHERE id = ?", (str(source), source)
            )


def drop_removed_elsewhere(library: Path, store: Store) -> None:
    """Delete files that were uploaded here, and removed at another server of a remote library."""
    if not home_id(library):
        return
    with store.reading() as db:
        rows = db.execute(
            "SELECT source, path FROM excluded JOIN sources ON sources.id = source"
            " WHERE kind = 'upload' AND location = ?",
            (Catalogue(library, db).uploads,),
        ).fetchall()
    if rows:
        with store.writing() as db:  # which looks whether the list is what was stored
            for _, path in rows:
                file = Path(os.path.normpath(library / UPLOADS / path))
                # Others write into the store: nothing beyond the uploads goes at their word.
                if library / UPLOADS in file.parents and file.is_file():
                    file.unlink()
            # Another file may come under the name.
            db.executemany("DELETE FROM excluded WHERE source = ? AND path = ?", rows)


def _place_of(what: str | os.PathLike[str]) -> Path | None:
    """Return the place on disk that `what` names, or None where it can name none."""
    try:
        return Path(what).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        # A null character, half of a surrogate pair, or the home of a person whom nobody knows.
        return None


def _called(documents: Iterable[DocumentInfo], what: str | os.PathLike[str]) -> list[DocumentInfo]:
    """Return documents by path, folder or place on disk; failing that by file name."""
    if what == "":  # Path("") would be the working folder
        return []
    documents = list(documents)
    place = _place_of(what)
    wanted = str(what).strip("/")
    found = [
        info
        for info in documents
        if info.path in (wanted, str(what))
        or info.path.startswith(wanted + "/")
        or (info.file is not None and place in (info.file, *info.file.parents))
    ]
    return found or [info for info in documents if info.name == wanted]
