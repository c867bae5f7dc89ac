"""A library looked over from end to end: what is damaged, what that means, what to do."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from index.address import Address, Place, address_of
from index.database import Database, format_version
from index.engines.engine import Engine
from index.errors import LibraryDamagedError, LibraryError, LibraryUnreachableError, QuothError
from index.files import bytes_in
from index.opening import open_parts
from index.schema import APPLICATION_ID, FORMAT_VERSION
from index.seals import SINCE_FORMAT
from index.store import FILE, Store, generation, reason_of
from index.types import Encoder
from index.upkeep import check_database, check_documents, check_files, check_log
from index.upkeep.findings import REPAIR, RESTORE, Checkup, Finding, Severity

__all__ = ["Checkup", "Finding", "Severity", "check_library"]

logger = logging.getLogger(f"quoth.{__name__}")

_ORDER = list(Severity)


def check_library(library: Place | Address, *, encoder: Encoder | None = None) -> Checkup:
    """Return all that is wrong with a library; it is only read.

    It also looks at a library that cannot be opened, and never raises.

    Args:
        library: Its folder or address.
        encoder: When given, must be the model that the library was built with.
    """
    if not isinstance(library, Address):
        library = address_of(library)
    return _Check(library, encoder).run()


class _Check:
    def __init__(self, address: Address, encoder: Encoder | None) -> None:
        self.address, self.encoder = address, encoder
        self.path = Path(os.path.abspath(address.home))
        self.format, self.generation = 0, -1
        self.findings: list[Finding] = []
        self.counts: Counter[str] = Counter()

    def run(self) -> Checkup:
        started = time.monotonic()
        if self.address.remote:
            self._remote()
        elif self._there():
            self._database()
            self._part("the modes of files", lambda: check_files.modes(self.path))
            self.counts["bytes"] = bytes_in(self.path)
        found = dict.fromkeys(self.findings)  # one damage may be met twice
        return Checkup(
            path=self.path,
            format=self.format,
            generation=self.generation,
            findings=tuple(sorted(found, key=lambda f: _ORDER.index(f.severity))),
            counts=dict(self.counts),
            seconds=time.monotonic() - started,
        )

    def _add(self, kind: str, where: str, message: str, advice: str) -> None:
        finding = Finding(kind=kind, where=where, message=message, advice=advice)
        self.findings.append(finding)

    def _there(self) -> bool:
        advice = "Check the path, or make a library with `quoth sync`."
        try:
            names = set(os.listdir(self.path))
        except FileNotFoundError:
            self._add("library", str(self.path), f"There is no library at {self.path}.", advice)
            return False
        except NotADirectoryError:
            message = f"{self.path} is not a Quoth library: it is a file."
            self._add("library", str(self.path), message, advice)
            return False
        except OSError as error:
            message = f"{self.path} cannot be looked into: {error.strerror}."
            self._add("library", str(self.path), message, "Run this as the owner of the library.")
            return False
        if FILE in names:
            return True
        if any(name == "uploads" or name.startswith("words-") for name in names):
            advice = RESTORE
        message = f"{self.path} is not a Quoth library: it holds no {FILE}."
        self._add("library", str(self.path), message, advice)
        return False

    def _part(self, what: str, part: Callable[[], Iterable[Finding]]) -> None:
        """Add what one part of the check finds; where it cannot go on, that is a finding too."""
        try:
            for finding in part():
                self.findings.append(finding)
        except Exception as error:
            # Whatever damage does to a part of the check, the others still look.
            logger.debug("%s cannot be checked", what, exc_info=True)
            reason = error.what if isinstance(error, LibraryDamagedError) else reason_of(error)
            message = f"{what[0].upper()}{what[1:]} cannot be read to the end ({reason})."
            self._add("database", FILE, message, RESTORE)

    def _database(self) -> None:
        store = Store(self.path, read_only=True)
        try:
            with store.reading() as db:
                if not self._is_ours(db):
                    return
                if not check_files.being_changed(self.path):
                    self._part("the log", lambda: check_log.check_log(self.path))
                self._part("the database", lambda: check_database.structure(db, self.format))
                self._part("the generations", lambda: self._generation(db))
                if self.generation >= 0:
                    self._contents(db)
        except (LibraryError, OSError) as error:
            reason = reason_of(error.__cause__ or error)
            if not any(f.kind == "database" for f in self.findings):
                message = f"{self.path / FILE} cannot be read as a library ({reason})."
                self._add("database", FILE, message, RESTORE)
        finally:
            store.close()

    def _remote(self) -> None:
        """Look over a library of which only the home is here."""
        try:
            parts = open_parts(self.address, create=False, read_only=True)
        except QuothError as error:
            kind = "unreachable" if isinstance(error, LibraryUnreachableError) else "library"
            advice = "Mend that first, then run this again."
            self._add(kind, str(self.address), str(error), advice)
            return
        engine = parts.engine
        with closing(parts.store), closing(engine):

            def part(what: str, look: Callable[[Database], Iterable[Finding]]) -> None:
                # A transaction each: after an error PostgreSQL answers nothing more in one.
                def looked() -> Iterator[Finding]:
                    with parts.store.reading() as db:
                        yield from look(db)

                self._part(what, looked)

            part("the generations", self._remote_generation)
            if self.generation >= 0:
                part("the small tables", check_database.seals)
                part("the vectors", check_documents.vectors)
                part("the documents", self._document_findings)
                part("the indexes", lambda db: check_engine(engine, db, self.generation))
                part("the uploads", lambda db: check_files.uploads(self.path, db, self.counts))

    def _remote_generation(self, db: Database) -> Iterable[Finding]:
        self.format = format_version(db)
        found = list(self._generation(db))
        self.counts.update(check_database.counts(db, self.generation))
        return found

    def _is_ours(self, db: Database) -> bool:
        application = db.execute("PRAGMA application_id").fetchone()[0]
        self.format = int(db.execute("PRAGMA user_version").fetchone()[0])
        if application != APPLICATION_ID:
            message = f"{self.path} is not a Quoth library: {FILE} is something else."
            self._add("library", FILE, message, RESTORE)
        elif self.format > FORMAT_VERSION:
            message = (
                f"{self.path} was written by a newer Quoth (library format {self.format}, this "
                f"version reads up to {FORMAT_VERSION})."
            )
            self._add("format", FILE, message, "Update Quoth to open it.")
        elif self.format < 1:
            self._add("format", FILE, f"{FILE} says nothing of its format.", RESTORE)
        else:
            return True
        return False

    def _generation(self, db: Database) -> Iterable[Finding]:
        self.generation = generation(db)
        return check_database.generations(db, self.generation, self.encoder)

    def _contents(self, db: Database) -> None:
        self.counts.update(check_database.counts(db, self.generation))
        if self.format < SINCE_FORMAT:
            self.findings.append(
                Finding(
                    kind="format",
                    where=FILE,
                    message=f"The library has the older format {self.format}, without checksums: "
                    "a damaged text cannot be told.",
                    advice="Open it once for writing, for example with `quoth sync`.",
                    severity=Severity.NOTICE,
                )
            )
            self._part("the small tables", lambda: check_database.readable(db))
            self._documents(db)
        else:
            self._checked(db)
        self._part("the derived files", lambda: check_files.derived(self.path, db))
        self._part("what is left over", lambda: check_files.leftovers(self.path, db))
        self._part("the uploads", lambda: check_files.uploads(self.path, db, self.counts))

    def _checked(self, db: Database) -> None:
        self._part("the small tables", lambda: check_database.seals(db))
        self._part("the vectors", lambda: check_documents.vectors(db))
        self._documents(db)

    def _documents(self, db: Database) -> None:
        self._part("the documents", lambda: self._document_findings(db))

    def _document_findings(self, db: Database) -> Iterable[Finding]:
        return check_documents.documents(db, self.path, self.generation, self.format)


def check_engine(engine: Engine, db: Database, number: int) -> Iterator[Finding]:
    """Yield what the indexes of a generation lack, or have that they should not."""
    for message, refused in engine.problems(db, number):
        yield Finding(
            kind="words",
            where="the indexes",
            message=message,
            advice=REPAIR,
            severity=Severity.WRONG if refused else Severity.SLOWER,
            repairable=True,
        )
