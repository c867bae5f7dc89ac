"""The style, the types and the direction of imports, checked by the tools people run by hand."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*command: str) -> None:
    """Run Python on the repository; what it finds is the failure's message."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{' '.join(command)} says:\n{done.stdout}{done.stderr}", pytrace=False)


def test_ruff_finds_nothing() -> None:
    run("-m", "ruff", "check", "--quiet")


def test_every_file_is_formatted() -> None:
    run("-m", "ruff", "format", "--check", "--quiet")


def test_imports_run_one_way() -> None:
    """`ui` may import `qa`, `qa` may import `index`, and only `ui.py` knows Gradio."""
    run("-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())")


@pytest.mark.slow
@pytest.mark.timeout(900)  # without a cache it reads the types of PyTorch and Gradio too
def test_types_are_right() -> None:
    run("-m", "mypy")
    for fixtures in sorted((ROOT / "tests").glob("*/**/conftest.py")):
        run("-m", "mypy", str(fixtures.relative_to(ROOT)))
