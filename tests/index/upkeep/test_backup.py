"""A backup holds all of a published state, and gives it back wholly or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small import HOUSE, QUESTIONS, HashEncoder, answers, new_library, stored, write

from index import Library
from index.errors import BackupError, LibraryError, LibraryFormatError, SourceError
from index.upkeep import packing
from index.upkeep.archive import MANIFEST
from index.upkeep.restore import read_backup, restore_library
from qa.chats import Chats, StoredTurn

ROOT = Path(__file__).parents[3]
ANN, ONE = "ann", "conversation-number-one"
UPLOAD = "Marmots whistle when an eagle is near."


def reopened(path: Path) -> Library:
    return Library.open(path, encoder=HashEncoder())


def everything(path: Path) -> tuple[object, ...]:
    """Return all that a closed library gives to those who use it."""
    with reopened(path) as library:
        told = (library.generation, stored(library), answers(library, QUESTIONS))
        files = {info.path: library.file_hash(info.id) for info in library.documents()}
    uploads = {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in (path / "uploads").rglob("*")
        if file.is_file()
    }
    chats = Chats.open(path)
    turns = chats.turns(ONE)
    chats.close()
    return (*told, files, uploads, turns)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed library with a history: changes, removals, an upload, a conversation."""
    top = tmp_path_factory.mktemp("backed")
    folder = write(top / "house", HOUSE)
    with new_library(top / "house.quoth", folder) as library:
        write(folder, {"lift.txt": "The zeppelin hangar was torn down.", "spare.md": "Spare."})
        library.sync(folder)
        write(folder, {"lift.txt": HOUSE["lift.txt"]})
        (folder / "spare.md").unlink()
        library.sync(folder)
        library.add(write(top, {"marmots.txt": UPLOAD}) / "marmots.txt")
    chats = Chats.open(top / "house.quoth")
    chats.append(ANN, ONE, StoredTurn(question="Who?", answer={"n": 1}))
    chats.close()
    return top / "house.quoth"


@pytest.fixture(scope="module")
def backed_up(house: Path) -> Path:
    """A backup of it."""
    target = house.with_name("house.backup")
    with reopened(house) as library:
        library.backup(target)
    return target


@pytest.fixture
def opened(house: Path, tmp_path: Path) -> Iterator[Library]:
    """A copy of it, to be changed."""
    shutil.copytree(house, tmp_path / "copy.quoth")
    with reopened(tmp_path / "copy.quoth") as library:
        yield library


# -- making one ------------------------------------------------------------------------------------


def test_what_is_restored_is_the_library_that_was_backed_up(
    house: Path, backed_up: Path, tmp_path: Path
) -> None:
    restored = restore_library(backed_up, tmp_path / "other" / ".." / "again.quoth")
    assert everything(tmp_path / "again.quoth") == everything(house)
    assert restored.path == tmp_path / "again.quoth"
    assert restored.conversations
    assert (restored.absent, restored.moved, restored.notes) == ((), (), ())
    assert restored.manifest == read_backup(backed_up)
    assert (restored.manifest.documents, restored.manifest.generation) == (5, 4)


def test_a_backup_tells_what_is_in_it(opened: Library, tmp_path: Path) -> None:
    made = opened.backup(tmp_path / "b")
    assert (made.generation, made.documents, made.uploads, made.conversations) == (4, 5, 1, True)
    assert (made.path, made.bytes) == (tmp_path / "b", (tmp_path / "b").stat().st_size)
    assert (made.missing, made.warnings) == ((), ())


def test_it_is_one_file_that_only_its_owner_may_read(opened: Library, tmp_path: Path) -> None:
    place = tmp_path / "backups"
    place.mkdir()
    before = os.umask(0)
    try:
        opened.backup(place / "b.zip")
    finally:
        os.umask(before)
    assert [path.name for path in place.iterdir()] == ["b.zip"]
    assert stat.S_IMODE((place / "b.zip").stat().st_mode) == 0o600


def test_every_file_is_listed_with_its_size_and_hash(backed_up: Path) -> None:
    with zipfile.ZipFile(backed_up) as archive:
        names = archive.namelist()
        manifest = json.loads(archive.read(MANIFEST))
    assert names == ["store.db", "chats.db", "uploads/marmots.txt", MANIFEST]
    assert [member["name"] for member in manifest["members"]] == names[:-1]
    assert manifest["members"][2]["bytes"] == len(UPLOAD)
    assert (manifest["quoth_backup"], manifest["model"]) == (1, "hashed words")


