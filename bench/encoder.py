"""Throughput and query latency: the lean runtime in both precisions, and sentence-transformers.

    python -m bench.encoder [--sentences 1000] [--queries 100]

Sentences come from $QUOTH_EVAL_DATA, else ../shared/eval, else examples/documents.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import statistics
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from index.encoder import SentenceTransformersEncoder, load_encoder
from index.lean import threads
from index.types import Encoder
from index.weights import DEFAULT_MODEL, default_model, fingerprint

ROOT = Path(__file__).resolve().parents[1]


def texts() -> Iterator[str]:
    """Yield the documents' texts, always in the same order."""
    data = Path(os.environ.get("QUOTH_EVAL_DATA", ROOT.parent / "shared" / "eval"))
    for path in sorted(data.glob("*/documents.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)["text"]
    for path in sorted((ROOT / "examples" / "documents").glob("**/*.[tm][xd]*")):
        yield path.read_text("utf-8")


def sentences(count: int) -> list[str]:
    """Return `count` different sentences, at most ten of each document."""
    found: dict[str, None] = {}
    for text in texts():
        pieces = [piece.strip() for piece in re.split(r"(?<=[.!?])\s+|\n\n+", text)]
        found |= dict.fromkeys([piece for piece in pieces if piece][:10])
        if len(found) >= count:
            break
    return list(found)[:count]


def measure(encoder: Encoder, documents: list[str], queries: list[str]) -> tuple[float, float]:
    """Return sentences a second and the median time of a query in milliseconds."""
    encoder.encode_documents(documents[:64])
    began = time.perf_counter()
    encoder.encode_documents(documents)
    rate = len(documents) / (time.perf_counter() - began)
    times = []
    for query in queries:
        began = time.perf_counter()
        encoder.encode_query(query)
        times.append(time.perf_counter() - began)
    return rate, statistics.median(times) * 1000


def main() -> None:
    """Print one row for each runtime, and how well they agree."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sentences", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--queries", type=int, default=100, help="default: %(default)s")
    arguments = parser.parse_args()
    documents = sentences(arguments.sentences)
    queries = [" ".join(text.split()[:12]) for text in documents[: arguments.queries]]

    began = time.perf_counter()
    lean = load_encoder()
    loaded = time.perf_counter() - began
    model = default_model()
    began = time.perf_counter()
    library = SentenceTransformersEncoder(model, name=DEFAULT_MODEL, fingerprint=fingerprint(model))
    rows: list[tuple[str, Encoder, float]] = [
        ("lean", lean, loaded),
        ("sentence-transformers", library, time.perf_counter() - began),
    ]
    if find_spec("openvino") is not None:
        os.environ["QUOTH_PRECISION"] = "half"
        began = time.perf_counter()
        half = load_encoder()
        rows.append(("lean, half precision", half, time.perf_counter() - began))

    print(f"{len(documents)} sentences, {len(queries)} queries, {threads()} threads")
    print(f"{'runtime':<24}{'load s':>8}{'sentences/s':>14}{'query p50 ms':>14}")
    for name, encoder, seconds in rows:
        rate, latency = measure(encoder, documents, queries)
        print(f"{name:<28}{seconds:>4.1f}{rate:>14.0f}{latency:>14.1f}")
    theirs = library.encode_documents(documents)
    for name, encoder, _ in rows:
        lowest = np.sum(encoder.encode_documents(documents) * theirs, axis=1).min()
        print(f"lowest cosine of {name} to sentence-transformers: {lowest:.6f}")


if __name__ == "__main__":
    main()
