"""The course of a run: one local server first, then two of one library, the same people at both."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bench.loading.material import example_questions, places
from bench.loading.process import Sample, Server
from bench.loading.scene import Plan
from bench.loading.tally import Tally
from bench.sharing.changes import Changes
from bench.sharing.ending import check_doctor, check_left, check_lists, check_quotes
from bench.sharing.keeper import Keeper
from bench.sharing.person import Person
from bench.sharing.shared import Shared
from bench.sharing.trials import kill, somebody_else_writes

__all__ = ["ALONE", "TWO", "Outcome", "play"]

ALONE, TWO = "one local server", "two servers"  # phases
_WARMING, _LOCKED, _AFTER = "warming", "somebody else writes", "after"
_SHARE_ALONE = 0.25  # of the time, before the rest
_KEEPERS = 2
_EVERY = 5  # samples, of which one looks at the children and at shared pages
_ENDS = "every server ends in good order when it is told to"

Tell = Callable[[str], None]


@dataclass
class Outcome:
    """What a run gave.

    Attributes:
        samples: By server, what it took.
        restarted: Seconds until the killed server answered again.
        changes, refusals: Of the two servers, as in `Shared`.
        quotes: Different ones that were compared with the store.
        seconds: By phase, how long it lasted.
    """

    plan: Plan
    tally: Tally
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    restarted: float = 0.0
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    quotes: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


async def play(
    plan: Plan, alone: Server | None, two: Sequence[Server], third: Server, tell: Tell
) -> Outcome:
    """Return what happens when this plan is carried out.

    Args:
        plan: People and times.
        alone: A server of a library on this machine, for the baseline; None for none.
        two: The servers of one library, whose documents are indexed.
        third: A machine that has that library too, on which no server runs.
        tell: Told how far it is.
    """
    outcome = Outcome(plan, Tally())
    if alone is not None:
        shared = Shared([alone], outcome.tally)
        async with _running(shared, outcome, tell):
            await _crowd(shared, outcome, ALONE, _SHARE_ALONE * plan.seconds, tell, None)
        check_quotes(shared, alone)
        check_left(shared)
    shared = Shared(two, outcome.tally)
    async with _running(shared, outcome, tell):
        rest = plan.seconds - sum(outcome.seconds.values())
        await _crowd(shared, outcome, TWO, rest, tell, third)
        tell("the doctor looks at the library from both homes")
        await check_doctor(shared)
    check_quotes(shared, third)
    check_left(shared)
    outcome.changes, outcome.refusals = shared.changes, shared.refusals
    outcome.quotes = len(shared.quoted)
    return outcome


@asynccontextmanager
async def _running(shared: Shared, outcome: Outcome, tell: Tell) -> AsyncIterator[None]:
    """Let the servers of a library run, and watch what they take."""
    took = await asyncio.gather(*(server.start() for server in shared.servers))
    tell(f"{len(took)} of a library answer after {', '.join(f'{each:.1f}' for each in took)} s")
    watching = asyncio.create_task(_watch(shared.servers, outcome))
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        ended = [await server.terminate() for server in shared.servers]
    shared.tally.check(_ENDS, None not in ended, ended)


async def _crowd(
    shared: Shared, outcome: Outcome, phase: str, seconds: float, tell: Tell, third: Server | None
) -> None:
    """Let people ask and keepers change; with `third`, kill a server and have others wait."""
    plan, tally = outcome.plan, outcome.tally
    questions = example_questions()
    everyone = [
        Person(number, place, shared, questions, think=plan.think)
        for number, place in enumerate(places(plan.people))
    ]
    keepers = [Keeper(shared, number) for number in range(_KEEPERS)]
    changes = Changes(shared, "whoever tries")
    # The first questions load the models and make the indexes; they are not timed.
    tally.phase = _WARMING
    for person in everyone[: len(shared.servers)]:
        await person.ask_something()
    tally.phase = phase
    tell(f"{plan.people} people at {phase}, for {seconds:.0f} s")
    began = time.monotonic()
    lives = [asyncio.create_task(person.live()) for person in everyone]
    keeping = [asyncio.create_task(keeper.live()) for keeper in keepers]
    try:
        await asyncio.sleep(seconds / 2)
        if third is not None:
            tell("one is killed")
            outcome.restarted = await kill(shared, changes)
            tell(f"it answers again after {outcome.restarted:.1f} s")
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
        shared.quiet.set()
        await asyncio.gather(*keeping)
        outcome.seconds[phase] = time.monotonic() - began
        if third is not None:
            tally.phase = _LOCKED
            tell("somebody else changes the library for a while")
            await somebody_else_writes(shared, changes, third)
        shared.over.set()
        await asyncio.gather(*lives)
    finally:
        for life in (*lives, *keeping):
            life.cancel()
    tally.phase = _AFTER
    await check_lists(shared, [slot for keeper in keepers for slot in keeper.slots])
    doors = [person.doors for person in everyone]
    doors += [changes.doors, *(keeper.changes.doors for keeper in keepers)]
    for each in doors:
        await each.close()


async def _watch(servers: Sequence[Server], outcome: Outcome) -> None:
    number = 0
    while True:
        for server in servers:
            sample = server.sample(proportional=number % _EVERY == 0)
            if sample is not None:
                outcome.samples.setdefault(server.name, []).append(sample)
        number += 1
        await asyncio.sleep(1)
