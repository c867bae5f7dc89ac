"""Words in Tantivy: which passages hold which terms; derived from the store.

Tantivy proposes passages. What it holds may be more than a generation has, so every query
names the documents that are not alive, and BM25 is computed again from the store with the
counts of that generation (Robertson and Zaragoza, 2009).
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tantivy

from index.errors import LibraryDamagedError, LibraryError
from index.files import checksum, flush, folder_within, settle
from index.watched import Watched

__all__ = ["WordIndex", "WordState", "WordWriter", "load_words", "open_words", "state_of"]

logger = logging.getLogger(f"quoth.{__name__}")

HEAP_BYTES = 64_000_000
Entry = tuple[int, int, str]  # passage, document, terms joined by spaces


@dataclass(frozen=True, slots=True)
class WordState:
    """A committed word index: its folder, passages in it, and size and CRC-32 of each file."""

    folder: str
    passages: int
    files: dict[str, list[int]]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return asdict(self)


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
    builder.add_unsigned_field("passage", fast=True)
    builder.add_unsigned_field("document", indexed=True)
    return builder.build()


def _document(passage: int, document: int, terms: str) -> tantivy.Document:
    entry = tantivy.Document()
    entry.add_unsigned("passage", passage)
    entry.add_unsigned("document", document)
    entry.add_text("terms", terms)
    return entry


@contextmanager
def _without_panic() -> Iterator[None]:
    """Turn what Tantivy says of some damage, which is no `Exception`, into one.

    Raises:
        LibraryDamagedError: It panicked.
    """
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # a class that no module gives
            raise
        raise LibraryDamagedError("the word index") from error


class WordIndex:
    """A searcher over one committed state of the words.

    What looks something up raises LibraryDamagedError where damage makes that impossible.
    """

    def __init__(self, index: tantivy.Index, watched: Watched | None = None) -> None:
        self.watched = watched or Watched()  # what is mapped
        self._schema = index.schema
        self._searcher = index.searcher()
        self._hidden: list[tantivy.Query] = []

    def disturbed(self) -> bool:
        """Return whether somebody has written into a file that is mapped here."""
        return self.watched.changed()

    @property
    def passages(self) -> int:
        """How many passages are in it, dead ones among them."""
        return int(self._searcher.num_docs)

    @_without_panic()
    def numbers(self) -> set[int]:
        """Return the passages that are in it, dead ones among them."""
        everything = tantivy.Query.all_query()
        hits = self._searcher.search(everything, limit=max(self.passages, 1), count=False).hits
        return set(self._passages(hits))

    def hide(self, documents: Sequence[int], after: int) -> None:
        """Leave out what is not alive: these documents, and all numbered above `after`."""
        self._hidden = [self._documents(documents)] if documents else []
        # Mostly there are none, and then every query is faster without.
        if self.knows_more_than(after):
            self._hidden.append(self._newer(after))

    @_without_panic()
    def knows_more_than(self, document: int) -> bool:
        """Return whether it has passages of documents numbered above this one."""
        return bool(self._searcher.search(self._newer(document), limit=1, count=True).count)

    def _newer(self, document: int) -> tantivy.Query:
        unsigned = tantivy.FieldType.Unsigned
        return tantivy.Query.range_query(
            self._schema, "document", unsigned, lower_bound=document + 1
        )

    @_without_panic()
    def search(self, terms: Sequence[str], k: int, *, only: Sequence[int] | None) -> list[int]:
        """Return about the `k` best passages that hold any of `terms`, best first.

        Args:
            terms: As `index.terms` gives them.
            k: At least 1.
            only: When given, documents that alone are searched.
        """
        should = tantivy.Query.boolean_query([(tantivy.Occur.Should, self._term(t)) for t in terms])
        hits = self._searcher.search(self._alive(should, only), limit=k, count=False).hits
        return self._passages(hits)

    @_without_panic()
    def holding(self, terms: Sequence[str], *, only: Sequence[int] | None) -> list[int]:
        """Return every passage that holds all of `terms`, in no order."""
        must = tantivy.Query.boolean_query([(tantivy.Occur.Must, self._term(t)) for t in terms])
        limit = max(self.passages, 1)
        hits = self._searcher.search(self._alive(must, only), limit=limit, count=False).hits
        return self._passages(hits)

    @_without_panic()
    def count(self, terms: Sequence[str]) -> int:
        """Return how many living passages hold all of `terms`."""
        must = tantivy.Query.boolean_query([(tantivy.Occur.Must, self._term(t)) for t in terms])
        found = self._searcher.search(self._alive(must, None), limit=1, count=True)
        return int(found.count or 0)

    @_without_panic()
    def document_frequency(self, term: str) -> int:
        """Return how many living passages hold `term`."""
        if not self._hidden:
            return int(self._searcher.doc_freq("terms", term))
        query = self._alive(self._term(term), None)
        return int(self._searcher.search(query, limit=1, count=True).count or 0)

    @_without_panic()
    def vocabulary(self, prefix: str) -> list[tuple[str, int]]:
        """Return the terms that begin with `prefix` and how many living passages hold each."""
        living = self._alive(tantivy.Query.all_query(), None) if self._hidden else None
        found = self._searcher.terms_with_prefix("terms", prefix, filter_query=living)
        return [(term, count) for term, count in found if count]

    def _term(self, term: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, "terms", term, index_option="freq")

    def _alive(self, query: tantivy.Query, only: Sequence[int] | None) -> tantivy.Query:
        clauses = [(tantivy.Occur.Must, query)]
        clauses += [(tantivy.Occur.MustNot, hidden) for hidden in self._hidden]
        if only is not None:
            allowed = tantivy.Query.const_score_query(self._documents(only), 0.0)
            clauses.append((tantivy.Occur.Must, allowed))
        return tantivy.Query.boolean_query(clauses)

    def _documents(self, documents: Sequence[int]) -> tantivy.Query:
        return tantivy.Query.term_set_query(self._schema, "document", list(documents))

    def _passages(self, hits: list[tuple[Any, tantivy.DocAddress]]) -> list[int]:
        values = self._searcher.fast_field_values("passage", [address for _, address in hits])
        return [int(value) for value in values if value is not None]


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Tantivy raises ValueError, with much of its inside, for whatever a disk does."""
    try:
        with _without_panic():
            yield
    except (ValueError, OSError) as error:
        number = re.search(r"(?:os error|code:) (\d+)", str(error))
        code = int(number.group(1)) if number else getattr(error, "errno", None)
        reason = os.strerror(code) if code else "damaged, or in use"
        raise LibraryError(
            f"The word index {folder} cannot be written or read ({reason}); make room if the disk "
            "is full, and try again."
        ) from error


