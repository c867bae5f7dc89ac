"""Processes that do jobs, as the campaign and the tests see them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.faults.shim import build

__all__ = ["Server"]

_ROOT = Path(__file__).resolve().parents[2]


class Server:
    """One process that does a job at a time; a context manager that ends it."""

    def __init__(self, work: Path) -> None:
        """Start it; `work` is where libraries are made, copied and broken.

        Raises:
            RuntimeError: There can be no shim on this machine.
        """
        work.mkdir(parents=True, exist_ok=True)
        self._work = work.resolve()
        paths = [str(_ROOT), str(_ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | {
            "LD_PRELOAD": str(build(self._work / "shim")),
            "PYTHONPATH": os.pathsep.join(paths),
            "OMP_NUM_THREADS": "1",
            "QUOTH_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.faults.server", str(self._work)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def alive(self) -> bool:
        """Return whether it can do another job."""
        return self._process.poll() is None

    def do(self, job: str, **values: object) -> dict[str, Any]:
        """Do a job of `bench.faults.jobs` and return its reply.

        Raises:
            RuntimeError: The process ended before it had replied.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({"job": job, **values}) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process for jobs ended with {self._process.wait()}")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
