"""The reader: which words of a passage answer a question, or that none do.

A small encoder (22 million parameters) fine-tuned by `training/` marks where answers start and
end, says how likely each sentence answers, and how likely the answer is not here (as readers of
SQuAD 2.0 do: Devlin et al., 2019). What it was made from and what it can do stands in
docs/reader.md.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.errors import EncoderError
from index.lean import batches, open_session
from index.weights import default_model, file_hash
from qa.windows import Tokenized, Tokens, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "FILE",
    "SHA256",
    "Readable",
    "Reader",
    "Reading",
    "SentenceReading",
    "load_reader",
    "reader_loaded",
]

FILE = Path(__file__).parent / "data" / "reader.onnx"
SHA256 = "82079b77aefbd6a6b3f9299dc56967cc018c6752e1e023e2933a72dc876751f4"
LONGEST = 40  # tokens of a short answer
MISSING = -1e9


@dataclass(frozen=True, slots=True)
class Readable:
    """What is read: a text, the spans of its sentences, its title and headings."""

    text: str
    sentences: tuple[tuple[int, int], ...]
    before: str = ""


@dataclass(frozen=True, slots=True)
class SentenceReading:
    """What the reader says of one sentence.

    Attributes:
        evidence: Logit that the sentence answers.
        margin: Logits of its best span minus those of "not here" (the null margin of
            SQuAD 2.0).
        start, end: That span, in the text that was read.
    """

    evidence: float
    margin: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader says of a text: a reading for each of its sentences, in order."""

    sentences: tuple[SentenceReading, ...]

    @property
    def best(self) -> SentenceReading:
        """The sentence with the best span; the first of equals."""
        return max(self.sentences, key=lambda sentence: sentence.margin)


class Reader:
    """Reads texts for a question. Safe for several threads at once."""

    def __init__(self, file: Path) -> None:
        """Load an exported reader."""
        from tokenizers import Tokenizer

        self._session: Any = open_session(file, {"session.disable_quant_qdq": "1"})
        tokenizer = Tokenizer.from_file(str(default_model() / "tokenizer.json"))
        self._tokenized = Tokenized(tokenizer)

    def read(self, question: str, texts: Sequence[Readable]) -> list[Reading]:
        """Return a reading of each text; of a text without sentences an empty one.

        Long texts are read in windows that overlap; a sentence counts as the window says that
        knows it best. What else is read beside a text changes nothing but the last digits.
        """
        (asked,) = self._tokenized.tokens([question])
        before = self._tokenized.tokens([text.before for text in texts])
        tokens = self._tokenized.tokens([text.text for text in texts])
        windows = [
            (number, window)
            for number in range(len(texts))
            for window in self._tokenized.windows(asked.ids, before[number].ids, tokens[number])
        ]
        logits = self._logits([window for _, window in windows])
        found: list[list[SentenceReading | None]] = [[None] * len(t.sentences) for t in texts]
        for (number, window), scores in zip(windows, logits, strict=True):
            for at, reading in _readings(texts[number], tokens[number], window, scores):
                known = found[number][at]
                if known is None or reading.margin > known.margin:
                    found[number][at] = reading
        return [
            Reading(
                tuple(
                    each or SentenceReading(MISSING, MISSING, start, start)
                    for each, (start, _) in zip(of_text, text.sentences, strict=True)
                )
            )
            for of_text, text in zip(found, texts, strict=True)
        ]

    def _logits(self, windows: Sequence[Window]) -> list[NDArray[np.float32]]:
        """Return float32 of shape (tokens, 3) for each window: start, end, evidence."""
        found: list[Any] = [None] * len(windows)
        for batch in batches([len(window.ids) for window in windows]):
            length = max(len(windows[at].ids) for at in batch)
            ids, mask, types = (np.zeros((len(batch), length), np.int64) for _ in range(3))
            for row, at in enumerate(batch):
                window = windows[at]
                ids[row, : len(window.ids)] = window.ids
                mask[row, : len(window.ids)] = 1
                types[row, window.second : len(window.ids)] = 1
            feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
            (logits,) = self._session.run(None, feed)
            for row, at in enumerate(batch):
                found[at] = logits[row, : len(windows[at].ids)]
        return found


def _readings(
    text: Readable, tokens: Tokens, window: Window, logits: NDArray[np.float32]
) -> Iterator[tuple[int, SentenceReading]]:
    """Yield the number and the reading of each sentence that has tokens in the window."""
    null = float(logits[0, 0] + logits[0, 1])
    shown = tokens.spans[window.first : window.first + window.count]
    begins = np.array([start for start, _ in shown], np.int64)
    logits = logits[window.text : window.text + window.count]
    for number, (start, end) in enumerate(text.sentences):
        first, behind = np.searchsorted(begins, [start, end]).tolist()
        if first == behind:
            continue
        one, last, score = _best_span(logits[first:behind, 0], logits[first:behind, 1])
        yield (
            number,
            SentenceReading(
                evidence=round(float(logits[first:behind, 2].mean()), 4),
                margin=round(score - null, 4),
                start=shown[first + one][0],
                end=_whole(text.text, min(shown[first + last][1], end)),
            ),
        )


def _whole(text: str, end: int) -> int:
    """Return `end` behind the combining marks of its last letter, which tokens leave out."""
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return end


def _best_span(starts: NDArray[np.float32], ends: NDArray[np.float32]) -> tuple[int, int, float]:
    """Return first and last token of the best span of at most LONGEST tokens, and its score."""
    ahead = np.arange(len(ends))[None, :] - np.arange(len(starts))[:, None]
    scores = np.where((ahead >= 0) & (ahead < LONGEST), starts[:, None] + ends[None, :], MISSING)
    one, last = np.unravel_index(int(scores.argmax()), scores.shape)
    return int(one), int(last), float(scores[one, last])


_loading = threading.Lock()


def load_reader() -> Reader:
    """Return the reader that ships, its weights checked.

    Raises:
        EncoderError: The file is missing or is not the one that was released.
    """
    with _loading:
        return _loaded()


def reader_loaded() -> bool:
    """Return whether `load_reader` would answer without loading anything."""
    return _loaded.cache_info().currsize > 0


@lru_cache(maxsize=1)
def _loaded() -> Reader:
    if not FILE.is_file():
        raise EncoderError(f"The reader is missing at {FILE}; install quoth again.")
    if file_hash(FILE) != SHA256:
        raise EncoderError(f"The reader at {FILE} is damaged; install quoth again.")
    return Reader(FILE)
