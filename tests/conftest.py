"""What every test may use; helpers that are not fixtures are in `small`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from small import HOUSE, new_library, write

if TYPE_CHECKING:
    from index import Library
    from index.types import Encoder

# A machine that is busy with something else is no failure of a property.
settings.register_profile("quoth", deadline=None)
settings.load_profile("quoth")


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The default model, loaded once."""
    from index.encoder import load_encoder

    return load_encoder()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of small text files."""
    return write(tmp_path / "house", HOUSE)


@pytest.fixture
def library(folder: Path, tmp_path: Path) -> Iterator[Library]:
    """A library of `folder`, with the tiny encoder."""
    with new_library(tmp_path / "house.quoth", folder) as opened:
        yield opened
