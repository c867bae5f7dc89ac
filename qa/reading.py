"""Passages read: what the reader says of each sentence, put beside what retrieval says."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from index.types import Span
from qa.reader import Readable, Reader, Reading
from qa.types import Passage, ScoredSentence

__all__ = ["SOFT", "read_passages", "readable", "sigmoid", "was_read"]

WEIGHT = 0.3  # of the best span, beside the score of its passage; chosen on development sets
# What the reader says of most sentences that do not answer.
UNREAD_EVIDENCE, UNREAD_MARGIN = -5.0, -10.0
SOFT = 5.0  # margins beyond it, either way, tell little more


def read_passages(
    reader: Reader,
    question: str,
    passages: Sequence[Passage],
    count: int,
    *,
    first: int | None = None,
    enough: float = 0.0,
) -> list[Passage]:
    """Return the passages in their new order: the first `count` are read, and scored anew.

    What was read has what the reader says in its sentences. The score of a passage is its old
    one with that of its best span, in [0, 1]; the rest count as what was read and does not answer.

    Args:
        reader: Reads.
        question: What for.
        passages: The best first.
        count: How many are read at most.
        first: How many are read first; the others only where no span of these has the margin
            `enough`. Default is all.
        enough: See there.
    """
    at_first = count if first is None else min(first, count)
    readings = reader.read(question, [readable(passage) for passage in passages[:at_first]])
    if all(reading.best.margin < enough for reading in readings):
        others = passages[at_first:count]
        readings += reader.read(question, [readable(passage) for passage in others])
    scored = [
        replace(
            passage,
            sentences=tuple(_read(passage, reading)),
            score=_score(passage, sigmoid(reading.best.margin / SOFT)),
        )
        for passage, reading in zip(passages, readings, strict=False)
    ]
    scored += [_unread(passage) for passage in passages[len(readings) :]]
    # Sorting is stable: of equals the one that retrieval had before.
    return sorted(scored, key=lambda passage: -passage.score)


def was_read(passage: Passage) -> bool:
    """Return whether the reader has seen a passage that `read_passages` gave."""
    return any(sentence.margin != UNREAD_MARGIN for sentence in passage.sentences)


def _unread(passage: Passage) -> Passage:
    sentences = (
        replace(sentence, evidence=UNREAD_EVIDENCE, margin=UNREAD_MARGIN)
        for sentence in passage.sentences
    )
    return replace(passage, sentences=tuple(sentences), score=_score(passage, 0))


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
