"""From sentences to what is judged: which unit a sentence counts for, which place it touches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from bench.data import Judged, Text, Unit

__all__ = ["Numbered", "numbered", "shared", "touches", "units_of", "within"]

Numbered = Mapping[str, Sequence[tuple[int, Unit]]]


def numbered(units: Sequence[Unit]) -> Numbered:
    """Return the units of each document with their numbers."""
    found: dict[str, list[tuple[int, Unit]]] = defaultdict(list)
    for number, unit in enumerate(units):
        found[unit.document].append((number, unit))
    return found


def units_of(best: Sequence[Unit], units: Numbered) -> list[int]:
    """Return the numbers of the units that hold these sentences, by first appearance.

    The unit of a sentence is the one with most of its characters, the first of equals;
    sentences between the units count for none.
    """
    order: dict[int, None] = {}
    for sentence in best:
        shares = [
            (shared(sentence, unit), -number) for number, unit in units.get(sentence.document, ())
        ]
        share, number = max(shares, default=(0, 0))
        if share > 0:
            order.setdefault(-number)
    return list(order)


def shared(one: Unit, other: Unit) -> int:
    """Return how many characters two places have in common; 0 or less if none."""
    if one.document != other.document:
        return 0
    return min(one.end, other.end) - max(one.start, other.start)


def touches(sentence: Unit, place: Judged) -> bool:
    """Return whether a sentence has a character of a judged place."""
    if sentence.document != place.document:
        return False
    if place.start is None or place.end is None:
        return True
    return shared(sentence, Unit(place.document, place.start, place.end)) > 0


def within(place: Judged, text: Text) -> Unit:
    """Return a judged place with its offsets, those of the whole document if it has none."""
    if place.start is None or place.end is None:
        return Unit(place.document, 0, len(text.text))
    return Unit(place.document, place.start, place.end)
