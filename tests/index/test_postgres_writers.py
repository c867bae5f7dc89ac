"""Many machines write to one library in PostgreSQL: one at a time, and nobody half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from postgres import Server, server
from small import HOUSE, QUESTIONS, HashEncoder, answers, new_library, stored, write

from index import Library
from index.address import Address, address_of
from index.errors import LibraryLockedError, LibraryUnreachableError
from index.postgres import connect

if TYPE_CHECKING:
    from index.types import Vectors

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def started() -> Iterator[Server]:
    """One server for this module; each library has a database of its own."""
    with server() as running:
        yield running


@pytest.fixture
def place(started: Server, tmp_path: Path) -> str:
    """The address of a database with an empty library."""
    address = started.database()
    Library.open(at(tmp_path / "maker", address), create=True).close()
    return address


def at(home: Path, place: str) -> Address:
    """Return the address of a library as another machine has it, with a home of its own."""
    return replace(address_of(place), home=home)


def opened(address: Address, encoder: HashEncoder | None = None) -> Library:
    return Library.open(address, encoder=encoder or HashEncoder())


def paths(library: Library) -> list[str]:
    return [info.path for info in library.documents()]


def terminate(place: str, condition: str = "true") -> int:
    """End other connections to a database as a server does that is restarted; return how many."""
    with closing(connect(place, application="the administrator")) as db:
        rows = db.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            f" AND backend_type = 'client backend' AND {condition}"
        ).fetchall()
    assert all(row[0] for row in rows)
    return len(rows)


HOLDS_THE_LOCK = (
    "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


class Waiting(HashEncoder):
    """Waits before it embeds, until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go = threading.Event(), threading.Event()

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Return one row a text, later."""
        self.begun.set()
        assert self.go.wait(60)
        return super().encode_documents(texts)


@dataclass
class Writer:
    """A sync in another thread, and what became of it."""

    encoder: Waiting = field(default_factory=Waiting)
    errors: list[BaseException] = field(default_factory=list)


@contextmanager
def writing(address: Address, folder: Path) -> Iterator[Writer]:
    """Sync in a thread, which is at its first text when the block begins and done after it."""
    writer = Writer()

    def work() -> None:
        try:
            with opened(address, writer.encoder) as library:
                library.sync(folder)
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            writer.errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert writer.encoder.begun.wait(60)
        yield writer
    finally:
        writer.encoder.go.set()
        thread.join()


_OTHER = """
import sys
from pathlib import Path
from small import HashEncoder
from index import Library
class Waiting(HashEncoder):
    def encode_documents(self, texts):
        print("holding", flush=True)
        sys.stdin.readline()
        return super().encode_documents(texts)
with Library.open(sys.argv[1], encoder=Waiting()) as library:
    library.sync(Path(sys.argv[2]))
