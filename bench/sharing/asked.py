"""What everybody must see once one server has acknowledged a change."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import httpx2

from bench.loading.answers import NEW, REMOVED
from bench.loading.material import Json, parcel_question
from bench.loading.parcels import Parcel
from bench.loading.visitor import CutOffError, Visitor
from bench.sharing.shared import API, Doors, Shared

__all__ = ["SEEN_ELSEWHERE", "SEEN_HERE", "TOLD", "ask_all", "refusal", "settled", "was_told"]

SEEN_HERE = "the server that made a change answers with it"
SEEN_ELSEWHERE = "the next question at the other server is answered with the change too"
TOLD = "a change that is refused says with 409 and a sentence who is in the way"
_REASON = re.compile(
    r"is being changed by (process \d+ on |another process)|[Aa]nother process has (changed|begun)"
    r"|(added or updated) just now"
)
_OFTEN = 0.1  # seconds between two looks


async def ask_all(
    shared: Shared, doors: Doors, by: str, name: str, parcel: Parcel | None, old: list[Parcel]
) -> None:
    """Ask at every server that runs, after a change was acknowledged.

    Args:
        shared: The library.
        doors: The browsers of whoever asks.
        by: Name of the server that made the change.
        name: For whom there was or is a parcel.
        parcel: That was added; None where it was removed.
        old: Those that are gone.
    """
    asking = [_ask(shared, each, by, name, parcel, old) for each in doors.open()]
    await asyncio.gather(*asking)


async def _ask(
    shared: Shared, visitor: Visitor, by: str, name: str, parcel: Parcel | None, old: list[Parcel]
) -> None:
    began, generation = shared.parcels.now(), shared.parcels.generation
    body = {"question": parcel_question(name)}
    try:
        reply = await visitor.send("question after a change", "POST", f"{API}/ask", json=body)
    except CutOffError:
        return
    if reply.status_code != 200:
        return
    answer: Mapping[str, Any] = reply.json()
    shared.heard(answer)
    said = [quote["text"] for quote in answer["quotes"]]
    told = (
        f"changed at {by}, asked at {visitor.server.name}: {said} from {answer['generation']}, "
        f"acknowledged {generation}; {parcel} for {old}"
    )
    gone = shared.parcels.gone_before(" ".join(said), began)
    shared.tally.check(REMOVED, not gone, f"{told}: {gone}")
    shared.tally.check(NEW, answer["generation"] >= generation, told)
    if parcel is None:
        right = not any(each.locker in text for each in old for text in said)
    elif not shared.parcels.stayed(parcel):
        return
    else:
        right = bool(said) and parcel.locker in said[0]
    promise = SEEN_HERE if by == visitor.server.name else SEEN_ELSEWHERE
    shared.tally.check(promise, right, told)


async def settled(visitor: Visitor) -> Json | None:
    """Wait until nothing is being changed by a server, also through a kill; where it stands then.

    None where it does not say.
    """
    while True:
        reply = await visitor.send("watch an update", "GET", f"{API}/sync")
        if reply.status_code != 200:
            return None
        state: Json = reply.json()
        if not state["running"]:
            return state
        await asyncio.sleep(_OFTEN)


def was_told(shared: Shared, reply: httpx2.Response) -> bool:
    """Return whether a change was refused because of another one; check how that is told."""
    if reply.status_code != 409:
        return False
    problem = reply.json()
    sentence = problem["detail"]
    locked = problem["type"] == "urn:quoth:problem:library-locked"
    shared.tally.check(TOLD, locked and refusal(shared, sentence), problem)
    return True


def refusal(shared: Shared, said: str) -> bool:
    """Return whether a sentence says who is in the way, and count it."""
    found = _REASON.search(said)
    if found is None:
        return False
    shared.refusals[re.sub(r"\d+ on .*", "N", found[0])] += 1
    return True
