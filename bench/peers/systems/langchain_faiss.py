"""LangChain with FAISS, as the page of its FAISS vector store shows it."""

from __future__ import annotations

import logging
from pathlib import Path

from langchain_community.document_loaders import DirectoryLoader, TextLoader
from langchain_community.vectorstores import FAISS
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import NLTKTextSplitter, RecursiveCharacterTextSplitter

# Each sentence is told to be longer than the 1 character that keeps sentences apart.
logging.getLogger("langchain_text_splitters.base").setLevel(logging.ERROR)


class System:
    def __init__(self, model: Path) -> None:
        self._embeddings = HuggingFaceEmbeddings(model_name=str(model))

    def build(self, folder: Path, *, own_chunks: bool) -> int:
        loader = DirectoryLoader(
            str(folder),
            glob="**/*.txt",
            loader_cls=TextLoader,
            loader_kwargs={"encoding": "utf-8"},
        )
        splitter = (
            RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
            if own_chunks
            else NLTKTextSplitter(chunk_size=1, chunk_overlap=0)
        )
        chunks = splitter.split_documents(loader.load())
        self._store = FAISS.from_documents(chunks, self._embeddings)
        return len(chunks)

    def save(self, place: Path) -> None:
        self._store.save_local(str(place))

    def load(self, place: Path) -> None:
        self._store = FAISS.load_local(
            str(place), self._embeddings, allow_dangerous_deserialization=True
        )

    def search(self, question: str, k: int) -> list[str]:
        return [found.page_content for found in self._store.similarity_search(question, k=k)]
