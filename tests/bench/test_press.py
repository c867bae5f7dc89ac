"""The command that asks the chat questions with known answers."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from bench.press import main

NOTICE = """The swimming pool opens on 3 March at seven in the morning.

The council paid for the new roof. A ticket costs four euros.
"""


def write(folder: Path, *rows: tuple[int, str, str | None, int | None]) -> Path:
    (folder / "notice.txt").write_text(NOTICE, encoding="utf-8")
    keys = ("id", "question", "say", "after")
    lines = [json.dumps(dict(zip(keys, row, strict=True))) for row in rows]
    (folder / "questions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_answers_are_looked_for_in_the_quotes(tmp_path: Path) -> None:
    """Words that no quote holds are a miss, also where the chat answered something."""
    folder = write(
        tmp_path,
        (0, "When does the swimming pool open?", "3 march", None),
        (1, "Who paid for the new roof?", "the bishop", None),
        (2, "Which zebra won the chess tournament?", None, None),
    )
    run = CliRunner().invoke(main, [str(folder), "--json"], catch_exceptions=False)
    result = json.loads(run.stdout)
    pool, roof, zebra = result["questions"]
    assert pool["first"]
    assert "3 March" in pool["quote"]
    assert not roof["any"]
    assert zebra["abstained"]
    assert result["totals"] == {
        "answerable": 2,
        "first": 1,
        "any": 1,
        "unanswerable": 1,
        "abstained": 1,
    }


def test_a_follow_up_is_asked_after_the_question_it_follows(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        (0, "When does the swimming pool open?", "3 March", None),
        (1, "And the roof?", "council", 0),
    )
    run = CliRunner().invoke(main, [str(folder), "--json"], catch_exceptions=False)
    follow_up = json.loads(run.stdout)["questions"][1]
    assert follow_up["question"] == "And the roof?"
    assert follow_up["searched_for"] != "And the roof?"  # the chat knew what came before


def test_a_page_for_people_ends_with_the_totals(tmp_path: Path) -> None:
    folder = write(tmp_path, (0, "When does the swimming pool open?", "3 March", None))
    lines = CliRunner().invoke(main, [str(folder)], catch_exceptions=False).stdout.splitlines()
    assert lines[0].startswith("first ")
    assert lines[-2:] == [
        "answerable: the first quote answers 1 of 1, one of the quotes 1",
        "unanswerable: abstained on 0 of 0",
    ]


def test_a_follow_up_to_nothing_is_refused(tmp_path: Path) -> None:
    run = CliRunner().invoke(main, [str(write(tmp_path, (0, "And then?", None, 7)))])
    assert (run.exit_code, run.stdout) == (1, "")
    assert "no question has the id 7" in run.stderr
