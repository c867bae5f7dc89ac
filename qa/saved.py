"""Saved answers read again: what they quote, and where they say that it stands.

They are exports in JSON (`qa.export`) or what `quoth ask --json` prints. Such a file comes from
outside: every value is checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
        page: Page of the quote, or None.
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
    said: list[Mapping[str, Any]] = [*answer["quotes"]]
    for pair in answer["disagreements"]:
        said += (pair["first"], pair["second"])
    said += answer["nearest"]
    seen = set()
    for each in said:
        claim = _claim(each, question, files)
        if claim not in seen:
            seen.add(claim)
            yield claim


def _claim(each: Mapping[str, Any], question: str, files: Mapping[int, str | None]) -> Claim:
    # An export has the place beside the text, an answer from Python as a value of its own.
    place = each.get("citation", each)
    number, page = _number(place["document"]), place.get("page")
    file_hash = files.get(number)
    return Claim(
        text=_text(each["text"]),
        document=number,
        path=_text(place["path"]),
        text_hash=_text(place["text_hash"]),
        start=_number(place["start"]),
        end=_number(place["end"]),
        file_hash=None if file_hash is None else _text(file_hash),
        question=question,
        page=None if page is None else _number(page),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Fault("a text in it is none")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Fault("a number in it is none")
    return value
