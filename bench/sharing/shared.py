"""What everyone of a run has in common: the servers of one library, and what is known of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.loading.parcels import Parcels
from bench.loading.process import Server
from bench.loading.tally import Tally
from bench.loading.visitor import Visitor

__all__ = ["API", "Doors", "Quoted", "Shared"]

API = "/api/v1"
Quoted = dict[tuple[int, int, int], str]  # words by document, start and end


@dataclass
class Shared:
    """One library, the servers that have it, and what has happened to it.

    Attributes:
        servers: One or two.
        tally: Where times and faults are kept.
        parcels: What comes and goes.
        over: Set when everyone shall go.
        quiet: Set when nobody shall change anything any more.
        quoted: Every quote that anyone got.
        changes: Acknowledged changes, by kind and the server that made them.
        refusals: What those were told whose change was refused, by sentence without numbers.
    """

    servers: Sequence[Server]
    tally: Tally
    parcels: Parcels = field(default_factory=Parcels)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    quiet: asyncio.Event = field(default_factory=asyncio.Event)
    quoted: Quoted = field(default_factory=dict)
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)

    def heard(self, answer: Mapping[str, Any]) -> None:
        """Take note of an answer: its quotes, and the state that it shows to be published."""
        self.parcels.acknowledged(answer["generation"])
        for quote in answer["quotes"]:
            place = quote["citation"]
            self.quoted[place["document"], place["start"], place["end"]] = quote["text"]

    async def pause(self, seconds: float) -> None:
        """Wait, but not longer than everyone is there."""
        try:
            await asyncio.wait_for(self.over.wait(), seconds)
        except TimeoutError:
            return


class Doors:
    """One browser for each server, used in turn; a server that does not run is passed over."""

    def __init__(self, shared: Shared, name: str, first: int = 0) -> None:
        self.visitors = [Visitor(each, shared.tally, name) for each in shared.servers]
        self._turn = first

    def next(self) -> Visitor:
        """Return the browser whose turn it is, of those whose server runs."""
        self._turn += 1
        in_turn = [self.at(self._turn + later) for later in range(len(self.visitors))]
        return next((each for each in in_turn if each.server.up.is_set()), in_turn[0])

    def at(self, number: int) -> Visitor:
        """Return the browser for a server by its number, counted round and round."""
        return self.visitors[number % len(self.visitors)]

    def open(self) -> list[Visitor]:
        """Return the browsers whose server runs."""
        return [each for each in self.visitors if each.server.up.is_set()]

    async def close(self) -> None:
        """Close all."""
        for each in self.visitors:
            await each.close()
