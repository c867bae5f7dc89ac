"""One of many who ask: conversations about a place of their own, and a look at everything else."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any

from bench.loading.answers import Asked, check_answer, check_drawn, check_source
from bench.loading.gradio_page import GradioPage
from bench.loading.ledger import Talk, Turn, check_list, check_talk, refs_of
from bench.loading.material import Json, Place, parcel_question
from bench.loading.parcels import Parcels
from bench.loading.process import Server
from bench.loading.tally import Tally
from bench.loading.visitor import CutOffError, Visitor

__all__ = ["Person"]

_MOST_TALKS = 12  # conversations of one person; then the oldest is deleted
_PAGE = 5  # conversations listed at a time
_EXPORTS = "an exported conversation says the same before and after the server was killed"
_ANSWERED = "every question is answered"
_GONE = "a deleted conversation is gone"
_HONEST_LATER = "a stream that must end says when to come back"

Action = Callable[[], Awaitable[None]]


class Person:
    """Asks, follows up, opens sources, lists, exports, judges, stops and deletes.

    Args:
        number: From 0; decides what they do.
        place: That nobody else asks about.
        server: That is visited.
        tally: Where times and faults are kept.
        parcels: What else can be asked about.
        others: Questions about the examples, which anyone asks.
        think: Mean seconds between two things that they do.
        on_page: Whether they ask in the page; otherwise by the API, as programs do.
    """

    def __init__(
        self,
        number: int,
        place: Place,
        server: Server,
        tally: Tally,
        parcels: Parcels,
        others: list[str],
        *,
        think: float,
        on_page: bool,
    ) -> None:
        self.name = f"person {number} ({'page' if on_page else 'API'})"
        self.place, self.tally, self.parcels, self.others = place, tally, parcels, others
        self.think = think
        self.talks: dict[str, Talk] = {}
        self.visitor = Visitor(server, tally, self.name)
        self._dice = random.Random(number)
        self._page = GradioPage(self.visitor) if on_page else None
        self._cited: list[tuple[Json, bool]] = []
        self._actions: tuple[tuple[float, Action], ...] = (
            (10, self.begin),
            (38, self.follow_up),
            (8, self.ask_about_examples),
            (8, self.ask_about_a_parcel),
            (14, self.open_a_source),
            (6, self.list_all),
            (3, self.find),
            (3, self.read),
            (4, self.export),
            (4, self.judge),
            (4, self.stop),
            (2, self.delete),
            (2, self.reload),
        )

    async def live(self, until: float) -> None:
        """Do one thing after another until a moment of the monotonic clock."""
        await asyncio.sleep(self._dice.uniform(0, min(self.think, until - time.monotonic())))
        await self.arrive()
        while time.monotonic() < until:
            weights = [weight for weight, _ in self._actions]
            (chosen,) = self._dice.choices([action for _, action in self._actions], weights)
            try:
                await chosen()
            except CutOffError:
                continue  # and tries something else, as people do
            pause = self._dice.expovariate(1 / self.think) if self.think else 0.0
            await asyncio.sleep(max(0.0, min(pause, until - time.monotonic())))

    async def arrive(self) -> None:
        """Open the page."""
        while True:
            try:
                await (self._page.open() if self._page else self.visitor.arrive())
            except CutOffError:
                continue
            return

    async def leave(self) -> None:
        """Close the browser."""
        if self._page is not None:
            await self._page.close()
        await self.visitor.close()

    async def check_all(self) -> None:
        """Compare everything that the server has with what is remembered."""
        await self.list_all()
        for talk in list(self.talks.values()):
            if talk.turns or talk.maybe:
                await self._read(talk)
            if talk.exported is not None and talk.exported[0] == len(talk.turns):
                again = await self._exported(talk)
                self.tally.check(
                    _EXPORTS, again == talk.exported[1], f"{self.name}, {talk.id}: {again}"
                )

    # -- asking -------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Ask about the place in a new conversation."""
        talk = self._new_talk(self.place)
        await self._ask(talk, Asked(self.place.first[0], says=self.place.first[1]))

    async def follow_up(self) -> None:
        """Ask something that only the turns before make whole."""
        talks = [talk for talk in self.talks.values() if talk.place and talk.turns]
        if not talks:
            await self.begin()
            return
        talk = self._dice.choice(talks[-3:])
        question, says = self._dice.choice(self.place.follow_ups)
        await self._ask(talk, Asked(question, says=says, means=self.place.name))
        if len(talk.turns) == 2:
            talk.exported = (2, await self._exported(talk))

    async def ask_about_examples(self) -> None:
        """Ask what anyone asks."""
        await self._ask(self._new_talk(None), Asked(self._dice.choice(self.others)))

    async def ask_about_a_parcel(self) -> None:
        """Ask for something that may be gone the next moment."""
        there = self.parcels.present()
        if not there:
            return
        parcel = self._dice.choice(there)
        asked = Asked(parcel_question(parcel.name), parcel=parcel)
        await self._ask(self._new_talk(None), asked)

    async def stop(self) -> None:
        """Ask, and change one's mind."""
        talk = self._new_talk(None)
        question = self._dice.choice(self.others)
        talk.maybe.append(question)
        seconds = self._dice.uniform(0.02, 0.6)
        if self._page is not None:
            await self._page.ask(question, talk.id, stop_after=seconds)
            return
        began = time.monotonic()
        body = {"question": question, "conversation": talk.id}
        async with aclosing(self.visitor.events("stop", "POST", "/api/ask", body)) as events:
            async for _ in events:
                if time.monotonic() - began > seconds:
                    break

    async def _ask(self, talk: Talk, asked: Asked) -> None:
        """Ask until there is an answer, and check it."""
        began = time.monotonic()
        self.tally.asking += 1
        talk.maybe.append(asked.question)
        try:
            while True:
                asked.began, asked.generation = self.parcels.now(), self.parcels.generation
                answer = await (
                    self._by_page(talk, asked) if self._page else self._by_api(talk, asked)
                )
                if answer is not None:
                    break
        finally:
            self.tally.asking -= 1
        talk.maybe.remove(asked.question)
        check_answer(self.tally, self.name, talk, asked, answer, self.parcels)
        talk.turns.append(Turn(answer["turn"], asked.question, refs_of(answer)))
        self.tally.answered[self.name] += 1
        self.tally.waited[self.name].append(time.monotonic() - began)
        own = talk.place is not None
        self._cited = [(quote, own) for quote in answer["quotes"]] or self._cited

    async def _by_api(self, talk: Talk, asked: Asked) -> Json | None:
        body = {"question": asked.question, "conversation": talk.id}
        began, quoted = time.perf_counter(), False
        async with aclosing(self.visitor.events("ask", "POST", "/api/ask", body)) as events:
            async for name, said in events:
                if name == "refused":
                    return None
                if name == "quote" and not quoted:
                    quoted = True
                    self.tally.took("first quote (API)", time.perf_counter() - began)
                if name == "problem":
                    await self._refused_in_stream(said)
                    return None
                if name == "answer":
                    self.tally.took("answer (API)", time.perf_counter() - began)
                    found: Json = said
                    return found
        self.tally.check(_ANSWERED, False, f"{self.name}: {asked.question}")
        return None

    async def _refused_in_stream(self, said: Mapping[str, Any]) -> None:
        after = said.get("retry_after")
        honest = said["status"] in (429, 503) and isinstance(after, int)
        self.tally.check(_HONEST_LATER, honest, f"{self.name}: {said}")
        self.tally.refused["ask, in the stream", said["status"]] += 1
        await asyncio.sleep(after if isinstance(after, int) else 5)

    async def _by_page(self, talk: Talk, asked: Asked) -> Json | None:
        assert self._page is not None
        began = time.perf_counter()

        def first() -> None:
            self.tally.took("first quote (page)", time.perf_counter() - began)

        drawn = await self._page.ask(asked.question, talk.id, first=first)
        if drawn is None or drawn.pending:
            return None
        self.tally.took("answer (page)", time.perf_counter() - began)
        number = check_drawn(self.tally, self.name, talk, asked, drawn)
        if not self.tally.check(_ANSWERED, number is not None, f"{self.name}: {drawn}"):
            await asyncio.sleep(1)
            return None
        turn = await self.visitor.json(
            "read a turn", "GET", f"/api/conversations/{talk.id}/turns/{number}"
        )
        answer: Json | None = turn["answer"]
        if answer is not None:
            drawn_all = set(refs_of(answer)) <= set(drawn.refs)
            self.tally.check(
                "the page shows every quote of the answer", drawn_all, f"{drawn.refs} {answer}"
            )
        return answer

    # -- everything else ----------------------------------------------------------------------

    async def open_a_source(self) -> None:
        """Open something that was quoted: its text, and the printed page where it has one."""
        if not self._cited:
            return
        quote, own = self._dice.choice(self._cited)
        await check_source(self.tally, self.visitor, quote, must_be_there=own)

    async def list_all(self) -> None:
        """List all conversations, a part at a time as the page does."""
        listed: list[Json] = []
        before = ""
        while True:
            part = await self.visitor.json(
                "list conversations",
                "GET",
                "/api/conversations",
                params={"limit": _PAGE, "before": before},
            )
            listed += part["conversations"]
            before = part["next"]
            if before is None:
                break
        check_list(self.tally, self.name, self.talks, listed)

    async def find(self) -> None:
        """Look for every sentence with the name of the place."""
        body = {"words": self.place.name}
        found = await self.visitor.json("find", "POST", "/api/find", json=body)
        paths = {document["path"] for document in found["documents"]}
        self.tally.check(
            "a search lists every sentence with the words",
            paths == {self.place.path} and found["total"] == self.place.text.count(self.place.name),
            f"{self.name}: {paths}, {found['total']}",
        )

    async def read(self) -> None:
        """Read a conversation again."""
        if talk := self._some_talk():
            await self._read(talk)

    async def export(self) -> None:
        """Save a conversation as a file."""
        if talk := self._some_talk():
            form = self._dice.choice(("markdown", "html"))
            path = f"/api/conversations/{talk.id}/export"
            file = await self.visitor.send("export", "GET", path, params={"format": form})
            whole = all(turn.question[:20] in file.text.replace("\\", "") for turn in talk.turns)
            self.tally.check(
                "an exported conversation holds every question", whole, f"{self.name} {file.text}"
            )

    async def judge(self) -> None:
        """Say what one thinks of an answer, and look whether that was kept."""
        talk = self._some_talk()
        if talk is None:
            return
        value = self._dice.choice(("good", "wrong_place", "not_answered", ""))
        path = f"/api/conversations/{talk.id}/turns/{talk.turns[-1].id}"
        await self.visitor.send("judge", "PUT", f"{path}/feedback", json={"value": value})
        kept = await self.visitor.json("read a turn", "GET", path)
        self.tally.check(
            "what people say of an answer is kept", kept["feedback"] == value, f"{kept} {value}"
        )

    async def delete(self) -> None:
        """Delete the oldest conversation."""
        talk = next((talk for talk in self.talks.values() if talk.turns and not talk.maybe), None)
        if talk is None:
            return
        await self._delete(talk)

    async def reload(self) -> None:
        """Load the page again, with a conversation in its address."""
        await self.arrive()
        for path in ("/api/documents/table", "/api/suggestions", "/api/sync"):
            await self.visitor.send("load the page's lists", "GET", path)
        talk = self._some_talk()
        if self._page is None or talk is None or talk.maybe:
            return
        drawn = await self._page.show(talk.id)
        if drawn is not None:
            self.tally.check(
                "a page loaded again shows its conversation",
                [int(number) for number, _ in drawn.asked] == [turn.id for turn in talk.turns],
                f"{self.name}: {drawn}, {talk}",
            )

    async def _delete(self, talk: Talk) -> None:
        del self.talks[talk.id]  # also where the reply is cut off: it is not looked at any more
        path = f"/api/conversations/{talk.id}"
        try:
            await self.visitor.send("delete", "DELETE", path, due=(204,))
        except CutOffError:
            self.talks[talk.id] = Talk(talk.id, maybe=[turn.question for turn in talk.turns])
            return
        gone = await self.visitor.send("read", "GET", path, due=(404,))
        self.tally.check(_GONE, gone.status_code == 404, f"{self.name}, {talk.id}: {gone.text}")

    async def _read(self, talk: Talk) -> None:
        due = (200, 404) if not talk.turns else (200,)
        path = f"/api/conversations/{talk.id}"
        reply = await self.visitor.send("read", "GET", path, due=due)
        found = reply.json() if reply.status_code == 200 else {"turns": []}
        check_talk(self.tally, self.name, talk, found["turns"])

    async def _exported(self, talk: Talk) -> Json:
        path = f"/api/conversations/{talk.id}/export"
        file = await self.visitor.json("export", "GET", path, params={"format": "json"})
        file.pop("exported_at")
        return file

    def _new_talk(self, place: Place | None) -> Talk:
        talk = Talk(secrets.token_hex(16), place)
        self.talks[talk.id] = talk
        return talk

    def _some_talk(self) -> Talk | None:
        talks = [talk for talk in self.talks.values() if talk.turns]
        return self._dice.choice(talks) if talks else None
