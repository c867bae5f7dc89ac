"""The examples hold together: every answer stands in its document, made files can be made again."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from index.formats import read_document

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
DOCUMENTS = EXAMPLES / "documents"
FIELDS = {
    "id", "question", "split", "conversation", "turn", "history", "rewrite", "answerable", "type",
    "context", "relevant", "answer_sentences", "answers", "answers_mode",
}  # fmt: skip
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (EXAMPLES / "questions.jsonl").read_text(encoding="utf-8").splitlines()
]


@cache
def text_of(path: str) -> str:
    return read_document(DOCUMENTS / path).text


def normal(text: str) -> str:
    """Return `text` with runs of white space as one space."""
    return " ".join(text.split())


def document_paths() -> set[str]:
    files = (path for path in DOCUMENTS.rglob("*") if path.is_file())
    return {path.relative_to(DOCUMENTS).as_posix() for path in files}


def test_all_formats_are_among_the_documents() -> None:
    suffixes = Counter(Path(path).suffix for path in document_paths())
    assert set(suffixes) == {".txt", ".md", ".html", ".pdf", ".docx", ".csv"}
    assert suffixes.total() >= 14


def test_questions_have_all_fields_and_ids_of_their_own() -> None:
    assert [row["id"] for row in QUESTIONS if set(row) != FIELDS] == []
    assert {row["split"] for row in QUESTIONS} == {"dev"}
    assert {row["answers_mode"] for row in QUESTIONS} == {"any", "all"}
    assert [id for id, n in Counter(row["id"] for row in QUESTIONS).items() if n > 1] == []
    asked = Counter((row["question"], row["conversation"]) for row in QUESTIONS)
    assert [question for question, n in asked.items() if n > 1] == []


def test_questions_are_of_many_kinds() -> None:
    assert len(QUESTIONS) >= 90
    assert sum(not row["answerable"] for row in QUESTIONS) >= 15
    assert sum((row["turn"] or 0) > 1 for row in QUESTIONS) >= 10
    assert len({row["type"] for row in QUESTIONS}) >= 15


def test_only_existing_documents_are_named_and_each_is_asked_about() -> None:
    named = {
        place["document"]
        for row in QUESTIONS
        for field in ("context", "relevant", "answer_sentences", "answers")
        for place in row[field]
    }
    assert named == document_paths()


def test_answers_stand_in_their_documents_word_for_word() -> None:
    missing = [
        (row["id"], answer["document"], answer["text"])
        for row in QUESTIONS
        for answer in row["answers"]
        if normal(answer["text"]) not in normal(text_of(answer["document"]))
    ]
    assert missing == []


def test_offsets_are_given_for_plain_text_and_lead_to_the_answer() -> None:
    """Other formats have none: where a phrase stands there is for the extraction to say."""
    for row in QUESTIONS:
        for place in (*row["answers"], *row["relevant"], *row["answer_sentences"]):
            assert (place["start"] is not None) == place["document"].endswith(".txt"), row["id"]
        for answer in row["answers"]:
            start, end = answer["start"], answer["end"]
            if start is None:
                continue
            assert text_of(answer["document"])[start:end] == answer["text"], row["id"]
            for places in (row["relevant"], row["answer_sentences"]):
                assert any(
                    place["document"] == answer["document"]
                    and place["start"] <= start
                    and end <= place["end"]
                    for place in places
                ), row["id"]


def test_unanswerable_questions_have_no_answer_and_others_have_one() -> None:
    for row in QUESTIONS:
        for field in ("answers", "relevant"):
            assert bool(row[field]) == row["answerable"], row["id"]


def test_histories_repeat_the_turns_before() -> None:
    turns: dict[str, list[dict[str, Any]]] = {}
    for row in QUESTIONS:
        if row["conversation"] is None:
            assert (row["turn"], row["history"], row["rewrite"]) == (None, [], None), row["id"]
            continue
        before = turns.setdefault(row["conversation"], [])
        assert row["turn"] == len(before) + 1, row["id"]
        assert (row["rewrite"] is None) == (row["turn"] == 1), row["id"]
        assert [past["question"] for past in row["history"]] == [b["question"] for b in before]
        for past, earlier in zip(row["history"], before, strict=True):
            assert normal(earlier["answers"][0]["text"]) in past["answer"], row["id"]
        before.append(row)
    assert all(2 <= len(conversation) <= 4 for conversation in turns.values())


def test_made_documents_say_the_same_when_they_are_made_again(tmp_path: Path) -> None:
    make = runpy.run_path(str(EXAMPLES / "make_documents.py"))["make_documents"]
    made = make()
    assert set(made) == {path for path in document_paths() if path.endswith((".pdf", ".docx"))}
    assert make() == made
    for path, content in made.items():
        again = tmp_path / Path(path).name
        again.write_bytes(content)
        assert read_document(again) == read_document(DOCUMENTS / path), path


@pytest.mark.slow
def test_scripts_find_passages_and_answer(tmp_path: Path) -> None:
    """Both scripts run as the README calls them, on one library."""

    def run(script: str, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, EXAMPLES / script, *arguments, "--library", tmp_path / "test.quoth"],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=os.environ | {"PYTHONPATH": str(EXAMPLES.parent), "PYTHONIOENCODING": "utf-8"},
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    passages = run("retriever.py", "What does E-5107 mean?")
    assert "Call a technician within 48 hours" in passages
    assert "lift-controller-manual.html" in passages
    answers = run("chat.py", "How often is the goods lift serviced?", "Who pays for it?")
    assert "## Who pays for it?" in answers
    assert "every six weeks" in answers
