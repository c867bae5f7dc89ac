"""Libraries for the tests of the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cli_house import DOCUMENTS, HOSTILE, run, write


@pytest.fixture(autouse=True)
def _no_library_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("QUOTH_LIBRARY", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with documents and, beside it, its library."""
    folder = write(tmp_path_factory.mktemp("cli") / "house", {**DOCUMENTS, "lamp.txt": HOSTILE})
    result = run("sync", folder)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Path:
    """A library of one's own, as copied and moved as libraries may be."""
    copy = tmp_path / "house.quoth"
    shutil.copytree(made.with_name("house.quoth"), copy)
    return copy
