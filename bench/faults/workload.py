"""What is interrupted: scenarios of a library's life, each a few operations one after another.

A scenario begins with a library that is made once and copied for every run. Its operations are
what users do; after each the library is in a state that is known from an undisturbed run.
"""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from small import QUESTIONS, HashEncoder, answers, stored, write

from index import Library, ingest, vectors
from index.errors import LibraryError, ModelMismatchError
from qa.chats import Chats
from qa.chats.store import StoredTurn
from qa.web.uploads import Uploads

__all__ = [
    "ASKED",
    "LIBRARY",
    "SCENARIOS",
    "Run",
    "Scenario",
    "chat_state",
    "fresh",
    "lived_in",
    "make_small",
    "observed",
    "said",
]

LIBRARY = "docs.quoth"
ASKED = (*QUESTIONS[:1], QUESTIONS[4], "Where is bed 7?", "dogs of week 3", "Who has the key?")

OLD = {f"{n}.txt": f"Lift {n} is inspected in week {n}.\n\nDogs bark at {n}." for n in range(12)}
NEW = {f"new/{n}.txt": f"Bed {n} is watered at {n}.\n\nThe hose of {n}." for n in range(8)}
CHANGED = {"3.txt": "Lift 3 was taken out.", "4.txt": "Lift 4 was painted."}
TABLE = {"keys.csv": "Who,Key\nCaretaker,cellar\nOwners,gate\n"}


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


def observed(scenario: Scenario, run: Run) -> str:
    """Return a hash of all that the scenario can see of a library."""
    return hashlib.sha256(repr(scenario.observe(run)).encode()).hexdigest()[:16]


def fresh(scenario: Scenario, run: Run) -> str:
    """Return what is observed of a new library that is given what this one holds."""
    if scenario.observe is not _library_state:
        return observed(scenario, run)
    library = run.library
    other = Run(run.world.with_name("fresh"), run.docs, HashEncoder(run.encoder.name))
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


def _library_state(run: Run) -> tuple[Any, ...]:
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


def chat_state(run: Run) -> list[Any]:
    """Return what conversations there are, with all that was said."""
    chats = run.chats
    found = sorted(chats.conversations("me"), key=lambda c: c.id)
    return [
        (c.id, c.title, [(t.question, t.answer, t.feedback) for t in chats.turns(c.id)])
        for c in found
    ]


# -- libraries to begin with ---------------------------------------------------------------------


def _nothing(run: Run) -> None:
    write(run.docs, OLD | TABLE)


def _synced(run: Run) -> None:
    write(run.docs, OLD)
    run.library.sync(run.docs)


def _changed(run: Run) -> None:
    _synced(run)
    write(run.docs, NEW | CHANGED | TABLE | {"unknown.xyz": "?"})
    (run.docs / "5.txt").unlink()
    (run.docs / "6.txt").rename(run.docs / "six.txt")


def _with_dead(run: Run) -> None:
    _changed(run)
    run.library.sync(run.docs)
    run.library.add("The gate is closed at ten.", name="gate")


def _with_uploads(run: Run) -> None:
    _synced(run)
    files = {"plan.txt": "The plan of the cellar.", "more.txt": "More about the roof."}
    write(run.docs.with_name("sent"), files | {"again/plan.txt": "The plan of the attic, at last."})
    for name in files:
        run.library.add(run.docs.with_name("sent") / name)


def _with_chats(run: Run) -> None:
    _synced(run)
    for number in range(3):
        run.chats.append("me", "first", _turn(number))


def lived_in(run: Run) -> None:
    """Make a library with everything in it: dead documents, uploads, texts, conversations."""
    _with_uploads(run)
    write(run.docs, NEW | CHANGED | TABLE | {"unknown.xyz": "?"})
    (run.docs / "5.txt").unlink()
    run.library.sync(run.docs)
    run.library.add("The gate is closed at ten.", name="gate")
    run.chats.append("me", "first", _turn(1))


# -- what happens --------------------------------------------------------------------------------


def _sync(run: Run) -> None:
    run.library.sync(run.docs, yes=True)


def _text(name: str, text: str) -> Operation:
    return lambda run: run.library.add(text, name=name)


def _upload(path: str, name: str | None = None) -> Operation:
    return lambda run: run.library.add(run.docs.with_name("sent") / path, name=name)


def _batch(files: Mapping[str, str]) -> Operation:
    """Return what the server does with files that are sent."""

    def take_in(run: Run) -> None:
        uploads = Uploads(run.library)
        for path, text in files.items():
            uploads.save("batch-of-files", path, io.BytesIO(text.encode()))
        run.library.take_in(uploads.incoming("batch-of-files"))
        uploads.forget("batch-of-files")

    return take_in


def _remove(what: str) -> Operation:
    return lambda run: run.library.remove(what)


def _remove_folder(run: Run) -> None:
    run.library.remove(run.docs)


def _dismiss(run: Run) -> None:
    run.library.dismiss(run.library.failures())


def _compact(run: Run) -> None:
    run.library.compact()


def _rebuild(run: Run) -> None:
    run.library.rebuild()


def _other_model(run: Run) -> None:
    run.library.rebuild(encoder=HashEncoder("other"))
    run.encoder = HashEncoder("other")


def _turn(number: int) -> StoredTurn:
    return StoredTurn(question=f"What is {number}?", answer={"quotes": [[number, 0, 9]] * 40})


def said(run: Run) -> None:
    """Begin another conversation."""
    run.chats.append("me", "second", _turn(7))


def _say_instead(run: Run) -> None:
    turns = run.chats.turns("first")
    run.chats.append("me", "first", _turn(8), instead_of=turns[1].id)


def _judge(run: Run) -> None:
    run.chats.set_feedback("me", "first", run.chats.turns("first")[0].id, "good")


def _name(run: Run) -> None:
    run.chats.rename("me", "second", "About seven")


def _forget(run: Run) -> None:
    run.chats.delete("me", "first")


_BATCH = {"plan.txt": "The plan of the loft, drawn anew.", "below/roof.txt": "The roof was mended."}

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario("first sync", _nothing, (_sync,), _library_state),
        Scenario("changes", _changed, (_sync,), _library_state),
        Scenario(
            "texts",
            _synced,
            (_text("gate", "The gate is closed at ten."), _text("gate", "The gate stays open.")),
            _library_state,
        ),
        Scenario(
            "uploads",
            _with_uploads,
            (_upload("plan.txt", "third.txt"), _upload("again/plan.txt"), _remove("more.txt")),
            _library_state,
        ),
        Scenario("batch", _with_uploads, (_batch(_BATCH),), _library_state),
        Scenario(
            "removal", _with_dead, (_remove("7.txt"), _dismiss, _remove_folder), _library_state
        ),
        Scenario("compact", _with_dead, (_compact,), _library_state),
        Scenario("rebuild", _with_dead, (_rebuild,), _library_state),
        Scenario("model", _with_dead, (_other_model,), _library_state),
        Scenario("chats", _with_chats, (said, _say_instead, _judge, _name, _forget), chat_state),
    )
}
