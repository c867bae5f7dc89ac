"""Which jobs a campaign does: every seed is another choice, and every job can be done again."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.faults.damage import DAMAGES, FILES, LIVE
from bench.faults.jobs import FAULTS
from bench.faults.replay import CUTS

__all__ = ["Counts", "Task", "planned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many of each."""

    kills: int
    cuts: int
    faults: int
    damages: int
    disks: int
    clocks: int


@dataclass(frozen=True, slots=True)
class Task:
    """A job with its values, in the column and row of the table that it counts in."""

    column: str
    row: str
    values: Mapping[str, Any]

    @property
    def again(self) -> str:
        """What `bench/crash.py --only` takes to do it again."""
        return json.dumps(dict(self.values), separators=(",", ":"))


def planned(counts: Counts, references: Mapping[str, Mapping[str, Any]], seed: int) -> list[Task]:
    """Return all jobs, shuffled: whoever stops early has done a bit of everything.

    Args:
        counts: How many of each; spread evenly over the scenarios.
        references: By scenario: its states, and how many steps, records and reads it has.
        seed: Of what is drawn.
    """
    draw = random.Random(seed)
    tasks = [
        *_over(references, counts.kills, lambda name, n: _kills(name, references[name], n, draw)),
        *_over(references, counts.cuts, lambda name, n: _cuts(name, references[name], n, draw)),
        *_over(references, counts.faults, lambda name, n: _faults(name, references[name], n, draw)),
        *_over(references, counts.disks, lambda name, n: _disks(name, references[name], n, draw)),
        *_damages(counts.damages, draw),
        *(
            Task("clock", "the clock jumps", {"job": "clock", "seed": draw.randrange(1 << 30)})
            for _ in range(counts.clocks)
        ),
    ]
    draw.shuffle(tasks)
    return tasks


def _over(names: Mapping[str, Any], count: int, some: Any) -> Iterator[Task]:  # noqa: ANN401
    """Yield `count` tasks in all; those with more steps get more."""
    total = sum(reference["weight"] for reference in names.values())
    left = count
    for place, (name, reference) in enumerate(names.items()):
        share = left if place == len(names) - 1 else round(count * reference["weight"] / total)
        share = max(0, min(left, share))
        left -= share
        yield from some(name, share)


def _spread(length: int, count: int, draw: random.Random) -> list[int]:
    """Return `count` numbers of 1 to `length`, as even as they can be, each once if possible."""
    if count <= length:
        return sorted(draw.sample(range(1, length + 1), count))
    return [1 + place % length for place in range(count)]


def _kills(
    name: str, reference: Mapping[str, Any], count: int, draw: random.Random
) -> Iterator[Task]:
    timed = count // 10
    for place, at in enumerate(_spread(reference["steps"], count - timed, draw)):
        values = {"job": "kill", "scenario": name, "at": at, "torn": place % 3 == 1}
        yield Task("kills", name, values)
    for _ in range(timed):
        after = round(draw.uniform(0.001, reference["runs_for"]), 4)
        yield Task("kills", name, {"job": "kill", "scenario": name, "after": after})


def _cuts(
    name: str, reference: Mapping[str, Any], count: int, draw: random.Random
) -> Iterator[Task]:
    # Half of them: nothing survives that was not synced, after as many steps as possible.
    half = _spread(reference["log"], count // 2, draw)
    for upto in half:
        values = {"job": "cut", "scenario": name, "upto": upto, "cut": "nothing", "seed": 0}
        yield Task("power cuts", name, values)
    for place in range(count - len(half)):
        cut = CUTS[1 + place % (len(CUTS) - 1)]
        upto = draw.randint(1, reference["log"])
        values = {"job": "cut", "scenario": name, "upto": upto, "cut": cut}
        yield Task("power cuts", name, {**values, "seed": draw.randrange(1 << 30)})


def _faults(
    name: str, reference: Mapping[str, Any], count: int, draw: random.Random
) -> Iterator[Task]:
    for place in range(count):
        fault = list(FAULTS)[place % len(FAULTS)]
        length = reference["reads"] if fault.startswith("read e") else reference["steps"]
        values = {"job": "fault", "scenario": name, "fault": fault, "at": draw.randint(1, length)}
        yield Task("faults", name, values)


def _disks(
    name: str, reference: Mapping[str, Any], count: int, draw: random.Random
) -> Iterator[Task]:
    for _ in range(count):
        values = {"job": "full", "scenario": name, "states": reference["states"]}
        yield Task("full disk", name, {**values, "room": draw.randrange(0, 400_000)})


def _damages(count: int, draw: random.Random) -> list[Task]:
    every: Sequence[tuple[str, str, bool]] = [
        (file, how, read) for read in (False, True) for how in DAMAGES for file in FILES
    ]
    tasks = []
    for place in range(count):
        if place % len(every) == 0:
            order = draw.sample(every, len(every))
        file, how, read = order[place % len(every)]
        values = {"job": "damage", "file": file, "how": how, "read": read, "live": file in LIVE}
        tasks.append(Task("damages", file, {**values, "seed": draw.randrange(1 << 30)}))
    return tasks
