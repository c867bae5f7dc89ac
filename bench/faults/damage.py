"""Files of a library damaged, one at a time: what is then answered, found and mended."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from small import HashEncoder, answers, stored, write

from bench.faults.examine import Problems, one_sentence
from bench.faults.forking import Send, forked, temporary
from bench.faults.scenarios import lived_in, said
from bench.faults.workload import ASKED, LIBRARY, Run, chat_state
from index.errors import QuothError
from index.lock import writer_lock
from index.upkeep.check import check_library
from index.upkeep.repair import repair_library
from qa.chats.check import check_chats

__all__ = ["DAMAGES", "FILES", "damage", "damage_reference"]

Job = Mapping[str, Any]
Reply = dict[str, Any]

_SEGMENT = r"words-\d+/[0-9a-f]{32}"
# Every kind of file that there is in a library; the first four only where a writer was killed.
FILES = {
    "log of the store": r"store\.db-wal",
    "index of that log": r"store\.db-shm",
    "log of the chats": r"chats\.db-wal",
    "name of the writer": r"writer\.json",
    "store": r"store\.db",
    "chats": r"chats\.db",
    "vectors": r"vectors-[\w-]+\.faiss",
    "words: meta": r"words-\d+/meta\.json",
    "words: managed": r"words-\d+/\.managed\.json",
    **{f"words: {end}": rf"{_SEGMENT}\.{end}" for end in ("fast", "fieldnorm", "idx", "pos")},
    **{f"words: {end}": rf"{_SEGMENT}\.{end}" for end in ("store", "term")},
    "words: lock": r"words-\d+/\.tantivy-\w+\.lock",
    "lock": r"writer\.lock",
    "upload": r"uploads/\w+\.txt",
}
LIVE = tuple(FILES)[:4]


def _somewhere(data: bytearray, draw: random.Random, length: int) -> slice:
    start = draw.randrange(max(1, len(data) - length + 1))
    return slice(start, min(len(data), start + length))


def _bit(data: bytearray, draw: random.Random) -> bytes:
    if data:
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(data)


def _overwritten(data: bytearray, draw: random.Random, length: int, *, zeros: bool) -> bytes:
    place = _somewhere(data, draw, length)
    size = len(data[place])
    data[place] = bytes(size) if zeros else draw.randbytes(size)
    return bytes(data)


# What becomes of the bytes of a file; None: the file is gone.
DAMAGES: dict[str, Callable[[bytearray, random.Random], bytes | None]] = {
    "one bit": _bit,
    "sector zeroed": lambda data, draw: _overwritten(data, draw, 512, zeros=True),
    "bytes changed": lambda data, draw: _overwritten(data, draw, 16, zeros=False),
    "page changed": lambda data, draw: _overwritten(data, draw, 4096, zeros=False),
    "torn": lambda data, draw: bytes(data[: len(data) // 2]) + bytes(len(data) - len(data) // 2),
    "cut short": lambda data, draw: bytes(data[: draw.randrange(len(data))] if data else b""),
    "last byte missing": lambda data, draw: bytes(data[:-1]),
    "emptied": lambda data, draw: b"",
    "gone": lambda data, draw: None,
    "grown": lambda data, draw: bytes(data) + draw.randbytes(600),
    "another file": lambda data, draw: draw.randbytes(len(data)),
}


def damage_reference(work: Path, job: Job) -> Reply:
    """Make the library, closed and as a killed writer leaves it, and note what it answers."""
    base = work / "damage"
    shutil.rmtree(base, ignore_errors=True)
    problems: Problems = []
    for name in ("closed", "live"):
        (base / name / "world").mkdir(parents=True)
        run = Run(base / name / "world", base / name / "docs")

        def live(send: Send, run: Run = run, name: str = name) -> None:
            lived_in(run)
            if name == "live":
                write(run.docs, {"late.txt": "The late bus leaves at eleven."})
                run.library.sync(run.docs)
                said(run)
                with writer_lock(run.path):
                    send(0)
                    os.kill(os.getpid(), signal.SIGKILL)
            run.close()

        ended = forked(live)
        problems += [] if name == "live" and ended.sent else ended.problems

        def look(send: Send, run: Run = run, name: str = name) -> None:
            # Looked at in a copy: opening it changes it.
            send({part: repr(value()) for part, value in _parts(_copy(run, base / "look" / name))})

        ended = forked(look)
        problems += ended.problems
        (base / name / "parts.json").write_text(json.dumps(ended.sent[0] if ended.sent else {}))
    return {"problems": problems, "files": sorted(_present(base / "closed" / "world" / LIBRARY))}


def _present(library: Path) -> set[str]:
    names = [path.relative_to(library).as_posix() for path in library.rglob("*") if path.is_file()]
    kinds = {n: [k for k, p in FILES.items() if re.fullmatch(p, n)] for n in names}
    return {kind for found in kinds.values() for kind in found or ["?"]}


def _copy(run: Run, folder: Path) -> Run:
    shutil.copytree(run.world, folder / "world")
    return Run(folder / "world", run.docs)


def _parts(run: Run) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what is asked one by one: damage to one part must change no other."""
    yield "documents", lambda: stored(run.library)
    for question in ASKED:
        yield question, lambda question=question: answers(run.library, [question])  # type: ignore[misc]
    yield "failures", lambda: [(f.path, f.reason) for f in run.library.failures()]
    yield "found", lambda: _found(run)
    yield "chats", lambda: chat_state(run)


