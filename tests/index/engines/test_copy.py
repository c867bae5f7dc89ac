"""A library is the same at its new place, and nothing is embedded for that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from small import HOUSE, QUESTIONS, HashEncoder, answers, lived_in, new_library, stored, write

from index import Library, copy_library
from index.address import Place
from index.errors import LibraryError, LibraryNotFoundError
from qa.chats import Chats, StoredTurn

Places = Callable[[], Place]


def opened(place: Place) -> Library:
    return Library.open(place, encoder=HashEncoder())


def said(library: Library) -> tuple[object, ...]:
    return stored(library), answers(library, QUESTIONS), library.generation


def test_it_goes_there_and_back(new_place: Places, tmp_path: Path) -> None:
    here = lived_in(tmp_path)
    there, again = new_place(), tmp_path / "again.quoth"
    with opened(here) as library:
        expected = said(library)
        numbers = {info.path: info.id for info in library.documents()}
        failures = [(f.path, f.reason) for f in library.failures()]
    copied = copy_library(here, there)
    assert (copied.documents, copied.uploads) == (len(numbers), 1)
    copy_library(there, again)
    for place in (there, again):
        encoder = HashEncoder()
        with Library.open(place, encoder=encoder) as library:
            assert said(library) == expected
            assert {info.path: info.id for info in library.documents()} == numbers
            assert [(f.path, f.reason) for f in library.failures()] == failures
            assert library.check().ok
            assert (library.uploads / "keys.txt").is_file()
            # What was in step is in step, and what comes has numbers of its own.
            report = library.sync(tmp_path / "house")
            assert (report.changed, encoder.encoded) == (False, [])
            assert library.add("Bicycles stand in the yard.", name="new").id > max(numbers.values())
            library.remove("keys.txt")
            assert "keys.txt" not in str(answers(library, ["Where are spare keys kept?"]))
            assert library.check().ok


def test_conversations_come_too(new_place: Places, folder: Path, tmp_path: Path) -> None:
    new_library(tmp_path / "here.quoth", folder).close()
    owner, id = "a" * 32, "b" * 32
    with closing(Chats.open(tmp_path / "here.quoth")) as chats:
        chats.append(owner, id, StoredTurn(question="Where is the lift?"))
    there = new_place()
    assert copy_library(tmp_path / "here.quoth", there).conversations
    with opened(there) as library, closing(Chats.open(library.path)) as chats:
        assert [turn.question for turn in chats.turns(id)] == ["Where is the lift?"]


def test_there_is_nothing_to_copy_and_no_place_to_copy_to(
    new_place: Places, folder: Path, tmp_path: Path
) -> None:
    there = new_place()
    new_library(there, folder).close()
    new_library(tmp_path / "here.quoth", folder).close()
    with opened(there) as library:
        before = said(library)
    with pytest.raises(LibraryError, match=r"There is a library at .* already"):
        copy_library(tmp_path / "here.quoth", there)
    with pytest.raises(LibraryError, match="cannot be copied to itself"):
        copy_library(there, there)
    with pytest.raises(LibraryNotFoundError):
        copy_library(tmp_path / "mistyped.quoth", new_place())
    with opened(there) as library:
        assert said(library) == before


def test_what_was_removed_between_two_tries_stays_removed(
    new_place: Places, folder: Path, tmp_path: Path
) -> None:
    """A copy that was killed has left uploads and conversations in the new home."""
    here, there = tmp_path / "here.quoth", new_place()
    write(tmp_path, {"secret.txt": "The mango is in the safe.", "open.txt": "Doors open at nine."})
    with new_library(here, folder) as library:
        library.add(tmp_path / "secret.txt")
        library.add(tmp_path / "open.txt")
    killed(here, there, "rows")
    with opened(here) as library:
        library.remove("secret.txt", "open.txt")
    copy_library(here, there)
    with opened(there) as library:
        library.add(tmp_path / "open.txt")  # also a name that was removed
        assert library.find("mango").total == 0
        assert library.find("doors").total == 1
        assert sorted(path.name for path in library.uploads.glob("*.txt")) == ["open.txt"]


def test_a_home_with_uploads_of_another_library_is_not_taken(
    new_place: Places, folder: Path, tmp_path: Path
) -> None:
    there = new_place()
    new_library(tmp_path / "here.quoth", folder).close()
    with Library.open(there, create=True, encoder=HashEncoder()) as library:
        write(library.uploads, {"old.txt": "Of a library that was here before."})
        home = library.path
    with pytest.raises(LibraryError, match="of a library that was there before"):
        copy_library(tmp_path / "here.quoth", there)
    assert (home / "uploads/old.txt").is_file()


_CHILD = """
import os, signal, sys
from index import copy_library
from index.upkeep import copy
at = sys.argv[3]

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

if at == "rows":
    copy.go_on_numbering = die
else:
    from index.engines import local, milvus, home
    for engine in (local.LocalEngine, home.HomeEngine, milvus.MilvusEngine):
        engine.tidy = die if at == "published" else engine.tidy
        if at == "indexes":
            def after(self, *args, _then=engine.rewrite, **kwargs):
                _then(self, *args, **kwargs)
                die()
            engine.rewrite = after
copy_library(sys.argv[1], sys.argv[2])
"""


def killed(here: Path, there: Place, at: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(here), str(there), at],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("at", ["rows", "indexes", "published"])
def test_a_copy_that_is_killed_is_begun_again(
    new_place: Places, folder: Path, tmp_path: Path, at: str
) -> None:
    here, there = tmp_path / "here.quoth", new_place()
    with new_library(here, folder) as library:
        expected = said(library)
    killed(here, there, at)
    if at != "published":
        with opened(there) as library:
            assert library.documents() == []
        copy_library(here, there)
    with opened(there) as library:
        assert said(library) == expected
        assert library.check().ok
        write(folder, {"new.txt": HOUSE["garden.md"]})
        assert library.sync(folder).added == ("new.txt",)
