"""Libraries to measure with, made once and kept in the user's cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.corpus import corpus
from bench.options import cache_folder, data_folder, tell
from bench.speed.figure import peak_mb

if TYPE_CHECKING:
    from index.reports import Progress

__all__ = ["Kept", "kept", "write_files"]

ROOT = Path(__file__).resolve().parents[1]
LARGE = 1_000_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A library and questions about it.

    Attributes:
        path: Its folder.
        questions: What people asked of the texts.
        made: How many `characters` and `sentences` it has, `peak_mb` of making it, and `seconds`
            if it was made in one go.
    """

    path: Path
    questions: list[str]
    made: dict[str, float]


def kept(data: Path | None, sentences: int, cache: Path | None = None) -> Kept:
    """Return a library of at least so many sentences, made now if it is not kept.

    It is made in a process of its own, whose memory is measured: in single precision, but for a
    million sentences in half precision where that is installed. A making that was interrupted goes
    on; how long it took is not known then.

    Raises:
        DataError: The sets cannot be read or hold too few questions.
    """
    path = _place(cache or cache_folder(), data_folder(data), sentences)
    about = path.with_suffix(".json")
    if not about.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        listed, questions = path.with_suffix(".jsonl"), _listed(path, data, sentences)
        tell(f"making {path}")
        half = sentences >= LARGE and find_spec("openvino") is not None
        done = subprocess.run(
            [sys.executable, "-m", "bench.kept", str(listed), str(path)],
            cwd=ROOT,
            env=os.environ | {"QUOTH_PRECISION": "half" if half else "single"},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        about.write_text(
            json.dumps({"questions": questions, "made": json.loads(done.stdout)}), "utf-8"
        )
        listed.unlink()
    said = json.loads(about.read_text("utf-8"))
    return Kept(path, said["questions"], said["made"])


def _listed(path: Path, data: Path | None, sentences: int) -> list[str]:
    """Write the texts as lines beside where the library will be, and return the questions."""
    material = corpus(data, sentences)
    with path.with_suffix(".jsonl").open("w", encoding="utf-8") as lines:
        for text in material.texts:
            lines.write(json.dumps([text.title, text.text]) + "\n")
    return material.questions


def _place(cache: Path, folder: Path, sentences: int) -> Path:
    from index.encoder import load_encoder
    from index.ingest import PIPELINE

    # What is cut or embedded in another way is another library.
    model = load_encoder().fingerprint[:8]
    return cache / f"latency-{folder.resolve().name}-{sentences}-{PIPELINE}-{model}.quoth"


def write_files(place: Path, texts: Sequence[str]) -> Path:
    """Write texts as files, a hundred a folder, and return `place`."""
    for number, text in enumerate(texts):
        file = place / f"{number // 100:04}" / f"{number:06}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return place


def main(listed: Path, path: Path) -> dict[str, Any]:
    """Make a library of the texts in a file of lines; return what it took."""
    from index import Library
    from index.encoder import load_encoder

    encoder = load_encoder()
    encoder.encode_query("warm")
    characters = 0

    def texts() -> Any:  # noqa: ANN401 - a generator of tuples
        nonlocal characters
        with listed.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                title, text = json.loads(line)
                characters += len(text)
                yield f"d{number:06}", text, title or None, None

    resumed = path.exists()
    began = time.perf_counter()
    with Library.open(path, create=True, encoder=encoder) as library:
        library.add_texts(texts(), progress=_progress())
        seconds = time.perf_counter() - began
        took = {"peak_mb": peak_mb()} | ({} if resumed else {"seconds": seconds})
        return took | {"characters": characters, "sentences": library.status().sentences}


def _progress() -> Callable[[Progress], None]:
    told = 0

    def tell_sometimes(now: Progress) -> None:
        nonlocal told
        if now.sentences - told >= 5000:
            told = now.sentences
            tell(f"{now.sentences:,} sentences, {now.sentences_per_second:.0f} a second")

    return tell_sometimes


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
