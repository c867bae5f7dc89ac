"""No answer to a question about the examples changes unnoticed."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from heard import QUESTIONS, Heard
from small import HOUSE, write

from bench import golden
from bench.golden import GOLDEN, RENEW, Row, changes, read_rows, row_of
from index.types import Citation, DocumentInfo, Span
from qa import Answer
from qa.types import Disagreement, Quote


@pytest.mark.slow
def test_no_answer_changed(heard: list[Heard]) -> None:
    """What the command would write today is what it wrote."""
    found = [row_of(each.row, each.answer) for each in heard]
    assert not [row["id"] for row in found if bool(row["quotes"]) is row["abstained"]]
    if not GOLDEN.is_file():
        pytest.fail(f"{GOLDEN} is missing; make it with `{RENEW}` and read it.", pytrace=False)
    if changed := changes(read_rows(GOLDEN), found):
        pytest.fail(
            f"{len(changed)} of {len(found)} answers changed (- as written down, + now). "
            f"If that is meant, run `{RENEW}` and read the difference.\n\n" + "\n\n".join(changed),
            pytrace=False,
        )


def test_every_question_of_the_examples_is_written_down() -> None:
    assert [row["id"] for row in read_rows(GOLDEN)] == [row["id"] for row in QUESTIONS]
    assert any(row["after"] for row in read_rows(GOLDEN))


@pytest.mark.slow
def test_the_command_writes_down_what_the_chat_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a few documents and questions; then again, and nothing has changed."""
    write(tmp_path / "documents", HOUSE)
    lift, book = "How often is the lift inspected?", "Who keeps the inspection book?"
    questions: list[Row] = [
        {"id": "q-1", "history": [], "question": lift},
        {"id": "q-2", "history": [{"question": lift, "answer": ""}], "question": "By whom?"},
        {"id": "q-3", "history": [], "question": book},
        {"id": "q-4", "history": [{"question": book, "answer": ""}], "question": "And where?"},
    ]
    lines = "".join(f"{json.dumps(question)}\n" for question in questions)
    write(tmp_path, {"questions.jsonl": lines})
    monkeypatch.setattr(golden, "EXAMPLES", tmp_path)
    path = tmp_path / "new" / "answers.jsonl"
    for changed in (4, 0):
        result = CliRunner().invoke(golden.main, ["--output", str(path)], catch_exceptions=False)
        assert result.output.endswith(f"4 answers, {changed} of them changed\n")
    rows = read_rows(path)
    assert [row["id"] for row in rows] == [question["id"] for question in questions]
    assert [row["after"] for row in rows] == [[], [lift], [], [book]]
    assert rows[0]["quotes"][0]["short"] == "every twelve months"
    assert rows[3]["searched_for"] != "And where?"
    assert "office on the ground floor" in rows[3]["quotes"][0]["text"]


# -- a change of any kind is noticed ---------------------------------------------------------------

TEXT = "The lift is inspected every six weeks."
QUOTED = {"path": "lift.txt", "start": 10, "end": 48, "text": TEXT, "short": "every six weeks"}
OTHER = {"path": "old.txt", "start": 0, "end": 6, "text": "Never.", "short": None}
ROW: Row = {
    "id": "q-1",
    "after": ["Which lift?"],
    "question": "And how often?",
    "searched_for": "And how often? lift",
    "notice": "",
    "abstained": False,
    "decides": False,
    "quotes": [QUOTED, OTHER],
    "disagreements": [{"about": "lift", "first": QUOTED, "second": OTHER}],
    "confidence": 0.8,
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("after", []),
        ("searched_for", "And how often?"),
        ("notice", "Hello."),
        ("abstained", True),
        ("decides", True),
        ("quotes", []),
        ("quotes", [QUOTED]),
        ("quotes", [OTHER, QUOTED]),
        ("quotes", [{**QUOTED, "start": 9}, OTHER]),
        ("quotes", [{**QUOTED, "path": "lift.md"}, OTHER]),
        ("quotes", [{**QUOTED, "short": None}, OTHER]),
        ("quotes", [{**QUOTED, "text": TEXT.replace(" ", "\n", 1)}, OTHER]),
        ("disagreements", []),
        ("disagreements", [{"about": "lift", "first": QUOTED, "second": QUOTED}]),
        ("confidence", 0.74),
        ("confidence", 0.86),
    ],
)
def test_a_change_is_shown_and_nothing_else(field: str, value: object) -> None:
    (change,) = changes([ROW], [{**deepcopy(ROW), field: value}])
    heading, *lines = change.splitlines()
    assert heading == "q-1  And how often?"
    assert lines
    assert {line.split(":")[0] for line in lines} <= {f"- {field}", f"+ {field}"}


@pytest.mark.parametrize("confidence", [0.75, 0.78, 0.8, 0.85])
def test_a_little_confidence_more_or_less_is_no_change(confidence: float) -> None:
    assert changes([ROW], [{**deepcopy(ROW), "confidence": confidence}]) == []


def test_an_answer_that_only_one_side_has_is_a_change() -> None:
    second = {**ROW, "id": "q-2", "question": "Why?"}
    new, gone = changes([ROW], [second])
    assert new.startswith('q-2  Why?\n+ id: "q-2"\n')
    assert gone.startswith('q-1  And how often?\n- id: "q-1"\n')
    assert changes([ROW, second], [second, ROW]) == []


def test_the_difference_is_readable() -> None:
    changed = {**deepcopy(ROW), "quotes": [QUOTED], "confidence": 0.9}
    assert changes([ROW], [changed]) == [
        "q-1  And how often?\n"
        '- quotes: {"path": "old.txt", "start": 0, "end": 6, "text": "Never.", "short": null}\n'
        "- confidence: 0.8\n"
        "+ confidence: 0.9"
    ]


def make_quote(row: dict[str, Any], short: Span | None) -> Quote:
    info = DocumentInfo(
        id=1,
        source=1,
        path=row["path"],
        file=Path("/srv") / row["path"],
        title="Lift",
        type="text",
        date=None,
        language="en",
        text_hash="ab" * 32,
        characters=100,
        sentences=3,
        pages=0,
        blank_pages=(),
        indexed_at="2026-05-01T12:00:00Z",
    )
    start, end = row["start"], row["end"]
    citation = Citation(1, info.path, info.title, start, end, info.text_hash)
    return Quote(
        document=info,
        start=start,
        end=end,
        text=row["text"],
        citation=citation,
        score=0.5,
        short=short,
    )


def test_a_row_says_what_people_see() -> None:
    quotes = (make_quote(QUOTED, Span(32, 47)), make_quote(OTHER, None))
    answer = Answer(
        question="And how often?",
        searched_for="And how often? lift",
        quotes=quotes,
        confidence=0.8049,
        disagreements=(Disagreement(*quotes, "lift"),),
    )
    question = {"id": "q-1", "history": [{"question": "Which lift?", "answer": "Lift 3."}]}
    assert row_of(question, answer) == ROW
