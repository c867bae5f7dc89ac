"""What the tests of the index share: a tiny encoder, files, and what a library says."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index import Library
from index.store import FILE
from qa import Retriever

if TYPE_CHECKING:
    from index.types import Vectors

DIM = 64


@lru_cache(maxsize=100_000)
def _direction(word: str) -> Vectors:
    data = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=DIM).digest()
    return np.frombuffer(data, np.uint8).astype(np.float32) - 127.5


class HashEncoder:
    """A real encoder without a network: texts with common words have near vectors.

    A text has the same vector in every batch, so libraries can be compared to the last bit.
    """

    def __init__(self, name: str = "hashed words") -> None:
        self._name = name
        self.encoded: list[str] = []

    @property
    def name(self) -> str:
        """What the library records."""
        return self._name

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return DIM

    @property
    def fingerprint(self) -> str:
        """Another name is another model."""
        return f"hash of {self._name}"

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Return one row a text, of length 1."""
        self.encoded += texts
        return np.stack([self.encode_query(text) for text in texts])

    def encode_query(self, text: str) -> Vectors:
        """Return the sum of the directions of the words, scaled to length 1."""
        words = text.casefold().split() or [""]
        total = np.sum([_direction(f"{self._name} {word.strip('.,?!')}") for word in words], axis=0)
        return np.asarray(total / np.linalg.norm(total), np.float32)


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below `folder` and return it."""
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return folder


def new_library(path: Path | str, *sources: Path) -> Library:
    """Return a new library of `sources`."""
    library = Library.open(path, create=True, encoder=HashEncoder())
    for source in sources:
        library.sync(source)
    return library


def lived_in(top: Path) -> Path:
    """Return a closed library in `top`: a source of each kind, dead rows, derived files."""
    folder = write(top / "house", HOUSE)
    write(top, {"keys.txt": "Spare keys are kept in the safe."})
    with new_library(top / "house.quoth", folder) as library:
        library.add("Bicycles stand in the cellar.", name="bicycles", title="Bicycles")
        library.add(top / "keys.txt")
        write(folder, {"garden.md": HOUSE["garden.md"].replace("nine", "ten"), "bad.xyz": "?"})
        library.sync(folder)
        library.remove("minutes/2023.txt")
    return top / "house.quoth"


def sql(path: Path, *statements: str) -> None:
    """Change the store of a library past Quoth; each statement must change something."""
    with closing(sqlite3.connect(path / FILE)) as db, db:
        for statement in statements:
            assert db.execute(statement).rowcount != 0


def stored(library: Library) -> list[tuple[object, ...]]:
    """Return all that a library holds, without the numbers that its history gave."""
    found: list[tuple[object, ...]] = []
    with library.searching() as searcher:
        for number, info in searcher.documents.items():
            content = searcher.content(number)
            rows = [
                (
                    (row.start, row.end, row.headings, row.context, row.terms, row.page),
                    [(s.start, s.end, s.kind, s.context) for s in row.sentences],
                )
                for row in searcher.passages_of(number)
            ]
            found.append((info.path, info.title, info.date, info.type, content, rows))
    return found


def answers(library: Library, questions: Sequence[str]) -> list[list[tuple[object, ...]]]:
    """Return what is retrieved for each question: order, places, scores and reasons."""
    retriever = Retriever(library)
    return [
        [
            (
                passage.citation.path,
                passage.start,
                passage.end,
                passage.text,
                passage.score,
                passage.sentences,
                passage.matched,
                [(c.path, c.start, c.end) for c in passage.also_at],
            )
            for passage in retriever.retrieve(question, k=8)
        ]
        for question in questions
    ]


def sentences(library: Library) -> Iterator[tuple[int, int, int]]:
    """Yield document, start and end of every stored sentence."""
    with library.searching() as searcher:
        for number in searcher.documents:
            for row in searcher.passages_of(number):
                for sentence in row.sentences:
                    yield number, sentence.start, sentence.end


HOUSE: dict[str, str] = {
    "lift.txt": (
        "The lift is inspected every twelve months by an engineer from outside.\n\n"
        "The caretaker keeps the inspection book in the office on the ground floor."
    ),
    "garden.md": (
        "# Garden rules\n\nDogs are kept on a lead in the garden.\n\n"
        "## Watering\n\n- Beds are watered before nine in the morning.\n- The hose is rolled up.\n"
    ),
    "minutes/2023.txt": (
        "Minutes of the meeting.\n\nThe owners agreed to paint the stairwell in May 2023.\n\n"
        "Error E-4304 of the heating was repaired."
    ),
    "minutes/2024.txt": (
        "Minutes of the meeting.\n\nThe owners agreed to replace the boiler in June 2024.\n\n"
        "The costs were 12,400 pounds."
    ),
}
QUESTIONS = (
    "How often is the lift inspected?",
    "Who keeps the inspection book?",
    "When are the beds watered?",
    "What did the owners agree?",
    "E-4304",
    '"agreed to replace"',
    "Is there a swimming pool?",
)
