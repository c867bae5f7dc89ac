"""The weights that a training begins with: a checkpoint's, or those of the file that ships.

Whoever trains further on questions of their own has only the second.
"""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from bench.data import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import ModelProto

__all__ = ["read_weights"]


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the weights in a file, by the names they have in `training.model.Reader`.

    Args:
        path: A checkpoint of `training.train`, or what `training.export` made of one; the
            second has lost what rounding to 8 bits loses.

    Raises:
        DataError: It is neither.
    """
    if path.suffix == ".onnx":
        return _exported(path)
    try:
        state: dict[str, Tensor] = torch.load(path, weights_only=True)["reader"]
    except (KeyError, TypeError, RuntimeError, EOFError, UnpicklingError) as error:
        raise DataError(f"{path} is no checkpoint of training.train: {error}") from error
    return state


def _exported(path: Path) -> dict[str, Tensor]:
    import onnx

    try:
        matrices = _matrices(onnx.load(str(path)))
    except OSError:
        raise
    except Exception as error:  # protobuf and ONNX have errors of their own
        raise DataError(f"{path} is no file of training.export: {error}") from error
    return {name: torch.from_numpy(values.copy()) for name, values in matrices.items()}


def _matrices(model: ModelProto) -> dict[str, NDArray[np.float32]]:
    """Return what `training.export.quantized` was given, rounded."""
    from onnx import numpy_helper

    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear":
            whole, scales, _ = (stored.pop(name) for name in node.input)
            (axis,) = (each.i for each in node.attribute if each.name == "axis")
            along = scales[:, None] if axis == 0 else scales[None, :]
            stored[node.output[0]] = whole.astype(np.float32) * along
    for node in model.graph.node:
        # A linear layer's matrix stands transposed and under a number; the node has its name.
        if node.op_type == "MatMul" and node.input[1] in stored:
            name = node.name.strip("/").removesuffix("/MatMul").replace("/", ".")
            stored[f"{name}.weight"] = stored.pop(node.input[1]).T
    return {name: values for name, values in stored.items() if name.endswith((".weight", ".bias"))}
