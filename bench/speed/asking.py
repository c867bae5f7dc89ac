"""How long a question takes in a library that is open, and in a new process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.kept import kept
from bench.latency import WARM_UP, timed
from bench.options import sample
from bench.speed.figure import Figure, current_mb

__all__ = ["ask", "cold"]

ROOT = Path(__file__).resolve().parents[2]


def ask(sentences: int) -> Iterator[Figure]:
    """Yield the times of questions in a process that has the library open, and its memory."""
    from index import Library
    from qa import Retriever

    found = kept(None, sentences)
    questions = sample(found.questions, 200 + WARM_UP)
    began = time.perf_counter()
    with Library.open(found.path, read_only=True) as library:
        Retriever(library).retrieve(questions[0])
        yield Figure("opened, first passages", time.perf_counter() - began, "s")
        times = timed(library, questions)
    for name, what in (("retrieve", "retrieve"), ("ask", "answer")):
        yield Figure(f"{what}, p50", times[name]["p50"], "ms")
        yield Figure(f"{what}, p95", times[name]["p95"], "ms")
    yield Figure("passages read for an answer", times["read"]["passages"], "passages")
    yield Figure("memory while asked", current_mb(), "MB")


def cold(sentences: int) -> Iterator[Figure]:
    """Yield how long `quoth ask` takes from the shell and back, with warm disks."""
    found = kept(None, sentences)
    seconds = []
    for question in sample(found.questions, 6):
        command = [sys.executable, "ui.py", "ask", "--library", str(found.path), question]
        began = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env=os.environ)
        seconds.append(time.perf_counter() - began)
    yield Figure("quoth ask, new process", sorted(seconds[1:])[2], "s")
