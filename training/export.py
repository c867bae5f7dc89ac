"""Make of a checkpoint the file that ships: one ONNX graph, its weights in 8 bits a row.

    python -m training.export --checkpoint run/checkpoint.pt --out qa/data/reader.onnx

Every row of a matrix is kept as whole numbers from -127 to 127 with one scale, and becomes single
precision again when the graph is loaded. Prints the hash that `qa.reader` checks.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from index.weights import default_model, file_hash
from training.model import Reader

__all__ = ["main", "quantized"]

SMALLEST = 4096  # numbers of a matrix that is worth it
OPSET = 17


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file; several checkpoints are averaged."""
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    reader = Reader(default_model())
    reader.load_state_dict(_averaged(options.checkpoint))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "reader.onnx"
        _write(reader.eval(), plain)
        model = quantized(onnx.load(str(plain)))
    onnx.checker.check_model(model)
    onnx.save(model, str(options.out))
    size = options.out.stat().st_size / 1e6
    print(f"{options.out}: {size:.1f} MB, SHA-256 {file_hash(options.out, fresh=True)}")
    return 0


def quantized(model: ModelProto) -> ModelProto:
    """Return the graph with 8-bit matrices, each before a node that makes it float again."""
    graph = model.graph
    before: list[NodeProto] = []
    tables = {node.input[0] for node in graph.node if node.op_type == "Gather"}
    kept: list[TensorProto] = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.ndim != 2 or values.size < SMALLEST or values.dtype != np.float32:
            kept.append(tensor)
            continue
        # The rows of a table of embeddings; of a matrix, which stands transposed, the columns.
        axis = 0 if tensor.name in tables else 1
        whole, scales = _rounded(values, axis)
        names = [f"{tensor.name}.{part}" for part in ("int8", "scale", "zero")]
        zero = np.zeros(scales.shape, np.int8)
        parts: list[NDArray[Any]] = [whole, scales, zero]
        kept += [numpy_helper.from_array(*each) for each in zip(parts, names, strict=True)]
        before.append(helper.make_node("DequantizeLinear", names, [tensor.name], axis=axis))
    nodes = [*before, *graph.node]
    del graph.initializer[:]
    del graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    return model


def _rounded(
    values: NDArray[np.float32], axis: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    largest = np.abs(values).max(axis=1 - axis)
    scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    along = scales[:, None] if axis == 0 else scales[None, :]
    return np.clip(np.rint(values / along), -127, 127).astype(np.int8), scales


def _averaged(paths: Sequence[Path]) -> dict[str, torch.Tensor]:
    states = [torch.load(path, weights_only=True)["reader"] for path in paths]
    return {
        name: torch.stack([state[name].float() for state in states]).mean(0)
        if states[0][name].is_floating_point()
        else states[0][name]
        for name in states[0]
    }


def _write(reader: Reader, path: Path) -> None:
    # Plain attention has the simplest graph, which runs fastest in ONNX Runtime.
    reader.encoder.set_attn_implementation("eager")
    ids = torch.ones((2, 7), dtype=torch.long)
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    names = ["input_ids", "attention_mask", "token_type_ids"]
    with torch.inference_mode():
        torch.onnx.export(
            reader,
            (ids, mask, torch.zeros_like(ids)),
            str(path),
            input_names=names,
            output_names=["logits"],
            dynamic_axes={name: {0: "batch", 1: "length"} for name in [*names, "logits"]},
            opset_version=OPSET,
            dynamo=False,
        )


if __name__ == "__main__":
    raise SystemExit(main())
