"""A library is its owner's alone, whatever the umask, unless the owner opens its folder."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from small import HOUSE, HashEncoder, new_library, write

from index import Library, vectors
from index.errors import QuothError
from index.lock import writer_lock
from index.upkeep.check import check_library


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=["umask 0", "umask 022", "umask 077"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """What the process would leave to others by itself."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture(autouse=True)
def _small_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "SMALLEST_BASE", 8)


def modes(path: Path) -> set[tuple[str, int]]:
    """Return the modes of folders and files of a library, itself included."""
    entries = [path, *path.rglob("*")]
    assert not any(entry.is_symlink() for entry in entries)
    return {
        ("folder" if entry.is_dir() else "file", stat.S_IMODE(entry.stat().st_mode))
        for entry in entries
    }


PRIVATE = {("folder", 0o700), ("file", 0o600)}


def lived_in(path: Path, folder: Path) -> Iterator[Library]:
    """Do all that writes, and give the library after each step while it is open."""
    write(folder, HOUSE)
    upload = write(folder.parent, {"keys.txt": "Spare keys are in the safe."}) / "keys.txt"
    with new_library(path) as library:
        yield library
        library.sync(folder)
        yield library
        library.add("Bicycles stand in the cellar.", name="bicycles")
        library.add(upload)
        yield library
        write(library.uploads / "more", {"shed.txt": "The shed is locked."})
        library.sync(library.uploads)
        yield library
        write(folder, {"lift.txt": "The lift was painted."})
        library.sync(folder)
        library.remove("keys.txt")
        library.compact()
        yield library
        library.rebuild()
        yield library
        library.rebuild(encoder=HashEncoder("other"))
        yield library


def test_no_file_of_a_library_can_be_read_by_others(tmp_path: Path, umask: int) -> None:
    """The folder of documents is as the umask wants it: nothing here changes that."""
    steps = 0
    for library in lived_in(tmp_path / "a.quoth", tmp_path / "house"):
        assert modes(library.path) <= PRIVATE
        steps += 1
    assert steps == 7
    assert os.umask(umask) == umask
    checkup = check_library(tmp_path / "a.quoth")
    assert checkup.ok
    assert checkup.findings == ()
    assert stat.S_IMODE((tmp_path / "house").stat().st_mode) == 0o777 & ~umask


def test_what_comes_later_is_as_open_as_the_folder(tmp_path: Path, umask: int) -> None:
    """Somebody who lets a group in on purpose lets it in for good."""
    for number, library in enumerate(lived_in(tmp_path / "a.quoth", tmp_path / "house")):
        if number == 0:
            library.path.chmod(0o750)
            for file in library.path.iterdir():
                file.chmod(0o640)
        assert modes(library.path) <= {("folder", 0o750), ("file", 0o640)}
    assert check_library(tmp_path / "a.quoth").findings == ()


def test_the_lock_is_private_while_it_is_held(tmp_path: Path, umask: int) -> None:
    new_library(tmp_path / "a.quoth").close()
    with writer_lock(tmp_path / "a.quoth"):
        assert (tmp_path / "a.quoth" / "writer.json").exists()
        assert modes(tmp_path / "a.quoth") <= PRIVATE


def test_nothing_is_open_to_others_at_any_moment_of_a_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at all the while, files for a moment included: their folder keeps others out."""
    before = os.umask(0)
    seen: list[set[tuple[str, int]]] = []
    over = threading.Event()

    def look(path: Path) -> None:
        while not over.is_set():
            for folder, folders, _ in os.walk(path):
                if "more" in folders:
                    folders.remove("more")  # made among the uploads by this test itself
                for entry in [folder, *(os.path.join(folder, name) for name in folders)]:
                    try:
                        mode = stat.S_IMODE(os.stat(entry).st_mode)
                    except FileNotFoundError:
                        continue
                    seen.append({("folder", mode)})

    watcher = threading.Thread(target=look, args=(tmp_path / "a.quoth",))
    try:
        watcher.start()
        for _ in lived_in(tmp_path / "a.quoth", tmp_path / "house"):
            pass
    finally:
        over.set()
        watcher.join(60)
        os.umask(before)
    assert set().union(*seen) == {("folder", 0o700)}


class _Failing(HashEncoder):
    def encode_documents(self, texts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        raise QuothError("No more.")


def test_after_an_error_nothing_temporary_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, folder = tmp_path / "a.quoth", write(tmp_path / "house", HOUSE)
    new_library(path, folder).close()
    before = sorted(str(file.relative_to(path)) for file in path.rglob("*"))
    upload = write(tmp_path, {"keys.txt": "Spare keys are in the safe."}) / "keys.txt"
    with Library.open(path, encoder=HashEncoder()) as library:
        monkeypatch.setattr(HashEncoder, "encode_documents", _Failing.encode_documents)
        for fail in (
            lambda: library.add(upload),
            lambda: library.add("Bees.", name="bees"),
            lambda: library.sync(write(folder, {"new.txt": "A new file."})),
            lambda: library.rebuild(encoder=_Failing("other")),
        ):
            with pytest.raises(QuothError, match="No more"):
                fail()
    after = {str(file.relative_to(path)) for file in path.rglob("*")} - {"uploads"}
    assert {name for name in after if not name.startswith("words-")} == {
        name for name in before if not name.startswith("words-")
    }
    assert modes(path) <= PRIVATE


def test_what_others_may_read_is_found_and_told(tmp_path: Path) -> None:
    path = tmp_path / "a.quoth"
    new_library(path, write(tmp_path / "house", HOUSE)).close()
    (path / "store.db").chmod(0o644)
    (finding,) = check_library(path).findings
    assert (finding.kind, finding.where, finding.repairable) == ("mode", "store.db", True)
    path.chmod(0o755)
    (finding,) = check_library(path).findings
    assert (finding.where, finding.repairable) == (str(path), False)
    assert "chmod 700" in finding.advice
