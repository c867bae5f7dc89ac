"""Names, links and folders that are made to mislead: each is in the report, on one line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small import new_library, write

from index.errors import SourceError
from index.scan import scan

LINE = "The lift is inspected every year.\n"
ODD_NAMES = (
    "two\nlines.txt",
    "back\rspace\b.txt",
    "bell\x07 and \x1b[2J\x1b]0;title\x07.txt",
    "emoji 👩‍👩‍👧 🇩🇪.txt",
    "\u202etxt.exe\u202c.txt",
    "\u2066isolated\u2069.txt",
    "wide\u3000blank\u2028line.txt",
    "c1 \x9b31m.txt",
    "-rf.txt",
    "--help.txt",
    " leading.txt",
    "trailing .txt",
    "C:\\Windows\\system.txt",
    "%2e%2e%2fetc%2fpasswd.txt",
    "'; DROP TABLE documents; --.txt",
    "a*b?[c].txt",
    "$(reboot) `id`.txt",
    "<script>alert(1)<%2fscript>.txt",
    "Cafe\u0301.txt",
    "Café.txt",
    "x" * 251 + ".txt",
    "ä" * 125 + "a.txt",
    "..txt.txt",
    "con.txt",
    "a.b.c.TXT",
)
NO_FORMAT = (
    "dots...",
    "blank.txt ",
    "dot.txt.",
    "x.\x1b[31m",
    "x." + "y" * 250,
    "x.new\nline",
    "no suffix",
)


def test_files_with_odd_names_are_indexed_under_them(tmp_path: Path) -> None:
    folder = tmp_path / "house"
    write(folder, {name: f"{number} {LINE}" for number, name in enumerate(ODD_NAMES)})
    with new_library(tmp_path / "house.quoth") as library:
        report = library.sync(folder)
        assert report.skipped == ()
        assert set(report.added) == {name for name in ODD_NAMES if not name.startswith(".")}
        assert library.sync(folder).changed is False
        assert {info.path for info in library.documents()} == set(report.added)


def test_names_without_a_format_are_skipped_in_one_clause_each(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys(NO_FORMAT, LINE))
    skipped = scan(tmp_path).skipped
    assert {skip.path for skip in skipped} == set(NO_FORMAT)
    for skip in skipped:
        assert skip.reason.startswith("unknown format ")
        assert skip.reason.isprintable()
        assert len(skip.reason) < 150


def test_a_report_of_odd_names_has_one_line_a_file_and_no_control(tmp_path: Path) -> None:
    folder = write(tmp_path / "house", {"a.txt": LINE, **dict.fromkeys(NO_FORMAT, LINE)})
    write(folder, dict.fromkeys(ODD_NAMES, ""))  # empty: skipped with their names
    done = subprocess.run(
        [sys.executable, "-c", _REPORT, str(folder), str(tmp_path / "house.quoth")],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    text = done.stdout.decode()
    assert text.count("\n") == len(text.splitlines())
    assert len([line for line in text.splitlines() if "skipped" in line]) >= len(
        NO_FORMAT + ODD_NAMES
    )
    for control in "\x1b\x07\b\r\x9b\u202e\u202c\u2066\u2069\u2028":
        assert control not in text


_REPORT = """
import sys
from small import new_library
from qa.cli_output import print_lines
from qa.lines import report_lines
from pathlib import Path
with new_library(Path(sys.argv[2])) as library:
    print_lines(report_lines(library.sync(sys.argv[1])))
