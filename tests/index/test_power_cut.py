"""Killed at any step, or without power from then on: nothing that was acknowledged is lost.

A short form of `bench/crash.py`: the same jobs, fewer of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small import HOUSE, write

from bench.faults.client import Server
from bench.faults.examine import examine
from bench.faults.plan import Counts, planned
from bench.faults.replay import CUTS, History, acknowledged
from bench.faults.scenarios import SCENARIOS
from bench.faults.shim import Kind, Record, why_not
from bench.faults.workload import Run, Scenario, observed

needs_shim = pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is a shim")
EVERYDAY = ("changes", "uploads", "chats")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A process that does jobs."""
    with Server(tmp_path_factory.mktemp("crash")) as server:
        yield server


def prepared(server: Server, scenario: str) -> dict[str, Any]:
    """Return the scenario's reference; it fails by itself in no way."""
    reference = server.do("reference", scenario=scenario)
    assert reference["problems"] == []
    assert server.do("replayed", scenario=scenario)["problems"] == []
    return {**reference, "reads": 0, "runs_for": 0.3}


def interrupted(server: Server, scenario: str, *, kills: int, cuts: int) -> int:
    """Do that many and return how many interfered; nothing may be lost."""
    counts = Counts(kills=kills, cuts=cuts, faults=0, damages=0, disks=0, clocks=0)
    interfered = 0
    for task in planned(counts, {scenario: prepared(server, scenario)}, seed=1):
        reply = server.do(**task.values)
        assert reply["problems"] == [], task.again
        interfered += reply.get("killed", not reply.get("same"))
    return interfered


@needs_shim
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("scenario", "kills", "cuts"),
    [
        *((scenario, 3, 4) for scenario in EVERYDAY),
        *(pytest.param(scenario, 8, 12, marks=pytest.mark.slow) for scenario in SCENARIOS),
    ],
)
def test_interruptions_lose_nothing(server: Server, scenario: str, kills: int, cuts: int) -> None:
    """And what the log says of the disk is what is on it, byte for byte."""
    assert interrupted(server, scenario, kills=kills, cuts=cuts) >= (kills + cuts) // 2


@needs_shim
def test_a_step_is_counted_once_and_the_process_ends_at_the_one_that_was_asked_for(
    server: Server,
) -> None:
    steps = prepared(server, "chats")["steps"]
    assert server.do("kill", scenario="chats", at=steps)["killed"] is True
    assert server.do("kill", scenario="chats", at=steps + 100)["killed"] is False


def test_a_loss_is_noticed(tmp_path: Path) -> None:
    """The examination itself can fail: an acknowledged sync that is not there is a loss."""
    run = Run(tmp_path / "world", write(tmp_path / "docs", HOUSE))
    run.world.mkdir()
    scenario = SCENARIOS["first sync"]
    states = [observed(scenario, run)]
    run.close()
    assert examine(scenario, run, [*states, "another"], 1) == ["state 0 instead of 1 or 2"]


def test_what_is_embedded_twice_and_what_is_left_over_is_noticed(tmp_path: Path) -> None:
    docs = write(tmp_path / "docs", HOUSE)

    def careless(run: Run) -> None:
        run.library.sync(run.docs)
        run.encoder.encode_documents(["Error E-4304 of the heating was repaired."])
        write(run.path, {"vectors-9-9.tmp": "", "uploads/alone.txt": ""})

    kind = SCENARIOS["first sync"]
    scenario = Scenario("careless", kind.prepare, (careless,), kind.observe)
    undisturbed, crashed = (Run(tmp_path / name, docs) for name in ("undisturbed", "crashed"))
    for run in (undisturbed, crashed):
        run.world.mkdir()
    # What is embedded stays, also where its document does not.
    crashed.library.add("Error E-4304 of the heating was repaired.", name="staged")
    crashed.library.remove("staged")
    states = [observed(scenario, crashed)]
    crashed.close()
    careless(undisturbed)
    states.append(observed(scenario, undisturbed))
    undisturbed.close()
    problems = "\n".join(examine(scenario, Run(crashed.world, docs), states, 0))
    assert "1 strings were embedded again" in problems
    assert "left over: docs.quoth/vectors-9-9.tmp" in problems
    assert "alone.txt" in problems


