"""Files that are swapped, rewritten or taken away between the moment they are found and read."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from pathlib import Path

import pytest
from small import new_library, write

from index.errors import FormatError
from index.formats import Limits, Reading, read_file
from index.formats.opening import content_mark, copied

TEXT = "# Quay\n\nIt is wet."


def reason(path: Path, root: Path | None = None) -> str:
    with pytest.raises(FormatError) as caught:
        read_file(path, root=root)
    return caught.value.reason


def test_the_hash_is_of_the_bytes_that_were_parsed(tmp_path: Path) -> None:
    path = write(tmp_path, {"a.md": TEXT}) / "a.md"
    reading = read_file(path)
    assert reading.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
    assert reading.document.title == "Quay"


def test_a_file_that_is_rewritten_all_the_time_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    """Every state has one letter only; a mixture would show."""
    path = tmp_path / "a.txt"
    states = [letter * 200_000 for letter in "abcdef"]
    path.write_text(states[0])
    stop = threading.Event()

    def rewrite() -> None:
        while not stop.wait(0.003):
            for text in states:
                path.write_text(text)
                if stop.wait(0.001):
                    break

    writer = threading.Thread(target=rewrite)
    writer.start()
    outcomes = set()
    try:
        for _ in range(100):
            try:
                with copied(path, max_bytes=2**20) as copy:
                    data = copy.path.read_bytes()
            except FormatError as error:
                outcomes.add(error.reason)
                continue
            assert copy.sha256 == hashlib.sha256(data).hexdigest()
            assert copy.size == len(data)
            outcomes.add("read")
    finally:
        stop.set()
        writer.join()
    assert outcomes <= {
        "read",
        "empty file",  # a moment of each rewriting
        "changed while it was read; sync again once it is finished",
    }


def test_a_file_that_never_stands_still_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from index.formats import opening

    path = write(tmp_path, {"a.txt": "It is wet."}) / "a.txt"
    copy = opening._copy

    def grow(source: int, target: int, max_bytes: int) -> str:
        digest = copy(source, target, max_bytes)
        with path.open("a") as file:
            file.write(" And wet.")
        return digest

    monkeypatch.setattr(opening, "_copy", grow)
    assert reason(path) == "changed while it was read; sync again once it is finished"


def test_a_file_replaced_after_the_scan_is_recorded_as_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "folder", {"a.md": TEXT, "b.md": "# Pier\n\nIt is long."})
    newer = "# Lock\n\nIt is shut."

    def late(path: Path, **options: object) -> Reading:
        if path.name == "a.md":
            path.write_text(newer)
        return read_file(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("index.fileread.read_file", late)
    with new_library(tmp_path / "l.quoth", folder) as library:
        (info,) = (info for info in library.documents() if info.name == "a.md")
        assert (info.title, library.text(info.id)) == ("Lock", "Lock\n\nIt is shut.")
        assert library.file_hash(info.id) == hashlib.sha256(newer.encode()).hexdigest()
        monkeypatch.undo()
        assert library.sync(folder).unchanged == 2


@pytest.mark.parametrize(
    ("swap", "expected"),
    [
        ("gone", "no such file"),
        ("pipe", "not a regular file"),
        ("folder", "a folder"),
        ("link", "a symbolic link"),
        ("above", "a symbolic link, or below one"),
    ],
)
def test_what_is_swapped_in_after_the_scan_is_never_followed_and_never_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swap: str, expected: str
) -> None:
    secret = write(tmp_path / "outside", {"a.md": "# Secret\n\nNobody shall read it."})
    folder = write(tmp_path / "folder", {"in/a.md": TEXT, "z.md": "# Pier\n\nIt is long."})

    def late(path: Path, **options: object) -> Reading:
        if path.name == "a.md":
            path.unlink()
            match swap:
                case "pipe":
                    os.mkfifo(path)
                case "folder":
                    path.mkdir()
                case "link":
                    path.symlink_to(secret / "a.md")
                case "above":
                    path.parent.rmdir()
                    path.parent.symlink_to(secret)
        return read_file(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("index.fileread.read_file", late)
    with new_library(tmp_path / "l.quoth") as library:
        report = library.sync(folder)
        assert report.added == ("z.md",)
        assert [(skip.path, skip.reason) for skip in report.skipped] == [("in/a.md", expected)]


def test_a_device_and_a_socket_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "null.txt").symlink_to("/dev/null")
    assert reason(tmp_path / "null.txt") == "not a regular file"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s.txt"))
        assert reason(tmp_path / "s.txt") == "not a regular file"


def test_a_link_is_followed_for_whoever_names_it_and_not_below_a_source(tmp_path: Path) -> None:
    folder = write(tmp_path, {"a.md": TEXT})
    (folder / "b.md").symlink_to("a.md")
    assert read_file(folder / "b.md").document.title == "Quay"
    assert reason(folder / "b.md", root=folder) == "a symbolic link"


def test_a_file_that_is_too_large_to_read_is_not_read_to_be_compared(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(2**40)
    mark = content_mark(path, max_bytes=Limits().max_bytes)
    assert mark.startswith(f"{2**40} bytes at ")
    with pytest.raises(OSError, match="no such file"):
        content_mark(tmp_path / "none.txt", max_bytes=1)


def test_an_added_file_that_is_too_large_is_refused_before_it_is_copied(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(2**40)
    with new_library(tmp_path / "l.quoth") as library:
        with pytest.raises(FormatError, match=r"huge\.txt: too large: 1,048,576 MB"):
            library.add(path)
        assert not (library.uploads / "huge.txt").exists()
