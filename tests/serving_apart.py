"""`quoth serve` in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["serving_apart"]

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def serving_apart(library: Path, *options: str) -> Iterator[str]:
    """Serve a library on any free port; the address. It must end without a traceback."""
    server = subprocess.Popen(
        [sys.executable, "ui.py", "serve", "--port", "0", "--library", str(library), *options],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert server.stdout is not None
    try:
        said = server.stdout.readline()
        found = re.search(r"http://\S+", said)
        assert found is not None, said + server.stdout.read()
        yield found[0]
    finally:
        server.send_signal(signal.SIGINT)
        rest, _ = server.communicate(timeout=60)
        assert "Traceback" not in rest, rest
