"""The hash of a document's file, by which whoever shows it tells that it is still the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from small import new_library, write

from index.files import sha256

if TYPE_CHECKING:
    from index import Library


def test_the_hash_is_that_of_the_file_when_it_was_read(library: Library, folder: Path) -> None:
    before = {info.path: library.file_hash(info.id) for info in library.documents()}
    assert before == {path: sha256(folder / path) for path in before}
    old = next(info for info in library.documents() if info.path == "lift.txt")
    write(folder, {"lift.txt": "The lift stands still."})
    assert library.file_hash(old.id) == before["lift.txt"]
    library.sync(folder, full=True)
    new = next(info for info in library.documents() if info.path == "lift.txt")
    assert library.file_hash(new.id) == sha256(folder / "lift.txt")
    assert library.file_hash(old.id) is None
    (folder / "garden.md").rename(folder / "yard.md")
    library.sync(folder)
    moved = next(info for info in library.documents() if info.path == "yard.md")
    assert library.file_hash(moved.id) == before["garden.md"]


def test_a_text_has_no_file(tmp_path: Path) -> None:
    with new_library(tmp_path / "texts.quoth") as library:
        info = library.add("The lift is inspected.", name="lift")
        assert library.file_hash(info.id) is None
        assert library.file_hash(999) is None
