"""A library says the same on every engine, whatever is done to it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from small import HOUSE, QUESTIONS, HashEncoder, answers, new_library, stored, write

from index import Filter, Library
from index.address import Place
from index.errors import DocumentNotFoundError, LibraryLockedError, ModelMismatchError

Places = Callable[[], Place]


def opened(place: Place, encoder: HashEncoder | None = None, *, create: bool = False) -> Library:
    return Library.open(place, create=create, encoder=encoder or HashEncoder())


def everything(library: Library) -> tuple[object, ...]:
    """Return all that a library holds and says, without numbers."""
    results = library.find("lift"), library.find('"main door"')
    found = [
        [(hits.document.path, [(hit.start, hit.text) for hit in hits.hits]) for hits in r.documents]
        for r in results
    ]
    return stored(library), answers(library, QUESTIONS), found


def same(library: Library, folder: Path, tmp_path: Path) -> None:
    """Compare with a library that was made of the folder now, on this machine alone."""
    fresh = tmp_path / f"fresh{random.random()}.quoth"
    with new_library(fresh, folder) as expected:
        assert everything(library) == everything(expected)


def test_every_change_gives_what_a_fresh_library_gives(
    place: Place, folder: Path, tmp_path: Path
) -> None:
    with new_library(place, folder) as library:
        same(library, folder, tmp_path)
        # New, changed, renamed and gone, in one sync.
        write(folder, {"new/attic.txt": "The attic is let to Ms Ruiz.\n\nIts key is in the safe."})
        write(folder, {"garden.md": HOUSE["garden.md"].replace("nine", "ten")})
        first = next(name for name in HOUSE if name != "garden.md")
        (folder / first).rename(folder / "renamed.txt")
        report = library.sync(folder)
        assert (len(report.added), len(report.updated), len(report.renamed)) == (1, 1, 1)
        same(library, folder, tmp_path)
        (folder / "new/attic.txt").unlink()
        assert library.sync(folder).removed == ("new/attic.txt",)
        same(library, folder, tmp_path)
        assert library.sync(folder).changed is False


def test_what_is_removed_is_never_said_again(place: Place, folder: Path) -> None:
    with new_library(place, folder) as library:
        library.add("Bicycles stand in the cellar.", name="bicycles")
        assert "bicycles" in str(answers(library, ["Where do bicycles stand?"]))
        library.remove("bicycles")
        assert "cellar" not in str(answers(library, ["Where do bicycles stand?"]))
        assert not library.find("bicycles").total
        library.compact()
        assert "cellar" not in str(answers(library, ["Where do bicycles stand?"]))
        assert library.status().dead_documents == 0
        with pytest.raises(DocumentNotFoundError):
            library.remove("bicycles")


def test_filters_leave_only_what_they_allow(place: Place, folder: Path) -> None:
    with new_library(place, folder) as library:
        paths = {info.path for info in library.documents()}
        for where in (Filter(folder="minutes"), Filter(type="markdown"), Filter(pattern="*.txt")):
            allowed = {info.path for info in library.documents(where)}
            assert allowed < paths
            with library.searching() as searcher:
                query = HashEncoder().encode_query("When is the meeting in the garden?")
                only = searcher.allowed(where)
                found = searcher.nearest(query, 50, only) + searcher.with_any(["meet"], 50, only)
                infos = [searcher.documents[row.document] for row in searcher.passages(found)]
            assert {info.path for info in infos} <= allowed
        with library.searching() as searcher:
            none = searcher.allowed(Filter(folder="nowhere"))
            assert searcher.nearest(query, 5, none) == searcher.with_any(["meet"], 5, none) == []


def test_maintenance_changes_no_answer(place: Place, folder: Path) -> None:
    with new_library(place, folder) as library:
        library.add("Bicycles stand in the cellar.", name="bicycles")
        library.add("Bicycles stand in the yard.", name="bicycles")
        expected = everything(library)
        library.rebuild()
        assert everything(library) == expected
        library.compact()
        assert everything(library) == expected
        library.rebuild()
        assert everything(library) == expected
        assert library.check().findings == ()
    with opened(place) as library:
        assert everything(library) == expected


def test_another_model_is_refused_and_can_take_the_place(place: Place, folder: Path) -> None:
    new_library(place, folder).close()
    with pytest.raises(ModelMismatchError):
        opened(place, HashEncoder("other"))
    with opened(place) as library:
        before = stored(library)
        library.rebuild(encoder=HashEncoder("other"))
        assert library.status().model == "other"
        assert stored(library) == before
        assert library.check().findings == ()
    with opened(place, HashEncoder("other")) as library:
        assert answers(library, QUESTIONS)
        library.add("Bicycles stand in the cellar.", name="bicycles")
        assert "cellar" in str(answers(library, ["Where do bicycles stand?"]))


def test_a_question_under_way_sees_the_generation_it_began_with(place: Place, folder: Path) -> None:
    query = HashEncoder().encode_query("Where do bicycles stand?")
    with new_library(place, folder) as library, opened(place) as other:
        library.add("Bicycles stand in the cellar.", name="bicycles")
        with other.searching() as pinned:
            before = pinned.generation
            library.add("Bicycles stand in the yard.", name="bicycles")
            library.remove(*[info.id for info in library.documents() if info.path != "bicycles"])
            rows = pinned.passages(pinned.nearest(query, 50, None))
            texts = [pinned.text(row.document)[row.start : row.end] for row in rows]
            assert "Bicycles stand in the cellar." in texts
            assert "Bicycles stand in the yard." not in texts
            assert len(pinned.documents) == len(HOUSE) + 1
        with other.searching() as newest:
            assert newest.generation == before + 2
            (row,) = newest.passages(newest.nearest(query, 50, None))
            assert newest.text(row.document) == "Bicycles stand in the yard."


def test_two_writers_at_once_lose_nothing(place: Place, tmp_path: Path) -> None:
    folders = [
        write(tmp_path / name, {f"{i}.txt": f"House {name}{i} has {i} flats." for i in range(20)})
        for name in "ab"
    ]
    opened(place, create=True).close()
    failed: list[BaseException] = []

    def sync(folder: Path) -> None:
        try:
            with opened(place) as library:
                library.sync(folder)
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=sync, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with opened(place) as library:
        assert len(library.documents()) == 40
        assert library.generation == 2
        assert library.check().findings == ()


def test_a_writer_that_waits_in_vain_is_told_who_writes(
    place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.lock.WAIT_SECONDS", 0.3)
    with new_library(place, folder) as library, opened(place) as other, library._changing():
        with pytest.raises(LibraryLockedError, match="is being changed by process"):
            other.add("No.", name="no")


def test_nothing_much_is_missed(place: Place, tmp_path: Path) -> None:
    """Recall@10 against exact search, with half of what was there replaced."""
    rng = random.Random(7)
    words = [f"w{n}" for n in range(400)]

    def text() -> str:
        return "\n\n".join(" ".join(rng.choices(words, k=9)) + "." for _ in range(12))

    folder = write(tmp_path / "many", {f"{i:03}.txt": text() for i in range(60)})
    with new_library(place, folder) as library:
        write(folder, {f"{i:03}.txt": text() for i in range(30)})
        library.sync(folder)
        found = wanted = 0
        with library.searching() as searcher:
            rows = [row for number in searcher.documents for row in searcher.passages_of(number)]
            sentences = [(row.id, s.vector) for row in rows for s in row.sentences]
            vectors = searcher.vectors([vector for _, vector in sentences])
            for _ in range(40):
                query = HashEncoder().encode_query(" ".join(rng.choices(words, k=6)))
                best = np.argsort(-(vectors @ query), kind="stable")[:10]
                exact = {sentences[place][0] for place in best}
                found += len(exact & set(searcher.nearest(query, 10, None)))
                wanted += len(exact)
        assert found >= 0.98 * wanted
