"""The command that times answers in a large library; here in a small one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny import question, write_set

from bench.latency import main


@pytest.mark.slow
def test_answers_are_timed_in_a_library_that_is_kept(tmp_path: Path) -> None:
    more = [question(f"more {number}", f"Who keeps book {number}?") for number in range(3)]
    folder = write_set(tmp_path / "house", *more)
    cache = tmp_path / "cache"
    options = ["--data", str(folder), "--cache", str(cache), "--sentences", "9", "--json"]
    run = CliRunner().invoke(main, options, catch_exceptions=False)
    figures = json.loads(run.stdout)
    assert (figures["sentences"], figures["documents"], figures["questions"]) == (10, 5, 3)
    assert 0 < figures["ask"]["p50"] <= figures["ask"]["p95"]
    assert 0 < figures["read"]["passages"] <= 5
    assert "making" in run.stderr

    page = CliRunner().invoke(main, options[:-1], catch_exceptions=False)
    assert "making" not in page.stderr
    assert "10 sentences in 5 documents, 3 questions" in page.stdout
    assert sorted(path.suffix for path in cache.iterdir()) == [".json", ".quoth"]
    (about,) = cache.glob("*.json")
    assert json.loads(about.read_text("utf-8"))["made"]["sentences"] == 10


@pytest.mark.parametrize(
    ("folder", "says"), [("house", "too few to time"), ("none", "not a folder")]
)
def test_what_cannot_be_timed_is_said(tmp_path: Path, folder: str, says: str) -> None:
    write_set(tmp_path / "house")
    run = CliRunner().invoke(main, ["--data", str(tmp_path / folder), "--sentences", "3"])
    assert (run.exit_code, run.stdout) == (1, "")
    assert says in run.stderr
