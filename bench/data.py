"""The common format of evaluation data: documents and questions with judged places.

A set is a folder with `questions.jsonl` and `documents.jsonl` (either may end in `.gz`), or
with a folder `documents/` of real files instead of the second. A folder of sets has one
folder a set. What the fields mean stands in `bench/README.md`.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

__all__ = [
    "DataError",
    "Judged",
    "Question",
    "Set",
    "Text",
    "Unit",
    "find_sets",
    "load_set",
    "relevant_units",
]

T = TypeVar("T")

_PARAGRAPH = re.compile(r"\S[^\n]*(?:\n[^\n]*\S[^\n]*)*")


class DataError(Exception):
    """The evaluation data cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A judged place: characters [start, end) of a document, all of it when both are None."""

    document: str
    start: int | None = None
    end: int | None = None
    grade: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question with what retrieval should find and what answers it.

    Attributes:
        kind: The source's own label, or "".
        rewrite: A person's version that stands alone, where the question is a follow-up.
        history: Questions and answers before it in its conversation, oldest first.
        answerable: None where it is not known.
        context: Where whoever asked was looking; for questions about a given passage.
        relevant: What retrieval should find.
        evidence: The sentences that were judged to hold the answer.
        spans: Where the answers stand word for word.
        answers: Their texts, also those that stand nowhere word for word.
        all_needed: Whether all answers together answer; else each alone does.
    """

    id: str
    text: str
    split: str
    kind: str = ""
    rewrite: str | None = None
    history: tuple[tuple[str, str], ...] = ()
    answerable: bool | None = None
    context: tuple[Judged, ...] = ()
    relevant: tuple[Judged, ...] = ()
    evidence: tuple[Judged, ...] = ()
    spans: tuple[Judged, ...] = ()
    answers: tuple[str, ...] = ()
    all_needed: bool = False

    @property
    def gold(self) -> tuple[Judged, ...]:
        """Where the answer stands: the judged sentences, else the spans; empty if unknown."""
        return self.evidence or self.spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A document; spans are [start, end) in code points of `text`.

    Attributes:
        sentences: The source's own sentences, or empty.
        passages: The source's paragraphs, turns or lines, or empty.
    """

    id: str
    title: str
    text: str
    sentences: tuple[tuple[int, int], ...] = ()
    passages: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """What retrieval ranks: characters [start, end) of a document."""

    document: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """Documents and the questions asked about them.

    Attributes:
        documents: By id, in the order of the file.
        files: Folder with the original files, where the documents are files; their ids
            are then paths relative to it.
    """

    name: str
    documents: Mapping[str, Text]
    questions: tuple[Question, ...]
    files: Path | None = None

    @property
    def judges_spans(self) -> bool:
        """Whether parts of documents are judged throughout, never a whole document."""
        places = [place for question in self.questions for place in question.relevant]
        return bool(places) and all(place.start is not None for place in places)

    def units(self) -> tuple[Unit, ...]:
        """Return what is ranked: paragraphs where spans are judged, else whole documents.

        Paragraphs are the source's own where it lists them, else what blank lines separate.
        """
        if not self.judges_spans:
            return tuple(Unit(text.id, 0, len(text.text)) for text in self.documents.values())
        return tuple(
            Unit(text.id, start, end)
            for text in self.documents.values()
            for start, end in text.passages or paragraphs(text.text)
        )


def paragraphs(text: str) -> tuple[tuple[int, int], ...]:
    """Return the spans of what blank lines separate, without white space around them."""
    found = _PARAGRAPH.finditer(text)
    return tuple((match.start(), match.start() + len(match[0].rstrip())) for match in found)


def relevant_units(
    question: Question, units: Mapping[str, Sequence[tuple[int, Unit]]]
) -> dict[int, int]:
    """Return the grade of each relevant unit, by its number.

    A unit is relevant if it shares with a judged place at least half of the shorter of the
    two: a paragraph inside a judged stretch, or around a judged sentence.

    Args:
        question: The question.
        units: The numbered units of each document.
    """
    grades: dict[int, int] = {}
    for place in question.relevant:
        for number, unit in units.get(place.document, ()):
            start = unit.start if place.start is None else place.start
            end = unit.end if place.end is None else place.end
            shared = min(end, unit.end) - max(start, unit.start)
            if shared > 0 and 2 * shared >= min(end - start, unit.end - unit.start):
                grades[number] = max(place.grade, grades.get(number, 0))
    return grades


def find_sets(folder: Path) -> list[Path]:
    """Return the folders of the sets in `folder`, by name; `folder` itself if it is one.

    Folders without documents or without questions in the common format are left out.

    Raises:
        DataError: There is no such folder, or no set in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; name one with --data or $QUOTH_EVAL_DATA.")
    if _is_set(folder):
        return [folder]
    found = [path for path in sorted(folder.iterdir()) if path.is_dir() and _is_set(path)]
    if not found:
        raise DataError(f"{folder} holds no set: no folder with questions.jsonl and documents.")
    return found


