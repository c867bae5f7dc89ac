"""The common format: what is read, what is refused, and which units a judgement makes relevant."""

from __future__ import annotations

import gzip
import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data import (
    DataError,
    Judged,
    Question,
    Set,
    Text,
    Unit,
    find_sets,
    load_set,
    paragraphs,
    relevant_units,
)

TEXT = "Lifts are inspected in May.\nTwice a year.\n\nThe caretaker keeps the book."


def row(**changes: object) -> dict[str, Any]:
    """A question about `TEXT`, with some fields changed."""
    place = {"document": "lift", "start": 0, "end": 41, "grade": 1}
    answer = {"text": "May", "document": "lift", "start": 23, "end": 26}
    return {
        "id": "q1",
        "question": "When are lifts inspected?",
        "split": "dev",
        "rewrite": None,
        "answerable": True,
        "relevant": [place],
        "answer_sentences": [],
        "answers": [answer, {"text": "in spring", "document": None, "start": None, "end": None}],
        **changes,
    }


def write(folder: Path, *questions: dict[str, Any]) -> Path:
    """A set with one document."""
    folder.mkdir(exist_ok=True)
    document = {"id": "lift", "title": "Lifts", "text": TEXT, "passages": [[0, 41], [43, 72]]}
    with gzip.open(folder / "documents.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps(document) + "\n")
    with gzip.open(folder / "questions.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(question) + "\n" for question in questions)
    return folder


def test_a_set_is_read_with_its_places(tmp_path: Path) -> None:
    data = load_set(write(tmp_path / "lifts", row()))
    (question,) = data.questions
    assert data.name == "lifts"
    assert question.gold == (Judged("lift", 23, 26),)
    assert question.relevant == (Judged("lift", 0, 41),)
    assert data.units() == (Unit("lift", 0, 41), Unit("lift", 43, 72))


def test_judged_sentences_come_before_the_spans_of_answers(tmp_path: Path) -> None:
    sentence = {"document": "lift", "start": 0, "end": 27, "grade": 2}
    data = load_set(write(tmp_path / "lifts", row(answer_sentences=[sentence])))
    assert data.questions[0].gold == (Judged("lift", 0, 27, 2),)


def test_what_answers_are_measured_by_is_read(tmp_path: Path) -> None:
    """The turns before, the given text, evidence, spans, and the words of all answers."""
    whole = {"document": "lift", "start": None, "end": None}
    sentence = {"document": "lift", "start": 0, "end": 27, "grade": 2}
    changes = {
        "type": "when",
        "history": [{"question": "Are there lifts?", "answer": "Two."}],
        "context": [whole],
        "answer_sentences": [sentence],
        "answers_mode": "all",
    }
    asked, plain = load_set(write(tmp_path / "lifts", row(**changes), row())).questions
    assert (asked.kind, asked.history) == ("when", (("Are there lifts?", "Two."),))
    assert asked.context == (Judged("lift"),)
    assert asked.evidence == (Judged("lift", 0, 27, 2),)
    assert asked.spans == (Judged("lift", 23, 26),)
    assert asked.answers == ("May", "in spring")
    assert asked.all_needed
    assert (plain.kind, plain.history, plain.context, plain.all_needed) == ("", (), (), False)


def test_whole_documents_are_ranked_where_one_is_judged(tmp_path: Path) -> None:
    whole = {"document": "lift", "start": None, "end": None, "grade": 1}
    data = load_set(write(tmp_path / "lifts", row(), row(relevant=[whole])))
    assert data.units() == (Unit("lift", 0, len(TEXT)),)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"relevant": [{"document": "stairs", "start": 0, "end": 3, "grade": 1}]}, "stairs"),
        (
            {"relevant": [{"document": "lift", "start": 70, "end": 73, "grade": 1}]},
            "not in the text",
        ),
        ({"answers": [{"text": "June", "document": "lift", "start": 23, "end": 26}]}, "June"),
    ],
)
def test_a_wrong_place_is_refused_with_its_line(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    folder = write(tmp_path / "lifts", row(), row(**changes))
    with pytest.raises(DataError, match=rf"questions.jsonl.gz, line 2: .*{says}"):
        load_set(folder)


def test_a_question_without_a_field_is_refused(tmp_path: Path) -> None:
    question = row()
    del question["relevant"]
    with pytest.raises(DataError, match="relevant"):
        load_set(write(tmp_path / "lifts", question))


def test_sets_are_found_in_a_folder_or_are_the_folder(tmp_path: Path) -> None:
    lifts = write(tmp_path / "lifts", row())
    (tmp_path / "notes").mkdir()
    assert find_sets(tmp_path) == [lifts]
    assert find_sets(lifts) == [lifts]
    with pytest.raises(DataError, match="holds no set"):
        find_sets(tmp_path / "notes")
    with pytest.raises(DataError, match="not a folder"):
        find_sets(tmp_path / "missing")


def write_files(folder: Path, *answers: str) -> Path:
    """A set whose only document is a file, with a question for each answer."""
    (folder / "documents" / "house").mkdir(parents=True)
    (folder / "documents" / "house" / "lift.txt").write_text(TEXT, encoding="utf-8")
    (folder / "documents" / "notes.unknown").write_text("No format.", encoding="utf-8")
    place = {"document": "house/lift.txt", "start": None, "end": None}
    rows = [row(relevant=[place], answers=[{"text": answer, **place}]) for answer in answers]
    lines = "".join(json.dumps(question) + "\n" for question in rows)
    (folder / "questions.jsonl").write_text(lines, encoding="utf-8")
    return folder


@pytest.mark.slow
def test_documents_may_be_files(tmp_path: Path) -> None:
    """Their ids are paths, their blocks the passages; files of no known format are none."""
    data = load_set(write_files(tmp_path, "May"))
    assert data.files == tmp_path / "documents"
    assert [text.id for text in data.documents.values()] == ["house/lift.txt"]
    text = data.documents["house/lift.txt"]
    assert text.text == TEXT
    assert (43, 72) in text.passages
    assert text.sentences[0] == (0, 27)


def test_an_answer_in_a_file_is_found_by_its_words(tmp_path: Path) -> None:
    """Wherever they stand in it, across the ends of lines."""
    data = load_set(write_files(tmp_path, "May. Twice", "in"))
    across, often = data.questions
    assert across.gold == (Judged("house/lift.txt", 23, 33),)
    assert [TEXT[place.start : place.end] for place in often.gold] == ["in", "in"]


def test_an_answer_that_no_file_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 1: .*June.* does not stand in house/lift.txt"):
        load_set(write_files(tmp_path, "June"))


@given(st.text("ab \t\n"))
def test_paragraphs_leave_only_white_space_between_them(text: str) -> None:
    """Each paragraph begins and ends with a word, and holds no blank line."""
    end = 0
    for start, stop in paragraphs(text):
        assert text[end:start].strip() == ""
        paragraph = text[start:stop]
        assert paragraph == paragraph.strip() != ""
        assert all(line.strip() for line in paragraph.split("\n"))
        end = stop
    assert text[end:].strip() == ""


@pytest.mark.parametrize(
    ("start", "end", "relevant"),
    [
        (None, None, {0: 3, 1: 3, 2: 3}),  # the whole document
        (0, 10, {0: 3}),  # exactly a unit
        (2, 4, {0: 3}),  # a sentence in a unit
        (0, 25, {0: 3, 1: 3, 2: 3}),  # a stretch with half of the last unit
        (0, 24, {0: 3, 1: 3}),  # with less than half of it
    ],
)
def test_a_judged_place_makes_units_relevant(
    start: int | None, end: int | None, relevant: dict[int, int]
) -> None:
    units = {"a": [(0, Unit("a", 0, 10)), (1, Unit("a", 10, 20)), (2, Unit("a", 20, 30))]}
    question = Question(
        id="q", text="?", split="dev", relevant=(Judged("a", start, end, 3), Judged("a", 0, 1, 1))
    )
    assert relevant_units(question, units) == relevant


def test_the_evaluation_data_at_hand_is_sound() -> None:
    """Every set loads, and every relevant place makes a unit relevant."""
    given_folder = os.environ.get("QUOTH_EVAL_DATA")
    root = Path(__file__).resolve().parents[2]
    folder = Path(given_folder) if given_folder else root.parent / "shared" / "eval"
    if not folder.is_dir():
        pytest.skip("no evaluation data: set QUOTH_EVAL_DATA")
    for name in ("xquad-en", "manual-tv", "rgb-news", "inscit"):
        data = load_set(folder / name)
        assert data.documents, name
        units = _numbered(data)
        for question in data.questions:
            assert bool(relevant_units(question, units)) == bool(question.relevant), question.id


def _numbered(data: Set) -> dict[str, list[tuple[int, Unit]]]:
    numbered: dict[str, list[tuple[int, Unit]]] = defaultdict(list)
    for number, unit in enumerate(data.units()):
        numbered[unit.document].append((number, unit))
    return numbered


def test_texts_without_listed_passages_fall_into_paragraphs() -> None:
    text = Text(id="a", title="", text="One.\n\nTwo.")
    question = Question(id="q", text="?", split="dev", relevant=(Judged("a", 0, 4),))
    data = Set(name="s", documents={"a": text}, questions=(question,))
    assert data.units() == (Unit("a", 0, 4), Unit("a", 6, 10))
