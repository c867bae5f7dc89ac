"""Saved answers read again: what they quote, and where they say that it stands.

They are exports in JSON (`qa.export`) or what `quoth ask --json` prints. Such a file comes from
outside: every value is checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from index.errors import SourceError

__all__ = ["Claim", "claims_in"]

_MOST_BYTES = 512 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a saved answer says: these words stand there.

    Attributes:
        text: The words; None where only their place was kept.
        document: Number of the document.
        path: Its path; "" where it was not kept.
        text_hash: SHA-256 of its text.
        start, end: Span in that text.
        file_hash: SHA-256 of the file it was read from, where that was kept.
        question: What was asked.
        page: Page of the quote; None where the answer has none.
        headings, context: What it stands under; None where that was not kept.
        alike: Whether the words may differ in white space and in case: another place of them.
    """

    text: str | None
    document: int
    path: str
    text_hash: str
    start: int
    end: int
    file_hash: str | None = None
    question: str = ""
    page: int | None = None
    headings: tuple[str, ...] | None = None
    context: str | None = None
    alike: bool = False


def claims_in(file: Path) -> list[Claim]:
    """Return what the answers in a file quote, in order, each place once a question.

    Raises:
        SourceError: It cannot be read, or holds no saved answers.
    """
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise SourceError(f"{file} is too large to be saved answers.")
        data = file.read_text("utf-8")
    except OSError as error:
        raise SourceError(f"{file} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise _foreign(file, "it is not UTF-8") from error
    try:
        return [claim for answers in _values(data) for claim in _claims(answers)]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        reason = str(error) if type(error) is _Fault else "it has another form"
        raise _foreign(file, reason) from error


class _Fault(ValueError):
    """What is wrong with a file, as a clause."""


def _foreign(file: Path, reason: str) -> SourceError:
    return SourceError(
        f"{file} holds no answers that can be checked: {reason}. Give what the page exports as "
        "JSON or `quoth ask --json` prints."
    )


def _values(data: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects in a text: one, or one a line."""
    try:
        values = [json.loads(data)]
    except ValueError:
        values = [json.loads(line) for line in data.splitlines() if line.strip()]
    if not values:
        raise _Fault("it is empty")
    for value in values:
        if not isinstance(value, dict):
            raise _Fault("it is no JSON object")
        yield value


def _claims(value: Mapping[str, Any]) -> Iterator[Claim]:
    if "turns" in value and "quoth" in value:
        files = {each["id"]: each.get("file_sha256") for each in value["documents"]}
        for turn in value["turns"]:
            if turn["answer"] is not None:
                yield from _of_answer(turn["answer"], _text(turn["question"]), files)
    elif value.get("kind") == "answer":
        yield from _of_answer(value, _text(value["question"]), {})
    else:
        raise _Fault("it is another kind of JSON")


def _of_answer(
    answer: Mapping[str, Any], question: str, files: Mapping[int, str | None]
) -> Iterator[Claim]:
    quotes: list[Mapping[str, Any]] = [*answer["quotes"]]
    for pair in answer["disagreements"]:
        quotes += (pair["first"], pair["second"])
    places = [_place(each) | {"context": each.get("context")} for each in quotes]
    for each in quotes:
        places += [{**other, "text": each["text"], "alike": True} for other in _also(each)]
    # Other places of a passage are only nearly like it: nothing is claimed of them.
    places += [_place(each) for each in answer["nearest"]]
    seen = set()
    for place in places:
        claim = _claim(place, question, files)
        if claim not in seen:
            # What disagrees is often a quote too, there without its context.
            seen |= {claim, replace(claim, context=None)}
            yield claim


def _place(each: Mapping[str, Any]) -> dict[str, Any]:
    # An export has the place beside the text, an answer from Python as a value of its own.
    return {**each.get("citation", each), "text": each["text"], "alike": False}


def _also(each: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(each.get("also_at", ()))


def _claim(place: Mapping[str, Any], question: str, files: Mapping[int, str | None]) -> Claim:
    number, page = _number(place["document"]), place.get("page")
    file_hash = files.get(number)
    headings, context = place.get("headings"), place.get("context")
    return Claim(
        text=_text(place["text"]),
        document=number,
        path=_text(place["path"]),
        text_hash=_text(place["text_hash"]),
        start=_number(place["start"]),
        end=_number(place["end"]),
        file_hash=None if file_hash is None else _text(file_hash),
        question=question,
        page=None if page is None else _number(page),
        headings=None if headings is None else tuple(map(_text, headings)),
        context=None if context is None else _text(context),
        alike=bool(place.get("alike")),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Fault("a text in it is none")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Fault("a number in it is none")
    if abs(value) >= 2**63:  # SQLite takes none beyond, and no text is so long
        raise _Fault("a number in it is too large")
    return value
