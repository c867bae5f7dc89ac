"""`quoth chat` in a process of its own, as people run it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Running", "Server", "serve"]

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs.

    Attributes:
        address: Where it answers, without a slash at the end.
        library: The folder of its library.
        pid: Its process.
    """

    address: str
    library: Path
    pid: int

    def hold(self) -> None:
        """Make it stand still, so that what a page shows meanwhile can be looked at."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run again, whether or not it was held."""
        os.kill(self.pid, signal.SIGCONT)


@contextmanager
def serve(library: Path, *arguments: str | Path) -> Iterator[Server]:
    """Run `quoth chat` over `library` on any free port.

    It must end on Ctrl+C in good order and have shown no traceback.
    """
    command: list[str | Path] = [sys.executable, ROOT / "ui.py", "chat", "--library", library]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    environment.pop("QUOTH_LIBRARY", None)
    process = subprocess.Popen(
        [*command, "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    said: list[str] = []
    # Read on, or a full pipe would stop the server.
    reader = threading.Thread(target=lambda stream: said.extend(stream), args=(process.stderr,))
    reader.start()
    try:
        line = process.stdout.readline()
        assert line.startswith("Quoth is at http://127.0.0.1:"), (line, said)
        yield Server(line.split()[3].rstrip("/"), library, process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            status = process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        reader.join(timeout=10)
        process.stdout.close()
        process.stderr.close()
    assert status == 0, said
    assert "Traceback" not in "".join(said), "".join(said)


class Running:
    """Servers by kind; each starts when it is first wanted and runs until the end."""

    def __init__(self, make: Callable[[str], tuple[Path, list[str | Path]]]) -> None:
        """`make` makes what a kind of server needs: its library and its further arguments."""
        self._make = make
        self._made: dict[str, tuple[Path, list[str | Path]]] = {}
        self._running: dict[str, tuple[Server, ExitStack]] = {}

    def __call__(self, kind: str) -> Server:
        """Return the server of a kind."""
        if kind not in self._running:
            self._made[kind] = self._make(kind)
            self._start(kind)
        return self._running[kind][0]

    def restart(self, kind: str) -> None:
        """End a server that runs, and start it at the same address over the same library."""
        server, stack = self._running.pop(kind)
        stack.close()
        self._start(kind, "--port", server.address.rpartition(":")[2])

    def close(self) -> None:
        """End them all."""
        with ThreadPoolExecutor() as pool:  # side by side, as each takes a second
            for ended in [pool.submit(stack.close) for _, stack in self._running.values()]:
                ended.result()

    def _start(self, kind: str, *more: str) -> None:
        library, arguments = self._made[kind]
        stack = ExitStack()
        server = stack.enter_context(serve(library, *arguments, *more))
        self._running[kind] = server, stack
