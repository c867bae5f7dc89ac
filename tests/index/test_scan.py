"""What a source holds: what counts, what is left out and why, what has changed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from small import write

from index.errors import SourceError
from index.files import sha256
from index.scan import Difference, Known, compare, scan
from index.store import Store


def paths(root: Path) -> list[str]:
    return [found.path for found in scan(root).found]


def test_files_of_known_formats_are_found_in_order_of_path(tmp_path: Path) -> None:
    write(tmp_path, {"b.txt": "b", "a/z.MD": "z", "a/b/c.html": "c", "Z.txt": "Z"})
    assert paths(tmp_path) == ["Z.txt", "a/b/c.html", "a/z.MD", "b.txt"]


def test_a_single_file_is_a_source_of_one(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": "a", "b.txt": "b"})
    assert paths(tmp_path / "a.txt") == ["a.txt"]


def test_what_is_left_out_by_rule_is_counted(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.txt": "a",
            ".hidden.txt": "",
            ".git/config.txt": "",
            "~$report.docx": "",
            "sub/~$b.docx": "",
        },
    )
    (tmp_path / "link.txt").symlink_to(tmp_path / "a.txt")
    (tmp_path / "loop").symlink_to(tmp_path)
    Store.create(tmp_path / "house.quoth").close()
    found = scan(tmp_path)
    assert [item.path for item in found.found] == ["a.txt"]
    assert found.ignored == 7
    assert found.skipped == []


def test_patterns_of_quothignore_are_left_out_as_git_does(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".quothignore": "# drafts\ndrafts/\n*.log\n!keep.log\n/top.txt\n",
            "top.txt": "",
            "sub/top.txt": "",
            "a.log": "",
            "keep.log": "",
            "sub/drafts/a.txt": "",
            "sub/drafts.txt": "",
        },
    )
    found = scan(tmp_path)
    assert [item.path for item in found.found] == ["keep.log", "sub/drafts.txt", "sub/top.txt"]
    assert found.ignored == 4  # the file of patterns itself is hidden


def test_other_formats_are_skipped_with_the_reason(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": "a", "b.xyz": "", "Makefile": ""})
    os.mkfifo(tmp_path / "pipe.txt")
    reasons = {skip.path: skip.reason for skip in scan(tmp_path).skipped}
    assert reasons["b.xyz"].startswith("unknown format .xyz (known: ")
    assert reasons["Makefile"].startswith("unknown format without suffix (known: ")
    assert reasons["pipe.txt"] == "no ordinary file"


def test_a_name_that_is_not_utf_8_is_skipped_with_the_reason(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.txt")).write_text("a")
    (skip,) = scan(tmp_path).skipped
    assert skip.path == r"\xff\xfe.txt"
    assert "not valid UTF-8" in skip.reason


def test_a_missing_source_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nothing was changed"):
        scan(tmp_path / "gone")


def test_a_file_of_patterns_that_cannot_be_read_stops_the_scan(tmp_path: Path) -> None:
    """Going on would index what the user wants to leave out."""
    write(tmp_path, {".quothignore": b"\xff\xfe\x00", "a.txt": "a"})
    with pytest.raises(SourceError, match="quothignore"):
        scan(tmp_path)


_UNPRIVILEGED = """
import os, sys
from pathlib import Path
from index.scan import scan
import encodings.idna, pathspec
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
found = scan(Path(sys.argv[1]))
print([item.path for item in found.found])
print([str(skip) for skip in found.skipped])
"""


def test_a_folder_that_may_not_be_looked_into_is_skipped_with_the_reason() -> None:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), {"a.txt": "a", "closed/b.txt": "b"})
        Path(name).chmod(0o755)
        (Path(name) / "closed").chmod(0)
        done = subprocess.run(
            [sys.executable, "-c", _UNPRIVILEGED, name], capture_output=True, text=True
        )
        (Path(name) / "closed").chmod(0o755)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "['a.txt']",
        "['closed/: folder cannot be read (Permission denied)']",
    ]


OLD = 1_000_000_000_000_000_000  # a time long ago
LAST_SYNC = OLD + 10_000_000_000


def known_of(root: Path) -> dict[str, Known]:
    """Return how the files look now, as if they had just been read long ago."""
    known = {}
    for number, item in enumerate(scan(root).found, 1):
        os.utime(item.file, ns=(OLD, OLD))
        known[item.path] = Known(item.path, item.size, OLD, item.inode, sha256(item.file), number)
    return known


def difference(
    root: Path,
    known: dict[str, Known],
    *,
    full: bool = False,
    unseen: tuple[str, ...] = (),
    stale: frozenset[int] = frozenset(),
) -> tuple[Difference, list[str]]:
    """Return the difference, and which files had to be hashed."""
    hashed = []

    def content_hash(path: Path) -> str:
        hashed.append(path.relative_to(root).as_posix())
        return sha256(path)

    result, skipped = compare(
        scan(root).found,
        known,
        synced_ns=LAST_SYNC,
        stale=stale,
        full=full,
        unseen=unseen,
        content_hash=content_hash,
    )
    assert skipped == []
    return result, hashed


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with three files."""
    return write(tmp_path / "root", {"a.txt": "one", "b.txt": "two", "sub/c.txt": "three"})


