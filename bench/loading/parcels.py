"""Which parcels are where, and since when one could know: what comes and goes in the library."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

__all__ = ["Parcel", "Parcels"]

_LOCKER = re.compile(r"locker (L-\d+)")


@dataclass
class Parcel:
    """One document about one locker, which no other parcel ever gets.

    Attributes:
        name: For whom it is.
        locker: Where it is.
        known: When the server had acknowledged the document; None before.
        going: When its removal was asked for.
        gone: When the server had acknowledged that it is removed.
    """

    name: str
    locker: str
    known: float | None = None
    going: float | None = None
    gone: float | None = None


class Parcels:
    """All parcels of a run, and the newest generation of the library that was acknowledged."""

    def __init__(self) -> None:
        self.generation = 0
        self._by_locker: dict[str, Parcel] = {}

    def new(self, name: str) -> Parcel:
        """Return a parcel in a locker of its own; its document is not there yet."""
        parcel = Parcel(name, f"L-{10_000 + 7 * len(self._by_locker)}")
        self._by_locker[parcel.locker] = parcel
        return parcel

    def present(self) -> list[Parcel]:
        """Return the parcels that whoever asks now must be told of, as far as one knows."""
        return [p for p in self._by_locker.values() if p.known is not None and p.going is None]

    def acknowledged(self, generation: int) -> None:
        """Take note of the state that the server has said to be published."""
        self.generation = max(self.generation, generation)

    def gone_before(self, text: str, began: float) -> list[Parcel]:
        """Return the parcels named in `text` that were gone before a question began."""
        named = (self._by_locker.get(locker) for locker in _LOCKER.findall(text))
        return [p for p in named if p is not None and p.gone is not None and p.gone < began]

    def stayed(self, parcel: Parcel) -> bool:
        """Return whether nobody has begun to remove it until now."""
        return parcel.going is None

    @staticmethod
    def now() -> float:
        """Return the moment by the clock that all of this goes by."""
        return time.monotonic()
