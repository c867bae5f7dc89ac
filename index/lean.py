"""The lean runtime: an exported model run by ONNX Runtime, without torch."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from index.errors import EncoderError
from index.half import HalfSession, half_precision
from index.types import Part

if TYPE_CHECKING:
    from index.types import Vectors

__all__ = [
    "LeanEncoder",
    "batches",
    "distinct",
    "encodable",
    "normalized",
    "open_session",
    "threads",
]

T = TypeVar("T")

# The product of texts and padded length in one run. Measured on two cores: 420 sentences a
# second at 1,024, 325 at 4,096, 280 at 8,192, where the states no longer fit into the cache.
BATCH_TOKENS = 1024
# Parts from which on half precision is worth its half second of preparation.
MANY = 64
# Texts tokenized at a time, which bounds memory.
CHUNK = 4096


class LeanEncoder:
    """A model of the usual shape: token states out of ONNX Runtime, their mean, length 1.

    Source: Reimers and Gurevych (2019), Sentence-BERT.
    """

    def __init__(self, folder: Path, *, name: str, fingerprint: str) -> None:
        """Load what `index.export` wrote into `folder`.

        Raises:
            EncoderError: The number of threads or the precision asked for is none.
        """
        from tokenizers import Tokenizer

        manifest = json.loads((folder / "lean.json").read_text("utf-8"))
        self._model = folder / "model.onnx"
        self._session: Any = open_session(self._model)
        self._half: HalfSession | None = None
        self._half_wanted = half_precision()
        self._loading = threading.Lock()
        self._inputs = frozenset(node.name for node in self._session.get_inputs())
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._document_prompt = str(manifest["document_prompt"])
        self._query_prompt = str(manifest["query_prompt"])
        self._dim = int(manifest["dim"])
        self._name, self._fingerprint = name, fingerprint

    @property
    def name(self) -> str:
        """How people call the model."""
        return self._name

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._dim

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides the vectors."""
        return self._fingerprint

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Return float32 of shape (len(texts), dim), each row of L2 length 1.

        Equal texts are encoded once. A vector depends on the batch its text was in by no more
        than rounding, about 1e-7.
        """
        return self.encode_parts([Part.whole(text) for text in texts])

    def encode_parts(self, parts: Sequence[Part]) -> Vectors:
        """Return float32 of shape (len(parts), dim), each row of L2 length 1.

        Each text goes through the model once. What of it lies beyond the model's greatest length,
        or is not made of whole tokens, is encoded by itself.
        """
        many = self._half_wanted and len(parts) >= MANY
        session = self._half_session() if many else self._session
        return self._encode(parts, self._document_prompt, session)

    def _half_session(self) -> HalfSession:
        with self._loading:
            if self._half is None:
                self._half = HalfSession(self._model, threads())
            return self._half

    def encode_query(self, text: str) -> Vectors:
        """Return float32 of shape (dim,), of L2 length 1."""
        vector: Vectors = self._encode([Part.whole(text)], self._query_prompt, self._session)[0]
        return vector

    def _encode(self, parts: Sequence[Part], prompt: str, session: Any) -> Vectors:  # noqa: ANN401 - of either runtime
        once, places = distinct(parts)
        wanted: dict[str, list[int]] = {}
        for row, part in enumerate(once):
            wanted.setdefault(part.text, []).append(row)
        texts = list(wanted)
        sums = np.zeros((len(once), self._dim), np.float32)
        alone: list[int] = []
        for start in range(0, len(texts), CHUNK):
            chunk = texts[start : start + CHUNK]
            found = self._tokenizer.encode_batch([prompt + encodable(text) for text in chunk])
            for batch in batches([len(encoding) for encoding in found]):
                states = self._states(session, [found[at].ids for at in batch])
                for at, of_text in zip(batch, states, strict=True):
                    rows = wanted[chunk[at]]
                    tokens = _tokens(found[at], [once[row] for row in rows], len(prompt))
                    sums[rows] = tokens @ of_text[: tokens.shape[1]]
                    for row, own in zip(rows, tokens, strict=True):
                        if not own.any() and not once[row].is_whole:
                            alone.append(row)
        if alone:
            sums[alone] = self._encode([once[row].alone for row in alone], prompt, session)
        # Scaled to length 1 the sum over the tokens is their mean.
        return normalized(sums)[places]

    def _states(self, session: Any, tokens: Sequence[Sequence[int]]) -> Vectors:  # noqa: ANN401
        """Return the states of one batch of token ids, the longest last."""
        shape = (len(tokens), len(tokens[-1]))
        ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, text in enumerate(tokens):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        feed = {name: array for name, array in feed.items() if name in self._inputs}
        states: Vectors = session.run(None, feed)[0]
        return states


def _tokens(encoding: Any, parts: Sequence[Part], shift: int) -> Vectors:  # noqa: ANN401 - tokenizers has no types
    """Return which tokens belong to which part, 1 or 0, shape (len(parts), tokens).

    Args:
        encoding: Of the text, from `tokenizers`.
        parts: Parts of one text. The whole has all tokens, the special ones too; one that is cut
            by the model's greatest length has none.
        shift: Characters in front of the text.
    """
    found = np.zeros((len(parts), len(encoding)), np.float32)
    spans = np.array(encoding.offsets, np.int64).reshape(-1, 2) - shift
    text = parts[0].text
    for token, (start, end) in enumerate(spans.tolist()):
        # With some tokenizers the space before a word belongs to the word.
        while 0 <= start < end and text[start : start + 1].isspace():
            start += 1
        spans[token, 0] = start
    starts, ends = spans.T
    words = ends > starts
    cut = bool(encoding.overflowing)
    first = starts.min(initial=len(text), where=words) if cut else 0
    last = ends.max(initial=0, where=words) if cut else len(text)
    for row, part in enumerate(parts):
        if part.is_whole:
            found[row] = 1
        elif first <= part.start and part.end <= last:
            found[row] = words & (part.start <= starts) & (ends <= part.end)
    return found


def open_session(model: Path, settings: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401
    """Return an ONNX Runtime session for the graph in a file.

    Args:
        model: The file.
        settings: Entries of the session's configuration.

    Raises:
        EncoderError: The number of threads asked for is none.
    """
    # ONNX Runtime reports to its makers by default; it reads this when it is imported.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # somebody else may have imported it before
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    for name, value in (settings or {}).items():
        options.add_session_config_entry(name, value)
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def threads() -> int:
    """Return how many threads compute: $QUOTH_THREADS, else all CPUs this process may use.

    Raises:
        EncoderError: $QUOTH_THREADS is no whole number above 0.
    """
    wanted = os.environ.get("QUOTH_THREADS", "").strip()
    if not wanted:
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
    if not wanted.isascii() or not wanted.isdigit() or int(wanted) == 0:
        raise EncoderError(f"QUOTH_THREADS is {wanted!r}; set it to a whole number above 0.")
    return int(wanted)


def distinct(items: Sequence[T]) -> tuple[list[T], list[int]]:
    """Return the items without repeats, in order, and for each given one its place there."""
    places: dict[T, int] = {}
    at = [places.setdefault(item, len(places)) for item in items]
    return list(places), at


def encodable(text: str) -> str:
    """Return `text` with U+FFFD for lone surrogates, which no tokenizer takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def normalized(vectors: Vectors) -> Vectors:
    """Return float32 rows scaled to L2 length 1; a row of zeros stays one."""
    vectors = np.asarray(vectors, np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield places grouped by length, each group at most BATCH_TOKENS padded tokens or one text."""
    batch: list[int] = []
    for at in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[at] * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch
