"""Asked again: are questions still answered as people said they should be?

What people said of answers (`qa.chats`) and cases from a file are put to the library as it is
now. Nothing is judged by a machine: a quote is right when a person called its place good, or when
it holds the phrase that a case wants.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import QuothError, SourceError
from index.library import Library
from qa.chat import Chat
from qa.chats import Feedback
from qa.chats.recall import filter_from_dict, recalled
from qa.question import check_question, searchable
from qa.types import Answer, Quote

__all__ = ["Case", "Evaluation", "Measure", "Outcome", "ask_again", "evaluated", "read_cases"]

_KEYS = {"question", "say", "after"}
_TOLD = 3  # faults of a file


@dataclass(frozen=True, slots=True)
class Case:
    """A question and what the first quote should say.

    Attributes:
        line: Of the file.
        question: What is asked.
        say: A phrase of the right quote; None where the documents do not say.
        after: Questions asked before it, oldest first.
    """

    line: int
    question: str
    say: str | None
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one question.

    Attributes:
        kind: "good", "good_silence", "wrong_place", "not_answered" (said by people), "says" or
            "silent" (wanted by a case).
        question: As it was asked.
        searched_for: How it is understood now.
        place: At which number the quote in question stands now, from 1; None where it is not
            quoted.
        answered: Whether anything is quoted.
        worse: What is not as it should be, as a sentence; "" where nothing is.
        line: Of the file of cases; None for what people said.
    """

    kind: str
    question: str
    searched_for: str
    place: int | None
    answered: bool
    worse: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """How many of some questions something is true of."""

    name: str
    count: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All outcomes, summed up.

    Attributes:
        generation: The state of the library that was asked.
        measures: Only those of which there are questions.
        outcomes: One for each question.
        uncounted: Answers people judged that cannot be compared any more: what they quoted is
            no longer in the library, or they quoted nothing.
    """

    generation: int
    measures: tuple[Measure, ...]
    outcomes: tuple[Outcome, ...]
    uncounted: int = 0

    @property
    def worse(self) -> tuple[Outcome, ...]:
        """The questions that are not answered as they should be."""
        return tuple(outcome for outcome in self.outcomes if outcome.worse)


# Cases ----------------------------------------------------------------------------------------


def read_cases(path: Path) -> list[Case]:
    """Return the cases of a file, one JSON object a line; lines without a word are left out.

    Each has a "question", and "say": a phrase of the right quote, or null where the documents do
    not say. "after" may give the question asked before it, or a list of them.

    Raises:
        SourceError: The file cannot be read, or lines of it are no cases; says which and why.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SourceError(f"The cases in {path} cannot be read: {reason}.") from error
    cases, faults = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            cases.append(_case(number, line))
        except ValueError as error:
            faults.append(f"line {number} {error}")
    if faults:
        more = f"; and {len(faults) - _TOLD} more" if len(faults) > _TOLD else ""
        raise SourceError(f"{path}: {'; '.join(faults[:_TOLD])}{more}.")
    if not cases:
        raise SourceError(f"{path} holds no cases.")
    return cases


def _case(number: int, line: str) -> Case:
    try:
        read = json.loads(line)
    except ValueError:
        raise ValueError("is not JSON") from None
    if not isinstance(read, dict):
        raise ValueError('is no object such as {"question": "…", "say": "…"}')
    if unknown := sorted(read.keys() - _KEYS):
        raise ValueError(f"has the unknown key {unknown[0]!r}")
    if "say" not in read:
        raise ValueError('lacks "say" (null where the documents do not say)')
    say, after = read["say"], read.get("after", [])
    after = [after] if isinstance(after, str) else after
    if not (say is None or (isinstance(say, str) and _plain(say))):
        raise ValueError('has a "say" that is neither words nor null')
    if not (isinstance(after, list) and all(isinstance(each, str) for each in after)):
        raise ValueError('has an "after" that is neither a question nor a list of them')
    return Case(number, _question(read.get("question")), say, tuple(map(_question, after)))


def _question(value: Any) -> str:  # noqa: ANN401 - whatever stood in the file
    if not isinstance(value, str):
        raise ValueError('lacks a "question"')
    try:
        return check_question(value)
    except QuothError:
        raise ValueError("has a question that is empty or too long") from None


def _plain(text: str) -> str:
    return " ".join(searchable(text).casefold().split())


# Asking ---------------------------------------------------------------------------------------


def ask_again(
    library: Library, said: Iterable[Feedback], cases: Iterable[Case]
) -> Iterator[Outcome | None]:
    """Yield what becomes of each question, first those that people judged.

    None stands for an answer that cannot be compared any more.
    """
    for feedback in said:
        yield _of_feedback(library, feedback)
    for case in cases:
        yield _of_case(library, case)


