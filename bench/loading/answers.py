"""Whether an answer is the answer to what was asked, and its quotes stand where they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.loading.gradio_page import Drawn
from bench.loading.ledger import Talk
from bench.loading.parcels import Parcel, Parcels
from bench.loading.tally import Tally
from bench.loading.visitor import Visitor

__all__ = ["NEW", "REMOVED", "Asked", "check_answer", "check_drawn", "check_source"]

NEW = "an answer comes from a state no older than the last one acknowledged"
REMOVED = "what was removed before a question is not quoted"
_BELONGS = "an answer belongs to its question and its conversation"
_OWN = "an answer quotes what the person asked about"
_FOLLOWS = "a follow-up is made whole with the turns of its own conversation"
_ADDED = "what was added before a question is found"
_DRAWN = "the page draws the conversation as it was"
_WORDS = "a quote stands in its source word for word"
_PAGES = "the printed page of a quote is drawn"


@dataclass
class Asked:
    """A question, and what is known of its answer before.

    Attributes:
        question: As it is asked.
        says: Words of the first quote; "" where anything may be said.
        means: A name that the question means without saying it; "" where it follows up nothing.
        parcel: What it is about, where that may be gone.
        began: When it was asked.
        generation: The newest state acknowledged until then.
    """

    question: str
    says: str = ""
    means: str = ""
    parcel: Parcel | None = None
    began: float = 0.0
    generation: int = 0


def check_answer(
    tally: Tally,
    who: str,
    talk: Talk,
    asked: Asked,
    answer: Mapping[str, Any],
    parcels: Parcels,
) -> None:
    """Check an answer of the API."""
    quotes = answer["quotes"]
    said = [quote["text"] for quote in quotes]
    told = f"{who}: {asked.question!r} as {answer['searched_for']!r}: {said}"
    last = talk.turns[-1].id if talk.turns else 0
    tally.check(
        _BELONGS,
        answer["question"] == asked.question
        and answer["conversation"] == talk.id
        and answer["turn"] > last,
        f"{told} as turn {answer['turn']} of {answer['conversation']}, not {talk.id} after {last}",
    )
    tally.check(
        NEW,
        answer["generation"] >= asked.generation,
        f"{told} from {answer['generation']}, not {asked.generation}",
    )
    if asked.says:
        assert talk.place is not None
        first = bool(quotes) and quotes[0]["citation"]["path"] == talk.place.path
        tally.check(_OWN, first and asked.says in said[0], f"{told}, not {asked.says!r}")
    if asked.means:
        tally.check(_FOLLOWS, asked.means in answer["searched_for"], f"{told}, not {asked.means}")
    gone = parcels.gone_before(" ".join(said), asked.began)
    tally.check(REMOVED, not gone, f"{told} at {asked.began}: {gone}")
    if asked.parcel is not None and parcels.stayed(asked.parcel):
        tally.check(_ADDED, bool(said) and asked.parcel.locker in said[0], f"{told} {asked.parcel}")


def check_drawn(tally: Tally, who: str, talk: Talk, asked: Asked, drawn: Drawn) -> int | None:
    """Check what the page draws after a question; return the number of its turn."""
    before = [str(turn.id) for turn in talk.turns]
    numbers = [number for number, _ in drawn.asked]
    # What was cut off when the server was killed may be there as well.
    extra = [words for number, words in drawn.asked[:-1] if number not in before]
    right = (
        [number for number in numbers[:-1] if number in before] == before
        and numbers == [number for _, number in drawn.answers]
        and drawn.asked[-1][1] == asked.question
        and not set(extra) - set(talk.maybe)
    )
    tally.check(_DRAWN, right, f"{who}: {drawn}, before {before}")
    if asked.says:
        tally.check(_OWN, asked.says in drawn.said, f"{who}: {drawn.said}, not {asked.says}")
    return int(numbers[-1]) if numbers and numbers[-1] else None


async def check_source(
    tally: Tally, visitor: Visitor, quote: Mapping[str, Any], *, must_be_there: bool
) -> None:
    """Open the place of a quote and compare its words; where it has pages, draw that page."""
    citation = quote["citation"]
    due = (200,) if must_be_there else (200, 404)
    reply = await visitor.send("open a source", "GET", f"/api/source/{citation['ref']}", due=due)
    if reply.status_code != 200:
        return
    view = reply.json()
    same = view["quote"] == quote["text"]
    tally.check(_WORDS, same, f"{visitor.name}: {view['quote']!r}, not {quote['text']!r}")
    if citation["page"] is None or not citation["path"].endswith(".pdf"):
        return
    document = citation["ref"].partition("/")[0]
    spans = {"spans": f"{citation['start']}-{citation['end']}"}
    path = f"/api/source/{document}/page/{citation['page']}"
    page = await visitor.json("open a page", "GET", path, params=spans)
    tally.check(_PAGES, bool(page["boxes"]), f"{visitor.name}: {page}")
    picture = f"/api/page/{document}/{citation['page']}.png"
    image = await visitor.send("draw a page", "GET", picture, params={"scale": 1.5})
    tally.check(_PAGES, image.content.startswith(b"\x89PNG"), f"{visitor.name}: no picture")
