"""The course of a run: one person alone, then all, a kill in between, and what is left behind."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field

from bench.loading.keeper import Keeper
from bench.loading.material import Place, places
from bench.loading.parcels import Parcels
from bench.loading.person import Person
from bench.loading.process import Sample, Server
from bench.loading.tally import Tally
from bench.loading.visitor import Visitor

__all__ = ["Outcome", "Plan", "faults", "play"]

_EVERY = 5  # samples, of which one looks at the children and at shared pages
_SHARE_ON_PAGE = 3  # one of so many people asks in the page, the others by the API
_KILL_AT = 1 / 4  # of the time: what is left shows whether memory grows
_ALONE = 0.1  # of the time, but not for long
_MOST_ALONE = 60.0  # seconds
_THINK_ALONE = 0.5  # seconds, so that a short time says something
_SETTLE = 15.0  # seconds in which idle threads and connections end
_ENDS = "the server ends in good order when it is told to"
_NO_TEMPORARY = "no temporary file is left"
_CHECKED = "nothing is wrong with the library in the end"
_FREE = "when everyone has gone, as many questions as ever are answered at a time"
_AT_ONCE = 4  # questions of the API
_TRIES = 5  # to see so many under way together
_STARVED = "nobody goes without answers while others get theirs"
_QUIET = "the server logs no error"
# A line of code, an error or a warning of a library, and a request that was answered with 500.
_FAULT = re.compile(r'  File "|Traceback|(uvicorn|asyncio|gradio)[.\w]*: |quoth: [A-Z]+ /')
_DATABASE = "store.db"  # connections to it are kept for later, one for each that was needed at once
_MORE_FILES, _MORE_THREADS = 8, 14  # than before, that are no leak: pools fill once


@dataclass(frozen=True, slots=True)
class Plan:
    """How many people come, for how many seconds, and the mean seconds between what they do."""

    people: int
    seconds: float
    think: float


@dataclass
class Outcome:
    """What a run gave.

    Attributes:
        before, after: What the server took before the crowd came and after it had gone.
        files_before, files_after: What it had open then.
        crowd: Seconds for which the crowd was there.
        restarted: Seconds until the killed server answered again.
        ended: Seconds until it had ended in good order; None where it did not.
        changes: Of the documents.
    """

    plan: Plan
    tally: Tally
    samples: list[Sample] = field(default_factory=list)
    before: Sample | None = None
    after: Sample | None = None
    files_before: list[str] = field(default_factory=list)
    files_after: list[str] = field(default_factory=list)
    crowd: float = 0.0
    restarted: float = 0.0
    ended: float | None = None
    changes: int = 0


async def play(
    server: Server, plan: Plan, questions: list[str], tell: Callable[[str], None]
) -> Outcome:
    """Return what happens when this plan is carried out with this server."""
    outcome = Outcome(plan, Tally())
    tally, parcels = outcome.tally, Parcels()

    def person(number: int, place: Place, think: float) -> Person:
        on_page = number % _SHARE_ON_PAGE == 0
        return Person(
            number, place, server, tally, parcels, questions, think=think, on_page=on_page
        )

    tell(f"the server answers after {await server.start():.1f} s")
    watching = asyncio.create_task(_watch(server, outcome))
    try:
        mine = places(plan.people)
        await _alone(person, mine[0], min(_MOST_ALONE, _ALONE * plan.seconds), tell)
        outcome.before, outcome.files_before = server.sample(proportional=True), server.files()
        tally.phase = "crowd"
        tell(f"{plan.people} people come, for {plan.seconds / 60:g} minutes")
        everyone = [person(number, place, plan.think) for number, place in enumerate(mine)]
        keeper = Keeper(server, tally, parcels)
        await _crowd(server, outcome, everyone, keeper, tell)
        tell("everyone looks whether everything is there, and goes")
        for each in everyone:
            await each.check_all()
        await _leave(server, outcome, everyone, keeper)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        outcome.ended = await server.terminate()
    tally.check(_ENDS, outcome.ended is not None, server.tail())
    _look_at_what_is_left(server, tally)
    return outcome


async def _alone(
    person: Callable[[int, Place, float], Person],
    place: Place,
    seconds: float,
    tell: Callable[[str], None],
) -> None:
    """Let somebody be there alone, in the page and by the API in turn."""
    tell(f"one person alone, for {seconds:.0f} s")
    until = time.monotonic() + seconds
    for number in (0, 1):
        single = person(number, place, 0.0)
        single.think = _THINK_ALONE
        half = until - seconds / 2 if number == 0 else until
        # The first questions also load what is loaded once; they are not timed.
        phase, single.tally.phase = single.tally.phase, "warming"
        await single.arrive()
        await single.begin()
        await single.follow_up()
        single.tally.phase = phase
        await single.live(half)
        await single.check_all()
        await single.leave()
    single.tally.answered.clear()
    single.tally.waited.clear()


async def _crowd(
    server: Server,
    outcome: Outcome,
    everyone: list[Person],
    keeper: Keeper,
    tell: Callable[[str], None],
) -> None:
    began = time.monotonic()
    until = began + outcome.plan.seconds
    lives = [asyncio.create_task(each.live(until)) for each in everyone]
    lives.append(asyncio.create_task(keeper.live(until)))
    try:
        await asyncio.sleep(_KILL_AT * outcome.plan.seconds)
        tell("the server is killed")
        server.kill()
        outcome.restarted = await server.start()
        tell(f"the server answers again after {outcome.restarted:.1f} s")
        await asyncio.gather(*lives)
    finally:
        for life in lives:
            life.cancel()
    outcome.crowd, outcome.changes = time.monotonic() - began, keeper.changes
    tally = outcome.tally
    hungry = [each.name for each in everyone if not tally.answered[each.name]]
    # In a short run a person may simply not have asked yet.
    enough = tally.answered.total() > 8 * len(everyone)
    tally.check(_STARVED, not (hungry and enough), hungry)


async def _leave(server: Server, outcome: Outcome, everyone: list[Person], keeper: Keeper) -> None:
    """Let all go, and look whether anything still waits for them."""
    tally = outcome.tally
    tally.phase = "after"
    last = everyone[:2]
    for each in everyone[2:]:
        await each.leave()
    await keeper.leave()
    await asyncio.gather(*(each.begin() for each in last))
    together = 0
    for _ in range(_TRIES):
        together = max(together, await _under_way(server, tally))
    tally.check(_FREE, together == _AT_ONCE, f"{together} at a time")
    for each in last:
        await each.leave()
    await asyncio.sleep(_SETTLE)
    outcome.after, outcome.files_after = server.sample(proportional=True), server.files()
    if outcome.before is not None and outcome.after is not None:
        before, after = outcome.before, outcome.after
        more = Counter(outcome.files_after) - Counter(outcome.files_before)
        files = sum(n for name, n in more.items() if not name.startswith(_DATABASE))
        tally.check("no files stay open", files <= _MORE_FILES, more)
        threads = after.threads - before.threads
        tally.check("no threads stay", threads <= _MORE_THREADS, f"{before}, {after}")


async def _under_way(server: Server, tally: Tally) -> int:
    """Return how many of some questions asked at once had begun before the first was answered."""
    begun, answered = 0, False

    async def ask(visitor: Visitor) -> None:
        nonlocal begun, answered
        body = {"question": "Who is responsible for the lifts, and who examines them?"}
        async with aclosing(visitor.events("ask", "POST", "/api/ask", body)) as events:
            async for name, said in events:
                # The first step of each; what follows comes later than the others' first one.
                begun += name == "status" and said["step"] != "reading" and not answered
                answered = answered or name == "answer"

    visitors = [Visitor(server, tally, f"last {number}") for number in range(_AT_ONCE)]
    for visitor in visitors:
        await visitor.arrive()
    await asyncio.gather(*map(ask, visitors))
    for visitor in visitors:
        await visitor.close()
    return begun


async def _watch(server: Server, outcome: Outcome) -> None:
    number = 0
    while True:
        sample = server.sample(proportional=number % _EVERY == 0)
        if sample is not None:
            outcome.samples.append(sample)
        if outcome.tally.phase == "crowd":
            outcome.tally.waiting.append(outcome.tally.asking)
        number += 1
        await asyncio.sleep(1)


def faults(said: str) -> list[str]:
    """Return the lines of a server's log that tell of an error which nobody foresaw, or of a 500.

    The log has no levels and, of an error, only the lines of code and the type. What libraries
    log stands behind their name; the server's own sentences, such as that a password was wrong,
    are no error.
    """
    return [line for line in said.splitlines() if _FAULT.match(line)]


def _look_at_what_is_left(server: Server, tally: Tally) -> None:
    from index.upkeep.check import check_library

    uploads = server.library / "uploads"
    folders = (server.temporary, uploads / ".incoming", uploads / ".accepted")
    left = [str(path) for folder in folders for path in folder.rglob("*") if path.is_file()]
    tally.check(_NO_TEMPORARY, not left, left)
    checkup = check_library(server.library)
    tally.check(_CHECKED, checkup.ok, checkup.findings)
    said = server.log.read_text(encoding="utf-8", errors="replace")
    found = faults(said)
    tally.check(_QUIET, not found, f"{found[:5]} in {said[-1_500:]}")
