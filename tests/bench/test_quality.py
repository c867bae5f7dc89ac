"""The command that measures, on a set small enough to know the figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("bm25s", reason="needs the extra 'bench'")

from bench.quality import main

LIFTS = "Lifts are inspected twice a year.\n\nThe caretaker keeps the book of all repairs."
RENT = "The rent is due on the first day of each month.\n\nPets are allowed if nobody objects."


def write_set(folder: Path) -> Path:
    """Two documents, a question for the first paragraph of each, one in two wordings."""
    folder.mkdir()
    spans = {"lifts": (0, 33), "rent": (0, 47)}
    texts = {"lifts": LIFTS, "rent": RENT}
    rows = [{"id": id, "title": id, "text": text} for id, text in texts.items()]
    asked = [("lifts", "How often are lifts inspected?", None), ("rent", "And then?", "Rent due?")]
    questions = [
        {
            "id": id,
            "question": question,
            "split": "dev",
            "rewrite": rewrite,
            "answerable": True,
            "relevant": [{"document": id, "start": 0, "end": spans[id][1], "grade": 1}],
            "answer_sentences": [{"document": id, "start": 0, "end": spans[id][1], "grade": 1}],
            "answers": [],
        }
        for id, question, rewrite in asked
    ]
    for name, lines in (("documents", rows), ("questions", questions)):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return folder


def test_every_system_is_measured_in_one_run(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "manual-tv")
    options = ["--data", str(folder), "--cache", str(tmp_path / "cache"), "--json"]
    run = CliRunner().invoke(main, [*options, "--limit", "1"], catch_exceptions=False)
    result = json.loads(run.stdout)
    figures = result["sets"]["manual-tv"]
    assert (figures["documents"], figures["units"], figures["questions"]) == (2, 4, 1)
    found = {"nDCG@10": 1.0, "MRR@10": 1.0, "recall@10": 1.0}
    assert figures["retrieval"] == dict.fromkeys(("words", "dense", "mix", "product"), found)
    assert figures["sentences"]["product"] == {"success@1": 1.0, "success@3": 1.0}
    assert result["product_minus_mix"]["mean"] == 0.0

    # For people, from the vectors that the first run kept.
    page = CliRunner().invoke(main, [*options[:-1], "--limit", "1"], catch_exceptions=False).stdout
    rows = [line.split() for line in page.splitlines()]
    assert ["product", *["1.000"] * 5, "-"] in rows
    assert ["words", *["1.000"] * 3, "-", "-", "-"] in rows
    assert ["quotes", *"---", *["1.000"] * 3] in rows


def test_the_order_of_an_answer_is_measured_too(tmp_path: Path) -> None:
    """Only where it is asked for: an answer reads what a search only ranks."""
    folder = write_set(tmp_path / "talk")
    options = ["--data", str(folder), "--cache", str(tmp_path / "cache"), "--limit", "1"]
    run = CliRunner().invoke(main, [*options, "--read", "--json"], catch_exceptions=False)
    retrieval = json.loads(run.stdout)["sets"]["talk"]["retrieval"]
    assert retrieval["product, read"]["nDCG@10"] == 1.0


def test_questions_as_people_rewrote_them_have_their_own_table(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "talk")
    options = ["--data", str(folder), "--cache", str(tmp_path / "cache"), "--json"]
    result = json.loads(CliRunner().invoke(main, options, catch_exceptions=False).stdout)
    assert {name: figures["questions"] for name, figures in result["sets"].items()} == {
        "talk": 2,
        "talk, rewritten": 1,
    }
    assert result["sets"]["talk, rewritten"]["retrieval"]["words"]["MRR@10"] == 1.0
    assert "mean" not in result


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--data", "missing"], "is not a folder"),
        (["--data", ".", "--sets", "nosuch"], "no set called nosuch; it has talk"),
    ],
)
def test_what_cannot_be_measured_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], says: str
) -> None:
    write_set(tmp_path / "talk")
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke(main, options)
    assert (run.exit_code, run.stdout) == (1, "")
    assert says in run.stderr
