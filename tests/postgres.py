"""A real PostgreSQL server for tests: the one that Debian installs, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Server", "server"]

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens on a socket in `folder` alone."""

    folder: Path
    process: subprocess.Popen[bytes]
    numbers: count[int]

    def database(self) -> str:
        """Make a database and return its address."""
        name = f"library{next(self.numbers)}"
        _psql(self.folder, f"CREATE DATABASE {name}")
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def end(self) -> None:
        """Stop it at once, as a power cut would."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(_SECONDS)


@contextmanager
def server(**settings: str) -> Iterator[Server]:
    """Start a server and stop it in the end; skip where PostgreSQL is not installed."""
    programs = _programs()
    if programs is None:
        if os.environ.get("QUOTH_REQUIRE_POSTGRES"):
            pytest.fail("PostgreSQL is not installed")
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with tempfile.TemporaryDirectory(prefix="quoth-pg-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        data = folder / "data"
        _make(programs, folder, data)
        process = _start(programs, folder, data, settings)
        try:
            yield Server(folder, process, count(1))
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(_SECONDS)


def again(old: Server) -> Server:
    """Start a server again that was ended."""
    programs = _programs()
    assert programs is not None
    return Server(old.folder, _start(programs, old.folder, old.folder / "data", {}), old.numbers)


def _programs() -> Path | None:
    if found := shutil.which("initdb"):
        return Path(found).parent
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return newest[-1].parent if newest else None


def _owner() -> dict[str, Any]:
    """Return how to start a process: PostgreSQL does not run as root."""
    if os.geteuid() != 0:
        return {}
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


def _make(programs: Path, folder: Path, data: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    command: list[str | Path] = [
        *(programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"),
        *("--locale=C.UTF-8", "--no-sync", "--no-instructions"),
    ]
    subprocess.run(
        command,
        check=True,
        capture_output=True,
        timeout=_SECONDS,
        cwd=folder,
        **_owner(),
    )


def _start(
    programs: Path, folder: Path, data: Path, settings: dict[str, str]
) -> subprocess.Popen[bytes]:
    given = {"listen_addresses": "", "shared_buffers": "16MB", "max_connections": "60", **settings}
    command: list[str | Path] = [programs / "postgres", "-D", data, "-k", folder, "-F"]
    for name, value in given.items():
        command += ["-c", f"{name}={value}"]
    with (folder / "log").open("ab") as log:
        process: subprocess.Popen[bytes] = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=folder,
            **_owner(),
        )
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            _psql(folder, "SELECT 1")
        except Exception:  # noqa: BLE001 - not yet
            time.sleep(0.05)
        else:
            return process
    raise AssertionError((folder / "log").read_text())


def _psql(folder: Path, statement: str) -> None:
    import psycopg

    with psycopg.connect(f"host={folder} user=postgres dbname=postgres", autocommit=True) as db:
        db.execute(statement)