def _found(run: Run) -> list[object]:
    found = run.library.find("the").documents
    return [(each.document.path, [(hit.start, hit.end) for hit in each.hits]) for each in found]


def _asked(run: Run, expected: dict[str, str]) -> dict[str, list[str]]:
    """Return what was told, and what was answered differently: neither is silent nor wrong."""
    told, other, problems = [], [], []
    for part, value in _parts(run):
        try:
            now = repr(value())
        except QuothError as error:
            told.append(f"{type(error).__name__}: {error}")
            if wrong := one_sentence(error):
                problems.append(wrong)
        else:
            if now != expected[part]:
                other.append(part)
    return {"told": told, "other": other, "problems": problems}


def damage(work: Path, job: Job) -> Reply:
    """Damage a file ("file", "how", "seed"), of a library that is "live", or is being "read".

    Returns:
        "outcome": "same", "told", "another" (chats begun anew, an older state of the log) or
        "absent"; "found": whether the check finds it; "mended": whether all is as it was after
        the repair and a sync.
    """
    live, kind = bool(job.get("live")), job["file"]
    base = work / "damage" / ("live" if live else "closed")
    expected = json.loads((base / "parts.json").read_text())
    draw = random.Random(f"{kind} {job['how']} {job['seed']}")
    with temporary(work) as folder:
        run = _copy(Run(base / "world", base / "docs"), folder)
        files = sorted(
            path
            for path in run.path.rglob("*")
            if path.is_file() and re.fullmatch(FILES[kind], path.relative_to(run.path).as_posix())
        )
        if not files:
            return {"outcome": "absent", "problems": []}
        file = draw.choice(files)
        after = DAMAGES[job["how"]](bytearray(file.read_bytes()), draw)

        def look(send: Send) -> None:
            if job.get("read"):
                for _, value in _parts(run):
                    value()
            _put(file, after)
            send(_asked(run, expected))

        # What a reader does, even only opening, may change files: the others get their own copy.
        second = _copy(run, folder / "second")
        ended = forked(look)
        problems = list(ended.problems)
        if not ended.sent:
            return {"outcome": "died", "problems": problems}
        asked: Any = ended.sent[0]
        _put(second.path / file.relative_to(run.path), after)
        later = forked(lambda send: _mended(second, expected, send))
        problems += [*asked["problems"], *later.problems]
        mended: Any = later.sent[0] if later.sent else dict.fromkeys(("found", "chats", "ok"))
        mended = {"other": [], **mended, "absent": after is None}
        problems += _judged(kind, asked, mended)
        outcome = "told" if asked["told"] else "another" if asked["other"] else "same"
        return {
            "outcome": outcome,
            "found": mended["found"],
            "mended": mended["ok"] and not mended["other"],
            "told": asked["told"][:1],
            "problems": problems,
        }


def _put(file: Path, data: bytes | None) -> None:
    """Change a file where it is, as a broken disk or a foreign program does."""
    if data is None:
        file.unlink()
        return
    with file.open("r+b") as opened:
        opened.truncate(len(data))
        opened.write(data)


def _mended(run: Run, expected: dict[str, str], send: Send) -> None:
    """Send what the check finds, and what is answered after the repair and a sync."""
    found = not check_library(run.path).ok
    chats = bool(check_chats(run.path))
    try:
        repaired = repair_library(run.path, encoder=HashEncoder())
        if repaired.checkup.ok:
            run.library.sync(run.docs, full=True, yes=True)
        asked = _asked(run, expected)
    except QuothError as error:
        told = {"found": found, "chats": chats, "ok": False, "other": [], "told": [str(error)]}
        send(told)
        return
    send({"found": found, "chats": chats, "ok": repaired.checkup.ok, **asked})


def _judged(kind: str, asked: dict[str, list[str]], mended: dict[str, Any]) -> Problems:
    """Return what may not be: a silent change, one that the check misses, a repair that lies."""
    problems = []
    # Conversations that cannot be read are set aside, which the log tells; the page goes on.
    silent = [part for part in asked["other"] if part != "chats"]
    if silent:
        problems.append(f"answers otherwise, and says nothing: {silent}")
    # Turns that are in the log alone may go with it: what is left is an older conversation.
    gone = kind == "log of the chats" or mended["absent"]
    if "chats" in asked["other"] and not mended["chats"] and not gone:
        problems.append("the conversations are others, and the check does not find it")
    elsewhere = [line for line in asked["told"] if "chats.db" not in line]
    # What is told of the log's index is of this process; the next one makes it anew.
    if elsewhere and not mended["found"] and kind != "index of that log":
        problems.append(f"the check does not find it: {elsewhere[0]}")
    if mended["ok"]:
        wrong = [part for part in mended["other"] if part != "chats"]
        if wrong or [line for line in mended.get("told", []) if "chats.db" not in line]:
            problems.append(f"repaired, but not as it was: {wrong} {mended.get('told')}")
    return problems
