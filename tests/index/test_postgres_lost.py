"""A server that is not there, or goes away: one sentence, and the library as it was."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from postgres import Server, again, server
from small import HOUSE, QUESTIONS, HashEncoder, answers, new_library, stored, write

from index import Library
from index.errors import LibraryUnreachableError
from index.postgres import connect, psycopg
from index.reports import Progress
from qa.cli import cli

if TYPE_CHECKING:
    from index.types import Vectors

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SECRET = "hunter2"


class Running:
    """A server that can be ended and started again, while others hold on to this."""

    def __init__(self, started: Server) -> None:
        self.server = started

    def end(self) -> None:
        """End it at once, as a power cut would."""
        if self.server.process.poll() is None:
            self.server.end()

    def again(self) -> None:
        """Start it again."""
        self.end()
        self.server = again(self.server)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """One server for this module; each library has a database of its own."""
    with server() as started:
        found = Running(started)
        try:
            yield found
        finally:
            found.end()


@pytest.fixture
def place(running: Running) -> str:
    """The address of an empty database, with a password that nobody asks for."""
    if running.server.process.poll() is not None:
        running.again()
    return running.server.database().replace("postgres@", f"postgres:{SECRET}@")


@pytest.fixture(autouse=True)
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this machine keeps what belongs to libraries elsewhere."""
    monkeypatch.setenv("QUOTH_HOME", str(tmp_path / "homes"))
    monkeypatch.delenv("QUOTH_LIBRARY", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "homes"


class Ending(HashEncoder):
    """Ends the server when it embeds for the n-th time, as a power cut would just then."""

    def __init__(self, end: Callable[[], None], when: int) -> None:
        super().__init__()
        self.left, self.end = when, end

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Return one row a text."""
        self.left -= 1
        if self.left == 0:
            self.end()
        return super().encode_documents(texts)


def many(folder: Path) -> Path:
    """Write so many texts that they are embedded in several stages."""
    return write(
        folder,
        {
            f"flats/{n}.txt": "\n\n".join(
                f"Flat {n}.{room} has key k{n * room} and is let to tenant t{n + room}."
                for room in range(1, 20)
            )
            for n in range(30)
        },
    )


def unreachable(change: Callable[[], object]) -> None:
    """Look that a change is told to fail, in a sentence without the password."""
    with pytest.raises(LibraryUnreachableError) as caught:
        change()
    told = str(caught.value)
    assert re.fullmatch(r"postgresql://postgres@/[^\n]+ cannot be reached \([^\n]+\); [^\n]+", told)
    assert told.endswith("The library is as it was published last.")
    assert SECRET not in told


@pytest.mark.parametrize("when", [1, 3])
def test_a_server_that_goes_while_texts_are_embedded_costs_nothing(
    running: Running, place: str, folder: Path, tmp_path: Path, when: int
) -> None:
    with new_library(place, folder) as library:
        before, generation = stored(library), library.generation
    many(folder)
    with Library.open(place, encoder=Ending(running.end, when)) as library:
        unreachable(lambda: library.sync(folder))
        unreachable(lambda: library.find("lift"))
        running.again()
        # The same library goes on, without being opened again.
        assert library.generation == generation
        assert stored(library) == before
        assert library.check().findings == ()
        report = library.sync(folder)
        assert len(report.added) == 30
        with new_library(tmp_path / "fresh.quoth", folder) as fresh:
            assert stored(library) == stored(fresh)
            assert answers(library, QUESTIONS) == answers(fresh, QUESTIONS)
        assert library.check().findings == ()


def test_a_server_that_goes_while_rows_are_written_costs_nothing(
    running: Running, place: str, folder: Path, tmp_path: Path
) -> None:
    with new_library(place, folder) as library:
        before = stored(library)
        many(folder)

        written: list[str] = []

        def end(progress: Progress) -> None:
            # All of it is embedded then, and one document after the other is written.
            if progress.files_done == progress.files:
                written.append(progress.path)
            if len(written) == 5:
                running.end()

        unreachable(lambda: library.sync(folder, progress=end))
        running.again()
        assert stored(library) == before
        # What was embedded is there.
        assert library.sync(folder).embedded == 0
        with new_library(tmp_path / "fresh.quoth", folder) as fresh:
            assert stored(library) == stored(fresh)
            assert answers(library, QUESTIONS) == answers(fresh, QUESTIONS)
        library.compact()
        assert library.check().findings == ()


def test_a_server_that_is_started_again_between_two_questions_is_not_noticed(
    running: Running, place: str, folder: Path
) -> None:
    with new_library(place, folder) as library:
        expected = answers(library, QUESTIONS)
        with library.searching(), library.searching():
            pass  # there are several connections
        running.again()
        assert answers(library, QUESTIONS) == expected
        running.end()
        for _ in range(2):
            unreachable(lambda: library.find("lift"))
        assert "cannot be reached" in library.check().findings[0].message
        running.again()
        assert answers(library, QUESTIONS) == expected


def test_an_upload_that_was_told_to_fail_is_not_there_later(
    running: Running, place: str, tmp_path: Path
) -> None:
    write(tmp_path, {"a.txt": "Bicycles stand in the cellar.", "b.txt": "Prams stand in the hall."})
    with new_library(place) as library:
        library.add(tmp_path / "a.txt")
        write(tmp_path, {"a.txt": "Bicycles stand in the yard."})
    for name in ("a.txt", "c.txt"):
        write(tmp_path, {"c.txt": "Sledges stand in the attic."})
        with Library.open(place, encoder=Ending(running.end, 1)) as library:
            unreachable(lambda: library.add(tmp_path / name))  # noqa: B023 - called at once
            running.again()
    with Library.open(place, encoder=HashEncoder()) as library:
        library.add(tmp_path / "b.txt")
        assert [info.path for info in library.documents()] == ["a.txt", "b.txt"]
        assert library.find("cellar").total == 1
        assert (library.uploads / "a.txt").read_text() == "Bicycles stand in the cellar."
        assert not (library.uploads / "c.txt").exists()
        assert library.check().findings == ()
        library.add(tmp_path / "a.txt")
        assert library.find("yard").total == 1
        assert library.find("cellar").total == 0


# -- what the command says --------------------------------------------------------------------


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(arg) for arg in args], prog_name="quoth")


def told(result: Result) -> str:
    """Return what the user is told: one line, no traceback, no password, exit status 1."""
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert re.fullmatch(r"quoth: [^\n]+\n", result.stderr), result.stderr
    assert "Traceback" not in result.stderr
    assert SECRET not in result.stderr
    return result.stderr


def closed_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def commands(place: str, tmp_path: Path) -> list[tuple[str | Path, ...]]:
    """Return commands of each kind: that change, ask, look, and maintain."""
    write(tmp_path / "texts", {"a.txt": "Bicycles stand in the cellar."})
    return [
        ("sync", tmp_path / "texts", "-l", place),
        ("ask", "Where?", "-l", place),
        ("find", "cellar", "-l", place),
        ("status", "-l", place),
        ("remove", "a.txt", "-l", place),
        ("compact", "-l", place),
    ]


def test_a_server_that_is_absent_is_told_in_one_sentence(tmp_path: Path, homes: Path) -> None:
    for place in (
        f"postgresql://anna:{SECRET}@127.0.0.1:{closed_port()}/house",
        f"postgresql://anna@/house?host={tmp_path}&password={SECRET}",
    ):
        for command in commands(place, tmp_path):
            said = told(run(*command))
            assert "cannot be reached (connection" in said
            assert "check that it runs and that the network is there" in said
    assert not homes.exists()


def test_a_database_that_is_absent_is_told_in_one_sentence(place: str, tmp_path: Path) -> None:
    absent = re.sub(r"/library\d+", "/absent", place)
    for command in commands(absent, tmp_path):
        said = told(run(*command))
        assert 'database "absent" does not exist' in said
        assert "make the database first, with createdb" in said


def test_a_user_who_is_unknown_is_told_to_look_at_user_and_password(
    place: str, tmp_path: Path
) -> None:
    unknown = place.replace("postgres:", "nobody:")
    for command in commands(unknown, tmp_path):
        said = told(run(*command))
        assert 'role "nobody" does not exist' in said
        assert "check the user and the password (PGPASSWORD, or the file ~/.pgpass)" in said


def test_a_library_that_is_absent_is_told_in_one_sentence(place: str, tmp_path: Path) -> None:
    for command in commands(place, tmp_path)[1:]:
        assert "There is no library at postgresql://postgres@/library" in told(run(*command))


def test_a_user_who_may_do_nothing_is_told_what_is_missing(place: str, tmp_path: Path) -> None:
    with closing(connect(place, application="a test")) as db:
        db.execute("DROP ROLE IF EXISTS guest")
        db.execute("CREATE ROLE guest LOGIN")
    guest = place.replace("postgres:", "guest:")
    said = told(run("sync", write(tmp_path / "x", HOUSE), "-l", guest))
    assert "permission denied for database" in said
    assert "grant this user what is missing" in said
    new_library(place).close()
    for command in commands(guest, tmp_path):
        said = told(run(*command))
        assert "permission denied for schema quoth" in said
        assert "grant this user what is missing" in said


def test_a_server_that_is_full_is_told(place: str, tmp_path: Path) -> None:
    new_library(place).close()
    with ExitStack() as stack:
        with suppress(psycopg.OperationalError):
            while True:
                stack.enter_context(closing(connect(place, application="a test")))
        said = told(run("status", "-l", place))
    assert "let it take more connections" in said


def test_a_user_who_may_only_read_can_search(place: str, folder: Path) -> None:
    with new_library(place, folder) as library:
        expected = answers(library, QUESTIONS)
    with closing(connect(place, application="a test")) as db:
        db.execute("DROP ROLE IF EXISTS reader")
        db.execute("CREATE ROLE reader LOGIN")
        db.execute("GRANT USAGE ON SCHEMA quoth TO reader")
        db.execute("GRANT SELECT ON ALL TABLES IN SCHEMA quoth TO reader")
    reader = place.replace("postgres:", "reader:")
    with Library.open(reader, read_only=True, encoder=HashEncoder()) as library:
        assert answers(library, QUESTIONS) == expected
        assert library.check().findings == ()
    said = told(run("remove", "lift.txt", "-l", reader))
    assert "permission denied for table" in said
    with closing(connect(place, application="a test")) as db:
        db.execute("DROP OWNED BY reader")
        db.execute("DROP ROLE reader")


@pytest.mark.parametrize(
    "address",
    [
        # A password with characters that stand for something, not written as %XX.
        f"postgresql://anna:10%{SECRET}@127.0.0.1/house",
        f"postgresql://anna:s@{SECRET}@127.0.0.1/house",
        f"postgresql://anna:{SECRET}/s@127.0.0.1/house",
        f"postgresql://127.0.0.1/house?password=10%{SECRET}",
        "postgresql://127.0.0.1:five/house",
        "postgresql://127.0.0.1/house?colour=blue",
        "postgresql://[::1/house",
        f"postgresql://anna:{SECRET}@127.0.0.1/house?schema=a-b",
    ],
)
def test_an_address_that_is_none_is_told_without_its_password(address: str) -> None:
    said = told(run("status", "-l", address))
    assert len(said) < 400


def test_a_backup_is_refused_with_what_to_do_instead(place: str, tmp_path: Path) -> None:
    new_library(place).close()
    said = told(run("backup", tmp_path / "house.quoth-backup", "-l", place))
    assert "not on this machine alone: copy it into a folder with `quoth copy`" in said
    assert not (tmp_path / "house.quoth-backup").exists()


@pytest.mark.parametrize("place", [f"postgresql://anna:{SECRET}@localhost/house", "home.quoth"])
def test_a_missing_package_is_named_with_how_to_install_it(place: str, tmp_path: Path) -> None:
    write(
        tmp_path / "home.quoth",
        {
            "remote.json": '{"store": "postgresql://localhost/house", "schema": "quoth", '
            '"engine": null, "collection": "quoth", "id": "1"}'
        },
    )
    script = "import sys; sys.modules['psycopg'] = None; from ui import main; main()"
    for command in (("status",), ("sync", str(write(tmp_path / "texts", HOUSE)))):
        done = subprocess.run(
            [sys.executable, "-c", script, *command, "-l", place],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "QUOTH_HOME": str(tmp_path / "homes")},
        )
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr == (
            "quoth: A library in PostgreSQL needs psycopg: pip install 'quoth[postgres]'.\n"
        )
    assert not (tmp_path / "homes").exists()