"""


def test_names_that_are_not_utf_8_are_told_apart(tmp_path: Path) -> None:
    for name in (b"\xff.txt", b"\xfe.txt", b"ok.txt"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text(LINE)
    os.mkdir(os.fsencode(tmp_path) + b"/\xe9t\xe9")
    found = scan(tmp_path)
    assert [item.path for item in found.found] == ["ok.txt"]
    assert [skip.path for skip in found.skipped] == [r"\xe9t\xe9/", r"\xfe.txt", r"\xff.txt"]


def test_no_link_is_followed_out_of_the_folder_or_in_a_circle(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"secret.txt": "The key is under the mat."})
    inside = write(tmp_path / "house", {"a.txt": LINE, "sub/b.txt": LINE * 2})
    (inside / "out").symlink_to(outside)
    (inside / "secret.txt").symlink_to(outside / "secret.txt")
    (inside / "sub" / "circle").symlink_to(inside)
    (inside / "itself.txt").symlink_to(inside / "itself.txt")
    (inside / "nowhere.txt").symlink_to("/nonexistent")
    (inside / "passwd.txt").symlink_to("../../../../../../etc/passwd")
    found = scan(inside)
    assert [item.path for item in found.found] == ["a.txt", "sub/b.txt"]
    assert (found.ignored, found.skipped) == (6, [])


def test_what_is_no_file_is_skipped_and_never_opened(tmp_path: Path) -> None:
    folder = write(tmp_path / "house", {"a.txt": LINE, "folder.txt/b.txt": LINE * 2})
    os.mkfifo(folder / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket.txt"))
        with new_library(tmp_path / "house.quoth") as library:
            report = library.sync(folder)
    assert report.added == ("a.txt", "folder.txt/b.txt")
    assert {skip.path: skip.reason for skip in report.skipped} == {
        "pipe.txt": "no ordinary file",
        "socket.txt": "no ordinary file",
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_is_skipped(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "zero.txt", 0o20666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("not allowed here")
    write(tmp_path, {"a.txt": LINE})
    assert [skip.reason for skip in scan(tmp_path).skipped] == ["no ordinary file"]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_file_of_patterns_that_is_none_stops_the_scan(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """A pipe would otherwise keep the scan waiting for ever."""
    write(tmp_path, {"a.txt": LINE})
    make(tmp_path / ".quothignore")
    with pytest.raises(SourceError, match="quothignore cannot be read"):
        scan(tmp_path)


def test_a_folder_swapped_for_a_link_or_another_one_is_not_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The swap comes when the folder has been listed and not yet been opened."""
    outside = write(tmp_path / "outside", {"secret.txt": "The key is under the mat."})
    house = write(tmp_path / "house", {"a/x.txt": LINE, "b/y.txt": LINE, "c/z.txt": LINE})
    really = os.open

    def swapped(path: object, *arguments: int, **named: int) -> int:
        for name in "ab":
            folder = house / name
            if path == folder and (folder / f"{'xy'['ab'.index(name)]}.txt").exists():
                folder.rename(tmp_path / f"moved-{name}")
                if name == "a":
                    folder.symlink_to(outside)
                else:
                    outside.rename(folder)
        return really(path, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", swapped)
    found = scan(house)
    assert [item.path for item in found.found] == ["c/z.txt"]
    reasons = {skip.path: skip.reason for skip in found.skipped}
    assert reasons["b/"] == "folder was replaced meanwhile; sync again"
    assert reasons["a/"].startswith("folder cannot be read (")


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A folder with 3,000 folders in each other, the names longer than a path may be."""
    top = tmp_path / "deep"
    write(top, {"a.txt": LINE})
    here = os.getcwd()
    os.chdir(top)
    try:
        for _ in range(3000):
            os.mkdir("d")
            os.chdir("d")
        Path("bottom.txt").write_text(LINE)
        yield top
        # pytest's own cleaning recurses; this folder is taken away from the bottom.
        Path("bottom.txt").unlink()
        for _ in range(3000):
            os.chdir("..")
            os.rmdir("d")
    finally:
        os.chdir(here)


def test_folders_deeper_than_a_path_may_be_are_reported(deep: Path) -> None:
    found = scan(deep)
    assert [item.path for item in found.found] == ["a.txt"]
    (skip,) = found.skipped
    assert skip.reason == "folder cannot be read (File name too long)"
    assert set(skip.path) == {"d", "/"}


@pytest.mark.slow
def test_twenty_thousand_tiny_files_are_all_found(tmp_path: Path) -> None:
    for number in range(20_000):
        (tmp_path / f"{number}.txt").write_bytes(b"")
    found = scan(tmp_path)
    assert len(found.found) == 20_000
    assert found.skipped == []


_UNPRIVILEGED = """
import os, sys
from pathlib import Path
import charset_normalizer, encodings.idna
from small import new_library
import index.formats.text, index.formats.opening
from index.scan import scan
library = new_library(Path(sys.argv[2]))
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
from index.formats import read_document
from index.errors import FormatError
found = scan(Path(sys.argv[1]))
print([item.path for item in found.found])
for item in found.found:
    try:
        read_document(item.file)
    except FormatError as error:
        print(item.path, error.reason)
"""


def test_a_file_that_may_not_be_read_gets_the_reason() -> None:
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as place:
        write(Path(name), {"a.txt": LINE, "closed.txt": LINE})
        Path(name).chmod(0o755)
        (Path(name) / "closed.txt").chmod(0)
        done = subprocess.run(
            [sys.executable, "-c", _UNPRIVILEGED, name, f"{place}/l.quoth"],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "['a.txt', 'closed.txt']",
        "closed.txt no permission to read it",
    ]


def test_files_that_come_and_go_during_the_scan_do_no_harm(tmp_path: Path) -> None:
    write(tmp_path, {f"{n}/{m}.txt": LINE for n in range(20) for m in range(5)})
    over = threading.Event()

    def disturb() -> None:
        while not over.is_set():
            for n in range(0, 20, 2):
                file = tmp_path / f"{n}" / "0.txt"
                file.unlink(missing_ok=True)
                os.rename(tmp_path / f"{n}", tmp_path / f"moved {n}")
                os.rename(tmp_path / f"moved {n}", tmp_path / f"{n}")
                file.write_text(LINE)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for _ in range(30):
            found = scan(tmp_path)
            steady = {f"{n}/{m}.txt" for n in range(1, 20, 2) for m in range(5)}
            assert steady <= {item.path for item in found.found}
            assert all(skip.reason.isprintable() for skip in found.skipped)
    finally:
        over.set()
        thread.join()


NAMES = st.binary(min_size=1, max_size=40).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(NAMES, min_size=1, max_size=12, unique=True), st.booleans())
def test_every_name_that_a_file_can_have_is_accounted_for(names: list[bytes], text: bool) -> None:
    """Found, skipped with a reason, or counted as left out by rule: together, all of them."""
    with tempfile.TemporaryDirectory() as folder:
        made = {name + (b".txt" if text else b"") for name in names}
        for name in made:
            with open(os.fsencode(folder) + b"/" + name, "wb") as file:
                file.write(b"x")
        found = scan(Path(folder))
    assert len(found.found) + len(found.skipped) + found.ignored == len(made)
    assert all(skip.reason.isprintable() for skip in found.skipped)
    for skip in found.skipped:
        skip.path.encode()
