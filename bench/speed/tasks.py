"""The measurements by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from bench.speed import asking, building, changing, limits, page
from bench.speed.figure import Figure

__all__ = ["TASKS", "Task"]


@dataclass(frozen=True, slots=True)
class Task:
    """A measurement: what does it, variables of its environment, and whether it is done once.

    `large` ones need a library of a million sentences, which takes about an hour to make.
    """

    measure: Callable[[], Iterator[Figure]]
    environment: Mapping[str, str] = field(default_factory=dict)
    large: bool = False
    once: bool = False


HALF = {"QUOTH_PRECISION": "half"}
SINGLE = {"QUOTH_PRECISION": "single"}

TASKS: dict[str, Task] = {
    "index 1,000": Task(partial(building.build, 1000), SINGLE),
    "index 10,000": Task(partial(building.build, 10_000), SINGLE),
    "index 10,000, half precision": Task(partial(building.build, 10_000), HALF),
    "made 100,000": Task(partial(building.made, 100_000), once=True),
    "made 1,000,000": Task(partial(building.made, 1_000_000), large=True, once=True),
    "ask 1,000": Task(partial(asking.ask, 1000)),
    "ask 10,000": Task(partial(asking.ask, 10_000)),
    "ask 100,000": Task(partial(asking.ask, 100_000)),
    "ask 1,000,000": Task(partial(asking.ask, 1_000_000), large=True),
    "cold 10,000": Task(partial(asking.cold, 10_000)),
    "cold 100,000": Task(partial(asking.cold, 100_000)),
    "page": Task(page.page),
    "change 100,000": Task(partial(changing.change, 100_000)),
    "change 1,000,000": Task(partial(changing.change, 1_000_000), large=True),
    "unchanged 10,000 files": Task(partial(changing.unchanged, 10_000)),
    "disk 100,000": Task(partial(building.disk, 100_000), once=True),
    "disk 1,000,000": Task(partial(building.disk, 1_000_000), large=True, once=True),
    "limits": Task(partial(limits.limits, 100_000), SINGLE),
    "limits, half precision": Task(partial(limits.limits, 100_000), HALF),
}
