"""From a name or folder to an encoder: the lean runtime where it fits, else the library itself.

Models come from sentence-transformers, and every result is checked against it. Its import costs
seconds, so a model of the usual shape is exported once (`index.export`) and then runs without.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.errors import EncoderError
from index.export import lean_folder
from index.half import half_precision
from index.lean import LeanEncoder, distinct, encodable, normalized, threads
from index.weights import DEFAULT_MODEL, default_model, fingerprint

if TYPE_CHECKING:
    from index.types import Encoder, Vectors

__all__ = ["SentenceTransformersEncoder", "load_encoder"]


def load_encoder(name: str | os.PathLike[str] | None = None, *, download: bool = True) -> Encoder:
    """Return the encoder for a model.

    Args:
        name: None for the default, all-MiniLM-L6-v2 from its installed package; the folder of a
            sentence-transformers model; or a name that sentence-transformers knows, found in
            its local cache or, unless HF_HUB_OFFLINE is set, on the hub.
        download: Whether the hub may be asked for a model that is not on this machine.

    Raises:
        EncoderError: The model is missing, altered or cannot be loaded.
    """
    if name is None or os.fspath(name) in (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}"):
        return _load(default_model(), DEFAULT_MODEL)
    given = os.fspath(name)
    folder = Path(given).expanduser()
    if folder.is_dir():
        return _load(folder.absolute(), str(folder.absolute()))
    if isinstance(name, os.PathLike) or folder.is_absolute() or given.startswith((".", "~")):
        raise EncoderError(f"There is no model folder {folder}; check the path.")
    return _load(_folder_of(given, download=download), given)


def _load(folder: Path, name: str) -> Encoder:
    threads(), half_precision()  # what is wrong with them is told, not taken for a failed export
    identity = fingerprint(folder)
    lean = lean_folder(folder, identity)
    if lean is not None:
        return LeanEncoder(lean, name=name, fingerprint=identity)
    return SentenceTransformersEncoder(folder, name=name, fingerprint=identity)


class SentenceTransformersEncoder:
    """Any model, run by sentence-transformers on the device of its choice."""

    def __init__(self, folder: Path, *, name: str, fingerprint: str) -> None:
        """Load the model in `folder`.

        Raises:
            EncoderError: It cannot be loaded.
        """
        self._model = _sentence_transformer(str(folder), name)
        self._name, self._fingerprint = name, fingerprint
        self._dim = len(self.encode_query("length"))

    @property
    def name(self) -> str:
        """How people call the model."""
        return self._name

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._dim

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides the vectors."""
        return self._fingerprint

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Return float32 of shape (len(texts), dim), each row of L2 length 1."""
        if not texts:
            return np.empty((0, self._dim), np.float32)
        once, places = distinct(texts)
        found = self._model.encode_document(
            [encodable(text) for text in once], show_progress_bar=False
        )
        return normalized(found)[places]

    def encode_query(self, text: str) -> Vectors:
        """Return float32 of shape (dim,), of L2 length 1."""
        found = self._model.encode_query([encodable(text)], show_progress_bar=False)
        vector: Vectors = normalized(found)[0]
        return vector


def _sentence_transformer(where: str, name: str) -> Any:  # noqa: ANN401 - a SentenceTransformer
    """Return a loaded SentenceTransformer; every fault of its loading is an EncoderError."""
    with _no_progress_bars():
        try:
            from sentence_transformers import SentenceTransformer

            return SentenceTransformer(where)
        except Exception as error:
            # The loading of a foreign model can fail in any way; the first line says the most.
            reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            raise EncoderError(
                f"The embedding model {name} cannot be loaded ({reason}); check the name, or give "
                "the folder of a sentence-transformers model."
            ) from error


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    """Keep transformers' own progress bars off the user's terminal."""
    from transformers.utils import logging

    bars: Any = logging  # has no annotations
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()


def _folder_of(name: str, *, download: bool) -> Path:
    """Return the folder in the local cache of the hub, after loading the model into it."""
    if (folder := _cached(name)) is not None:
        return folder
    if not download:
        raise EncoderError(f"The embedding model {name} is not on this machine.")
    _sentence_transformer(name, name)
    if (folder := _cached(name)) is not None:
        return folder
    raise EncoderError(
        f"The files of the embedding model {name} are not in the local cache; "
        "give the folder of a sentence-transformers model."
    )


def _cached(name: str) -> Path | None:
    """Return the folder of a model in the local cache of the hub, or None without weights."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    # As in sentence-transformers, a bare name is one of its own models.
    for repository in (name, f"sentence-transformers/{name}") if "/" not in name else (name,):
        try:
            folder = Path(snapshot_download(repository, local_files_only=True))
            fingerprint(folder)
        except (LocalEntryNotFoundError, HFValidationError, EncoderError):
            continue
        return folder
    return None
