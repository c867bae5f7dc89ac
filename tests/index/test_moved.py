"""A library's folder that is moved, deleted or read-only while it is used; a source that goes away.

One sentence, nothing lost, and it goes on when everything is back.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from serving_apart import serving_apart
from small import HOUSE, QUESTIONS, HashEncoder, answers, new_library, stored, write

from bench.faults.examine import one_sentence
from index import Library
from index.errors import LibraryNotFoundError, QuothError, SourceError

if TYPE_CHECKING:
    from index.types import Encoder

ROOT = Path(__file__).parents[2]
NEW = {"bees.txt": "Bees live behind the shed."}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder of documents."""
    return write(tmp_path / "house", HOUSE)


@pytest.fixture
def library(tmp_path: Path, house: Path) -> Iterator[Library]:
    """An open library that has answered already."""
    with new_library(tmp_path / "above" / "house.quoth", house) as library:
        answers(library, QUESTIONS)
        yield library


def said(action: Callable[[], object]) -> str:
    """Return what an action said instead of being done."""
    with pytest.raises(QuothError) as told:
        action()
    assert one_sentence(told.value) == ""
    return str(told.value)


def test_a_searcher_goes_on_when_the_folder_is_moved(
    library: Library, house: Path, tmp_path: Path
) -> None:
    expected = answers(library, QUESTIONS), stored(library)
    library.path.parent.rename(tmp_path / "moved")
    assert (answers(library, QUESTIONS), stored(library)) == expected
    write(house, NEW)
    assert "cannot be changed" in said(lambda: library.sync(house))
    assert "cannot be changed" in said(lambda: library.add("Text.", name="text"))
    assert not library.path.parent.exists()  # nothing was begun where it had been

    with Library.open(tmp_path / "moved" / "house.quoth", encoder=HashEncoder()) as moved:
        assert (answers(moved, QUESTIONS), stored(moved)) == expected
        assert moved.sync(house).added == ("bees.txt",)
    (tmp_path / "moved").rename(library.path.parent)
    assert library.sync(house).changed is False
    assert "bees.txt" in [info.path for info in library.documents()]


def test_a_deleted_library_still_answers_where_it_is_open_and_a_writer_says_why(
    library: Library, house: Path
) -> None:
    expected = answers(library, QUESTIONS)
    shutil.rmtree(library.path)
    assert answers(library, QUESTIONS) == expected
    for change in (
        lambda: library.sync(house),
        lambda: library.add("Text.", name="text"),
        lambda: library.remove("lift.txt"),
        library.compact,
        library.rebuild,
    ):
        assert str(library.path) in said(change)
    assert not library.path.exists()
    with pytest.raises(LibraryNotFoundError):
        Library.open(library.path)


def test_another_library_in_its_place_is_not_written_into(
    library: Library, house: Path, tmp_path: Path
) -> None:
    """Whoever has the old one open must not mix the two."""
    library.path.rename(tmp_path / "old.quoth")
    other = write(tmp_path / "other", {"x.txt": "Another house altogether."})
    with new_library(library.path, other) as new:
        before = stored(new)
    write(house, NEW)
    assert "was replaced by another" in said(lambda: library.sync(house))
    assert "was replaced by another" in said(lambda: answers(library, QUESTIONS))
    with Library.open(library.path, encoder=HashEncoder()) as new:
        assert stored(new) == before
        new.sync(other)
        assert stored(new) == before
    shutil.rmtree(library.path)
    (tmp_path / "old.quoth").rename(library.path)
    assert library.sync(house).added == ("bees.txt",)


def test_the_folder_is_moved_in_the_middle_of_a_sync(
    library: Library, house: Path, tmp_path: Path
) -> None:
    before = stored(library)
    write(house, {f"more/{n}.txt": f"Page {n} of the book. It says {n}." for n in range(30)})
    above = library.path.parent

    def move(progress: object) -> None:
        if above.exists():
            above.rename(tmp_path / "moved")

    told = said(lambda: library.sync(house, progress=move))
    assert str(library.path) in told
    (tmp_path / "moved").rename(above)
    assert stored(library) == before
    assert len(library.sync(house).added) == 30
    library.compact()
    with new_library(tmp_path / "fresh.quoth", house) as fresh:
        assert (stored(library), answers(library, QUESTIONS)) == (
            stored(fresh),
            answers(fresh, QUESTIONS),
        )


def test_a_source_that_disappears_in_the_middle_of_a_sync_removes_nothing(
    library: Library, house: Path, tmp_path: Path
) -> None:
    write(house, {f"more/{n}.txt": f"Page {n} of the book. It says {n}." for n in range(30)})

    def unmount(progress: object) -> None:
        if house.exists():
            house.rename(tmp_path / "unmounted")

    report = library.sync(house, progress=unmount)
    assert report.removed == ()
    assert {info.path for info in library.documents()} >= set(HOUSE)
    with pytest.raises(SourceError, match="nothing was changed"):
        library.sync(house)
    (tmp_path / "unmounted").rename(house)
    library.sync(house)
    with new_library(tmp_path / "fresh.quoth", house) as fresh:
        assert stored(library) == stored(fresh)