def test_what_was_removed_or_staged_is_not_in_it(
    opened: Library, house: Path, tmp_path: Path
) -> None:
    cancel = threading.Event()
    write(tmp_path / "more", {"much.txt": "\n\n".join(f"Line {n} is new." for n in range(600))})
    with pytest.raises(Exception, match="stopped"):
        opened.sync(tmp_path / "more", cancel=cancel, progress=lambda told: cancel.set())
    with closing(sqlite3.connect(opened.path / "store.db")) as db:
        (staged,) = db.execute("SELECT count(*) FROM vectors").fetchone()
    opened.backup(tmp_path / "b")
    data = zipfile.ZipFile(tmp_path / "b").read("store.db")
    (tmp_path / "store.db").write_bytes(data)
    with closing(sqlite3.connect(tmp_path / "store.db")) as db:
        assert db.execute("SELECT count(*) FROM documents").fetchone() == (5,)
        assert db.execute("PRAGMA freelist_count").fetchone() == (0,)
        (kept,) = db.execute("SELECT count(*) FROM vectors").fetchone()
        used = db.execute("SELECT vector FROM sentences UNION SELECT vector FROM passages")
        assert kept == len(used.fetchall()) < staged
    assert b"zeppelin" not in data
    assert b"zeppelin" in (house / "store.db").read_bytes()
    assert b"caretak" in data


def test_the_library_stays_as_it_is(opened: Library, tmp_path: Path) -> None:
    before = {
        p: p.read_bytes() for p in opened.path.rglob("*") if p.is_file() and "-" not in p.name
    }
    opened.backup(tmp_path / "b")
    assert {p: p.read_bytes() for p in before} == before


def test_a_library_that_may_only_be_read_can_be_backed_up(house: Path, tmp_path: Path) -> None:
    with Library.open(house, read_only=True, encoder=HashEncoder()) as library:
        library.backup(tmp_path / "b")
    restore_library(tmp_path / "b", tmp_path / "again.quoth")
    assert everything(tmp_path / "again.quoth") == everything(house)


def test_an_empty_library_can_be_backed_up(tmp_path: Path) -> None:
    with Library.open(tmp_path / "a.quoth", create=True, encoder=HashEncoder()) as library:
        made = library.backup(tmp_path / "b")
    assert (made.documents, made.uploads, made.conversations) == (0, 0, False)
    restored = restore_library(tmp_path / "b", tmp_path / "c.quoth")
    assert not restored.conversations
    with reopened(tmp_path / "c.quoth") as library:
        assert library.documents() == []


@pytest.mark.slow
def test_each_backup_is_one_published_state_while_others_write_and_search(tmp_path: Path) -> None:
    """A writer gives three files one number each time; a backup never holds two numbers."""
    folder = tmp_path / "numbered"

    def numbered(number: int) -> Path:
        return write(folder, {f"{n}.txt": f"The number is {number} in file {n}." for n in "abc"})

    library = new_library(tmp_path / "n.quoth", numbered(0))
    stop = threading.Event()
    failed: list[BaseException] = []

    def repeated(act: Callable[[int], object]) -> threading.Thread:
        def run() -> None:
            number = 0
            try:
                while not stop.is_set():
                    number += 1
                    act(number)
            except BaseException as error:  # noqa: BLE001 - told by the test
                failed.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    with Library.open(tmp_path / "n.quoth", encoder=HashEncoder()) as other:
        threads = [
            repeated(lambda number: library.sync(numbered(number), full=True)),
            repeated(lambda number: other.find("number")),
        ]
        try:
            made = [other.backup(tmp_path / f"b{n}") for n in range(6)]
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    library.close()
    assert failed == []
    assert made[-1].generation > made[0].generation
    for backup in made:
        restored = restore_library(backup.path, backup.path.with_suffix(".quoth"))
        with reopened(restored.path) as again:
            assert again.generation == backup.generation
            texts = [again.text(info.id) for info in again.documents()]
        assert len(texts) == 3
        assert len({text.split()[3] for text in texts}) == 1


