"""What reaches a terminal or a pipe: words and our own colours, whatever documents are made of.

A terminal does what control characters say: it clears the screen, sets its title, writes to the
clipboard, hides a line, or answers as if somebody had typed. None of ours get one from a document.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small import HashEncoder

from index import Library
from index.errors import QuestionError, QuothError
from index.reports import Failure, Progress, Skip, SyncReport
from qa import Chat, Retriever
from qa.cli_options import configure_logging
from qa.cli_output import print_json, print_lines
from qa.lines import (
    Line,
    answer_lines,
    document_lines,
    failure_lines,
    find_lines,
    listing_lines,
    passage_lines,
    report_lines,
    status_lines,
)
from qa.progress import shown_progress
from qa.visible import VisibleFormatter, file_name, one_line, visible

ROOT = Path(__file__).resolve().parents[2]
QUOTH = "import sys; from qa.cli import cli; cli(sys.argv[1:])"
STYLE = re.compile(r"\x1b\[[\d;]*m")  # SGR: colours and weights, which we write ourselves
BAR = re.compile(r"\x1b\[\?25[lh]|\x1b\[\d*[AK]|\r")  # how a progress bar draws itself anew
ACTS = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
ATTACKS = {
    "clear": "\x1b[2J\x1b[H",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "device string": '\x1bP$q"p\x1b\\',
    "private message": "\x1b^x\x1b\\\x1b_y\x1b\\\x1bXz\x1b\\",
    "report": "\x1b[6n\x1b[c\x1b[21t\x05",
    "pasted": "\x1b[201~rm -rf ~\n\x1b[200~",
    "alternate screen": "\x1b[?1049h\x1bc",
    "8-bit": "\x9b2J\x9d0;owned\x9c\x90q\x9c\x84",
    "overwritten": "harmless\rhidden",
    "rubbed out": "hidden\x08\x08\x08\x08\x08\x08\x7f\x7f",
    "pages": "a\x0bb\x0cc\x85d\u2028e\u2029f",
    "shifted": "\x0e\x0f\x1b(0qqq\x1b(B",
    "nulls": "a\x00b\x1a\x04",
    "bidi": "\u202egpj.exe\u202c \u2066x\u2069 \u202a\u202b\u202d",
    "zero width": "a\u200bb\u2060c\ufeffd\u00ade",
    "tags": "x\U000e0001\U000e0068\U000e0069\U000e007f",
    "selectors": "x\ufe00\ufe01\ufe02\U000e0100\U000e0101",
    "wide": "昇降機は毎年点検されます" * 20,
    "long": "x" * 5_000,
    "marks": "e" + "\u0301" * 300,
    "markup": "[bold red]x[/] [link=https://evil.example]y[/link] [/] [red :smile: \\[x]",
    "template": "{0} {path} %s %(x)s ${x} {task.fields[path]}",
    "half a character": "\ud83d x \udc80",
}
HOSTILE = " ".join(ATTACKS.values())
LONE = re.compile("[\ud800-\udfff]")


def on_terminal(act: Callable[[], None], columns: int = 60) -> str:
    """Return what a terminal of that width receives on stdout and stderr while `act` runs."""
    main, other = pty.openpty()
    received: list[bytes] = []

    def read() -> None:
        with contextlib.suppress(OSError):  # Linux says EIO when the other side is closed
            while chunk := os.read(main, 65_536):
                received.append(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(columns)
    stream = os.fdopen(other, "w", encoding="utf-8", errors="replace")
    try:
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            act()
    finally:
        stream.close()
        reader.join(20)
        os.close(main)
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return b"".join(received).decode().replace("\r\n", "\n")


def harmless(written: str, *, bar: bool = False) -> None:
    """Fail if anything but words, line feeds and our own styles was written."""
    plain = STYLE.sub("", written)
    found = ACTS.search(BAR.sub("", plain) if bar else plain)
    assert found is None, repr(plain[max(found.start() - 40, 0) : found.end() + 20])


def everything(name: str, title: str, text: str, question: str) -> Iterator[list[Line]]:
    """Yield the lines of every result about one document of that name, title and text."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "house.quoth"
        with Library.open(path, create=True, encoder=HashEncoder()) as library:
            library.add_texts([(name, f"The gnome is red. {text}", title, None)])
            retriever = Retriever(library)
            for asked in ("The gnome is red", question, "Which documents do you have?"):
                with contextlib.suppress(QuestionError):
                    yield list(passage_lines(retriever.retrieve(asked)))
                with contextlib.suppress(QuestionError):
                    yield list(answer_lines(Chat(library).ask(asked)))
            for words in ("gnome", question):
                with contextlib.suppress(QuothError):
                    yield list(find_lines(library.find(words)))
            yield list(status_lines(library.status()))
            yield list(listing_lines(library.documents()))
            yield list(document_lines(library.documents(), "removed"))


