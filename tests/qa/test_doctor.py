"""The doctor tells what is wrong and what to do, and comes to an end whatever is damaged."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small import HOUSE, HashEncoder, new_library, write

from index import Library
from index.export import EXPORT
from index.lock import writer_lock
from index.types import Encoder
from index.upkeep.check import Finding, Severity
from index.weights import default_model, fingerprint
from qa import doctor, installation, reader
from qa.chats import Chats, StoredTurn
from qa.doctor import Diagnosis, examine
from qa.offline import Attempt, Watched


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """A closed library with the real model, an upload and a conversation, and its folder."""
    top = tmp_path_factory.mktemp("doctor")
    folder = write(top / "house", HOUSE)
    with Library.open(top / "house.quoth", create=True, encoder=encoder) as library:
        library.sync(folder)
        library.add(write(top, {"marmots.txt": "Marmots whistle."}) / "marmots.txt")
    chats = Chats.open(top / "house.quoth")
    chats.append("ann", "c" * 20, StoredTurn(question="Who?", answer={"n": 1}))
    chats.close()
    return top


@pytest.fixture
def house(made: Path, tmp_path: Path) -> Path:
    """A copy of it with a folder of its own; the library in it."""
    shutil.copytree(made, tmp_path / "top")
    path = tmp_path / "top" / "house.quoth"
    with Library.open(path) as library:
        library.relocate({made / "house": tmp_path / "top" / "house"})
        library.sync(tmp_path / "top" / "house")
    return path


def wrong(diagnosis: Diagnosis) -> list[Finding]:
    return [found for found in diagnosis.findings if found.severity is not Severity.NOTICE]


def messages(diagnosis: Diagnosis) -> list[str]:
    return [found.message for found in diagnosis.findings]


def facts(diagnosis: Diagnosis) -> dict[str, str]:
    return dict(diagnosis.facts)


def test_a_sound_library_is_in_order(house: Path) -> None:
    before = {p: p.read_bytes() for p in house.rglob("*") if p.is_file() and "-" not in p.name}
    diagnosis = examine(house)
    assert messages(diagnosis) == []
    assert diagnosis.wrong == 0
    told = facts(diagnosis)
    assert told["library"] == str(house)
    assert told["model"].endswith("its weights are the published ones")
    assert told["built with"].startswith("all-MiniLM-L6-v2 (")
    assert "5 documents" in told["checked"]
    assert "onnxruntime" in told["packages"]
    assert {p: p.read_bytes() for p in before} == before


def test_without_a_library_the_installation_is_looked_at() -> None:
    diagnosis = examine(None)
    assert messages(diagnosis) == []
    assert {"quoth", "runs on", "packages", "model", "reader", "cache"} <= facts(diagnosis).keys()


# -- what is found ---------------------------------------------------------------------------------


def test_a_source_that_is_not_there_is_found(house: Path) -> None:
    os.rename(house.with_name("house"), house.with_name("home"))
    (found,) = wrong(examine(house))
    assert found.message == f"{house.with_name('house')} is not there (4 documents)."
    assert "`quoth relocate`" in found.advice


def test_files_that_changed_or_are_gone_are_found(house: Path) -> None:
    folder = house.with_name("house")
    write(folder, {"lift.txt": "Another text."})
    (folder / "garden.md").unlink()
    assert [found.message for found in wrong(examine(house))] == [
        "Files have changed since they were indexed: lift.txt.",
        "Files are gone: garden.md.",
    ]


def test_files_that_could_not_be_read_are_a_note(house: Path) -> None:
    folder = write(house.with_name("house"), {f"{n}.txt": "" for n in range(7)})
    with Library.open(house) as library:
        library.sync(folder)
    diagnosis = examine(house)
    assert diagnosis.wrong == 0
    (note,) = messages(diagnosis)
    assert note.startswith("Files that could not be read at the last sync: 0.txt (empty file), ")
    assert note.endswith("4.txt (empty file) and 2 more.")


def test_who_holds_the_lock_is_told(house: Path) -> None:
    with writer_lock(house):
        diagnosis = examine(house)
    (note,) = messages(diagnosis)
    assert note.startswith(f"The library is being changed by process {os.getpid()} on ")
    assert diagnosis.wrong == 0
    assert messages(examine(house)) == []


def test_a_lock_whose_holder_was_killed_is_nobodys(house: Path) -> None:
    write(house, {"writer.json": '{"pid": 1, "host": "there", "since": "10:00:00"}'})
    assert not [told for told in messages(examine(house)) if "is being changed" in told]


def test_damaged_conversations_are_found_and_mended(house: Path) -> None:
    with closing(sqlite3.connect(house / "chats.db")) as db, db:
        db.execute("UPDATE turns SET answer = '{}'")
    (found,) = wrong(examine(house))
    assert found.message == "Turn 1 of a conversation is not what was kept."
    diagnosis = examine(house, repair=True)
    assert "Damaged answers in conversations were given up: 1." in diagnosis.done
    assert diagnosis.wrong == 0


def test_conversations_set_aside_are_a_note(house: Path) -> None:
    write(house, {"chats.db": b"no database " * 999})
    assert len(wrong(examine(house))) == 1
    diagnosis = examine(house, repair=True)
    assert diagnosis.wrong == 0
    assert "The file of conversations is kept under another name and a new one begun." in (
        diagnosis.done
    )
    assert any("were set aside" in told for told in messages(diagnosis))


def test_damaged_indexes_are_made_anew_by_a_repair(house: Path) -> None:
    (words,) = house.glob("words-*")
    shutil.rmtree(words)
    assert examine(house).wrong
    diagnosis = examine(house, repair=True)
    assert diagnosis.done
    assert messages(diagnosis) == []


def test_a_forged_sentence_is_found(house: Path) -> None:
    with closing(sqlite3.connect(house / "store.db")) as db, db:
        db.execute("UPDATE documents SET title = 'Forged' WHERE path = 'lift.txt'")
    assert any("lift.txt" in f"{found.where} {found.message}" for found in wrong(examine(house)))


def test_a_model_that_is_missing_is_found(tmp_path: Path) -> None:
    new_library(tmp_path / "h.quoth", write(tmp_path / "house", HOUSE)).close()
    (found,) = wrong(examine(tmp_path / "h.quoth"))
    assert found.message.startswith("The model of the library cannot be loaded: ")
    assert "`quoth rebuild --model all-MiniLM-L6-v2`" in found.advice


def test_an_altered_reader_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "FILE", write(tmp_path, {"r": b"?"}) / "r")
    (found,) = wrong(examine(None))
    assert found.message == f"The reader in {tmp_path / 'r'} is not the one that ships."
    (tmp_path / "r").unlink()
    (found,) = wrong(examine(None))
    assert "cannot be read (No such file or directory)" in found.message


def test_a_damaged_export_of_the_model_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTH_CACHE", str(tmp_path))
    assert facts(examine(None))["runtime"].startswith("not made ready yet")
    identity = fingerprint(default_model())
    folder = tmp_path / "models" / f"{identity[:32]}-{EXPORT}"
    write(folder, {"lean.json": '{"files": {"model.onnx": "0"}}', "model.onnx": "?"})
    (found,) = wrong(examine(None))
    assert found.message.endswith("in the cache is damaged (model.onnx).")
    write(folder, {"lean.json": "[]"})
    (found,) = wrong(examine(None))
    assert found.message.endswith("in the cache is damaged (lean.json).")


def test_a_cache_that_cannot_be_made_and_wrong_settings_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"file": "no folder"})
    monkeypatch.setenv("QUOTH_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setenv("QUOTH_THREADS", "many")
    found = {each.kind: each.message for each in wrong(examine(None))}
    assert found["cache"].endswith("cannot be written to.")
    assert found["installation"].startswith("QUOTH_THREADS is 'many'")
    monkeypatch.delenv("QUOTH_THREADS")
    monkeypatch.setenv("QUOTH_PRECISION", "double")
    found = {each.kind: each.message for each in wrong(examine(None))}
    assert found["installation"].startswith("QUOTH_PRECISION is 'double'")


def test_a_package_that_is_missing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "_required", lambda: ["numpy", "no-such-package-here"])
    (found,) = wrong(examine(None))
    assert found.message == "The package no-such-package-here is missing."


def test_a_disk_that_is_nearly_full_is_found(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(house)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
    (found,) = wrong(examine(house))
    assert found.message == "Only 1.0 MB are free on the disk of the library."


# -- the way out -----------------------------------------------------------------------------------


def seen(**fields: object) -> Watched:
    whole: dict[str, object] = {
        "by": "kernel",
        "why": "",
        "attempts": (),
        "status": 0,
        "output": '{"synced": 4, "asked": 4}\n',
        "errors": "",
    }
    return Watched(**(whole | fields))  # type: ignore[arg-type]


@pytest.mark.slow
def test_that_nothing_leaves_the_machine_is_shown(house: Path) -> None:
    diagnosis = examine(house, offline=True)
    assert messages(diagnosis) == []
    assert facts(diagnosis)["offline"].startswith(
        "no network socket was opened: 4 files synced, 4 questions asked, 3 more of this library; "
    )


def test_what_tried_to_leave_the_machine_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = (Attempt("python (7)", "socket AF_INET"),) * 3
    monkeypatch.setattr(doctor, "watched", lambda *given: seen(attempts=tried))
    diagnosis = examine(None, offline=True)
    (found,) = wrong(diagnosis)
    assert found.message == (
        "A way out of this machine was tried, and refused: socket AF_INET by python (7)."
    )
    assert "offline" not in facts(diagnosis)


def test_a_rehearsal_that_failed_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "watched", lambda *given: seen(output="", errors="bad\nworse\n"))
    diagnosis = examine(None, offline=True)
    (found,) = wrong(diagnosis)
    assert found.message.endswith("it ended with status 0 (worse)")
    assert "offline" not in facts(diagnosis)


def test_that_only_python_was_watched_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "watched", lambda *given: seen(by="python", why="no such thing"))
    assert facts(examine(None, offline=True))["offline"].endswith(
        "only Python code was watched, because the kernel could not (no such thing)"
    )


# -- whatever is there -----------------------------------------------------------------------------


def test_what_is_no_library_is_told(tmp_path: Path) -> None:
    (found,) = wrong(examine(tmp_path / "none.quoth"))
    assert found.message == f"There is no library at {tmp_path / 'none.quoth'}."
    for path in (tmp_path, write(tmp_path, {"file": "?"}) / "file", Path(os.devnull)):
        assert wrong(examine(path))
        assert wrong(examine(path, repair=True))
    assert [path.name for path in tmp_path.rglob("*")] == ["file"]


def _as_nobody(path: Path, results: multiprocessing.Queue[list[str]]) -> None:
    os.setgid(65534)
    os.setuid(65534)
    results.put([found.message for found in wrong(examine(path)) if found.where == str(path)])


def test_a_library_that_may_not_be_read_is_told(house: Path) -> None:
    if os.geteuid() != 0:
        os.chmod(house, 0)
        told = [found.message for found in wrong(examine(house)) if found.where == str(house)]
        os.chmod(house, 0o700)
    else:
        for above in house.parents[:-2]:
            os.chmod(above, 0o755)
        os.chmod(house, 0o700)
        context = multiprocessing.get_context("fork")
        results = context.Queue()
        process = context.Process(target=_as_nobody, args=(house, results))
        process.start()
        told = results.get(timeout=120)
        process.join()
    assert told == [f"{house} cannot be looked into: Permission denied."]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed library with the tiny encoder, to be damaged."""
    top = tmp_path_factory.mktemp("tiny")
    new_library(top / "h.quoth", write(top / "house", HOUSE)).close()
    chats = Chats.open(top / "h.quoth")
    chats.append("ann", "c" * 20, StoredTurn(question="Who?", answer={"n": 1}))
    chats.close()
    return top / "h.quoth"


