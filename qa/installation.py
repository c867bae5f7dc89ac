"""What Quoth runs on, looked over: packages, models, cache."""

from __future__ import annotations

import json
import os
import platform
import re
import sqlite3
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from index.errors import EncoderError
from index.export import EXPORT
from index.files import bytes_in, sha256
from index.half import half_precision
from index.lean import threads
from index.upkeep.check import Finding, Severity
from index.weights import cache_folder, default_model, fingerprint
from qa import reader
from qa.lines import human_bytes

__all__ = ["Fact", "cache", "default_embedding_model", "packages", "reader_model", "versions"]

Fact = tuple[str, str]

# Named in the report; of all others only what is missing is told.
_TOLD = ("faiss-cpu", "tantivy", "onnxruntime", "tokenizers", "numpy", "gradio", "torch")
_REINSTALL = "Install Quoth again, with the versions of its constraints.txt."


def versions() -> Iterator[Fact | Finding]:
    """Yield the versions of Quoth and what it runs on."""
    try:
        own = metadata.version("quoth")
    except metadata.PackageNotFoundError:
        own = "(run from its source)"
    yield ("quoth", own)
    system = f"{platform.system()} {platform.machine()}"
    python = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {system}"
    yield ("runs on", python)
    yield _chosen("threads", "QUOTH_THREADS", lambda: str(threads()))
    yield _chosen("precision", "QUOTH_PRECISION", lambda: "half" if half_precision() else "single")


def _chosen(name: str, variable: str, value: Callable[[], str]) -> Fact | Finding:
    """Return what a variable of the environment chooses, or what is wrong with it."""
    try:
        return (name, value())
    except EncoderError as error:
        return Finding(kind="installation", where=variable, message=str(error), advice="")


def packages() -> Iterator[Fact | Finding]:
    """Yield the versions of the packages that matter, and those that are missing."""
    found = []
    for name in _required():
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding(
                kind="installation",
                where=name,
                message=f"The package {name} is missing.",
                advice=_REINSTALL,
            )
            continue
        if name in _TOLD:
            found.append(f"{name} {version}")
    yield ("packages", ", ".join(found))


def _required() -> list[str]:
    """Return the packages that Quoth needs, as far as that is known."""
    try:
        lines = metadata.requires("quoth") or []
    except metadata.PackageNotFoundError:
        return list(_TOLD)
    needed = [line for line in lines if "extra ==" not in line]
    return [match[0] for line in needed if (match := re.match(r"[\w.-]+", line))]


def default_embedding_model() -> Iterator[Fact | Finding]:
    """Yield whether the default model is there, its weights hashed anew, and its export."""
    try:
        folder = default_model(fresh=True)
        identity = fingerprint(folder)  # by the hash that was just taken
    except (EncoderError, OSError) as error:
        yield Finding(kind="model", where="all-MiniLM-L6-v2", message=str(error), advice="")
        return
    yield ("model", f"all-MiniLM-L6-v2 ({identity[:12]}), its weights are the published ones")
    yield from _export_of(identity)


def _export_of(identity: str) -> Iterator[Fact | Finding]:
    """Yield whether the model was made ready for the lean runtime, and is as it was made."""
    folder = cache_folder() / "models" / f"{identity[:32]}-{EXPORT}"
    if not os.path.exists(folder / "lean.json"):
        yield ("runtime", "not made ready yet; that is done at the first question")
        return
    try:
        manifest = json.loads((folder / "lean.json").read_bytes())
        damaged = [
            name for name, digest in manifest["files"].items() if sha256(folder / name) != digest
        ]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        damaged = ["lean.json"]
    if damaged:
        yield Finding(
            kind="model",
            where=str(folder),
            message=f"The model that was made ready in the cache is damaged ({damaged[0]}).",
            advice="Nothing needs to be done: it is made again at the next question.",
            severity=Severity.SLOWER,
        )
    else:
        yield ("runtime", f"made ready in {folder}")


def reader_model() -> Iterator[Fact | Finding]:
    """Yield whether the reader is the one that ships."""
    try:
        if sha256(reader.FILE) == reader.SHA256:
            yield ("reader", f"{reader.SHA256[:12]}, as it ships")
            return
        message = f"The reader in {reader.FILE} is not the one that ships."
    except OSError as error:
        message = f"The reader in {reader.FILE} cannot be read ({error.strerror})."
    yield Finding(kind="model", where=str(reader.FILE), message=message, advice=_REINSTALL)


def cache() -> Iterator[Fact | Finding]:
    """Yield where the cache is, and whether it can be used."""
    folder = cache_folder()
    # Not Path.exists(): that raises where a folder above may not be looked into.
    existing = next((p for p in (folder, *folder.parents) if os.path.exists(p)), Path("/"))
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield Finding(
            kind="cache",
            where=str(folder),
            message=f"The cache folder {folder} cannot be written to.",
            advice="Set QUOTH_CACHE to a folder that can; without it the model is loaded by "
            "PyTorch each time, which takes seconds.",
            severity=Severity.SLOWER,
        )
        return
    size = human_bytes(bytes_in(folder)) if folder == existing else "not there yet"
    yield ("cache", f"{folder} ({size})")