# -- where it goes ---------------------------------------------------------------------------------


def test_a_file_that_is_there_is_replaced_only_when_told_so(
    opened: Library, tmp_path: Path
) -> None:
    target = write(tmp_path, {"b": "something else"}) / "b"
    with pytest.raises(BackupError, match="is there already; give another name, or replace"):
        opened.backup(target)
    assert target.read_text() == "something else"
    opened.backup(target, force=True)
    assert read_backup(target).documents == 5


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (".", "is a folder; give the name of a file"),
        ("nowhere/b", "There is no folder"),
        ("copy.quoth/b", "lies in the library itself"),
        ("copy.quoth/uploads/b", "lies in the library itself"),
    ],
)
def test_some_places_cannot_have_it(opened: Library, tmp_path: Path, place: str, told: str) -> None:
    before = sorted(opened.path.rglob("*"))
    with pytest.raises(BackupError, match=told):
        opened.backup(tmp_path / place)
    assert sorted(opened.path.rglob("*")) == before


def test_a_folder_that_is_synced_is_warned_of(tmp_path: Path) -> None:
    folder = write(tmp_path / "house", HOUSE)
    with new_library(tmp_path / "h.quoth", folder) as library:
        made = library.backup(folder / "minutes" / "b.zip")
    (warning,) = made.warnings
    assert f"lies in {folder}, which is synced" in warning
    assert made.path.is_file()


_LIMITED = """
import resource, sys
from index import Library
with Library.open(sys.argv[1], read_only=True) as library:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), -1))
    try:
        library.backup(sys.argv[2])
    except Exception as error:
        print(type(error).__name__, error)
"""


@pytest.mark.parametrize("room", [40_000, 60_000])
def test_where_there_is_no_room_nothing_is_left(house: Path, tmp_path: Path, room: int) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(house), str(tmp_path / "b"), str(room)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("BackupError ")
    assert done.stdout.endswith("nothing of it is left there. Give another place.\n")
    assert list(tmp_path.iterdir()) == []


_FULL = """
import os, sys
from index import Library
from index.upkeep.restore import restore_library
library, backup, small = sys.argv[1:]
with Library.open(library, read_only=True) as opened:
    for act in (
        lambda: opened.backup(small + "/b"),
        lambda: restore_library(backup, small + "/a.quoth"),
    ):
        try:
            act()
        except Exception as error:
            print(type(error).__name__, error)
print(os.listdir(small))
"""


def test_a_disk_that_is_full_is_told_and_nothing_is_left(
    house: Path, backed_up: Path, tmp_path: Path
) -> None:
    """On a real small file system, in a namespace of mounts of its own."""
    small = tmp_path / "small"
    small.mkdir()
    mount = 'mount -t tmpfs -o size=128k tmpfs "$0" && exec "$@"'
    python = [sys.executable, "-c", _FULL, str(house), str(backed_up), str(small)]
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", mount, str(small), *python],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    lines = done.stdout.splitlines()
    assert lines[0] == (
        f"BackupError The disk is full: there is no room for the backup in {small}; nothing of it "
        "is left there. Give another place."
    )
    assert lines[1].startswith("BackupError ")
    assert re.search(r"no room in|left; make room there", lines[1])
    assert lines[2] == "[]"


