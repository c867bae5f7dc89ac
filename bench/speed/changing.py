"""How long a change takes until questions see it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.kept import kept
from bench.speed.figure import Figure

__all__ = ["change", "unchanged"]

TIMES = 5


def change(sentences: int) -> Iterator[Figure]:
    """Yield the seconds until one more file is found, and until it is not any more."""
    from index import Library
    from qa import Retriever

    found = kept(None, sentences)
    added, removed = [], []
    with tempfile.TemporaryDirectory(prefix="quoth-bench-") as place:
        copy = shutil.copytree(found.path, Path(place) / "l.quoth")
        folder = Path(place) / "notes"
        folder.mkdir()
        with Library.open(copy) as library:
            retriever = Retriever(library)
            retriever.retrieve(found.questions[0])
            for number in range(TIMES):
                file = folder / f"note {number}.txt"
                file.write_text(f"The zorblat of house {number} is kept in cellar {number}.")
                question = f"Where is the zorblat of house {number} kept?"
                began = time.perf_counter()
                library.sync(folder)
                if retriever.retrieve(question)[0].document.name != file.name:
                    raise AssertionError(f"{file} was not found")
                added.append(time.perf_counter() - began)
                began = time.perf_counter()
                library.remove(file)
                if any(p.document.name == file.name for p in retriever.retrieve(question)):
                    raise AssertionError(f"{file} was still found")
                removed.append(time.perf_counter() - began)
    yield Figure("one more file until it is found", median(added), "s")
    yield Figure("a file removed until it is gone", median(removed), "s")


def unchanged(files: int) -> Iterator[Figure]:
    """Yield how long a first sync of many short files takes, and one of the same again."""
    from index import Library

    with tempfile.TemporaryDirectory(prefix="quoth-bench-") as place:
        for number in range(files):
            file = Path(place) / "notes" / str(number // 1000) / f"{number}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"Meter {number} was read on day {number % 365}.")
        with Library.open(Path(place) / "l.quoth", create=True) as library:
            began = time.perf_counter()
            library.sync(Path(place) / "notes")
            first = time.perf_counter() - began
            time.sleep(3)  # files that changed within two seconds of a sync are read again
            library.sync(Path(place) / "notes")
            seconds = []
            for _ in range(TIMES):
                began = time.perf_counter()
                library.sync(Path(place) / "notes")
                seconds.append(time.perf_counter() - began)
    yield Figure("first sync of short files", first, "s")
    yield Figure("sync of unchanged files", median(seconds), "s")
