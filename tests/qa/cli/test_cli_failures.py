"""`quoth status --documents` also lists what could not be read."""

from __future__ import annotations

import json
from pathlib import Path

from cli_house import run, write


def test_what_could_not_be_read_is_listed_with_the_reason(tmp_path: Path) -> None:
    house = {"lift.txt": "The lift stands still.", "empty\u202e.txt": "", "a.xyz": "x"}
    folder = write(tmp_path / "house", house)
    assert run("sync", folder).exit_code == 1
    library = tmp_path / "house.quoth"
    text = run("status", "-l", library, "--documents").stdout
    assert "\n  ! empty‹U+202E›.txt: empty file\n" in text
    assert "empty" not in run("status", "-l", library).stdout
    plain = json.loads(run("status", "-l", library, "--documents", "--json").stdout)
    assert [(one["path"], one["kept"]) for one in plain["failures"]] == [
        ("a.xyz", False),
        ("empty\u202e.txt", False),
    ]
