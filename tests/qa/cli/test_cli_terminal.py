"""What a terminal receives, and a reader that goes away."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_house import DOCUMENTS, ROOT, one_sentence, run, write

QUOTH = "import sys; from qa.cli import cli; cli(sys.argv[1:])"


def in_terminal(*args: str | Path, columns: int = 50, typed: str = "") -> tuple[str, int]:
    """Return what a terminal of that width receives, and the exit status."""
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    main, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", QUOTH, *map(str, args)],
        stdin=other, stdout=other, stderr=other, cwd=ROOT, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(other)
    os.write(main, typed.encode())
    received = b""
    while True:
        try:
            chunk = os.read(main, 65536)
        except OSError:  # Linux says EIO when the other side is closed
            break
        received += chunk
    os.close(main)
    return received.decode().replace("\r\n", "\n"), process.wait()


def without_styles(text: str) -> str:
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", text)


def test_a_terminal_gets_wrapped_and_styled_lines(library: Path) -> None:
    shown, status = in_terminal("ask", "How often is the lift inspected?", "-l", library)
    assert status == 0
    assert "\x1b[2m" in shown
    lines = without_styles(shown).splitlines()
    assert lines[0].startswith("[1] The lift is inspected")
    assert lines[1].startswith("    ")
    assert max(map(len, lines)) <= 50


def test_documents_cannot_drive_the_terminal(library: Path) -> None:
    shown, _ = in_terminal("find", "hostile", "-l", library)
    assert "\x1b[2J" not in shown
    assert "\x1b]0" not in shown
    assert "\u202e" not in shown
    assert "\x07" not in shown
    assert "␛]0;owned␇ glows ‹U+202E›yllufeerf" in " ".join(without_styles(shown).split())
    exact = run("find", "hostile", "-l", library, "--json").stdout
    assert "\u202e" not in exact
    assert "\\u202e" in exact


def test_a_conversation_in_a_terminal_ends_with_an_empty_line(library: Path) -> None:
    typed = "How often is the lift inspected?\n\n"
    shown, status = in_terminal("ask", "-l", library, typed=typed)
    assert status == 0
    assert "certified engineer" in without_styles(shown)


def test_in_a_terminal_removing_more_than_half_is_asked(library: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "docs", DOCUMENTS)
    assert run("sync", folder, "-l", library).exit_code == 0
    shutil.rmtree(folder / "house")
    shown, status = in_terminal("sync", folder, "-l", library, typed="n\n", columns=200)
    assert status == 1
    assert "2 documents are gone" in shown
    assert "Nothing was changed." in shown
    shown, status = in_terminal("sync", folder, "-l", library, typed="y\n", columns=200)
    assert status == 0
    assert "2 removed" in without_styles(shown)


def test_an_interrupt_ends_a_conversation_quietly(library: Path) -> None:
    main, other = pty.openpty()
    # Tests that a shell runs in the background start with interrupts ignored.
    heeding = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {QUOTH}"
    process = subprocess.Popen(
        [sys.executable, "-c", heeding, "ask", "-l", library],
        stdin=other, stdout=other, stderr=other, cwd=ROOT, start_new_session=True,
    )  # fmt: skip
    os.close(other)
    received = b""
    while b"> " not in received:
        received += os.read(main, 4096)
    # A signal between the prompt and the wait for a key is seen only with the next one.
    for _ in range(30):
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1)
            break
    process.kill()
    assert process.wait() == 130
    received += os.read(main, 4096)
    os.close(main)
    assert without_styles(received.decode()).split() == [">"]


def test_a_reader_that_goes_away_is_no_error(library: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", QUOTH, "status", "--library", library],
        stdout=writing, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    os.close(writing)
    assert done.stderr == ""


def test_a_bug_is_told_in_one_sentence_and_debug_shows_the_traceback(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:  # noqa: ANN401
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("qa.cli.status_lines", broken)
    told = one_sentence(run("status", "-l", library), 1)
    assert "ZeroDivisionError: oh" in told
    assert "--debug" in told
    assert "Traceback" in run("--debug", "status", "-l", library).stderr
