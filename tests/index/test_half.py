"""Half precision: asked for by a variable, close to single precision, refused with a sentence."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.encoder import load_encoder
from index.errors import EncoderError, MissingExtraError
from index.half import runtime
from index.lean import MANY, LeanEncoder
from index.types import Encoder, Part
from index.weights import cache_folder

ROOT = Path(__file__).resolve().parents[2]

TEXTS = [f"House {n} has {n % 7} lifts. Each is inspected every {n} months." for n in range(MANY)]


def _half(monkeypatch: pytest.MonkeyPatch) -> LeanEncoder:
    monkeypatch.setenv("QUOTH_PRECISION", "half")
    encoder = load_encoder()
    assert isinstance(encoder, LeanEncoder)
    return encoder


def _parts() -> list[Part]:
    return [part for t in TEXTS for part in (Part.whole(t), Part(t, 0, t.index(".") + 1))]


def _installed() -> Any:  # noqa: ANN401 - OpenVINO has no types
    try:
        return runtime()
    except MissingExtraError:
        pytest.skip("needs the extra 'half'")


def _supported() -> bool:
    return "BF16" in _installed().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@pytest.mark.slow
def test_vectors_are_those_of_single_precision_but_for_rounding(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not _supported():
        pytest.skip("this processor does not compute in bfloat16")
    assert isinstance(encoder, LeanEncoder)
    half = _half(monkeypatch)
    single, ours = encoder.encode_parts(_parts()), half.encode_parts(_parts())
    assert (single * ours).sum(1).min() > 0.9995
    assert not np.array_equal(single, ours), "it was not used"
    # A few are not worth the preparation, and a question is always asked in single precision.
    few = _parts()[:4]
    np.testing.assert_array_equal(half.encode_parts(few), encoder.encode_parts(few))
    np.testing.assert_array_equal(half.encode_query("A lift?"), encoder.encode_query("A lift?"))


@pytest.mark.slow
def test_several_threads_may_encode_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    if not _supported():
        pytest.skip("this processor does not compute in bfloat16")
    half = _half(monkeypatch)
    parts = _parts()
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(half.encode_parts, [parts, parts[::-1], parts, parts[::-1]]))
    for ours, order in zip(found, (1, -1, 1, -1), strict=True):
        np.testing.assert_allclose(ours[::order], found[0], atol=1e-3)


@pytest.mark.slow
def test_nothing_is_reported_and_nothing_left_in_the_home_folder(tmp_path: Path) -> None:
    """OpenVINO does both when it is imported as it is."""
    if not _supported():
        pytest.skip("this processor does not compute in bfloat16")
    watched = (
        "import sys; seen = []; sys.addaudithook(lambda what, _: seen.append(what) if what in"
        " ('socket.connect', 'socket.getaddrinfo', 'subprocess.Popen', 'os.fork') else None)\n"
        "from index.encoder import load_encoder\n"
        "load_encoder().encode_documents([f'House {n}.' for n in range(99)])\n"
        "assert 'openvino' in sys.modules and not seen, seen\n"
    )
    cache = os.environ.get("QUOTH_CACHE") or str(cache_folder())
    environment = {"HOME": str(tmp_path), "QUOTH_CACHE": cache, "QUOTH_PRECISION": "half"}
    environment |= {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", watched], env=environment, check=True)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_processor_without_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_installed().Core, "get_property", lambda *_: ["FP32"])
    with pytest.raises(EncoderError, match="does not compute in half precision"):
        _half(monkeypatch).encode_parts(_parts())


def test_without_its_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as __import__
        if name == "openvino":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"pip install 'quoth\[half\]'"):
        _half(monkeypatch).encode_parts(_parts())


def test_another_precision_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the model would have to be exported first."""
    monkeypatch.setenv("QUOTH_CACHE", str(tmp_path))
    monkeypatch.setenv("QUOTH_PRECISION", "quarter")
    with pytest.raises(EncoderError, match="'quarter'; set it to half or single"):
        load_encoder()
