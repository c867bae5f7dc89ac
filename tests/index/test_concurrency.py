"""One writer, many searchers: nobody sees an error or half a state."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from small import HashEncoder, answers, new_library, write

from index import Library, lock, vectors
from index.errors import LibraryLockedError

QUESTIONS = ("What is the number of the state?", "lift 3", "state")


def state(number: int) -> dict[str, str]:
    """Return files that all tell the same number."""
    return {
        f"{n}.txt": f"The number of the state is s{number}.\n\nLift {n} of {number}."
        for n in range(12)
    }


def ask(library: Library, folder: Path, told: list[object], stop: threading.Event) -> None:
    """Ask until `stop`; note every answer that is of no state, or of two at once."""
    try:
        while not stop.is_set():
            with library.searching() as searcher:
                texts = [searcher.text(number) for number in searcher.documents]
                numbers = {text.split(".")[0] for text in texts}
                if len(numbers) != 1 or len(texts) != 12:
                    told.append((searcher.generation, numbers, len(texts)))
            found = answers(library, QUESTIONS)
            of_states = {str(row[3]).split("is s")[1].split(".")[0] for row in found[2]}
            if len(of_states) != 1:
                told.append(of_states)
            library.find("lift")
            library.status()
            library.documents()
    except BaseException as error:
        told.append(error)
        raise


@pytest.mark.parametrize("same_library", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_questions_go_on_while_a_sync_publishes_and_compacts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, same_library: bool
) -> None:
    monkeypatch.setattr(vectors, "SMALLEST_BASE", 10)
    folder = write(tmp_path / "a", state(0))
    told: list[object] = []
    stop = threading.Event()
    with new_library(tmp_path / "a.quoth", folder) as library:
        searching = (
            library
            if same_library
            else Library.open(library.path, read_only=True, encoder=HashEncoder())
        )
        threads = [
            threading.Thread(target=ask, args=(searching, folder, told, stop)) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        changes: list[Callable[[], object]] = [library.compact, library.rebuild, lambda: None]
        for number in range(1, 10):
            write(folder, state(number))
            report = library.sync(folder)
            assert len(report.updated) == 12
            changes[number % 3]()
        stop.set()
        for thread in threads:
            thread.join()
        assert told == []
        searching.close()


def test_threads_that_ask_at_once_get_the_same_answers(library: Library) -> None:
    expected = answers(library, QUESTIONS)
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.extend(answers(library, QUESTIONS) for _ in range(5)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 30


_HOLDING = """
import sys
from small import HashEncoder
from index import Library
class Waiting(HashEncoder):
    def encode_documents(self, texts):
        print("holding", flush=True)
        sys.stdin.readline()
        return super().encode_documents(texts)
with Library.open(sys.argv[1], encoder=Waiting()) as library:
    library.add("A text of the other process.", name="other")
"""


def test_a_second_writer_is_told_who_holds_the_lock_and_searchers_go_on(
    library: Library, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.2)
    write(tmp_path, {"new.txt": "A new text."})
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDING, str(library.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1"},
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "holding\n"
        for change in (
            lambda: library.sync(folder),
            lambda: library.add(tmp_path / "new.txt"),
            lambda: library.add("text", name="note"),
            lambda: library.remove("lift.txt"),
            library.compact,
            library.rebuild,
        ):
            with pytest.raises(LibraryLockedError, match=f"changed by process {other.pid} on"):
                change()
        assert library.find("caretaker").total == 1
        assert not library.uploads.exists()
        other.stdin.write("go\n")
        other.stdin.flush()
        assert other.wait() == 0
    assert {info.path for info in library.documents()} >= {"other", "lift.txt"}
    assert library.sync(folder).unchanged == 4


def test_a_second_writer_waits_for_the_first(library: Library, tmp_path: Path) -> None:
    order: list[str] = []

    class Slow(HashEncoder):
        def encode_documents(self, texts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            order.append("first begins")
            time.sleep(0.3)
            order.append("first ends")
            return super().encode_documents(texts)

    with Library.open(library.path, encoder=Slow()) as other:
        thread = threading.Thread(target=other.add, args=("Slow text.",), kwargs={"name": "slow"})
        thread.start()
        while not order:
            time.sleep(0.01)
        library.add("Quick text.", name="quick")
        order.append("second ends")
        thread.join()
    assert order == ["first begins", "first ends", "second ends"]
    assert {info.path for info in library.documents()} >= {"slow", "quick"}


def test_the_lock_of_a_process_that_died_holds_nobody_up(library: Library) -> None:
    """The system lets it go; the note of who held it is left behind."""
    (library.path / "writer.json").write_text('{"pid": 1, "host": "x", "since": "y"}')
    (library.path / "writer.lock").write_text("")
    library.add("A text.", name="note")
    assert not (library.path / "writer.json").exists()
    assert os.getpid() != 1
