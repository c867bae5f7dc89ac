"""One crash, cut or fault each: done in a child, then looked at in another."""

from __future__ import annotations

import errno
import hashlib
import importlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from bench.faults.damage import damage, damage_reference
from bench.faults.disks import clock, full
from bench.faults.examine import Problems, examine, one_sentence
from bench.faults.forking import Send, forked, temporary
from bench.faults.replay import History, acknowledged, written
from bench.faults.scenarios import SCENARIOS
from bench.faults.shim import Kind, Shim, read_log
from bench.faults.workload import Run, Scenario, fresh, loaded_model, make_small, observed
from index.errors import QuothError
from index.uploads import interrupted

__all__ = ["FAULTS", "JOBS", "Job", "Reply", "make_ready"]

Job = Mapping[str, Any]
Reply = dict[str, Any]

_LAZY = (
    *("faiss", "tantivy", "numpy", "filelock", "index.library", "index.maintain", "index.find"),
    *(
        "index.draft",
        "index.searcher",
        "index.content",
        "qa.retriever",
        "qa.chats",
        "index.upkeep.check",
    ),
    *(
        "index.upkeep.repair",
        "index.sealing",
        "index.models",
        "index.outdated",
        "index.formats.text",
    ),
)
_ROOM = frozenset(
    {Kind.CREATE, Kind.WRITE, Kind.TRUNCATE, Kind.RENAME, Kind.MKDIR, Kind.LINK, Kind.SYNC}
)
_EVERY = frozenset(Kind) - {Kind.MARK, Kind.MAPPED}
# By name: which error, what fails with it, how often, and whether the first write is cut short.
FAULTS: dict[str, tuple[int, frozenset[Kind], int, int]] = {
    "disk full": (errno.ENOSPC, _ROOM, 1 << 40, 1),
    "disk full once": (errno.ENOSPC, _ROOM, 1, 0),
    "over quota": (errno.EDQUOT, _ROOM, 1 << 40, 0),
    "error": (errno.EIO, _EVERY, 1, 0),
    "errors": (errno.EIO, _EVERY, 1 << 40, 0),
    "read-only": (errno.EROFS, _EVERY - {Kind.SYNC}, 1 << 40, 0),
    "interrupted": (errno.EINTR, frozenset({Kind.WRITE}), 1, 0),
    "short write": (0, frozenset({Kind.WRITE}), 1, 2),
    "read error": (errno.EIO, frozenset(), 1, 0),
    "read errors": (errno.EIO, frozenset(), 1 << 40, 0),
}


def make_ready() -> None:
    """Import and load what every child would have to; no thread may be started here."""
    from index.ingest import Label, document_of, prepare

    for module in _LAZY:
        importlib.import_module(module)
    make_small()
    text = document_of("once", "Words are loaded here, e.g. those of a language. And rules.")
    prepare(text, Label(source=1, path="once", type="text"))
    logging.getLogger("quoth").setLevel(logging.CRITICAL)


def reference(work: Path, job: Job) -> Reply:
    """Make the scenario's library, and find out what happens when nothing does.

    Returns:
        "states", "steps" and "log" (how many records); kept in a file for the other jobs.
    """
    scenario = _scenario(job)
    base = _base(work, scenario)
    shutil.rmtree(base, ignore_errors=True)
    _reference.cache_clear()
    _history.cache_clear()
    _seen.clear()
    (base / "world").mkdir(parents=True)
    (base / "docs").mkdir()
    problems = forked(lambda send: _prepare(scenario, base)).problems
    states: list[str] = []
    with temporary(work) as folder:
        ended = forked(lambda send: _undisturbed(scenario, _copied(scenario, base, folder), send))
        problems += ended.problems
        states += [str(value) for value in ended.sent]
    recorded = forked(lambda send: _recorded(scenario, base, send))
    problems += recorded.problems
    if problems or len(states) != len(scenario.operations) + 2 or states[-1] != states[-2]:
        return {"problems": [*problems, f"the states are {states}"]}
    (steps,) = recorded.sent
    result = {"states": states[:-1], "steps": steps, "log": len(_history(base))}
    # The real model takes its time.
    result["weight"] = int(str(steps)) // (8 if scenario.real else 1)
    (base / "reference.json").write_text(json.dumps(result))
    return {**result, "problems": []}


def _prepare(scenario: Scenario, base: Path) -> None:
    run = scenario.run(base / "world", base / "docs")
    scenario.prepare(run)
    run.close()


