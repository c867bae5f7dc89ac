"""Haystack with its store in memory, as its first tutorial shows it."""

from __future__ import annotations

from pathlib import Path

from haystack import Pipeline
from haystack.components.converters import TextFileToDocument
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)


class System:
    def __init__(self, model: Path) -> None:
        self._model = str(model)
        self._store = InMemoryDocumentStore(embedding_similarity_function="cosine")

    def build(self, folder: Path, *, own_chunks: bool) -> int:
        indexing = Pipeline()
        indexing.add_component("convert", TextFileToDocument())
        indexing.add_component(
            "split",
            DocumentSplitter()
            if own_chunks
            else DocumentSplitter(split_by="sentence", split_length=1),
        )
        indexing.add_component(
            "embed", SentenceTransformersDocumentEmbedder(model=self._model, progress_bar=False)
        )
        indexing.add_component("write", DocumentWriter(self._store))
        indexing.connect("convert", "split")
        indexing.connect("split", "embed")
        indexing.connect("embed", "write")
        indexing.run({"convert": {"sources": sorted(folder.rglob("*.txt"))}})
        self._start()
        return self._store.count_documents()

    def _start(self) -> None:
        self._asking = Pipeline()
        self._asking.add_component(
            "embed", SentenceTransformersTextEmbedder(model=self._model, progress_bar=False)
        )
        self._asking.add_component("retrieve", InMemoryEmbeddingRetriever(self._store))
        self._asking.connect("embed.embedding", "retrieve.query_embedding")

    def save(self, place: Path) -> None:
        self._store.save_to_disk(str(place / "documents.json"))

    def load(self, place: Path) -> None:
        self._store = InMemoryDocumentStore.load_from_disk(str(place / "documents.json"))
        self._start()

    def search(self, question: str, k: int) -> list[str]:
        found = self._asking.run({"embed": {"text": question}, "retrieve": {"top_k": k}})
        return [document.content for document in found["retrieve"]["documents"]]
