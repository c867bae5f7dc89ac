"""The server as people start it, killed and started again, and what it takes of the machine."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PASSWORD", "Ran", "Sample", "Server"]

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery staple"
_SECONDS_TO_START = 120.0
_SECONDS_TO_END = 20.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server took at one moment.

    Attributes:
        at: Seconds of the monotonic clock.
        start: Which start of the server it was, from 1.
        resident: Bytes in memory, of the server itself.
        proportional: The same with its children, shared pages counted in part; 0 if not looked at.
        cpu: Seconds of processor time so far.
        files: Open files and connections.
        threads: Threads.
    """

    at: float
    start: int
    resident: int
    proportional: int
    cpu: float
    files: int
    threads: int


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended: its exit status, and what it printed and said."""

    status: int
    printed: str
    said: str


class Server:
    """`quoth chat` over a folder of documents, on a port that stays the same.

    Args:
        folder: Where everything is put: `documents` are there already.
        password: Whether one is asked.
        documents: Folder of the documents, where that is another one.
        address: Of the library, where that is not in `folder`; then nothing is synced at the start.
        command: "chat", or "serve" for the API without the page.
    """

    def __init__(
        self,
        folder: Path,
        *,
        password: bool,
        documents: Path | None = None,
        address: str | None = None,
        command: str = "chat",
    ) -> None:
        self.name = folder.name
        self.folder, self.documents = folder, documents or folder / "documents"
        self.library = folder / "l.quoth"
        self.place = address or str(self.library)
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.log = folder / "server.log"
        self.port = _free_port()
        self.starts = 0
        self.up = asyncio.Event()
        self.password = PASSWORD if password else ""
        self._process: subprocess.Popen[bytes] | None = None
        self._command = [command] if address else [command, str(self.documents)]
        self._homes = folder / "homes"
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self.temporary),
            "QUOTH_HOME": str(self._homes),
        }

    @property
    def address(self) -> str:
        """Where people find it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def inside(self) -> Path:
        """The folder on this machine that belongs to the library: all of it, or its home."""
        return next(self._homes.glob("*.quoth"), self.library)

    def index(self) -> None:
        """Make the library, and the password file where one is asked."""
        self._run("sync", str(self.documents), "--library", self.place)
        if self.password:
            self._run("password", str(self.folder / "password"), said=f"{self.password}\n" * 2)

    async def start(self) -> float:
        """Start it; return after how many seconds it answers.

        Raises:
            RuntimeError: It does not.
        """
        command = [sys.executable, str(ROOT / "ui.py"), *self._command]
        command += ["--library", self.place, "--port", str(self.port)]
        if self.password:
            command += ["--password-file", str(self.folder / "password")]
        began = time.perf_counter()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        while not await self._answers():
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended when it was started: {self.tail()}")
            if time.perf_counter() - began > _SECONDS_TO_START:
                raise RuntimeError(f"the server does not answer: {self.tail()}")
            await asyncio.sleep(0.1)
        self.starts += 1
        self.up.set()
        return time.perf_counter() - began

    def kill(self) -> None:
        """End it as a power cut would: at once, with nothing said to it."""
        assert self._process is not None
        self.up.clear()
        self._process.kill()
        self._process.wait()

    async def terminate(self) -> float | None:
        """End it in good order; return after how many seconds, None where it had to be killed."""
        process = self._process
        if process is None:
            return None
        self.up.clear()
        began = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        while process.poll() is None:
            if time.perf_counter() - began > _SECONDS_TO_END:
                process.kill()
                process.wait()
                return None
            await asyncio.sleep(0.02)
        return time.perf_counter() - began

    def sample(self, *, proportional: bool) -> Sample | None:
        """Return what it takes now; None while it does not run."""
        process = self._process
        if process is None or process.poll() is not None:
            return None
        of = Path("/proc") / str(process.pid)
        try:
            fields = (of / "stat").read_text().rpartition(")")[2].split()
            pages = int((of / "statm").read_text().split()[1])
            return Sample(
                at=time.monotonic(),
                start=self.starts,
                resident=pages * os.sysconf("SC_PAGE_SIZE"),
                proportional=_proportional(process.pid) if proportional else 0,
                cpu=(int(fields[11]) + int(fields[12])) / _TICKS,
                files=len(os.listdir(of / "fd")),
                threads=int(fields[17]),
            )
        except OSError:  # it has just ended
            return None

    def files(self) -> list[str]:
        """Return the names of what it has open, without their folders and numbers."""
        found: list[str] = []
        if self._process is not None:
            for each in Path(f"/proc/{self._process.pid}/fd").iterdir():
                with suppress(OSError):
                    found.append(each.readlink().name.partition(":")[0])
        return found

    def tail(self) -> str:
        """Return the end of what it said."""
        said = self.log.read_text(errors="replace") if self.log.exists() else ""
        return said[-1_500:].strip() or "it said nothing"

    async def run(self, *arguments: str) -> Ran:
        """Run a command for the library beside the server, as somebody on its machine does."""
        command = [str(ROOT / "ui.py"), *arguments, "--library", self.place]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        printed, said = await process.communicate()
        assert process.returncode is not None
        return Ran(process.returncode, printed.decode(), said.decode())

    async def _answers(self) -> bool:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
            return True
        return False

    def _run(self, *arguments: str, said: str = "") -> None:
        command = [sys.executable, str(ROOT / "ui.py"), *arguments]
        subprocess.run(
            command, env=self._environment, input=said.encode(), stdout=2, stderr=None, check=True
        )


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _proportional(pid: int) -> int:
    """Return the bytes of a process and its children, pages they share counted in part."""
    total = 0
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total = int(line.split()[1]) * 1024
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                total += _proportional(int(child))
    return total
