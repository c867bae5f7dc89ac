"""Quoth in half precision, the same way."""

from __future__ import annotations

import os
from pathlib import Path

from systems import quoth

os.environ["QUOTH_PRECISION"] = "half"


class System(quoth.System):
    def __init__(self, model: Path) -> None:
        super().__init__(model)
        # Loads the other runtime, which few texts are not worth.
        self._encoder.encode_documents([f"House {number}." for number in range(100)])
