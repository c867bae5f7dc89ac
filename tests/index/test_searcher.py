"""A searcher against reading every row: what is near, what is counted, what is alive."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from small import HashEncoder, new_library, write

from index import Filter, Library, vectors
from index.terms import index_terms
from index.words import load_words


def many(seed: int, count: int = 60) -> dict[str, str]:
    """Return files of ten words from a small vocabulary."""
    chance = np.random.default_rng(seed)
    return {
        f"{n % 3}/{seed}-{n}.txt": " ".join(f"w{w}" for w in chance.integers(0, 40, 10)) + "."
        for n in range(count)
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of which many share words."""
    return write(tmp_path / "many", many(1))


@pytest.fixture
def library(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """A library with a FAISS base, and dead and newer documents beside it."""
    monkeypatch.setattr(vectors, "SMALLEST_BASE", 50)
    with new_library(tmp_path / "many.quoth", folder) as opened:
        for n, file in enumerate(sorted(folder.rglob("*.txt"))):
            if n % 4 == 0:
                file.unlink()
            elif n % 4 == 1:
                file.write_text(f"{file.read_text()}\n\nAnd w1 w2 newer.")
        opened.sync(folder)
        assert list(opened.path.glob("vectors-*.faiss"))
        yield opened


def counted(folder: Path, term: str) -> int:
    """Return how many files hold a term; each is one passage."""
    return sum(term in index_terms(file.read_text()) for file in folder.rglob("*.txt"))


def test_terms_are_counted_over_what_is_alive(library: Library, folder: Path) -> None:
    """Dead versions count before compacting as little as after."""
    for change in (lambda: None, library.rebuild, library.compact):
        change()
        with library.searching() as searcher:
            assert searcher.passage_count == len(searcher.documents) == 45
            for term in [*(f"w{n}" for n in range(40)), "newer", "nowhere"]:
                holding = counted(folder, term)
                assert searcher.document_frequency(term) == holding
                assert searcher.inverse_document_frequency(term) == pytest.approx(
                    math.log(1 + (45 - holding + 0.5) / (holding + 0.5))
                )
                assert len(searcher.with_all([term], None)) == holding
                assert len(searcher.with_any([term], 1000, None)) == holding


@pytest.mark.parametrize("where", [None, Filter(folder="1"), Filter(pattern="*-1?.txt")])
def test_the_nearest_passages_are_those_of_comparing_all(
    library: Library, where: Filter | None
) -> None:
    encoder = HashEncoder()
    with library.searching() as searcher:
        only = searcher.allowed(where)
        rows = [
            row
            for number, info in searcher.documents.items()
            if where is None or where.matches(info)
            for row in searcher.passages_of(number)
        ]
        for question in ("w1 w2", "w3", "newer w30"):
            query = encoder.encode_query(question)
            for k in (1, 5, 1000):
                expected = set()
                for owned in (
                    {row.id: {row.vector} for row in rows},
                    {row.id: {s.vector for s in row.sentences} for row in rows},
                ):
                    # A vector that several have counts once and brings all of them.
                    numbers = sorted(set().union(*owned.values()))
                    scores = searcher.vectors(numbers) @ query
                    near = {numbers[place] for place in np.argsort(-scores, kind="stable")[:k]}
                    expected |= {row for row, vectors_of in owned.items() if vectors_of & near}
                assert set(searcher.nearest(query, k, only)) == expected


def test_a_vector_that_many_sentences_share_finds_all_of_them(tmp_path: Path) -> None:
    files = {f"{n}.txt": "The same words." for n in range(30)} | {"other.txt": "Something else."}
    with new_library(tmp_path / "a.quoth", write(tmp_path / "a", files)) as library:
        with library.searching() as searcher:
            found = searcher.nearest(HashEncoder().encode_query("the same words"), 1, None)
            owners = {row.document for row in searcher.passages(found)}
            assert {searcher.documents[number].path for number in owners} == set(files) - {
                "other.txt"
            }


def test_an_unpublished_sync_changes_no_count_although_its_words_are_on_disk(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for the first time between the commit of the words and the publishing."""
    library.rebuild()  # now the word index holds fewer passages than the store
    expected = {f"w{n}": counted(folder, f"w{n}") for n in range(40)}
    asked: list[int] = []

    def ask_first(*args: object) -> object:
        with Library.open(library.path, read_only=True, encoder=HashEncoder()) as other:
            with other.searching() as searcher:
                asked.append(searcher.generation)
                for term, count in expected.items():
                    assert searcher.document_frequency(term) == count
                    assert len(searcher.with_any([term], 1000, None)) == count
        return vectors.write_base(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("index.engines.local.write_base", ask_first)
    write(folder, many(2, 8))
    report = library.sync(folder)
    assert (asked, report.generation) == ([2], 3)


def test_a_sync_in_the_middle_of_opening_changes_no_count(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words then hold documents that the rows seen say nothing about."""
    library.rebuild()  # now the word index holds fewer passages than the store
    expected = {f"w{n}": counted(folder, f"w{n}") for n in range(40)}

    def sync_first(*args: object) -> object:
        monkeypatch.undo()
        write(folder, many(2, 8))
        assert len(library.sync(folder).added) == 8
        return load_words(*args)  # type: ignore[arg-type]

    with Library.open(library.path, read_only=True, encoder=HashEncoder()) as other:
        monkeypatch.setattr("index.engines.local.load_words", sync_first)
        with other.searching() as searcher:
            assert searcher.generation == 2
            for term, count in expected.items():
                assert searcher.document_frequency(term) == count
                assert len(searcher.with_any([term], 1000, None)) == count
        with other.searching() as searcher:
            assert (searcher.generation, searcher.passage_count) == (3, 53)


def test_a_pinned_searcher_keeps_its_generation(library: Library, folder: Path) -> None:
    """Through a sync that removes, a compaction and a rebuild; files it uses are deleted."""
    with library.searching() as pinned:
        documents = dict(pinned.documents)
        texts = {number: pinned.text(number) for number in documents}
        query = HashEncoder().encode_query("w1 w2")
        expected = (pinned.nearest(query, 5, None), pinned.with_any(["w1"], 9, None))
        for file in list(folder.rglob("*.txt"))[5:]:
            file.unlink()
        library.sync(folder, yes=True)
        library.compact()
        library.rebuild()
        assert pinned.generation == 2
        assert (pinned.nearest(query, 5, None), pinned.with_any(["w1"], 9, None)) == expected
        assert {number: pinned.text(number) for number in documents} == texts
        assert len(pinned.passages(expected[0])) == len(expected[0])
        with library.searching() as newer:
            assert (newer.generation, len(newer.documents)) == (3, 5)
    with library.searching() as after:
        assert len(after.documents) == 5


def test_passages_come_in_the_order_asked_for_with_their_sentences(library: Library) -> None:
    with library.searching() as searcher:
        number = next(n for n in searcher.documents if "newer" in searcher.text(n))
        (row,) = searcher.passages_of(number)
        text = searcher.text(number)
        assert [text[s.start : s.end] for s in row.sentences] == text.split("\n\n")
        other = next(n for n in searcher.documents if n != number)
        (second,) = searcher.passages_of(other)
        assert searcher.passages([second.id, row.id, second.id]) == [second, row, second]


def test_passages_are_found_by_place_also_in_a_document_that_is_gone(library: Library) -> None:
    info = library.documents()[0]
    with library.searching() as searcher:
        rows = searcher.passages_of(info.id)
        last = rows[-1]
        assert searcher.passages_at(info.id, [last.start, last.end - 1]) == [last]
        assert searcher.passages_at(info.id, [last.end + 1_000]) == []
        everywhere = [row.start for row in reversed(rows)]
        assert searcher.passages_at(info.id, everywhere) == rows
        state = searcher.state
    library.remove(info.id)
    with library.searching() as searcher:
        assert searcher.passages_at(info.id, everywhere) == rows
        assert searcher.state != state
    library.compact()
    with library.searching() as searcher:
        assert searcher.passages_at(info.id, everywhere) == []