def _undisturbed(scenario: Scenario, run: Run, send: Send) -> None:
    """Send each state, and the last one again as a fresh build has it."""
    send(observed(scenario, run))
    for operation in scenario.operations:
        operation(run)
        send(observed(scenario, run))
    send(fresh(scenario, run))


def _recorded(scenario: Scenario, base: Path, send: Send) -> None:
    """Do it with the log of all steps, and keep what is on the disk at the end."""
    run = _copied(scenario, base, base / "recorded")
    files = [path for path in run.world.rglob("*") if path.is_file()]
    inodes = {path.stat().st_ino: path.relative_to(run.world).as_posix() for path in files}
    (base / "inodes.json").write_text(json.dumps(inodes))
    log = os.open(base / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    shim = Shim()
    shim.arm(run.world, log)
    for number, operation in enumerate(scenario.operations, 1):
        operation(run)
        shim.mark(number)
    run.close()
    send(shim.steps)


def _scenario(job: Job) -> Scenario:
    scenario = SCENARIOS[job["scenario"]]
    if scenario.real:
        loaded_model()
    return scenario


def _base(work: Path, scenario: Scenario) -> Path:
    return work / scenario.name.replace(" ", "-")


def _copied(scenario: Scenario, base: Path, folder: Path) -> Run:
    shutil.copytree(base / "world", folder / "world")
    return scenario.run(folder / "world", base / "docs")


@lru_cache(maxsize=32)
def _reference(base: Path) -> tuple[list[str], int]:
    found = json.loads((base / "reference.json").read_text())
    return found["states"], found["steps"]


@lru_cache(maxsize=32)
def _history(base: Path) -> History:
    inodes = json.loads((base / "inodes.json").read_text())
    records = read_log(base / "log")
    return History(base / "world", {int(key): path for key, path in inodes.items()}, records)


def kill(work: Path, job: Job) -> Reply:
    """Kill a run at a step ("at", "torn"), or after some seconds ("after")."""
    scenario = _scenario(job)
    base = _base(work, scenario)
    with temporary(work) as folder:
        run = _copied(scenario, base, folder)

        def doomed(send: Send) -> None:
            shim = Shim()
            shim.arm(run.world)
            shim.kill(job.get("at", 0), torn=job.get("torn", False))
            for number, operation in enumerate(scenario.operations, 1):
                operation(run)
                send(number)
            run.close()

        ended = forked(doomed, after=job.get("after", 0.0))
        if ended.error or ended.hung:
            return {"problems": ended.problems}
        return {
            "killed": bool(ended.signal),
            "problems": _examined(scenario, base, run, len(ended.sent)),
        }


def _examined(
    scenario: Scenario, base: Path, run: Run, done: int, *, power_cut: bool = False
) -> Problems:
    states, _ = _reference(base)

    def look(send: Send) -> None:
        again = scenario.run(run.world, run.docs)
        send(examine(scenario, again, states, done, power_cut=power_cut))

    ended = forked(look)
    found = [str(problem) for value in ended.sent for problem in _listed(value)]
    return [*found, *ended.problems]


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


_seen: set[bytes] = set()


def cut(work: Path, job: Job) -> Reply:
    """Cut the power after some steps ("upto") and look at one state that may be left."""
    scenario = _scenario(job)
    base = _base(work, scenario)
    history = _history(base)
    folders, files = history.left(job["upto"], job["cut"], job["seed"])
    done = acknowledged(history, job["upto"])
    parts = [scenario.name, done, sorted(folders)]
    parts += [(p, hashlib.sha256(d).digest()) for p, d in sorted(files.items()) if "-shm" not in p]
    mark = hashlib.sha256(repr(parts).encode()).digest()
    if mark in _seen:
        return {"same": True, "problems": []}
    _seen.add(mark)
    with temporary(work) as folder:
        written(folder / "world", folders, files)
        run = scenario.run(folder / "world", base / "docs")
        return {"same": False, "problems": _examined(scenario, base, run, done, power_cut=True)}


def fault(work: Path, job: Job) -> Reply:
    """Let a step fail ("fault", "at"): told in a sentence, nothing lost, and then it goes on."""
    scenario = _scenario(job)
    base = _base(work, scenario)
    states, _ = _reference(base)
    with temporary(work) as folder:
        run = _copied(scenario, base, folder)
        ended = forked(partial(_faulty, scenario, run, states, job["fault"], job["at"]))
        found = [value for value in ended.sent if isinstance(value, dict)]
        told = [value["told"] for value in found if "told" in value]
        reached = any(value.get("reached") for value in found)
        problems = [problem for value in found for problem in value.get("problems", ())]
        problems += ended.problems
        if not problems:
            problems = _examined(scenario, base, run, len(scenario.operations))
        return {"told": told, "reached": reached, "problems": problems}


def _faulty(
    scenario: Scenario, run: Run, states: list[str], name: str, at: int, send: Send
) -> None:
    error, kinds, count, shorten = FAULTS[name]
    shim = Shim()
    shim.arm(run.world, reading=name.startswith("read e"))

    def broken() -> None:
        if kinds:
            shim.fail(at, count, error, kinds, shorten=shorten)
        else:
            shim.fail_reads(at, count, error)

    def mended() -> None:
        shim.fail(0, 0, 0, frozenset())
        shim.fail_reads(0, 0, 0)

    broken()
    for number, operation in enumerate(scenario.operations, 1):
        reached = partial(lambda: (shim.steps if kinds else shim.reads) >= at)
        try:
            operation(run)
        except QuothError as problem:
            mended()
            send({"told": f"{type(problem).__name__}: {problem}", "reached": True})
            if wrong := one_sentence(problem):
                send({"problems": [wrong]})
        else:
            if not reached():
                continue
            mended()
            send({"reached": True})
            now = _settled(scenario, run)
            if now != states[number]:
                send({"problems": [f"operation {number} was done, but the state is {now}"]})
            continue
        now = _settled(scenario, run)
        # Of uploads that cannot be read some may be taken in, as with any folder.
        if kinds and now not in states[number - 1 : number + 1]:
            send({"problems": [f"after the error the state is none of {number - 1}, {number}"]})
        if now != states[number]:
            operation(run)  # in the same process, with the same library
            if _settled(scenario, run) != states[number]:
                send({"problems": [f"operation {number} did not go on afterwards"]})
    mended()
    run.close()


def _settled(scenario: Scenario, run: Run) -> str:
    """Return what is observed once the next writer has put uploads in order.

    Files that could not be read are read again: that they were not was reported.
    """
    if interrupted(run.library.uploads):
        run.library.sync(run.library.uploads, dry_run=True)
    if any("cannot be read" in failure.reason for failure in run.library.failures()):
        run.library.sync(run.library.uploads)
    return observed(scenario, run)


def count_reads(work: Path, job: Job) -> Reply:
    """Return how many reads the scenario does: "reads"."""
    scenario = _scenario(job)
    base = _base(work, scenario)
    with temporary(work) as folder:
        run = _copied(scenario, base, folder)

        def counted(send: Send) -> None:
            shim = Shim()
            shim.arm(run.world, reading=True)
            shim.fail_reads(1 << 40, 1, errno.EIO)
            for operation in scenario.operations:
                operation(run)
            run.close()
            send(shim.reads)

        ended = forked(counted)
        return {"reads": ended.sent[0] if ended.sent else 0, "problems": ended.problems}


def replayed(work: Path, job: Job) -> Reply:
    """Compare what the log makes of the folder with what was on the disk: nothing escapes it."""
    base = _base(work, SCENARIOS[job["scenario"]])
    history = _history(base)
    folders, files = history.left(len(history), "all", 0)
    there = {
        path.relative_to(base / "recorded" / "world").as_posix(): path
        for path in (base / "recorded" / "world").rglob("*")
    }
    problems = []
    if folders != {name for name, path in there.items() if path.is_dir()}:
        problems.append("other folders")
    kept = {name: path.read_bytes() for name, path in there.items() if path.is_file()}
    for name in sorted(kept.keys() | files.keys()):
        if not name.endswith("-shm") and kept.get(name) != files.get(name):
            problems.append(f"{name} is not what was written down")
    mapped = {s.record.path for s in history.steps if s.record.kind is Kind.MAPPED}
    problems += [f"{name} is written through memory" for name in mapped if "-shm" not in name]
    kinds = [s.record.kind.name for s in history.steps]
    return {"problems": problems, "kinds": {kind: kinds.count(kind) for kind in set(kinds)}}


JOBS: dict[str, Callable[[Path, Job], Reply]] = {
    "reference": reference,
    "replayed": replayed,
    "reads": count_reads,
    "kill": kill,
    "cut": cut,
    "fault": fault,
    "damage reference": damage_reference,
    "damage": damage,
    "full": full,
    "clock": clock,
}