def told(name: str, reason: str) -> Iterator[list[Line]]:
    """Yield the lines about files that could not be read."""
    skipped = Skip(name, reason, kept=True)
    for dry in (False, True):
        yield list(
            report_lines(
                SyncReport(
                    added=(name,),
                    renamed=((name, name),),
                    removed=(name,),
                    skipped=(skipped,),
                    warnings=(f"{name}: {reason}",),
                    dry_run=dry,
                )
            )
        )
    failure = Failure(source=1, path=name, file=None, reason=reason, kept=True, since="2026-01-01")
    yield list(failure_lines([failure]))


ANY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
PIECE = st.one_of(st.sampled_from([LONE.sub("", each) for each in ATTACKS.values()]), ANY)
TEXT = st.lists(PIECE, min_size=1, max_size=4).map(" ".join)


@pytest.mark.slow
@settings(max_examples=30)
@given(name=TEXT, text=TEXT, question=TEXT)
@example(LONE.sub("", HOSTILE), LONE.sub("", HOSTILE), LONE.sub("", HOSTILE)[:2_000])
def test_whatever_a_document_is_made_of_a_terminal_gets_words(
    name: str, text: str, question: str
) -> None:
    shown = [*everything(name, name, text, question), *told(name, text)]
    assert len(shown) > 8

    def show() -> None:
        for lines in shown:
            print_lines(lines)

    written = on_terminal(show)
    harmless(written)
    for lines in shown:
        for line in lines:
            assert "\n" not in str(line), "a name made a line of its own"
            harmless(str(line))


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_each_attack_is_shown_as_signs(attack: str) -> None:
    for lines in told(attack, attack):
        written = on_terminal(lambda lines=lines: print_lines(lines))  # type: ignore[misc]
        harmless(written)
        words = "".join(STYLE.sub("", written).split())
        assert "".join(one_line(attack).split()) in words


def test_a_name_with_a_line_break_makes_no_line_of_a_report() -> None:
    name = "a.pdf: empty file\n  skipped policy.pdf"
    for lines in told(name, "damaged"):
        shown = [str(line) for line in lines]
        assert not any(line.strip().startswith("skipped policy.pdf") for line in shown), shown
    printed = str(SyncReport(skipped=(Skip(name, "damaged"),), warnings=(name,)))
    assert printed.count("\n") == 2
    assert "\x1b" not in str(SyncReport(skipped=(Skip("\x1b[2J", "damaged"),)))


def test_json_is_ascii_safe_and_exact(capsys: pytest.CaptureFixture[str]) -> None:
    print_json("x", {"text": HOSTILE, HOSTILE: [HOSTILE]})
    line = capsys.readouterr().out
    assert line.endswith("\n")
    harmless(line)
    assert json.loads(line) == {"kind": "x", "text": HOSTILE, HOSTILE: [HOSTILE]}


@given(st.text(st.characters()))
def test_json_of_any_text_is_safe_and_exact(text: str) -> None:
    from qa.render import to_json

    line = to_json({"text": text})
    harmless(line)
    assert json.loads(line) == {"text": text}


@given(st.text(st.characters()))
def test_visible_text_holds_nothing_that_acts(text: str) -> None:
    shown = visible(text)
    assert not ACTS.search(shown.replace("\t", ""))
    assert visible(shown) == shown, "signs are not made of signs"
    assert not ACTS.search(one_line(text))
    assert not ACTS.search(file_name(text))


def test_flags_and_families_stay_as_they_are() -> None:
    england = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
    for text in (
        england,
        "❤️\u200d🔥",
        "👩\u200d👩\u200d👧",
        "葛\U000e0100城",
        "می\u200cخواهم",
        "1️⃣",
    ):
        assert visible(text) == text


def test_progress_reads_no_markup_in_a_name() -> None:
    def show() -> None:
        with shown_progress() as tell:
            for at, attack in enumerate(ATTACKS.values()):
                tell(Progress(attack[:30], at, len(ATTACKS), at, float(at)))
            tell(Progress(ATTACKS["markup"][:30], 1, 1, 1, 1.0))  # the last one is always drawn

    written = on_terminal(show, columns=160)
    assert "[bold red]" in written
    assert "evil.example\x1b\\" not in written
    harmless(written, bar=True)


