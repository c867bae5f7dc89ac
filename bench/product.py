"""The product as it is measured: a library of a set's documents, its retriever and its chat."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.data import DataError, Set, Unit

if TYPE_CHECKING:
    from index import Library
    from index.types import Encoder

__all__ = ["Product", "added"]


class Product:
    """Retriever and chat over a library of a set's documents.

    Args:
        library: The library.
        ids: The set's id of each document, by its path in the library.
    """

    def __init__(self, library: Library, ids: Mapping[str, str]) -> None:
        from qa import Chat, Retriever

        self._retriever = Retriever(library)
        self._chat = Chat(library)
        self._ids = ids

    @classmethod
    @contextmanager
    def build(
        cls, data: Set, encoder: Encoder, progress: Callable[[str], None]
    ) -> Iterator[Product]:
        """Give the product over the documents of `data`, in a library made for it.

        Raises:
            DataError: The library does not hold a document as the set has it.
        """
        from index import Library

        with (
            tempfile.TemporaryDirectory(prefix="quoth-bench-") as folder,
            Library.open(Path(folder) / "bench.quoth", create=True, encoder=encoder) as library,
        ):
            ids = added(library, data)
            progress(f"{data.name}: {library.status().sentences:,} sentences indexed")
            yield cls(library, ids)

    def best_sentences(self, question: str, k: int) -> list[Unit]:
        """Return the best sentence of each of the `k` best passages, best passage first."""
        return [
            Unit(self._ids[passage.document.path], passage.best.start, passage.best.end)
            for passage in self._retriever.retrieve(question, k=k)
        ]

    def quotes(self, question: str) -> list[Unit]:
        """Return the quotes that answer `question` without its history; none if it abstains."""
        self._chat.reset()
        return [
            Unit(self._ids[quote.document.path], quote.start, quote.end)
            for quote in self._chat.ask(question).quotes
        ]


def added(library: Library, data: Set) -> dict[str, str]:
    """Put the documents of a set into a library; return their ids by path.

    Documents that are files are synced; others are added as the text they are, under a name
    that says nothing, since the name of a document helps to find it.

    Raises:
        DataError: The library does not hold a document as the set has it.
    """
    if data.files is not None:
        report = library.sync(data.files)
        if report.skipped:
            skip = report.skipped[0]
            raise DataError(f"{data.files / skip.path} was skipped: {skip.reason}.")
        ids = {id: id for id in data.documents}
    else:
        ids = {f"d{number:06}": id for number, id in enumerate(data.documents)}
        library.add_texts(
            (path, data.documents[id].text, data.documents[id].title or None, None)
            for path, id in ids.items()
        )
    stored = {info.path: info.id for info in library.documents()}
    for path, id in ids.items():
        # Offsets of the set must mean the same in the library.
        if path not in stored or library.text(stored[path]) != data.documents[id].text:
            raise DataError(f"{data.name}: the library does not hold {id} as the set has it.")
    return ids
