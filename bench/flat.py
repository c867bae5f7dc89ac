"""Half-precision and 8-bit flat FAISS indexes by size: what `index.vectors` chooses between.

python bench/flat.py [--sizes 10000,100000,1000000]

Vectors are random around random centres, which is harder for quantised indexes than text. Recall
is against exact inner products in single precision; times are of one query at a time, one thread.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for python bench/flat.py

from bench import machine

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIM, QUERIES, K = 384, 100, 10


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--sizes", default="10000,100000,200000,1000000", show_default=True)
def main(sizes: str) -> None:
    """Print memory, median time of a query and recall@10 of each kind of index."""
    import faiss

    faiss.omp_set_num_threads(1)
    click.echo(", ".join(str(value) for value in machine.describe().values()))
    click.echo(f"{'vectors':>10}  {'index':<7}{'MB':>7}{'p50 ms':>9}{'recall@10':>11}")
    kinds = {
        "float32": None,
        "fp16": faiss.ScalarQuantizer.QT_fp16,
        "8 bit": faiss.ScalarQuantizer.QT_8bit,
    }
    for size in map(int, sizes.split(",")):
        vectors, queries = _vectors(size)
        exact: list[set[int]] = []
        for name, kind in kinds.items():
            if kind is None:
                index = faiss.IndexFlatIP(DIM)
            else:
                index = faiss.IndexScalarQuantizer(DIM, kind, faiss.METRIC_INNER_PRODUCT)
                index.train(vectors[:20_000])
            index.add(vectors)
            found, median = _ask(index, queries)
            exact = exact or found
            recall = float(np.mean([len(a & b) / K for a, b in zip(found, exact, strict=True)]))
            bytes_ = {"float32": 4, "fp16": 2, "8 bit": 1}[name] * size * DIM
            click.echo(
                f"{size:>10,}  {name:<7}{bytes_ / 1e6:>7.0f}{1000 * median:>9.2f}{recall:>11.3f}"
            )


def _vectors(size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    random = np.random.default_rng(0)
    centres = random.standard_normal((max(size // 50, 1), DIM), np.float32)
    vectors = random.standard_normal((size + QUERIES, DIM), np.float32)
    vectors += centres[random.integers(len(centres), size=len(vectors))]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors[:size], vectors[size:]


def _ask(index: Any, queries: NDArray[np.float32]) -> tuple[list[set[int]], float]:  # noqa: ANN401 - FAISS is untyped
    found, seconds = [], []
    for query in queries:
        began = time.perf_counter()
        _, rows = index.search(query.reshape(1, -1), K)
        seconds.append(time.perf_counter() - began)
        found.append(set(rows[0].tolist()))
    return found, float(np.median(seconds))


if __name__ == "__main__":
    main()
