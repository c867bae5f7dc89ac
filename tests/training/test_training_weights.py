"""The file that ships can be trained further: its weights come back out of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from index.weights import default_model
from training.model import Reader
from training.weights import read_weights

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_what_was_exported_is_read_back_but_for_the_rounding(tmp_path: Path) -> None:
    """Each number lies within half a step of 8 bits of its row; vectors are as they were."""
    torch.manual_seed(0)
    reader = Reader(default_model())
    state = reader.state_dict()
    checkpoint, shipped = tmp_path / "checkpoint.pt", tmp_path / "reader.onnx"
    torch.save({"reader": state}, checkpoint)
    # In a process of its own, as it is run: the exporter warns of what does no harm.
    arguments = ["--checkpoint", str(checkpoint), "--out", str(shipped)]
    done = subprocess.run(
        [sys.executable, "-m", "training.export", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr

    found = read_weights(shipped)
    assert found.keys() == state.keys()
    for name, values in state.items():
        assert found[name].shape == values.shape
        if values.ndim < 2 or values.numel() < 4096:
            assert torch.equal(found[name], values), name
        else:
            step = values.abs().amax(1, keepdim=True) / 127
            assert bool(((found[name] - values).abs() <= step * 0.5001).all()), name
    reader.load_state_dict(found)


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    state = {"head.bias": torch.tensor([1.0, -2.0, 0.5])}
    torch.save({"reader": state, "at": (1, 0, 1)}, tmp_path / "checkpoint.pt")
    found = read_weights(tmp_path / "checkpoint.pt")
    assert found.keys() == state.keys()
    assert torch.equal(found["head.bias"], state["head.bias"])
