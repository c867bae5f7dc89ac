"""What the product is compared with: words alone, one vector a unit, and their mix.

*words* is BM25 (bm25s, its defaults) over Snowball stems of title and text, stop words left
out. *dense* is the cosine of question and unit, one vector a unit. *mix* is 0.7 × (dense +
the best cosine of a sentence of the unit) + 0.3 × words, each scaled to [0, 1] per question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.data import Set, Text, Unit, paragraphs

if TYPE_CHECKING:
    from index.types import Encoder, Vectors

__all__ = ["Baselines", "Found", "mix", "ranking"]

DENSE_WEIGHT = 0.7  # of the mix; the words have the rest
NEAREST = 3  # sentences returned for a question


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the baselines find for one question: a score for each unit, higher is better.

    Attributes:
        words, dense, sentence: BM25, cosine of the unit, best cosine of its sentences.
        nearest: The three sentences of the set with the best cosine, best first.
        cosine: That of the first of them.
    """

    words: Vectors
    dense: Vectors
    sentence: Vectors
    nearest: tuple[Unit, ...]
    cosine: float

    @property
    def mix(self) -> Vectors:
        """The scores of the mix."""
        return mix(self.dense + self.sentence, self.words)


class Baselines:
    """The baselines over the units of a set.

    Args:
        data: The set.
        units: Its units.
        encoder: The model of the dense scores.
    """

    def __init__(self, data: Set, units: Sequence[Unit], encoder: Encoder) -> None:
        texts = [data.documents[unit.document] for unit in units]
        cut = [text.text[unit.start : unit.end] for text, unit in zip(texts, units, strict=True)]
        titled = [f"{text.title}\n{words}" for text, words in zip(texts, cut, strict=True)]
        self._words = _Words(titled)
        self._encoder = encoder
        self._dense = encoder.encode_documents(cut)
        found = [_sentences(text, unit) for text, unit in zip(texts, units, strict=True)]
        self._sentences = [sentence for of_unit in found for sentence in of_unit]
        self._starts = np.cumsum([0] + [len(of_unit) for of_unit in found])[:-1]
        self._sentence = encoder.encode_documents(
            [data.documents[each.document].text[each.start : each.end] for each in self._sentences]
        )

    def ask(self, question: str) -> Found:
        """Return what the baselines find for `question`."""
        vector = self._encoder.encode_query(question)
        cosines = self._sentence @ vector
        nearest = np.argsort(-cosines, kind="stable")[:NEAREST]
        return Found(
            words=self._words.scores(question),
            dense=self._dense @ vector,
            sentence=np.maximum.reduceat(cosines, self._starts),
            nearest=tuple(self._sentences[number] for number in nearest),
            cosine=float(cosines[nearest[0]]),
        )


class _Words:
    """BM25 over stems.

    Source: Robertson and Zaragoza (2009), The Probabilistic Relevance Framework: BM25.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        import bm25s
        import Stemmer

        self._stemmer = Stemmer.Stemmer("english")
        self._bm25 = bm25s.BM25()
        self._bm25.index([self._stems(text) for text in texts], show_progress=False)
        self._count = len(texts)

    def scores(self, question: str) -> Vectors:
        """Return the score of each text, 0 where it shares no word with the question."""
        known = [stem for stem in self._stems(question) if stem in self._bm25.vocab_dict]
        if not known:
            return np.zeros(self._count, np.float32)
        scores: Vectors = self._bm25.get_scores(known)
        return scores

    def _stems(self, text: str) -> list[str]:
        import bm25s

        stems: list[list[str]] = bm25s.tokenize(
            text, stopwords="en", stemmer=self._stemmer, return_ids=False, show_progress=False
        )
        return stems[0]


def mix(dense: Vectors, words: Vectors) -> Vectors:
    """Return 0.7 × dense + 0.3 × words, each scaled to [0, 1] over the units."""
    return DENSE_WEIGHT * _scaled(dense) + (1 - DENSE_WEIGHT) * _scaled(words)


def ranking(scores: Vectors, k: int) -> list[int]:
    """Return the numbers of the `k` best, best first; of equals the first."""
    return [int(number) for number in np.argsort(-scores, kind="stable")[:k]]


def _scaled(scores: Vectors) -> Vectors:
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.zeros_like(scores)


def _sentences(text: Text, unit: Unit) -> list[Unit]:
    """Return the sentences of a unit, the unit itself where it has none.

    They are the source's own; else its paragraphs or lines where these are finer than the
    unit; else the product's split of the unit.
    """
    listed = text.sentences or text.passages
    inside = [span for span in listed if unit.start <= span[0] and span[1] <= unit.end]
    if not inside or inside == [(unit.start, unit.end)]:
        inside = list(_split(text.text[unit.start : unit.end], unit.start))
    return [Unit(unit.document, start, end) for start, end in inside] or [unit]


def _split(text: str, offset: int) -> Iterator[tuple[int, int]]:
    from index.sentences import split_text

    for start, end in paragraphs(text):
        for sentence in split_text(text[start:end]):
            yield offset + start + sentence.start, offset + start + sentence.end
