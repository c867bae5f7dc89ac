"""Tantivy against counting: what is dead or not published is never proposed or counted."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.errors import LibraryDamagedError
from index.words import (
    Entry,
    WordIndex,
    WordState,
    WordWriter,
    intact,
    load_words,
    open_words,
)

VOCABULARY = [f"w{i}" for i in range(30)]


def entries(documents: range, *, each: int = 3) -> list[Entry]:
    chance = random.Random(documents.start)
    return [
        (10 * document + n, document, " ".join(chance.choices(VOCABULARY, k=8)))
        for document in documents
        for n in range(each)
    ]


def commit(folder: Path, *batches: list[Entry]) -> WordState:
    """Write each batch as one sync would: a writer of its own."""
    for batch in batches:
        writer = WordWriter(folder)
        writer.add(batch)
        state = writer.commit()
    return state


def fail() -> Iterator[Entry]:
    raise AssertionError("the committed words are intact and were not used")
    yield


def holding(given: list[Entry], terms: list[str]) -> list[int]:
    return sorted(p for p, _, text in given if set(terms) <= set(text.split()))


@pytest.mark.parametrize("dead", [[], [2], list(range(0, 40, 3))])
@pytest.mark.parametrize("after", [39, 25])
def test_words_are_counted_and_found_as_python_counts_them(
    tmp_path: Path, dead: list[int], after: int
) -> None:
    """Four commits, some documents dead, some newer than what is published."""
    given = entries(range(40))
    state = commit(tmp_path / "words-1", *(given[n : n + 30] for n in range(0, 120, 30)))
    words = load_words(tmp_path, state, fail())
    words.hide(dead, after)
    alive = [entry for entry in given if entry[1] not in dead and entry[1] <= after]
    for term in [*VOCABULARY, "nowhere"]:
        assert words.document_frequency(term) == len(holding(alive, [term]))
        assert sorted(words.holding([term, "w0"], only=None)) == holding(alive, [term, "w0"])
    every = words.search(["w1", "w2"], 1000, only=None)
    assert sorted(every) == sorted({*holding(alive, ["w1"]), *holding(alive, ["w2"])})
    some = words.search(["w1"], 1000, only=[1, 2, 3, 30])
    expected = [p for p, d, text in alive if d in (1, 2, 3, 30) and "w1" in text.split()]
    assert sorted(some) == expected


def test_the_passage_with_more_of_the_words_comes_first(tmp_path: Path) -> None:
    given = [(1, 1, "lift garden"), (2, 2, "lift inspect year"), (3, 3, "dog garden")]
    words = load_words(tmp_path, commit(tmp_path / "words-1", given), fail())
    assert words.search(["lift", "inspect"], 5, only=None) == [2, 1]
    assert words.search(["lift", "inspect"], 1, only=None) == [2]


def test_what_was_abandoned_is_not_there(tmp_path: Path) -> None:
    commit(tmp_path / "words-1", [(1, 1, "kept")])
    writer = WordWriter(tmp_path / "words-1")
    writer.add([(2, 2, "dropped")])
    writer.abandon()
    state = commit(tmp_path / "words-1", [(3, 3, "kept")])
    words = load_words(tmp_path, state, fail())
    assert words.document_frequency("dropped") == 0
    assert sorted(words.holding(["kept"], only=None)) == [1, 3]


def _delete_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def _delete_meta(folder: Path) -> None:
    (folder / "meta.json").unlink()


def _cut_meta(folder: Path) -> None:
    meta = folder / "meta.json"
    meta.write_bytes(meta.read_bytes()[:40])


def _delete_largest(folder: Path) -> None:
    max(folder.iterdir(), key=lambda path: path.stat().st_size).unlink()


def _flip_a_bit(folder: Path) -> None:
    for path in folder.glob("*.idx"):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)


def _truncate(folder: Path) -> None:
    for path in folder.glob("*.term"):
        path.write_bytes(path.read_bytes()[:10])


def _empty_all(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"")


def count_as(folder: Path, passages: int) -> None:
    """Say in Tantivy's own list that a segment has another number of passages."""
    meta = folder / "meta.json"
    told = re.sub(r'"max_doc": \d+', f'"max_doc": {passages}', meta.read_text())
    meta.write_text(told)


def _count_fewer(folder: Path) -> None:
    count_as(folder, 59)


def _count_more(folder: Path) -> None:
    count_as(folder, 61)


def _count_many(folder: Path) -> None:
    count_as(folder, 9000)


def _rename_a_field(folder: Path) -> None:
    meta = folder / "meta.json"
    meta.write_text(meta.read_text().replace('"document"', '"dokument"'))


@pytest.mark.parametrize(
    "damage",
    [
        _count_fewer,
        _count_more,
        _count_many,
        _rename_a_field,
        _delete_folder,
        _delete_meta,
        _cut_meta,
        _delete_largest,
        _flip_a_bit,
        _truncate,
        _empty_all,
    ],
)
def test_damaged_words_are_made_again_in_memory(tmp_path: Path, damage: object) -> None:
    given = entries(range(20))
    state = commit(tmp_path / "words-1", given)
    assert callable(damage)
    damage(tmp_path / "words-1")
    words: WordIndex = load_words(tmp_path, state, iter(given))
    words.hide([], 19)
    for term in VOCABULARY:
        assert words.document_frequency(term) == len(holding(given, [term]))


@pytest.mark.parametrize("ending", ["fast", "fieldnorm", "idx", "pos", "store", "term"])
def test_any_file_that_is_gone_is_damage(tmp_path: Path, ending: str) -> None:
    """Tantivy opens some of them only when a question needs them, and fails then."""
    given = entries(range(20))
    state = commit(tmp_path / "words-1", given)
    (gone,) = (tmp_path / "words-1").glob(f"*.{ending}")
    gone.unlink()
    assert not intact(tmp_path, state)
    words = load_words(tmp_path, state, iter(given))
    words.hide([], 19)
    assert words.document_frequency("w1") == len(holding(given, ["w1"]))


def test_words_that_went_on_growing_are_no_damage(tmp_path: Path) -> None:
    """A later commit merges files away; what was published before is still all there."""
    batches = [entries(range(n, n + 2)) for n in range(0, 40, 2)]
    first = commit(tmp_path / "words-1", *batches[:3])
    commit(tmp_path / "words-1", *batches[3:])
    assert any(not (tmp_path / "words-1" / name).exists() for name in first.files)
    assert intact(tmp_path, first)
    words = load_words(tmp_path, first, fail())
    words.hide([], 5)
    alive = [entry for batch in batches[:3] for entry in batch]
    for term in VOCABULARY:
        assert words.document_frequency(term) == len(holding(alive, [term]))


def test_what_tantivy_panics_of_is_told_as_damage(tmp_path: Path) -> None:
    """A panic is no `Exception`: it would end whatever does not expect it."""
    commit(tmp_path / "words-1", entries(range(20)))
    count_as(tmp_path / "words-1", 9000)
    with pytest.raises(LibraryDamagedError, match="word index"):
        open_words(tmp_path / "words-1").numbers()
    count_as(tmp_path / "words-1", 3)
    with pytest.raises(LibraryDamagedError, match="word index"):
        open_words(tmp_path / "words-1").search(VOCABULARY, 1000, only=None)
