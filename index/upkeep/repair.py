"""What a check found, mended from what is left."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from index.address import Address, Place, address_of
from index.catalogue import UPLOADS, Catalogue
from index.errors import LibraryDamagedError, QuothError
from index.files import bytes_in, settle
from index.lock import writer_lock
from index.maintain import rewrite_derived
from index.models import Models
from index.opening import Parts, open_parts
from index.seals import verify
from index.types import Encoder
from index.upkeep import mend_documents, mend_tables, mend_vectors
from index.upkeep.check import Checkup, check_library
from index.upkeep.check_database import only_indexes
from index.upkeep.check_files import abandoned
from index.uploads import interrupted, recover

__all__ = ["Repaired", "repair_library"]

logger = logging.getLogger(f"quoth.{__name__}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What a repair did: one sentence each in `done`, and the check afterwards.

    Attributes:
        done: What was mended.
        failed: What could not be mended although there was hope; why, a sentence each.
        checkup: What is still to be found.
    """

    done: tuple[str, ...]
    failed: tuple[str, ...]
    checkup: Checkup


def repair_library(
    library: Place | Address,
    checkup: Checkup | None = None,
    *,
    encoder: Encoder | None = None,
    progress: Callable[[str], None] | None = None,
) -> Repaired:
    """Mend what can be mended of a library, and check it again.

    Nothing is ever dropped silently: what cannot be mended stays and is in `checkup`.

    Args:
        library: Its folder or address.
        checkup: What to mend; None checks first.
        encoder: The model that the library was built with, where it cannot be loaded by name.
        progress: Gets a sentence before each step that may take long.

    Raises:
        LibraryLockedError: Another process is changing the library.
        LibraryError: It cannot be opened for writing.
    """
    tell = progress or (lambda step: None)
    tell("checking the library")
    address = library if isinstance(library, Address) else address_of(library)
    checkup = checkup or check_library(address)
    if not any(finding.repairable for finding in checkup.findings):
        return Repaired(done=(), failed=(), checkup=checkup)
    parts = open_parts(replace(address, home=checkup.path), create=False, read_only=False)
    with closing(parts.store), closing(parts.engine):
        with writer_lock(checkup.path), parts.store.locked():
            repair = _Repair(parts, checkup, encoder, tell)
            repair.run()
    tell("checking the library again")
    return Repaired(
        done=tuple(repair.done), failed=tuple(repair.failed), checkup=check_library(address)
    )


class _Repair:
    def __init__(
        self,
        parts: Parts,
        checkup: Checkup,
        encoder: Encoder | None,
        tell: Callable[[str], None],
    ) -> None:
        self.path, self.checkup, self.tell = checkup.path, checkup, tell
        _, self.store, self.engine = parts
        self.models = Models(self.store, encoder)
        self.kinds = {finding.kind for finding in checkup.findings if finding.repairable}
        self.done: list[str] = []
        self.failed: list[str] = []

    def run(self) -> None:
        """Mend from the bottom up: what comes later stands on what came before."""
        # First, as every writer does: by the list of files as it was published.
        self._step("putting uploads in order", self._uploads)
        mended = self.store, self.models.newest
        for kinds, what, step in (
            ({"database"}, "making SQLite's indexes again", self._indexes),
            ({"table"}, "mending the lists", lambda: mend_tables.mend(self.store)),
            ({"vector"}, "embedding sentences again", lambda: mend_vectors.mend(*mended)),
            (
                {"document", "vector"},
                "making documents again",
                lambda: mend_documents.mend(self.path, self.engine, *mended),
            ),
            # What was mended may be missing from them.
            (
                {"words", "vectors", "vector", "table", "document", "database"},
                "making the indexes again",
                self._derived,
            ),
            ({"leftover"}, "taking away what is left over", self._leftovers),
            ({"mode"}, "closing files to others", self._modes),
        ):
            if kinds & self.kinds:
                self.tell(what)
                self._step(what, step)

    def _step(self, what: str, step: Callable[[], Iterator[str]]) -> None:
        try:
            self.done += step()
        except (QuothError, sqlite3.Error, OSError, TypeError, ValueError) as error:
            # The last two: a value of a kind that was never stored.
            logger.debug("%s failed", what, exc_info=True)
            self.failed.append(f"{what[0].upper()}{what[1:]} failed: {str(error).rstrip('.')}.")

    def _uploads(self) -> Iterator[str]:
        if interrupted(self.path / UPLOADS):
            recover(self.path / UPLOADS, self._recorded)
            yield "Uploads that were just being replaced or removed were put in order."

    def _recorded(self) -> dict[str, str]:
        with self.store.reading() as db:
            verify(db, ("files", "sources"))
            return Catalogue(self.path, db).upload_hashes()

    def _indexes(self) -> Iterator[str]:
        with self.store.writing(seal=()) as db:
            said = [str(row[0]) for row in db.execute("PRAGMA integrity_check(20)")]
            if said == ["ok"] or not only_indexes(said):
                return
            db.execute("REINDEX")
        yield "SQLite's own indexes were made again."

    def _derived(self) -> Iterator[str]:
        try:
            rewrite_derived(self.engine, self.store, drop_dead=False)
        except LibraryDamagedError:
            # A vector is lost. The words must not know what was deleted from the store.
            rewrite_derived(self.engine, self.store, drop_dead=False, keep_vectors=True)
            yield "The word index was made again."
            raise
        yield "The vector index and the word index were made again."

    def _leftovers(self) -> Iterator[str]:
        before = bytes_in(self.path)
        self.engine.tidy()
        for path in [*self.path.glob("*.tmp"), *self.path.glob(".quoth-*")]:
            path.unlink(missing_ok=True)
        for batch in abandoned(self.path):
            shutil.rmtree(batch, ignore_errors=True)
        yield f"What was left over was taken away ({before - bytes_in(self.path):,} bytes)."

    def _modes(self) -> Iterator[str]:
        settle(self.path, only_close=True)
        yield "Files that others could read were closed to them."
