"""What the README shows is what happens: its commands and its Python run, word by word."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def blocks() -> Iterator[tuple[str, str]]:
    """Yield the language and text of each fenced block that shows a run, in order."""
    found = BLOCK.findall(README)
    for place, (language, text) in enumerate(found):
        if language == "console":
            yield "console", text
        elif language == "python":
            # What it prints stands in the block after it.
            yield "python", f"{text}\0{found[place + 1][1]}"


def runs(text: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with the output below it."""
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def without_figures(output: str) -> str:
    """Return `output` without what differs from run to run: seconds, sizes, the folder."""
    output = re.sub(r"\d+\.\d s\b", "N s", output)
    output = re.sub(r"\d+(?:\.\d+)? [kM]B\b", "N MB", output)
    return output.strip()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a folder with a copy of the examples and a `quoth` command."""
    ignore = shutil.ignore_patterns("*.quoth", "__pycache__")
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=ignore)
    commands = tmp_path / "bin"
    commands.mkdir()
    quoth = commands / "quoth"
    quoth.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "ui.py"}" "$@"\n')
    quoth.chmod(0o755)
    return tmp_path


@pytest.mark.slow
def test_every_command_and_snippet_of_the_readme_does_what_it_shows(home: Path) -> None:
    environment = os.environ | {
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "1000",
    }
    environment.pop("QUOTH_LIBRARY", None)
    seen = 0
    for language, text in blocks():
        if language == "console":
            for command, expected in runs(text):
                if command.startswith("export "):
                    name, _, value = command.removeprefix("export ").partition("=")
                    environment[name] = value
                    continue
                output = run(["sh", "-c", command], home, environment)
                assert shown(output, home) == without_figures(expected), command
                seen += 1
        else:
            code, _, expected = text.partition("\0")
            output = run([sys.executable, "-c", code], home, environment)
            assert shown(output, home) == without_figures(expected)
            seen += 1
    assert seen > 8


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def shown(output: str, home: Path) -> str:
    return without_figures(output.replace(f"{home}/", ""))


def test_every_command_of_the_command_line_stands_in_the_readme() -> None:
    import_module("ui")  # adds the page's command
    from qa.cli import cli

    missing = [name for name in cli.commands if f"quoth {name}" not in README]
    assert missing == []


def test_links_to_files_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
