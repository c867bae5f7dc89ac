"""sentence-transformers by itself: encode the sentences, compare with `util.semantic_search`."""

from __future__ import annotations

import json
from pathlib import Path

import nltk
import torch
from sentence_transformers import SentenceTransformer, util


class System:
    def __init__(self, model: Path) -> None:
        self._model = SentenceTransformer(str(model))

    def build(self, folder: Path, *, own_chunks: bool) -> int:
        texts = [path.read_text("utf-8") for path in sorted(folder.rglob("*.txt"))]
        self._sentences = [one for text in texts for one in nltk.sent_tokenize(text)]
        self._vectors = self._model.encode(self._sentences, convert_to_tensor=True)
        return len(self._sentences)

    def save(self, place: Path) -> None:
        torch.save(self._vectors, place / "vectors.pt")
        (place / "sentences.json").write_text(json.dumps(self._sentences), "utf-8")

    def load(self, place: Path) -> None:
        self._vectors = torch.load(place / "vectors.pt")
        self._sentences = json.loads((place / "sentences.json").read_text("utf-8"))

    def search(self, question: str, k: int) -> list[str]:
        vector = self._model.encode(question, convert_to_tensor=True)
        (hits,) = util.semantic_search(vector, self._vectors, top_k=k)
        return [self._sentences[hit["corpus_id"]] for hit in hits]
