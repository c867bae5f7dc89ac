"""Whoever looks after the documents: adds, replaces and removes them all the time."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from bench.loading.material import Json, parcel_document, parcel_question
from bench.loading.parcels import Parcel, Parcels
from bench.loading.process import Server
from bench.loading.tally import Tally
from bench.loading.visitor import CutOffError, Visitor

__all__ = ["Keeper"]

_NAMES = ("Ottoline", "Perpetua", "Ragnhild", "Sunniva", "Gotthilf", "Ermintrude", "Balthasar")
_MOST_PARCELS = 4  # uploaded at a time
_PAUSE = 0.5  # seconds between two changes
_TAKEN_IN = "a document that was sent is taken in"
_REMOVED = "a document that was removed is not quoted by the next answer"
_FOUND = "a document that was added is quoted by the next answer"


class Keeper:
    """Changes the documents as the page does, and asks after each change whether it counts."""

    def __init__(self, server: Server, tally: Tally, parcels: Parcels) -> None:
        self.server, self.tally, self.parcels = server, tally, parcels
        self.changes = 0
        self.visitor = Visitor(server, tally, "keeper")
        self._dice = random.Random(4711)
        self._uploaded: dict[str, Parcel] = {}
        self._in_folder: Parcel | None = None

    async def live(self, until: float) -> None:
        """Make one change after another until a moment of the monotonic clock."""
        await self.arrive()
        while time.monotonic() < until:
            try:
                await self._change()
                self.changes += 1
            except CutOffError:
                await self.look()
            await asyncio.sleep(_PAUSE)

    async def arrive(self) -> None:
        """Open the page."""
        while True:
            try:
                await self.visitor.arrive()
            except CutOffError:
                continue
            return

    async def leave(self) -> None:
        """Close the browser."""
        await self.visitor.close()

    async def look(self) -> None:
        """Find out which documents there are, after something was cut off."""
        await self._settled()
        table = await self.visitor.json("list documents", "GET", "/api/documents")
        there = {each["name"].removesuffix(".txt") for each in table["documents"]}
        for name in list(self._uploaded):
            # Whether a document was replaced in time is not known: nobody asks for it any more.
            parcel = self._uploaded[name]
            if parcel.known is None or parcel.going is not None:
                parcel.going = parcel.going or self.parcels.now()
            if name not in there:
                del self._uploaded[name]

    async def _change(self) -> None:
        if self._dice.random() < 0.25:
            await self._edit()
        elif len(self._uploaded) < _MOST_PARCELS:
            name = self._dice.choice([each for each in _NAMES if each not in self._uploaded])
            await self._send(name)
        elif self._dice.random() < 0.3:
            await self._send(self._dice.choice(list(self._uploaded)))
        else:
            await self._remove(self._dice.choice(list(self._uploaded)))

    async def _send(self, name: str) -> None:
        """Send a document, in place of one of the same name where there is one."""
        began = time.perf_counter()
        before, parcel = self._uploaded.get(name), self.parcels.new(name)
        if before is not None:
            before.going = self.parcels.now()
        self._uploaded[name] = parcel
        content = parcel_document(name, parcel.locker).encode()
        sent = await self.visitor.json(
            "upload",
            "POST",
            "/api/documents",
            files={"files": (f"{name}.txt", content)},
            due=(202,),
        )
        self.tally.check(_TAKEN_IN, len(sent["saved"]) == 1, sent)
        state = await self._settled()
        if not self.tally.check(_TAKEN_IN, not state["problem"], self.server.tail()):
            del self._uploaded[name]
            return
        self.tally.took("until an upload is found", time.perf_counter() - began)
        self._is_there(parcel, before)
        await self._ask(parcel)

    async def _remove(self, name: str) -> None:
        parcel = self._uploaded[name]
        search = {"search": name}
        listed = await self.visitor.json("list documents", "GET", "/api/documents", params=search)
        (number,) = [d["id"] for d in listed["documents"] if d["name"] == f"{name}.txt"]
        parcel.going = self.parcels.now()
        removed = await self.visitor.json("remove", "DELETE", f"/api/documents/{number}")
        parcel.gone = self.parcels.now()
        self.parcels.acknowledged(removed["generation"])
        del self._uploaded[name]
        await self._ask(parcel)

    async def _edit(self) -> None:
        """Change a file in the folder, and bring the library up to date."""
        name = "Wilhelmina"
        before, parcel = self._in_folder, self.parcels.new(name)
        if before is not None:
            before.going = self.parcels.now()
        self._in_folder = parcel
        file = self.server.documents / "parcels.txt"
        file.write_text(parcel_document(name, parcel.locker), encoding="utf-8")
        await self.visitor.json("update", "POST", "/api/sync", json={}, due=(202,))
        state = await self._settled()
        if not self.tally.check(_TAKEN_IN, not state["problem"], self.server.tail()):
            return
        self._is_there(parcel, before)
        await self._ask(parcel)

    async def _settled(self) -> Json:
        """Wait until nothing is being changed; return where it stands."""
        while True:
            state = await self.visitor.json("watch an update", "GET", "/api/sync")
            if not state["running"]:
                return state
            await asyncio.sleep(0.2)

    def _is_there(self, parcel: Parcel, before: Parcel | None) -> None:
        parcel.known = self.parcels.now()
        if before is not None:
            before.gone = parcel.known

    async def _ask(self, parcel: Parcel) -> None:
        """Ask after a change; also take note of the state that answers now."""
        began = self.parcels.now()
        body = {"question": parcel_question(parcel.name)}
        answer: dict[str, Any] = await self.visitor.json("ask", "POST", "/api/ask", json=body)
        self.parcels.acknowledged(answer["generation"])
        said = " ".join(quote["text"] for quote in answer["quotes"])
        gone = self.parcels.gone_before(said, began)
        self.tally.check(_REMOVED, not gone, f"{said}: {gone}")
        if parcel.gone is None:
            self.tally.check(_FOUND, parcel.locker in said, f"{parcel}: {said!r}")