class WordWriter:
    """Adds passages to the word index in `folder`; nothing counts before `commit`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with _explained(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder_within(folder)
            for part in folder.glob(".tmp*"):  # of a writer that was killed; nobody writes now
                part.unlink(missing_ok=True)
            self._index = tantivy.Index(_schema(), path=str(folder))
            self._writer = self._index.writer(HEAP_BYTES, 1)

    def add(self, entries: Iterable[Entry]) -> None:
        """Add passages with their documents and terms."""
        for passage, document, terms in entries:
            with _explained(self.folder):
                self._writer.add_document(_document(passage, document, terms))

    def commit(self) -> WordState:
        """Put everything on disk and end writing."""
        with _explained(self.folder):
            self._writer.commit()
            self._writer.wait_merging_threads()
            settle(self.folder)  # Tantivy leaves that to the umask
            # It syncs its files, but neither the name of the last one nor that of the folder.
            flush(self.folder)
            flush(self.folder.parent)
            self._index.reload()
            return state_of(self.folder, self._index.searcher().num_docs)

    def abandon(self) -> None:
        """Forget what was added and end writing."""
        self._writer.rollback()
        self._writer.wait_merging_threads()
        settle(self.folder)


def state_of(folder: Path, passages: int) -> WordState:
    """Return what is in `folder` now, for a later check."""
    files = {
        path.name: [path.stat().st_size, checksum(path)]
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".")
    }
    return WordState(folder.name, passages, files)


def intact(library: Path, state: WordState) -> bool:
    """Return whether the files are those that were committed, byte for byte.

    A file that is gone was merged into others by a later commit, which is no damage: then
    the count of passages decides. It is damage where the index still names the segment.
    """
    try:
        return _as_committed(library / state.folder, state)
    except OSError:  # gone, or on a part of the disk that cannot be read
        return False
    except (LookupError, TypeError, ValueError, AttributeError):  # Tantivy's list is none
        return False


def _as_committed(folder: Path, state: WordState) -> bool:
    segments = _segments(folder)
    committed = {name: seen for name, seen in state.files.items() if not name.endswith(".json")}
    total = sum(segments.values())
    # Nothing is ever deleted: there are more only where a later commit added a segment.
    grown = segments.keys() != {name.partition(".")[0] for name in committed}
    if total < state.passages or (total > state.passages and not grown):
        return False
    for name, (size, crc) in committed.items():
        path = folder / name
        if not path.exists():
            if name.partition(".")[0] in segments:
                return False
            continue
        if path.stat().st_size != size or checksum(path) != crc:
            return False
    return bool(tantivy.Index.exists(str(folder)))


def _segments(folder: Path) -> dict[str, int]:
    """Return how many passages each segment has, by what its files are called."""
    listed = json.loads((folder / "meta.json").read_bytes())["segments"]
    return {one["segment_id"].replace("-", ""): int(one["max_doc"]) for one in listed}


def open_words(folder: Path) -> WordIndex:
    """Return the word index in `folder`, whatever is in it.

    Raises:
        LibraryDamagedError, ValueError, OSError: It cannot be opened.
    """
    return _opened(folder, None)


@_without_panic()
def _opened(folder: Path, watched: Watched | None) -> WordIndex:
    index = tantivy.Index.open(str(folder))
    if index.schema != _schema():
        raise ValueError("its fields are not those of a word index")
    return WordIndex(index, watched)


def load_words(library: Path, state: WordState | None, entries: Iterable[Entry]) -> WordIndex:
    """Open the committed words; where they are missing or damaged, make them in memory.

    Args:
        library: Folder of the library.
        state: As published; None means that there are no words yet.
        entries: All living passages, read only when they are needed.
    """
    folder = library if state is None else library / state.folder
    if state is not None and folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        # Tantivy opens an index only where it can make its lock file.
        logger.info("the word index may not be written to; using the store")
    elif state is not None:
        try:
            watched = Watched(folder / name for name in state.files if name != "meta.json")
            if intact(library, state):
                words = _opened(folder, watched)
                if words.passages >= state.passages:
                    return words
        except (LibraryDamagedError, ValueError, OSError) as error:
            logger.warning("the word index cannot be opened: %s", error)
        logger.warning("the word index is missing or damaged; using the store")
    index = tantivy.Index(_schema())
    writer = index.writer(HEAP_BYTES, 1)
    for passage, document, terms in entries:
        writer.add_document(_document(passage, document, terms))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return WordIndex(index)


def remove_folder(folder: Path) -> None:
    """Delete a word index that nothing points to any more."""
    shutil.rmtree(folder, ignore_errors=True)
