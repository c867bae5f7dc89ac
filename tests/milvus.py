"""A Milvus Lite server for tests: one that several processes may use, on loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MilvusServer", "milvus_server"]

_SECONDS = 60


@dataclass(slots=True)
class MilvusServer:
    """A server over `folder`."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        """Where Quoth finds it."""
        return f"milvus+http://127.0.0.1:{self.port}"

    def end(self) -> None:
        """Stop it, as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(_SECONDS)

    def again(self) -> None:
        """Start it once more at the same place."""
        self.process = _start(self.folder, self.port)


@contextmanager
def milvus_server(folder: Path) -> Iterator[MilvusServer]:
    """Start a server and stop it in the end."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    server = MilvusServer(folder, port, _start(folder, port))
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.end()


def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    folder.mkdir(exist_ok=True)
    command = [
        *(str(Path(sys.executable).with_name("milvus-lite")), "server"),
        *("--data-dir", str(folder / "data"), "--host", "127.0.0.1", "--port", str(port)),
    ]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | {"PYTHON_DOTENV_DISABLED": "1"}
        )
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and process.poll() is None:
        with closing(socket.socket()) as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.1)
    raise AssertionError((folder / "log").read_text())
