"""A writer that is killed between what it writes to an engine and the publication."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from small import HOUSE, QUESTIONS, HashEncoder, answers, new_library, stored, write

from index import Library
from index.address import Place

pytestmark = pytest.mark.slow

_CHILD = """
import os, signal, sys
from small import HashEncoder
from index import Library, draft, ingest
from index.engines import engine, home, local, milvus

library, folder, what, at = sys.argv[1:]
ingest.STAGE, ingest.BATCH = 4, 10
ENGINES = (local.LocalEngine, home.HomeEngine, milvus.MilvusEngine)

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def after(function):
    def wrapped(*args, **kwargs):
        function(*args, **kwargs)
        die()
    return wrapped

if at == "some documents in the store":
    draft.Draft.flush = after(draft.Draft.flush)
elif at == "all in the engine":
    for one in ENGINES:
        one.complete = after(one.complete)
elif at == "in the transaction":
    draft.now = die
elif at == "published":
    for one in ENGINES:
        one.tidy = die
elif at == "made anew":
    for one in ENGINES:
        one.rewrite = after(one.rewrite)
        one.compact = after(one.compact)

with Library.open(library, encoder=HashEncoder()) as opened:
    if what == "sync":
        opened.sync(folder, yes=True)
    elif what == "rebuild":
        opened.rebuild()
    elif what == "another model":
        opened.rebuild(encoder=HashEncoder("other"))
    else:
        opened.compact()
"""


def killed(place: Place, folder: Path, what: str, at: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(place), str(folder), what, at],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def said(library: Library) -> tuple[object, ...]:
    return stored(library), answers(library, (*QUESTIONS, "Where do bicycles stand?"))


def change(folder: Path) -> None:
    write(folder, {"bicycles.txt": "Bicycles stand in the cellar.\n\nThe cellar is locked at ten."})
    write(folder, {"garden.md": HOUSE["garden.md"].replace("nine", "ten")})
    (folder / next(name for name in HOUSE if name != "garden.md")).unlink()


@pytest.mark.parametrize(
    ("at", "published"),
    [
        ("some documents in the store", False),
        ("all in the engine", False),
        ("in the transaction", False),
        ("published", True),
    ],
)
def test_a_sync_leaves_the_old_state_or_the_new(
    place: Place, folder: Path, tmp_path: Path, at: str, published: bool
) -> None:
    with new_library(place, folder) as library:
        old = said(library)
    change(folder)
    with new_library(tmp_path / "fresh.quoth", folder) as fresh:
        new = said(fresh)
    killed(place, folder, "sync", at)
    with Library.open(place, read_only=True, encoder=HashEncoder()) as reading:
        assert said(reading) == (new if published else old)
    with Library.open(place, encoder=HashEncoder()) as library:
        assert library.sync(folder, yes=True).changed is not published
        assert said(library) == new
        assert library.check().ok
        library.compact()
        assert said(library) == new
        assert library.check().findings == ()


@pytest.mark.parametrize("what", ["rebuild", "compact"])
@pytest.mark.parametrize("at", ["made anew", "published"])
def test_upkeep_changes_no_answer(place: Place, folder: Path, what: str, at: str) -> None:
    with new_library(place, folder) as library:
        change(folder)
        library.sync(folder, yes=True)
        expected = said(library)
    killed(place, folder, what, at)
    with Library.open(place, encoder=HashEncoder()) as library:
        assert said(library) == expected
        assert library.sync(folder).changed is False
        library.add("Prams stand in the hall.", name="prams")
        library.remove("prams")
        assert said(library) == expected
        library.compact()
        assert library.check().findings == ()


@pytest.mark.parametrize("at", ["some documents in the store", "all in the engine"])
def test_a_change_of_model_leaves_the_old_model(place: Place, folder: Path, at: str) -> None:
    with new_library(place, folder) as library:
        expected = said(library)
    killed(place, folder, "another model", at)
    with Library.open(place, encoder=HashEncoder()) as library:
        assert said(library) == expected
        library.rebuild(encoder=HashEncoder("other"))
        assert library.status().model == "other"
        library.compact()
        assert library.check().findings == ()
