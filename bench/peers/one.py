"""Measures one system in this process, in whatever environment it is started, and prints JSON.

    python one.py build SYSTEM PLACE --documents FOLDER --model FOLDER [--own-chunks]
    python one.py ask SYSTEM PLACE --questions FILE --model FOLDER

`build` reads the documents, splits, embeds and saves them in PLACE; `ask` opens what was saved.
This file and `systems/` import nothing of Quoth's own, but for `systems/quoth.py`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import sys
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

BEGAN = time.perf_counter()
K = 10
WARM_UP = 5  # questions after the first that are not timed


def main() -> None:
    """Do what the command line says."""
    arguments = _arguments()
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    found = (build if arguments.what == "build" else ask)(arguments)
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    # Libraries print on stdout as they like; the last line is ours.
    print("\n" + json.dumps(found), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("build", "ask"))
    parser.add_argument("system")
    parser.add_argument("place", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--documents", type=Path)
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--own-chunks", action="store_true")
    return parser.parse_args()


def build(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return how long it took from files to something that can be asked, model loaded before."""
    _system(arguments).build(arguments.documents / "warm-up", own_chunks=arguments.own_chunks)
    system = _system(arguments)
    began = time.perf_counter()
    units = system.build(arguments.documents / "texts", own_chunks=arguments.own_chunks)
    seconds = time.perf_counter() - began
    system.save(arguments.place)
    disk = sum(path.stat().st_size for path in arguments.place.rglob("*") if path.is_file())
    return {"units": units, "seconds": seconds, "disk_bytes": disk}


def ask(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the time to the first reply, imports and loading included, and that of the others."""
    questions = json.loads(arguments.questions.read_text("utf-8"))
    system = _system(arguments)
    system.load(arguments.place)
    system.search(questions[0], K)
    ready = time.perf_counter() - BEGAN
    seconds = []
    for question in questions[1:]:
        began = time.perf_counter()
        system.search(question, K)
        seconds.append(1000 * (time.perf_counter() - began))
    percentiles = quantiles(seconds[WARM_UP:], n=100, method="inclusive")
    return {"first_s": ready, "p50_ms": percentiles[49], "p95_ms": percentiles[94]}


def _system(arguments: argparse.Namespace) -> Any:  # noqa: ANN401 - one of systems/
    return importlib.import_module(f"systems.{arguments.system}").System(arguments.model)


if __name__ == "__main__":
    main()
