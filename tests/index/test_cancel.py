"""A sync that is stopped leaves the library as it was, and what it had embedded."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from small import QUESTIONS, answers, new_library, stored, write

from index import Library, ingest, sync
from index.errors import SyncCancelledError
from index.formats.registry import Reading, read_file
from index.reports import Progress


@pytest.fixture
def cancel() -> threading.Event:
    """Stops a sync once it is set."""
    return threading.Event()


def more(number: int) -> dict[str, str]:
    return {
        f"more/{n}.txt": "\n\n".join(f"Sentence {n} {i} tells of the quay." for i in range(6))
        for n in range(number)
    }


def test_a_sync_that_is_cancelled_at_once_reads_nothing(
    library: Library, folder: Path, cancel: threading.Event
) -> None:
    write(folder, more(3))
    cancel.set()
    with pytest.raises(SyncCancelledError, match="the library is as it was"):
        library.sync(folder, cancel=cancel)
    assert (library.generation, len(library.documents())) == (1, 4)


def test_a_cancelled_sync_changes_no_answer_and_the_next_one_is_quick(
    library: Library,
    folder: Path,
    tmp_path: Path,
    cancel: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ingest, "STAGE", 8)
    monkeypatch.setattr(ingest, "BATCH", 20)
    before = stored(library), answers(library, QUESTIONS)
    write(folder, {**more(9), "lift.txt": "The lift stands still."})

    def stop_half_way(progress: Progress) -> None:
        if progress.share >= 0.5:
            cancel.set()

    with pytest.raises(SyncCancelledError):
        library.sync(folder, progress=stop_half_way, cancel=cancel)
    assert (stored(library), answers(library, QUESTIONS)) == before
    assert library.generation == 1
    report = library.sync(folder)
    assert len(report.added) == 9
    strings = 9 * 6 + 9 + 2
    assert 0 < report.embedded < strings * 0.75
    with new_library(tmp_path / "fresh.quoth", folder) as fresh:
        expected = stored(fresh), answers(fresh, QUESTIONS)
    assert (stored(library), answers(library, QUESTIONS)) == expected


@pytest.mark.parametrize("by", ["cancel", "interrupt"])
def test_a_file_that_is_being_read_is_not_waited_for(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    reading, gave_up = threading.Event(), threading.Event()

    def slow(
        path: Path, *, root: Path | None = None, cancel: threading.Event | None = None
    ) -> Reading:
        if path.name != "slow.txt":
            return read_file(path, root=root, cancel=cancel)
        reading.set()
        assert cancel is not None
        if cancel.wait(60):
            gave_up.set()
        raise SyncCancelledError

    def stop() -> None:
        if reading.is_set():
            raise SyncCancelledError if by == "cancel" else KeyboardInterrupt

    monkeypatch.setattr("index.fileread.read_file", slow)
    monkeypatch.setattr(sync._Sync, "_stop_if_asked", lambda _: stop())
    write(folder, {"slow.txt": "The quay is wet."})
    with pytest.raises((SyncCancelledError, KeyboardInterrupt)):
        library.sync(folder)
    assert gave_up.is_set()
    assert library.generation == 1


def test_what_was_skipped_in_a_cancelled_sync_is_not_remembered(
    library: Library, folder: Path, cancel: threading.Event
) -> None:
    write(folder, {"a.xyz": b"", "b.txt": "The quay is wet."})
    with pytest.raises(SyncCancelledError):
        library.sync(folder, progress=lambda progress: cancel.set(), cancel=cancel)
    assert library.failures() == ()


def test_progress_goes_on_within_one_long_file(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "STAGE", 8)
    write(folder, {"long.txt": "\n\n".join(f"Line {n} of the log." for n in range(80))})
    steps: list[Progress] = []
    library.sync(folder, progress=steps.append)
    shares = [step.share for step in steps]
    assert shares == sorted(shares)
    assert len({share for share in shares if 0 < share < 1}) > 5
    assert shares[-1] == 1.0
    assert all(step.seconds_left is not None for step in steps)
