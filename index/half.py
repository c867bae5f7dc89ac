"""Half precision for many texts at once: the lean runtime's graph, run by OpenVINO in bfloat16.

Twice as fast where the processor multiplies in bfloat16. The vectors are those of single
precision but for rounding (cosine above 0.9999), which is about what storing them in half precision
rounds anyway. Asked for by QUOTH_PRECISION=half.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import EncoderError, MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["HalfSession", "half_precision", "runtime"]

# Compiled kernels that are kept, one a shape; more of them cost memory and bring nothing, since
# nearly every batch has a shape of its own.
KERNELS = 16


def half_precision() -> bool:
    """Return whether $QUOTH_PRECISION asks for half precision.

    Raises:
        EncoderError: It asks for something else than "half" or "single".
    """
    wanted = os.environ.get("QUOTH_PRECISION", "").strip()
    if wanted not in ("", "half", "single"):
        raise EncoderError(f"QUOTH_PRECISION is {wanted!r}; set it to half or single.")
    return wanted == "half"


def runtime() -> Any:  # noqa: ANN401 - OpenVINO has no types
    """Return the module of OpenVINO, which is told to report nothing.

    Raises:
        MissingExtraError: It is not installed.
    """
    # When it is imported it reports that to its makers, and numbers the user in a file in the home
    # folder; without this package of theirs it does neither.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        raise MissingExtraError("OpenVINO", "half", "Half precision") from error
    return openvino


class HalfSession:
    """Runs a graph like a session of ONNX Runtime, in half precision."""

    def __init__(self, model: Path, threads: int) -> None:
        """Compile the graph in a file.

        Raises:
            MissingExtraError: OpenVINO is not installed.
            EncoderError: The processor does not compute in bfloat16, or the graph does not compile.
        """
        openvino = runtime()
        core = openvino.Core()
        if "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise EncoderError(
                "This processor does not compute in half precision; unset QUOTH_PRECISION."
            )
        settings = {
            "INFERENCE_PRECISION_HINT": "bf16",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "CPU_RUNTIME_CACHE_CAPACITY": KERNELS,
        }
        try:
            compiled = core.compile_model(core.read_model(model), "CPU", settings)
        except RuntimeError as error:
            reason = (str(error).strip() or "no message").splitlines()[-1]
            raise EncoderError(
                f"OpenVINO cannot run the model ({reason}); unset QUOTH_PRECISION."
            ) from error
        self._request: Any = compiled.create_infer_request()
        self._lock = threading.Lock()

    def run(self, _: None, feed: Mapping[str, NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        """Return the one output; threads that ask at once take turns."""
        with self._lock:
            self._request.infer(feed, share_inputs=True)
            return [self._request.get_output_tensor(0).data.copy()]
