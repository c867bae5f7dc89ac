"""Uploads of a library that several machines have: each keeps the files of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from postgres import Server, server
from small import HOUSE, HashEncoder, write

from index import Library
from index.address import address_of
from index.errors import DocumentNotFoundError

CELLAR, YARD = "Bicycles stand in the cellar.", "Bicycles stand in the yard."


@pytest.fixture(scope="module")
def started() -> Iterator[Server]:
    """One server for this module; each library has a database of its own."""
    with server() as running:
        yield running


@pytest.fixture
def place(started: Server) -> str:
    """The address of an empty database."""
    return started.database()


@pytest.fixture
def here(place: str, tmp_path: Path) -> Iterator[Library]:
    """A library, on the machine that has the uploads."""
    with opened(place, tmp_path / "here") as library:
        yield library


@pytest.fixture
def there(here: Library, place: str, tmp_path: Path) -> Iterator[Library]:
    """The same library, on another machine."""
    with opened(place, tmp_path / "there") as library:
        yield library


def opened(place: str, home: Path) -> Library:
    address = replace(address_of(place), home=home)
    return Library.open(address, create=True, encoder=HashEncoder())


def file(folder: Path, name: str, text: str) -> Path:
    return write(folder / "given", {name: text}) / name


def paths(library: Library) -> list[str]:
    return [info.path for info in library.documents()]


def files(library: Library) -> list[str]:
    below = library.uploads.rglob("*")
    return sorted(path.relative_to(library.uploads).as_posix() for path in below)


def test_an_upload_is_found_on_every_machine_and_kept_on_one(
    here: Library, there: Library, tmp_path: Path
) -> None:
    added = here.add(file(tmp_path, "bicycles.txt", CELLAR))
    assert added.file == here.uploads / "bicycles.txt"
    (found,) = there.find("cellar").documents
    assert found.document.path == "bicycles.txt"
    assert found.document.file is None
    assert there.text(found.document.id) == CELLAR
    assert there.file_hash(found.document.id) == here.file_hash(added.id)
    assert not there.uploads.exists()
    assert {source.kind for source in there.sources()} == {"upload"}
    assert (here.outdated(), there.outdated()) == (there.outdated(), here.outdated())
    for library in (here, there):
        assert library.check().findings == ()
        assert library.status().documents == 1


def test_an_upload_that_is_removed_elsewhere_is_gone_everywhere(
    here: Library, there: Library, tmp_path: Path
) -> None:
    here.add(file(tmp_path, "bicycles.txt", CELLAR))
    here.add(file(tmp_path, "prams.txt", "Prams stand in the hall."))
    assert [info.path for info in there.remove("bicycles.txt")] == ["bicycles.txt"]
    for library in (here, there):
        assert paths(library) == ["prams.txt"]
        assert library.find("cellar").total == 0
    # The file is where nobody else may reach it, until that machine changes something.
    assert files(here) == ["bicycles.txt", "prams.txt"]
    here.add("Sledges stand in the attic.", name="sledges")
    assert files(here) == ["prams.txt"]
    for library in (here, there):
        assert library.check().findings == ()
    here.add(file(tmp_path, "keys.txt", "Keys are kept in the safe."))
    here.sync(here.uploads)
    assert paths(there) == ["keys.txt", "prams.txt", "sledges"]
    with pytest.raises(DocumentNotFoundError):
        there.remove("bicycles.txt")


@pytest.mark.parametrize("text", [CELLAR, YARD])
def test_a_name_that_was_removed_elsewhere_may_come_again(
    here: Library, there: Library, tmp_path: Path, text: str
) -> None:
    given = file(tmp_path, "bicycles.txt", CELLAR)
    here.add(given)
    there.remove("bicycles.txt")
    given.write_text(text)
    for _ in range(2):
        here.add(given)
        assert [there.text(info.id) for info in there.documents()] == [text]
        assert (here.uploads / "bicycles.txt").read_text() == text
        here.sync(here.uploads)
        here.compact()
        assert paths(there) == paths(here) == ["bicycles.txt"]
        there.remove("bicycles.txt")
        assert paths(here) == []
    assert here.check().findings == ()


def test_a_removal_elsewhere_is_minded_by_a_machine_that_was_off(
    here: Library, there: Library, place: str, tmp_path: Path
) -> None:
    here.add(file(tmp_path, "bicycles.txt", CELLAR))
    here.close()
    there.remove("bicycles.txt")
    there.compact()
    with opened(place, tmp_path / "here") as again:
        again.sync(again.uploads)
        assert files(again) == []
        assert paths(again) == []
        assert again.check().findings == ()


def test_uploads_of_one_name_on_two_machines_are_two_documents(
    here: Library, there: Library, tmp_path: Path
) -> None:
    here.add(file(tmp_path, "bicycles.txt", CELLAR))
    there.add(file(tmp_path, "bicycles.txt", YARD))
    assert paths(here) == paths(there) == ["bicycles.txt", "bicycles.txt"]
    assert here.find("bicycles").total == 2
    there.add(file(tmp_path, "bicycles.txt", "Bicycles stand on the roof."))
    assert here.find("cellar").total == 1
    assert here.find("yard").total == 0
    assert (here.uploads / "bicycles.txt").read_text() == CELLAR
    there.remove("bicycles.txt")
    assert paths(here) == []
    assert files(there) == []
    here.add("Sledges stand in the attic.", name="sledges")
    assert files(here) == []


def test_a_folder_is_kept_in_step_by_any_machine_that_has_it(
    here: Library, there: Library, tmp_path: Path
) -> None:
    """A file server that is mounted at the same path is one source."""
    folder = write(tmp_path / "house", HOUSE)
    here.sync(folder)
    assert there.sync(folder).unchanged == len(HOUSE)
    there.remove("lift.txt")
    assert here.sync(folder).changed is False
    assert "lift.txt" not in paths(here)
    assert len(here.sources()) == len(there.sources()) == 1


def test_no_file_beyond_the_uploads_is_deleted_whatever_the_server_says(
    here: Library, there: Library, tmp_path: Path
) -> None:
    """Whoever writes to the database may not delete files of everybody's machines."""
    letter = write(tmp_path, {"letter.txt": "Dear Ms Hale"}) / "letter.txt"
    here.add(file(tmp_path, "bicycles.txt", CELLAR))
    with there._store.writing() as db:  # with all seals as they should be
        (source,) = db.execute("SELECT id FROM sources WHERE kind = 'upload'").fetchone()
        for path in ("../../letter.txt", str(letter), "..", ".", ""):
            db.execute("INSERT INTO excluded VALUES(?, ?)", (source, path))
    here.add("Sledges stand in the attic.", name="sledges")
    assert letter.read_text() == "Dear Ms Hale"
    assert files(here) == ["bicycles.txt"]
