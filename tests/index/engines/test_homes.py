"""Homes of one library on several machines: what each derives is what the store has."""

from __future__ import annotations

from pathlib import Path

import pytest
from postgres import Server
from small import QUESTIONS, HashEncoder, answers, new_library, stored, write

from index import Library
from index.engines import home as homes_module
from index.errors import LibraryError, LibraryFormatError

pytestmark = pytest.mark.slow


@pytest.fixture
def database(postgres_server: Server) -> str:
    return postgres_server.database()


def at(home: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setenv("QUOTH_HOME", str(home))
    return Library.open(place, encoder=HashEncoder(), create=True)


def said(library: Library) -> tuple[object, ...]:
    return stored(library), answers(library, QUESTIONS), library.find("lift").total


def test_each_home_takes_up_what_was_published_at_another(
    database: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        at(tmp_path / "a", database, monkeypatch) as here,
        at(tmp_path / "b", database, monkeypatch) as there,
    ):
        assert here.path != there.path
        here.sync(folder)
        assert said(there) == said(here)
        there.add("Bicycles stand in the cellar.", name="bicycles")
        assert here.find("bicycles").total == there.find("bicycles").total == 1
        here.remove("bicycles")
        assert here.find("bicycles").total == there.find("bicycles").total == 0
        there.compact()
        assert said(there) == said(here)
        here.rebuild()
        assert said(there) == said(here)


@pytest.mark.parametrize("where", ["note", "base"])
def test_what_ended_half_way_is_not_added_twice(
    database: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    """The disk is full when it is noted what the files have, or before."""

    def full(*args: object) -> object:
        raise OSError(28, "No space left on device")

    with at(tmp_path / "a", database, monkeypatch) as library:
        library.sync(folder)
        expected = library.find("lift").total
        with library.searching() as searcher:
            count = searcher.document_frequency("lift")
        library.add("Nothing of this.", name="new")
        with monkeypatch.context() as patch:
            patch.setattr(
                homes_module, "replace_private" if where == "note" else "write_base", full
            )
            for _ in range(3):
                with Library.open(database, encoder=HashEncoder()) as other:
                    assert other.find("lift").total == expected  # by the store
        with Library.open(database, encoder=HashEncoder()) as other, other.searching() as searcher:
            assert searcher.document_frequency("lift") == count
            assert other.find("lift").total == expected


@pytest.fixture
def put_back(database: str) -> tuple[str, list[str]]:
    """A database and how to put it back to what it is when the first statement is run."""
    name = database.partition("?")[0].rpartition("/")[2]
    return (
        database,
        [
            f"CREATE DATABASE {name}_kept TEMPLATE {name}",
            f"DROP DATABASE {name} WITH (FORCE)",
            f"ALTER DATABASE {name}_kept RENAME TO {name}",
        ],
    )


def test_a_database_that_was_put_back_and_changed_is_noticed_in_every_home(
    postgres_server: Server,
    put_back: tuple[str, list[str]],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its generations then have the numbers of others that were lost."""
    database, statements = put_back
    with at(tmp_path / "a", database, monkeypatch) as library:
        library.sync(folder)
    postgres_server.run(statements[0])
    with at(tmp_path / "a", database, monkeypatch) as library:
        library.add("Bicycles stand in the cellar.", name="bicycles")
        assert library.find("bicycles").total == 1
    for statement in statements[1:]:
        postgres_server.run(statement)
    with at(tmp_path / "b", database, monkeypatch) as library:
        library.add("Prams stand in the hall.", name="prams")
    with at(tmp_path / "a", database, monkeypatch) as library:
        assert any("older" in finding.message for finding in library.check().findings)
        assert library.find("bicycles").total == 0
        assert library.find("prams").total == 1
        assert library.check().findings == ()


def test_an_address_without_milvus_leaves_nothing_half_searched(
    database: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = f"{tmp_path / 'house.db'}?store={database}"
    with new_library(both, folder) as library:
        expected = said(library)
    with at(tmp_path / "a", database, monkeypatch) as library:
        assert said(library) == expected
        write(folder, {"bicycles.txt": "Bicycles stand in the cellar."})
        library.sync(folder)
        after = said(library)
    with Library.open(both, encoder=HashEncoder()) as library:
        with pytest.raises(LibraryError, match="does not have the vectors of the library"):
            library.status()
        # Whatever is published next at this address fills Milvus again.
        library.add("Prams stand in the hall.", name="prams")
        library.remove("prams")
        assert said(library) == after
        assert library.check().findings == ()


def test_two_libraries_never_share_a_home(database: str, folder: Path, tmp_path: Path) -> None:
    place = str(tmp_path / "house.db")
    new_library(place, folder).close()
    with pytest.raises(LibraryFormatError, match="belongs to another library"):
        Library.open(f"{place}?store={database}", create=True, encoder=HashEncoder())
    other = f"{tmp_path / 'other.db'}?store={database}"
    new_library(other, folder).close()
    with pytest.raises(LibraryFormatError, match="belongs to another library"):
        Library.open(f"{other}&schema=another", create=True, encoder=HashEncoder())


def test_a_damaged_note_of_the_address_is_mended_by_the_address(
    database: str, folder: Path, tmp_path: Path
) -> None:
    with new_library(database, folder) as library:
        expected, home = said(library), library.path
    (home / "remote.json").write_text('{"store": ')
    with pytest.raises(LibraryFormatError, match="give its address"):
        Library.open(home)
    with Library.open(database, encoder=HashEncoder()) as library:
        assert said(library) == expected
    with Library.open(home, encoder=HashEncoder()) as library:
        assert said(library) == expected


def test_a_folder_may_be_called_as_a_file_of_milvus(folder: Path, tmp_path: Path) -> None:
    with new_library(tmp_path / "plain.quoth", folder) as library:
        expected = said(library)
    (tmp_path / "plain.quoth").rename(tmp_path / "plain.db")
    with Library.open(tmp_path / "plain.db", encoder=HashEncoder()) as library:
        assert not library.address.remote
        assert said(library) == expected
