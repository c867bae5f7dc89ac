"""Passages read: what the reader says of each sentence, put beside what retrieval says."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from index.types import Span
from qa.reader import Readable, Reader, Reading
from qa.types import Passage, ScoredSentence

__all__ = ["SOFT", "read_passages", "readable", "sigmoid"]

WEIGHT = 0.3  # of the best span, beside the score of its passage; chosen on development sets
SOFT = 5.0  # margins beyond it, either way, tell little more


def read_passages(
    reader: Reader, question: str, passages: Sequence[Passage], count: int
) -> list[Passage]:
    """Return the passages in their new order: the first `count` are read, and scored anew.

    What was read has what the reader says in its sentences. The score of a passage is its old
    one with that of its best span, in [0, 1]; the rest count as passages without an answer.
    """
    readings = reader.read(question, [readable(passage) for passage in passages[:count]])
    scored = [
        replace(
            passage,
            sentences=tuple(_read(passage, reading)),
            score=_score(passage, sigmoid(reading.best.margin / SOFT)),
        )
        for passage, reading in zip(passages, readings, strict=False)
    ]
    scored += [replace(passage, score=_score(passage, 0)) for passage in passages[count:]]
    # Sorting is stable: of equals the one that retrieval had before.
    return sorted(scored, key=lambda passage: -passage.score)


def sigmoid(value: float) -> float:
    """Return the logistic function of `value`."""
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, value))))


def _score(passage: Passage, span: float) -> float:
    return round((passage.score + WEIGHT * span) / (1 + WEIGHT), 4)


def readable(passage: Passage) -> Readable:
    """Return what the reader is given of a passage: its text, its title and headings."""
    start = passage.start
    return Readable(
        passage.text,
        tuple((sentence.start - start, sentence.end - start) for sentence in passage.sentences),
        " · ".join(filter(None, (passage.document.title, *passage.citation.headings))),
    )


def _read(passage: Passage, reading: Reading) -> Iterator[ScoredSentence]:
    for sentence, said in zip(passage.sentences, reading.sentences, strict=True):
        yield replace(
            sentence,
            evidence=said.evidence,
            margin=said.margin,
            short=(
                Span(passage.start + said.start, passage.start + said.end)
                if said.start < said.end
                else None
            ),
        )
