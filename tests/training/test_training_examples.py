"""Examples made of a set of one's own, with the real model: what answers, and what does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.data import DataError, Judged, Question, Set, load_set
from training.examples import (
    HALVED,
    HARD,
    HELD_OUT_ARTICLES,
    SOURCES,
    Example,
    examples_of,
    main,
    questions_of,
    read_examples,
)

TEXTS = {
    "lift": (
        "The lift of the north wing was built in 1988.\n\n"
        "It is inspected in May and in November. The caretaker keeps the book of inspections."
    ),
    "garden": "The garden is watered every evening. Mrs Oduya keeps the key of the shed.",
    "boiler": "The boiler is serviced in September. A firm from Hull does it.",
    "roof": "The roof was renewed in 2004. Its gutters are cleaned each autumn.",
    "bins": "The bins are emptied on Tuesday. Paper goes into the blue one.",
}


WHOLE = {"document": "bins", "start": None, "end": None}


def places(*found: tuple[str, str]) -> list[dict[str, Any]]:
    """Where these words stand in these documents."""
    return [
        {
            "document": id,
            "start": TEXTS[id].index(words),
            "end": TEXTS[id].index(words) + len(words),
        }
        for id, words in found
    ]


def row(id: str, asked: str, split: str = "train", **known: object) -> dict[str, Any]:
    return {
        "id": id,
        "question": asked,
        "split": split,
        "rewrite": None,
        "answerable": True,
        "relevant": [],
        "answer_sentences": [],
        "answers": [],
        **known,
    }


def answers(*found: tuple[str, str]) -> list[dict[str, Any]]:
    return [
        {**place, "text": words} for place, (_, words) in zip(places(*found), found, strict=True)
    ]


ROWS = [
    row("when", "When is the lift inspected?", answers=answers(("lift", "May"))),
    row("who", "Who keeps the key?", answers=answers(("garden", "Mrs Oduya"))),
    row(
        "sentence",
        "Who services the boiler?",
        answer_sentences=places(("boiler", "A firm from Hull does it.")),
    ),
    row(
        "silent",
        "Who painted the lift?",
        answerable=False,
        context=places(("lift", TEXTS["lift"])),
    ),
    row("nowhere", "When is the chimney swept?", answerable=False),
    row("unknown", "Is the roof good?", answers=[], relevant=places(("roof", TEXTS["roof"]))),
    row("whole", "Which bins?", answer_sentences=[WHOLE]),
    row("dev", "When was the roof renewed?", "dev", answers=answers(("roof", "2004"))),
    row("test", "When are the bins emptied?", "test", answers=answers(("bins", "Tuesday"))),
]


def write(folder: Path) -> Path:
    """The set "house"."""
    house = folder / "house"
    house.mkdir(parents=True)
    documents = [
        {"id": id, "title": id.capitalize() + " book", "text": text} for id, text in TEXTS.items()
    ]
    for name, rows in (("documents", documents), ("questions", ROWS)):
        lines = "".join(json.dumps(each) + "\n" for each in rows)
        (house / f"{name}.jsonl").write_text(lines, "utf-8")
    return house


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Example]]:
    """The examples of the set's `train` questions, by question."""
    data = load_set(write(tmp_path_factory.mktemp("data")))
    found: dict[str, list[Example]] = {}
    for example in examples_of(data, questions_of(data)):
        found.setdefault(example.question, []).append(example)
    return found


def test_the_passage_with_the_answer_is_an_example(made: dict[str, list[Example]]) -> None:
    (here,) = [example for example in made["when"] if example.answered]
    assert (here.source, here.asked) == ("house", "When is the lift inspected?")
    assert here.before == "Lift book"
    assert [here.text[start:end] for start, end in here.answers] == ["May"]
    assert [here.text[slice(*here.sentences[number])] for number in here.evidence] == [
        "It is inspected in May and in November."
    ]


def test_a_judged_sentence_answers_without_a_span(made: dict[str, list[Example]]) -> None:
    (here,) = [example for example in made["sentence"] if example.answered]
    assert here.answers == ()
    assert [here.text[slice(*here.sentences[number])] for number in here.evidence] == [
        "A firm from Hull does it."
    ]


def test_hard_negatives_are_retrieved_passages_without_the_answer(
    made: dict[str, list[Example]],
) -> None:
    for question, words in [("when", "May"), ("who", "Mrs Oduya"), ("sentence", "firm from Hull")]:
        negatives = [example for example in made[question] if not example.answered]
        assert 1 <= len(negatives) <= HARD
        for example in negatives:
            assert example.hard
            assert words.casefold() not in example.text.casefold()
        assert len({example.text for example in negatives}) == len(negatives)


def test_what_is_unanswerable_is_so_where_the_asker_looked(made: dict[str, list[Example]]) -> None:
    assert made["silent"]
    for example in made["silent"]:
        assert not example.answered
        assert example.before == "Lift book"


def test_what_is_unanswerable_everywhere_is_so_in_what_is_retrieved(
    made: dict[str, list[Example]],
) -> None:
    assert 1 <= len(made["nowhere"]) <= HARD
    assert not any(example.answered for example in made["nowhere"])


