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


def test_who_asks_much_at_once_does_not_keep_the_others_waiting() -> None:
    async def run() -> list[str]:
        gate, seen = Gate(at_once=2), []

        async def ask(name: str) -> None:
            async with gate.through(name[0]):
                seen.append(name)
                await asyncio.sleep(0.01)

        await asyncio.gather(*(ask(name) for name in ("a1", "a2", "a3", "a4", "a5", "b1", "c1")))
        return seen

    # a1 and a2 are under way when the others come.
    assert asyncio.run(run()) == ["a1", "a2", "b1", "c1", "a3", "a4", "a5"]


def test_where_too_many_wait_who_has_most_waiting_is_sent_away() -> None:
    async def run() -> tuple[list[str], list[str]]:
        gate = Gate(at_once=1, waiting=3, seconds=5)
        seen: list[str] = []
        sent_away: list[str] = []

        async def ask(name: str) -> None:
            try:
                async with gate.through(name[0]):
                    seen.append(name)
                    await asyncio.sleep(0.01)
            except BusyError:
                sent_away.append(name)

        await asyncio.gather(*(ask(name) for name in ("a1", "a2", "a3", "a4", "b1", "a5", "b2")))
        assert (gate.under_way, gate.waiting) == (0, 0)
        return seen, sent_away

    # b1 takes the place of a4; then a and b are alike in what they have, so nobody gives way.
    assert asyncio.run(run()) == (["a1", "b1", "a2", "a3"], ["a5", "b2", "a4"])


def test_who_leaves_in_the_moment_of_their_turn_gives_it_back() -> None:
    async def run() -> None:
        gate = Gate(at_once=1, seconds=5)

        async def ask(who: str) -> None:
            async with gate.through(who):
                pass

        inside = gate.through("a")
        await inside.__aenter__()
        waiting = asyncio.create_task(ask("b"))
        await asyncio.sleep(0)
        assert (gate.under_way, gate.waiting) == (1, 1)
        await inside.__aexit__(None, None, None)  # now it is b's turn, who does not know it yet
        assert (gate.under_way, gate.waiting) == (1, 0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (gate.under_way, gate.waiting, gate._last) == (0, 0, {})

    asyncio.run(run())


def test_nothing_is_remembered_of_who_waited_in_vain() -> None:
    async def run() -> None:
        gate = Gate(at_once=1, seconds=0.05)
        async with gate.through("a"):
            for who in "aabc":
                with pytest.raises(BusyError):
                    await AsyncExitStack().enter_async_context(gate.through(who))
            assert gate._last == {"a": 1}
        assert (gate._last, gate._inside) == ({}, {})

    asyncio.run(run())
