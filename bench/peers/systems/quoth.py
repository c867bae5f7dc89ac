"""Quoth, the same way."""

from __future__ import annotations

import os
from pathlib import Path

from index import Library
from qa import Retriever


class System:
    def __init__(self, model: Path) -> None:
        self._place = Path(os.environ["QUOTH_BENCH_PLACE"])

    def build(self, folder: Path, *, own_chunks: bool) -> int:
        self._library = Library.open(self._place / "library.quoth", create=True)
        report = self._library.sync(folder)
        self._retriever = Retriever(self._library)
        return report.sentences

    def save(self, place: Path) -> None:
        """Nothing to do: it was published by the sync."""
        self._library.close()

    def load(self, place: Path) -> None:
        self._library = Library.open(place / "library.quoth", read_only=True)
        self._retriever = Retriever(self._library)

    def search(self, question: str, k: int) -> list[str]:
        return [passage.text for passage in self._retriever.retrieve(question, k=k)]
