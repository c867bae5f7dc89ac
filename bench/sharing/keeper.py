"""Whoever looks after the documents: makes every kind of change, at one server and the other."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from itertools import count, cycle

from bench.sharing.changes import Changes
from bench.sharing.shared import Shared
from bench.sharing.slots import Slot

__all__ = ["Keeper"]

_NAMES = (("Ottoline", "Perpetua", "Ragnhild"), ("Sunniva", "Gotthilf", "Ermintrude"))
_PAUSE = 0.3  # seconds between two changes
Step = Callable[[int], Awaitable[object]]


class Keeper:
    """Makes one change after another, each through the next server.

    Args:
        shared: The library.
        number: 0 or 1; two keepers have nothing to do with the same documents, but change the
            library at the same time.
    """

    def __init__(self, shared: Shared, number: int) -> None:
        self.shared, self.changes = shared, Changes(shared, f"keeper {number}")
        first, second, in_folder = _NAMES[number]
        self.uploads = (Slot(first), Slot(second))
        self.in_folder = Slot(in_folder)
        self._number, self._dice = number, random.Random(number)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """All that this one changes."""
        return (*self.uploads, self.in_folder)

    async def live(self) -> None:
        """Make changes until it shall be quiet; the last one is finished."""
        # An odd number of steps: each comes to every server in turn.
        steps = zip(count(self._number), cycle(self._steps()), strict=False)
        while not self.shared.quiet.is_set():
            at, step = next(steps)
            await step(self._running(at))
            await asyncio.sleep(_PAUSE)

    def _running(self, at: int) -> int:
        """Return the number of this server, or of the other where this one does not run."""
        doors = self.changes.doors
        return at if doors.at(at).server.up.is_set() else at + 1

    def _steps(self) -> Iterator[Step]:
        changes, (first, second), in_folder = self.changes, self.uploads, self.in_folder
        yield lambda at: self._both(at)
        yield lambda at: changes.edit(in_folder, at, command=False)
        yield lambda at: self._replace(first, at)
        yield lambda at: changes.remove(second, at)
        yield lambda at: changes.edit(in_folder, at, command=True)
        yield lambda at: changes.remove_twice(first, at)
        yield lambda at: changes.drop(in_folder, at, command=self._dice.random() < 0.3)

    async def _both(self, at: int) -> None:
        """Send a document to each server at the same time."""
        first, second = self.uploads
        await asyncio.gather(
            self.changes.upload(first, at), self.changes.upload(second, self._running(at + 1))
        )

    async def _replace(self, slot: Slot, at: int) -> None:
        if slot.maybe:
            await self.changes.upload(slot, at)
