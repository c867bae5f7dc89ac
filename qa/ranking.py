"""Sentences of the passages found for a question, the one most likely to answer first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.terms import index_terms
from qa.expected import another_one, expectation, holds
from qa.question import Question
from qa.reading import SOFT, sigmoid
from qa.types import Passage, ScoredSentence

__all__ = ["AnswerSettings", "Candidate", "rank_sentences"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSettings:
    """How quotes are chosen, and when there are none."""

    passages: int = 10  # looked at for an answer
    read: int = 10  # of them read by the reader at most
    read_first: int = 4  # of them read first; the others where these do not answer
    read_enough: float = 0.0  # margin of a span from which they do
    quotes: int = 4  # at most, apart from the items of a list
    items: int = 8  # of a list, at most
    passage_share: float = 0.75  # weight of the passage's score in the rank of its sentences
    evidence: float = 0.05  # weight, beside that share, of the reader's "this sentence answers"
    span: float = 0.5  # the same for its best span in the sentence
    row_words: float = 0.7  # share of the words in what is said of a table's row
    named: float = 0.1  # added where a code or a quoted phrase of the question stands
    expected: float = 0.05  # added where a sentence holds what is asked for
    another: float = 0.75  # factor where a sentence speaks of another year or ordinal than asked
    own: float = 0.5  # share of its rank that a sentence without a follow-up's own words loses
    near_best: float = 0.77  # share of the best rank from which a sentence is quoted too
    nearest: int = 3  # passages shown when there is no answer
    short_from: float = 5.0  # margin from which the answering words are marked
    abstain_below: float = 0.3  # confidence below which the documents do not say


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
    whole: Question | None = None,
    own: Question | None = None,
) -> list[Candidate]:
    """Return the sentences of `passages`, the one most likely to answer first.

    Args:
        question: The question made whole.
        passages: What was retrieved for it, best first.
        settings: How signs are weighed.
        whole: The same question with its codes and phrases, if they shall count.
        own: For a follow-up, the words that were really asked: in "And the cats?" after a
            question about dogs a sentence about dogs is no answer.
    """
    settings = settings or AnswerSettings()
    wanted = expectation(question)
    asked = frozenset(index_terms(question))
    candidates = []
    for passage in passages:
        for sentence in passage.sentences:
            terms = index_terms(f"{sentence.context} {sentence.text}")
            rank = (
                settings.passage_share * passage.score
                + (1 - settings.passage_share) * sentence.score
            )
            if settings.read:
                rank = (rank + _said(sentence, settings)) / (1 + settings.evidence + settings.span)
            if holds(wanted, sentence.text, asked):
                rank += settings.expected
            if whole is not None and whole.exact(terms):
                rank += settings.named
            if another_one(question, sentence.text):
                rank *= settings.another
            if own is not None and own.weight:
                rank *= 1 - settings.own * (1 - own.coverage(frozenset(terms)))
            candidates.append(Candidate(passage, sentence, round(rank, 4)))
    # Sorting is stable: of equals the sentence of the better passage, then the earlier one.
    return sorted(candidates, key=lambda candidate: -candidate.rank)


def _said(sentence: ScoredSentence, settings: AnswerSettings) -> float:
    """Return what the reader says of a sentence, weighed.

    It reads a table as one text and mixes up its rows: there the words have their say as well.
    """
    said = settings.evidence * sigmoid(sentence.evidence)
    said += settings.span * sigmoid(sentence.margin / SOFT)
    if sentence.kind != "row":
        return said
    words = (settings.evidence + settings.span) * sentence.score
    return (1 - settings.row_words) * said + settings.row_words * words
