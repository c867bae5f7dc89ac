"""Upkeep: derived files made anew, another model, what is dead taken away."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from small import HOUSE, QUESTIONS, HashEncoder, answers, new_library, stored, write

from index import Library, vectors
from index.reports import Progress
from index.store import FILE
from qa import Retriever


@pytest.fixture
def library(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """A small library that has a FAISS base all the same."""
    monkeypatch.setattr(vectors, "SMALLEST_BASE", 8)
    with new_library(tmp_path / "house.quoth", folder) as opened:
        yield opened


def count(library: Library, table: str) -> int:
    with closing(sqlite3.connect(library.path / FILE)) as db:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def derived(library: Library) -> list[str]:
    return sorted(
        path.name for path in library.path.iterdir() if path.name.startswith(("words-", "vectors-"))
    )


def test_compacting_leaves_only_what_a_fresh_library_has(
    library: Library, folder: Path, tmp_path: Path
) -> None:
    library.add("A note on bees.", name="note")
    library.remove("note")
    (folder / "lift.txt").unlink()
    write(folder, {"garden.md": "# Garden\n\nNo dogs.\n"})
    library.sync(folder)
    gone = b"The caretaker keeps the inspection book"
    library.compact()
    with new_library(tmp_path / "fresh.quoth", folder) as fresh:
        for table in ("documents", "passages", "sentences", "vectors"):
            assert count(library, table) == count(fresh, table)
        assert stored(library) == stored(fresh)
        assert answers(library, QUESTIONS) == answers(fresh, QUESTIONS)
        assert len(derived(library)) == len(derived(fresh)) == 2
    library.close()
    for path in library.path.rglob("*"):
        assert path.is_dir() or gone not in path.read_bytes()


def test_compacting_tells_the_bytes_won_and_the_second_time_wins_little(
    library: Library, folder: Path
) -> None:
    write(folder, {f"{n}.txt": f"Number {n}. " * 200 for n in range(20)})
    library.sync(folder)
    for n in range(20):
        (folder / f"{n}.txt").unlink()
    library.sync(folder, yes=True)
    before = library.status().bytes
    won = library.compact()
    assert won > 0
    assert library.status().bytes == before - won
    assert abs(library.compact()) < 20_000


def test_numbers_are_never_used_again(library: Library, folder: Path) -> None:
    """A link to a document that is gone must not lead to another."""
    last = library.add("A note.", name="note").id
    library.remove(last)
    library.compact()
    assert library.add("Another note.", name="note").id > last


def test_compacting_takes_time_in_proportion(tmp_path: Path) -> None:
    """Without an index behind a foreign key, each deleted row would read a whole table."""
    text = "\n\n".join(f"Row {n} is about w{n}." for n in range(2000))
    folder = write(tmp_path / "a", {"big.txt": text, "gone.txt": text.replace("Row", "Line")})
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    with new_library(tmp_path / "a.quoth", folder) as library:
        library.remove("gone.txt")
        with library._store.writing() as db:
            assert isinstance(db, sqlite3.Connection)
            db.set_progress_handler(step, 1000)  # of SQLite's virtual machine
        library.compact()
        with library._store.writing() as db:
            assert isinstance(db, sqlite3.Connection)
            db.set_progress_handler(None, 0)
        assert 0 < steps < 2000


def test_rebuilding_makes_the_same_state_from_the_store_alone(library: Library) -> None:
    expected = stored(library), answers(library, QUESTIONS)
    before = derived(library)
    encoded = len(library.encoder.encoded)  # type: ignore[attr-defined]
    library.rebuild()
    assert len(derived(library)) == 2
    assert not set(derived(library)) & set(before)
    assert (stored(library), answers(library, QUESTIONS)) == expected
    asked = len(library.encoder.encoded)  # type: ignore[attr-defined]
    assert asked == encoded  # questions are not documents


def test_rebuilding_with_another_model_embeds_everything_again(
    library: Library, folder: Path, tmp_path: Path
) -> None:
    library.add("A note on bees.", name="note", title="Bees", date="2024-02-03")
    before = stored(library)
    other = HashEncoder("other")
    steps: list[Progress] = []
    library.rebuild(encoder=other, progress=steps.append)
    assert stored(library) == before
    assert library.status().model == "other"
    assert len(other.encoded) == len(set(other.encoded)) > 0
    assert steps[-1].files == 5
    assert library.sync(folder).unchanged == 4
    library.remove("note")
    found = answers(library, QUESTIONS)
    library.compact()
    library.close()
    with Library.open(tmp_path / "fresh.quoth", create=True, encoder=HashEncoder("other")) as fresh:
        fresh.sync(folder)
        assert found == answers(fresh, QUESTIONS)
    with closing(sqlite3.connect(library.path / FILE)) as db:
        assert db.execute("SELECT name FROM models").fetchall() == [("other",)]


def test_search_goes_on_while_another_model_embeds(library: Library) -> None:
    """Questions asked from the middle of the rebuild get the old state."""
    expected = answers(library, QUESTIONS)
    heard: list[bool] = []

    class Asking(HashEncoder):
        def encode_documents(self, texts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            heard.append(answers(library, QUESTIONS) == expected)
            return super().encode_documents(texts)

    library.rebuild(encoder=Asking("other"))
    assert heard
    assert all(heard)
    assert Retriever(library).retrieve(QUESTIONS[0])[0].citation.path == "lift.txt"


def _delete_base(path: Path) -> None:
    next(path.glob("vectors-*")).unlink()


def _cut_base(path: Path) -> None:
    file = next(path.glob("vectors-*"))
    file.write_bytes(file.read_bytes()[:-100])


def _alter_base(path: Path) -> None:
    file = next(path.glob("vectors-*"))
    data = bytearray(file.read_bytes())
    data[-50] ^= 0xFF
    file.write_bytes(data)


def _delete_words(path: Path) -> None:
    for file in next(path.glob("words-*")).iterdir():
        file.unlink()


def _alter_words(path: Path) -> None:
    for file in next(path.glob("words-*")).glob("*.idx"):
        file.write_bytes(os.urandom(file.stat().st_size))


@pytest.mark.parametrize(
    "damage", [_delete_base, _cut_base, _alter_base, _delete_words, _alter_words]
)
@pytest.mark.parametrize("repair", ["sync", "rebuild"])
def test_damaged_derived_files_change_no_answer_and_are_repaired_without_embedding(
    library: Library, folder: Path, damage: Callable[[Path], None], repair: str
) -> None:
    expected = answers(library, QUESTIONS)
    library.close()
    damage(library.path)
    encoder = HashEncoder()
    with Library.open(library.path, encoder=encoder) as again:
        assert answers(again, QUESTIONS) == expected
        if repair == "rebuild":
            again.rebuild()
        else:
            write(folder, {"copy.txt": HOUSE["lift.txt"]})  # a change that needs no model
            again.sync(folder)
            (folder / "copy.txt").unlink()
            again.sync(folder)
        assert answers(again, QUESTIONS) == expected
    assert encoder.encoded == []
    with Library.open(library.path, encoder=encoder) as healthy:
        assert answers(healthy, QUESTIONS) == expected
        assert healthy.status().documents == 4


def test_repaired_files_are_used(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    library.close()
    _alter_base(library.path)
    _alter_words(library.path)
    for times in (2, 0):
        with Library.open(library.path, encoder=HashEncoder()) as again:
            caplog.clear()
            again.find("lift")
            assert len(caplog.records) == times
            again.rebuild()


def test_what_a_crash_left_behind_is_tidied_away(library: Library, folder: Path) -> None:
    write(
        library.path, {"words-99/meta.json": "{}", "vectors-1-99.faiss": "x", "vectors-9.tmp": ""}
    )
    write(folder, {"new.txt": "Something new."})
    library.sync(folder)
    assert len(derived(library)) == 2
