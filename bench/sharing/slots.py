"""Documents that come and go, and what may be in the library under each name."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.loading.parcels import Parcel, Parcels

__all__ = ["Slot"]


@dataclass
class Slot:
    """A name, and the parcels of it that the library may have now.

    Attributes:
        name: For whom the parcels are; in no other slot.
        server: Number of the server that took the upload; None for a file in the folder.
        maybe: One for sure, or none; more where a change was cut off.
    """

    name: str
    server: int | None = None
    maybe: list[Parcel] = field(default_factory=list)

    @property
    def file(self) -> str:
        """The name of the file."""
        return f"{self.name}.txt"

    @property
    def sure(self) -> bool:
        """Whether it is known what the library has."""
        return not self.maybe or (len(self.maybe) == 1 and self.maybe[0].going is None)

    def going(self, parcels: Parcels) -> None:
        """Take note that what there is is about to be replaced or removed."""
        for parcel in self.maybe:
            parcel.going = parcel.going or parcels.now()

    def coming(self, parcels: Parcels) -> Parcel:
        """Return a new parcel that is about to take the place of what there is."""
        self.going(parcels)
        parcel = parcels.new(self.name)
        self.maybe.append(parcel)
        return parcel

    def unknown(self, parcels: Parcels) -> None:
        """Take note that nobody can say what there is: nothing is asked for."""
        self.going(parcels)

    def has(self, parcels: Parcels, parcel: Parcel | None) -> None:
        """Take note of what was acknowledged: this parcel is there, and no other."""
        now = parcels.now()
        for other in self.maybe:
            if other is not parcel:
                other.going, other.gone = other.going or now, now
        self.maybe = [] if parcel is None else [parcel]
        if parcel is not None:
            parcel.known = now

    def stays(self) -> None:
        """Take note that a removal was refused: what there is stays."""
        if len(self.maybe) == 1 and self.maybe[0].known is not None:
            self.maybe[0].going = None
