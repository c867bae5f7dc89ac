"""From passages to an answer: read, sentences chosen and checked, or an abstention.

Every quote is cut from the store again before it leaves; when nothing answers, that is said.
"""

from __future__ import annotations

from collections.abc import Sequence

from index.searcher import Searcher
from qa.asking import decides, is_keywords
from qa.choosing import choose
from qa.confidence import confidence
from qa.question import Question
from qa.quoting import Quoter
from qa.ranking import AnswerSettings, Candidate, rank_sentences
from qa.reader import Reader, load_reader
from qa.reading import read_passages
from qa.types import Answer, Disagreement, Passage, Quote

__all__ = ["AnswerSettings", "Chooser"]


class Chooser:
    """Makes an answer of passages."""

    def __init__(
        self,
        searcher: Searcher,
        settings: AnswerSettings | None = None,
        reader: Reader | None = None,
    ) -> None:
        """Choose from what `searcher` has, read by `reader`; default is the one that ships."""
        self._searcher = searcher
        self._settings = settings or AnswerSettings()
        self._reader = reader

    def answer(
        self,
        question: str,
        searched_for: str,
        passages: Sequence[Passage],
        *,
        own: str | None = None,
    ) -> Answer:
        """Return quotes from `passages`, or an abstention.

        Args:
            question: As it was asked.
            searched_for: The question made whole.
            passages: What was retrieved for `searched_for`, best first.
            own: What of `searched_for` was really asked, where it was completed from the turns
                before; default is `question`.
        """
        own = question if own is None else own
        asked = Question.read(searched_for, self._searcher, own=own)
        passages = self._read(searched_for, passages)
        ranked = rank_sentences(
            searched_for,
            passages,
            self._settings,
            whole=asked,
            own=Question.read(own, self._searcher) if own != searched_for else None,
        )
        sure = confidence(ranked, asked)
        quotes, disagreements = self._quotes(searched_for, ranked, sure)
        return Answer(
            question=question,
            searched_for=searched_for,
            quotes=quotes,
            abstained=not quotes,
            confidence=sure,
            missing_words=self._missing(asked),
            nearest=() if quotes else tuple(passages[: self._settings.nearest]),
            passages=tuple(passages),
            disagreements=disagreements,
            generation=self._searcher.generation,
            decides=bool(quotes) and decides(searched_for),
        )

    def _read(self, question: str, passages: Sequence[Passage]) -> Sequence[Passage]:
        # Where nothing is asked, nothing can be read for.
        if not passages or not self._settings.read or is_keywords(question):
            return passages
        reader = self._reader or load_reader()
        return read_passages(
            reader,
            question,
            passages,
            self._settings.read,
            first=self._settings.read_first,
            enough=self._settings.read_enough,
        )

    def _quotes(
        self, question: str, ranked: Sequence[Candidate], sure: float
    ) -> tuple[tuple[Quote, ...], tuple[Disagreement, ...]]:
        if not ranked or sure < self._settings.abstain_below:
            return (), ()
        chosen, conflicts = choose(question, ranked, self._settings)
        quoter = Quoter(self._searcher, ranked, short_from=self._settings.short_from)
        quotes = tuple(quoter.quote(candidate) for candidate in chosen)
        return quotes, tuple(
            Disagreement(quotes[each.first], quotes[each.second], each.about) for each in conflicts
        )

    def _missing(self, asked: Question) -> tuple[str, ...]:
        """Return the words of the question that no document has."""
        pairs = zip(asked.terms, asked.words, strict=True)
        return tuple(word for term, word in pairs if not self._searcher.document_frequency(term))
