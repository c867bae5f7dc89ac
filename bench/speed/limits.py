"""How near embedding and scanning are to what the machine can do at all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import numpy as np

from bench.corpus import corpus
from bench.kept import kept
from bench.speed.figure import Figure

__all__ = ["limits"]

SHAPE = (1024, 384, 1536)  # of the model's largest product, for a batch of the lean runtime
SENTENCES = 1500


def limits(sentences: int) -> Iterator[Figure]:
    """Yield the machine's measured peaks, and the shares of them that are reached.

    Args:
        sentences: Of the library whose vectors are scanned.
    """
    rate = _multiply_adds()
    for kind, peak in _peaks().items():
        yield Figure(f"matrix product, {kind}", peak / 1e9, "G multiply-adds/s")
        if kind == _precision():
            yield Figure(f"embedding of passages, {kind}", rate / 1e9, "G multiply-adds/s")
            yield Figure("embedding, of the peak", rate / peak, "share")
    bandwidth, scanned = _bandwidth(), _scan(sentences)
    yield Figure("memory read by one core", bandwidth / 1e9, "GB/s")
    yield Figure("scan of the vectors", scanned / 1e9, "GB/s")
    yield Figure("scan, of the memory's speed", scanned / bandwidth, "share")


def _precision() -> str:
    from index.half import half_precision

    return "bfloat16" if half_precision() else "float32"


def _peaks() -> dict[str, float]:
    """Return multiply-adds a second of both cores, the better of torch and numpy."""
    import torch

    from index.lean import threads

    torch.set_num_threads(threads())
    m, k, n = SHAPE
    found = {}
    for kind in (torch.float32, torch.bfloat16):
        a, b = torch.rand(m, k).to(kind), torch.rand(k, n).to(kind)
        found[str(kind).partition(".")[2]] = m * k * n / _seconds(lambda a=a, b=b: a @ b)  # type: ignore[misc]
    x, y = np.random.default_rng(0).random((m, k), np.float32), np.ones((k, n), np.float32)
    found["float32"] = max(found["float32"], m * k * n / _seconds(lambda: x @ y))
    return found


def _multiply_adds() -> float:
    """Return the multiply-adds a second of the model's own products while passages are embedded."""
    from index.encoder import load_encoder
    from index.export import lean_folder
    from index.ingest import Label, document_of, prepare
    from index.weights import default_model, fingerprint

    model = default_model()
    shape = json.loads((model / "config.json").read_text("utf-8"))
    folder = lean_folder(model, fingerprint(model))
    if folder is None:
        raise RuntimeError("the lean runtime is not used")
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    parts = [
        part
        for number, text in enumerate(corpus(None, SENTENCES).texts)
        for part in prepare(
            document_of(f"{number}", text.text), Label(source=1, path=f"{number}", type="text")
        ).passage_parts
    ]
    width, inner, layers = (
        shape[name] for name in ("hidden_size", "intermediate_size", "num_hidden_layers")
    )
    work = 0
    for encoding in tokenizer.encode_batch([part.text for part in parts]):
        length = len(encoding)
        work += layers * length * (4 * width**2 + 2 * width * inner + 2 * length * width)
    encoder = load_encoder()
    encoder.encode_documents([part.text for part in parts[:64]])
    began = time.perf_counter()
    encoder.encode_documents([part.text for part in parts])
    return work / (time.perf_counter() - began)


def _bandwidth() -> float:
    """Return the bytes a second that one core reads, of more than its caches hold."""
    much = np.ones(2**27, np.float32)
    return much.nbytes / _seconds(much.max, times=5)


def _scan(sentences: int) -> float:
    """Return the bytes of vectors a second that a search of the sentences goes through."""
    from index import Library
    from index.vectors import DIMENSIONS, LARGEST_EXACT

    found = kept(None, sentences)
    with Library.open(found.path, read_only=True) as library, library.searching() as searcher:
        query = library.encoder.encode_query(found.questions[0])
        seconds = _seconds(lambda: searcher.nearest(query, 50, None), times=20)
        dim, count = library.encoder.dim, searcher.vector_count
        # Half precision, or codes of four bits.
        size = 2 * dim if count <= LARGEST_EXACT else dim / DIMENSIONS / 2
        # It is gone through twice: for sentences and for passages.
        return 2 * count * size / seconds


def _seconds(work: Callable[[], object], times: int = 50) -> float:
    """Return the shortest of several times."""
    work()
    shortest = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        work()
        shortest = min(shortest, time.perf_counter() - began)
    return shortest
