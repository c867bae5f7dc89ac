"""Killed at any moment, a library answers as before and has lost nothing."""

from __future__ import annotations

import resource
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from small import QUESTIONS, HashEncoder, answers, new_library, stored, write

from index import Library, vectors
from index.store import FILE

# Each of these takes half a second or more; the everyday run has the moments that matter most.
slow = pytest.mark.slow

OLD = {f"{n}.txt": f"Lift {n} is inspected in week {n}.\n\nDogs bark at {n}." for n in range(20)}
NEW = {f"new/{n}.txt": f"Bed {n} is watered at {n}.\n\nThe hose of {n}." for n in range(20)}
CHANGED = {"3.txt": "Lift 3 was taken out.", "4.txt": "Lift 4 was painted."}

# Runs in a process of its own; `at` says where it is killed. Small stages, batches and bases
# make every step happen several times.
_CHILD = """
import os, signal, sys
from small import HashEncoder
from index import Library, ingest, maintain, store, sync, vectors, words
from index.engines import local

library, folder, what, at = sys.argv[1:]
ingest.STAGE, ingest.BATCH, vectors.SMALLEST_BASE = 4, 10, 30

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def after(function):
    def wrapped(*args, **kwargs):
        function(*args, **kwargs)
        die()
    return wrapped

class Dying(HashEncoder):
    def encode_documents(self, texts):
        if at.startswith("encoding") and len(self.encoded) >= int(at.split()[1]):
            die()
        return super().encode_documents(texts)

if at == "before words":
    words.WordWriter.commit = die
elif at == "after words":
    words.WordWriter.commit = after(words.WordWriter.commit)
elif at == "after base":
    local.write_base = after(local.write_base)
elif at == "in transaction":
    local.set_meta = after(local.set_meta)
    maintain.set_meta = after(maintain.set_meta)
elif at == "before tidying":
    local.LocalEngine.tidy = die
elif at == "before vacuum":
    store.Store.vacuum = die

with Library.open(library, encoder=Dying()) as opened:
    if what == "sync":
        opened.sync(folder, yes=True)
    elif what == "compact":
        opened.compact()
    elif what == "rebuild":
        opened.rebuild()
    else:
        opened.rebuild(encoder=Dying("other"))
"""


def killed(library: Path, folder: Path, what: str, at: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(library), str(folder), what, at],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def vectors_in(library: Path) -> int:
    with closing(sqlite3.connect(library / FILE)) as db:
        return int(db.execute("SELECT count(*) FROM vectors").fetchone()[0])


