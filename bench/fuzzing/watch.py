"""A worker watched from outside: what it says, how long it is silent, what memory it takes."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Batch", "Outcome", "run_batch"]

ROOT = Path(__file__).resolve().parents[2]
_GLANCE = 0.05  # seconds between two looks at the memory of the parsers


@dataclass(slots=True)
class Outcome:
    """What became of one file.

    Attributes:
        reason: Why it gave no document; None where it did.
        cause: What the parser raised, where that was not foreseen.
        parser_mb: The most memory a process that parsed it was seen with.
        breaches: Promises that were broken.
    """

    name: str
    seconds: float = 0.0
    reason: str | None = None
    cause: str = ""
    characters: int = 0
    warnings: tuple[str, ...] = ()
    parser_mb: int = 0
    breaches: tuple[str, ...] = ()


@dataclass(slots=True)
class Batch:
    """What became of a folder of files: memory as the kernel recorded it, in MB."""

    outcomes: list[Outcome] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    own_mb: int = 0
    parsers_mb: int = 0
    sync_seconds: float = 0.0


def run_batch(
    folder: Path,
    place: Path,
    *,
    patience: float,
    sync_patience: float,
    began: Callable[[int, str], None] = lambda process, name: None,
) -> Batch:
    """Read and sync the files of `folder` in a process of their own, however often it dies.

    A file at which the process ends or falls silent is a breach, is moved away, and the rest is
    begun again without it.

    Args:
        folder: Files to read; nothing else.
        place: Where the library may be made, with a number behind it.
        patience: Seconds for one file.
        sync_patience: Seconds for the sync of all of them.
        began: Told the process and the file that it begins to read.
    """
    batch = Batch()
    for attempt in range(1, 1 + len(list(folder.iterdir()))):
        library = place.with_name(f"{place.name}-{attempt}")
        stopped, how = _Run(folder, library, patience, sync_patience, began).run(batch)
        if how is None:
            return batch
        if not stopped:
            batch.breaches.append(f"the sync of all files {how}")
            return batch
        batch.outcomes.append(Outcome(stopped, breaches=(how,)))
        (folder / stopped).rename(folder.with_name(f"{folder.name}-{attempt}-{stopped}"))
    return batch


class _Run:
    def __init__(
        self,
        folder: Path,
        place: Path,
        patience: float,
        sync_patience: float,
        began: Callable[[int, str], None],
    ) -> None:
        self._began = began
        self._arguments = [str(folder), str(place)]
        self._patience = {True: patience, False: sync_patience}

    def run(self, batch: Batch) -> tuple[str, str | None]:
        """Add to the batch; return where the worker stopped, and how if that was too soon."""
        lines: queue.Queue[str | None] = queue.Queue()
        worker = subprocess.Popen(
            [sys.executable, "-m", "bench.fuzzing.worker", *self._arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        )
        errors: list[str] = []
        readers = [
            threading.Thread(target=_pass_on, args=(worker.stdout, lines.put)),
            threading.Thread(target=_pass_on, args=(worker.stderr, errors.append)),
        ]
        for reader in readers:
            reader.start()
        try:
            return self._follow(worker, lines, errors, batch)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
            for reader in readers:
                reader.join()
            for stream in (worker.stdout, worker.stderr):
                assert stream is not None
                stream.close()

    def _follow(
        self,
        worker: subprocess.Popen[str],
        lines: queue.Queue[str | None],
        errors: list[str],
        batch: Batch,
    ) -> tuple[str, str | None]:
        name, begun, parser_mb, finished = "", time.monotonic(), 0, False
        told: dict[str, Outcome] = {}
        while True:
            try:
                line = lines.get(timeout=_GLANCE)
            except queue.Empty:
                parser_mb = max(parser_mb, *_memory_below(worker.pid))
                if time.monotonic() - begun > self._patience[bool(name)]:
                    return name, f"hung: nothing for {self._patience[bool(name)]:.0f} s"
                continue
            if line is None:
                break
            said = json.loads(line)
            batch.own_mb = max(batch.own_mb, said.get("own_kb", 0) // 1024)
            batch.parsers_mb = max(batch.parsers_mb, said.get("parsers_kb", 0) // 1024)
            if "begin" in said:
                name, begun, parser_mb = said["begin"], time.monotonic(), 0
                self._began(worker.pid, name)
            elif "end" in said:
                told[name] = _outcome(name, said, parser_mb)
            elif "synced" in said:
                batch.breaches += said["breaches"]
                batch.sync_seconds += said["seconds"]
                finished = True
        status = worker.wait()
        if finished and status == 0:
            batch.outcomes += told.values()
            return "", None
        last = next((each.strip() for each in reversed(errors) if each and each.strip()), "")
        return name, f"ended the process that read it with status {status}: {last}"


def _outcome(name: str, said: dict[str, Any], parser_mb: int) -> Outcome:
    return Outcome(
        name,
        seconds=said["seconds"],
        reason=said.get("reason"),
        cause=said.get("cause", ""),
        characters=said.get("characters", 0),
        warnings=tuple(said.get("warnings", ())),
        parser_mb=parser_mb,
        breaches=tuple(said["breaches"]),
    )


def _pass_on(stream: Any, take: Any) -> None:  # noqa: ANN401 - a pipe, and what takes its lines
    for line in stream:
        take(line)
    take(None)


def _memory_below(process: int) -> Iterator[int]:
    """Yield the most memory in MB of each process below, and 0."""
    yield 0
    waiting = [process]
    while waiting:
        here = waiting.pop()
        with contextlib.suppress(OSError, ValueError):
            for task in os.listdir(f"/proc/{here}/task"):
                children = Path(f"/proc/{here}/task/{task}/children").read_text().split()
                waiting += map(int, children)
            if here != process:
                lines = Path(f"/proc/{here}/status").read_text().splitlines()
                yield from (int(x.split()[1]) // 1024 for x in lines if x.startswith("VmHWM"))
