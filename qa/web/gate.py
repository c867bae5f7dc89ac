"""How many questions are answered at a time: a few, while others wait a little."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from qa.web.replies import BusyError

__all__ = ["Gate"]


class Gate:
    """Lets questions through, in the order in which they came.

    An answer keeps the processor busy, so that more at a time would make each of them slower
    and none of them sooner. For one event loop.

    Args:
        at_once: Questions answered at a time.
        waiting: Questions that may wait; one more is sent away at once.
        seconds: How long one waits before it is sent away.
    """

    def __init__(self, *, at_once: int = 4, waiting: int = 32, seconds: float = 10.0) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._most_waiting, self._seconds = waiting, seconds
        self._waiting = 0

    @asynccontextmanager
    async def through(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it until the block ends.

        Raises:
            BusyError: Too many wait, or it took too long.
        """
        await self._enter()
        try:
            yield
        finally:
            self._free.release()

    async def _enter(self) -> None:
        if self._free.locked() and self._waiting >= self._most_waiting:
            raise BusyError(seconds=round(self._seconds))
        self._waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._free.acquire()
        except TimeoutError:
            raise BusyError(seconds=round(self._seconds)) from None
        finally:
            self._waiting -= 1