_KILLED = """
import os, signal, sys
from pathlib import Path
from index.upkeep.backup import staging
with staging(Path(sys.argv[1])) as inside:
    (inside / "store.db").write_text("half of it")
    print(inside.name, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_backup_left_is_taken_away_by_the_next(
    opened: Library, tmp_path: Path
) -> None:
    target = tmp_path / "b[1]"
    child = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(target)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    left = tmp_path / child.stdout.readline().strip()
    opened.backup(target)
    assert left.is_dir()  # somebody is still at work there
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert left.is_dir()
    opened.backup(target, force=True)
    assert not left.exists()


# -- uploads and conversations ---------------------------------------------------------------------


@pytest.fixture
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "PAUSE_SECONDS", 0.0)


def test_an_upload_that_is_being_replaced_is_packed_as_it_was_indexed(
    opened: Library, tmp_path: Path
) -> None:
    """As the server does it: the old file is moved aside until the new one is published."""
    aside = opened.uploads / ".replaced" / "batch-0001" / "marmots.txt"
    aside.parent.mkdir(parents=True)
    os.replace(opened.uploads / "marmots.txt", aside)
    write(opened.uploads, {"marmots.txt": "Not indexed yet."})
    assert opened.backup(tmp_path / "b").missing == ()
    assert zipfile.ZipFile(tmp_path / "b").read("uploads/marmots.txt").decode() == UPLOAD


@pytest.mark.usefixtures("_no_waiting")
def test_an_upload_that_changed_is_packed_and_told(opened: Library, tmp_path: Path) -> None:
    write(opened.uploads, {"marmots.txt": "Edited by hand."})
    made = opened.backup(tmp_path / "b")
    (told,) = made.missing
    assert told.startswith("The uploaded file marmots.txt is no longer what was indexed")
    restore_library(tmp_path / "b", tmp_path / "again.quoth")
    again = tmp_path / "again.quoth" / "uploads" / "marmots.txt"
    assert again.read_text() == "Edited by hand."


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("link", [False, True])
def test_an_upload_that_is_gone_is_told_and_its_text_is_there(
    opened: Library, tmp_path: Path, link: bool
) -> None:
    (opened.uploads / "marmots.txt").unlink()
    secret = write(tmp_path, {"secret.txt": "Nobody may see this."}) / "secret.txt"
    if link:
        (opened.uploads / "marmots.txt").symlink_to(secret)
    made = opened.backup(tmp_path / "b")
    (told,) = made.missing
    assert told.startswith("The uploaded file marmots.txt is not in the backup")
    restore_library(tmp_path / "b", tmp_path / "again.quoth")
    with reopened(tmp_path / "again.quoth") as library:
        assert library.find("marmots").total == 1


def test_conversations_that_are_damaged_are_told_and_all_else_is_there(
    opened: Library, house: Path, tmp_path: Path
) -> None:
    write(opened.path, {"chats.db": b"no database " * 1000})
    made = opened.backup(tmp_path / "b")
    (told,) = made.missing
    assert told.startswith("The conversations are not in the backup")
    assert not made.conversations
    restore_library(tmp_path / "b", tmp_path / "again.quoth")
    assert everything(tmp_path / "again.quoth")[:-1] == everything(house)[:-1]


def test_a_damaged_library_is_not_backed_up(opened: Library, tmp_path: Path) -> None:
    with closing(sqlite3.connect(opened.path / "store.db")) as db, db:
        db.execute("UPDATE passages SET terms = terms || ' forged' WHERE id = 1")
    with pytest.raises(BackupError, match=r"The library is damaged .* no backup was made"):
        opened.backup(tmp_path / "b")
    assert not (tmp_path / "b").exists()


# -- restoring -------------------------------------------------------------------------------------


def test_a_library_that_is_there_is_replaced_only_when_told_so(
    backed_up: Path, house: Path, tmp_path: Path
) -> None:
    new_library(tmp_path / "old.quoth", write(tmp_path / "x", {"x.txt": "Old news."})).close()
    with pytest.raises(LibraryError, match=r"There is a library at .* already"):
        restore_library(backed_up, tmp_path / "old.quoth")
    with reopened(tmp_path / "old.quoth") as library:
        assert library.find("old").total == 1
    restore_library(backed_up, tmp_path / "old.quoth", force=True)
    assert everything(tmp_path / "old.quoth") == everything(house)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.quoth", "x"]


def test_a_damaged_library_is_replaced(backed_up: Path, house: Path, tmp_path: Path) -> None:
    write(tmp_path / "old.quoth", {"store.db": b"\0" * 5000, "chats.db": b"x" * 500})
    restore_library(backed_up, tmp_path / "old.quoth", force=True)
    assert everything(tmp_path / "old.quoth") == everything(house)


def test_a_library_that_is_in_use_is_not_replaced(backed_up: Path, tmp_path: Path) -> None:
    with new_library(tmp_path / "old.quoth") as library:
        library.add("Old news.", name="n")
        with pytest.raises(LibraryError, match="is in use by another process"):
            restore_library(backed_up, tmp_path / "old.quoth", force=True)
        assert library.find("old").total == 1
    chats = Chats.open(tmp_path / "old.quoth")
    with pytest.raises(LibraryError, match="is in use by another process"):
        restore_library(backed_up, tmp_path / "old.quoth", force=True)
    chats.close()


@pytest.mark.parametrize("force", [False, True])
def test_what_is_no_library_is_never_replaced(backed_up: Path, tmp_path: Path, force: bool) -> None:
    write(tmp_path / "letters", {"to-ann.txt": "Dear Ann"})
    with pytest.raises(LibraryFormatError, match="is not a Quoth library"):
        restore_library(backed_up, tmp_path / "letters", force=force)
    with pytest.raises(LibraryError, match="There is no folder"):
        restore_library(backed_up, tmp_path / "nowhere" / "a.quoth", force=force)
    assert [path.name for path in tmp_path.rglob("*")] == ["letters", "to-ann.txt"]


def test_an_empty_folder_can_become_a_library(backed_up: Path, tmp_path: Path) -> None:
    (tmp_path / "a.quoth").mkdir()
    restore_library(backed_up, tmp_path / "a.quoth")
    assert stat.S_IMODE((tmp_path / "a.quoth").stat().st_mode) == 0o700
    files = [path for path in (tmp_path / "a.quoth").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in files} == {0}


# -- sources that moved ----------------------------------------------------------------------------


def test_a_source_that_moved_is_synced_without_reading_anything_twice(tmp_path: Path) -> None:
    folder = write(tmp_path / "ann" / "house", HOUSE)
    file = write(tmp_path / "ann", {"single.txt": "A single file."}) / "single.txt"
    with new_library(tmp_path / "h.quoth", folder, file) as library:
        library.remove("garden.md")
        library.backup(tmp_path / "b")
        before = stored(library)
    (tmp_path / "ann").rename(tmp_path / "ben")
    restored = restore_library(tmp_path / "b", tmp_path / "lost.quoth")
    assert [source.location for source in restored.absent] == [folder, file]
    moves = {tmp_path / "ann": tmp_path / "ben"}
    restored = restore_library(tmp_path / "b", tmp_path / "again.quoth", sources=moves)
    there = tmp_path / "ben"
    assert restored.moved == ((folder, there / "house"), (file, there / "single.txt"))
    assert restored.absent == ()
    encoder = HashEncoder()
    with Library.open(tmp_path / "again.quoth", encoder=encoder) as library:
        report = library.sync(there / "house")
        assert (report.unchanged, report.changed, report.ignored) == (3, False, 1)
        assert not library.sync(there / "single.txt").changed
        assert stored(library) == before
    assert encoder.encoded == []


def test_a_library_that_is_searched_learns_of_a_new_place(
    library: Library, folder: Path, tmp_path: Path
) -> None:
    with Library.open(library.path, read_only=True, encoder=HashEncoder()) as other:
        with other.searching() as searcher:
            assert {info.file and info.file.exists() for info in searcher.documents.values()}
        folder.rename(tmp_path / "home")
        assert library.relocate({folder: tmp_path / "home"}) == [(folder, tmp_path / "home")]
        with other.searching() as searcher:
            files = [info.file for info in searcher.documents.values()]
    assert all(file is not None and file.is_file() for file in files)


def test_what_cannot_be_a_new_place_is_told_and_nothing_changes(
    library: Library, folder: Path, tmp_path: Path
) -> None:
    other = write(tmp_path / "other", {"a.txt": "Another one."})
    (other / "deep").mkdir()
    library.sync(other)
    for moves, told in (
        ({folder: tmp_path / "nowhere"}, "There is no folder at"),
        ({tmp_path / "unknown": other}, "The library keeps no folder or file at"),
        ({folder: other}, "overlap"),
        ({folder: other / "deep"}, "overlap"),
        ({folder: library.path}, "is the library itself"),
    ):
        with pytest.raises(SourceError, match=told):
            library.relocate(moves)
        assert [source.location for source in library.sources()] == [folder, other]


def test_two_sources_can_change_places(library: Library, folder: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other", {"a.txt": "Another one."})
    library.sync(other)
    for old, new in ((folder, tmp_path / "t"), (other, folder), (tmp_path / "t", other)):
        old.rename(new)
    library.relocate({folder: other, other: folder})
    assert library.sync(folder).unchanged == 1
    assert library.sync(other).unchanged == len(HOUSE)


# -- files that are no backup, or no longer one ----------------------------------------------------


def refused(file: Path, into: Path) -> str:
    """Return why a backup is not restored; nothing may be left of the attempt."""
    with pytest.raises(BackupError) as told:
        restore_library(file, into)
    assert not into.exists()
    assert not list(into.parent.glob(".*"))
    return str(told.value)


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 18, b"PK\x03\x04" * 99])
def test_a_foreign_file_is_told(tmp_path: Path, data: bytes) -> None:
    file = write(tmp_path, {"b": data}) / "b"
    assert "is no backup of a Quoth library" in refused(file, tmp_path / "a.quoth")


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    assert "is not there; check the path" in refused(tmp_path / "b", tmp_path / "a.quoth")
    assert "is no file; check the path" in refused(tmp_path, tmp_path / "a.quoth")


Parts = dict[str, bytes]


def repacked(backed_up: Path, change: Callable[[Parts, dict[str, Any]], object]) -> bytes:
    """Return the backup with its files and its manifest changed."""
    with zipfile.ZipFile(backed_up) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(parts.pop(MANIFEST))
    change(parts, manifest)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in (parts | {MANIFEST: json.dumps(manifest).encode()}).items():
            archive.writestr(name, data)
    return buffer.getvalue()


def added(name: str) -> Callable[[Parts, dict[str, Any]], None]:
    """Return a change that adds a file, listed as it should be."""

    def change(parts: Parts, manifest: dict[str, Any]) -> None:
        parts[name] = parts["uploads/marmots.txt"]
        manifest["members"].append({**manifest["members"][2], "name": name})

    return change


@pytest.mark.parametrize(
    "name",
    [
        *("../evil", "/etc/evil", "uploads/../../evil", "uploads/", "uploads//evil", "uploads/."),
        *("evil", "writer.lock", "store.db-wal", "chats.db/evil", "uploads/" + "x" * 256),
        *("uploads/\ud800", "words-1/meta.json", "UPLOADS/evil", "uploads"),
    ],
)
def test_a_file_that_has_no_place_in_a_library_is_refused(
    backed_up: Path, tmp_path: Path, name: str
) -> None:
    if name.endswith("\ud800"):  # only a manifest can say that

        def change(parts: Parts, manifest: dict[str, Any]) -> None:
            manifest["members"][2]["name"] = name
    else:
        change = added(name)  # type: ignore[assignment]  # of another name only
    place = tmp_path / "deep" / "er"
    place.mkdir(parents=True)
    file = write(tmp_path, {"b": repacked(backed_up, change)}) / "b"
    assert "nothing was restored" in refused(file, place / "a.quoth")
    assert not list(tmp_path.rglob("evil"))


def _a_folder_as_well(parts: Parts, manifest: dict[str, Any]) -> None:
    added("uploads/a")(parts, manifest)
    added("uploads/a/b")(parts, manifest)


def _listed(number: int, **values: object) -> Callable[[Parts, dict[str, Any]], None]:
    return lambda parts, manifest: manifest["members"][number].update(values)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_a_folder_as_well, "holds a file that is a folder as well"),
        (lambda parts, m: parts.update(extra=b"x"), "the files that its manifest lists"),
        (lambda parts, m: parts.pop("uploads/marmots.txt"), "the files that its manifest lists"),
        (lambda parts, m: m["members"].pop(0), "the files that its manifest lists"),
        (lambda parts, m: m["members"].append(m["members"][0]), "files that its manifest lists"),
        (_listed(0, sha256="0" * 64), "store.db in it is not what was packed"),
        (_listed(0, sha256="short"), "is damaged"),
        (_listed(0, bytes=10**15), "in another size than it should have"),
        (_listed(0, bytes=-1), "is damaged"),
        (_listed(0, bytes="many"), "is damaged"),
        (lambda parts, m: m.pop("generation"), "is damaged"),
        (lambda parts, m: m.update(members=7), "is damaged"),
        (lambda parts, m: m.update(quoth_backup=2), "was made by a newer Quoth"),
        (lambda parts, m: m.update(format=99), "was made by a newer Quoth"),
        (lambda parts, m: m.update(generation=77), "another state than its manifest says"),
        (lambda parts, m: parts.update({"store.db": b"?"}), "in another size than it should have"),
    ],
)
def test_a_backup_that_contradicts_itself_is_refused(
    backed_up: Path, tmp_path: Path, change: Callable[[Parts, dict[str, Any]], object], told: str
) -> None:
    file = write(tmp_path, {"b": repacked(backed_up, change)}) / "b"
    assert told in refused(file, tmp_path / "a.quoth")


def test_another_database_in_the_place_of_the_store_is_refused(
    backed_up: Path, tmp_path: Path
) -> None:
    def change(parts: Parts, manifest: dict[str, Any]) -> None:
        parts["store.db"] = parts["chats.db"]
        manifest["members"][0] |= {
            "bytes": len(parts["chats.db"]),
            "sha256": hashlib.sha256(parts["chats.db"]).hexdigest(),
        }

    file = write(tmp_path, {"b": repacked(backed_up, change)}) / "b"
    assert "cannot be used; nothing was restored" in refused(file, tmp_path / "a.quoth")


def test_links_and_files_that_are_there_twice_are_refused(backed_up: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(backed_up) as archive:
        parts = [(info.filename, archive.read(info)) for info in archive.infolist()]
    for name, told in (("link", "as a link"), ("twice", "holds a file twice")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member, data in parts:
                info = zipfile.ZipInfo(member)
                if name == "link" and member.startswith("uploads"):
                    info.external_attr = (stat.S_IFLNK | 0o777) << 16
                archive.writestr(info, data)
            if name == "twice":
                with pytest.warns(UserWarning, match="Duplicate"):
                    archive.writestr("chats.db", b"another")
        assert told in refused(tmp_path / name, tmp_path / "a.quoth")


def test_a_bomb_is_not_unpacked(backed_up: Path, tmp_path: Path) -> None:
    """A member that unpacks to more than it says; the sizes of the manifest are the limit."""
    with zipfile.ZipFile(backed_up) as archive:
        size = len(archive.read("uploads/marmots.txt"))
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "b", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, b"\0" * 50_000_000 if name.startswith("uploads") else data)
    data = (tmp_path / "b").read_bytes()
    big, small = (50_000_000).to_bytes(4, "little"), size.to_bytes(4, "little")
    assert data.count(big) == 2  # in its own header and in the directory
    (tmp_path / "b").write_bytes(data.replace(big, small))
    assert len(data) < 200_000
    assert "is damaged" in refused(tmp_path / "b", tmp_path / "a.quoth")


def test_a_library_that_does_not_fit_on_the_disk_is_told(
    backed_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_000))
    assert "has 1,000 left; make room there" in refused(backed_up, tmp_path / "a.quoth")


@pytest.fixture(scope="module")
def as_it_was(house: Path) -> tuple[object, ...]:
    return everything(house)


def all_or_nothing(data: bytes, folder: Path, as_it_was: tuple[object, ...]) -> None:
    (folder / "b").write_bytes(data)
    told = None
    try:
        restore_library(folder / "b", folder / "a.quoth")
    except BackupError as error:
        told = str(error)
    if told is None:
        assert everything(folder / "a.quoth") == as_it_was
    else:
        assert "\n" not in told
        assert [path.name for path in folder.iterdir()] == ["b"]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_backup_is_refused(
    backed_up: Path,
    as_it_was: tuple[object, ...],
    tmp_path_factory: pytest.TempPathFactory,
    share: float,
) -> None:
    data = backed_up.read_bytes()
    data = data[: int(share * len(data))]
    all_or_nothing(data, tmp_path_factory.mktemp("truncated"), as_it_was)


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_backup_with_flipped_bytes_gives_exactly_the_library_or_is_refused(
    backed_up: Path,
    as_it_was: tuple[object, ...],
    tmp_path_factory: pytest.TempPathFactory,
    drawn: st.DataObject,
) -> None:
    data = bytearray(backed_up.read_bytes())
    # Half of the flips where the structure is: the local headers, the manifest, the directory.
    places = st.integers(0, len(data) - 1) | st.integers(len(data) - 900, len(data) - 1)
    for place in drawn.draw(st.lists(places, min_size=1, max_size=4)):
        data[place] ^= drawn.draw(st.integers(1, 255))
    all_or_nothing(bytes(data), tmp_path_factory.mktemp("flipped"), as_it_was)
