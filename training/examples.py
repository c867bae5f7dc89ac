"""Examples for the reader: a question, a passage as the product cuts it, and what answers.

The documents of a set are put into a library, so that passages, sentences and hard negatives
(what the retriever returns for a question without holding the answer) are those that the
reader meets when it is used. Run before `training.train`:

    python -m training.examples --data DATA --out examples.jsonl
    python -m training.examples --data DATA --out held-out.jsonl --held-out

makes those of the reader that ships. Sets of your own are named with `--sets`, or by giving the
folder of one as DATA: their `train` questions are trained on, their `dev` questions held out.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from bench.data import DataError, Judged, Question, Set, find_sets, load_set
from bench.product import added
from index.errors import QuothError

if TYPE_CHECKING:
    from index import Library
    from index.searcher import PassageRow, Searcher

__all__ = ["SOURCES", "Example", "examples_of", "questions_of", "read_examples"]

Spans = tuple[tuple[int, int], ...]

RETRIEVED = 12  # passages looked at for hard negatives
CANDIDATES = 40  # proposed by each search for them
# Of large sets only every so manyth question has them retrieved.
EVERY = {"squadshifts": 6, "fairytaleqa": 5}
HARD = 3  # kept of them for a question
SEED = 20261125

# What the reader that ships is made of: sets whose licences allow that, with the splits that may
# be trained on.
SOURCES: Mapping[str, frozenset[str]] = {
    "squad2-train": frozenset({"train"}),
    "squad2": frozenset({"dev"}),
    "clapnq": frozenset({"dev"}),
    "qed": frozenset({"dev"}),
    "scifact": frozenset({"train"}),
    "fairytaleqa": frozenset({"train"}),
    "squadshifts": frozenset({"train"}),
    "qamr": frozenset({"train"}),
}
# Single sentences: nothing to retrieve, each document is one passage.
SENTENCES = frozenset({"qamr"})
# Kept out for the calibration of confidence: three of the five articles of squad2's dev half,
# and every second question of clapnq and qed.
HELD_OUT_ARTICLES = frozenset(
    {"squad2/Harvard_University", "squad2/Imperialism", "squad2/European_Union_law"}
)
HALVED = frozenset({"clapnq", "qed"})


class _Stretch(Protocol):
    """A passage or a sentence: characters [start, end) of its document."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A question with a passage.

    Attributes:
        source: Name of the set.
        question: Identifies the question in its set; examples of one question share it.
        asked: The question's text.
        before: Title and headings of the passage, read with it but never an answer.
        sentences: Spans in `text`.
        answers: Spans in `text`, each an answer; empty where only sentences were judged.
        evidence: Numbers of the sentences that answer. Neither: it is not here.
        hard: Whether it was retrieved for the question and does not answer it.
    """

    source: str
    question: str
    asked: str
    before: str
    text: str
    sentences: Spans
    answers: Spans = ()
    evidence: tuple[int, ...] = ()
    hard: bool = False

    @property
    def answered(self) -> bool:
        """Whether the passage answers."""
        return bool(self.answers or self.evidence)


def read_examples(path: Path) -> list[Example]:
    """Return the examples of a file, as `main` wrote it.

    Raises:
        DataError: A line is no example; the message names it.
    """
    found = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                found.append(Example(**_tupled(json.loads(line))))
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(
                    f"{path}, line {number} is no example of training.examples: {error!r}"
                ) from error
    return found


def questions_of(data: Set, *, held_out: bool = False) -> list[Question]:
    """Return the questions of a set to train on, or those kept out of the training.

    Of a set that is not in `SOURCES`, one of your own, that is its `train` or its `dev` split.
    """
    if data.name not in SOURCES:
        return [q for q in data.questions if q.split == ("dev" if held_out else "train")]
    found = [q for q in data.questions if q.split in SOURCES[data.name]]
    if data.name in HALVED:
        return found[1::2] if held_out else found[::2]
    return [q for q in found if _held_out(q) == held_out]


def _held_out(question: Question) -> bool:
    return any(place.document in HELD_OUT_ARTICLES for place in question.context)


def examples_of(data: Set, questions: Sequence[Question]) -> Iterator[Example]:
    """Yield the examples of a set: positives, unanswerable ones, hard negatives.

    A question gives none where no place of an answer is known: it neither has answers or judged
    sentences with offsets nor is marked as unanswerable. The same set gives the same examples.
    """
    if data.name in SENTENCES:
        yield from _sentences(data, questions)
        return
    from index import Library

    if data.name in SOURCES:
        # Thousands of documents that no question is about would only take time.
        named = {place.document for q in questions for place in (*q.relevant, *q.context)}
        documents = {id: text for id, text in data.documents.items() if id in named}
        data = replace(data, documents=documents)
    with (
        tempfile.TemporaryDirectory(prefix="quoth-train-") as folder,
        Library.open(Path(folder) / "train.quoth", create=True) as library,
    ):
        ids = added(library, data)
        yield from _Passages(library, ids).examples(data.name, questions)


def _sentences(data: Set, questions: Sequence[Question]) -> Iterator[Example]:
    for question in questions:
        for place in question.relevant[:1]:
            text = data.documents[place.document].text
            yield Example(
                source=data.name,
                question=question.id,
                asked=question.text,
                before="",
                text=text,
                sentences=((0, len(text)),),
                answers=_inside(question.spans, place.document, 0, len(text)),
                evidence=(0,),
            )


class _Passages:
    """The passages of a library and what is retrieved from them."""

    def __init__(self, library: Library, ids: Mapping[str, str]) -> None:
        self._library = library
        self._ids = ids
        self._numbers = {ids[info.path]: info.id for info in library.documents()}
        self._random = random.Random(SEED)

    def examples(self, name: str, questions: Sequence[Question]) -> Iterator[Example]:
        with self._library.searching() as searcher:
            for number, question in enumerate(questions):
                yield from self._of(searcher, name, question)
                silent = question.answerable is False and not question.context
                if (question.gold or silent) and number % EVERY.get(name, 1) == 0:
                    yield from self._hard(searcher, name, question)

    def _of(self, searcher: Searcher, name: str, question: Question) -> Iterator[Example]:
        if question.answerable is False:
            for place in question.context:
                rows = searcher.passages_of(self._numbers[place.document])
                for row in rows:
                    if _overlap(place, row) > (row.end - row.start) / 2:
                        yield self._example(searcher, name, question, row, hard=True)
            return
        for document in dict.fromkeys(place.document for place in question.gold):
            for row in searcher.passages_of(self._numbers[document]):
                here = self._example(searcher, name, question, row)
                if here.answered:
                    yield here

    def _hard(self, searcher: Searcher, name: str, question: Question) -> Iterator[Example]:
        """Yield retrieved passages that do not answer: none with an answer's words in it."""
        from qa.retriever import Retriever, RetrieverSettings

        retriever = Retriever(self._library, RetrieverSettings(candidates=CANDIDATES))
        found = retriever.search(searcher, question.text, k=RETRIEVED)
        words = [" ".join(answer.split()).casefold() for answer in question.answers]
        kept = []
        for passage in found:
            text = " ".join(passage.text.split()).casefold()
            judged = (*question.gold, *question.relevant)
            id = self._ids[passage.document.path]
            near = any(p.document == id and _overlap(p, passage) > 0 for p in question.gold)
            whole = any(p.document == id and p.start is None for p in judged)
            if near or (whole and question.evidence) or any(word in text for word in words):
                continue
            kept.append((passage.document.id, passage.start))
        for document, start in self._random.sample(kept, min(HARD, len(kept))):
            row = next(r for r in searcher.passages_of(document) if r.start == start)
            yield self._example(searcher, name, question, row, hard=True)

    def _example(
        self,
        searcher: Searcher,
        name: str,
        question: Question,
        row: PassageRow,
        *,
        hard: bool = False,
    ) -> Example:
        info = searcher.documents[row.document]
        id = self._ids[info.path]
        text = searcher.text(row.document)
        sentences = tuple((s.start - row.start, s.end - row.start) for s in row.sentences)
        # A whole document does not say which of its sentences answers.
        gold = [p for p in question.gold if p.start is not None and not hard]
        evidence = tuple(
            number
            for number, sentence in enumerate(row.sentences)
            if any(p.document == id and 2 * _overlap(p, sentence) > _length(p) for p in gold)
        )
        return Example(
            source=name,
            question=question.id,
            asked=question.text,
            before=" · ".join(filter(None, (info.title, *row.headings))),
            text=text[row.start : row.end],
            sentences=sentences,
            answers=() if hard else _inside(question.spans, id, row.start, row.end),
            evidence=evidence,
            hard=hard,
        )


