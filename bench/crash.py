"""Is anything lost when a process is killed, the power fails, a disk is full or a file damaged?

A real library is synced, changed, compacted and so on in a real process, which is interrupted
at a step of its choosing; then it is opened again and compared with an undisturbed run. See
`bench/README.md`. Linux on x86 with a C compiler.
"""

from __future__ import annotations

import json
import queue
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # for its small library
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for python bench/crash.py

from bench.faults.client import Server
from bench.faults.plan import Counts, Task, planned
from bench.faults.scenarios import SCENARIOS
from bench.faults.shim import why_not
from bench.machine import describe

COLUMNS = ("kills", "power cuts", "faults", "full disk", "damages", "clock")


@dataclass(slots=True)
class Result:
    """What was done, and what went wrong."""

    done: Counter[tuple[str, str]] = field(default_factory=Counter)  # row, column
    hit: Counter[tuple[str, str]] = field(default_factory=Counter)  # that really interfered
    outcomes: Counter[str] = field(default_factory=Counter)  # of damages
    lost: list[tuple[Task, list[str]]] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, task: Task, reply: Mapping[str, Any]) -> None:
        """Count one reply."""
        place = (task.row, task.column)
        self.done[place] += 1
        self.hit[place] += _interfered(reply)
        if task.column == "damages":
            mended = "mended" if reply.get("mended") else "not mended"
            self.outcomes[f"{reply['outcome']}, {mended}" if "outcome" in reply else "?"] += 1
        if reply["problems"]:
            self.lost.append((task, reply["problems"]))


def _interfered(reply: Mapping[str, Any]) -> bool:
    """Return whether what was meant to happen did: the process may have ended before it came."""
    if "outcome" in reply:  # of a damaged file that was there
        return bool(reply["outcome"] != "absent")
    return bool(reply.get("killed", reply.get("reached", not reply.get("same", False))))


@click.command()
@click.option("--kills", default=1000, show_default=True, help="Processes killed.")
@click.option("--cuts", default=2000, show_default=True, help="Power cuts replayed.")
@click.option("--faults", default=600, show_default=True, help="Steps that fail.")
@click.option("--damages", default=400, show_default=True, help="Files damaged.")
@click.option("--disks", default=60, show_default=True, help="Full disks; only root can mount one.")
@click.option("--clocks", default=20, show_default=True, help="Series of syncs with other clocks.")
@click.option("--minutes", default=20.0, show_default=True, help="Stop after so long.")
@click.option("--seed", default=0, show_default=True, help="Of what is drawn.")
@click.option("--scenario", multiple=True, type=click.Choice(list(SCENARIOS)), help="Only these.")
@click.option("--processes", default=2, show_default=True, help="Jobs done at a time.")
@click.option("--work", type=click.Path(path_type=Path), help="Folder to work in.")
@click.option("--only", metavar="JOB", help="Do this one job again, as a report names it.")
@click.option("--json", "json_to", metavar="FILE", help="Write the figures to FILE too.")
def main(
    minutes: float,
    seed: int,
    scenario: Sequence[str],
    processes: int,
    work: Path | None,
    only: str | None,
    json_to: str | None,
    **counts: int,
) -> None:
    """Kill, cut, fill, damage; print what was survived. Exit status 1 if anything was lost."""
    if reason := why_not():
        raise click.ClickException(f"This needs another machine: {reason}.")
    names = scenario or tuple(SCENARIOS)
    with ExitStack() as stack:
        if work is None:
            memory = Path("/dev/shm")  # quicker, and spares the disk
            place = memory if memory.is_dir() else None
            work = Path(stack.enter_context(tempfile.TemporaryDirectory("-crash", dir=place)))
        with Server(work) as server:
            references = _references(server, names)
        if only is not None:
            tasks = [Task("damages", "again", json.loads(only))]
        else:
            tasks = planned(Counts(**counts), references, seed)
        result = _done(work, processes, tasks, time.monotonic() + minutes * 60)
    _report(result, names, len(tasks))
    if json_to is not None:
        Path(json_to).write_text(json.dumps(_figures(result, seed), indent=1) + "\n")
    sys.exit(1 if result.lost else 0)


