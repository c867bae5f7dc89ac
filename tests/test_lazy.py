"""Nothing heavy is imported before it is used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small import HOUSE, write

from index import Library
from index.types import Encoder
from index.weights import cache_folder

ROOT = Path(__file__).parent.parent
HEAVY = (
    "gradio", "nltk", "scipy", "pandas", "sentence_transformers", "torch", "transformers",
    "trafilatura", "docx",
)  # fmt: skip


def loaded(code: str, *arguments: str) -> list[str]:
    """Return which heavy packages a new process has loaded when it has run `code`."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys\n{code}\n"
            f"print('loaded', *[name for name in {HEAVY} if name in sys.modules])",
            *arguments,
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "QUOTH_CACHE": str(cache_folder())},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()[1:]


@pytest.mark.parametrize(
    "code",
    [
        "import index, qa",
        "from index import Filter, Library, SyncReport; from qa import Chat, Retriever, retrieve",
        "from click.testing import CliRunner\n"
        "import ui\n"
        "from qa.cli import cli\n"
        "assert CliRunner().invoke(cli, ['--help']).exit_code == 0",
    ],
)
def test_importing_and_help_load_nothing_heavy(code: str) -> None:
    assert loaded(code) == []


def test_a_question_to_a_library_loads_nothing_heavy(tmp_path: Path, encoder: Encoder) -> None:
    folder = write(tmp_path / "house", HOUSE)
    with Library.open(tmp_path / "house.quoth", create=True, encoder=encoder) as library:
        library.sync(folder)
    question = (
        "from index import Library\n"
        "from qa import Chat, retrieve\n"
        "assert retrieve('How often is the lift inspected?', library=sys.argv[1])\n"
        "with Library.open(sys.argv[1], read_only=True) as library:\n"
        "    assert Chat(library).ask('How often is the lift inspected?').quotes\n"
        "    assert library.find('lift').total"
    )
    assert loaded(question, str(tmp_path / "house.quoth")) == []


def test_what_the_tests_look_for_can_be_found() -> None:
    assert loaded("import docx") == ["docx"]


SPLIT = """
from index.punkt import period_ends
assert not period_ends("Mr", "Smith") and period_ends("closed", "Whoever")
"""


def test_splitting_sentences_loads_nothing_of_nltk_that_anybody_sees() -> None:
    assert loaded(SPLIT) == []


def test_whoever_uses_nltk_too_has_the_whole_of_it() -> None:
    """Before and after sentences were split, and the splitting takes what is there."""
    used = (
        "import nltk\nassert nltk.word_tokenize and nltk.metrics and nltk.data and nltk.FreqDist\n"
    )
    assert "nltk" in loaded(SPLIT + used + SPLIT)
    assert "nltk" in loaded(
        used + SPLIT + "from index import punkt\nfrom nltk.tokenize import punkt as whole\n"
        "assert punkt._nltk() is whole"
    )