def names(result: Difference) -> tuple[object, ...]:
    return (
        [item.path for item in result.fresh],
        [(before.path, item.path) for before, item in result.renamed],
        [before.path for before in result.removed],
        [item.path for _, item in result.same],
    )


def test_an_unchanged_file_is_not_read(root: Path) -> None:
    result, hashed = difference(root, known_of(root))
    assert names(result) == ([], [], [], ["a.txt", "b.txt", "sub/c.txt"])
    assert hashed == []


def test_a_full_comparison_reads_every_file(root: Path) -> None:
    """Here the content changed, and size, times and inode did not."""
    known = known_of(root)
    with (root / "a.txt").open("r+") as file:
        file.write("eno")
    os.utime(root / "a.txt", ns=(OLD, OLD))
    assert names(difference(root, known)[0])[0] == []
    result, hashed = difference(root, known, full=True)
    assert names(result)[0] == ["a.txt"]
    assert hashed == ["a.txt", "b.txt", "sub/c.txt"]


def test_a_touched_file_is_read_and_found_the_same(root: Path) -> None:
    known = known_of(root)
    os.utime(root / "a.txt", ns=(OLD + 1, OLD + 1))
    result, hashed = difference(root, known)
    assert names(result) == ([], [], [], ["a.txt", "b.txt", "sub/c.txt"])
    assert hashed == ["a.txt"]


@pytest.mark.parametrize(("before_sync", "read"), [(1_000_000_000, True), (3_000_000_000, False)])
def test_a_file_changed_just_before_the_last_sync_is_read(
    root: Path, before_sync: int, read: bool
) -> None:
    known = known_of(root)
    time = LAST_SYNC - before_sync
    os.utime(root / "a.txt", ns=(time, time))
    old = known["a.txt"]
    known["a.txt"] = Known(old.path, old.size, time, old.inode, old.hash, old.document)
    assert difference(root, known)[1] == (["a.txt"] if read else [])


def test_a_moved_file_is_renamed_once_for_each_content_and_kind(root: Path) -> None:
    known = known_of(root)
    (root / "a.txt").rename(root / "sub" / "moved.txt")
    (root / "b.txt").rename(root / "b.md")  # read in another way
    write(root, {"copy.txt": "one"})
    result, _ = difference(root, known)
    assert names(result) == (
        ["b.md", "sub/moved.txt"],
        [("a.txt", "copy.txt")],
        ["b.txt"],
        ["sub/c.txt"],
    )


def test_two_files_that_changed_places_are_both_read(root: Path) -> None:
    known = known_of(root)
    (root / "a.txt").rename(root / "x")
    (root / "b.txt").rename(root / "a.txt")
    (root / "x").rename(root / "b.txt")
    assert names(difference(root, known)[0])[0] == ["a.txt", "b.txt"]


def test_what_cannot_be_seen_is_neither_gone_nor_renamed(root: Path) -> None:
    known = known_of(root)
    (root / "sub" / "c.txt").rename(root / "new.txt")
    (root / "a.txt").unlink()
    result, _ = difference(root, known, unseen=("sub/", "a.txt"))
    assert names(result) == (["new.txt"], [], [], ["b.txt"])


def test_what_an_older_version_made_is_read_again(root: Path) -> None:
    result, hashed = difference(root, known_of(root), stale=frozenset({2}))
    assert names(result) == (["b.txt"], [], [], ["a.txt", "sub/c.txt"])
    assert result.hashes["b.txt"] == sha256(root / "b.txt")
    assert hashed == []


def test_a_file_that_vanishes_meanwhile_is_told(root: Path) -> None:
    known = known_of(root)
    os.utime(root / "a.txt", ns=(OLD + 1, OLD + 1))
    found = scan(root).found
    (root / "a.txt").unlink()
    result, skipped = compare(
        found,
        known,
        synced_ns=LAST_SYNC,
        stale=frozenset(),
        full=False,
        unseen=(),
        content_hash=sha256,
    )
    (skip,) = skipped
    assert str(skip) == (
        "a.txt: cannot be read (No such file or directory) (the version indexed before is kept)"
    )
    assert result.removed == []
