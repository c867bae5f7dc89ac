"""Scenarios of a library's life, each a few operations one after another: what is interrupted."""

from __future__ import annotations

import io
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from small import HOUSE, HashEncoder, write

from bench.faults.workload import (
    Operation,
    Run,
    Scenario,
    answer_state,
    chat_state,
    library_state,
)
from index.errors import FormatError
from index.files import settle
from index.store import FILE
from qa.chats.store import StoredTurn
from qa.web.uploads import Uploads

__all__ = ["OLD", "SCENARIOS", "lived_in", "said"]

FIRST_RELEASE = Path(__file__).parents[2] / "tests" / "index" / "data" / "first-release.zip"

OLD = {f"{n}.txt": f"Lift {n} is inspected in week {n}.\n\nDogs bark at {n}." for n in range(12)}
NEW = {f"new/{n}.txt": f"Bed {n} is watered at {n}.\n\nThe hose of {n}." for n in range(8)}
CHANGED = {"3.txt": "Lift 3 was taken out.", "4.txt": "Lift 4 was painted."}
TABLE = {"keys.csv": "Who,Key\nCaretaker,cellar\nOwners,gate\n"}


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


def _house(run: Run) -> None:
    write(run.docs, HOUSE)
    run.library.sync(run.docs)
    write(run.docs, {"lift.txt": "The lift is inspected every six months.", **TABLE})
    (run.docs / "garden.md").unlink()


def _older(run: Run) -> None:
    """Take a library of the first release; its folder is here now."""
    with ZipFile(FIRST_RELEASE) as packed:
        packed.extractall(run.docs.with_name("release"))
    release = run.docs.with_name("release")
    shutil.move(release / "house.quoth", run.path)
    shutil.copytree(release / "house", run.docs, dirs_exist_ok=True)
    run.path.chmod(0o700)
    settle(run.path)
    with closing(sqlite3.connect(run.path / FILE)) as db, db:
        db.execute("UPDATE sources SET location = ? WHERE kind = 'folder'", (str(run.docs),))


# -- what happens --------------------------------------------------------------------------------


def _sync(run: Run) -> None:
    run.library.sync(run.docs, yes=True)


def _text(name: str, text: str) -> Operation:
    return lambda run: run.library.add(text, name=name)


def _upload(path: str, name: str | None = None) -> Operation:
    return lambda run: run.library.add(run.docs.with_name("sent") / path, name=name)


def _send(files: Mapping[str, str]) -> Operation:
    """Return what the server does with files that are sent, before it answers 202."""

    def send(run: Run) -> None:
        uploads = Uploads(run.library)
        for path, text in files.items():
            uploads.save("batch-of-files", path, io.BytesIO(text.encode()))
        uploads.accept("batch-of-files")

    return send


def _take_in(run: Run) -> None:
    """Do what the server does with what it has accepted, also before it was interrupted."""
    uploads = Uploads(run.library)
    for name in uploads.accepted():
        with uploads.at_hand(name) as incoming:
            report = run.library.take_in(incoming)
        if report.skipped:  # told to whoever sent it
            raise FormatError(report.skipped[0].reason + ".")
        uploads.done(name)


def _waiting(run: Run) -> tuple[Any, ...]:
    """Return what a library holds, and what was accepted and is not in it yet."""
    library = run.library
    known = {info.path: library.text(info.id) for info in library.documents()}
    waiting = {}
    for file in sorted(
        (library.uploads / ".accepted").glob("*/**/[!.]*")
    ):  # without parts of files
        name = Path(*file.relative_to(library.uploads).parts[2:]).as_posix()
        if file.is_file() and file.read_text() != known.get(name):
            waiting[name] = file.read_text()
    return library_state(run), waiting


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
        Scenario("first sync", _nothing, (_sync,), library_state),
        Scenario("changes", _changed, (_sync,), library_state),
        Scenario(
            "texts",
            _synced,
            (_text("gate", "The gate is closed at ten."), _text("gate", "The gate stays open.")),
            library_state,
        ),
        Scenario(
            "uploads",
            _with_uploads,
            (_upload("plan.txt", "third.txt"), _upload("again/plan.txt"), _remove("more.txt")),
            library_state,
        ),
        Scenario("batch", _with_uploads, (_send(_BATCH), _take_in), _waiting, anew=False),
        Scenario(
            "removal", _with_dead, (_remove("7.txt"), _dismiss, _remove_folder), library_state
        ),
        Scenario("compact", _with_dead, (_compact,), library_state),
        Scenario("rebuild", _with_dead, (_rebuild,), library_state),
        Scenario("model", _with_dead, (_other_model,), library_state),
        Scenario("real model", _house, (_sync, _compact), answer_state, real=True),
        Scenario("migration", _older, (_sync, _compact), answer_state, anew=False, real=True),
        Scenario(
            "chats",
            _with_chats,
            (said, _say_instead, _judge, _name, _forget),
            chat_state,
            anew=False,
        ),
    )
}
