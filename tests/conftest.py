"""What every test may use; helpers that are not fixtures are in `small`."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from hypothesis import settings
from small import HOUSE, new_library, write

if TYPE_CHECKING:
    from heard import Heard

    from index import Library
    from index.types import Encoder

# A machine that is busy with something else is no failure of a property.
settings.register_profile("quoth", deadline=None)
settings.load_profile("quoth")

# Of two processes that test side by side (`-n 2`), each computes on one core.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("QUOTH_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# These modules look at the same answers, which are found once in a process.
TOGETHER = ("test_golden_answers.py", "test_known_answers.py", "test_recall.py", "test_suggest.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:  # noqa: ANN401
    """With `-n`: a module is tested in one process, as it shares libraries among its tests."""
    scheduler = import_module("xdist.scheduler").LoadScopeScheduling(config, log)
    scheduler._split_scope = _process_of
    return scheduler


def _process_of(test: str) -> str:
    """Return a name that tests of one process have in common."""
    module = test.split("::")[0]
    return "together" if module.endswith(TOGETHER) else module


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The default model, loaded once."""
    from index.encoder import load_encoder

    return load_encoder()


@pytest.fixture(scope="session")
def sentence_transformers() -> ModuleType:
    """The library itself; what it warns about while it is imported is not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module("sentence_transformers")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of small text files."""
    return write(tmp_path / "house", HOUSE)


@pytest.fixture
def library(folder: Path, tmp_path: Path) -> Iterator[Library]:
    """A library of `folder`, with the tiny encoder."""
    with new_library(tmp_path / "house.quoth", folder) as opened:
        yield opened


@pytest.fixture(scope="session")
def examples_folder(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """A closed library of the example documents, to be copied by tests that add to it."""
    from heard import DOCUMENTS

    from index import Library

    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # one for all processes: embedding takes long
    path, done = base / "examples.quoth", base / "examples.done"
    with FileLock(base / "examples.lock"):
        if not done.exists():
            with Library.open(path, create=True, encoder=encoder) as library:
                library.sync(DOCUMENTS)
            done.touch()
    return path


@pytest.fixture(scope="session")
def examples(
    examples_folder: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder
) -> Iterator[Library]:
    """The example documents, for tests that only look at them."""
    from index import Library

    path = tmp_path_factory.mktemp("seen") / "examples.quoth"
    shutil.copytree(examples_folder, path)
    with Library.open(path, read_only=True, encoder=encoder) as library:
        yield library


@pytest.fixture(scope="session")
def heard(examples: Library) -> list[Heard]:
    """Every question about the examples with its answer. Takes a minute: for slow tests."""
    from heard import QUESTIONS, hear

    return hear(examples, QUESTIONS)
