"""Train the reader: an encoder, examples and two cores become weights.

    python -m training.train --examples examples.jsonl --held-out held-out.jsonl --out run

A run is decided by its seed and its examples; it writes a checkpoint every 500 steps and goes on
from the last one when it is started again with the same arguments. Files with more examples, such
as those made from your own questions, are named beside the others; `--start` begins with weights
trained before.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from bench.data import DataError
from index.errors import QuothError
from index.weights import default_model
from training.batches import Batches
from training.examples import Example, read_examples
from training.judge import judged
from training.model import Batch, Reader, loss
from training.weights import read_weights

__all__ = ["main"]

SAVED_EVERY = 500  # steps
LOGGED_EVERY = 50
WARM_UP = 0.06  # share of the steps
CLIPPED = 1.0  # norm of the gradient
DECAY = 0.01


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, or go on with a run."""
    parser = argparse.ArgumentParser(
        prog="python -m training.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--examples", type=Path, nargs="+", required=True)
    parser.add_argument("--held-out", type=Path, help="examples to measure on")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--start", type=Path, help="checkpoint or .onnx to begin with")
    parser.add_argument("--steps", type=int, default=3400)
    parser.add_argument("--until", type=int, help="step to stop at, to go on later otherwise")
    parser.add_argument("--size", type=int, default=32, help="windows in a batch")
    parser.add_argument("--rate", type=float, default=2e-4, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--negatives", type=float, default=1.0, help="factor of their share")
    parser.add_argument("--compile", action="store_true", help="needs a C++ compiler; faster")
    options = parser.parse_args(arguments)
    if options.steps < 1 or options.size < 1:
        parser.error("--steps and --size are at least 1")
    try:
        _train(options)
    except (DataError, QuothError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def _train(options: argparse.Namespace) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    folder = default_model()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    examples = [example for path in options.examples for example in read_examples(path)]
    held_out = read_examples(options.held_out) if options.held_out else []
    batches = Batches(
        examples,
        tokenizer,
        size=options.size,
        seed=options.seed,
        negatives=options.negatives,
    )
    reader = Reader(folder)
    if options.start:
        reader.load_state_dict(read_weights(options.start))
    _Run(reader, batches, held_out, options).go()


class _Run:
    """A training, at a step of an epoch: what a checkpoint keeps."""

    def __init__(
        self,
        reader: Reader,
        batches: Batches,
        held_out: Sequence[Example],
        options: argparse.Namespace,
    ) -> None:
        self._reader, self._batches, self._held_out = reader, batches, held_out
        self._steps: int = options.steps
        self._until = min(options.until or self._steps, self._steps)
        self._out: Path = options.out
        self._forward: Any = torch.compile(reader, dynamic=True) if options.compile else reader
        moving = [p for p in reader.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": [p for p in moving if p.ndim > 1], "weight_decay": DECAY},
                {"params": [p for p in moving if p.ndim <= 1], "weight_decay": 0.0},
            ],
            lr=options.rate,
            fused=True,
        )
        # Up in a straight line, and down in one to almost nothing at the last step.
        warm = max(1, int(WARM_UP * self._steps))
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer,
            lambda step: min((step + 1) / warm, (self._steps - step) / (self._steps - warm + 1)),
        )
        self._step = self._epoch = self._within = 0

    def go(self) -> None:
        """Train to the last step, from the last checkpoint if there is one.

        Raises:
            DataError: There is nothing to train on.
        """
        self._resume()
        began, losses = time.monotonic(), [0.0, 0.0, 0.0]
        for batch in self._batches_left():
            for place, value in enumerate(self._train(batch)):
                losses[place] += value
            self._step += 1
            self._within += 1
            if self._step % LOGGED_EVERY == 0:
                spans, sentences, count = (each / LOGGED_EVERY for each in losses)
                self._log(
                    step=self._step,
                    spans=round(spans, 3),
                    sentences=round(sentences, 3),
                    tokens=round(count),
                    seconds=round((time.monotonic() - began) / LOGGED_EVERY, 3),
                )
                began, losses = time.monotonic(), [0.0, 0.0, 0.0]
            if self._step % SAVED_EVERY == 0 or self._step == self._until:
                self._save()
                self._measure()
                began = time.monotonic()

    def _batches_left(self) -> Iterator[Batch]:
        """Yield batches until the last step is done; `go` counts the steps in between."""
        while self._step < self._until:
            number = -1
            for number, batch in enumerate(self._batches.epoch(self._epoch)):
                if number >= self._within:
                    yield batch
                    if self._step >= self._until:
                        return
            if number < 0:
                raise DataError(
                    "There is nothing to train on: no example, or none whose answer fits a window."
                )
            self._epoch, self._within = self._epoch + 1, 0

    def _train(self, batch: Batch) -> tuple[float, float, float]:
        self._reader.train()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self._forward(batch.ids, batch.mask, batch.types)
        spans, sentences = loss(logits, batch)
        torch.autograd.backward(spans + sentences)
        torch.nn.utils.clip_grad_norm_(self._reader.parameters(), CLIPPED)
        self._optimizer.step()
        self._schedule.step()
        self._optimizer.zero_grad()
        return float(spans.detach()), float(sentences.detach()), float(batch.mask.sum())

    def _measure(self) -> None:
        if self._held_out:
            prepared = self._batches.prepare(self._held_out, None)
            self._log(step=self._step, **judged(self._reader, prepared))

    def _save(self) -> None:
        state = {
            "reader": self._reader.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "at": (self._step, self._epoch, self._within),
        }
        part = self._out / "checkpoint.part"
        torch.save(state, part)
        part.replace(self._out / "checkpoint.pt")

    def _resume(self) -> None:
        path = self._out / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        self._reader.load_state_dict(state["reader"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self._step, self._epoch, self._within = state["at"]
        self._log(step=self._step, resumed=True)

    def _log(self, **figures: object) -> None:
        line = json.dumps(figures)
        print(line, file=sys.stderr, flush=True)
        with (self._out / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(line + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
