"""What a person remembers of their conversations, compared with what the server says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.loading.material import Json, Place
from bench.loading.tally import Tally

__all__ = ["Talk", "Turn", "check_list", "check_talk"]

_TURNS = "every turn that was acknowledged is there, in order, none twice"
_LIST = "the list of conversations holds one's own, all of them, and nothing else"
_ORDER = "the list of conversations has the one changed last first"


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was answered: its number, its words, and the places that were quoted."""

    id: int
    question: str
    refs: tuple[str, ...]


@dataclass
class Talk:
    """A conversation.

    Attributes:
        id: Its name.
        place: That it is about; None where it is about anything.
        turns: Those that the server has acknowledged.
        maybe: Questions that were stopped or cut off: each may have been kept.
        exported: What an export said after how many turns, to be the same again later.
    """

    id: str
    place: Place | None = None
    turns: list[Turn] = field(default_factory=list)
    maybe: list[str] = field(default_factory=list)
    exported: tuple[int, Json] | None = None


def check_talk(tally: Tally, who: str, talk: Talk, turns: Sequence[Mapping[str, Any]]) -> None:
    """Compare the turns that the server has with those remembered; take over those that it kept."""
    known = {turn.id: turn for turn in talk.turns}
    maybe = list(talk.maybe)
    found: list[Turn] = []
    strange: list[str] = []
    for each in turns:
        turn = known.pop(each["id"], None)
        if turn is None and each["question"] in maybe:
            maybe.remove(each["question"])
            turn = Turn(each["id"], each["question"], refs_of(each["answer"]))
        if turn is None or turn.question != each["question"]:
            strange.append(f"{each['id']}: {each['question']}")
            continue
        found.append(turn)
    ordered = [turn.id for turn in found] == sorted(turn.id for turn in found)
    evidence = f"{who}, {talk.id}: missing {list(known.values())}, strange {strange}"
    tally.check(_TURNS, not known and not strange and ordered, evidence)
    talk.turns, talk.maybe = found, maybe


def check_list(
    tally: Tally, who: str, talks: Mapping[str, Talk], listed: Sequence[Mapping[str, Any]]
) -> None:
    """Compare a whole list of conversations, the one changed last first, with those remembered."""
    ids = [each["id"] for each in listed]
    due = {id for id, talk in talks.items() if talk.turns}
    possible = {id for id, talk in talks.items() if talk.turns or talk.maybe}
    right = due <= set(ids) <= possible and len(ids) == len(set(ids))
    counts = {
        each["id"]: each["turns"]
        for each in listed
        if each["id"] in talks
        and not 0 <= each["turns"] - len(talks[each["id"]].turns) <= len(talks[each["id"]].maybe)
    }
    evidence = f"{who}: due {sorted(due)}, listed {ids}, other counts {counts}"
    tally.check(_LIST, right and not counts, evidence)
    # What was stopped may have been kept a moment later, and its conversation come first.
    sure = [id for id in ids if id in talks and not talks[id].maybe]
    last = {id: talk.turns[-1].id for id, talk in talks.items() if talk.turns}
    tally.check(
        _ORDER,
        sure == sorted(sure, key=lambda id: -last.get(id, 0)),
        f"{who}: {[(id, last.get(id)) for id in sure]}",
    )


def refs_of(answer: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return the places that an answer quotes."""
    return () if answer is None else tuple(quote["citation"]["ref"] for quote in answer["quotes"])
