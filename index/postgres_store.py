"""PostgreSQL: the truth of a library that several machines search.

The tables are those of `index.schema`, in a schema of their own. A reader sees one state, as with
SQLite: REPEATABLE READ. One writer at a time has an advisory lock, which ends with its connection;
since a network can take a connection away without the writer noticing, each writer also draws a
number, and every transaction that writes compares it.
"""

from __future__ import annotations

import hashlib
import os
import queue
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from index.address import Address, without_password
from index.database import NUMBERED, Database, format_version
from index.errors import (
    LibraryDamagedError,
    LibraryError,
    LibraryFormatError,
    LibraryLockedError,
    LibraryNotFoundError,
    LibraryUnreachableError,
)
from index.lock import WAIT_SECONDS
from index.postgres import Connection, connect, psycopg
from index.schema import APPLICATION_ID, FORMAT_VERSION, POSTGRES_MIGRATIONS, statements
from index.sealing import seal_all
from index.seals import SINCE_FORMAT
from index.store import Store, set_meta

__all__ = ["PostgresStore"]

OLDEST_SERVER = 13
_KEPT = 8  # connections that nobody uses
_OURS = f"""
CREATE TABLE format(application BIGINT NOT NULL, number BIGINT NOT NULL);
INSERT INTO format VALUES({APPLICATION_ID}, 0);
CREATE TABLE writer(token BIGINT NOT NULL);
INSERT INTO writer VALUES(0);
CREATE TABLE numbers(name TEXT PRIMARY KEY, last BIGINT NOT NULL);
INSERT INTO numbers VALUES {", ".join(f"('{name}', 0)" for name in NUMBERED)};
"""
# Why the server lets nobody in: a connection that is not made has no code.
_REFUSED = (
    (re.compile(r'database ".*" does not exist'), "3D"),
    (re.compile(r"password|authentication|role|pg_hba"), "28"),
    (re.compile(r"too many|connection slots"), "53"),
)
_ADVICE = {
    "28": "check the user and the password (PGPASSWORD, or the file ~/.pgpass)",
    "3D": "make the database first, with createdb",
    "42501": "grant this user what is missing",
    "54": "shorten the path or the name that is too long for it",
    "53": "make room on the disk of the server, or let it take more connections",
}