def _references(server: Server, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return for each scenario what happens when nothing does; ends where that fails."""
    references = {}
    for name in names:
        started = time.monotonic()
        found = server.do("reference", scenario=name)
        found["runs_for"] = (time.monotonic() - started) / 5  # of what a reference does
        problems = found["problems"]
        if not problems:
            reads = server.do("reads", scenario=name)
            found["reads"] = reads["reads"]
            problems = [*server.do("replayed", scenario=name)["problems"], *reads["problems"]]
        if problems:
            raise click.ClickException(f"{name} fails by itself: {'; '.join(problems)}")
        references[name] = found
    if problems := server.do("damage reference")["problems"]:
        raise click.ClickException(f"the library to damage: {'; '.join(problems)}")
    return references


def _done(work: Path, processes: int, tasks: Sequence[Task], until: float) -> Result:
    """Do the tasks, so many at a time, until that time."""
    waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)
    result, lock = Result(), threading.Lock()
    started = time.monotonic()

    def do_some() -> None:
        while time.monotonic() < until and not waiting.empty():
            with Server(work) as server:
                for task in _taken(waiting, until):
                    try:
                        reply = server.do(**task.values)
                    except RuntimeError as error:  # what was to be survived ended the examiner
                        reply = {"problems": [str(error)]}
                    with lock:
                        result.add(task, reply)
                        _tell(result, len(tasks))
                    if not server.alive():
                        break

    threads = [threading.Thread(target=do_some) for _ in range(processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result.seconds = time.monotonic() - started
    return result


def _taken(waiting: queue.SimpleQueue[Task], until: float) -> Iterator[Task]:
    while time.monotonic() < until:
        try:
            yield waiting.get_nowait()
        except queue.Empty:
            return


def _tell(result: Result, tasks: int) -> None:
    if sys.stderr.isatty():
        done = sum(result.done.values())
        click.echo(f"\r{done} of {tasks}, lost {len(result.lost)} ", err=True, nl=False)


def _report(result: Result, names: Sequence[str], planned_tasks: int) -> None:
    machine = describe()
    print(f"{machine['processor']}, {machine['cores']} cores, {machine['date']}")
    done = sum(result.done.values())
    stopped = "" if done == planned_tasks else f" of {planned_tasks} planned"
    print(f"{done} interruptions{stopped} in {result.seconds / 60:.1f} minutes\n")
    rows: dict[str, dict[str, str]] = defaultdict(dict)
    for (row, column), count in sorted(result.done.items()):
        rows[row][column] = f"{result.hit[row, column]}/{count}"
    print(f"{'':<22}" + "".join(f"{column:>12}" for column in COLUMNS))
    for row in [*names, *sorted(rows.keys() - set(names))]:
        print(f"{row:<22}" + "".join(f"{rows[row].get(column, '-'):>12}" for column in COLUMNS))
    totals = [
        sum(count for (_, of), count in result.done.items() if of == column) for column in COLUMNS
    ]
    print(f"{'in all':<22}" + "".join(f"{total:>12}" for total in totals))
    print("\nEach cell: how many really interfered / how many were done.")
    if result.outcomes:
        outcomes = ", ".join(f"{n} {what}" for what, n in result.outcomes.most_common())
        print(f"After damage answers were: {outcomes}.")
    print(f"Lost: {len(result.lost)}")
    for task, problems in result.lost:
        print(f"\n{task.column}, {task.row}: python bench/crash.py --only '{task.again}'")
        for problem in problems:
            print("  " + problem.strip().replace("\n", "\n  "))


def _figures(result: Result, seed: int) -> dict[str, Any]:
    return {
        "machine": describe(),
        "seed": seed,
        "seconds": round(result.seconds, 1),
        "done": {f"{row}: {column}": n for (row, column), n in sorted(result.done.items())},
        "interfered": {f"{row}: {column}": n for (row, column), n in sorted(result.hit.items())},
        "damages": dict(result.outcomes),
        "lost": [{"job": task.again, "problems": problems} for task, problems in result.lost],
    }


if __name__ == "__main__":
    main()
