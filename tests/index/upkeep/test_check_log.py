"""The log is looked over without SQLite's help, and without harm to SQLite's locks."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from small import HOUSE, new_library, write

from index import Library
from index.store import FILE
from index.upkeep.check import check_library
from index.upkeep.check_log import check_log

CHANGES = 12

_CHECKPOINT = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA busy_timeout = 100")
print(*db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
"""


def test_a_check_leaves_the_locks_of_its_process_alone(library: Library) -> None:
    """Closing a file takes away every lock that the process has on it, SQLite's too."""
    with library._store.reading() as db:
        before = db.execute("SELECT count(*) FROM sources").fetchone()[0]
        with closing(sqlite3.connect(library.path / FILE)) as other, other:
            other.execute("INSERT INTO sources(kind, location) VALUES('folder', '/x')")
        check_library(library.path)
        done = subprocess.run(
            [sys.executable, "-c", _CHECKPOINT, str(library.path / FILE)],
            capture_output=True,
            text=True,
        )
        assert done.stdout.split()[:1] == ["1"], done  # somebody reads: not done
        assert db.execute("SELECT count(*) FROM sources").fetchone()[0] == before


@pytest.fixture(scope="module", params=[512, 4096, 65536])
def left(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a log of some changes, as a process leaves it that is killed."""
    top = tmp_path_factory.mktemp("left")
    draw = random.Random(7)
    with closing(sqlite3.connect(top / FILE, isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size = {request.param}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("CREATE TABLE t(a)")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for _ in range(CHANGES):
            db.execute("INSERT INTO t VALUES(?)", (draw.randbytes(draw.randrange(3000)),))
        shutil.copytree(top, top / "left")
    return top / "left"


def lost(folder: Path) -> int:
    """Return how many changes are told to be lost."""
    for finding in check_log(folder):
        words = finding.message.split("its last ")[1].split()
        return int(words[0]) if words[0].isdigit() else 1
    return 0


def damaged(left: Path, place: Path) -> Iterator[tuple[Path, int]]:
    """Yield copies whose log has one wrong bit, and where."""
    draw = random.Random(11)
    log = (left / f"{FILE}-wal").read_bytes()
    page = int.from_bytes(log[8:12], "big")
    for number in range(40):
        at = draw.randrange(32 if number > 3 else 12, len(log) if number > 3 else 32)
        if at >= 32 and (at - 32) % (24 + page) in range(4, 8):
            continue  # then a frame that ends no change would be taken for one that does
        copy = place / str(number)
        copy.mkdir()
        shutil.copy(left / FILE, copy)
        wrong = bytearray(log)
        wrong[at] ^= 1 << draw.randrange(8)
        (copy / f"{FILE}-wal").write_bytes(wrong)
        yield copy, at


def test_as_many_changes_are_lost_as_sqlite_does_not_read(left: Path, tmp_path: Path) -> None:
    assert lost(left) == 0
    for copy, at in damaged(left, tmp_path):
        told = lost(copy)
        with closing(sqlite3.connect(copy / FILE)) as db:
            (read,) = db.execute("SELECT count(*) FROM t").fetchone()
        assert told == CHANGES - read, at


def test_a_log_whose_pages_have_no_size_is_told(left: Path, tmp_path: Path) -> None:
    shutil.copytree(left, tmp_path / "copy")
    with (tmp_path / "copy" / f"{FILE}-wal").open("r+b") as log:
        log.seek(8)
        log.write(b"\0\0\1\1")
    assert lost(tmp_path / "copy") == 1


def test_what_an_older_turn_left_in_the_log_is_not_lost(tmp_path: Path) -> None:
    with new_library(tmp_path / "l.quoth", write(tmp_path / "house", HOUSE)) as library:
        for turn in range(3):
            for _ in range(3 - turn):
                with closing(sqlite3.connect(library.path / FILE)) as db, db:
                    db.execute("PRAGMA wal_autocheckpoint = 0")
                    db.execute("UPDATE sources SET synced_ns = synced_ns + 1")
            with closing(sqlite3.connect(library.path / FILE)) as db:
                db.execute("PRAGMA wal_checkpoint(RESTART)")
            assert lost(library.path) == 0
