"""Store and engine that do not go together, servers that are gone: told in a sentence, mended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from postgres import Server
from small import HOUSE, QUESTIONS, HashEncoder, answers, new_library, stored, write

from bench.started import MilvusServer, milvus
from index import Library
from index.errors import (
    LibraryError,
    LibraryFormatError,
    LibraryUnreachableError,
    MissingExtraError,
)
from index.milvus import Milvus
from index.store import get_meta

pytestmark = pytest.mark.slow


def said(library: Library) -> tuple[object, ...]:
    return stored(library), answers(library, QUESTIONS)


@pytest.fixture
def own_milvus(tmp_path: Path) -> Iterator[MilvusServer]:
    """A Milvus that a test may stop."""
    with milvus(tmp_path / "milvus") as started:
        yield started


@pytest.fixture
def lite(tmp_path: Path, folder: Path) -> tuple[str, tuple[object, ...]]:
    """A library in Milvus Lite and SQLite, and what it says."""
    place = str(tmp_path / "house.db")
    with new_library(place, folder) as library:
        return place, said(library)


def collection(library: Library) -> str:
    with library._store.reading() as db:
        state = get_meta(db, "milvus")
    assert state is not None
    return str(state["collection"])


def mended(place: str, expected: tuple[object, ...], found: str) -> None:
    """Compare what the check says, and what is there after the repair."""
    with Library.open(place, encoder=HashEncoder()) as library:
        checkup = library.check()
        assert any(found in finding.message for finding in checkup.findings), checkup.findings
        assert all(finding.repairable for finding in checkup.findings)
        repaired = library.repair()
        assert repaired.failed == ()
        assert repaired.checkup.findings == ()
        assert said(library) == expected


def test_a_collection_that_is_lost_is_made_again(lite: tuple[str, tuple[object, ...]]) -> None:
    place, expected = lite
    with Library.open(place, encoder=HashEncoder()) as library, closing(Milvus(place)) as milvus:
        milvus.drop(collection(library))
    with Library.open(place, encoder=HashEncoder()) as library:
        with pytest.raises(LibraryError, match="does not have the vectors of the library") as told:
            library.status()
        assert "quoth doctor --repair" in str(told.value)
        with pytest.raises(LibraryError, match="does not have the vectors"):
            library.add("Nothing of this.", name="new")
        assert len(library.documents()) == len(HOUSE)
    mended(place, expected, "does not have the vectors")


def test_rows_that_are_lost_are_noticed_and_made_again(lite: tuple[str, Any]) -> None:
    place, expected = lite
    with Library.open(place, encoder=HashEncoder()) as library, closing(Milvus(place)) as milvus:
        lost = library.documents()[0].id
        milvus.delete(collection(library), [lost])
    with Library.open(place, encoder=HashEncoder()) as library:
        with pytest.raises(LibraryError, match="lacks some of the vectors"):
            library.status()
    mended(place, expected, "lacks vectors of 1 documents")


def test_vectors_of_another_length_are_never_compared(lite: tuple[str, Any]) -> None:
    place, expected = lite
    with Library.open(place, encoder=HashEncoder()) as library, closing(Milvus(place)) as milvus:
        name = collection(library)
        milvus.drop(name)
        milvus.make(name, 32)
    with Library.open(place, encoder=HashEncoder()) as library:
        with pytest.raises(LibraryError, match="vectors of 32 numbers, which are of another model"):
            library.status()
    mended(place, expected, "vectors of 32 numbers")


def test_a_store_that_was_put_back_is_noticed(lite: tuple[str, Any], folder: Path) -> None:
    """Milvus then has documents of which the store knows nothing, and gives their numbers again."""
    place, expected = lite
    database = Path(f"{place}.quoth/store.db")
    old = database.read_bytes()
    with Library.open(place, encoder=HashEncoder()) as library:
        library.add("Bicycles stand in the cellar.", name="bicycles")
    database.write_bytes(old)
    mended(place, expected, "older state")


def test_what_is_derived_in_a_home_is_made_again(
    postgres_server: Server, folder: Path, homes: Path
) -> None:
    place = postgres_server.database()
    with new_library(place, folder) as library:
        expected = said(library)
        home = library.path
    derived = json.loads((home / "derived.json").read_bytes())
    for file in (home / derived["words"]["folder"]).iterdir():
        if not file.name.endswith(".json"):
            file.write_bytes(b"?" * file.stat().st_size)
    mended(place, expected, "is damaged or missing")
    (home / "derived.json").write_text("{")
    with Library.open(home, encoder=HashEncoder()) as library:
        assert said(library) == expected
        assert library.check().findings == ()


def test_milvus_that_stops_in_the_middle_of_a_sync_loses_nothing(
    own_milvus: MilvusServer, postgres_server: Server, folder: Path, tmp_path: Path
) -> None:
    place = f"{own_milvus.address}/house?store={postgres_server.database()}"

    class Ending(HashEncoder):
        """Ends the server when it embeds for the second time."""

        def encode_documents(self, texts: Any) -> Any:  # noqa: ANN401
            if "Bicycles stand in the cellar." in texts:
                own_milvus.end()
            return super().encode_documents(texts)

    with new_library(place, folder) as library:
        expected = said(library)
    write(folder, {"bicycles.txt": "Bicycles stand in the cellar."})
    with Library.open(place, encoder=Ending()) as library:
        with pytest.raises(LibraryUnreachableError, match="cannot be reached"):
            library.sync(folder)
    with pytest.raises(LibraryUnreachableError, match="cannot be reached"):
        Library.open(place, encoder=HashEncoder())
    own_milvus.start()
    encoder = HashEncoder()
    with Library.open(place, encoder=encoder) as library:
        assert said(library) == expected
        assert library.sync(folder).added == ("bicycles.txt",)
        assert encoder.encoded == []  # that was staged in the store
        with new_library(tmp_path / "fresh.quoth", folder) as fresh:
            assert said(library) == said(fresh)
        assert library.check().findings == ()


def test_a_server_that_comes_back_is_asked_again(
    own_milvus: MilvusServer, postgres_server: Server, folder: Path
) -> None:
    """A web server stays up while Milvus is away."""
    place = f"{own_milvus.address}/house?store={postgres_server.database()}"
    query = np.ones(64, np.float32)
    with new_library(place, folder) as library:
        expected = said(library)
        own_milvus.end()
        with library.searching() as searcher, pytest.raises(LibraryUnreachableError):
            searcher.nearest(query, 5, None)
        own_milvus.start()
        assert said(library) == expected


def test_a_file_that_another_process_has_open_is_told(lite: tuple[str, Any]) -> None:
    import subprocess
    import sys

    place, _ = lite
    with Library.open(place, encoder=HashEncoder()):
        done = subprocess.run(
            [sys.executable, "ui.py", "status", "--library", place],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[3],
        )
    assert done.returncode == 1
    assert "another process uses it" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_package_that_is_missing_is_named(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'quoth\[milvus\]'"):
        new_library(str(tmp_path / "house.db"), folder)


def test_servers_that_are_too_old_are_refused(
    own_milvus: MilvusServer,
    postgres_server: Server,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """None runs here: those that do are made to look old, or Quoth to need a newer one."""
    place = postgres_server.database()
    with monkeypatch.context() as patch:
        patch.setattr("index.postgres_store.OLDEST_SERVER", 99)
        with pytest.raises(LibraryFormatError, match=r"is PostgreSQL \d+; Quoth needs 99 or newer"):
            new_library(place, folder)
    monkeypatch.setattr(
        "pymilvus.MilvusClient.get_server_version", lambda client, timeout: "v2.3.21"
    )
    with pytest.raises(LibraryError, match=r"is version v2\.3\.21; Quoth needs 2\.4 or newer"):
        new_library(f"{own_milvus.address}/house?store={place}", folder)
