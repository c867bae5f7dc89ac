"""How many questions are answered at a time."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from qa.web.gate import Gate
from qa.web.replies import BusyError


def test_so_many_go_through_and_the_next_in_the_order_they_came() -> None:
    async def run() -> list[str]:
        gate, seen = Gate(at_once=2), []
        most = 0
        inside = 0

        async def ask(name: str) -> None:
            nonlocal most, inside
            async with gate.through():
                inside += 1
                most = max(most, inside)
                seen.append(name)
                await asyncio.sleep(0.01)
                inside -= 1

        await asyncio.gather(*(ask(name) for name in "abcdefgh"))
        assert most == 2
        return seen

    assert asyncio.run(run()) == list("abcdefgh")


def test_who_waits_too_long_is_sent_away_and_nobody_after_them() -> None:
    async def run() -> None:
        gate = Gate(at_once=1, seconds=0.05)
        async with gate.through():
            with pytest.raises(BusyError, match="ask again"):
                await AsyncExitStack().enter_async_context(gate.through())
        async with gate.through():
            pass

    asyncio.run(run())


def test_when_too_many_wait_the_next_is_sent_away_at_once() -> None:
    async def run() -> None:
        gate = Gate(at_once=1, waiting=1, seconds=5)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(gate.through())
            waiting = asyncio.create_task(stack.enter_async_context(gate.through()))
            await asyncio.sleep(0)
            with pytest.raises(BusyError):
                async with asyncio.timeout(1):
                    await stack.enter_async_context(gate.through())
            waiting.cancel()
        async with asyncio.timeout(1), gate.through():
            pass

    asyncio.run(run())


def test_an_error_inside_gives_the_turn_back() -> None:
    async def run() -> None:
        gate = Gate(at_once=1, seconds=0.05)
        for _ in range(3):
            with pytest.raises(LookupError):
                async with gate.through():
                    raise LookupError

    asyncio.run(run())
