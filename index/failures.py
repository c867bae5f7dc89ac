"""Files that gave no document, and why: remembered from one sync of their source to the next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from index.database import Database, format_version
from index.reports import Failure, Skip
from index.schema import upsert
from index.store import now

__all__ = ["dismiss", "failed_before", "failures", "forget_failures", "remember_failures"]

_SINCE_FORMAT = 2


def remember_failures(
    db: Database,
    source: int,
    skipped: Iterable[Skip],
    hashes: Mapping[str, str],
    *,
    only: Collection[str] | None = None,
) -> None:
    """Replace what is remembered of a source by what its sync left out now.

    Args:
        db: A connection in a transaction that writes.
        source: Number of the source.
        skipped: What was left out.
        hashes: Content hash by path, where the file could be hashed.
        only: The paths that were looked at; what is remembered of others stays until it is
            dismissed. None: all were.
    """
    before = {
        (row["path"], row["reason"], row["hash"]): row
        for row in db.execute("SELECT * FROM failures WHERE source = ?", (source,))
    }
    if only is None:
        db.execute("DELETE FROM failures WHERE source = ?", (source,))
    else:
        forget_failures(db, ((source, path) for path in only))
        db.execute("DELETE FROM failures WHERE source = ? AND dismissed = 1", (source,))
    rows = []
    for skip in skipped:
        digest = hashes.get(skip.path, "")
        # The same file for the same reason: known since then, and still dismissed if it was.
        same = before.get((skip.path, skip.reason, digest))
        since, dismissed = (now(), 0) if same is None else (same["since"], same["dismissed"])
        rows.append((source, skip.path, skip.reason, digest, int(skip.kept), since, dismissed))
    others = ("reason", "hash", "kept", "since", "dismissed")
    db.executemany(upsert("failures", ("source", "path"), others), rows)


def failed_before(db: Database, source: int | None) -> dict[tuple[str, str], str]:
    """Return by path and content hash why files of a source gave no document."""
    if not _remembered(db):
        return {}
    rows = db.execute("SELECT path, hash, reason FROM failures WHERE source = ?", (source,))
    return {(row["path"], row["hash"]): row["reason"] for row in rows}


def failures(
    db: Database, bases: Mapping[int, Path], *, dismissed: bool = False
) -> tuple[Failure, ...]:
    """Return what is remembered, in order of path.

    Args:
        db: A connection that reads.
        bases: By source, the folder that paths are relative to.
        dismissed: Also return what was waved away.
    """
    if not _remembered(db):
        return ()
    rows = db.execute(
        "SELECT * FROM failures WHERE dismissed <= ? ORDER BY path", (int(dismissed),)
    )
    return tuple(
        Failure(
            source=row["source"],
            path=row["path"],
            file=None if (base := bases.get(row["source"])) is None else base / row["path"],
            reason=row["reason"],
            kept=bool(row["kept"]),
            since=row["since"],
        )
        for row in rows
    )


def dismiss(db: Database, keys: Iterable[tuple[int, str]]) -> int:
    """Wave away failures by source and path, and return how many there were."""
    return db.executemany(
        "UPDATE failures SET dismissed = 1 WHERE source = ? AND path = ?", list(keys)
    ).rowcount


def forget_failures(db: Database, keys: Iterable[tuple[int, str]]) -> None:
    """Forget failures by source and path."""
    db.executemany("DELETE FROM failures WHERE source = ? AND path = ?", list(keys))


def _remembered(db: Database) -> bool:
    # A library of an older format is opened as it is where it is only read.
    return format_version(db) >= _SINCE_FORMAT