# Runs in a process of its own, which alone sees the disk: mounted, and then only for reading.
_READ_ONLY = """
import sys
from pathlib import Path
from bench.faults.disks import mounted, read_only, writable
from bench.faults.examine import one_sentence
from index import Library
from index.errors import QuothError
from serving_apart import serving_apart
from small import HOUSE, QUESTIONS, HashEncoder, answers, new_library, stored, write

disk, house = Path(sys.argv[1]), Path(sys.argv[2])
mounted(disk, "size=32m")
library = new_library(disk / "a.quoth", house)
sent = write(disk / "sent", {"u.txt": "Umbrellas are by the door."})
library.add(sent / "u.txt")
expected = answers(library, QUESTIONS), stored(library)
read_only(disk)
assert (answers(library, QUESTIONS), stored(library)) == expected
write(house, {"bees.txt": "Bees live behind the shed."})
failure = library.failures()
for change in (
    lambda: library.sync(house), lambda: library.add("Text.", name="text"),
    lambda: library.add(house / "bees.txt"), lambda: library.remove("lift.txt"),
    library.compact, library.rebuild, lambda: Library.open(disk / "a.quoth"),
    lambda: Library.open(disk / "b.quoth", create=True),
):
    try:
        change()
    except QuothError as error:
        assert not one_sentence(error), error
        print(error)
    else:
        raise AssertionError("it was done on a disk that is only read")
with Library.open(disk / "a.quoth", read_only=True, encoder=HashEncoder()) as reading:
    assert (answers(reading, QUESTIONS), stored(reading)) == expected
writable(disk)
assert (answers(library, QUESTIONS), stored(library)) == expected
assert library.sync(house).added == ("bees.txt",)
library.close()
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or sys.platform != "linux", reason="only root can mount a disk"
)
def test_a_disk_that_becomes_read_only_answers_and_says_so(tmp_path: Path, house: Path) -> None:
    (tmp_path / "disk").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", _READ_ONLY, str(tmp_path / "disk"), str(house)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": ":".join([str(ROOT), *sys.path])},
    )
    assert (done.returncode, done.stderr) == (0, "")
    told = done.stdout.splitlines()
    assert len(told) == 8
    assert all("ead-only" in line or "may not be changed" in line for line in told), told


@pytest.fixture
def served(tmp_path: Path, house: Path, encoder: Encoder) -> Iterator[tuple[str, Path]]:
    """Address and folder of a library that `quoth serve` serves."""
    path = tmp_path / "above" / "house.quoth"
    with Library.open(path, create=True, encoder=encoder) as library:
        library.sync(house)
    with serving_apart(path) as address:
        yield address, path


def ask(address: str) -> tuple[int, dict[str, Any]]:
    """Return status and body of a question."""
    question = json.dumps({"question": "How often is the lift inspected?"}).encode()
    kind = {"content-type": "application/json"}
    try:
        with urlopen(Request(f"{address}/api/v1/ask", question, kind), timeout=120) as reply:
            return reply.status, json.loads(reply.read())
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def told_or_answered(address: str) -> None:
    status, body = ask(address)
    if status == 200:
        assert body["quotes"][0]["text"].startswith("The lift is inspected every twelve months")
    else:
        assert body["status"] == status
        assert "\n" not in body["detail"]
        assert "Traceback" not in json.dumps(body)


@pytest.mark.slow
def test_a_server_whose_library_is_moved_deleted_and_brought_back_goes_on(
    served: tuple[str, Path], tmp_path: Path
) -> None:
    address, path = served
    assert ask(address)[0] == 200
    path.parent.rename(tmp_path / "moved")
    told_or_answered(address)
    (tmp_path / "moved").rename(path.parent)
    assert ask(address)[0] == 200
    shutil.copytree(path, tmp_path / "copy.quoth")
    for file in sorted(path.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    told_or_answered(address)
    path.rmdir()
    told_or_answered(address)
    assert not path.exists()


@pytest.mark.slow
def test_a_server_whose_files_are_cut_short_lives_and_tells(served: tuple[str, Path]) -> None:
    """What is derived is made again; of the store it says that it is damaged."""
    address, path = served
    assert ask(address)[0] == 200
    for file in [*path.glob("words-*/*.term"), *path.glob("words-*/*.fast"), *path.glob("*.faiss")]:
        os.truncate(file, 0)
        status, body = ask(address)
        assert (status, body["quotes"][0]["text"][:24]) == (200, "The lift is inspected ev")
    os.truncate(path / "store.db-shm", 0)
    assert ask(address)[0] == 200
    os.truncate(path / "store.db", 8192)
    told_or_answered(address)
    told_or_answered(address)
