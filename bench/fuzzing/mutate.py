"""Sound files made bad: in their bytes, in the words of their format, and inside their wrapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bench.fuzzing.changes import CHANGES, MOST, TEXT_CHANGES
from bench.fuzzing.inside import INSIDE
from bench.fuzzing.seeds import Seed

__all__ = ["Mutant", "mutant"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A bad file: its format by suffix, and how it was made."""

    format: str
    suffix: str
    data: bytes
    made_by: str


def mutant(seeds: Sequence[Seed], number: int, seed: int) -> Mutant:
    """Return mutant `number`; the same numbers and seeds give the same bytes.

    Formats take turns, so that each gets the same share.
    """
    random = Random(f"{seed}:{number}")
    forms = sorted({each.format for each in seeds})
    form = forms[number % len(forms)]
    base = random.choice([each for each in seeds if each.format == form])
    inside = INSIDE.get(form)
    if inside is not None and random.random() < 0.6:
        data, how = inside(base.data, random), "inside"
    else:
        data, how = base.data, "bytes"
    if how == "bytes" or random.random() < 0.1:
        other = random.choice(seeds).data
        for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
            change = random.choice(CHANGES if form in ("pdf", "docx") else TEXT_CHANGES)
            data = change(data, other, form, random)[:MOST]
            how += f" {change.__name__}"
    suffix, target = base.suffix, form
    if random.random() < 0.03:  # another suffix than what is in it
        wrong = random.choice(seeds)
        suffix, target, how = wrong.suffix, wrong.format, f"{how} named"
    return Mutant(target, suffix, data or b"\0", f"{form}: {how}")