def record(kind: Kind, path: str, **values: Any) -> Record:  # noqa: ANN401
    others: dict[str, Any] = {"folder": False, "to": "", "inode": 7, "offset": 0, "data": b""}
    return Record(kind=kind, path=path, **{**others, **values})


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A folder with one file."""
    return write(tmp_path / "base", {"old.txt": "old"})


def history(base: Path, *records: Record) -> History:
    return History(base, {3: "old.txt"}, records)


CREATED = record(Kind.CREATE, "a.tmp")
WRITTEN = record(Kind.WRITE, "a.tmp", data=b"new")
SYNCED = record(Kind.SYNC, "a.tmp")
RENAMED = record(Kind.RENAME, "a.tmp", to="old.txt")
FOLDER = record(Kind.SYNC, "", folder=True, inode=1)


def test_what_was_not_synced_is_gone(base: Path) -> None:
    found = history(base, CREATED, WRITTEN, SYNCED, RENAMED)
    assert found.left(4, "nothing", 0)[1] == {"old.txt": b"old"}
    assert found.left(4, "all", 0)[1] == {"old.txt": b"new"}


def test_a_folder_that_was_synced_keeps_its_names(base: Path) -> None:
    found = history(base, CREATED, WRITTEN, SYNCED, RENAMED, FOLDER)
    assert found.left(5, "nothing", 0)[1] == {"old.txt": b"new"}
    assert found.left(3, "nothing", 0)[1] == {"old.txt": b"old"}


def test_a_name_survives_without_what_was_written_into_it(base: Path) -> None:
    """The well-known file of length zero: renamed, but never synced."""
    found = history(base, CREATED, WRITTEN, RENAMED, FOLDER)
    assert found.left(4, "nothing", 0)[1] == {"old.txt": b""}


def test_the_sync_of_a_file_brings_its_name_along_where_there_is_a_journal(base: Path) -> None:
    found = history(base, CREATED, WRITTEN, SYNCED)
    assert found.left(3, "nothing", 0)[1] == {"old.txt": b"old"}
    assert found.left(3, "journal", 0)[1] == {"old.txt": b"old", "a.tmp": b"new"}


def test_a_write_is_torn_between_sectors_and_a_size_is_there_without_its_data(base: Path) -> None:
    data = bytes(range(1, 256)) * 40
    found = history(base, CREATED, FOLDER, record(Kind.WRITE, "a.tmp", data=data))
    left = [found.left(3, "torn", seed)[1]["a.tmp"] for seed in range(40)]
    torn = [content for content in left if content not in (b"", data)]
    assert torn
    for content in torn:
        for start in range(0, len(data), 512):
            sector = content[start : start + 512]
            assert sector in (data[start : start + 512], bytes(len(sector)))
    holes = {found.left(3, "holes", seed)[1]["a.tmp"] for seed in range(40)}
    assert holes == {b"", bytes(len(data))}


@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_is_the_same_for_the_same_seed(base: Path, cut: str) -> None:
    found = history(base, CREATED, WRITTEN, RENAMED, record(Kind.UNLINK, "old.txt", inode=0))
    assert found.left(4, cut, 5) == found.left(4, cut, 5)


def test_a_folder_that_is_lost_takes_its_files_along(base: Path) -> None:
    inside = [record(Kind.CREATE, "f/a"), record(Kind.SYNC, "f/a")]
    made = record(Kind.MKDIR, "f", inode=0)
    synced = record(Kind.SYNC, "f", folder=True, inode=9)
    assert history(base, made, *inside, synced).left(4, "nothing", 0) == (
        set(),
        {"old.txt": b"old"},
    )
    folders, files = history(base, made, *inside, synced, FOLDER).left(5, "nothing", 0)
    assert (folders, sorted(files)) == ({"f"}, ["f/a", "old.txt"])


def test_what_was_acknowledged_is_what_was_marked_before(base: Path) -> None:
    marks = [record(Kind.MARK, "", inode=0, offset=number) for number in (1, 2)]
    found = history(base, CREATED, marks[0], SYNCED, marks[1])
    assert [acknowledged(found, upto) for upto in range(5)] == [0, 0, 1, 1, 2]
