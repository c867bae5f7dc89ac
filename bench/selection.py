"""Answer-sentence selection: MAP, MRR and P@1 over the sentences of a given document.

Candidates are the source's own sentences, so that figures can be compared with published ones;
where it lists none, those of the product. What the product says of its sentences counts for the
candidate that shares most characters with them.

Source: Yang, Yih and Meek (2015), WikiQA: a challenge dataset for open-domain question answering.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from bench.data import Question, Set, Unit
from bench.figures import Table, compared, means
from bench.measures import average_precision, reciprocal_rank
from bench.options import sample, tell
from bench.reading import read_passages
from bench.units import shared, within

if TYPE_CHECKING:
    from bench.product import Product
    from index.searcher import Searcher
    from index.types import Encoder
    from qa import Passage
    from qa.reader import Reader

__all__ = ["RANKERS", "measure_selection", "onto", "relevance", "row"]

COSINE = "cosine"
PRODUCT = "product"
RANKERS = (COSINE, "reader evidence", "reader margin", PRODUCT)
UNSEEN = float("-inf")  # of a candidate that no passage holds


def measure_selection(
    data: Set,
    questions: Sequence[Question],
    product: Product,
    encoder: Encoder,
    reader: Reader,
    *,
    limit: int | None,
) -> Iterator[Table]:
    """Yield one table, or none where no question has an answer in its given document."""
    fitting = sample([each for each in questions if each.context and each.gold], limit)
    if not fitting:
        return
    ranking = _Ranking(data, product, encoder, reader)
    values: dict[str, dict[str, list[float]]] = {
        name: {"MAP": [], "MRR": [], "P@1": []} for name in RANKERS
    }
    ranked = 0
    with product.searching() as searcher:
        for done, question in enumerate(fitting, 1):
            found = ranking.rank(searcher, question)
            ranked += found is not None
            for name, hits in (found or {}).items():
                for measure, value in row(hits).items():
                    values[name][measure].append(value)
            if done % 200 == 0:
                tell(f"{data.name}: sentences of {done} of {len(fitting)} questions ranked")
    if ranked:
        yield Table(
            what="answer sentence of the given document",
            data=data.name,
            counts={"questions": ranked},
            rows=means(values),
            differences=compared(values, ("MAP", "P@1"), [(n, COSINE) for n in RANKERS[1:]]),
        )


def row(hits: Sequence[bool]) -> dict[str, float]:
    """Return AP, reciprocal rank and precision at 1 of a ranking of all candidates."""
    order = range(len(hits))
    grades = {number: 1 for number, hit in enumerate(hits) if hit}
    return {
        "MAP": average_precision(hits),
        "MRR": reciprocal_rank(order, grades, len(hits)),
        "P@1": float(hits[0]),
    }


def relevance(question: Question, candidates: Sequence[Unit], data: Set) -> list[bool]:
    """Return which candidates answer: they share half of the shorter with a gold place."""
    gold = [within(place, data.documents[place.document]) for place in question.gold]
    return [
        any(
            2 * shared(candidate, place)
            >= min(candidate.end - candidate.start, place.end - place.start)
            for place in gold
        )
        for candidate in candidates
    ]


def onto(candidates: Sequence[Unit], scored: Mapping[Unit, float]) -> list[float]:
    """Return for each candidate the score of the sentence that shares most with it."""
    found = []
    for candidate in candidates:
        shares = ((shared(candidate, sentence), score) for sentence, score in scored.items())
        share, score = max(shares, default=(0, UNSEEN))
        found.append(score if share > 0 else UNSEEN)
    return found


class _Ranking:
    """Ranks the sentences of given documents in every way that is compared."""

    def __init__(self, data: Set, product: Product, encoder: Encoder, reader: Reader) -> None:
        self._data, self._product = data, product
        self._encoder, self._reader = encoder, reader

    def rank(self, searcher: Searcher, question: Question) -> dict[str, list[bool]] | None:
        """Return whether each candidate answers, in the order of each ranker, best first.

        None where no candidate answers: no figure is defined then.
        """
        passages = self._product.passages_in(searcher, question.text, question.context)
        candidates = self._candidates(question, passages)
        right = relevance(question, candidates, self._data)
        if not any(right):
            return None
        scores = self._scores(question.text, candidates, passages)
        # Sorting is stable: of equals the sentence that stands first.
        return {
            name: [right[at] for at in sorted(range(len(right)), key=lambda at: -of_ranker[at])]
            for name, of_ranker in scores.items()
        }

    def _candidates(self, question: Question, passages: Sequence[Passage]) -> list[Unit]:
        places = [within(place, self._data.documents[place.document]) for place in question.context]
        own = [
            Unit(place.document, start, end)
            for place in places
            for start, end in self._data.documents[place.document].sentences
            if place.start <= start and end <= place.end
        ]
        if own:
            return list(dict.fromkeys(own))
        found = [
            self._product.unit(passage.document, sentence.start, sentence.end)
            for passage in passages
            for sentence in passage.sentences
        ]
        return sorted(found, key=lambda unit: (unit.document, unit.start))

    def _scores(
        self, question: str, candidates: Sequence[Unit], passages: Sequence[Passage]
    ) -> dict[str, list[float]]:
        texts = [self._data.documents[c.document].text[c.start : c.end] for c in candidates]
        cosines = self._encoder.encode_documents(texts) @ self._encoder.encode_query(question)
        read = read_passages(self._reader, self._product, question, passages)
        by_product = self._product.sentence_scores(question, passages, self._reader)
        return {
            COSINE: [float(value) for value in cosines],
            "reader evidence": onto(candidates, {each.sentence: each.evidence for each in read}),
            "reader margin": onto(candidates, {each.sentence: each.margin for each in read}),
            PRODUCT: onto(candidates, by_product),
        }
