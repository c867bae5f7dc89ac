"""The command that serves the page; the page itself is tested in tests/browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import ui

ROOT = Path(ui.__file__).parent


def quoth(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "ui.py"), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


def test_help_needs_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, ui, contextlib\n"
        "with contextlib.suppress(SystemExit): ui.cli(['chat', '--help'])\n"
        "print([m for m in ('gradio', 'fastapi', 'torch', 'nltk', 'faiss') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert "--read-only" in done.stdout
    assert done.stdout.endswith("[]\n"), done


def test_a_taken_port_is_one_sentence_and_makes_no_library(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.txt").write_text("A sentence.")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = quoth("chat", "docs", "--port", port, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"quoth: Port {port} cannot be used; another program may have it.\n"
    assert not (tmp_path / "docs.quoth").exists()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(("missing",), 2), (("-l", "missing.quoth"), 1), (("empty-of-documents",), 1)],
)
def test_what_is_not_there_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], status: int
) -> None:
    (tmp_path / "empty-of-documents").mkdir()
    done = quoth("chat", *arguments, "--port", "0", cwd=tmp_path)
    assert done.returncode == status
    assert done.stderr.startswith("quoth: ")
    assert done.stderr.count("\n") == 1
    assert arguments[-1] in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["empty-of-documents"]


def test_the_page_opens_no_interface_file_of_gradio(tmp_path: Path) -> None:
    """Its import would read and write one for each component, beside it in site-packages."""
    code = (
        "import sys, inspect, index, ui\n"
        "opened, find = [], inspect.getfile\n"
        "sys.addaudithook(lambda name, of: name == 'open' and opened.append(str(of[0])))\n"
        "with index.Library.open('l.quoth', create=True) as library: ui.build_page(library)\n"
        "assert inspect.getfile is find and any('gradio' in name for name in opened)\n"
        "print([name for name in opened if name.endswith('.pyi')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "[]\n", done