@pytest.fixture(autouse=True)
def _small_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "SMALLEST_BASE", 30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is in step with `path`."""
    return write(tmp_path / "docs", OLD)


@pytest.fixture
def path(folder: Path, tmp_path: Path) -> Path:
    """A closed library."""
    new_library(tmp_path / "docs.quoth", folder).close()
    return tmp_path / "docs.quoth"


def everything(library: Library) -> tuple[object, ...]:
    return stored(library), answers(library, (*QUESTIONS, "Where is bed 7?", "dogs of week 3"))


@pytest.mark.parametrize(
    ("at", "published"),
    [
        pytest.param("encoding 0", False, marks=slow),
        pytest.param("encoding 8", False, marks=slow),
        pytest.param("encoding 30", False, marks=slow),
        pytest.param("before words", False, marks=slow),
        pytest.param("after words", False, marks=slow),
        pytest.param("after base", False, marks=slow),
        ("in transaction", False),
        ("before tidying", True),
    ],
)
def test_a_sync_that_is_killed_leaves_the_old_state_or_the_new(
    path: Path, folder: Path, tmp_path: Path, at: str, published: bool
) -> None:
    with Library.open(path, encoder=HashEncoder()) as library:
        before = everything(library)
    write(folder, NEW | CHANGED)
    (folder / "5.txt").unlink()
    with new_library(tmp_path / "fresh.quoth", folder) as fresh:
        after = everything(fresh)
        total = len(set(fresh.encoder.encoded) - {*_strings(OLD, tmp_path)})  # type: ignore[attr-defined]
    staged = -vectors_in(path)
    killed(path, folder, "sync", at)
    staged += vectors_in(path)

    with Library.open(path, read_only=True, encoder=HashEncoder()) as reading:
        assert everything(reading) == (after if published else before)
    encoder = HashEncoder()
    with Library.open(path, encoder=encoder) as library:
        assert everything(library) == (after if published else before)
        report = library.sync(folder, yes=True)
        assert report.embedded == len(encoder.encoded) == total - staged
        assert everything(library) == after
        assert library.sync(folder).changed is False
        library.compact()
        assert everything(library) == after
        assert library.status().dead_documents == 0


def _strings(files: dict[str, str], tmp_path: Path) -> list[str]:
    """Return what is embedded for `files`."""
    with new_library(tmp_path / "strings.quoth", write(tmp_path / "strings", files)) as library:
        return list(library.encoder.encoded)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("what", "at"),
    [
        pytest.param("compact", "before words", marks=slow),
        pytest.param("compact", "after words", marks=slow),
        pytest.param("compact", "after base", marks=slow),
        ("compact", "in transaction"),
        pytest.param("compact", "before tidying", marks=slow),
        pytest.param("compact", "before vacuum", marks=slow),
        pytest.param("rebuild", "after words", marks=slow),
        ("rebuild", "in transaction"),
        pytest.param("rebuild", "before tidying", marks=slow),
    ],
)
def test_upkeep_that_is_killed_changes_no_answer(
    path: Path, folder: Path, what: str, at: str
) -> None:
    write(folder, CHANGED)
    with Library.open(path, encoder=HashEncoder()) as library:
        library.sync(folder)
        expected = everything(library)
    killed(path, folder, what, at)
    encoder = HashEncoder()
    with Library.open(path, encoder=encoder) as library:
        assert everything(library) == expected
        library.compact()
        assert everything(library) == expected
        assert library.sync(folder).changed is False
        names = [entry.name for entry in path.iterdir()]
        assert sum(name.startswith("words-") for name in names) == 1
        assert sum(name.startswith("vectors-") for name in names) == 1
    assert encoder.encoded == []


@pytest.mark.parametrize(
    "at",
    [
        pytest.param("encoding 12", marks=slow),
        pytest.param("after words", marks=slow),
        "in transaction",
    ],
)
def test_a_change_of_model_that_is_killed_leaves_the_old_model(
    path: Path, folder: Path, at: str
) -> None:
    with Library.open(path, encoder=HashEncoder()) as library:
        expected = everything(library)
    before = vectors_in(path)
    killed(path, folder, "another model", at)
    staged = vectors_in(path) - before
    other = HashEncoder("other")
    with Library.open(path, encoder=HashEncoder()) as library:
        assert everything(library) == expected
        library.rebuild(encoder=other)
        assert library.status().model == "other"
    assert staged > 0
    assert len(other.encoded) == before - staged


def test_a_first_sync_that_is_killed_leaves_an_empty_library_that_goes_on(
    folder: Path, tmp_path: Path
) -> None:
    Library.open(tmp_path / "new.quoth", create=True).close()
    killed(tmp_path / "new.quoth", folder, "sync", "in transaction")
    encoder = HashEncoder()
    with Library.open(tmp_path / "new.quoth", encoder=encoder) as library:
        assert everything(library)[0] == []
        library.sync(folder)
        with new_library(tmp_path / "fresh.quoth", folder) as fresh:
            assert everything(library) == everything(fresh)
    assert encoder.encoded == []


# A limit on the size of files stands for a full disk: writing beyond it fails.
_FULL = """
import resource, sys
from small import HashEncoder
from index import Library
from index.errors import QuothError
room = int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
with Library.open(sys.argv[1], encoder=HashEncoder()) as library:
    try:
        library.sync(sys.argv[2])
    except (QuothError, OSError) as error:
        print(type(error).__name__, error)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no limit on the size of files")
@pytest.mark.parametrize(
    "more",
    [
        pytest.param(-50_000, marks=slow),
        pytest.param(0, marks=slow),
        20_000,
        pytest.param(100_000, marks=slow),
    ],
)
def test_a_full_disk_is_told_and_loses_nothing(
    path: Path, folder: Path, tmp_path: Path, more: int
) -> None:
    with Library.open(path, encoder=HashEncoder()) as library:
        before = everything(library)
    files = {f"full/{n}.txt": f"Page {n}. " + f"Word{n} of many. " * 60 for n in range(60)}
    write(folder, files)
    room = (path / FILE).stat().st_size + more
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(path), str(folder), str(room)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1"},
    )
    assert done.stderr == ""
    assert done.stdout.strip()
    with Library.open(path, encoder=HashEncoder()) as library:
        assert everything(library) == before
        library.sync(folder)
        with new_library(tmp_path / "fresh.quoth", folder) as fresh:
            assert everything(library) == everything(fresh)
