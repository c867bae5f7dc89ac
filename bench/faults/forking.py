"""Children of a process that has imported everything: they may be killed, crash or hang."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["HANG_SECONDS", "Ended", "Send", "forked", "temporary"]

HANG_SECONDS = 120.0
Send = Callable[[object], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a child.

    Attributes:
        sent: What it sent before it ended.
        signal: What ended it; 0 where it ended by itself.
        error: A traceback, or "".
        hung: Whether it had to be killed because it did not end.
    """

    sent: tuple[object, ...]
    signal: int
    error: str
    hung: bool

    @property
    def problems(self) -> list[str]:
        """What is wrong with an end that nobody brought about."""
        found = [self.error] if self.error else []
        if self.hung:
            found.append(f"no end after {HANG_SECONDS:.0f} s")
        elif self.signal:
            found.append(f"ended by {signal.Signals(self.signal).name}")
        return found


def forked(function: Callable[[Send], None], *, after: float = 0.0) -> Ended:
    """Run `function` in a child of this process and return what became of it.

    Args:
        function: Gets a function that sends a JSON-ready value at once: what was sent
            before the child died is not lost.
        after: Seconds after which the child is killed; 0 for never.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _child(function, writing)
    os.close(writing)
    data, hung = b"", False
    end = time.monotonic() + (after or HANG_SECONDS)
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            hung = not after
            os.kill(child, signal.SIGKILL)
            after, end = 0.0, time.monotonic() + HANG_SECONDS
            continue
        some = os.read(reading, 1 << 16)
        if not some:
            break
        data += some
    os.close(reading)
    _, status = os.waitpid(child, 0)
    values = [json.loads(line) for line in data.splitlines()]
    errors = [value["traceback"] for value in values if _is_error(value)]
    return Ended(
        tuple(value for value in values if not _is_error(value)),
        os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
        "".join(errors),
        hung,
    )


def _is_error(value: object) -> bool:
    return isinstance(value, dict) and "traceback" in value


def _child(function: Callable[[Send], None], writing: int) -> None:
    """Run `function` and end this process; never returns."""

    def send(value: object) -> None:
        os.write(writing, json.dumps(value).encode() + b"\n")

    code = 0
    try:
        function(send)
    except BaseException:  # noqa: BLE001 - a child must not go on as its parent
        send({"traceback": traceback.format_exc()})
        code = 1
    finally:
        os._exit(code)


@contextmanager
def temporary(work: Path) -> Iterator[Path]:
    """Give a new empty folder for one job."""
    folder = Path(tempfile.mkdtemp(prefix="job-", dir=work))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
