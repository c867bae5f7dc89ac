"""Two things that happen to servers of one library: one is killed, and somebody else writes."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.loading.parcels import Parcel
from bench.loading.process import Server
from bench.loading.visitor import Visitor
from bench.sharing.asked import TOLD, refusal
from bench.sharing.changes import Changes
from bench.sharing.shared import API, Shared
from bench.sharing.slots import Slot

if TYPE_CHECKING:
    from index.postgres_store import PostgresStore

__all__ = ["kill", "somebody_else_writes"]

_DOWN = "one server is killed"  # the phase
_GOES_ON = "while one server is down the other takes a change, and answers with it"
_KEPT = "what a server had accepted when it was killed is published when it runs again"
_WAITS = "an upload waits for whoever writes, says for whom, and is taken in then"
_LONGEST = 30.0  # seconds in which those who wait for the lock must have been told
_OFTEN = 0.2  # seconds between two looks
_TRIES = 6  # of ten seconds


async def kill(shared: Shared, changes: Changes) -> float:
    """Kill the second server just when it has accepted a document, and start it again.

    Meanwhile the first one must answer, and take a change. Returns the seconds until the second
    one answered again.
    """
    survivor, victim = changes.doors.visitors[:2]
    lost, other = Slot("Zebedee", server=1), Slot("Yolanda", server=0)
    parcel = lost.coming(shared.parcels)
    accepted = await changes.post(victim, lost, parcel)
    phase, shared.tally.phase = shared.tally.phase, _DOWN
    victim.server.kill()
    changed = await changes.upload(other, 0)
    restarted = await victim.server.start()
    shared.tally.phase = phase
    shared.tally.check(_GOES_ON, changed, survivor.server.tail())
    if accepted:
        kept = await changes.taken_in(victim, lost, parcel, "uploaded")
        found = await changes.numbers(lost, survivor)
        shared.tally.check(_KEPT, kept and found is not None and len(found) == 1, found)
    for slot in (other, lost):
        await changes.remove_surely(slot, 0)
    return restarted


async def somebody_else_writes(shared: Shared, changes: Changes, third: Server) -> None:
    """Keep the lock of the library from a third machine for as long as others wait for it.

    A removal at the first server and a command are refused, an upload to the second one waits;
    each says who writes. Questions are answered all the while.

    Args:
        shared: The library, which nobody else changes.
        changes: Whoever tries.
        third: A machine on which no server runs.
    """
    first, second = changes.doors.visitors[:2]
    there, waiting = Slot("Xaver"), Slot("Quirin", server=1)
    if not await changes.upload(there, 0):
        return
    mine = f"process {os.getpid()} on {socket.gethostname()}"
    parcel = waiting.coming(shared.parcels)
    number = next(iter(await changes.numbers(there, first) or ()), 0)
    async with _writing(third):
        outcome = await asyncio.gather(
            _refused(first, number, mine, shared),
            _refused_command(third, mine, shared),
            _waits(changes, second, waiting, parcel, mine),
        )
    shared.tally.check(TOLD, outcome[0] and outcome[1], outcome)
    kept = await changes.taken_in(second, waiting, parcel, "uploaded")
    shared.tally.check(_WAITS, outcome[2] and kept, outcome)
    for slot in (there, waiting):
        await changes.remove_surely(slot, 0)


@asynccontextmanager
async def _writing(third: Server) -> AsyncIterator[None]:
    """Hold the lock as a writer on that machine does."""
    from index.address import address_of
    from index.postgres_store import PostgresStore

    address = replace(address_of(third.place), home=third.folder / "writer.quoth")
    store = PostgresStore.open_at(address, create=False)
    stack = ExitStack()
    stack.callback(store.close)
    try:
        await asyncio.to_thread(_wait_for, stack, store)
        yield
    finally:
        stack.close()


def _wait_for(stack: ExitStack, store: PostgresStore) -> None:
    """Enter the lock, however long others have it one after the other."""
    from index.errors import LibraryLockedError

    for _ in range(_TRIES):
        with suppress(LibraryLockedError):
            stack.enter_context(store.locked())
            return
    raise RuntimeError(f"{store.name} is always being changed")


async def _refused(visitor: Visitor, number: int, mine: str, shared: Shared) -> bool:
    path = f"{API}/documents/{number}"
    reply = await visitor.send("remove while others write", "DELETE", path, due=(409,))
    return refusal(shared, reply.text) and mine in reply.text


async def _refused_command(server: Server, mine: str, shared: Shared) -> bool:
    ran = await server.run("sync", str(server.documents))
    return ran.status == 1 and refusal(shared, ran.said) and mine in ran.said


async def _waits(changes: Changes, visitor: Visitor, slot: Slot, parcel: Parcel, mine: str) -> bool:
    """Send a document; return whether the server says for whom it waits."""
    if not await changes.post(visitor, slot, parcel):
        return False
    until = time.monotonic() + _LONGEST
    while time.monotonic() < until:
        reply = await visitor.send("watch an update", "GET", f"{API}/sync")
        if reply.status_code != 200 or not reply.json()["running"]:
            return False
        if said := reply.json()["waiting"]:
            return refusal(changes.shared, said) and mine in said
        await asyncio.sleep(_OFTEN)
    return False
