"""The files of a library beside its database: derived ones, uploads, leftovers, their modes."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from index.alive import living, state_key
from index.catalogue import UPLOADS, Catalogue
from index.database import Database, next_number
from index.errors import LibraryDamagedError
from index.files import sha256
from index.store import FILE, get_meta
from index.upkeep.findings import REPAIR, Finding, Severity
from index.vectors import VectorBase, intact_base
from index.words import WordState, intact, open_words

__all__ = ["abandoned", "being_changed", "derived", "leftovers", "modes", "uploads"]

_MAKE_AGAIN = "Run `quoth doctor --repair`, or `quoth rebuild`."
_LEFT = re.compile(r"words-.*|vectors-.*|.*\.tmp|\.quoth-.*")
_DAY = 86_400


def derived(library: Path, db: Database) -> Iterator[Finding]:
    """Yield what is wrong with the FAISS base and the word index."""
    # A writer replaces them between two looks; then what was seen is of no state.
    for _ in range(3):
        found = [*_words(library, db), *_base(library, db)]
        if not found or not _moved_on(library, db):
            break
    yield from found


def _moved_on(library: Path, db: Database) -> bool:
    """Let `db` see the newest state, and return whether it is another one."""
    before = state_key(db)
    db.execute("ROLLBACK")
    db.execute("BEGIN")
    return state_key(db) != before


def _words(library: Path, db: Database) -> Iterator[Finding]:
    meta = _meta(db, "words")
    alive = {
        row[0]
        for row in db.execute(
            "SELECT passages.id FROM passages JOIN documents ON documents.id = document"
            f" WHERE {living}",
            (state_key(db)[0],),
        )
    }
    if meta is None:
        if alive:
            yield _slower("words", "words", "There is no word index; it is made for each start.")
        return
    try:
        state = WordState(**meta)
        folder = library / state.folder
        if not folder.is_dir():
            problem = "is missing"
        elif not intact(library, state):
            problem = "is damaged"
        elif not os.access(folder, os.W_OK | os.X_OK):
            return  # Tantivy opens an index only where it can make its lock file
        elif alive - (held := open_words(folder).numbers()):
            problem = "does not hold all passages"
        else:
            if max(held, default=0) >= next_number(db, "passages") and not being_changed(library):
                yield _behind(state.folder)
            return
    except LibraryDamagedError:
        problem = "is damaged"
    except (TypeError, ValueError, AttributeError, OSError) as error:
        problem = f"cannot be opened ({str(error).splitlines()[0][:80]})"
    where = str(meta.get("folder", "words"))
    yield _slower("words", where, f"The word index {where} {problem}.")


def _behind(words: str) -> Finding:
    # Passages are on the disk in the database before they are in the word index.
    return Finding(
        kind="log",
        where=f"{FILE}-wal",
        message=f"The database is older than {words} beside it: its last changes are lost.",
        advice="Sync again what was changed last, or restore the library from a backup.",
    )


def _base(library: Path, db: Database) -> Iterator[Finding]:
    meta = _meta(db, "vectors")
    if meta is None:
        return
    where = str(meta.get("file", "vectors"))
    try:
        base = VectorBase(**meta)
        rows = db.execute("SELECT id FROM vectors WHERE model = ? ORDER BY id", (base.model,))
        ids = np.fromiter((row[0] for row in rows), np.int64)
        if not (library / base.file).is_file():
            problem = "is missing"
        elif not intact_base(library / base.file, base):
            problem = "is damaged"
        elif int(np.searchsorted(ids, base.last, side="right")) != base.rows:
            problem = "has not the vectors that the library has"
        else:
            return
    except (TypeError, ValueError, AttributeError, OSError) as error:
        problem = f"cannot be read ({error})"
    yield _slower("vectors", where, f"The vector index {where} {problem}.")


def _meta(db: Database, key: str) -> dict[str, Any] | None:
    try:
        value = get_meta(db, key)
    except LibraryDamagedError:
        return {}
    return value if value is None or isinstance(value, dict) else {}


def _slower(kind: str, where: str, message: str) -> Finding:
    return Finding(
        kind=kind,
        where=where,
        message=f"{message} Until it is there again, it is made in memory at each start.",
        advice=_MAKE_AGAIN,
        severity=Severity.SLOWER,
        repairable=True,
    )


def leftovers(library: Path, db: Database) -> Iterator[Finding]:
    """Yield files that an end in the middle of something has left, unless a writer is at work."""
    if being_changed(library):
        return
    kept = {(_meta(db, key) or {}).get(name) for key, name in _DERIVED}
    for name in sorted(os.listdir(library)):
        if _LEFT.fullmatch(name) and name not in kept:
            yield _left(name)
    for name in _INTERRUPTED:
        if _is_old(library / UPLOADS / name):
            yield _left(f"{UPLOADS}/{name}")
    for batch in abandoned(library):
        name = batch.relative_to(library).as_posix()
        yield _left(name, "The next upload takes it away; so does `quoth doctor --repair`.")


def abandoned(library: Path) -> list[Path]:
    """Return what was sent to a server and never taken in: its sender has gone long ago."""
    return [path for path in sorted((library / UPLOADS / _INCOMING).glob("*")) if _is_old(path)]


def _is_old(path: Path) -> bool:
    with suppress(OSError):
        return path.stat().st_mtime < time.time() - _DAY
    return False


_DERIVED = (("words", "folder"), ("vectors", "file"))
# Among the uploads: what a writer works with, see index.uploads, and what a server is sent.
# What a server has accepted lies elsewhere, and is no leftover however old.
_INTERRUPTED, _INCOMING = (".replaced", ".adding"), ".incoming"
_NEXT = "The next sync takes it away; so does `quoth doctor --repair`."


def _left(name: str, advice: str = _NEXT) -> Finding:
    return Finding(
        kind="leftover",
        where=name,
        message=f"{name} is left over from something that was ended in the middle.",
        advice=advice,
        severity=Severity.NOTICE,
        repairable=True,
    )


def being_changed(library: Path) -> bool:
    """Return whether somebody holds the lock of those who write, as far as one can tell."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        with (library / "writer.lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def uploads(library: Path, db: Database, counts: Counter[str]) -> Iterator[Finding]:
    """Yield uploaded files that are gone, or are not what was uploaded."""
    rows = db.execute(
        "SELECT files.path, hash, document FROM files JOIN sources ON sources.id = files.source"
        " WHERE kind = 'upload' AND location = ? ORDER BY files.path",
        (Catalogue(library, db).uploads,),
    ).fetchall()
    counts["uploads"] = len(rows)
    for path, recorded, document in rows:
        if recorded == "":
            continue  # mended; the next sync reads the file and knows it again
        file = library / UPLOADS / path
        try:
            problem = "" if sha256(file) == recorded else "is not the file that was added"
        except FileNotFoundError:
            problem = "is gone"
        except OSError as error:
            problem = f"cannot be read ({error.strerror})"
        if problem:
            yield Finding(
                kind="upload",
                where=f"{UPLOADS}/{path}",
                message=f"The uploaded file {path} {problem}; its text in the library still "
                "answers.",
                advice="Put the file back or add it again before the uploads are synced, which "
                "would take over what is there; or restore the library from a backup.",
                document=document,
            )


def modes(library: Path) -> Iterator[Finding]:
    """Yield what more people may read than the folder of the library says."""
    allowed = library.stat().st_mode & 0o777
    if allowed & 0o007:
        yield Finding(
            kind="mode",
            where=str(library),
            message="Everybody on this machine may look into the folder of the library.",
            advice=f"Unless that is meant, close it: chmod 700 {library}",
            severity=Severity.NOTICE,
        )
    wider = []
    for inside, folders, names in os.walk(library):
        for name in [*folders, *names]:
            path = os.path.join(inside, name)
            with suppress(OSError):
                status = os.lstat(path)
                if not os.path.islink(path) and status.st_mode & 0o666 & ~allowed:
                    wider.append(os.path.relpath(path, library))
    if wider:
        yield Finding(
            kind="mode",
            where=wider[0],
            message=f"{len(wider)} files may be read or changed by more people than the folder of "
            f"the library, {wider[0]} first.",
            advice=REPAIR,
            severity=Severity.NOTICE,
            repairable=True,
        )
