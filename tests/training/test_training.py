"""A run of a few steps: it learns, stops and goes on, and says what is wrong with its files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from torch import Tensor

from training import train
from training.examples import Example
from training.model import Batch, loss

SAID = "The lift is inspected in {month}. {name} keeps the book."
ROWS = [("May", "Ann"), ("June", "Tom"), ("July", "Eve")]


def examples(folder: Path) -> Path:
    """A file of six questions about three passages."""
    path = folder / "examples.jsonl"
    with path.open("w", encoding="utf-8") as out:
        for month, name in ROWS:
            text = SAID.format(month=month, name=name)
            middle = text.index(".") + 1
            for number, (asked, answer) in enumerate(
                [("When is the lift inspected?", month), ("Who keeps the book?", name)]
            ):
                start = text.index(answer)
                made = Example(
                    source="mine",
                    question=f"{name} {number}",
                    asked=asked,
                    before="Lifts",
                    text=text,
                    sentences=((0, middle), (middle + 1, len(text))),
                    answers=((start, start + len(answer)),),
                    evidence=(number,),
                )
                out.write(json.dumps(asdict(made)) + "\n")
    return path


def run(data: Path, out: Path, *more: str) -> int:
    arguments = ["--examples", str(data), "--out", str(out), "--size", "4", "--seed", "3"]
    return train.main([*arguments, *more])


def checkpoint(folder: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = torch.load(folder / "checkpoint.pt", weights_only=True)["reader"]
    return state


def log(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text("utf-8").splitlines()]


class Stopped(Exception):
    """The machine was switched off."""


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Across the ends of epochs, which have two batches or so here."""
    monkeypatch.setattr(train, "SAVED_EVERY", 2)
    monkeypatch.setattr(train, "LOGGED_EVERY", 1)
    data, whole, parts = examples(tmp_path), tmp_path / "whole", tmp_path / "parts"
    assert run(data, whole, "--steps", "5", "--held-out", str(data)) == 0

    done = 0

    def stops(logits: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        nonlocal done
        if done == 3:
            raise Stopped
        done += 1
        return loss(logits, batch)

    monkeypatch.setattr(train, "loss", stops)
    with pytest.raises(Stopped):
        run(data, parts, "--steps", "5")
    assert torch.load(parts / "checkpoint.pt", weights_only=True)["at"][0] == 2
    monkeypatch.setattr(train, "loss", loss)
    assert run(data, parts, "--steps", "5") == 0

    one, two = checkpoint(whole), checkpoint(parts)
    assert one.keys() == two.keys()
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=0, atol=1e-5)
    assert {"step": 2, "resumed": True} in log(parts)
    # The third step was made twice, the second time from the checkpoint, and was the same.
    third = [row for row in log(parts) if row["step"] == 3]
    assert len(third) == 2
    assert {(row["spans"], row["sentences"]) for row in third} == {
        (row["spans"], row["sentences"]) for row in log(whole) if row.get("step") == 3
    }
    assert [row["exact"] for row in log(whole) if "exact" in row]
    assert not list(whole.glob("*.part"))
    # A run at its end has nothing left to do.
    before = (parts / "checkpoint.pt").read_bytes()
    assert run(data, parts, "--steps", "5") == 0
    assert (parts / "checkpoint.pt").read_bytes() == before


@pytest.mark.slow
def test_what_was_asked_is_learnt(tmp_path: Path) -> None:
    data = examples(tmp_path)
    out = tmp_path / "run"
    assert run(data, out, "--steps", "40", "--held-out", str(data), "--rate", "5e-4") == 0
    assert log(out)[-1] == {"step": 40, "exact": 1.0, "sentence": 1.0}


@pytest.mark.slow
def test_words_do_not_move_and_the_rest_does(tmp_path: Path) -> None:
    data = examples(tmp_path)
    assert run(data, tmp_path / "one", "--steps", "1") == 0
    start = str(tmp_path / "one" / "checkpoint.pt")
    assert run(data, tmp_path / "two", "--steps", "2", "--start", start) == 0
    one, two = checkpoint(tmp_path / "one"), checkpoint(tmp_path / "two")
    moved = {name for name in one if not torch.equal(one[name], two[name])}
    assert "head.weight" in moved
    assert "encoder.encoder.layer.0.attention.self.query.weight" in moved
    assert "encoder.embeddings.word_embeddings.weight" not in moved
    # Steps of this length do not lead far from where they began.
    assert max(float((one[name] - two[name]).abs().max()) for name in moved) < 1e-3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "nothing to train on"),
        ('{"asked": "Who?"}\n', "examples.jsonl, line 1 is no example of training.examples"),
        ("Who?\n", "examples.jsonl, line 1 is no example of training.examples"),
        (None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_trained_on_is_named(
    content: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "examples.jsonl"
    if content is not None:
        path.write_text(content, "utf-8")
    assert run(path, tmp_path / "run") == 1
    assert message in capsys.readouterr().err


def test_a_checkpoint_that_is_none_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("start.pt", "start.onnx"):
        (tmp_path / name).write_text("no weights", "utf-8")
        more = ("--start", str(tmp_path / name), "--steps", "1")
        assert run(examples(tmp_path), tmp_path / "run", *more) == 1
        assert f"{name} is no " in capsys.readouterr().err


def test_no_steps_are_no_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(examples(tmp_path), tmp_path / "run", "--steps", "0")
    assert stopped.value.code == 2
    assert "at least 1" in capsys.readouterr().err
