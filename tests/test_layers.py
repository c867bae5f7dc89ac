"""Imports run one way, read from the files themselves: an oracle for import-linter's contracts."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {
    "index": {"qa", "ui", "gradio", "bench", "training"},
    "qa": {"ui", "gradio", "bench", "training"},
}


def imported(file: Path) -> set[str]:
    """Return the packages that `file` imports, also inside functions and by name."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            names.add(node.module or "")
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            names |= {str(a.value) for a in node.args if isinstance(a, ast.Constant)}
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("package", FORBIDDEN)
def test_a_package_imports_nothing_above_it(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert len(files) > 10
    wrong = {
        str(file.relative_to(ROOT)): found
        for file in files
        if (found := imported(file) & FORBIDDEN[package])
    }
    assert wrong == {}


def test_the_page_is_what_imports_gradio() -> None:
    """So the test above looks for the right thing."""
    assert {"gradio", "qa"} <= imported(ROOT / "ui.py")
