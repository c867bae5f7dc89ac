"""What the exports share: the turns that are exported, and the facts told about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from index.types import DocumentInfo, Filter
from qa.text import text
from qa.types import Answer, Passage, Quote
from qa.visible import long_date, one_line

__all__ = [
    "ExportedTurn",
    "dated",
    "documents_of",
    "facts_of",
    "long_time",
    "now",
    "searched_in",
    "state_of",
    "title_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedTurn:
    """One question with what came back.

    Attributes:
        question: As it was asked.
        asked_at: ISO 8601 time in UTC, or "".
        answer: The answer, or None where there is only a problem.
        problem: The sentence that says why there is no answer, or "".
        lost: How many quotes are missing because their document was removed.
        where: Which documents were searched; None for all.
        files: SHA-256 of the files that documents were read from, by document, where known.
    """

    question: str
    asked_at: str = ""
    answer: Answer | None = None
    problem: str = ""
    lost: int = 0
    where: Filter | None = None
    files: Mapping[int, str] = field(default_factory=dict)


def now() -> str:
    """Return the time as exports write it: ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def long_time(time: str) -> str:
    """Return an ISO 8601 time for people, "3 May 2021, 14:05 UTC"; what is none stays as it is."""
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return one_line(time)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return f"{long_date(moment.date().isoformat())}, {moment:%H:%M} UTC"


def dated(info: DocumentInfo) -> str:
    """Return what day a document states, "dated 3 May 2021", or that it states none."""
    if not info.date:
        return text("export.undated")
    return text("export.dated", day=long_date(info.date))


def title_of(title: str, turns: Sequence[ExportedTurn]) -> str:
    """Return the title on one line; where there is none, the first question."""
    first = turns[0].question if turns else ""
    return one_line(title) or one_line(first) or text("export.untitled")


def facts_of(turns: Sequence[ExportedTurn], made_at: str) -> list[str]:
    """Return when the export was made, of how many questions, and of which state."""
    facts = [text("export.made", time=long_time(made_at))]
    if len(turns) > 1:
        facts.append(text("export.questions", n=len(turns)))
    if state := state_of(turns):
        facts.append(state)
    return facts


def state_of(turns: Sequence[ExportedTurn]) -> str:
    """Return which states of the library were asked, or "" where nothing was."""
    states = sorted({turn.answer.generation for turn in turns if turn.answer is not None})
    if not states:
        return ""
    first, last = str(states[0]), str(states[-1])
    return text("export.state" if first == last else "export.states", first=first, last=last)


def searched_in(where: Filter | None) -> str:
    """Return which documents a question was asked of, or "" for all."""
    return text("export.searched_in", what="; ".join(_conditions(where))) if where else ""


def _conditions(where: Filter) -> Iterator[str]:
    for name in ("folder", "pattern", "type"):
        if value := getattr(where, name):
            yield text(f"export.in_{name}", name=one_line(value))
    for name in ("after", "before"):
        if value := getattr(where, name):
            yield text(f"export.in_{name}", day=long_date(value))
    if where.documents is not None:
        yield text("export.in_documents", n=len(where.documents))


def documents_of(turns: Sequence[ExportedTurn]) -> list[DocumentInfo]:
    """Return every document that is quoted, or near, in order of first mention."""
    found: dict[int, DocumentInfo] = {}
    for turn in turns:
        if turn.answer is not None:
            shown: tuple[Quote | Passage, ...] = (*turn.answer.quotes, *turn.answer.nearest)
            for each in shown:
                found.setdefault(each.document.id, each.document)
    return list(found.values())
