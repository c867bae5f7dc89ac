"""Questions asked of a whole library, and what the product and plain vectors said to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.baselines import Baselines
from bench.data import Question, Set, Unit
from bench.options import tell
from bench.overlap import count_words
from bench.squad import holds
from bench.units import shared, touches

if TYPE_CHECKING:
    from bench.product import Product
    from index.types import Encoder

__all__ = ["Judge", "Said", "ask_all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was said to a question.

    Attributes:
        quotes: The product's, the best first; none where it abstains.
        first: Its best quote, also where it abstains; None where it found nothing at all.
        confidence: In [0, 1], of the product.
        nearest: The three sentences with the best cosines, the baseline.
        cosine: The best of these cosines.
    """

    question: Question
    quotes: tuple[Unit, ...]
    first: Unit | None
    confidence: float
    nearest: tuple[Unit, ...]
    cosine: float


def ask_all(
    data: Set, questions: Sequence[Question], product: Product, encoder: Encoder
) -> list[Said]:
    """Ask the product, with a question's history where it has one, and the baseline without."""
    baselines = Baselines(data, data.units(), encoder)
    said = []
    for done, question in enumerate(questions, 1):
        said.append(_ask(question, product, baselines))
        if done % 200 == 0:
            tell(f"{data.name}: {done} of {len(questions)} questions answered")
    return said


def _ask(question: Question, product: Product, baselines: Baselines) -> Said:
    found = baselines.ask(question.text)
    answer = product.answer(question)
    quotes = product.quoted(answer)
    first = quotes or product.quoted(product.answer(question, abstaining=False))
    return Said(
        question=question,
        quotes=tuple(quotes),
        first=first[0] if first else None,
        confidence=answer.confidence,
        nearest=found.nearest,
        cosine=found.cosine,
    )


class Judge:
    """Says whether a quote answers.

    Args:
        data: The set that the quotes are from.
    """

    def __init__(self, data: Set) -> None:
        self._documents = data.documents

    def text(self, unit: Unit) -> str:
        """Return the words of a place."""
        return self._documents[unit.document].text[unit.start : unit.end]

    def words(self, units: Sequence[Unit]) -> int:
        """Return how many words some places have."""
        return sum(count_words(self.text(unit)) for unit in units)

    def spans(self, question: Question) -> list[Unit]:
        """Return where the gold answers stand."""
        return [
            Unit(place.document, place.start, place.end)
            for place in question.spans
            if place.start is not None and place.end is not None
        ]

    def in_place(self, question: Question, quote: Unit) -> bool:
        """Return whether a quote holds a gold answer just where it was marked."""
        return any(_covers(quote, span) for span in self.spans(question))

    def holds(self, question: Question, quote: Unit) -> bool:
        """Return whether a quote holds a gold answer, where it was marked or elsewhere."""
        return any(self.holds_span(quote, span) for span in self.spans(question))

    def holds_span(self, quote: Unit, span: Unit) -> bool:
        """Return whether a quote holds a gold answer: its place, or just its words."""
        return _covers(quote, span) or holds(self.text(quote), self.text(span))

    def right(self, question: Question, quote: Unit | None) -> bool:
        """Return whether a quote answers, by the spans, else by the judged sentences."""
        if quote is None:
            return False
        if question.spans:
            return self.holds(question, quote)
        return any(touches(quote, place) for place in question.evidence)


def _covers(quote: Unit, span: Unit) -> bool:
    return shared(quote, span) == span.end - span.start
