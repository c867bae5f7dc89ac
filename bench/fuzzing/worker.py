"""The process under test: reads each file of a folder, then syncs the folder, and tells.

python -m bench.fuzzing.worker FOLDER LIBRARY

One JSON object a line: what begins, and how it ended. The one who started it watches.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.fuzzing.check import breaches_of_document, breaches_of_reason, breaches_of_report
from index import Library
from index.errors import FormatError
from index.formats import Limits, read_document
from index.ingest import document_of

if TYPE_CHECKING:
    from index.types import Vectors

__all__ = ["HashedVectors", "main"]

_DIM = 32
_MOST_BREACHES = 5  # told of one file


class HashedVectors:
    """Stands in for the embedding model, which sees sentences and no files: it costs nothing."""

    name = "hashed for the fuzzer"
    fingerprint = "hashed for the fuzzer"
    dim = _DIM

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Return one row a text, of length 1."""
        return np.stack([self.encode_query(text) for text in texts])

    def encode_query(self, text: str) -> Vectors:
        """Return a direction that the text alone decides."""
        data = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIM).digest()
        vector = np.frombuffer(data, np.uint8).astype(np.float32) - 127.5
        return np.asarray(vector / np.linalg.norm(vector), np.float32)


def main(folder: Path, place: Path) -> None:
    """Read and sync `folder`; the library is made at `place`."""
    # Registered first, so that it runs last: after the parsers' processes have ended.
    atexit.register(
        lambda: _tell(parsers_kb=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    )
    # What is loaded once is no cost of the first file.
    list(breaches_of_document(document_of("warm", "The lift is inspected. " * 20), Limits()))
    texts: dict[str, str] = {}
    files = sorted(path.name for path in folder.iterdir())
    for name in files:
        _tell(begin=name)
        _tell(end=name, **_read(folder / name, texts), own_kb=_own_peak())
    _tell(begin="")
    began = time.perf_counter()
    breaches = _sync(folder, place, files, texts)
    seconds = time.perf_counter() - began
    _tell(synced=len(files), seconds=seconds, breaches=breaches, own_kb=_own_peak())


def _read(path: Path, texts: dict[str, str]) -> dict[str, object]:
    began = time.perf_counter()
    try:
        document = read_document(path)
    except FormatError as error:
        return {
            "seconds": time.perf_counter() - began,
            "reason": error.reason,
            "cause": str(error.__cause__ or ""),
            "breaches": list(breaches_of_reason(error.reason)),
        }
    breaches = list(breaches_of_document(document, Limits()))[:_MOST_BREACHES]
    texts[path.name] = _hash(document.text)
    return {
        "seconds": time.perf_counter() - began,
        "characters": len(document.text),
        "warnings": list(document.warnings),
        "breaches": breaches,
    }


def _sync(folder: Path, place: Path, files: Sequence[str], texts: dict[str, str]) -> list[str]:
    with Library.open(place, create=True, encoder=HashedVectors()) as library:
        report = library.sync(folder)
        breaches = list(breaches_of_report(report, files))
        stored = {info.path: info.text_hash for info in library.documents()}
        for path in sorted(stored.keys() | texts.keys()):
            if stored.get(path) != texts.get(path):
                breaches.append(f"{path!r} was stored with another text than was read before")
        again = library.sync(folder)
        if again.changed:
            breaches.append(f"a second sync of the same files changed something: {again}")
    return breaches


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _own_peak() -> int:
    # Not ru_maxrss: that of a new process begins with what its parent had.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _tell(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
