"""A library that is interrupted: where it is, and what is seen of it.

A scenario begins with a library that is made once and copied for every run. Its operations are
what users do; after each the library is in a state that is known from an undisturbed run.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from small import QUESTIONS, HashEncoder, answers, stored

from index import Library, ingest, vectors
from index.errors import LibraryError, ModelMismatchError
from qa import Chat
from qa.chats import Chats

if TYPE_CHECKING:
    from index.types import Encoder, Vectors

__all__ = [
    "ASKED",
    "LIBRARY",
    "Operation",
    "Run",
    "Scenario",
    "answer_state",
    "chat_state",
    "fresh",
    "library_state",
    "loaded_model",
    "make_small",
    "observed",
]

LIBRARY = "docs.quoth"
ASKED = (*QUESTIONS[:1], QUESTIONS[4], "Where is bed 7?", "dogs of week 3", "Who has the key?")


class RealEncoder(HashEncoder):
    """The default model; like the small one it notes what it encodes."""

    def __init__(self) -> None:
        super().__init__()
        self._real = loaded_model()

    @property
    def name(self) -> str:
        """What the library records."""
        return self._real.name

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._real.dim

    @property
    def fingerprint(self) -> str:
        """Of the model's files."""
        return self._real.fingerprint

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Return one row a text, of length 1."""
        self.encoded += texts
        return self._real.encode_documents(texts)

    def encode_query(self, text: str) -> Vectors:
        """Return the vector of a question."""
        return self._real.encode_query(text)


@lru_cache(maxsize=1)
def loaded_model() -> Encoder:
    """Return the default model; loaded before a process is forked, its children share it."""
    from index.encoder import load_encoder
    from qa.reader import load_reader

    load_reader()
    return load_encoder()


def make_small() -> None:
    """Let every mechanism happen several times with little text."""
    ingest.STAGE, ingest.BATCH, vectors.SMALLEST_BASE = 4, 10, 30


@dataclass(slots=True)
class Run:
    """A library in `world`, the documents beside it, and the encoder that was asked.

    `world` is what is watched, torn and compared: the library's folder and the one around it.
    """

    world: Path
    docs: Path
    encoder: HashEncoder = field(default_factory=HashEncoder)
    _library: Library | None = None
    _chats: Chats | None = None

    @property
    def path(self) -> Path:
        """The library's folder."""
        return self.world / LIBRARY

    @property
    def library(self) -> Library:
        """The library, opened when it is first needed and made where it is missing."""
        if self._library is None:
            try:
                self._library = Library.open(self.path, create=True, encoder=self.encoder)
            except ModelMismatchError:  # a change of model has happened
                self.encoder = HashEncoder("other")
                self._library = Library.open(self.path, encoder=self.encoder)
        return self._library

    @property
    def chats(self) -> Chats:
        """The conversations; an error where they would be forgotten: the server only logs it."""
        if self._chats is None:
            chats = Chats.open(self.path)
            if not chats.persistent:
                chats.close()
                raise LibraryError("The conversations are kept in memory only.")
            self._chats = chats
        return self._chats

    def close(self) -> None:
        """Close it in good order."""
        if self._library is not None:
            self._library.close()
        if self._chats is not None:
            self._chats.close()
        self._library = self._chats = None


Operation = Callable[[Run], object]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A name, how the library and the documents are made, and what then happens."""

    name: str
    prepare: Callable[[Run], None]
    operations: tuple[Operation, ...]
    observe: Callable[[Run], Any]
    anew: bool = True  # whether a new library of the same documents is the same
    real: bool = False  # whether the default model embeds and the reader reads

    def run(self, world: Path, docs: Path) -> Run:
        """Return a run of it in a folder."""
        return Run(world, docs, RealEncoder() if self.real else HashEncoder())


def observed(scenario: Scenario, run: Run) -> str:
    """Return a hash of all that the scenario can see of a library."""
    return hashlib.sha256(repr(scenario.observe(run)).encode()).hexdigest()[:16]


def fresh(scenario: Scenario, run: Run) -> str:
    """Return what is observed of a new library that is given what this one holds."""
    if not scenario.anew:
        return observed(scenario, run)
    library = run.library
    other = scenario.run(run.world.with_name("fresh"), run.docs)
    if not scenario.real:
        other.encoder = HashEncoder(run.encoder.name)
    other.world.mkdir()
    for source in library.sources():
        documents = [info for info in library.documents() if info.source == source.id]
        if source.kind == "folder" and documents:
            other.library.sync(run.docs)
            kept = {info.path for info in documents}
            gone = [i.id for i in other.library.documents() if i.path not in kept]
            if gone:
                other.library.remove(*gone)
        elif source.kind == "text":
            other.library.add_texts((i.path, library.text(i.id), None, None) for i in documents)
    if library.uploads.is_dir():
        shutil.copytree(library.uploads, other.library.uploads)
        other.library.sync(other.library.uploads)
    if not library.failures():
        other.library.dismiss(other.library.failures())
    return observed(scenario, other)


def library_state(run: Run) -> tuple[Any, ...]:
    """Return all that a library holds and retrieves, and the bytes of its uploads."""
    library = run.library
    uploads = library.uploads
    kept = {info.path for info in library.documents() if info.file and uploads in info.file.parents}
    return (
        stored(library),
        answers(library, ASKED),
        [(failure.path, failure.reason) for failure in library.failures()],
        [(source.kind, source.documents) for source in library.sources() if source.documents],
        library.status().model,
        {path: (uploads / path).read_bytes() for path in sorted(kept)},
    )


def answer_state(run: Run) -> tuple[Any, ...]:
    """Return what a person is shown: the quotes in their order, and how sure they are."""
    chat = Chat(run.library)
    answers = [chat.ask(question) for question in ASKED[:3]]
    return (
        stored(run.library),
        [[(q.text, q.citation.path, q.citation.start) for q in a.quotes] for a in answers],
        [a.confidence for a in answers],
    )


def chat_state(run: Run) -> list[Any]:
    """Return what conversations there are, with all that was said."""
    chats = run.chats
    found = sorted(chats.conversations("me"), key=lambda c: c.id)
    return [
        (c.id, c.title, [(t.question, t.answer, t.feedback) for t in chats.turns(c.id)])
        for c in found
    ]
