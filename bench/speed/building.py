"""How fast files become something that can be asked, and what that takes on the disk."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.corpus import corpus
from bench.kept import kept, write_files
from bench.speed.figure import Figure, peak_mb

__all__ = ["build", "disk", "made"]


def build(sentences: int) -> Iterator[Figure]:
    """Yield the speed of a first sync of text files, the model loaded, and its memory."""
    from index import Library
    from index.encoder import load_encoder
    from index.types import Part, PartEncoder

    encoder = load_encoder()
    with tempfile.TemporaryDirectory(prefix="quoth-bench-") as place:
        texts = [text.text for text in corpus(None, sentences).texts]
        folder = write_files(Path(place) / "texts", texts)
        characters = sum(map(len, texts))
        if isinstance(encoder, PartEncoder):
            encoder.encode_parts([Part.whole(text[:200]) for text in texts[:64]])
        began = time.perf_counter()
        with Library.open(Path(place) / "l.quoth", create=True, encoder=encoder) as library:
            report = library.sync(folder)
        seconds = time.perf_counter() - began
    yield Figure("first sync", seconds, "s")
    yield Figure("text to searchable", characters / seconds, "characters/s")
    yield Figure("sentences to searchable", report.sentences / seconds, "sentences/s")
    yield Figure("memory", peak_mb(), "MB")


def made(sentences: int) -> Iterator[Figure]:
    """Yield what it took to make the library that is kept, once."""
    took = kept(None, sentences).made
    if "seconds" in took:
        yield Figure("first sync", took["seconds"], "s")
        yield Figure("sentences to searchable", took["sentences"] / took["seconds"], "sentences/s")
    yield Figure("memory while indexing", took["peak_mb"], "MB")


def disk(sentences: int) -> Iterator[Figure]:
    """Yield the bytes a sentence that a compacted library takes beyond its text."""
    from index import Library

    found = kept(None, sentences)
    with tempfile.TemporaryDirectory(prefix="quoth-bench-") as place:
        copy = shutil.copytree(found.path, Path(place) / "l.quoth")
        with Library.open(copy) as library:
            began = time.perf_counter()
            library.compact()
            seconds = time.perf_counter() - began
            count = library.status().sentences
        size = sum(path.stat().st_size for path in copy.rglob("*") if path.is_file())
    yield Figure("beyond the text", (size - found.made["characters"]) / count, "bytes/sentence")
    yield Figure("compact", seconds, "s")
