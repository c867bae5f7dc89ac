"""An encoder that remembers on disk what it encoded, so that repeated runs are quick."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index.types import Part

if TYPE_CHECKING:
    from index.types import PartEncoder, Vectors

__all__ = ["CachedEncoder"]

BATCH = 512  # parts encoded between two commits


class CachedEncoder:
    """An encoder in front of another that sees parts, with its vectors kept by model and part.

    Args:
        encoder: The one that encodes what is not kept yet.
        folder: Where the vectors are kept, one file a model; made if it is missing.
        progress: Called with how many of how many parts are done, where they are many.
    """

    def __init__(
        self, encoder: PartEncoder, folder: Path, progress: Callable[[int, int], None] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._encoder, self._progress = encoder, progress
        self._memory: dict[bytes, Vectors] = {}
        path = folder / f"{encoder.fingerprint[:16]}.sqlite"
        # A library encodes in a thread of its own; only one encodes at a time.
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.execute("PRAGMA synchronous=OFF")  # what a crash loses is encoded again
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID"
        )

    @property
    def name(self) -> str:
        """How people call the model."""
        return self._encoder.name

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._encoder.dim

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the model behind it: the vectors are the same."""
        return self._encoder.fingerprint

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Return float32 of shape (len(texts), dim), each row of L2 length 1."""
        return self.encode_parts([Part.whole(text) for text in texts])

    def encode_parts(self, parts: Sequence[Part]) -> Vectors:
        """Return float32 of shape (len(parts), dim), each row of L2 length 1."""
        keys = [_key("document", part) for part in parts]
        self._load(keys)
        pairs = dict(zip(keys, parts, strict=True))
        new = [(key, part) for key, part in pairs.items() if key not in self._memory]
        # Batches of like length waste nothing on padding; those of one text are encoded at once.
        new.sort(key=lambda pair: (len(pair[1].text), pair[1].text))
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            vectors = self._encoder.encode_parts([part for _, part in batch])
            self._keep([key for key, _ in batch], vectors)
            if self._progress is not None and len(new) >= BATCH:
                self._progress(start + len(batch), len(new))
        if not keys:
            return np.zeros((0, self.dim), np.float32)
        return np.stack([self._memory[key] for key in keys])

    def encode_query(self, text: str) -> Vectors:
        """Return float32 of shape (dim,), of L2 length 1."""
        key = _key("query", Part.whole(text))
        self._load([key])
        if key not in self._memory:
            self._keep([key], self._encoder.encode_query(text)[None])
        return self._memory[key]

    def close(self) -> None:
        """Close the file; what was encoded is kept."""
        self._database.close()

    def _load(self, keys: Sequence[bytes]) -> None:
        for key in keys:
            if key in self._memory:
                continue
            found = self._database.execute("SELECT vector FROM vectors WHERE key = ?", (key,))
            for (vector,) in found:
                self._memory[key] = np.frombuffer(vector, np.float32)

    def _keep(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        with self._database:
            self._database.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
                [(key, vector.tobytes()) for key, vector in zip(keys, vectors, strict=True)],
            )
        self._memory.update(zip(keys, vectors.astype(np.float32), strict=True))


def _key(kind: str, part: Part) -> bytes:
    return hashlib.sha256(f"{kind}\0{part.identity}".encode("utf-8", "surrogatepass")).digest()