"""


@contextmanager
def process(place: str, folder: Path, home: Path) -> Iterator[subprocess.Popen[str]]:
    """Sync in another process with another home, which is at its first text."""
    with subprocess.Popen(
        [sys.executable, "-c", _OTHER, place, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={
            "PYTHONPATH": ":".join(sys.path),
            "OMP_NUM_THREADS": "1",
            "QUOTH_HOME": str(home),
            "PATH": os.environ["PATH"],
        },
    ) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "holding\n"
            yield other
        finally:
            if other.poll() is None:
                other.kill()


def go_on(other: subprocess.Popen[str]) -> None:
    assert other.stdin is not None
    other.stdin.write("go\n")
    other.stdin.flush()
    assert other.wait(60) == 0


def test_writers_on_many_machines_lose_nothing(place: str, tmp_path: Path) -> None:
    folders = [
        write(tmp_path / name, {f"{i}.txt": f"House {name}{i} has {i} flats." for i in range(15)})
        for name in "abcd"
    ]
    failed: list[BaseException] = []

    def sync(folder: Path) -> None:
        try:
            with opened(at(tmp_path / f"home {folder.name}", place)) as library:
                library.sync(folder)
                library.add(f"House {folder.name} is old.", name=f"about {folder.name}")
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=sync, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    for folder in folders:
        with opened(at(tmp_path / f"home {folder.name}", place)) as library:
            names = [f"{i}.txt" for i in range(15)] * 4 + [f"about {name}" for name in "abcd"]
            assert sorted(paths(library)) == sorted(names)
            assert library.generation == 8
            assert library.find("flats").total == 60
            assert library.check().findings == ()


def test_whoever_waits_in_vain_is_told_who_writes(
    place: str, started: Server, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while somebody else writes to a library in another database of the server."""
    monkeypatch.setattr("index.postgres_store.WAIT_SECONDS", 0.3)
    other = started.database()
    Library.open(at(tmp_path / "home 1", other), create=True).close()
    with (
        process(place, folder, tmp_path / "home 2") as theirs,
        writing(at(tmp_path / "home 1", other), folder) as ours,
        opened(at(tmp_path / "home 3", place)) as library,
        opened(at(tmp_path / "home 4", other)) as neighbour,
    ):
        with pytest.raises(LibraryLockedError) as caught:
            library.add("No.", name="no")
        assert f"{place} is being changed by process {theirs.pid} on " in str(caught.value)
        with pytest.raises(LibraryLockedError, match=f"changed by process {os.getpid()} on "):
            neighbour.add("No.", name="no")
        assert library.documents() == []
        go_on(theirs)
        library.add("Yes.", name="yes")
        assert sorted(paths(library)) == sorted([*HOUSE, "yes"])
    assert ours.errors == []


def test_a_writer_that_is_killed_holds_nobody_up(place: str, folder: Path, tmp_path: Path) -> None:
    with opened(at(tmp_path / "home 1", place)) as library:
        library.add("Bicycles stand in the cellar.", name="bicycles")
        with process(place, folder, tmp_path / "home 2") as other:
            other.send_signal(signal.SIGKILL)
            other.wait(60)
            library.add("Prams stand in the hall.", name="prams")
        assert paths(library) == ["bicycles", "prams"]
        assert library.check().findings == ()
        library.sync(folder)
        library.remove("bicycles", "prams")
        with new_library(tmp_path / "fresh.quoth", folder) as fresh:
            assert answers(library, QUESTIONS) == answers(fresh, QUESTIONS)


def test_a_writer_that_lost_its_lock_publishes_nothing_after_another_began(
    place: str, folder: Path, tmp_path: Path
) -> None:
    late, quick = at(tmp_path / "home 1", place), at(tmp_path / "home 2", place)
    with writing(late, folder) as writer, opened(quick) as other:
        assert terminate(place, HOLDS_THE_LOCK) == 1
        other.add("Bicycles stand in the cellar.", name="bicycles")
        generation = other.generation
    (error,) = writer.errors
    assert isinstance(error, LibraryLockedError)
    assert "another process has begun to change it; nothing of this was published" in str(error)
    for address in (quick, late):
        with opened(address) as library:
            assert library.generation == generation
            assert paths(library) == ["bicycles"]
            assert library.check().findings == ()
    with opened(late) as library:
        assert len(library.sync(folder).added) == len(HOUSE)
        library.remove("bicycles")
        library.compact()
        with new_library(tmp_path / "fresh.quoth", folder) as fresh:
            assert stored(library) == stored(fresh)
            assert answers(library, QUESTIONS) == answers(fresh, QUESTIONS)
        assert library.check().findings == ()


