"""Hidden files among the uploads: which are left over, what takes them away, and what stays."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from small import HOUSE, HashEncoder, new_library, write

from index import Library
from index.upkeep.check import check_library
from index.upkeep.repair import repair_library


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed library with an upload."""
    write(tmp_path, {"keys.txt": "Spare keys are kept in the safe."})
    with new_library(tmp_path / "house.quoth", write(tmp_path / "house", HOUSE)) as library:
        library.add(tmp_path / "keys.txt")
    return tmp_path / "house.quoth"


def left(path: Path) -> list[str]:
    return [f.where for f in check_library(path).findings if f.kind == "leftover"]


def aged(path: Path, *names: str) -> None:
    """Let what is called so among the uploads be two days old."""
    then = time.time() - 2 * 86_400
    for name in names:
        os.utime(path / "uploads" / name, (then, then))


def test_what_people_and_their_systems_keep_hidden_is_no_leftover(path: Path) -> None:
    kept = {".quothignore": "*.tmp", ".DS_Store": "x", ".accepted/batch-01/a.txt": "A."}
    write(path / "uploads", kept)
    aged(path, ".quothignore", ".DS_Store", ".accepted/batch-01", ".accepted")
    assert left(path) == []
    (path / "words-77").mkdir()
    repair_library(path, encoder=HashEncoder())
    assert left(path) == []
    for name in kept:
        assert (path / "uploads" / name).exists()


def test_a_batch_that_was_never_taken_in_is_taken_away_by_a_repair(path: Path) -> None:
    write(path / "uploads/.incoming", {"batch-old/a.txt": "A.", "batch-new/b.txt": "B."})
    aged(path, ".incoming/batch-old", ".incoming")
    assert left(path) == ["uploads/.incoming/batch-old"]
    assert repair_library(path, encoder=HashEncoder()).checkup.findings == ()
    assert not (path / "uploads/.incoming/batch-old").exists()
    assert (path / "uploads/.incoming/batch-new/b.txt").read_text() == "B."


def test_an_upload_that_lies_aside_is_put_back_by_a_repair(path: Path) -> None:
    """As a process leaves it that was killed while it replaced the file."""
    uploads = path / "uploads"
    before = (uploads / "keys.txt").read_bytes()
    (uploads / ".replaced/batch").mkdir(parents=True, mode=0o700)
    (uploads / "keys.txt").rename(uploads / ".replaced/batch/keys.txt")
    (uploads / ".replaced").chmod(0o700)
    aged(path, ".replaced")
    assert left(path) == ["uploads/.replaced"]
    repaired = repair_library(path, encoder=HashEncoder())
    assert repaired.failed == ()
    assert repaired.checkup.findings == ()
    assert (uploads / "keys.txt").read_bytes() == before
    assert not (uploads / ".replaced").exists()
    with Library.open(path, encoder=HashEncoder()) as library:
        assert library.sync(uploads).changed is False


def test_a_repair_of_modes_opens_nothing(path: Path) -> None:
    """A group may read the library, not the conversations in it."""
    path.chmod(0o750)
    write(path, {"chats.db": b""})
    (path / "chats.db").chmod(0o600)
    (path / "store.db").chmod(0o666)
    assert repair_library(path, encoder=HashEncoder()).done
    modes = {name: stat.S_IMODE((path / name).stat().st_mode) for name in ("chats.db", "store.db")}
    assert modes == {"chats.db": 0o600, "store.db": 0o640}
