"""LlamaIndex with its own store in memory, as its starter tutorial shows it."""

from __future__ import annotations

from pathlib import Path

from llama_index.core import (
    SimpleDirectoryReader,
    StorageContext,
    VectorStoreIndex,
    load_index_from_storage,
)
from llama_index.core.node_parser import SentenceSplitter, SentenceWindowNodeParser
from llama_index.core.schema import BaseNode
from llama_index.embeddings.huggingface import HuggingFaceEmbedding


class System:
    def __init__(self, model: Path) -> None:
        self._embedding = HuggingFaceEmbedding(model_name=str(model))

    def build(self, folder: Path, *, own_chunks: bool) -> int:
        documents = SimpleDirectoryReader(str(folder), recursive=True).load_data()
        splitter = SentenceSplitter() if own_chunks else SentenceWindowNodeParser(window_size=1)
        nodes = splitter.get_nodes_from_documents(documents)
        self._index = self._indexed(nodes)
        return len(nodes)

    def _indexed(self, nodes: list[BaseNode]) -> VectorStoreIndex:
        return VectorStoreIndex(nodes, embed_model=self._embedding)

    def save(self, place: Path) -> None:
        self._index.storage_context.persist(str(place))

    def load(self, place: Path) -> None:
        storage = StorageContext.from_defaults(persist_dir=str(place))
        self._index = load_index_from_storage(storage, embed_model=self._embedding)

    def search(self, question: str, k: int) -> list[str]:
        retriever = self._index.as_retriever(similarity_top_k=k)
        return [found.node.get_content() for found in retriever.retrieve(question)]