@pytest.fixture
def _the_library_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the installation out, which no damage to a library can reach."""
    for part in ("versions", "packages", "default_embedding_model", "reader_model", "cache"):
        monkeypatch.setattr(installation, part, lambda: iter(()))
    monkeypatch.setattr(doctor, "_model_there", lambda name, fingerprint: iter(()))


@pytest.mark.slow
@pytest.mark.usefixtures("_the_library_alone")
@settings(
    max_examples=120,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(drawn=st.data())
def test_whatever_is_damaged_the_report_comes_to_its_end(
    tiny: Path, tmp_path_factory: pytest.TempPathFactory, drawn: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "h.quoth"
    shutil.copytree(tiny, path)
    files = sorted(file for file in path.rglob("*") if file.is_file() and file.stat().st_size)
    file = drawn.draw(st.sampled_from(files))
    data = bytearray(file.read_bytes())
    how = drawn.draw(st.sampled_from(("flip", "cut", "empty", "zero", "folder", "gone")))
    place = drawn.draw(st.integers(0, len(data) - 1))
    if how == "flip":
        data[place] ^= drawn.draw(st.integers(1, 255))
    elif how == "cut":
        del data[place:]
    elif how == "zero":
        data[place : place + 4096] = bytes(len(data[place : place + 4096]))
    file.unlink()
    if how == "folder":
        file.mkdir()
    elif how != "gone":
        file.write_bytes(b"" if how == "empty" else data)
    for repair in (False, True):
        diagnosis = examine(path, repair=repair)
        # A part that could not be looked at must say why in words, not with a type's name.
        assert not [told for told in messages(diagnosis) if "Error:" in told]
    if diagnosis.wrong == 0:
        with Library.open(path, encoder=HashEncoder()) as library:
            assert len(library.documents()) == len(HOUSE)
