"""What people ask about: a place each that nobody else asks about, and parcels that come and go."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]  # a JSON object

__all__ = [
    "Json",
    "Place",
    "example_questions",
    "parcel_document",
    "parcel_question",
    "places",
    "write_documents",
]

ROOT = Path(__file__).resolve().parents[2]

_FIRST = ("Vel", "Tar", "Quin", "Bros", "Hal", "Mer", "Dun", "Fip", "Gor", "Lys", "Wex", "Zan")
_LAST = ("mora", "rick", "dell", "bury", "ghast", "stone", "vik", "pole", "combe", "ness")
_KINDS = ("lighthouse", "mill", "bridge", "tower", "observatory", "brewery", "chapel", "ferry")
_NAMES = ("Ada", "Bruno", "Clara", "Dietmar", "Edith", "Fergus", "Greta", "Hamish", "Ines", "Jonas")
_FAMILIES = ("Brennock", "Castellan", "Dorring", "Eversby", "Fallowman", "Grimsley", "Hartnoll")
_COLOURS = ("green", "crimson", "black", "white", "yellow", "blue", "orange", "purple")


@dataclass(frozen=True, slots=True)
class Place:
    """Something that one person asks about; its facts are true for nothing else.

    Attributes:
        name: One word that no other document has.
        path: Of its document, below the folder of documents.
        text: Of its document.
        first: A question that stands by itself, and the words of its answer.
        follow_ups: Questions that mean this place only after `first`, with their answers.
    """

    name: str
    path: str
    text: str
    first: tuple[str, str]
    follow_ups: tuple[tuple[str, str], ...]


def places(number: int) -> list[Place]:
    """Return `number` places, always the same."""
    pairs = [(first, last) for last in _LAST for first in _FIRST]
    if number > len(pairs):
        raise ValueError(f"there are names for {len(pairs)} people, not for {number}")
    random.Random(1).shuffle(pairs)
    return [_place(at, first + last) for at, (first, last) in enumerate(pairs[:number])]


def _place(at: int, name: str) -> Place:
    kind = _KINDS[at % len(_KINDS)]
    keeper = f"{_NAMES[at % len(_NAMES)]} {_FAMILIES[at // 3 % len(_FAMILIES)]}"
    built, steps = 1700 + 2 * at, 1_000 + 7 * at
    colour = _COLOURS[at * 3 % len(_COLOURS)]
    whole = f"{name} {kind}"
    text = (
        f"# The {whole}\n\n"
        f"The keeper of the {whole} is {keeper}.\n\n"
        f"The {whole} was built in {built}.\n\n"
        f"The {whole} has {steps} steps.\n\n"
        f"The door of the {whole} is painted {colour}.\n"
    )
    return Place(
        name=name,
        path=f"places/{name.lower()}.md",
        text=text,
        first=(f"Who is the keeper of the {whole}?", keeper),
        follow_ups=(
            ("When was it built?", f"built in {built}"),
            ("How many steps does it have?", f"{steps} steps"),
            ("What colour is its door?", f"painted {colour}"),
        ),
    )


def parcel_document(name: str, locker: str) -> str:
    """Return a document that says where a parcel is: what comes and goes while people ask."""
    return f"The parcel for {name} is kept in locker {locker}.\n"


def parcel_question(name: str) -> str:
    """Return the question that such a document answers."""
    return f"In which locker is the parcel for {name} kept?"


def write_documents(folder: Path, people: int) -> None:
    """Make a folder with the example documents, and one about the place of each person."""
    shutil.copytree(ROOT / "examples/documents", folder)
    for place in places(people):
        file = folder / place.path
        file.parent.mkdir(exist_ok=True)
        file.write_text(place.text, encoding="utf-8")


def example_questions() -> list[str]:
    """Return the questions about the examples that stand by themselves."""
    lines = (ROOT / "examples/questions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [row["question"] for row in rows if row["answerable"] and not row["history"]]