def evaluated(library: Library, found: Iterable[Outcome | None]) -> Evaluation:
    """Return the outcomes with their sums."""
    found = list(found)
    outcomes = tuple(outcome for outcome in found if outcome is not None)
    return Evaluation(
        generation=library.generation,
        measures=tuple(measure for measure in _measures(outcomes) if measure.of),
        outcomes=outcomes,
        uncounted=found.count(None),
    )


def _of_case(library: Library, case: Case) -> Outcome:
    chat = Chat(library)
    for question in case.after:
        chat.ask(question)
    answer = chat.ask(case.question)
    if case.say is None:
        worse = "The documents do not say, but something is quoted." if answer.quotes else ""
        return _outcome("silent", answer, None, worse, case.line)
    wanted = _plain(case.say)
    place = _first(answer.quotes, lambda quote: wanted in _plain(quote.text))
    return _outcome("says", answer, place, _behind(answer, place, "The right quote"), case.line)


def _of_feedback(library: Library, feedback: Feedback) -> Outcome | None:
    stored = feedback.turn.answer
    if feedback.value == "not_answered":
        return _outcome("not_answered", _again(library, feedback))
    if stored is None or "notice" in stored:
        return None  # nothing of a document was judged
    if not stored["quotes"]:
        if feedback.value != "good":
            return None  # no place was shown that could be wrong
        answer = _again(library, feedback)
        worse = "It was good that nothing was quoted; now something is." if answer.quotes else ""
        return _outcome("good_silence", answer, None, worse)
    # Alone, so that no other takes its place where its document is gone.
    first = recalled(library, {**stored, "quotes": stored["quotes"][:1], "disagreements": []})
    if not first.answer.quotes:
        return None
    words = _plain(first.answer.quotes[0].text)
    answer = _again(library, feedback)
    place = _first(answer.quotes, lambda quote: _plain(quote.text) == words)
    if feedback.value == "wrong_place":
        return _outcome("wrong_place", answer, place)
    return _outcome("good", answer, place, _behind(answer, place, "The good quote"))


def _again(library: Library, feedback: Feedback) -> Answer:
    """Ask what was judged, after the answers that were given before it."""
    chat = Chat(library)
    chat.resume([recalled(library, turn.answer).answer for turn in feedback.before if turn.answer])
    turn = feedback.turn
    where = None if turn.where is None else filter_from_dict(turn.where)
    return chat.ask(turn.question, where=where, whole=turn.whole)


def _first(quotes: Sequence[Quote], right: Callable[[Quote], bool]) -> int | None:
    return next((number for number, quote in enumerate(quotes, 1) if right(quote)), None)


def _behind(answer: Answer, place: int | None, which: str) -> str:
    """Return what is wrong where a quote should come first, or ""."""
    if place == 1:
        return ""
    if place is not None:
        return f"{which} comes at number {place}."
    return f"{which} is not among those shown." if answer.quotes else "Nothing is quoted."


def _outcome(
    kind: str, answer: Answer, place: int | None = None, worse: str = "", line: int | None = None
) -> Outcome:
    return Outcome(
        kind=kind,
        question=answer.question,
        searched_for=answer.searched_for,
        place=place,
        answered=bool(answer.quotes),
        worse=worse,
        line=line,
    )


def _measures(outcomes: Sequence[Outcome]) -> Iterator[Measure]:
    def measure(name: str, kind: str, holds: Callable[[Outcome], bool]) -> Measure:
        asked = [outcome for outcome in outcomes if outcome.kind == kind]
        return Measure(name, sum(map(holds, asked)), len(asked))

    def first(outcome: Outcome) -> bool:
        return outcome.place == 1

    def shown(outcome: Outcome) -> bool:
        return outcome.place is not None

    def answered(outcome: Outcome) -> bool:
        return outcome.answered

    def silent(outcome: Outcome) -> bool:
        return not outcome.answered

    yield measure("good, still quoted first", "good", first)
    yield measure("good, still quoted", "good", shown)
    yield measure("good, still not answered", "good_silence", silent)
    yield measure("wrong place, still quoted first", "wrong_place", first)
    yield measure("not answered, answered now", "not_answered", answered)
    yield measure("case, right quote first (success@1)", "says", first)
    yield measure("case, right quote shown (success@k)", "says", shown)
    yield measure("case, wrongly not answered", "says", silent)
    yield measure("case, rightly not answered", "silent", silent)
