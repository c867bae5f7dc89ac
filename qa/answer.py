"""From passages to an answer: sentences chosen, checked against the store, or an abstention.

Sentences are chosen by how well they and their passages fit the question and by whether they
hold what the question asks for (a person, a number, a date). Every quote is cut from the store
again before it leaves this module.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from index.searcher import Searcher
from index.terms import index_terms
from index.types import Citation
from qa.expected import Expectation, another_one, expectation, holds
from qa.question import Question
from qa.types import Answer, Passage, Quote, ScoredSentence

__all__ = ["AnswerSettings", "Candidate", "Chooser", "confidence_features", "rank_sentences"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSettings:
    """How quotes are chosen, and when there are none."""

    passages: int = 8  # read for an answer
    quotes: int = 3  # at most, apart from the items of a list
    items: int = 8  # of a list, at most
    passage_share: float = 0.5  # weight of the passage's score in the rank of its sentences
    expected: float = 0.05  # added where a sentence holds what is asked for
    another: float = 0.75  # factor where a sentence speaks of another year or ordinal than asked
    own: float = 0.5  # share of its rank that a sentence without a follow-up's own words loses
    near_best: float = 0.82  # share of the best rank from which a sentence is quoted too
    nearest: int = 3  # passages shown when there is no answer
    abstain_below: float = 0.32  # confidence below which the documents do not say


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may answer, with its rank: higher is better."""

    passage: Passage
    sentence: ScoredSentence
    rank: float


def rank_sentences(
    question: str,
    passages: Sequence[Passage],
    settings: AnswerSettings | None = None,
    own: Question | None = None,
) -> list[Candidate]:
    """Return the sentences of `passages`, the one most likely to answer first.

    Args:
        question: The question made whole.
        passages: What was retrieved for it, best first.
        settings: How signs are weighed.
        own: For a follow-up, the words that were really asked: in "And the cats?" after a
            question about dogs a sentence about dogs is no answer.
    """
    settings = settings or AnswerSettings()
    wanted = expectation(question)
    asked = frozenset(index_terms(question))
    candidates = []
    for passage in passages:
        for sentence in passage.sentences:
            rank = (
                settings.passage_share * passage.score
                + (1 - settings.passage_share) * sentence.score
            )
            if holds(wanted, sentence.text, asked):
                rank += settings.expected
            if another_one(question, sentence.text):
                rank *= settings.another
            if own is not None and own.weight:
                said = own.coverage(frozenset(index_terms(f"{sentence.context} {sentence.text}")))
                rank *= 1 - settings.own * (1 - said)
            candidates.append(Candidate(passage, sentence, round(rank, 4)))
    # Sorting is stable: of equals the sentence of the better passage, then the earlier one.
    return sorted(candidates, key=lambda candidate: -candidate.rank)


