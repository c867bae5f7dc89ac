"""A disk that is really full, and a clock that jumps: a job each."""

from __future__ import annotations

import ctypes
import os
import random
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from small import write

from bench.faults.examine import Problems, examine, one_sentence
from bench.faults.forking import Send, forked, temporary
from bench.faults.scenarios import OLD, SCENARIOS
from bench.faults.shim import Shim
from bench.faults.workload import Run, observed
from index.errors import QuothError

__all__ = ["clock", "full", "mounted", "read_only", "writable"]

Job = Mapping[str, Any]
Reply = dict[str, Any]

_NEW_NAMESPACE = 0x00020000
_PRIVATE, _REMOUNT, _BIND, _READ_ONLY = 0x44000, 0x20, 0x1000, 0x1
_DETACH = 2  # although files are open there
_YEAR = 365 * 24 * 60 * 60


def mounted(folder: Path, options: str, *, again: bool = False) -> None:
    """Mount a disk in memory on `folder`, which only this process and its children see.

    Raises:
        OSError: This process may not; root may.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not again:
        _done(libc.unshare(_NEW_NAMESPACE))
        _done(libc.mount(b"none", b"/", None, _PRIVATE, None))
    flags = _REMOUNT if again else 0
    _done(libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", flags, options.encode()))


def read_only(folder: Path) -> None:
    """Let what is below `folder` be read only, by whoever goes there from now on."""
    libc, place = ctypes.CDLL(None, use_errno=True), os.fsencode(folder)
    _done(libc.mount(place, place, None, _BIND, None))
    _done(libc.mount(place, place, None, _BIND | _REMOUNT | _READ_ONLY, None))


def writable(folder: Path) -> None:
    """Take `read_only` back."""
    _done(ctypes.CDLL(None, use_errno=True).umount2(os.fsencode(folder), _DETACH))


def _done(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def full(work: Path, job: Job) -> Reply:
    """Do a scenario on a disk with so many bytes more than the library needs ("room").

    Returns:
        "told": what was said when it was full; "reached": whether it was.
    """
    scenario = SCENARIOS[job["scenario"]]
    base = work / scenario.name.replace(" ", "-")
    states: list[str] = job["states"]
    with temporary(work) as folder:

        def filled(send: Send) -> None:
            blocks = sum(-(-p.stat().st_size // 4096) + 1 for p in (base / "world").rglob("*"))
            size = (blocks + 2) * 4096 + job["room"]
            mounted(folder, f"size={size}")
            shutil.copytree(base / "world", folder / "world")
            run = scenario.run(folder / "world", base / "docs")
            for number, operation in enumerate(scenario.operations, 1):
                try:
                    operation(run)
                except QuothError as error:
                    send({"told": str(error), "problems": [p for p in [one_sentence(error)] if p]})
                    mounted(folder, "size=64m", again=True)
                    if observed(scenario, run) not in states[number - 1 : number + 1]:
                        send({"problems": ["another state while the disk was full"]})
                    if observed(scenario, run) == states[number - 1]:
                        operation(run)
            run.close()
            mounted(folder, "size=64m", again=True)  # looking also writes: it compacts
            send({"problems": examine(scenario, run, states, len(scenario.operations))})

        ended = forked(filled)
        sent: list[Any] = list(ended.sent)
        told = [value["told"] for value in sent if "told" in value]
        problems = [problem for value in sent for problem in value.get("problems", ())]
        return {"told": told, "reached": bool(told), "problems": [*problems, *ended.problems]}


def clock(work: Path, job: Job) -> Reply:
    """Sync again and again while the clock jumps by years: every change of a file is seen."""
    draw = random.Random(job["seed"])
    with temporary(work) as folder:

        def jumping(send: Send) -> None:
            shim = Shim()
            run = Run(folder / "world", folder / "docs")
            run.world.mkdir()
            write(run.docs, OLD)
            problems: Problems = []
            for turn in range(8):
                shim.clock(draw.choice((0, -30, 30, -3600, 3600, -_YEAR, _YEAR, 20 * _YEAR)))
                name = draw.choice(sorted(OLD))
                # As long as before: only its time and its content tell that it is another.
                text = f"Turn {turn} {draw.randrange(10**6):06}.".ljust(len(OLD[name]), ".")
                write(run.docs, {name: text})
                run.library.sync(run.docs)
                documents = {info.path: info.id for info in run.library.documents()}
                now = {path: run.library.text(number) for path, number in documents.items()}
                files = {path.name: path.read_text() for path in run.docs.iterdir()}
                if now != files:
                    problems.append(f"turn {turn}: {name} is not what the file says")
            run.close()
            send(problems)

        ended = forked(jumping)
        sent: list[Any] = list(ended.sent)
        return {"problems": [*(sent[0] if sent else ()), *ended.problems]}
