"""Which documents are no longer what their files say."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from small import write

from index import Library


def paths(library: Library, numbers: tuple[int, ...]) -> list[str]:
    return [library.document(number).path for number in numbers]


def test_a_library_in_step_has_nothing_outdated(library: Library) -> None:
    found = library.outdated()
    assert (found.changed, found.gone) == ((), ())


def test_changed_and_missing_files_are_told(library: Library, folder: Path) -> None:
    write(folder, {"lift.txt": "Another text.", "unknown.txt": "New, and so not outdated."})
    (folder / "minutes/2023.txt").unlink()
    found = library.outdated()
    assert paths(library, found.changed) == ["lift.txt"]
    assert paths(library, found.gone) == ["minutes/2023.txt"]


def test_a_file_that_was_only_touched_has_not_changed(library: Library, folder: Path) -> None:
    os.utime(folder / "lift.txt", (1, 1))
    assert library.outdated().changed == ()


def test_a_folder_that_is_not_there_has_lost_nothing(library: Library, folder: Path) -> None:
    """A disk that is not mounted looks like that."""
    shutil.rmtree(folder)
    assert library.outdated().gone == ()
