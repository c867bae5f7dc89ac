"""One of many who ask, at one server and the other in turn, as a proxy spreads requests."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from bench.loading.answers import Asked, check_answer, check_source
from bench.loading.ledger import Talk, Turn, refs_of
from bench.loading.material import Place, parcel_question
from bench.loading.visitor import CutOffError, Visitor
from bench.sharing.shared import API, Doors, Shared

__all__ = ["Person"]

_LOOKS = 0.25  # of the answers, of which a quote is opened
_SOON = 0.5  # seconds after which one tries again what went wrong


class Person:
    """Asks about a place of their own, follows up, asks what anyone asks, and opens quotes.

    Conversations stay at the server where they began; new ones begin at both in turn.

    Args:
        number: From 0; decides what they do.
        place: That nobody else asks about.
        others: Questions about the examples, which anyone asks.
        think: Mean seconds between two questions.
    """

    def __init__(
        self, number: int, place: Place, shared: Shared, others: Sequence[str], *, think: float
    ) -> None:
        self.name = f"person {number}"
        self.place, self.shared, self.others, self.think = place, shared, others, think
        self.doors = Doors(shared, self.name, number)
        self._dice = random.Random(number)
        self._talks: dict[str, Talk] = {}  # the latest about the place, by server

    async def live(self) -> None:
        """Ask one thing after another until everyone goes."""
        await self.shared.pause(self._dice.uniform(0, self.think))
        while not self.shared.over.is_set():
            await self.ask_something()
            await self.shared.pause(self._dice.expovariate(1 / self.think) if self.think else 0.0)

    async def ask_something(self) -> None:
        """Ask one thing at the server whose turn it is, and perhaps look at what was quoted."""
        visitor = self.doors.next()
        talk, asked = self._chosen(visitor)
        answer = await self._answered(visitor, talk, asked)
        if answer is not None and answer["quotes"] and self._dice.random() < _LOOKS:
            quote = self._dice.choice(answer["quotes"])
            # At whatever server is next: a citation is a link, and links are sent to others.
            other = self.doors.next()
            await check_source(
                self.shared.tally, other, quote, must_be_there=talk.place is not None
            )

    def _chosen(self, visitor: Visitor) -> tuple[Talk, Asked]:
        kind = self._dice.random()
        there = self.shared.parcels.present()
        if kind < 0.2 and there:
            parcel = self._dice.choice(there)
            return _new_talk(), Asked(parcel_question(parcel.name), parcel=parcel)
        if kind < 0.35:
            return _new_talk(), Asked(self._dice.choice(self.others))
        talk = self._talks.get(visitor.server.name)
        if kind < 0.6 and talk is not None and talk.turns:
            question, says = self._dice.choice(self.place.follow_ups)
            return talk, Asked(question, says=says, means=self.place.name)
        talk = self._talks[visitor.server.name] = _new_talk(self.place)
        return talk, Asked(self.place.first[0], says=self.place.first[1])

    async def _answered(self, visitor: Visitor, talk: Talk, asked: Asked) -> dict[str, Any] | None:
        """Return the answer, checked; None where the server was killed or broke a promise."""
        parcels = self.shared.parcels
        asked.began, asked.generation = parcels.now(), parcels.generation
        body = {"question": asked.question, "conversation": talk.id}
        try:
            reply = await visitor.send("question", "POST", f"{API}/ask", json=body)
        except CutOffError:
            return None
        if reply.status_code != 200:
            await asyncio.sleep(_SOON)
            return None
        answer: dict[str, Any] = reply.json()
        check_answer(self.shared.tally, self._at(visitor), talk, asked, answer, parcels)
        self._take_note(talk, answer)
        return answer

    def _take_note(self, talk: Talk, answer: Mapping[str, Any]) -> None:
        self.shared.heard(answer)
        talk.turns.append(Turn(answer["turn"], answer["question"], refs_of(answer)))
        self.shared.tally.answered[self.name] += 1

    def _at(self, visitor: Visitor) -> str:
        return f"{self.name} at {visitor.server.name}"


def _new_talk(place: Place | None = None) -> Talk:
    return Talk(secrets.token_hex(16), place)
