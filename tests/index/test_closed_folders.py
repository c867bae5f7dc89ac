"""What cannot be looked at is not gone: neither a folder nor the whole source."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small import write

from index import Library
from index.errors import SourceError
from index.scan import scan

_UNPRIVILEGED = """
import os, sys
from pathlib import Path
from small import new_library, write
import filelock, encodings.idna, pathspec, faiss, tantivy, Stemmer
if os.geteuid() == 0:
    os.chown(sys.argv[1], 65534, 65534)
    os.setgid(65534)
    os.setuid(65534)
top = Path(sys.argv[1])
LINE = "The lift is inspected every year."
write(top / "docs", {"a.txt": LINE, "b.txt": LINE, "mount/disk/c.txt": LINE, "mount/d.txt": LINE})
with new_library(top / "l.quoth", top / "docs") as library:
    # The names in it can be listed; what they are cannot, as where a disk is gone.
    (top / "docs" / "mount").chmod(0o444)
    report = library.sync(top / "docs")
    print(*(f"{skip.path}: {skip.reason}" for skip in report.skipped), sep="; ")
    print(*report.removed)
    (top / "docs" / "mount").chmod(0o755)
    print(library.sync(top / "docs").unchanged)
"""


def test_what_lies_below_a_folder_that_cannot_be_told_from_a_file_is_kept() -> None:
    """Not below tmp_path, which only its owner may look into."""
    with tempfile.TemporaryDirectory() as name:
        done = subprocess.run(
            [sys.executable, "-c", _UNPRIVILEGED, name],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1", "HOME": name},
        )
    assert done.stderr == ""
    reason = "cannot be read (Permission denied)"
    skipped, removed, unchanged = done.stdout.split("\n")[:3]
    assert skipped == f"mount/d.txt: {reason}; mount/disk: {reason}"
    assert (removed, unchanged) == ("", "4")


def test_a_file_that_took_the_place_of_a_folder_does_not_keep_what_was_in_it(
    library: Library, folder: Path
) -> None:
    shutil.rmtree(folder / "minutes")
    write(folder, {"minutes": "A file now, of no known format."})
    assert library.sync(folder).removed == ("minutes/2023.txt", "minutes/2024.txt")


def gone(root: Path) -> None:
    root.rename(root.with_name("moved"))


def replaced(root: Path) -> None:
    gone(root)
    root.mkdir()


@pytest.fixture(params=[gone, replaced])
def meanwhile(request: pytest.FixtureRequest) -> Iterator[Callable[[Path], None]]:
    """Something happens to a folder when it has been looked at and not yet been opened."""
    patch = pytest.MonkeyPatch()
    really = os.open

    def happens_to(root: Path) -> None:
        def opened(path: object, *arguments: int, **named: int) -> int:
            if path == root:
                patch.undo()
                request.param(root)
            return really(path, *arguments, **named)  # type: ignore[arg-type]

        patch.setattr(os, "open", opened)

    yield happens_to
    patch.undo()


def test_a_source_that_goes_away_before_it_is_opened_is_an_error(
    tmp_path: Path, meanwhile: Callable[[Path], None]
) -> None:
    root = write(tmp_path / "root", {"a.txt": "a"})
    meanwhile(root)
    with pytest.raises(SourceError, match=r"root cannot be read \(.*nothing was changed"):
        scan(root)


def test_uploads_that_go_away_before_they_are_opened_stay(
    library: Library, meanwhile: Callable[[Path], None]
) -> None:
    """Of uploads none may be left, so a source that looks empty is not refused."""
    write(library.uploads, {f"{n}.txt": f"Rule {n} is short." for n in range(3)})
    assert len(library.sync(library.uploads).added) == 3
    meanwhile(library.uploads)
    with pytest.raises(SourceError, match="nothing was changed"):
        library.sync(library.uploads)
    assert len([d for d in library.documents() if d.path in ("0.txt", "1.txt", "2.txt")]) == 3
    if library.uploads.exists():
        library.uploads.rmdir()
    library.uploads.with_name("moved").rename(library.uploads)
    assert library.sync(library.uploads).unchanged == 3
