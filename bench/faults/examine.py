"""A library after a crash: is it whole, is nothing lost, and does it go on?"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path

from bench.faults.workload import LIBRARY, Run, Scenario, observed
from index.ingest import key_of
from index.store import FILE
from index.types import Part
from index.upkeep.check import Severity, check_library

__all__ = ["Problems", "examine", "leftovers", "one_sentence"]

Problems = list[str]
# What may lie in a library that nobody is writing to.
_KNOWN = re.compile(
    r"(store|chats)\.db(-wal|-shm)?|writer\.lock|vectors-[\w-]+\.faiss|uploads(/.*)?"
    r"|words-\d+(/(\.managed\.json|meta\.json|\.tantivy-\w+\.lock|[0-9a-f]{32}[.\w]*))?"
)


def examine(
    scenario: Scenario, run: Run, states: Sequence[str], done: int, *, power_cut: bool = False
) -> Problems:
    """Return what is wrong with a library whose `done` first operations were acknowledged.

    It must be in that state or the next, go on from there to the last one, keep it when it is
    compacted, and pass its own check; nothing that was embedded is embedded again, and nothing
    temporary stays.

    Args:
        scenario: What was going on.
        run: Where it is now.
        states: What is observed at the beginning and after each operation.
        done: Operations that had returned.
        power_cut: Whether what is derived may be gone; it is made again.
    """
    problems: Problems = []
    now = observed(scenario, run)
    if now not in states[done : done + 2]:
        older = states.index(now) if now in states else None
        return [f"state {older} instead of {done} or {done + 1}"]
    run.close()
    allowed = {Severity.NOTICE, Severity.SLOWER} if power_cut else {Severity.NOTICE}
    problems += _checked(run.path, "after the crash", allowed)
    at = max(n for n in range(done, min(done + 2, len(states))) if states[n] == now)
    staged = _staged(run.path, run.encoder.fingerprint)
    run.encoder.encoded.clear()
    for number, operation in enumerate(scenario.operations[at:], at + 1):
        operation(run)
        if observed(scenario, run) != states[number]:
            return [*problems, f"another state after operation {number} was done again"]
    again = staged.intersection(key_of(Part.whole(text)) for text in run.encoder.encoded)
    if again:
        problems.append(f"{len(again)} strings were embedded again")
    if at < len(scenario.operations):
        problems += leftovers(run)
    run.library.compact()
    if observed(scenario, run) != states[-1]:
        problems.append("another state after compacting")
    problems += leftovers(run)
    run.close()
    problems += _checked(run.path, "at the end", set())
    return problems


def _staged(path: Path, model: str) -> set[bytes]:
    """Return the keys of the vectors of a model that are stored."""
    with closing(sqlite3.connect(path / FILE)) as db:
        rows = db.execute(
            "SELECT key FROM vectors JOIN models ON models.id = model WHERE fingerprint = ?",
            (model,),
        )
        return {bytes(row[0]) for row in rows}


def _checked(path: Path, when: str, allowed: Collection[Severity]) -> Problems:
    return [
        f"the check {when} finds {finding.kind} {finding.where}: {finding.message}"
        for finding in check_library(path).findings
        if finding.severity not in allowed
    ]


def leftovers(run: Run) -> Problems:
    """Return what lies in the library's folder or beside it and should not."""
    names = [path.relative_to(run.world).as_posix() for path in run.world.rglob("*")]
    strange = [
        name
        for name in names
        if name != LIBRARY and not _KNOWN.fullmatch(name.removeprefix(f"{LIBRARY}/"))
    ]
    kept = {info.path for info in run.library.documents()}
    uploads = run.path / "uploads"
    strange += [
        str(file)
        for file in uploads.rglob("*")
        if file.is_file()
        and file.relative_to(uploads).as_posix() not in kept
        # What was sent and not accepted goes a day later; what was accepted is taken in.
        and not {uploads / ".incoming", uploads / ".accepted"} & {*file.parents}
    ]
    inside = [name.rpartition("/")[2] for name in names if name.count("/") == 1]
    for kind in ("words-", "vectors-"):
        strange += sorted(name for name in inside if name.startswith(kind))[1:]
    return [f"left over: {name}" for name in strange]


def one_sentence(error: BaseException) -> str:
    """Return what is wrong with how an error tells its story; empty where nothing is."""
    text = str(error)
    if not text or "\n" in text or "Traceback" in text or len(text) > 500:
        return f"no sentence: {type(error).__name__} {text[:300]!r}"
    return "" if text.endswith(".") or text.endswith(")") else f"an unfinished sentence: {text!r}"
