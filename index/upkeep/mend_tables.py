"""The small tables of a library, mended where something else says what they must hold."""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator

from index.alive import living
from index.database import Database
from index.errors import LibraryDamagedError
from index.schema import upsert
from index.seals import EVERYTHING, broken, renew, seal_as_it_is, seal_now
from index.seals import recorded as recorded_seals
from index.store import Store, generation, set_meta

__all__ = ["mend"]

_HASH = re.compile(r"[0-9a-f]{64}")
_KINDS = {"folder", "file", "upload", "text", "gone"}


def mend(store: Store) -> Iterator[str]:
    """Mend what can be mended, in one transaction, and yield what was done, a sentence each."""
    done = []
    with store.writing(seal=()) as db:
        try:
            wrong = broken(db, EVERYTHING)
        except LibraryDamagedError:
            # Nothing says what the tables were; what they are was looked through by the check.
            seal_as_it_is(db)
            done.append("The checksums of the small tables were damaged and were made again.")
            wrong = broken(db, EVERYTHING)
        for table, mender in _MENDERS.items():
            if table in wrong and (told := mender(db)):
                renew(db, [table])
                done.append(told)
    yield from done


def _meta(db: Database) -> str:
    db.execute("DELETE FROM meta WHERE key NOT IN ('seals', 'library', 'milvus')")
    # Another than whatever it was: nobody may take an old snapshot for the new one.
    set_meta(db, "compacted", {"times": secrets.randbelow(1 << 40)})
    set_meta(db, "words", None)
    set_meta(db, "vectors", None)
    return "The list of derived files was made again."


def _files(db: Database) -> str:
    """Make the list again of the documents that are alive; the next sync compares contents."""
    hashes: dict[int, str] = {}
    for document, digest in db.execute("SELECT document, hash FROM files"):
        if isinstance(digest, str) and _HASH.fullmatch(digest):
            hashes[document] = digest
    db.execute("DELETE FROM files")
    rows = db.execute(
        "SELECT documents.id, source, path FROM documents JOIN sources ON sources.id = source"
        f" WHERE {living} AND kind IN ('folder', 'file', 'upload')",
        (generation(db),),
    ).fetchall()
    # No file has this size: each is looked at by its content.
    db.executemany(
        upsert("files", ("source", "path"), ("size", "mtime_ns", "inode", "hash", "document")),
        [(source, path, -1, 0, 0, hashes.get(number, ""), number) for number, source, path in rows],
    )
    return "The list of files was made again; the next sync compares the content of each."


def _failures(db: Database) -> str:
    db.execute("DELETE FROM failures")
    return "The list of files that could not be read was emptied; the next sync fills it."


def _excluded(db: Database) -> str:
    odd = " OR typeof(path) <> 'text'" if isinstance(db, sqlite3.Connection) else ""
    db.execute(f"DELETE FROM excluded WHERE source NOT IN (SELECT id FROM sources){odd}")
    return (
        "The list of what was removed by hand was damaged and is kept as it can be read; look "
        "whether the next sync brings back what was removed."
    )


def _sources(db: Database) -> str:
    """Keep the list where every source in it is still found, which a damaged place is not."""
    for row in db.execute("SELECT kind, location FROM sources"):
        kind, location = row["kind"], row["location"]
        if kind not in _KINDS or not isinstance(location, str):
            return ""
        if kind in ("folder", "file") and not os.path.exists(location):
            return ""
    strangers = db.execute(
        "SELECT count(*) FROM documents WHERE source NOT IN (SELECT id FROM sources)"
    ).fetchone()[0]
    if strangers:
        return ""
    db.execute("UPDATE sources SET synced_ns = 0")
    return "The list of sources was damaged; all of them are still where it says."


def _documents(db: Database) -> str:
    """Let what is alive be what the list of files says, if that is what was sealed."""
    number = generation(db)
    seal = recorded_seals(db).get("documents")
    if broken(db, ["files"]):
        return ""
    db.execute("SAVEPOINT mending")
    db.execute(
        "UPDATE documents SET died = NULL WHERE died IS NOT NULL AND id IN"
        " (SELECT document FROM files)"
    )
    if seal_now(db, "documents") == seal:
        db.execute("RELEASE mending")
        return "The list of which documents are alive was made again."
    # One that died says when; its successor was born in that generation.
    db.execute(
        "UPDATE documents SET died = (SELECT min(born) FROM documents AS newer WHERE newer.source"
        " = documents.source AND newer.path = documents.path AND newer.id > documents.id)"
        " WHERE born <= ? AND id NOT IN (SELECT document FROM files) AND source IN"
        " (SELECT id FROM sources WHERE kind IN ('folder', 'file', 'upload')) AND EXISTS"
        " (SELECT 1 FROM documents AS newer WHERE newer.source = documents.source"
        " AND newer.path = documents.path AND newer.id > documents.id)",
        (number,),
    )
    if seal_now(db, "documents") == seal:
        db.execute("RELEASE mending")
        return "The list of which documents are alive was made again."
    db.execute("ROLLBACK TO mending")
    db.execute("RELEASE mending")
    return ""


_MENDERS: dict[str, Callable[[Database], str]] = {
    "meta": _meta,
    "sources": _sources,  # before what looks at it
    "files": _files,
    "failures": _failures,
    "excluded": _excluded,
    "documents": _documents,
}
