"""Quoth, the same way."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from index import Library
from index.encoder import load_encoder
from qa import Retriever

NAME = "library.quoth"


class System:
    def __init__(self, model: Path) -> None:
        self._encoder = load_encoder(model)

    def build(self, folder: Path, *, own_chunks: bool) -> int:
        self._made = TemporaryDirectory(prefix="quoth-peers-")
        self._library = Library.open(
            Path(self._made.name) / NAME, create=True, encoder=self._encoder
        )
        report = self._library.sync(folder)
        self._retriever = Retriever(self._library)
        return report.sentences

    def save(self, place: Path) -> None:
        """Move what the sync has written already."""
        self._library.close()
        shutil.move(Path(self._made.name) / NAME, place)

    def load(self, place: Path) -> None:
        self._library = Library.open(place / NAME, read_only=True, encoder=self._encoder)
        self._retriever = Retriever(self._library)

    def search(self, question: str, k: int) -> list[str]:
        return [passage.text for passage in self._retriever.retrieve(question, k=k)]