def _length(place: Judged) -> int:
    return (place.end or 0) - (place.start or 0)


def _overlap(place: Judged, row: _Stretch) -> int:
    """Return how many characters they share in one document; negative: how far they are apart."""
    if place.start is None or place.end is None:
        return row.end - row.start
    return min(place.end, row.end) - max(place.start, row.start)


def _inside(spans: Iterable[Judged], document: str, start: int, end: int) -> Spans:
    found = (
        (span.start - start, span.end - start)
        for span in spans
        if span.document == document
        and span.start is not None
        and span.end is not None
        and start <= span.start < span.end <= end
    )
    return tuple(dict.fromkeys(found))


def _tupled(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a file with tuples where JSON has lists."""
    for name in ("sentences", "answers"):
        row[name] = tuple((start, end) for start, end in row[name])
    row["evidence"] = tuple(row["evidence"])
    return row


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the examples of the sets that the shipped reader is made of, or of those named."""
    parser = argparse.ArgumentParser(
        prog="python -m training.examples",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of a set, or of sets")
    parser.add_argument("--out", type=Path, required=True, help="file to write (JSON lines)")
    parser.add_argument("--held-out", action="store_true", help="those kept out of the training")
    parser.add_argument("--sets", nargs="+", default=[], help="names of sets, your own too")
    options = parser.parse_args(arguments)
    try:
        chosen = _chosen(options.data, options.sets)
        with options.out.open("w", encoding="utf-8") as out:
            for path in chosen:
                data = load_set(path)
                _write(out, data, questions_of(data, held_out=options.held_out))
    except (DataError, QuothError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def _chosen(folder: Path, names: Sequence[str]) -> list[Path]:
    """Return the folders of the sets named; without names that of the only set, or `SOURCES`.

    Raises:
        DataError: One is not there.
    """
    sets = find_sets(folder)
    if sets == [folder] and not names:
        return sets
    found = {path.resolve().name: path for path in sets}
    if missing := [name for name in names or SOURCES if name not in found]:
        raise DataError(
            f"{folder} has no set called {', '.join(missing)}; "
            f"name with --sets what to train on: {', '.join(found)}."
        )
    return [found[name] for name in names or SOURCES]


def _write(out: TextIO, data: Set, questions: Sequence[Question]) -> None:
    count, given = 0, set()
    for example in examples_of(data, questions):
        out.write(json.dumps(asdict(example), ensure_ascii=False) + "\n")
        count += 1
        given.add(example.question)
    message = f"{data.name}: {count:,} examples of {len(given):,} questions"
    if rest := len(questions) - len(given):
        message += f"; {rest:,} gave none, as they name no place of an answer that a passage holds"
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