class Chooser:
    """Makes an answer of passages."""

    def __init__(self, searcher: Searcher, settings: AnswerSettings | None = None) -> None:
        self._searcher = searcher
        self._settings = settings or AnswerSettings()

    def answer(self, question: str, searched_for: str, passages: Sequence[Passage]) -> Answer:
        """Return quotes from `passages`, or an abstention.

        Args:
            question: As it was asked.
            searched_for: The question made whole.
            passages: What was retrieved for `searched_for`, best first.
        """
        asked = Question.read(searched_for, self._searcher, own=question)
        missing = tuple(
            word
            for term, word in zip(asked.terms, asked.words, strict=True)
            if not self._searcher.document_frequency(term)
        )
        own = Question.read(question, self._searcher) if question != searched_for else None
        ranked = rank_sentences(searched_for, passages, self._settings, own)
        confidence = _confidence(asked, ranked)
        quotes: tuple[Quote, ...] = ()
        if ranked and confidence >= self._settings.abstain_below:
            quotes = tuple(self._quotes(searched_for, ranked))
        return Answer(
            question=question,
            searched_for=searched_for,
            quotes=quotes,
            abstained=not quotes,
            confidence=confidence,
            missing_words=missing,
            nearest=() if quotes else tuple(passages[: self._settings.nearest]),
            passages=tuple(passages),
            generation=self._searcher.generation,
        )

    def _quotes(self, question: str, ranked: Sequence[Candidate]) -> Iterator[Quote]:
        places: dict[str, list[Candidate]] = {}
        for candidate in ranked:
            places.setdefault(_folded(candidate), []).append(candidate)
        for candidate in self._chosen(question, ranked):
            others = places.get(_folded(candidate), [])
            also = [self._citation(o) for o in others if _place(o) != _place(candidate)]
            also += self._elsewhere(candidate)
            yield self._quote(candidate, tuple(dict.fromkeys(also)))

    def _elsewhere(self, candidate: Candidate) -> Iterator[Citation]:
        """Yield where the words stand in passages nearly like theirs; not all of them need to."""
        words = r"\s+".join(re.escape(word) for word in candidate.sentence.text.split())
        pattern = re.compile(rf"(?<!\w){words}(?!\w)", re.I)
        for place in candidate.passage.also_at:
            content = self._searcher.content(place.document)
            if found := pattern.search(content.text, place.start, place.end):
                page = None if place.page is None else content.page_at(found.start())
                yield replace(place, start=found.start(), end=found.end(), page=page)

    def _chosen(self, question: str, ranked: Sequence[Candidate]) -> list[Candidate]:
        """Return the best sentence first, others as good, each with what it leads to."""
        least = ranked[0].rank * self._settings.near_best
        wanted = expectation(question)
        chosen: dict[str, Candidate] = {}
        for candidate in ranked:
            if candidate.rank < least or len(chosen) >= self._settings.quotes:
                break
            for part in unfolded(candidate, wanted, self._settings.items):
                chosen.setdefault(_folded(part), part)
        return list(chosen.values())

    def _quote(self, candidate: Candidate, also_at: tuple[Citation, ...]) -> Quote:
        passage, sentence = candidate.passage, candidate.sentence
        content = self._searcher.content(passage.document.id)
        text = content.text[sentence.start : sentence.end]
        if text != sentence.text:
            # Our own mistake, never the documents': an answer must not be shown then.
            raise AssertionError(f"quote at {sentence.start} differs from the stored text")
        return Quote(
            document=passage.document,
            start=sentence.start,
            end=sentence.end,
            text=text,
            citation=self._citation(candidate),
            score=candidate.rank,
            context=sentence.context,
            also_at=also_at,
        )

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


# Of 1 and the features of confidence. Fitted by bench/confidence.py on questions that a library
# answers and on questions about something else.
WEIGHTS = (-10.62, 13.73, 5.69)


def unfolded(candidate: Candidate, wanted: Expectation, items: int) -> list[Candidate]:
    """Return a sentence with what belongs to it.

    A heading gives way to the sentence below it; a lead-in to the items it leads to, which
    have it as context; an item brings its siblings when a list or a procedure is asked for.
    """
    sentences = candidate.passage.sentences
    at = next(i for i, s in enumerate(sentences) if s.start == candidate.sentence.start)
    while sentences[at].kind == "heading" and at + 1 < len(sentences):
        at += 1
    found = sentences[at]
    lead = " ".join(found.text.split())
    parts = [s for s in sentences[at + 1 :] if " ".join(s.context.split()) == lead]
    if not parts and found.kind == "item" and wanted in (Expectation.LIST, Expectation.STEPS):
        parts = [s for s in sentences if s.kind == "item" and s.context == found.context]
    return [Candidate(candidate.passage, s, candidate.rank) for s in parts[:items] or [found]]


def _place(candidate: Candidate) -> tuple[int, int]:
    return candidate.passage.document.id, candidate.sentence.start


def _folded(candidate: Candidate) -> str:
    return " ".join(candidate.sentence.text.split()).casefold()


def confidence_features(asked: Question, ranked: Sequence[Candidate]) -> tuple[float, float]:
    """Return the signs that the documents answer, each about in [0, 1].

    They are the cosine of the nearest sentence that was read, and the coverage of the
    question's terms by the best passage, its title and headings.
    """
    passage = ranked[0].passage
    words = " ".join((passage.document.title, *passage.citation.headings, passage.text))
    nearest = max(candidate.sentence.cosine for candidate in ranked)
    return nearest, asked.coverage(frozenset(index_terms(words)))


def _confidence(asked: Question, ranked: Sequence[Candidate]) -> float:
    """Return how sure it is that the documents answer: a logistic function of the signs."""
    if not ranked:
        return 0.0
    features = (1.0, *confidence_features(asked, ranked))
    total = sum(weight * feature for weight, feature in zip(WEIGHTS, features, strict=True))
    return round(1 / (1 + math.exp(-total)), 4)
