"""Sentences become quotes: cut from the store once more, with every place of theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from index.searcher import Searcher
from index.types import Citation, Span
from qa.ranking import Candidate
from qa.types import Quote, ScoredSentence

__all__ = ["Quoter", "folded"]

SHORT = 0.8  # share of a sentence from which marking its words says nothing


class Quoter:
    """Makes quotes of candidates.

    Args:
        searcher: Has the documents.
        ranked: All candidates of a question: where the words of a quote stand as well.
        short_from: Margin from which the answering words are marked.
    """

    def __init__(
        self, searcher: Searcher, ranked: Sequence[Candidate], *, short_from: float
    ) -> None:
        self._searcher, self._short_from = searcher, short_from
        self._places: dict[str, list[Candidate]] = {}
        for candidate in ranked:
            self._places.setdefault(folded(candidate), []).append(candidate)

    def quote(self, candidate: Candidate) -> Quote:
        """Return the quote, checked against the stored text."""
        passage, sentence = candidate.passage, candidate.sentence
        content = self._searcher.content(passage.document.id)
        text = content.text[sentence.start : sentence.end]
        if text != sentence.text:
            # Our own mistake, never the documents': an answer must not be shown then.
            raise AssertionError(f"quote at {sentence.start} differs from the stored text")
        others = self._places.get(folded(candidate), [])
        also = [self._citation(o) for o in others if _place(o) != _place(candidate)]
        also += self._elsewhere(candidate)
        return Quote(
            document=passage.document,
            start=sentence.start,
            end=sentence.end,
            text=text,
            citation=self._citation(candidate),
            score=candidate.rank,
            short=self._short(sentence),
            context=sentence.context,
            also_at=tuple(dict.fromkeys(also)),
        )

    def _elsewhere(self, candidate: Candidate) -> Iterator[Citation]:
        """Yield where the words stand in passages nearly like theirs; not all of them need to."""
        words = r"\s+".join(re.escape(word) for word in candidate.sentence.text.split())
        pattern = re.compile(rf"(?<!\w){words}(?!\w)", re.I)
        for place in candidate.passage.also_at:
            content = self._searcher.content(place.document)
            if found := pattern.search(content.text, place.start, place.end):
                page = None if place.page is None else content.page_at(found.start())
                yield replace(place, start=found.start(), end=found.end(), page=page)

    def _short(self, sentence: ScoredSentence) -> Span | None:
        """Return the words that answer, where the reader is sure and they are not all words."""
        short = sentence.short
        if short is None or sentence.margin < self._short_from:
            return None
        size = sentence.end - sentence.start
        return short if short.end - short.start <= SHORT * size else None

    def _citation(self, candidate: Candidate) -> Citation:
        info, sentence = candidate.passage.document, candidate.sentence
        content = self._searcher.content(info.id)
        return Citation(
            document=info.id,
            path=info.path,
            title=info.title,
            start=sentence.start,
            end=sentence.end,
            text_hash=info.text_hash,
            page=content.page_at(sentence.start) if info.pages else None,
            headings=candidate.passage.citation.headings,
        )


def folded(candidate: Candidate) -> str:
    """Return the candidate's words in one spelling: sentences that say the same are one quote."""
    return " ".join(candidate.sentence.text.split()).casefold()


def _place(candidate: Candidate) -> tuple[int, int]:
    return candidate.passage.document.id, candidate.sentence.start