def test_a_log_line_is_one_line_and_its_traceback_is_visible() -> None:
    try:
        raise ValueError(f"odd {HOSTILE}\nquoth: forged")
    except ValueError:
        record = logging.LogRecord(
            "quoth.x", logging.ERROR, "x.py", 1, "%s\nquoth: forged", (HOSTILE,), sys.exc_info()
        )  # fmt: skip
    shown = VisibleFormatter("quoth: %(message)s").format(record)
    first, *rest = shown.split("\n")
    assert first.startswith("quoth: ␛")
    assert first.endswith("quoth: forged")
    assert rest[0] == "Traceback (most recent call last):"
    harmless(shown.replace("\t", " "))


def test_what_the_command_logs_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(debug=True)
    try:
        # No lone surrogates: a second process of the tests could not send on what was logged.
        logging.getLogger("quoth.tests").warning("cannot read %s", LONE.sub("", HOSTILE))
    finally:
        configure_logging(debug=False)
    err = capsys.readouterr().err
    assert err.startswith("quoth: cannot read ")
    assert err.count("\n") == 1
    harmless(err)


# The command itself ------------------------------------------------------------------------------

NAMES = {
    f"{number} {LONE.sub('', attack).replace('/', '⁄')[:60]}.txt": attack
    for number, attack in enumerate(ATTACKS.values())
    if "\0" not in attack
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files with hostile names and texts, and some that cannot be read."""
    folder = tmp_path_factory.mktemp("terminal") / "house"
    folder.mkdir()
    for name, attack in NAMES.items():
        text = f"The hostile lamp glows. {LONE.sub('', attack)}\n"
        (folder / name).write_text(text, "utf-8")
        (folder / f"{name}.pdf").write_bytes(b"%PDF-1.4 cut")
    return folder


def command(*args: str | Path, terminal: bool, typed: str = "") -> tuple[str, int]:
    """Run `quoth` as people do; return all that it writes, and its exit status."""
    environment = {**os.environ, "COLUMNS": "70", "TERM": "xterm-256color", "QUOTH_THREADS": "1"}
    environment.pop("NO_COLOR", None)
    environment.pop("QUOTH_LIBRARY", None)
    line = [sys.executable, "-c", QUOTH, *map(str, args)]
    if not terminal:
        done = subprocess.run(
            line, input=typed.encode(), capture_output=True, cwd=ROOT, env=environment, check=False
        )
        return (done.stdout + done.stderr).decode(), done.returncode
    main, other = pty.openpty()
    process = subprocess.Popen(
        line, stdin=other, stdout=other, stderr=other, cwd=ROOT, env=environment,
        start_new_session=True,
    )  # fmt: skip
    os.close(other)
    received = b""
    with contextlib.suppress(OSError):
        while chunk := os.read(main, 65_536):
            received += chunk
    os.close(main)
    return received.decode().replace("\r\n", "\n"), process.wait()


@pytest.mark.slow
def test_no_command_lets_a_document_drive_the_terminal(hostile: Path, tmp_path: Path) -> None:
    library = tmp_path / "house.quoth"
    asked = f"What glows? {LONE.sub('', HOSTILE)[:500]}".replace("\0", "")
    missing = "no\x1b[2Jsuch\rthing\u202e [red]x[/red]"
    commands: list[tuple[int | None, tuple[str | Path, ...]]] = [
        (0, ("sync", hostile, "--dry-run")),
        (1, ("--debug", "sync", hostile)),
        (1, ("sync", hostile, "--json")),
        (0, ("status", "--documents")),
        (0, ("status", "--documents", "--json")),
        (0, ("find", "hostile lamp")),
        (0, ("find", "lamp", "--json")),
        (0, ("ask", asked)),
        (0, ("ask", asked, "--markdown")),
        (0, ("ask", asked, "--json")),
        (0, ("retrieve", asked, "-k", "40")),
        (0, ("retrieve", asked, "--json")),
        (None, ("doctor",)),
        (None, ("doctor", "--json")),
        (1, ("remove", missing)),
        (1, ("--debug", "remove", missing)),
        (1, ("ask", "x", "--folder", missing)),
        (2, ("ask", "x", "--after", missing)),
        (2, ("sync", missing)),
        (2, (missing,)),
        (None, ("evaluate", missing)),
        (None, ("verify", missing)),
        (0, ("remove", next(iter(NAMES)))),
    ]
    for number, (status, arguments) in enumerate(commands):
        placed = [*arguments] if arguments == (missing,) else [*arguments, "--library", library]
        for terminal in (True, False):
            if number == len(commands) - 1 and not terminal:
                continue  # removed already
            written, code = command(*placed, terminal=terminal)
            assert "Traceback" not in written or "--debug" in arguments, written
            if status is not None:
                assert code == status, (arguments, written[-400:])
            harmless(written, bar=terminal)
            if "--json" in arguments and not terminal:
                for line in written.splitlines():
                    json.loads(line)
