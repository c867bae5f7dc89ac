"""What a repair could not mend is told, with the reason."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from small import HOUSE, new_library, write

from qa.doctor import examine


def test_a_step_of_a_repair_that_failed_is_a_finding(tmp_path: Path) -> None:
    """The model that made the vectors is not there; without it none can be made again."""
    path = tmp_path / "house.quoth"
    new_library(path, write(tmp_path / "house", HOUSE)).close()
    with closing(sqlite3.connect(path / "store.db")) as db, db:
        db.execute("UPDATE vectors SET vector = zeroblob(length(vector)) WHERE id = 3")
    told = [found.message for found in examine(path, repair=True).findings]
    (failed,) = [message for message in told if message.startswith("Embedding sentences again")]
    assert failed.startswith("Embedding sentences again failed: ")
    assert "hashed words" in failed
    assert failed.endswith(".")
