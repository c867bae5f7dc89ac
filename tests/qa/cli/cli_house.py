"""A small collection and the command that is tested, for all tests of the command line."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner, Result

from qa.cli import cli

__all__ = ["DOCUMENTS", "HOSTILE", "LIFT", "ROOT", "contents", "one_sentence", "run", "write"]

ROOT = Path(__file__).resolve().parents[3]
LIFT = "The lift is inspected every six months by a certified engineer."
DOCUMENTS = {
    "house/lift.md": f"# Lift policy\n\n## Inspection\n\n{LIFT} Breakdowns are reported to the"
    " caretaker. The caretaker calls the engineer within one hour.\n",
    "house/garden.txt": "The garden is open from 8 to 20 o'clock.\n\nDogs are kept on a lead.\n",
    "prices.csv": "Item,Price\nSpare key,12 EUR\nParking permit,40 EUR\n",
}
# A document that tries to drive the terminal and to reorder what is read.
HOSTILE = "The hostile lamp \x1b[2J\x1b]0;owned\x07 glows \u202eyllufeerf\u202c at night.\n"


def run(*args: str | Path, input: str | None = None) -> Result:
    return CliRunner().invoke(cli, [str(arg) for arg in args], input=input, prog_name="quoth")


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def contents(library: Path) -> dict[str, bytes]:
    """Return what a library consists of, to show that it is as it was."""
    names = re.compile(r".*(writer\.(lock|json)|-wal|-shm)$")
    files = (path for path in library.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files if not names.match(path.name)}


def one_sentence(result: Result, status: int) -> str:
    """Return what the user is told: one line, no traceback, the right exit status."""
    assert result.exit_code == status, result.output
    assert result.stdout == ""
    assert re.fullmatch(r"quoth: [^\n]+\n", result.stderr), result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr
