"""From a question to the passages that fit it best: meaning and words, mixed.

A passage's score is a fixed mix of two parts that mean the same for every question: the mean of
the cosines of the passage and of its best sentence (Reimers and Gurevych, 2019), and BM25
(Robertson and Zaragoza, 2009) divided by the most that the question could score. The weights
were chosen on development sets, see docs/benchmarks.md.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from index.library import Library
from index.searcher import PassageRow, Searcher, SentenceRow
from index.terms import index_terms
from index.types import Citation, Filter
from qa.question import Question, check_question, in_a_row
from qa.reader import load_reader
from qa.reading import read_passages
from qa.types import Passage, ScoredSentence

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Retriever", "RetrieverSettings", "retrieve"]

K1, B = 1.5, 0.5  # BM25: how soon a repeated word stops counting, how much length counts


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieverSettings:
    """How passages are found and weighed."""

    candidates: int = 50  # passages proposed by each of sentence, passage and word search
    words: float = 0.5  # weight of the words in a passage's score; the rest is meaning
    sentence_words: float = 0.5  # the same for the score of a sentence inside its passage
    phrase: float = 0.9  # score of the words where a quoted phrase stands in the passage
    duplicate: float = 0.9  # share of common terms from which two passages count as one
    close: float = 0.45  # cosine from which "close in meaning" is a reason
    read: int = 0  # passages that `retrieve` has read and scored anew: better, and slower

    def __post_init__(self) -> None:
        if self.candidates < 1 or not 0 <= self.words <= 1:
            raise ValueError("candidates must be at least 1 and words in [0, 1]")


@dataclass(frozen=True, slots=True)
class _Scored:
    row: PassageRow
    score: float
    dense: float
    cosines: NDArray[np.float64]  # of its sentences
    terms: Counter[str]

    def says_as(self, other: _Scored, share: float) -> bool:
        """Return whether both say the same, or have `share` of their terms and all numbers."""
        if _same(self.row.sentences, other.row.sentences):
            return True
        a, b = self.terms.keys(), other.terms.keys()
        # An old and a new version of a rule may differ in nothing but a number: both must be seen.
        return (
            min(len(a), len(b)) >= share * max(len(a), len(b))
            and len(a & b) >= share * len(a | b)
            and not any(map(_has_digit, a ^ b))
        )


class Retriever:
    """Finds passages in a library."""

    def __init__(self, library: Library, settings: RetrieverSettings | None = None) -> None:
        self.library = library
        self.settings = settings or RetrieverSettings()

    def retrieve(self, question: str, *, k: int = 5, where: Filter | None = None) -> list[Passage]:
        """Return the `k` passages that fit best, best first; ties by path, then position.

        Fewer come back when the documents have fewer. Near-duplicates count once and list
        their other places in `also_at`.

        Raises:
            QuestionError: The question is empty or longer than 2,000 characters.
            ValueError: `k` is below 1.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        read = self.settings.read
        with self.library.searching() as searcher:
            found = self.search(searcher, question, k=max(k, read), where=where)
        if read and found:
            found = read_passages(load_reader(), check_question(question), found, read)
        return found[:k]

    def search(
        self,
        searcher: Searcher,
        question: str,
        *,
        k: int,
        where: Filter | None = None,
        own: str | None = None,
    ) -> list[Passage]:
        """Return what `retrieve` does, from a searcher that is open already.

        `own` is the question as it was asked where `question` was completed: see `Question.read`.
        """
        asked = Question.read(question, searcher, own=own)
        only = searcher.allowed(where)
        if not searcher.passage_count or only == frozenset():
            return []
        query = self.library.encoder_for(searcher).encode_query(asked.text)
        ids = set(searcher.nearest(query, self.settings.candidates, only))
        ids.update(searcher.with_any(asked.terms, self.settings.candidates, only))
        for phrase in asked.phrases:
            ids.update(searcher.with_all(phrase, only)[: self.settings.candidates])
        scored = self._score(searcher, asked, query, searcher.passages(sorted(ids)))
        scored.sort(key=lambda s: (-s.score, _place(searcher, s.row)))
        return [
            self._passage(searcher, asked, best, others) for best, others in self._fold(scored, k)
        ]

    def _score(
        self,
        searcher: Searcher,
        asked: Question,
        query: NDArray[np.float32],
        rows: Sequence[PassageRow],
    ) -> list[_Scored]:
        numbers = [n for row in rows for n in (row.vector, *(s.vector for s in row.sentences))]
        cosines = searcher.vectors(numbers) @ query.astype(np.float64)
        scored = []
        first = 0
        for row in rows:
            end = first + 1 + len(row.sentences)
            of_sentences = cosines[first + 1 : end]
            dense = float(cosines[first] + of_sentences.max()) / 2
            first = end
            counts = Counter(row.terms)
            words = self._words(asked, row, counts, searcher.mean_length)
            score = (1 - self.settings.words) * dense + self.settings.words * words
            # Rounded, so that the last bits of floating point decide no order.
            score = round(min(max(score, 0.0), 1.0), 4)
            scored.append(_Scored(row, score, dense, of_sentences, counts))
        return scored

    def _words(
        self, asked: Question, row: PassageRow, counts: Mapping[str, int], mean_length: float
    ) -> float:
        """Return BM25 of the passage as a share of the most that the question could score."""
        if not asked.weight:
            return 0.0
        norm = K1 * (1 - B + B * len(row.terms) / mean_length)
        score = sum(
            weight * counts[term] * (K1 + 1) / (counts[term] + norm)
            for term, weight in zip(asked.terms, asked.weights, strict=True)
            if term in counts
        )
        share = score / (asked.weight * (K1 + 1))
        if asked.phrases and all(in_a_row(phrase, row.terms) for phrase in asked.phrases):
            share = max(share, self.settings.phrase + (1 - self.settings.phrase) * share)
        return share

    def _fold(
        self, scored: Sequence[_Scored], k: int
    ) -> Iterator[tuple[_Scored, list[PassageRow]]]:
        """Yield `k` passages with those that say (nearly) the same, in order."""
        groups: list[tuple[_Scored, list[PassageRow]]] = []
        for item in scored:
            for best, folded in groups:
                # Titles are among the terms: a short passage in two documents differs by them.
                if item.says_as(best, self.settings.duplicate):
                    folded.append(item.row)
                    break
            else:
                # Behind the last place only duplicates of those before it matter.
                if len(groups) < k:
                    groups.append((item, []))
        yield from groups

    def _passage(
        self, searcher: Searcher, asked: Question, best: _Scored, others: Sequence[PassageRow]
    ) -> Passage:
        row = best.row
        content = searcher.content(row.document)
        terms = set(row.terms)
        matched = _whole_words(
            word for term, word in zip(asked.terms, asked.words, strict=True) if term in terms
        )
        why = [f"matches {', '.join(matched)}"] if matched else []
        if best.dense >= self.settings.close:
            why.append("close in meaning")
        return Passage(
            document=searcher.documents[row.document],
            start=row.start,
            end=row.end,
            text=content.text[row.start : row.end],
            score=best.score,
            sentences=tuple(self._sentences(asked, best, content.text)),
            citation=citation_of(searcher, row, row.start, row.end),
            why=tuple(why) or ("nearest there is",),
            matched=tuple(matched),
            also_at=tuple(citation_of(searcher, o, o.start, o.end) for o in others),
        )

    def _sentences(self, asked: Question, best: _Scored, text: str) -> Iterator[ScoredSentence]:
        share = self.settings.sentence_words
        headers = {sentence.context for sentence in best.row.sentences if sentence.kind == "row"}
        for sentence, cosine in zip(best.row.sentences, best.cosines, strict=True):
            words = text[sentence.start : sentence.end]
            covered = asked.coverage(set(index_terms(f"{sentence.context} {words}")))
            score = (1 - share) * float(cosine) + share * covered
            # A heading, or the header of a table, names what is asked; the answer stands below.
            heads = sentence.kind == "heading" or (sentence.kind == "row" and words in headers)
            if heads and len(best.row.sentences) > 1:
                score /= 2
            yield ScoredSentence(
                start=sentence.start,
                end=sentence.end,
                text=words,
                score=round(min(max(score, 0.0), 1.0), 4),
                cosine=round(float(cosine), 4),
                kind="heading" if heads else sentence.kind,
                context=sentence.context,
            )