def test_a_question_without_the_place_of_an_answer_gives_no_positive(
    made: dict[str, list[Example]],
) -> None:
    assert "unknown" not in made
    assert not any(example.answered for example in made.get("whole", []))


def test_sentences_and_answers_are_spans_of_the_text(made: dict[str, list[Example]]) -> None:
    for example in (each for examples in made.values() for each in examples):
        assert example.text in TEXTS[example.before.split()[0].lower()]
        for start, end in example.sentences:
            assert example.text[start:end] == example.text[start:end].strip() != ""
        assert all(0 <= number < len(example.sentences) for number in example.evidence)


def test_only_questions_to_train_on_are_trained_on(made: dict[str, list[Example]]) -> None:
    assert not {"dev", "test"} & made.keys()


def test_the_command_writes_the_same_examples_again(
    made: dict[str, list[Example]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house, out = write(tmp_path), tmp_path / "examples.jsonl"
    assert main(["--data", str(house), "--out", str(out)]) == 0
    assert read_examples(out) == [example for examples in made.values() for example in examples]
    said = capsys.readouterr().err
    total = sum(map(len, made.values()))
    assert f"house: {total} examples of {len(made)} questions; " in said
    assert f"{7 - len(made)} gave none" in said


def test_the_dev_questions_of_a_set_of_ones_own_are_held_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    out = tmp_path / "held-out.jsonl"
    arguments = ["--data", str(tmp_path), "--sets", "house", "--out", str(out), "--held-out"]
    assert main(arguments) == 0
    assert {example.question for example in read_examples(out)} == {"dev"}
    assert "gave none" not in capsys.readouterr().err


def test_files_are_read_as_the_product_reads_them(tmp_path: Path) -> None:
    """Their headings are read with the passage, and answers need no offsets."""
    house = tmp_path / "files"
    (house / "documents").mkdir(parents=True)
    text = "# Rules\n\n## Keys\n\nMrs Oduya keeps the *key* of the shed.\n"
    (house / "documents" / "rules.md").write_text(text, "utf-8")
    answer = {"text": "Mrs Oduya", "document": "rules.md", "start": None, "end": None}
    asked = row("who", "Who keeps the key of the shed?", answers=[answer])
    (house / "questions.jsonl").write_text(json.dumps(asked) + "\n", "utf-8")
    data = load_set(house)
    (here,) = [each for each in examples_of(data, questions_of(data)) if each.answered]
    assert here.text.endswith("Mrs Oduya keeps the key of the shed.")
    assert here.before.split(" · ")[-1] == "Keys"
    assert [here.text[start:end] for start, end in here.answers] == ["Mrs Oduya"]
    assert [here.text[slice(*here.sentences[number])] for number in here.evidence] == [
        "Mrs Oduya keeps the key of the shed."
    ]


@pytest.mark.parametrize("names", [[], ["garage"]])
def test_a_set_that_is_not_there_is_named(
    names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without names those of the reader that ships are looked for, never just any."""
    write(tmp_path)
    arguments = ["--data", str(tmp_path), "--out", str(tmp_path / "out.jsonl")]
    assert main([*arguments, *(["--sets", *names] if names else [])]) == 1
    said = capsys.readouterr().err
    assert "has no set called" in said
    assert (names or list(SOURCES))[0] in said
    assert said.rstrip().endswith("house.")
    assert not (tmp_path / "out.jsonl").exists()


def source(name: str, splits: dict[str, str], context: str = "d") -> Set:
    """A set called `name` with a question for each id, of that split."""
    return Set(
        name=name,
        documents={},
        questions=tuple(
            Question(id=id, text="Who?", split=split, context=(Judged(context, 0, 1),))
            for id, split in splits.items()
        ),
    )


@pytest.mark.parametrize("name", SOURCES)
def test_no_test_question_of_a_source_is_trained_or_calibrated_on(name: str) -> None:
    data = source(name, {"a": "train", "b": "dev", "c": "test", "d": "test"})
    for held_out in (False, True):
        found = {q.split for q in questions_of(data, held_out=held_out)}
        assert found <= SOURCES[name] <= {"train", "dev"}
        assert len(SOURCES[name]) == 1


@pytest.mark.parametrize("name", sorted(HALVED))
def test_of_a_halved_source_every_second_question_is_held_out(name: str) -> None:
    data = source(name, dict.fromkeys("abcde", "dev"))
    assert [q.id for q in questions_of(data)] == ["a", "c", "e"]
    assert [q.id for q in questions_of(data, held_out=True)] == ["b", "d"]


def test_questions_on_articles_held_out_are_not_trained_on() -> None:
    article = sorted(HELD_OUT_ARTICLES)[0]
    kept, other = source("squad2", {"a": "dev"}, article), source("squad2", {"b": "dev"}, "else")
    assert questions_of(kept) == questions_of(other, held_out=True) == []
    assert [q.id for q in questions_of(kept, held_out=True)] == ["a"]
    assert [q.id for q in questions_of(other)] == ["b"]


def test_a_line_that_is_no_example_is_named(tmp_path: Path) -> None:
    path = tmp_path / "examples.jsonl"
    path.write_text('{"sentences": [], "answers": [], "evidence": []}\n', "utf-8")
    with pytest.raises(DataError, match=r"examples\.jsonl, line 1 is no example"):
        read_examples(path)
