"""Nothing calls home: what Quoth is built on is kept from it too."""

import os
import subprocess
import sys
from pathlib import Path

from index.weights import cache_folder

ROOT = Path(__file__).parent.parent

EMBED = """
from index.encoder import load_encoder

load_encoder().encode_query("Is anybody told what is asked here?")
"""


def test_embedding_leaves_no_report_for_telemetry(tmp_path: Path) -> None:
    """ONNX Runtime queues its reports in the user's cache folder, and names the machine there."""
    # Among them CI: it keeps its reports back where it takes the machine for one that tests.
    switches = ("CI", "ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY")
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / ".cache")}
    ours = {"QUOTH_CACHE": str(cache_folder()), "PYTHONPATH": str(ROOT)}
    inherited = {name: value for name, value in os.environ.items() if name not in switches}
    subprocess.run(
        [sys.executable, "-c", EMBED],
        env=inherited | home | ours,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []
