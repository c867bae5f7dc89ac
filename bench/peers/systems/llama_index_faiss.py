"""LlamaIndex with FAISS, as the page of its FAISS vector store shows it."""

from __future__ import annotations

from pathlib import Path

import faiss
from llama_index.core import StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.schema import BaseNode
from llama_index.vector_stores.faiss import FaissVectorStore
from systems import llama_index_memory

DIMENSIONS = 384


class System(llama_index_memory.System):
    def _indexed(self, nodes: list[BaseNode]) -> VectorStoreIndex:
        store = FaissVectorStore(faiss_index=faiss.IndexFlatL2(DIMENSIONS))
        storage = StorageContext.from_defaults(vector_store=store)
        return VectorStoreIndex(nodes, storage_context=storage, embed_model=self._embedding)

    def load(self, place: Path) -> None:
        store = FaissVectorStore.from_persist_dir(str(place))
        storage = StorageContext.from_defaults(vector_store=store, persist_dir=str(place))
        self._index = load_index_from_storage(storage, embed_model=self._embedding)
