"""What a snapshot takes over from the one before is what a fresh one reads."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import HashEncoder

from index import Library
from index.arrays import Arrays, read_arrays
from index.content import ContentCache
from index.database import Database
from index.nearest import FaissNearest
from index.searcher import Searcher
from index.snapshots import Snapshot

NAMES = [f"{letter}.txt" for letter in "abcdef"]
# What is done between two questions; texts with several sentences, some of them shared.
CHANGES = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(NAMES), st.integers(0, 4)),
    st.tuples(st.just("add"), st.sampled_from(NAMES), st.integers(0, 4)),
    st.tuples(st.just("remove"), st.sampled_from(NAMES), st.just(0)),
    st.tuples(st.sampled_from(["compact", "rebuild"]), st.just(""), st.just(0)),
)


@pytest.fixture(autouse=True, scope="module")
def small_bases() -> Iterator[None]:
    """Let a base be written after few vectors, and few parts be made one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.vectors.SMALLEST_BASE", 6)
        patch.setattr("index.vectors.MOST_PARTS", 3)
        yield


def text_of(name: str, number: int) -> str:
    return "\n\n".join(f"Flat {i} of {name} is let. The lift is new." for i in range(number + 1))


def change(library: Library, what: str, name: str, number: int) -> None:
    if what == "add":
        library.add(text_of(name, number), name=name)
    elif what == "remove":
        if any(info.path == name for info in library.documents()):
            library.remove(name)
    elif what == "compact":
        library.compact()
    else:
        library.rebuild()


def compare(library: Library, found: Snapshot, fresh: Snapshot) -> None:
    for name in ("passages", "documents", "vectors", "lengths", "places", "sentence_vectors"):
        np.testing.assert_array_equal(getattr(found.arrays, name), getattr(fresh.arrays, name))
    if fresh.model is not None:
        assert isinstance(found.nearest, FaissNearest)
        assert isinstance(fresh.nearest, FaissNearest)
        np.testing.assert_array_equal(found.nearest.vectors.ids, fresh.nearest.vectors.ids)
        np.testing.assert_array_equal(found.nearest.sentence_rows, fresh.nearest.sentence_rows)
    assert list(found.documents.items()) == list(fresh.documents.items())
    assert found.mean_length == fresh.mean_length
    query = HashEncoder().encode_query("Which flat of a.txt is let?")
    with library._store.reading() as db:
        old, new = Searcher(found, db), Searcher(fresh, db)
        assert old.nearest(query, 5, None) == new.nearest(query, 5, None)
        ids = [int(i) for i in fresh.passage_ids]
        vectors = [row.vector for row in old.passages(ids)]
        np.testing.assert_array_equal(old.vectors(vectors), new.vectors(vectors))


@settings(max_examples=30, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=8))
def test_it_is_what_a_fresh_one_would_be(changes: list[tuple[str, str, int]]) -> None:
    with (
        tempfile.TemporaryDirectory() as place,
        Library.open(Path(place) / "l.quoth", create=True, encoder=HashEncoder()) as library,
    ):
        for one in changes:
            change(library, *one)
            with library.searching() as searcher:
                found = searcher._snapshot
            with library._store.reading() as db:
                fresh = Snapshot(library.path, library._engine, db, ContentCache())
            compare(library, found, fresh)


def test_only_what_is_new_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def watched(db: Database, generation: int, after: int, *, checked: bool) -> Arrays:
        found = read_arrays(db, generation, after, checked=checked)
        read.append(len(found.passages))
        return found

    monkeypatch.setattr("index.snapshots.read_arrays", watched)
    with Library.open(tmp_path / "l.quoth", create=True, encoder=HashEncoder()) as library:
        for name in NAMES:
            library.add(text_of(name, 4), name=name)
            with library.searching():
                pass
        library.remove(NAMES[0])
        with library.searching() as searcher:
            kept = searcher.passage_count
        library.compact()
        with library.searching() as searcher:
            assert searcher.passage_count == kept
    assert len(set(read[: len(NAMES)])) == 1
    assert read[len(NAMES) :] == [0, kept]


def test_many_small_parts_become_one(tmp_path: Path) -> None:
    """Each change adds a part of its own; a search does not go through ever more of them."""
    with Library.open(tmp_path / "l.quoth", create=True, encoder=HashEncoder()) as library:
        most = 0
        for number in range(12):
            library.add(f"House {number} has {number + 2} flats.", name=f"{number}.txt")
            with library.searching() as searcher:
                nearest = searcher._snapshot.nearest
                assert isinstance(nearest, FaissNearest)
                most = max(most, len(nearest.vectors.parts))
        assert 1 < most <= 4