def retrieve(
    question: str,
    *,
    library: Library | str | os.PathLike[str],
    k: int = 5,
    where: Filter | None = None,
) -> list[Passage]:
    """Return the `k` passages of `library` (or the library at that path) that fit best.

    Raises:
        QuestionError: The question is empty or longer than 2,000 characters.
        LibraryNotFoundError: There is no library at the path.
    """
    if isinstance(library, Library):
        return Retriever(library).retrieve(question, k=k, where=where)
    with Library.open(library, read_only=True) as opened:
        return Retriever(opened).retrieve(question, k=k, where=where)


def citation_of(searcher: Searcher, row: PassageRow, start: int, end: int) -> Citation:
    """Return where [start, end) of a passage stands."""
    info = searcher.documents[row.document]
    return Citation(
        document=info.id,
        path=info.path,
        title=info.title,
        start=start,
        end=end,
        text_hash=info.text_hash,
        page=searcher.content(row.document).page_at(start) if info.pages else None,
        headings=row.headings,
    )


def _whole_words(words: Iterable[str]) -> list[str]:
    """Return the words without those that are parts of another: E-4304, not E and 4304."""
    found = list(words)
    parts = {part for word in found for part in re.split(r"[-/.]", word) if part != word}
    return [word for word in found if word not in parts]


def _same(a: Sequence[SentenceRow], b: Sequence[SentenceRow]) -> bool:
    """Return whether two passages have the same sentences: what is equal has one vector."""
    pairs = zip(a, b, strict=False)
    return len(a) == len(b) and all(one.vector == other.vector for one, other in pairs)


def _has_digit(term: str) -> bool:
    return any(c.isdigit() for c in term)


def _place(searcher: Searcher, row: PassageRow) -> tuple[str, int, int]:
    return (searcher.documents[row.document].path, row.start, row.document)
