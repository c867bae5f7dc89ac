"""Libraries on every engine: the same tests for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from postgres import Server, server

from bench.started import MilvusServer, milvus

ENGINES = (
    "folder",
    "postgresql",
    "milvus and sqlite",
    pytest.param("milvus and postgresql", marks=pytest.mark.slow),
)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """One server for all tests of a process; each library has a database of its own."""
    with server() as started:
        yield started


@pytest.fixture(scope="session")
def lite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    """A Milvus that several processes may use."""
    with milvus(tmp_path_factory.mktemp("milvus")) as started:
        yield started


@pytest.fixture(autouse=True)
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this machine keeps what belongs to libraries elsewhere."""
    monkeypatch.setenv("QUOTH_HOME", str(tmp_path / "homes"))
    return tmp_path / "homes"


@pytest.fixture(params=ENGINES)
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Path | str]:
    """Give the place of a library that is not there yet, on one engine after the other."""
    numbers = count(1)

    def place() -> Path | str:
        number = next(numbers)
        if request.param == "folder":
            return tmp_path / f"library{number}.quoth"
        file = tmp_path / f"library{number}.db"
        if request.param == "milvus and sqlite":
            return str(file)
        database: str = request.getfixturevalue("postgres_server").database()
        return database if request.param == "postgresql" else f"{file}?store={database}"

    return place


@pytest.fixture
def place(new_place: Callable[[], Path | str]) -> Path | str:
    """The place of one such library."""
    return new_place()


@pytest.fixture(params=["postgresql", "milvus and postgresql"])
def shared(request: pytest.FixtureRequest) -> str:
    """The address of a library that several processes may use at once; it is not there yet."""
    database: str = request.getfixturevalue("postgres_server").database()
    if request.param == "postgresql":
        return database
    name = database.partition("?")[0].rpartition("/")[2]
    served: MilvusServer = request.getfixturevalue("lite_server")
    return f"{served.address}/{name}?store={database}"
