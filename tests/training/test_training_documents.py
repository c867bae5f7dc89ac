"""What the README, the model card and the licence say of the reader is what the code does."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from bench.data import load_set
from qa import windows
from training import batches, train
from training.examples import HELD_OUT_ARTICLES, SOURCES, questions_of

ROOT = Path(__file__).parents[2]
README = (ROOT / "training" / "README.md").read_text("utf-8")
CARD = (ROOT / "docs" / "reader.md").read_text("utf-8")
LICENCE = (ROOT / "qa" / "data" / "LICENSE-reader").read_text("utf-8")

COMMANDS = re.findall(r"^python -m (training\.\w+)((?:.*\\\n)*.*)$", README, re.M)


@pytest.mark.parametrize("module", sorted({module for module, _ in COMMANDS}))
def test_the_readme_names_options_that_there_are(
    module: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        import_module(module).main(["--help"])
    assert stopped.value.code == 0
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    named = {
        option
        for command, arguments in COMMANDS
        if command == module
        for option in re.findall(r"--[a-z-]+", arguments)
    }
    assert named
    assert named <= known


def test_the_questions_of_the_readme_can_be_trained_on(tmp_path: Path) -> None:
    (written,) = re.findall(r"```json\n(.*?)```", README, re.S)
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "rules.md").write_text("Mrs Oduya keeps the key.", "utf-8")
    (tmp_path / "questions.jsonl").write_text(written, "utf-8")
    asked, silent = questions_of(load_set(tmp_path))
    assert [(place.start, place.end) for place in asked.gold] == [(0, 9)]
    assert silent.answerable is False


def test_the_readme_names_every_module() -> None:
    modules = {path.name for path in (ROOT / "training").glob("*.py")} - {"__init__.py"}
    assert {name for name in modules if f"`{name}`" not in README} == set()


def test_the_card_gives_the_sizes_of_a_window() -> None:
    said = " ".join(CARD.split())
    assert f"the first {windows.QUESTION_TOKENS} tokens are read" in said
    assert f"title and headings the first {windows.BEFORE_TOKENS};" in said
    assert f"a window has at most {windows.MAX_TOKENS}," in said
    assert f"windows that share {windows.OVERLAP} " in said


def test_the_card_gives_the_recipe() -> None:
    said = " ".join(CARD.split())
    assert f"warm-up over {train.WARM_UP:.0%} of the steps".replace("%", " %") in said
    assert f"weight decay {train.DECAY} on matrices" in said
    assert f"with {batches.RETRIEVED:.0%}".replace("%", " %") in said
    shares = f"({batches.REMOVED:.0%} of the positives)".replace("%", " %")
    assert shares[1:] in said
    assert f"({batches.SWAPPED:.0%}, where".replace("%", " %") in said
    assert f"({batches.OTHER:.0%})".replace("%", " %") in said


NAMES = {
    "squad2-train": "SQuAD 2.0",
    "squad2": "SQuAD 2.0",
    "clapnq": "CLAPnq",
    "qed": "QED",
    "scifact": "SciFact",
    "fairytaleqa": "FairytaleQA",
    "squadshifts": "SQuADShifts",
    "qamr": "QAMR",
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_is_credited(source: str) -> None:
    assert f"  {NAMES[source]}, by " in LICENCE
    assert f"| {NAMES[source]}" in CARD


def test_the_articles_held_out_are_named() -> None:
    said = " ".join(CARD.split())
    for article in HELD_OUT_ARTICLES:
        assert article.removeprefix("squad2/").replace("_", " ") in said


def test_the_licence_is_there_to_its_end() -> None:
    for section in range(1, 9):
        assert f"\nSection {section} -- " in LICENCE
    assert LICENCE.endswith("Creative Commons may be contacted at creativecommons.org.\n")
