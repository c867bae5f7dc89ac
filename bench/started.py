"""Servers that a measurement or a test needs, started here and stopped in the end.

PostgreSQL as Debian installs it, on a socket alone; Milvus Lite, on the loopback address alone.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

__all__ = ["MilvusServer", "NotInstalledError", "PostgresServer", "milvus", "postgres"]

_SECONDS = 60


class NotInstalledError(Exception):
    """A server is not installed; the message says how it can be."""


@dataclass(slots=True)
class PostgresServer:
    """A server that listens on a socket in `folder` alone."""

    folder: Path
    programs: Path
    process: subprocess.Popen[bytes] = field(init=False)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def database(self, options: str = "") -> str:
        """Make a database and return its address."""
        name = f"library{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} {options}")
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def run(self, statement: str) -> None:
        """Run one statement as its owner."""
        import psycopg

        address = f"host={self.folder} user=postgres dbname=postgres"
        with psycopg.connect(address, autocommit=True) as db:
            db.execute(statement.encode())

    def start(self, **settings: str) -> None:
        """Start it, and wait until it answers."""
        given = {"listen_addresses": "", "shared_buffers": "64MB", "max_connections": "80"}
        command: list[str | Path] = [
            *(self.programs / "postgres", "-D", self.folder / "data", "-k", self.folder, "-F")
        ]
        for name, value in (given | settings).items():
            command += ["-c", f"{name}={value}"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, **_owner()
            )
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                self.run("SELECT 1")
            except Exception:  # noqa: BLE001 - not yet
                time.sleep(0.05)
            else:
                return
        raise RuntimeError((self.folder / "log").read_text())

    def end(self) -> None:
        """Stop it at once, as a power cut would."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(_SECONDS)

    def stop(self) -> None:
        """Stop it in good order, if it runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(_SECONDS)


@contextmanager
def postgres(**settings: str) -> Iterator[PostgresServer]:
    """Start a PostgreSQL server in a folder of its own.

    Args:
        settings: Of the server, such as shared_buffers="1GB".

    Raises:
        NotInstalledError: PostgreSQL is not installed.
    """
    programs = _programs()
    with tempfile.TemporaryDirectory(prefix="quoth-pg-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        folder.chmod(0o755)
        owner = _owner()
        if owner:
            shutil.chown(folder, owner["user"], owner["group"])
        command: list[str | Path] = [
            *(programs / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust"),
            *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"),
        ]
        subprocess.run(
            command, check=True, capture_output=True, timeout=_SECONDS, cwd=folder, **owner
        )
        server = PostgresServer(folder, programs)
        server.start(**settings)
        try:
            yield server
        finally:
            server.stop()


def _programs() -> Path:
    if found := shutil.which("initdb"):
        return Path(found).parent
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not newest:
        raise NotInstalledError("PostgreSQL is not installed (Debian: apt-get install postgresql).")
    return newest[-1].parent


def _owner() -> dict[str, Any]:
    """Return how to start a process: PostgreSQL does not run as root."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry.pw_gid for entry in pwd.getpwall()}
    user = "postgres" if "postgres" in known else "nobody"
    return {"user": user, "group": known[user], "extra_groups": []}


@dataclass(slots=True)
class MilvusServer:
    """A Milvus Lite server over `folder`, which several processes may use."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def address(self) -> str:
        """Where Quoth finds it; the name of a collection may follow."""
        return f"milvus+http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self.folder.mkdir(exist_ok=True)
        command = [
            *(str(Path(sys.executable).with_name("milvus-lite")), "server"),
            *("--data-dir", str(self.folder / "data")),
            *("--host", "127.0.0.1", "--port", str(self.port)),
        ]
        environment = os.environ | {"PYTHON_DOTENV_DISABLED": "1"}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            with closing(socket.socket()) as tried:
                if tried.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise RuntimeError((self.folder / "log").read_text())

    def end(self) -> None:
        """Stop it, as a crash would."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(_SECONDS)


@contextmanager
def milvus(folder: Path) -> Iterator[MilvusServer]:
    """Start a Milvus Lite server that keeps its files in `folder`."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    server = MilvusServer(folder, port)
    server.start()
    try:
        yield server
    finally:
        server.end()
