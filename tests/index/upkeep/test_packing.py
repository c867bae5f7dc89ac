"""What is packed of uploads that change or are gone, and when the clock is wrong."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from small import new_library, write

from index import Library
from index.upkeep import packing
from index.upkeep.archive import Manifest


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Library]:
    """A library with two uploads."""
    files = {"marmots.txt": "Marmots whistle.", "bees.txt": "Bees hum."}
    write(tmp_path / "given", files)
    with new_library(tmp_path / "house.quoth") as library:
        for name in files:
            library.add(tmp_path / "given" / name)
        yield library


def test_an_upload_that_changes_while_it_is_packed_is_told(tmp_path: Path) -> None:
    """At the last attempt it is packed as it is; told once, whoever saw it first."""
    file = write(tmp_path, {"marmots.txt": "Edited just now."}) / "marmots.txt"
    manifest = Manifest(
        quoth="",
        format=3,
        generation=1,
        model="",
        fingerprint="",
        made_at="",
        documents=1,
        members=(),
    )
    told: list[str] = []
    for _ in range(2):
        uploads = {"uploads/marmots.txt": (file, "0" * 64)}
        packing._write(tmp_path / "packed", tmp_path, uploads, manifest, told)
    assert told == [
        "The uploaded file marmots.txt is no longer what was indexed; it is in the backup as it "
        "is now."
    ]


def test_an_upload_that_is_gone_for_good_leaves_attempts_for_the_others(
    opened: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise one that is just being replaced is packed as it happens to be."""
    (opened.uploads / "marmots.txt").unlink()
    pauses: list[float] = []
    monkeypatch.setattr("index.upkeep.packing.time.sleep", pauses.append)
    (told,) = opened.backup(tmp_path / "b").missing
    assert told.startswith("The uploaded file marmots.txt is not in the backup")
    assert len(pauses) == 1


def test_a_backup_does_not_hang_on_the_clock(opened: Library, tmp_path: Path) -> None:
    """ZIP has no date before 1980, which a clock without a battery has."""
    opened.backup(tmp_path / "b")
    with zipfile.ZipFile(tmp_path / "b") as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
