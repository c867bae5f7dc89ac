"""Which model a library was built with, and the encoder for it, loaded when it is needed."""

from __future__ import annotations

import threading

from index.alive import model_of
from index.database import Row
from index.errors import EncoderError, ModelMismatchError
from index.store import Store, generation
from index.types import Encoder

__all__ = ["Models"]


class Models:
    """The encoders of one library, by fingerprint; safe from many threads."""

    def __init__(self, store: Store, given: Encoder | None) -> None:
        self._store = store
        self._given = given
        self._default: Encoder | None = None  # of a library that has no documents yet
        self._known = {} if given is None else {given.fingerprint: given}
        self._lock = threading.Lock()

    @property
    def given(self) -> Encoder | None:
        """The model that whoever opened the library gave."""
        return self._given

    def check(self, encoder: Encoder) -> None:
        """Raise if the library was built with another model.

        Raises:
            ModelMismatchError: It was.
        """
        row = self._recorded()
        if row is not None and row["fingerprint"] != encoder.fingerprint:
            raise ModelMismatchError(row["name"], encoder.name)

    def newest(self) -> Encoder:
        """Return the model of the published state, or what a new library will be made with."""
        row = self._recorded()
        return (
            self.encoder("", "") if row is None else self.encoder(row["name"], row["fingerprint"])
        )

    def _recorded(self) -> Row | None:
        # Asked each time: another process may have rebuilt the library with another model.
        with self._store.reading() as db:
            return model_of(db, generation(db))

    def use(self, encoder: Encoder) -> None:
        """Take `encoder` as the one that was given."""
        self._known[encoder.fingerprint] = encoder
        self._given = encoder

    def know(self, encoder: Encoder) -> None:
        """Keep `encoder` for a generation that is made with it."""
        self._known[encoder.fingerprint] = encoder

    def loaded(self, fingerprint: str) -> bool:
        """Return whether `encoder` would answer without loading anything."""
        return fingerprint in self._known or bool(
            not fingerprint and (self._given or self._default)
        )

    def encoder(self, name: str, fingerprint: str) -> Encoder:
        """Return the encoder for the model that a library records; empty strings for none yet.

        Raises:
            ModelMismatchError: Another one was given, or the name now means another model.
            EncoderError: It cannot be loaded.
        """
        with self._lock:
            known = self._known.get(fingerprint) if fingerprint else self._given or self._default
            if known is not None:
                return known
            if self._given is not None:
                raise ModelMismatchError(name, self._given.name)
            encoder = _recorded(name)
            if not fingerprint:
                self._default = encoder
            elif fingerprint != encoder.fingerprint:
                raise ModelMismatchError(name, encoder.name)
            self._known[encoder.fingerprint] = encoder
            return encoder


def _recorded(name: str) -> Encoder:
    """Return the model a library was built with; never from the network, nobody asked for that."""
    from index.encoder import load_encoder

    try:
        return load_encoder(name or None, download=False)
    except EncoderError as error:
        if not name:
            raise
        raise EncoderError(
            f"The library was built with the model {name}, which cannot be loaded: {error} "
            "Bring that model, or embed everything again with `quoth rebuild --model`."
        ) from error
