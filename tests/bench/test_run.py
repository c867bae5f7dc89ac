"""The one table of speeds, and what compares two of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bench import compare, pictures, run
from bench.speed.figure import Figure, current_mb, merged, peak_mb
from bench.speed.tasks import TASKS


@pytest.mark.slow
def test_a_measurement_runs_in_processes_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTH_EVAL_DATA", "")  # the shared sets, or else the examples
    file = tmp_path / "figures.json"
    options = ["--runs", "2", "--only", "index 1,000", "--json", str(file)]
    done = CliRunner().invoke(run.main, options, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    result = json.loads(file.read_text("utf-8"))
    figures = result["measured"]["index 1,000"]
    rate = figures["text to searchable"]
    assert (rate["unit"], rate["better"], rate["runs"]) == ("characters/s", "higher", 2)
    assert 0 < rate["lowest"] <= rate["median"] <= rate["highest"]
    assert figures["memory"]["median"] > 50
    assert "text to searchable" in done.output
    assert "2 runs" in done.output
    same = CliRunner().invoke(compare.main, [str(file), str(file)], catch_exceptions=False)
    assert same.exit_code == 0
    assert "0 of 4 figures are worse." in same.output


def test_runs_are_taken_together() -> None:
    runs = [
        [Figure("answer", value, "ms"), Figure("rate", 9, "sentences/s")] for value in (3, 1, 2)
    ]
    found = merged(runs)
    assert found["answer"] == {
        "unit": "ms", "better": "lower", "median": 2, "lowest": 1, "highest": 3, "runs": 3,
    }  # fmt: skip
    assert found["rate"]["better"] == "higher"
    assert 0 < current_mb() <= peak_mb()


def test_what_is_not_there_cannot_be_measured() -> None:
    done = CliRunner().invoke(run.main, ["--only", "speed of light"])
    assert done.exit_code == 1
    assert "There is nothing to measure; there are index 1,000" in done.output


def test_names_say_what_is_measured_once_and_what_is_large() -> None:
    assert all(task.once for name, task in TASKS.items() if name.startswith(("made", "disk")))
    assert all(task.large for name, task in TASKS.items() if name.endswith("1,000,000"))


def test_pictures_are_drawn_of_figures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra 'bench'")
    ask = {name: _row(5) for name in ("answer, p50", "retrieve, p50", "retrieve, p95")}
    figures = {f"ask {size}": ask for size in ("1,000", "1,000,000")}
    figures |= {"index 1,000": {"first sync": _row(2)}, "made 100,000": {"first sync": _row(190)}}
    of_a_system = {key: _row(3) for key in ("characters_per_s", "first_s", "p50_ms")}
    speeds, peers = tmp_path / "speeds.json", tmp_path / "peers.json"
    speeds.write_text(json.dumps({"measured": figures}))
    peers.write_text(json.dumps({"systems": {"quoth": of_a_system, "plain": of_a_system}}))
    drawn = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        options = [str(speeds), "--peers", str(peers), "--to", str(folder)]
        done = CliRunner().invoke(pictures.main, options, catch_exceptions=False)
        assert done.exit_code == 0
        drawn.append([(folder / name).read_bytes() for name in ("growth.svg", "peers.svg")])
    assert drawn[0] == drawn[1]
    speeds.write_text(json.dumps({"measured": {}}))
    done = CliRunner().invoke(pictures.main, options)
    assert (done.exit_code, done.output.startswith("Error: The file has no figure")) == (1, True)


def _row(median: float, spread: float = 0.1, better: str = "lower") -> dict[str, Any]:
    return {
        "better": better,
        "median": median,
        "lowest": median - spread,
        "highest": median + spread,
    }


def _write(path: Path, figures: dict[str, Any], processor: str = "one") -> str:
    content = {"machine": {"processor": processor}, "measured": {"ask": figures}}
    path.write_text(json.dumps(content), "utf-8")
    return str(path)


def test_what_became_slower_is_told_and_what_only_varies_is_not(tmp_path: Path) -> None:
    names = ("slower", "faster", "less", "varies", "hardly", "nothing", "once", "gone")
    old = dict.fromkeys(names, _row(10)) | {"less": _row(10, better="higher"), "nothing": _row(0)}
    new = {
        "slower": _row(12),
        "faster": _row(8),
        "less": _row(8, better="higher"),
        "varies": _row(12, spread=3),
        "hardly": _row(10.3),
        "nothing": _row(0),
        "once": _row(12) | {"runs": 1},
        "new": _row(1),
    }
    files = [_write(tmp_path / "old.json", old), _write(tmp_path / "new.json", new, "another")]
    done = CliRunner().invoke(compare.main, files)
    assert done.exit_code == 1
    verdicts = {
        line.split()[1]: line.partition("%")[2].strip()
        for line in done.stdout.splitlines()
        if line.startswith("ask: ")
    }
    assert verdicts == {
        "slower": "worse", "faster": "better", "less": "worse",
        "varies": "", "hardly": "", "nothing": "", "once": "",
    }  # fmt: skip
    assert "2 of 7 figures are worse." in done.stdout
    assert "Not measured any more: ask: gone." in done.stdout
    assert "The processors differ" in done.stderr


@pytest.mark.parametrize(
    ("content", "says"),
    [("{", "holds no figures"), ("[]", "no figures of bench/run.py"), ('{"a": 1}', "no figures")],
)
def test_a_file_without_figures_is_refused(tmp_path: Path, content: str, says: str) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(content)
    good = _write(tmp_path / "good.json", {"x": _row(1)})
    done = CliRunner().invoke(compare.main, [good, str(bad)])
    assert done.exit_code == 1
    assert says in done.output


def test_files_about_different_things_are_refused(tmp_path: Path) -> None:
    one = _write(tmp_path / "one.json", {"x": _row(1)})
    two = _write(tmp_path / "two.json", {"y": _row(1)})
    done = CliRunner().invoke(compare.main, [one, two])
    assert done.exit_code == 1
    assert "have no figure in common" in done.output
