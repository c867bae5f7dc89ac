"""`quoth evaluate`: what people judged and cases from a file, asked again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_house import LIFT, one_sentence, run, write

from index import Library
from qa.chats import Chats
from qa.web.conversations import Conversations

HOW_OFTEN = "How often is the lift inspected?"
WHO = "Who calls the engineer?"
GARDEN = "When is the garden open?"
OPENS = "When does the pool open?"
NOT_THERE = "Who won the chess tournament?"
ID = "a-conversation-0000"


def judge(path: Path, *said: tuple[str, str]) -> None:
    """Ask in one conversation and judge each answer."""
    with Library.open(path) as library:
        chats = Chats.open(library.path)
        conversations = Conversations(library, chats)
        for question, value in said:
            turn = conversations.get("me", ID).ask(question)
            assert turn is not None
            conversations.set_feedback("me", ID, turn.id, value)
        chats.close()


def cases(folder: Path, *lines: object) -> Path:
    file = folder / "cases.jsonl"
    text = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    file.write_text("\n".join(text), encoding="utf-8")
    return file


@pytest.mark.slow
def test_what_was_good_and_is_still_so(library: Path) -> None:
    judge(
        library,
        (HOW_OFTEN, "good"),
        ("And who does it?", "good"),
        (NOT_THERE, "good"),
        ("hello", "good"),
        (GARDEN, "wrong_place"),
        (NOT_THERE, "wrong_place"),
        (NOT_THERE, "not_answered"),
    )
    result = run("evaluate", "--library", library, "--strict")
    assert result.exit_code == 0
    assert result.output == (
        "good, still quoted first        2 of 2\n"
        "good, still quoted              2 of 2\n"
        "good, still not answered        1 of 1\n"
        "wrong place, still quoted first 1 of 1\n"
        "not answered, answered now      0 of 1\n"
        "2 answers that were judged cannot be compared any more.\n"
    )


@pytest.mark.slow
def test_what_got_worse_is_named(library: Path, tmp_path: Path) -> None:
    more = write(tmp_path / "more", {"pool.txt": "The pool opens at seven in the morning."})
    assert run("sync", more, "--library", library).exit_code == 0
    judge(library, (OPENS, "good"), (NOT_THERE, "good"), ("Who ran?", "not_answered"))
    changed = {
        "chess.txt": "Olga Brandt won the chess tournament in the hall.",
        "pool.txt": "When the pool opens: the pool opens at nine on every day but Sunday.",
    }
    write(more, changed)  # the good sentence changes with its document
    assert run("sync", more, "--library", library).exit_code == 0
    result = run("evaluate", "--library", library)
    assert result.exit_code == 0
    assert "good, still quoted first   0 of 1\n" in result.output
    assert "Not as it should be:\n" in result.output
    assert f"  {OPENS}: The good quote is not among those shown.\n" in result.output
    assert f"  {NOT_THERE}: It was good that nothing was quoted; now something is.\n" in (
        result.output
    )
    assert run("evaluate", "--library", library, "--strict").exit_code == 1
    assert run("compact", "--library", library).exit_code == 0
    result = run("evaluate", "--library", library)
    assert "1 answer that was judged cannot be compared any more.\n" in result.output


@pytest.mark.slow
def test_cases_of_a_file(library: Path, tmp_path: Path) -> None:
    file = cases(
        tmp_path,
        {"question": HOW_OFTEN, "say": "every SIX  months"},
        {"question": "And who does it?", "say": "certified engineer", "after": HOW_OFTEN},
        "",
        {"question": GARDEN, "say": "on a lead"},
        {"question": NOT_THERE, "say": None},
        {"question": GARDEN, "say": None, "after": ["hello", WHO]},
        {"question": NOT_THERE, "say": "Olga"},
    )
    result = run("evaluate", file, "--library", library)
    assert result.exit_code == 0
    right = "case, right quote first (success@1) 2 of 4\n"
    assert result.output.startswith(right)
    assert "case, wrongly not answered          1 of 4\n" in result.output
    assert "case, rightly not answered          1 of 2\n" in result.output
    assert f"  {GARDEN} (line 6): The documents do not say, but something is quoted.\n" in (
        result.output
    )
    assert f"  {NOT_THERE} (line 7): Nothing is quoted.\n" in result.output
    assert run("evaluate", file, "--library", library, "--strict").exit_code == 1
    assert not (library / "chats.db").exists()


def test_json_has_every_outcome(library: Path, tmp_path: Path) -> None:
    judge(library, (HOW_OFTEN, "good"))
    file = cases(tmp_path, {"question": NOT_THERE, "say": None})
    result = run("evaluate", file, "--library", library, "--json")
    found = json.loads(result.output)
    assert (found["kind"], found["generation"], found["uncounted"]) == ("evaluation", 1, 0)
    assert [(each["kind"], each["place"], each["line"]) for each in found["outcomes"]] == [
        ("good", 1, None),
        ("silent", None, 1),
    ]
    assert {"name": "good, still quoted first", "count": 1, "of": 1} in found["measures"]
    assert LIFT not in result.output


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 2 is not JSON."),
        ("[]", 'line 2 is no object such as {"question": "…", "say": "…"}.'),
        ({"question": WHO}, 'line 2 lacks "say" (null where the documents do not say).'),
        ({"say": "a"}, 'line 2 lacks a "question".'),
        ({"question": " ", "say": "a"}, "line 2 has a question that is empty or too long."),
        ({"question": WHO, "say": " "}, 'line 2 has a "say" that is neither words nor null.'),
        ({"question": WHO, "say": "a", "says": 1}, "line 2 has the unknown key 'says'."),
        (
            {"question": WHO, "say": "a", "after": [1]},
            'line 2 has an "after" that is neither a question nor a list of them.',
        ),
    ],
)
def test_a_bad_line_is_told_with_its_number(
    library: Path, tmp_path: Path, line: object, told: str
) -> None:
    file = cases(tmp_path, {"question": WHO, "say": "a"}, line)
    assert (
        one_sentence(run("evaluate", file, "--library", library), 1) == f"quoth: {file}: {told}\n"
    )


def test_all_bad_lines_are_told_together(library: Path, tmp_path: Path) -> None:
    file = cases(tmp_path, *"abcde")
    told = one_sentence(run("evaluate", file, "--library", library), 1)
    assert "line 1 is not JSON; line 2 is not JSON; line 3 is not JSON; and 2 more." in told


def test_a_file_without_cases_is_one_sentence(library: Path, tmp_path: Path) -> None:
    assert "holds no cases" in one_sentence(
        run("evaluate", cases(tmp_path, ""), "--library", library), 1
    )
    missing = run("evaluate", tmp_path / "none.jsonl", "--library", library)
    assert "cannot be read: No such file or directory" in one_sentence(missing, 1)


def test_nothing_to_ask_is_one_sentence(library: Path) -> None:
    assert "There is nothing to ask" in one_sentence(run("evaluate", "--library", library), 1)
    judge(library, (HOW_OFTEN, ""))
    assert "There is nothing to ask" in one_sentence(run("evaluate", "--library", library), 1)
