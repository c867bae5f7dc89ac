"""How much is done at a time of what takes long: a little, while others wait for their turn."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from qa.web.replies import BusyError

__all__ = ["Gate"]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """Somebody before the gate; `turn` says whether they may go through or are sent away."""

    who: str
    turn: asyncio.Future[bool]


class Gate:
    """Lets questions through, in turn among those who ask and else in the order they came.

    An answer keeps the processor busy, so that more at a time would make each of them slower
    and none of them sooner. Who asks much at once waits for themselves: next is who has fewest
    questions under way, then whose last turn is longest ago; where too many wait, who has most of
    them gives one up. For one event loop.

    Args:
        at_once: Questions answered at a time.
        waiting: Questions that may wait.
        seconds: How long one waits before it is sent away.
    """

    def __init__(self, *, at_once: int = 4, waiting: int = 32, seconds: float = 10.0) -> None:
        self._at_once, self._most_waiting, self._seconds = at_once, waiting, seconds
        self._inside: Counter[str] = Counter()
        self._queue: list[_Waiting] = []
        # When each had their last turn, of those who ask now.
        self._turns = itertools.count(1)
        self._last: dict[str, int] = {}

    @property
    def under_way(self) -> int:
        """How many questions are being answered."""
        return self._inside.total()

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._queue)

    @asynccontextmanager
    async def through(self, who: str = "") -> AsyncIterator[None]:
        """Wait for a turn and hold it until the block ends.

        Args:
            who: Whose question it is.

        Raises:
            BusyError: Too many wait, or it took too long.
        """
        await self._enter(who)
        try:
            yield
        finally:
            self._leave(who)

    async def _enter(self, who: str) -> None:
        if not self._queue and self._inside.total() < self._at_once:
            self._take_turn(who)
            return
        if len(self._queue) >= self._most_waiting:
            self._make_room(who)
        place = _Waiting(who, asyncio.get_running_loop().create_future())
        self._queue.append(place)
        try:
            async with asyncio.timeout(self._seconds):
                # Not the future itself: it is asked below whether the turn came in between.
                await asyncio.wait([place.turn])
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            if place.turn.done() and place.turn.result():
                self._leave(who)
            raise
        finally:
            if place in self._queue:
                self._queue.remove(place)
            self._forget(who)
        if not (place.turn.done() and place.turn.result()):
            raise BusyError(seconds=round(self._seconds))

    def _make_room(self, who: str) -> None:
        """Send away the last one of whoever waits with most; that may be `who`."""
        waiting = Counter(place.who for place in self._queue)
        greedy, most = waiting.most_common(1)[0] if waiting else (who, 0)
        if waiting[who] + 1 >= most:
            raise BusyError(seconds=round(self._seconds))
        last = next(place for place in reversed(self._queue) if place.who == greedy)
        self._queue.remove(last)
        last.turn.set_result(False)

    def _leave(self, who: str) -> None:
        self._inside[who] -= 1
        if not self._inside[who]:
            del self._inside[who]
            self._forget(who)
        while self._queue and self._inside.total() < self._at_once:
            # Of equals the first: the one that came first.
            next_ = min(self._queue, key=self._order)
            self._queue.remove(next_)
            self._take_turn(next_.who)
            next_.turn.set_result(True)

    def _order(self, place: _Waiting) -> tuple[int, int]:
        return self._inside[place.who], self._last.get(place.who, 0)

    def _forget(self, who: str) -> None:
        """Forget the last turn of somebody who asks nothing any more."""
        if who not in self._inside and all(place.who != who for place in self._queue):
            self._last.pop(who, None)

    def _take_turn(self, who: str) -> None:
        self._inside[who] += 1
        self._last[who] = next(self._turns)
