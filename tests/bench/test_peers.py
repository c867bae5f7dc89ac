"""Quoth beside others; here by itself, since the others are not installed for tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny import question, write_set

from bench.peers.run import SYSTEMS, main

SYSTEMS_FOLDER = Path(__file__).resolve().parents[2] / "bench" / "peers" / "systems"


@pytest.mark.slow
def test_a_system_is_built_saved_and_asked_from_a_new_process(tmp_path: Path) -> None:
    more = [question(f"more {number}", f"Who keeps book {number}?") for number in range(12)]
    folder = write_set(tmp_path / "house", *more)
    options = ["--data", str(folder), "--only", "quoth", "--sentences", "20", "--runs", "2"]
    run = CliRunner().invoke(
        main, [*options, "--questions", "10", "--json"], catch_exceptions=False
    )
    figures = json.loads(run.stdout)
    row = figures["systems"]["quoth"]
    assert row["units"] >= 20
    rate = row["characters_per_s"]
    assert 0 < rate["lowest"] <= rate["median"] <= rate["highest"]
    assert 0 < row["p50_ms"]["median"] <= row["p95_ms"]["median"]
    assert row["first_s"]["median"] > 0
    assert row["disk_bytes"]["median"] > 0
    page = CliRunner().invoke(main, [*options, "--questions", "10"], catch_exceptions=False)
    assert "medians of 2 runs" in page.stdout


def test_a_system_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    run = CliRunner().invoke(main, ["--only", "quoth,qoth"])
    assert run.exit_code == 1
    assert "There is no qoth; there are quoth, quoth_half, plain" in run.output


def test_each_system_has_its_file() -> None:
    files = {path.stem for path in SYSTEMS_FOLDER.glob("*.py")} - {"__init__"}
    assert files == set(SYSTEMS)