class PostgresStore(Store):
    """Connections to one library in a PostgreSQL database."""

    longest_path = 2500  # no text that is much longer can be indexed

    def __init__(self, address: Address, *, read_only: bool = False) -> None:
        assert address.store is not None
        super().__init__(address.home, read_only=read_only)
        self._address, self._schema = address.store, address.schema
        self._token: int | None = None  # while this is the one that writes
        self.name = str(Address(Path(), address.store, address.schema))

    @classmethod
    def open_at(cls, address: Address, *, create: bool, read_only: bool = False) -> PostgresStore:
        """Open the library at `address`, or make an empty one there.

        Raises:
            LibraryNotFoundError: There is none and `create` is false.
            LibraryFormatError: Something else is there, or a library of a newer version.
            LibraryUnreachableError: The server does not answer, or lets nobody in.
        """
        store = cls(address, read_only=read_only)
        try:
            version = store._version()
            if version is None:
                if not create or read_only:
                    raise LibraryNotFoundError(
                        f"There is no library at {address}; check the address, or make one with "
                        "`quoth sync`."
                    )
                version = store._made()
            if version > FORMAT_VERSION:
                raise LibraryFormatError(
                    f"{address} was written by a newer Quoth (library format {version}, this "
                    f"version reads up to {FORMAT_VERSION}); update Quoth to open it."
                )
            if version < FORMAT_VERSION:
                if read_only:
                    raise LibraryFormatError(
                        f"{address} has the older library format {version}; "
                        "open it once for writing to bring it up to date."
                    )
                with store.locked():
                    store._migrate()
        except BaseException:
            store.close()
            raise
        return store

    def _version(self) -> int | None:
        """Return the format of the library that is there, None where nothing is.

        Raises:
            LibraryFormatError: The schema holds something else.
        """
        with self.reading() as db:
            # Not information_schema, which shows a user only what that user may use.
            there = db.execute(
                "SELECT 1 FROM pg_namespace n WHERE nspname = ? AND ("
                "EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid) OR "
                "EXISTS (SELECT FROM pg_proc WHERE pronamespace = n.oid) OR "
                "EXISTS (SELECT FROM pg_type WHERE typnamespace = n.oid))",
                (self._schema,),
            ).fetchone()
            if there is None:
                return None
            with suppress(psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
                row = db.execute(f'SELECT application FROM "{self._schema}".format').fetchone()
                if row is not None and row[0] == APPLICATION_ID:
                    return format_version(db)
        raise LibraryFormatError(
            f"The schema {self._schema} of {without_password(self._address)} holds something other "
            "than a Quoth library; give another with ?schema=NAME."
        )

    def _made(self) -> int:
        """Make an empty library, all of it or nothing."""
        with self._connection() as db:
            db.execute("BEGIN")
            try:
                # Of two that make it at once one comes second, and finds it made.
                db.execute("SELECT pg_advisory_xact_lock(?, ?)", self._keys("create"))
                there = db.execute(
                    "SELECT count(*) FROM pg_namespace WHERE nspname = ?",
                    (self._schema,),
                ).fetchone()[0]
                if not there:
                    db.execute(f'CREATE SCHEMA "{self._schema}"')
                made = db.execute("SELECT to_regclass('format') IS NOT NULL").fetchone()[0]
                if not made:
                    for statement in statements(_OURS):
                        db.execute(statement)
                    self._upgrade(db)
                    set_meta(db, "library", {"id": secrets.token_hex(8)})
                    seal_all(db)
                db.execute("COMMIT")
            except BaseException:
                self._undo(db)
                raise
        return FORMAT_VERSION

    def _migrate(self) -> None:
        with self.writing(seal=()) as db:
            self._upgrade(db)

    def _upgrade(self, db: Database) -> None:
        for version, script in POSTGRES_MIGRATIONS:
            if format_version(db) < version:
                for statement in statements(script):
                    db.execute(statement)
                db.execute("UPDATE format SET number = ?", (version,))
                if version == SINCE_FORMAT:
                    seal_all(db)

    # -- connections --------------------------------------------------------------------------

    def _taken(self) -> Any:  # noqa: ANN401
        while not self._idle.empty():
            with suppress(Exception):  # empty by now
                db: Connection = self._idle.get_nowait()
                if not db.ended:
                    return db
                db.close()
        return self._connected()

    def _connected(self) -> Any:  # noqa: ANN401
        name = f"quoth, process {os.getpid()} on {socket.gethostname()}"
        db = connect(self._address, application=name[:63])
        try:
            info = db.raw.info
            if info.server_version < OLDEST_SERVER * 10_000:
                raise LibraryFormatError(
                    f"The server of {without_password(self._address)} is PostgreSQL "
                    f"{info.server_version // 10_000}; Quoth needs {OLDEST_SERVER} or newer."
                )
            [encoding] = db.tuples("SHOW server_encoding", ())[0]
            if encoding != "UTF8":
                raise LibraryFormatError(
                    f"The database {info.dbname} has the encoding {encoding}; make one for Quoth "
                    "with `createdb --encoding UTF8 --template template0`."
                )
            db.raw.execute(
                f'SET search_path TO "{self._schema}";'
                " SET default_transaction_isolation TO 'read committed';"
                # The server, too, notices within a minute who has gone, and frees their lock.
                " SET tcp_keepalives_idle TO 20; SET tcp_keepalives_interval TO 10;"
                " SET tcp_keepalives_count TO 3".encode()
            )
        except BaseException:
            db.close()
            raise
        return db

    def _give_back(self, db: Any) -> None:  # noqa: ANN401
        if db.lost:
            self._drop_idle()  # what took this one has taken them too
        # Not all that a rush of questions took are kept: a server has a limited number of them.
        if self._closed or db.lost or db.in_transaction or self._idle.qsize() >= _KEPT:
            db.close()
        else:
            self._idle.put(db)

    def _drop_idle(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _begin(self, db: Database, *, writing: bool) -> None:
        if not writing:
            db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return
        db.execute("BEGIN")
        try:
            # One transaction that writes at a time, as with SQLite.
            row = db.execute("SELECT token FROM writer FOR UPDATE").fetchone()
            if self._token not in (None, row[0]):
                raise LibraryLockedError(
                    f"The connection to {self.name} was lost for a while, and another process has "
                    "begun to change it; nothing of this was published. Try again."
                )
        except BaseException:
            self._undo(db)
            raise

    def _commit(self, db: Database) -> None:
        try:
            db.execute("COMMIT")
        except psycopg.OperationalError as error:
            raise LibraryUnreachableError(
                f"{without_password(self._address)} was lost ({_reason(error)}) while a change was "
                "being published; whether it was is not known. Run it again: what is there already "
                "is not done twice."
            ) from error

    def _undo(self, db: Database) -> None:
        with suppress(psycopg.Error):
            if db.in_transaction:
                db.execute("ROLLBACK")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except psycopg.errors.UniqueViolation as error:
            raise LibraryLockedError(
                f"Another process has changed {self.name} meanwhile; nothing of this was "
                "published. Try again."
            ) from error
        except (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted) as error:
            raise LibraryDamagedError(f"{self.name} ({_reason(error)})") from error
        except psycopg.Error as error:
            where, reason = without_password(self._address), _reason(error)
            if where != self._address and error.sqlstate is None and "FATAL:" not in str(error):
                # What is not understood of an address is quoted, which may be the password.
                reason = re.sub(r"""(["']).*\1""", "…", reason)
            state = error.sqlstate or next((s for p, s in _REFUSED if p.search(reason)), "")
            if state[:2] in ("", "08", "57", "28", "3D"):
                advice = _ADVICE.get(state[:2], "check that it runs and that the network is there")
                raise LibraryUnreachableError(
                    f"{where} cannot be reached ({reason}); {advice}. "
                    "The library is as it was published last."
                ) from error
            advice = _ADVICE.get(state, _ADVICE.get(state[:2], "see the log of the server"))
            raise LibraryError(
                f"{where} cannot be read or written ({reason}); {advice}."
            ) from error

    # -- writers ------------------------------------------------------------------------------

    def _keys(self, what: str) -> tuple[int, int]:
        digest = hashlib.sha256(f"{what} {self._schema}".encode()).digest()
        first, second = (int.from_bytes(digest[i : i + 4], "big", signed=True) for i in (0, 4))
        return first, second

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers out, on whatever machine; the lock ends with the connection.

        Raises:
            LibraryLockedError: Somebody else held it for ten seconds.
        """
        with self._connection() as db:
            until = time.monotonic() + WAIT_SECONDS
            while not self._try_lock(db):
                if time.monotonic() >= until:
                    raise LibraryLockedError(
                        f"{self.name} is being changed by {self._holder(db)}; "
                        "wait until it is done and try again."
                    )
                time.sleep(0.2)
            try:
                drawn = db.execute("UPDATE writer SET token = token + 1 RETURNING token")
                self._token = int(drawn.fetchone()[0])
                yield
            finally:
                self._token = None
                with suppress(psycopg.Error):
                    db.execute("SELECT pg_advisory_unlock(?, ?)", self._keys("write"))

    def _try_lock(self, db: Database) -> bool:
        row = db.execute("SELECT pg_try_advisory_lock(?, ?)", self._keys("write")).fetchone()
        return bool(row[0])

    def _holder(self, db: Database) -> str:
        first, second = (key & 0xFFFFFFFF for key in self._keys("write"))
        row = db.execute(
            "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE locktype = 'advisory' AND classid::bigint = ? AND objid::bigint = ? AND granted"
            # Other databases of the server have keys of their own, which may be the same.
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            (first, second),
        ).fetchone()
        return "another process" if row is None else str(row[0]).removeprefix("quoth, ")

    # -- space --------------------------------------------------------------------------------

    @property
    def bytes_elsewhere(self) -> int:
        """How much room its tables and their indexes take."""
        with self.reading() as db:
            (size,) = db.execute(
                "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c"
                " JOIN pg_namespace n ON n.oid = relnamespace"
                " WHERE nspname = ? AND relkind = 'r'",
                (self._schema,),
            ).fetchone()
        return int(size)

    def vacuum(self) -> str:
        """Let the server use the space of deleted rows again."""
        with self._write_lock, self._connection() as db:
            for table in ("sentences", "passages", "documents", "vectors"):
                db.execute(f"VACUUM {table}")
        return ""

    def checkpoint(self) -> None:
        """Do nothing: the server sees to its log."""


def _reason(error: psycopg.Error) -> str:
    """Return the first line of what the server, or the library that asks it, says."""
    lines = [line for line in str(error).strip().splitlines() if line]
    said = lines[0] if lines else type(error).__name__
    return said.rpartition("FATAL:")[2].strip().rstrip(".") or said
