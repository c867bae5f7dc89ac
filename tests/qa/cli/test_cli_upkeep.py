"""`quoth backup`, `restore`, `relocate`, `verify` and `doctor`, as people type them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_house import LIFT, ROOT, one_sentence, run, write

from index import Library
from qa.chats import Chats, StoredTurn
from qa.chats.recall import references


@pytest.fixture
def house(made: Path, library: Path) -> Path:
    """The documents of `library`, copied beside it and known to it there."""
    folder = library.with_name("house")
    shutil.copytree(made, folder)
    with Library.open(library) as opened:
        opened.relocate({made: folder})
        opened.sync(folder)
    return folder


@pytest.fixture
def asked(library: Path, house: Path, tmp_path: Path) -> Path:
    """A saved answer."""
    result = run("ask", "--json", "-l", library, "How often is the lift inspected?")
    assert result.exit_code == 0
    return write(tmp_path, {"asked.json": result.stdout}) / "asked.json"


# -- backup and restore ----------------------------------------------------------------------------


def test_a_backup_is_restored_as_it_was(library: Path, tmp_path: Path) -> None:
    result = run("backup", "b.zip", "-l", library)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[1] == (
        "in it       generation 1: 4 documents, 0 uploaded files, no conversations"
    )
    result = run("restore", "b.zip", "again.quoth")
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"restored    {tmp_path / 'again.quoth'}\n" in result.stdout
    asked = [run("ask", "-l", path, "Who calls the engineer?") for path in (library, "again.quoth")]
    assert asked[0].stdout == asked[1].stdout
    assert "The caretaker calls the engineer within one hour." in asked[0].stdout


def test_a_backup_may_be_looked_at_without_restoring_it(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTH_LIBRARY", str(library))
    assert run("backup", "b.zip", "--json").exit_code == 0
    result = run("restore", "--dry-run", "b.zip")
    assert result.exit_code == 0
    assert "model       all-MiniLM-L6-v2 (" in result.stdout
    told = json.loads(run("restore", "--dry-run", "b.zip", "--json").stdout)
    assert (told["kind"], told["documents"]) == ("backup", 4)
    data = (tmp_path / "b.zip").read_bytes()
    (tmp_path / "b.zip").write_bytes(data[:-100])
    assert "is no backup" in one_sentence(run("restore", "--dry-run", "b.zip"), 1)


def test_what_is_there_already_is_told_in_a_sentence(library: Path, tmp_path: Path) -> None:
    write(tmp_path, {"b.zip": "?"})
    assert "is there already" in one_sentence(run("backup", "b.zip", "-l", library), 1)
    assert run("backup", "b.zip", "-l", library, "--force").exit_code == 0
    told = one_sentence(run("restore", "b.zip", library), 1)
    assert "There is a library at" in told
    assert run("restore", "b.zip", library, "--force").exit_code == 0


def test_a_restore_needs_a_name_for_the_library(library: Path) -> None:
    run("backup", "b.zip", "-l", library)
    assert "Which library?" in one_sentence(run("restore", "b.zip"), 2)
    assert "is not OLD=NEW" in one_sentence(run("restore", "b.zip", "x", "--source", "old"), 2)


def test_folders_that_are_not_on_this_machine_are_told(
    library: Path, house: Path, tmp_path: Path
) -> None:
    run("backup", "b.zip", "-l", library)
    house.rename(tmp_path / "home")
    result = run("restore", "b.zip", "again.quoth")
    assert result.exit_code == 0
    (line,) = [each for each in result.stdout.splitlines() if each.startswith("not here")]
    assert line.startswith(f"not here    {house} (folder, 4 documents) is not on this machine.")
    moved = run("relocate", str(house), "home", "-l", "again.quoth")
    assert moved.stdout == f"{house} is {tmp_path / 'home'} now\n"
    result = run("sync", "home", "-l", "again.quoth")
    assert result.stdout.startswith("0 added, 0 updated, 0 renamed, 0 removed, 4 unchanged;")
    result = run("restore", "b.zip", "third.quoth", "--source", f"{house}={tmp_path / 'home'}")
    assert f"moved       {house} is {tmp_path / 'home'} now\n" in result.stdout
    assert "not here" not in result.stdout
    told = one_sentence(run("relocate", "nowhere", "home", "-l", "third.quoth"), 1)
    assert "The library keeps no folder or file at nowhere" in told


def test_what_could_not_be_packed_gives_status_1(library: Path) -> None:
    write(library, {"chats.db": "no database " * 500})
    result = run("backup", "b.zip", "-l", library)
    assert result.exit_code == 1
    assert result.stderr.startswith("quoth: The conversations are not in the backup")
    assert "backup " in result.stdout


# -- verify ----------------------------------------------------------------------------------------


def test_quotes_are_verified_until_their_file_changes(
    library: Path, house: Path, asked: Path
) -> None:
    result = run("verify", asked, "-l", library)
    assert result.exit_code == 0
    first, *_, last = result.stdout.splitlines()
    assert first == f"verified    house/lift.md · “{LIFT}”"
    assert last.endswith(" verified")
    write(house, {"house/lift.md": "The lift is gone.\n"})
    result = run("verify", asked, "-l", library)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == (
        f"changed     house/lift.md · “{LIFT}” · The source has changed since it was indexed; "
        "these words do not stand in it any more."
    )


def test_verdicts_are_one_object_a_line(library: Path, house: Path, asked: Path) -> None:
    result = run("verify", asked, "-l", library, "--json")
    *quotes, totals = map(json.loads, result.stdout.splitlines())
    assert {each["kind"] for each in quotes} == {"quote"}
    assert quotes[0] == {
        "kind": "quote",
        "status": "verified",
        "detail": "",
        "stands": None,
        "text": LIFT,
        "path": "house/lift.md",
        "page": None,
        "question": "How often is the lift inspected?",
    }
    assert totals == {"kind": "verify", "all": len(quotes), "verified": len(quotes)}


def test_without_files_every_document_is_compared(library: Path, house: Path) -> None:
    result = run("verify", "-l", library)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "4 documents: 4 verified"
    (house / "prices.csv").unlink()
    result = run("verify", "-l", library)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "4 documents: 3 verified, 1 gone"


def test_kept_conversations_are_compared(library: Path, house: Path) -> None:
    from qa.chat import Chat

    with Library.open(library) as opened:
        answer = Chat(opened).ask("How often is the lift inspected?")
        given = references(opened, answer)
    chats = Chats.open(library)
    chats.append("ann", "c" * 20, StoredTurn(question="How often?", answer=given))
    chats.close()
    result = run("verify", "--conversations", "-l", library)
    assert result.exit_code == 0
    assert f"verified    house/lift.md · “{LIFT}”" in result.stdout
    write(library, {"chats.db": "no database " * 500})
    told = one_sentence(run("verify", "--conversations", "-l", library), 1)
    assert "The conversations in" in told


def test_a_foreign_file_is_told_in_a_sentence(library: Path, house: Path, tmp_path: Path) -> None:
    write(tmp_path, {"s.json": "{}"})
    told = one_sentence(run("verify", "s.json", "-l", library), 1)
    assert "s.json holds no answers that can be checked" in told


def test_hostile_names_and_words_cannot_drive_the_terminal(
    library: Path, house: Path, tmp_path: Path
) -> None:
    result = run("ask", "--json", "-l", library, "What does the hostile lamp do?")
    plain = json.loads(result.stdout)
    plain["quotes"][0]["text"] += "\x1b[2J"
    plain["quotes"][0]["citation"]["path"] = "\x1b]0;owned\x07\u202e"
    write(tmp_path, {"s.json": json.dumps(plain)})
    result = run("verify", "s.json", "-l", library)
    assert result.exit_code == 1
    assert not {"\x1b", "\x07", "\u202e"} & {*result.stdout}


# -- doctor ----------------------------------------------------------------------------------------


def test_a_sound_library_is_in_order(library: Path, house: Path) -> None:
    result = run("doctor", "-l", library)
    assert result.exit_code == 0, result.stdout
    assert result.stdout.splitlines()[-1] == "Everything is in order."
    assert f"library     {library}\n" in result.stdout


def test_findings_are_counted_and_say_what_to_do(library: Path, house: Path) -> None:
    (house / "prices.csv").unlink()
    result = run("doctor", "-l", library)
    assert result.exit_code == 1
    assert (
        "wrong       Files are gone: prices.csv. Run `quoth sync` on their folder.\n"
        in result.stdout
    )
    assert result.stdout.splitlines()[-1] == "1 finding."
    told = json.loads(run("doctor", "-l", library, "--json").stdout)
    assert (told["kind"], told["ok"], len(told["findings"])) == ("doctor", False, 1)
    assert told["findings"][0]["kind"] == "file"


def test_a_library_that_is_missing_or_none_is_a_finding(tmp_path: Path) -> None:
    write(tmp_path, {"folder/letter.txt": "Dear Ann"})
    for place in ("none.quoth", "folder", "folder/letter.txt"):
        for option in ((), ("--repair",)):
            result = run("doctor", "-l", place, *option)
            assert result.exit_code == 1, result.output
            assert result.stderr == ""
            assert result.stdout.splitlines()[-1].endswith(" finding.")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "letter.txt"]


def test_without_a_library_the_installation_is_looked_at() -> None:
    result = run("doctor")
    assert result.exit_code == 0
    assert result.stderr.startswith("quoth: No library is looked at. Which library?")
    assert result.stdout.splitlines()[-1] == "Everything is in order."


@pytest.mark.slow
def test_the_doctor_proves_that_nothing_leaves_the_machine(library: Path, house: Path) -> None:
    """As a process of its own, as people start it."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "ui.py"), "doctor", "--offline", "-l", str(library)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "offline     no network socket was opened: 4 files synced, 4 questions" in done.stdout
