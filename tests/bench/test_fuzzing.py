"""The fuzzer: the same files for a seed, and nothing that goes wrong escapes it."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.fuzz import main
from bench.fuzzing.check import breaches_of_reason, breaches_of_report, class_of
from bench.fuzzing.mutate import mutant
from bench.fuzzing.seeds import seeds
from bench.fuzzing.watch import run_batch
from index.reports import Skip, SyncReport

SENTENCE = b"The lift is inspected every year.\n"


def test_a_seed_gives_the_same_files_of_every_format() -> None:
    sound = seeds()
    made = [mutant(sound, number, 7) for number in range(60)]
    again = seeds()
    assert made == [mutant(again, number, 7) for number in range(60)]
    assert made != [mutant(sound, number, 8) for number in range(60)]
    assert len({each.data for each in made}) > 55
    originals = Counter(each.made_by.partition(":")[0] for each in made)
    assert set(originals.values()) == {10}


def test_reasons_are_one_clause_and_have_kinds() -> None:
    assert list(breaches_of_reason("empty file")) == []
    for reason in ("", "two\nlines", "It failed.", "ValueError: x", "x" * 300, "\x1b[2J"):
        assert len(list(breaches_of_reason(reason))) > 0
    assert class_of("too large: 70 MB, the limit is 64 MB") == "too large …"


def test_a_report_must_name_every_file_once() -> None:
    report = SyncReport(added=("a", "b"), skipped=(Skip("b", "empty file"),))
    assert list(breaches_of_report(report, ["a", "b", "c"])) == [
        "'c' is not in the report",
        "'b' is in the report twice",
    ]


def test_a_batch_is_read_synced_and_measured(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.txt").write_bytes(SENTENCE)
    (folder / "b.txt").write_bytes(bytes(range(256)))
    batch = run_batch(folder, tmp_path / "l.quoth", patience=120, sync_patience=120)
    assert {o.name: o.reason for o in batch.outcomes} == {
        "a.txt": None,
        "b.txt": "binary, not text",
    }
    assert batch.breaches == []
    assert 10 < batch.own_mb < 2000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "told"),
    [
        (signal.SIGSEGV, "ended the process that read it with status -11: "),
        (signal.SIGSTOP, "hung: nothing for 12 s"),
    ],
)
def test_a_process_that_ends_or_hangs_is_told_and_the_rest_is_read(
    tmp_path: Path, how: signal.Signals, told: str
) -> None:
    """It is really killed or stopped here while it reads the second of three files."""
    folder = tmp_path / "files"
    folder.mkdir()
    for name, times in (("a", 1), ("b", 30_000), ("c", 3)):
        (folder / f"{name}.txt").write_bytes(SENTENCE * times)

    def harm(process: int, name: str) -> None:
        if name == "b.txt":
            os.kill(process, how)

    batch = run_batch(folder, tmp_path / "l", patience=12, sync_patience=60, began=harm)
    assert {outcome.name: outcome.breaches for outcome in batch.outcomes} == {
        "a.txt": (),
        "b.txt": (told,),
        "c.txt": (),
    }
    assert batch.breaches == []


@pytest.mark.slow
def test_the_command_prints_what_it_found() -> None:
    done = CliRunner().invoke(main, ["--files", "60", "--no-special", "--json"])
    assert done.exit_code == 0, done.output
    assert '"breaches": []' in done.output
    assert '"files": 60' in done.output
