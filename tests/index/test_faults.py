"""Steps that fail, disks that are full, files that are damaged: told, and nothing is lost.

A short form of `bench/crash.py`: the same jobs, fewer of them.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small import HashEncoder, new_library, write

from bench.faults.client import Server
from bench.faults.damage import DAMAGES, FILES, LIVE
from bench.faults.examine import one_sentence
from bench.faults.jobs import FAULTS
from bench.faults.scenarios import SCENARIOS
from bench.faults.shim import why_not
from index import Library, vectors
from index.errors import LibraryError
from index.watched import Watched

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is a shim")
slow = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A process that does jobs, with a library to damage."""
    with Server(tmp_path_factory.mktemp("faults")) as server:
        assert server.do("damage reference")["problems"] == []
        yield server


@pytest.mark.parametrize(
    ("fault", "at"),
    [
        ("disk full", 40),
        ("error", 150),
        ("read errors", 6),
        *(pytest.param(fault, at, marks=slow) for fault in FAULTS for at in (3, 90, 200, 290)),
    ],
)
def test_a_step_that_fails_is_told_and_the_work_goes_on_afterwards(
    server: Server, fault: str, at: int
) -> None:
    assert server.do("reference", scenario="changes")["problems"] == []
    reply = server.do("fault", scenario="changes", fault=fault, at=at)
    assert reply["problems"] == []
    # A call that was interrupted, or wrote less, is repeated and nobody need hear of it.
    assert (
        reply["told"] or fault in ("interrupted", "short write", "error", "read error") or at > 90
    )


@slow
@pytest.mark.parametrize(
    "scenario", [pytest.param(name, marks=() if name == "changes" else slow) for name in SCENARIOS]
)
def test_faults_in_whatever_happens_lose_nothing(server: Server, scenario: str) -> None:
    reference = server.do("reference", scenario=scenario)
    reads = server.do("reads", scenario=scenario)["reads"]
    draw = random.Random(4)
    for fault in FAULTS:
        at = draw.randint(1, reads if fault.startswith("read e") else reference["steps"])
        reply = server.do("fault", scenario=scenario, fault=fault, at=at)
        assert reply["problems"] == [], (fault, at)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk")
@pytest.mark.parametrize(
    "room", [60_000, pytest.param(0, marks=slow), pytest.param(250_000, marks=slow)]
)
def test_a_disk_that_is_really_full_is_told_and_loses_nothing(server: Server, room: int) -> None:
    states = server.do("reference", scenario="changes")["states"]
    reply = server.do("full", scenario="changes", states=states, room=room)
    assert reply["problems"] == []
    assert any("disk is full" in sentence for sentence in reply["told"])


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=slow) for n in range(2, 8))])
def test_every_change_is_seen_while_the_clock_jumps(server: Server, seed: int) -> None:
    assert server.do("clock", seed=seed)["problems"] == []


@pytest.mark.parametrize(
    ("file", "how"),
    [
        ("store", "one bit"),
        ("vectors", "torn"),
        ("words: term", "bytes changed"),
        ("log of the store", "gone"),
        *(pytest.param(file, how, marks=slow) for file in FILES for how in DAMAGES),
    ],
)
def test_a_damaged_file_changes_no_answer_unless_that_is_told(
    server: Server, file: str, how: str
) -> None:
    """And what changes an answer the check finds; what the repair calls mended is."""
    reply = server.do("damage", file=file, how=how, seed=1, live=file in LIVE)
    assert reply["problems"] == []
    assert reply["outcome"] in ("same", "told", "another")


@pytest.mark.parametrize(
    ("file", "how"),
    [
        ("vectors", "emptied"),
        ("words: fast", "another file"),
        ("index of that log", "emptied"),
        ("store", "cut short"),
        *(pytest.param(file, how, marks=slow) for file in FILES for how in ("cut short", "torn")),
    ],
)
def test_a_file_that_is_damaged_while_it_is_read_neither_ends_the_process_nor_lies(
    server: Server, file: str, how: str
) -> None:
    reply = server.do("damage", file=file, how=how, seed=2, live=file in LIVE, read=True)
    assert reply["problems"] == []
    assert reply["outcome"] != "died"


def test_files_are_looked_at_by_place_size_and_time(tmp_path: Path) -> None:
    write(tmp_path, {"a": "one", "b": "two"})
    watched = Watched([tmp_path / "a", tmp_path / "b"])
    assert watched.changed() is False
    (tmp_path / "b").unlink()  # whoever has it mapped keeps it
    assert watched.changed() is False
    os.truncate(tmp_path / "a", 1)
    assert watched.changed() is True


def test_a_second_snapshot_is_taken_when_a_mapped_file_was_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "SMALLEST_BASE", 3)
    folder = write(tmp_path / "docs", {f"{n}.txt": f"Lift {n} is inspected." for n in range(9)})
    with new_library(tmp_path / "a.quoth", folder) as library:
        with library.searching() as searcher:
            before = searcher.nearest(HashEncoder().encode_query("lift 3"), 5, None)
        (base,) = library.path.glob("vectors-*.faiss")
        os.truncate(base, 0)
        with library.searching() as searcher:
            assert searcher.nearest(HashEncoder().encode_query("lift 3"), 5, None) == before


def test_a_library_that_was_only_begun_is_begun_again(tmp_path: Path) -> None:
    """Its database is made beside its place: half of one is none."""
    path = tmp_path / "a.quoth"
    path.mkdir()
    write(path, {".store-0a1b2c3d": "half", ".store-0a1b2c3d-wal": "a log", "writer.lock": ""})
    with Library.open(path, create=True, encoder=HashEncoder()) as library:
        assert library.documents() == []
    assert [each.name for each in path.iterdir() if each.name.startswith(".store-")] == []


def test_a_sentence_is_one_line_with_an_end() -> None:
    assert one_sentence(LibraryError("The disk is full; make room on it.")) == ""
    for told in ("", "two\nlines.", "Traceback (most recent call last).", "no end"):
        assert one_sentence(LibraryError(told)) != ""


@slow
def test_the_campaign_reports_what_it_did_and_does_one_job_again(tmp_path: Path) -> None:
    counts = "--kills 12 --cuts 12 --faults 10 --damages 6 --disks 2 --clocks 1".split()
    command = [sys.executable, "bench/crash.py", "--work", str(tmp_path / "work")]
    done = subprocess.run(
        [*command, *counts, "--scenario", "chats", "--json", str(tmp_path / "figures.json")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Lost: 0" in done.stdout
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["done"]["chats: kills"] == 12
    assert figures["lost"] == []
    job = '{"job":"kill","scenario":"chats","at":20,"torn":true}'
    again = subprocess.run(
        [*command, "--scenario", "chats", "--only", job],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert "1 interruptions" in again.stdout