def load_set(folder: Path) -> Set:
    """Read a set.

    Raises:
        DataError: A line is no JSON, lacks a field, or names a document or a place that
            there is not; a file of the set cannot be read.
    """
    asked = _jsonl(folder, "questions")
    if asked is None:
        raise DataError(f"{folder} has no questions.jsonl.")
    listed = _jsonl(folder, "documents")
    files = folder / "documents" if listed is None else None
    texts = _rows(listed, _text) if listed is not None else _read_files(folder / "documents")
    documents: dict[str, Text] = {}
    for text in texts:
        if text.id in documents:
            raise DataError(f"{folder}: two documents are called {text.id}.")
        documents[text.id] = text
    questions = tuple(_rows(asked, lambda row: _question(row, documents, files=files is not None)))
    return Set(name=folder.resolve().name, documents=documents, questions=questions, files=files)


def _is_set(folder: Path) -> bool:
    documents = _jsonl(folder, "documents") or folder / "documents"
    return _jsonl(folder, "questions") is not None and documents.exists()


def _jsonl(folder: Path, stem: str) -> Path | None:
    paths = (folder / f"{stem}.jsonl.gz", folder / f"{stem}.jsonl")
    return next((path for path in paths if path.is_file()), None)


def _rows(path: Path, parse: Callable[[dict[str, Any]], T]) -> Iterator[T]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield parse(json.loads(line))
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(f"{path}, line {number}: {error!r}") from error


def _text(row: dict[str, Any]) -> Text:
    return Text(
        id=row["id"],
        title=row["title"],
        text=row["text"],
        sentences=_spans(row.get("sentences"), row["text"]),
        passages=_spans(row.get("passages"), row["text"]),
    )


def _spans(pairs: list[list[int]] | None, text: str) -> tuple[tuple[int, int], ...]:
    spans = tuple((start, end) for start, end in pairs or ())
    for start, end in spans:
        if not 0 <= start < end <= len(text):
            raise ValueError(f"[{start}, {end}) is not in the text")
    return spans


def _question(row: dict[str, Any], documents: Mapping[str, Text], *, files: bool) -> Question:
    answers = [
        place for answer in row["answers"] for place in _answer(answer, documents, files=files)
    ]
    return Question(
        id=row["id"],
        text=row["question"],
        split=row["split"],
        kind=row.get("type") or "",
        rewrite=row["rewrite"],
        history=tuple((turn["question"], turn["answer"]) for turn in row.get("history") or ()),
        answerable=row["answerable"],
        context=_places(row.get("context") or (), documents),
        relevant=_places(row["relevant"], documents),
        evidence=_places(row["answer_sentences"], documents),
        spans=tuple(answers),
        answers=tuple(dict.fromkeys(answer["text"] for answer in row["answers"])),
        all_needed=row.get("answers_mode") == "all",
    )


def _answer(row: dict[str, Any], documents: Mapping[str, Text], *, files: bool) -> list[Judged]:
    """Return where an answer stands; nowhere if it is not verbatim.

    Whoever writes questions about files has no offsets at hand, nor knows where lines break in
    a PDF: there an answer without offsets stands wherever its document has its words.
    """
    if row["start"] is not None:
        if documents[row["document"]].text[row["start"] : row["end"]] != row["text"]:
            raise ValueError(f"the answer {row['text']!r} does not stand where it says")
        return [Judged(row["document"], row["start"], row["end"])]
    if not files or row["document"] is None:
        return []
    words = r"\s+".join(re.escape(word) for word in row["text"].split())
    found = re.finditer(words, documents[row["document"]].text)
    places = [Judged(row["document"], match.start(), match.end()) for match in found if match[0]]
    if not places:
        raise ValueError(f"the answer {row['text']!r} does not stand in {row['document']}")
    return places


def _places(rows: Iterable[dict[str, Any]], documents: Mapping[str, Text]) -> tuple[Judged, ...]:
    places = []
    for row in rows:
        text = documents[row["document"]].text
        start, end = row["start"], row["end"]
        if start is not None:
            _spans([[start, end]], text)
        places.append(Judged(row["document"], start, end, row.get("grade", 1)))
    return tuple(places)


def _read_files(folder: Path) -> Iterator[Text]:
    """Yield the files of a folder as the product reads and splits them, blocks as passages."""
    from index.errors import FormatError
    from index.formats import format_of, read_document
    from index.sentences import split_document

    for path in sorted(folder.rglob("*")):
        if path.name.startswith(".") or not path.is_file() or format_of(path) is None:
            continue
        try:
            document = read_document(path)
        except FormatError as error:
            raise DataError(f"{path} cannot be read: {error.reason}.") from error
        yield Text(
            id=path.relative_to(folder).as_posix(),
            title=document.title,
            text=document.text,
            sentences=tuple((each.start, each.end) for each in split_document(document)),
            passages=tuple((block.start, block.end) for block in document.blocks),
        )
