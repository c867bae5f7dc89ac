"""What Quoth is built on: its licences are known, listed, and its versions fit together."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MADE_BY = runpy.run_path(str(ROOT / "docs/licences.py"))
PACKAGES = (ROOT / "docs/licences.md").read_text("utf-8").partition("## Packages")[2]
LISTED = re.findall(r"^\| ([a-z0-9-]*[a-z0-9]) \| (.+) \|$", PACKAGES, re.M)[1:]  # less the head


def test_every_package_that_is_needed_is_listed_with_its_licence() -> None:
    """`python docs/licences.py` writes the list."""
    # A build of PyTorch with CUDA needs more, which Quoth does not.
    others = ("nvidia-", "cuda-", "triton")
    needed = {
        name: MADE_BY["licence_of"](metadata)
        for name, metadata in MADE_BY["needed"]().items()
        if not name.startswith(others)
    }
    assert len(needed) > 60
    assert {name for name, _ in LISTED} == set(needed)
    other = {name: (said, needed[name]) for name, said in LISTED if said != needed[name]}
    assert other == {}


def test_nothing_is_under_a_licence_that_nobody_has_looked_at() -> None:
    for name, licence in LISTED:
        assert MADE_BY["known"](licence), name
    strict = [name for name, licence in LISTED if "MPL" in licence]
    assert sorted(strict) == ["certifi", "orjson", "pathspec", "tqdm"]


@pytest.mark.parametrize(
    "said",
    ["GPL-3.0-or-later", "MIT AND LGPL-2.1-only", "AGPL-3.0", "Proprietary", "UNKNOWN", "", None],
)
def test_an_unknown_licence_is_an_error(said: str | None) -> None:
    metadata = Message()
    metadata["Name"] = "new-package"
    if said is not None:
        metadata["License-Expression"] = said
    with pytest.raises(ValueError, match="the licence of new-package is not known"):
        MADE_BY["licence_of"](metadata)


def test_what_is_installed_fits_together() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout
