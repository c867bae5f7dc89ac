"""Changes through one server or the other, each followed by questions to both."""

from __future__ import annotations

import asyncio
import time

import httpx2

from bench.loading.material import parcel_document
from bench.loading.parcels import Parcel
from bench.loading.process import Server
from bench.loading.visitor import CutOffError, Visitor
from bench.sharing.asked import ask_all, refusal, settled, was_told
from bench.sharing.shared import API, Doors, Shared
from bench.sharing.slots import Slot

__all__ = ["Changes"]

_TAKEN_IN = "a document that was sent is taken in"
_SYNCED = "bringing the folder up to date ends well"
_LISTED = "what one server has published the other lists, once"
_TRIES, _SOON = 20, 0.5  # seconds between two of them
_ONE = "of two who remove a document at the same time one does, and the other is told"


class Changes:
    """Makes changes at servers by their numbers, and checks that everybody sees each.

    Args:
        shared: The library.
        name: For the evidence.
    """

    def __init__(self, shared: Shared, name: str) -> None:
        self.shared, self.tally, self.parcels = shared, shared.tally, shared.parcels
        self.doors = Doors(shared, name)

    # -- uploads ------------------------------------------------------------------------------

    async def upload(self, slot: Slot, at: int) -> bool:
        """Send a document to a server, or to the one that has it, in place of what that has.

        Returns whether it was acknowledged.
        """
        began = time.perf_counter()
        if not slot.maybe:
            slot.server = at
        assert slot.server is not None
        visitor = self.doors.at(slot.server)
        kind = "replaced by an upload" if slot.maybe else "uploaded"
        parcel = slot.coming(self.parcels)
        if not await self.post(visitor, slot, parcel):
            return False
        return await self.taken_in(visitor, slot, parcel, kind, began)

    async def post(self, visitor: Visitor, slot: Slot, parcel: Parcel) -> bool:
        """Send a document; return whether it was accepted, which is a promise."""
        content = parcel_document(slot.name, parcel.locker).encode()
        files = {"files": (slot.file, content)}
        try:
            path = f"{API}/documents"
            reply = await visitor.send("upload", "POST", path, files=files, due=(202,))
        except CutOffError:
            slot.unknown(self.parcels)
            return False
        if reply.status_code != 202:
            slot.unknown(self.parcels)
            return False
        return self.tally.check(_TAKEN_IN, len(reply.json()["saved"]) == 1, reply.text)

    async def taken_in(
        self, visitor: Visitor, slot: Slot, parcel: Parcel, kind: str, began: float | None = None
    ) -> bool:
        """Wait until what was accepted is published, also through a kill; ask everywhere."""
        state = await settled(visitor)
        if state is None or not self.tally.check(_TAKEN_IN, not state["problem"], state):
            slot.unknown(self.parcels)
            return False
        if began is not None:
            self.tally.took("until an upload is found", time.perf_counter() - began)
        self.parcels.acknowledged(state["generation"])
        await self._acknowledged(slot, parcel, kind, visitor.server.name)
        return True

    async def remove(self, slot: Slot, at: int) -> bool:
        """Remove an upload through a server; return whether it is gone."""
        visitor = self.doors.at(at)
        number = await self._number(slot, visitor)
        if number is None:
            return False
        slot.going(self.parcels)
        try:
            reply = await self._delete(visitor, number, due=(200, 409))
        except CutOffError:
            return False
        told = was_told(self.shared, reply)
        return await self._removed(slot, visitor, gone=reply.status_code == 200, told=told)

    async def remove_surely(self, slot: Slot, at: int) -> None:
        """Remove an upload, again and again while somebody else changes the library."""
        for _ in range(_TRIES):
            if not slot.maybe or await self.remove(slot, at):
                return
            await asyncio.sleep(_SOON)

    async def remove_twice(self, slot: Slot, first: int) -> bool:
        """Remove an upload through both servers at the same time; return whether it is gone."""
        visitors = [self.doors.at(first + later) for later in range(len(self.doors.visitors))]
        number = await self._number(slot, visitors[0])
        if number is None:
            return False
        slot.going(self.parcels)
        deleting = [self._delete(each, number, due=(200, 404, 409)) for each in visitors]
        replies = []
        for found in await asyncio.gather(*deleting, return_exceptions=True):
            if isinstance(found, CutOffError):
                return False
            if isinstance(found, BaseException):
                raise found
            replies.append(found)
        statuses = [reply.status_code for reply in replies]
        told = all([was_told(self.shared, reply) for reply in replies])
        self.tally.check(_ONE, statuses.count(200) == 1 or told, statuses)
        by = visitors[statuses.index(200)] if 200 in statuses else visitors[0]
        return await self._removed(slot, by, gone=200 in statuses, told=told)

    async def _delete(self, visitor: Visitor, number: int, due: tuple[int, ...]) -> httpx2.Response:
        path = f"{API}/documents/{number}"
        reply = await visitor.send("remove", "DELETE", path, due=due)
        if reply.status_code == 200:
            self.parcels.acknowledged(reply.json()["generation"])
        return reply

    async def _removed(self, slot: Slot, by: Visitor, *, gone: bool, told: bool) -> bool:
        if gone:
            await self._acknowledged(slot, None, "removed", by.server.name)
        elif told:
            slot.stays()
        return gone

    async def _number(self, slot: Slot, visitor: Visitor) -> int | None:
        """Return the number of an upload as this server lists it, if there is one."""
        if not slot.maybe:
            return None
        if not slot.sure and slot.server is not None:
            await settled(self.doors.at(slot.server))  # what was accepted may yet be taken in
        found = await self.numbers(slot, visitor)
        if found is None:
            return None
        sure = slot.sure
        holds = len(found) == 1 or (not sure and not found)
        self.tally.check(_LISTED, holds, f"{slot} at {visitor.server.name}: {found}")
        if not found:
            slot.has(self.parcels, None)
            return None
        return found[0]

    async def numbers(self, slot: Slot, visitor: Visitor) -> list[int] | None:
        """Return the numbers of the documents of this name as a server lists them."""
        search = {"search": slot.name}
        reply = await visitor.send("list documents", "GET", f"{API}/documents", params=search)
        if reply.status_code != 200:
            return None
        return [each["id"] for each in reply.json()["documents"] if each["name"] == slot.file]

    # -- the folder ---------------------------------------------------------------------------

    async def edit(self, slot: Slot, at: int, *, command: bool) -> bool:
        """Write a file in the folder, and bring the library up to date through a server.

        Args:
            slot: What the file is about.
            at: Number of the server.
            command: By `quoth sync` on its machine, instead of its API.
        """
        kind = "edited, by command" if command else "edited"
        parcel = slot.coming(self.parcels)
        folder = self.doors.at(at).server.documents
        part = folder / f".{slot.name}.part"
        part.write_text(parcel_document(slot.name, parcel.locker), encoding="utf-8")
        part.replace(folder / slot.file)  # at once: others may be reading the folder
        return await self._synced(slot, parcel, kind, at, command=command)

    async def drop(self, slot: Slot, at: int, *, command: bool) -> bool:
        """Delete the file from the folder, and bring the library up to date."""
        kind = "deleted, by command" if command else "deleted"
        slot.going(self.parcels)
        (self.doors.at(at).server.documents / slot.file).unlink(missing_ok=True)
        return await self._synced(slot, None, kind, at, command=command)

    async def _synced(
        self, slot: Slot, parcel: Parcel | None, kind: str, at: int, *, command: bool
    ) -> bool:
        visitor = self.doors.at(at)
        began = time.perf_counter()
        done = await (self._by_command(visitor.server) if command else self._by_api(visitor))
        if not done:
            slot.unknown(self.parcels)
            return False
        by = "command" if command else "API"
        self.tally.took(f"until an edit is found, by {by}", time.perf_counter() - began)
        await self._acknowledged(slot, parcel, kind, visitor.server.name)
        return True

    async def _by_api(self, visitor: Visitor) -> bool:
        start = visitor.server.starts
        try:
            path = f"{API}/sync"
            reply = await visitor.send("update", "POST", path, json={}, due=(202,))
        except CutOffError:
            return False
        state = None if reply.status_code != 202 else await settled(visitor)
        if state is None or visitor.server.starts != start:
            return False  # unlike an upload, it is not done later by a server that was killed
        self.parcels.acknowledged(state["generation"])
        return self.tally.check(_SYNCED, not state["problem"], state)

    async def _by_command(self, server: Server) -> bool:
        ran = await server.run("sync", str(server.documents))
        if ran.status == 1 and refusal(self.shared, ran.said):
            return False
        return self.tally.check(_SYNCED, ran.status == 0 and "Traceback" not in ran.said, ran)

    async def _acknowledged(
        self, slot: Slot, parcel: Parcel | None, kind: str, server: str
    ) -> None:
        old = [each for each in slot.maybe if each is not parcel]
        slot.has(self.parcels, parcel)
        self.shared.changes[kind, server] += 1
        await ask_all(self.shared, self.doors, server, slot.name, parcel, old)
