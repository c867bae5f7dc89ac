"""What the reader makes of passages, in the places of the set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.data import Unit

if TYPE_CHECKING:
    from bench.product import Product
    from qa import Passage
    from qa.reader import Reader

__all__ = ["Read", "read_passages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A sentence that was read.

    Attributes:
        sentence: Where it stands.
        text: Of its best span.
        evidence, margin: What the reader says of it, see `qa.reader.SentenceReading`.
    """

    sentence: Unit
    text: str
    evidence: float
    margin: float


def read_passages(
    reader: Reader, product: Product, question: str, passages: Sequence[Passage]
) -> list[Read]:
    """Return a reading of every sentence of the passages, in their order."""
    from qa.reading import readable

    readings = reader.read(question, [readable(passage) for passage in passages])
    return [
        Read(
            sentence=product.unit(passage.document, sentence.start, sentence.end),
            text=passage.text[found.start : found.end],
            evidence=found.evidence,
            margin=found.margin,
        )
        for passage, reading in zip(passages, readings, strict=True)
        for sentence, found in zip(passage.sentences, reading.sentences, strict=True)
    ]
