"""What the commands share."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bench.options import data_folder, data_options, sample, write_figures


@given(st.integers(0, 40), st.none() | st.integers(1, 40))
def test_a_sample_is_spread_evenly_and_in_order(size: int, limit: int | None) -> None:
    chosen = sample(range(size), limit)
    assert len(chosen) == min(size, limit or size)
    gaps = {after - before for before, after in pairwise(chosen)}
    assert max(gaps, default=1) - min(gaps, default=1) <= 1
    assert chosen[:1] == list(range(size))[:1]


def test_a_sample_is_always_the_same() -> None:
    assert sample("abcdef", 3) == ["a", "c", "e"]


@click.command()
@data_options
def options(**given: object) -> None:
    click.echo(json.dumps({name: str(value) for name, value in given.items()}))


@pytest.mark.parametrize(
    ("arguments", "json_to"),
    [([], "None"), (["--json"], "-"), (["--json", "--limit", "2"], "-"), (["--json", "f"], "f")],
)
def test_json_goes_to_stdout_or_to_a_file(arguments: list[str], json_to: str) -> None:
    run = CliRunner().invoke(options, arguments, catch_exceptions=False)
    assert json.loads(run.stdout)["json_to"] == json_to


def test_figures_are_written_to_a_file_or_the_reason_is_said(tmp_path: Path) -> None:
    write_figures(str(tmp_path / "figures.json"), {"F1": 0.5})
    assert json.loads((tmp_path / "figures.json").read_text()) == {"F1": 0.5}
    with pytest.raises(click.ClickException, match="cannot be written"):
        write_figures(str(tmp_path / "missing" / "figures.json"), {})


def test_the_folder_of_data_is_named_or_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTH_EVAL_DATA", str(tmp_path))
    assert data_folder(None) == tmp_path
    assert data_folder(tmp_path / "other") == tmp_path / "other"
    monkeypatch.delenv("QUOTH_EVAL_DATA")
    assert data_folder(None).parts[-2:] == ("shared", "eval")
