"""Libraries to measure with, made once and kept in the user's cache."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.corpus import corpus
from bench.options import cache_folder, data_folder, tell

if TYPE_CHECKING:
    from index.reports import Progress

__all__ = ["Kept", "kept", "write_files"]

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Kept:
    """A library, questions about it, and what making it took: seconds, MB at most, characters."""

    path: Path
    questions: list[str]
    made: dict[str, float]


def kept(data: Path | None, sentences: int, cache: Path | None = None) -> Kept:
    """Return a library of at least so many sentences, made now if it is not kept.

    It is made in a process of its own, whose memory is measured.

    Raises:
        DataError: The sets cannot be read or hold too few questions.
    """
    path = _place(cache or cache_folder(), data_folder(data), sentences)
    about = path.with_suffix(".json")
    if not about.exists():
        shutil.rmtree(path, ignore_errors=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        material = corpus(data, sentences)
        tell(f"making {path} of {len(material.texts):,} documents")
        listed = path.with_suffix(".jsonl")
        with listed.open("w", encoding="utf-8") as lines:
            for text in material.texts:
                lines.write(json.dumps([text.title, text.text]) + "\n")
        found = {"questions": material.questions}
        del material
        command = [sys.executable, "-m", "bench.kept", str(listed), str(path)]
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        listed.unlink()
        about.write_text(json.dumps(found | {"made": json.loads(done.stdout)}), "utf-8")
    said = json.loads(about.read_text("utf-8"))
    return Kept(path, said["questions"], said["made"])


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

    began = time.perf_counter()
    with Library.open(path, create=True, encoder=encoder) as library:
        library.add_texts(texts(), progress=_progress())
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {
            "seconds": seconds,
            "peak_mb": peak,
            "characters": characters,
            "sentences": library.status().sentences,
        }


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