def test_a_writer_that_lost_its_lock_disturbs_nobody_who_writes_now(
    place: str, folder: Path, tmp_path: Path
) -> None:
    elsewhere = write(tmp_path / "elsewhere", {"attic.txt": "The attic is let to Ms Ruiz."})
    late, quick = at(tmp_path / "home 1", place), at(tmp_path / "home 2", place)
    with writing(quick, elsewhere) as second:
        # The first one began before; its lock is lost while it works.
        assert terminate(place, HOLDS_THE_LOCK) == 1
        with writing(late, folder) as first:
            second.encoder.go.set()
            with opened(at(tmp_path / "home 3", place)) as library:
                while not second.errors:
                    time.sleep(0.01)
                assert library.documents() == []
    assert first.errors == []
    (error,) = second.errors
    assert isinstance(error, LibraryLockedError)
    with opened(late) as library:
        assert sorted(paths(library)) == sorted(HOUSE)
        assert library.check().findings == ()


def test_a_lock_that_is_lost_while_nobody_else_writes_costs_nothing(
    place: str, folder: Path, tmp_path: Path
) -> None:
    with writing(at(tmp_path / "home", place), folder) as writer:
        assert terminate(place, HOLDS_THE_LOCK) == 1
    assert writer.errors == []
    with opened(at(tmp_path / "home", place)) as library:
        assert sorted(paths(library)) == sorted(HOUSE)
        assert library.check().findings == ()
        library.add("Bicycles stand in the cellar.", name="bicycles")


def test_connections_that_end_between_two_questions_are_not_noticed(
    place: str, folder: Path, tmp_path: Path
) -> None:
    with opened(at(tmp_path / "home", place)) as library:
        library.sync(folder)
        expected = answers(library, QUESTIONS)
        with library.searching(), library.searching():
            pass  # there are two connections to be lost, and more
        for _ in range(3):
            assert terminate(place) >= 1
            assert answers(library, QUESTIONS) == expected
        assert terminate(place) >= 1
        assert library.sync(folder).unchanged == len(HOUSE)
        assert terminate(place) >= 1
        library.add("Bicycles stand in the cellar.", name="bicycles")
        assert library.find("bicycles").total == 1


def test_a_connection_that_ends_during_a_question_is_told_once(
    place: str, folder: Path, tmp_path: Path
) -> None:
    with opened(at(tmp_path / "home", place)) as library:
        library.sync(folder)
        with pytest.raises(LibraryUnreachableError, match="as it was published last"):
            _ask_and_lose(library, place)
        assert library.find("caretaker").total == 1


def _ask_and_lose(library: Library, place: str) -> None:
    with library.searching() as searcher:
        terminate(place)
        for number in searcher.documents:
            searcher.passages_of(number)


def test_two_who_make_a_library_at_once_make_one(started: Server, tmp_path: Path) -> None:
    place = started.database()
    failed: list[BaseException] = []

    def make(number: int) -> None:
        try:
            address = at(tmp_path / f"home {number}", place)
            with Library.open(address, create=True, encoder=HashEncoder()) as library:
                library.add(f"Flat {number} is let.", name=str(number))
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with opened(at(tmp_path / "home 0", place)) as library:
        assert paths(library) == ["0", "1", "2", "3"]
        assert library.check().findings == ()


def test_an_upload_of_a_writer_that_lost_its_lock_is_taken_away_again(
    place: str, tmp_path: Path
) -> None:
    given = write(tmp_path, {"bicycles.txt": "Bicycles stand in the cellar."}) / "bicycles.txt"
    late, quick = at(tmp_path / "home 1", place), at(tmp_path / "home 2", place)

    class Losing(HashEncoder):
        """Loses the lock while it embeds, and another writer begins."""

        def encode_documents(self, texts: Sequence[str]) -> Vectors:
            assert terminate(place, HOLDS_THE_LOCK) == 1
            with opened(quick) as other:
                other.add("Prams stand in the hall.", name="prams")
            return super().encode_documents(texts)

    with opened(late, Losing()) as library:
        with pytest.raises(LibraryLockedError):
            library.add(given)
        assert list(library.uploads.rglob("*")) == []
        assert paths(library) == ["prams"]
    with opened(late) as library:
        library.add(given)
        assert paths(library) == ["bicycles.txt", "prams"]
        assert library.check().findings == ()
