"""txtai with its defaults and the texts kept, as its introduction shows it."""

from __future__ import annotations

from pathlib import Path

from txtai import Embeddings
from txtai.pipeline import Segmentation


class System:
    def __init__(self, model: Path) -> None:
        self._embeddings = Embeddings(path=str(model), content=True)

    def build(self, folder: Path, *, own_chunks: bool) -> int:
        split = Segmentation(paragraphs=own_chunks, sentences=not own_chunks)
        paths = sorted(folder.rglob("*.txt"))
        self._embeddings.index(unit for path in paths for unit in split(path.read_text("utf-8")))
        return int(self._embeddings.count())

    def save(self, place: Path) -> None:
        self._embeddings.save(str(place))

    def load(self, place: Path) -> None:
        self._embeddings.load(str(place))

    def search(self, question: str, k: int) -> list[str]:
        return [found["text"] for found in self._embeddings.search(question, k)]
