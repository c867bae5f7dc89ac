"""The documents as the page lists them: made once for each state of the library."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from qa.web.document_schemas import TABLE_COLUMNS, DocumentEntry, table_row

if TYPE_CHECKING:
    from index import Library

__all__ = ["Listing", "Listings", "Sort"]

Sort = Literal["name", "date", "indexed", "sentences"]

_KEYS: dict[Sort, Callable[[DocumentEntry], tuple[str | int, ...]]] = {
    "name": lambda entry: (entry.name.casefold(), entry.folder.casefold()),
    "date": lambda entry: (entry.date or "",),
    "indexed": lambda entry: (entry.indexed_at,),
    "sentences": lambda entry: (entry.sentences,),
}


@dataclass(frozen=True)
class Listing:
    """All documents of one generation, in order of path."""

    generation: int
    entries: tuple[DocumentEntry, ...]

    @cached_property
    def sentences(self) -> int:
        """How many sentences there are."""
        return sum(entry.sentences for entry in self.entries)

    @cached_property
    def table(self) -> bytes:
        """All of it as JSON without the repeated names: the page draws 10,000 rows from it."""
        columns = list(TABLE_COLUMNS)
        rows = [table_row(entry) for entry in self.entries]
        table = {"generation": self.generation, "columns": columns, "rows": rows}
        return json.dumps(table, separators=(",", ":")).encode("ascii")

    def select(
        self,
        *,
        search: str = "",
        folder: str | None = None,
        type: str | None = None,
        sort: Sort | None = None,
        descending: bool = False,
    ) -> Sequence[DocumentEntry]:
        """Return the documents that fit, sorted; those that are equal stay in order of path."""
        words = search.casefold().split()
        found = [
            entry
            for entry in self.entries
            if (type is None or entry.type == type)
            and (folder is None or f"{entry.folder}/".startswith(f"{folder.strip('/')}/"))
            and _holds(entry, words)
        ]
        if sort is not None:
            found.sort(key=_KEYS[sort], reverse=descending)
        return found


def _holds(entry: DocumentEntry, words: Sequence[str]) -> bool:
    if not words:
        return True
    told = f"{entry.folder}/{entry.name} {entry.title}".casefold()
    return all(word in told for word in words)


class Listings:
    """Gives the listing of the newest generation, made when it is first asked for."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._listing: Listing | None = None
        self._token = uuid4().hex[:8]  # another library may have the same generation

    def newest(self) -> Listing:
        """Return the documents as they are now."""
        listing = self._listing
        if listing is None or listing.generation != self._library.generation:
            with self._lock:
                listing = self._listing
                if listing is None or listing.generation != self._library.generation:
                    listing = self._listing = self._make()
        return listing

    def tag(self, listing: Listing) -> str:
        """Return an entity tag for `listing`."""
        return f'"{self._token}-{listing.generation}"'

    def _make(self) -> Listing:
        with self._library.searching() as searcher:
            infos = sorted(searcher.documents.values(), key=lambda info: (info.path, info.id))
            entries = tuple(DocumentEntry.of_info(self._library, info) for info in infos)
            return Listing(searcher.generation, entries)
