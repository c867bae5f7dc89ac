"""What is kept of conversations: whose they are, in which order, and what is left when they go."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from index.errors import ConversationNotFoundError, LibraryError
from qa.chats import Chats, StoredTurn
from qa.chats.check import check_chats
from qa.chats.file import FILE, MIGRATIONS

ANN, BEN = "ann", "ben"
ONE, TWO, THREE = (f"conversation-number-{n}" for n in "123")


@pytest.fixture
def chats(tmp_path: Path) -> Iterator[Chats]:
    opened = Chats.open(tmp_path)
    yield opened
    opened.close()


def ask(chats: Chats, owner: str, id: str, *questions: str) -> list[StoredTurn]:
    return [
        chats.append(owner, id, StoredTurn(question=question, answer={"n": 1}, generation=3))
        for question in questions
    ]


def questions(chats: Chats, id: str) -> list[str]:
    return [turn.question for turn in chats.turns(id)]


def ids(chats: Chats, owner: str, search: str = "") -> list[str]:
    return [info.id for info in chats.conversations(owner, search=search)]


def test_what_was_said_is_there_when_opened_again(tmp_path: Path) -> None:
    chats = Chats.open(tmp_path)
    first = ask(chats, ANN, ONE, "Who pays?", "And when?")
    failed = StoredTurn(question=" ", problem="It is empty.", where={"folder": "a"}, whole=True)
    chats.append(ANN, ONE, failed)
    before = chats.turns(ONE)
    assert before[:2] == first
    assert (before[2].where, before[2].whole) == ({"folder": "a"}, True)
    assert before[2].problem == "It is empty."
    chats.close()
    chats = Chats.open(tmp_path)
    assert chats.persistent
    assert chats.turns(ONE) == before
    (info,) = chats.conversations(ANN)
    assert (info.id, info.title, info.turns) == (ONE, "Who pays?", 3)
    assert info.begun_at == before[0].asked_at < info.changed_at == before[2].asked_at
    chats.close()


def test_nobody_sees_the_conversations_of_another(chats: Chats) -> None:
    (turn,) = ask(chats, ANN, ONE, "Who pays?")
    ask(chats, BEN, TWO, "Who else?")
    assert (ids(chats, ANN), ids(chats, BEN)) == ([ONE], [TWO])
    for forbidden in (
        lambda: chats.conversation(BEN, ONE),
        lambda: chats.rename(BEN, ONE, "Mine"),
        lambda: chats.delete(BEN, ONE),
        lambda: chats.set_feedback(BEN, ONE, turn.id, "good"),
        lambda: ask(chats, BEN, ONE, "Whose is it?"),
    ):
        with pytest.raises(ConversationNotFoundError):
            forbidden()
    assert questions(chats, ONE) == ["Who pays?"]
    assert ids(chats, ANN, "pays") == [ONE]
    assert ids(chats, BEN, "pays") == []


def test_the_one_changed_last_comes_first_and_older_ones_follow_in_pages(chats: Chats) -> None:
    for id in (ONE, TWO, THREE):
        ask(chats, ANN, id, "hello")
    ask(chats, ANN, ONE, "again")
    assert ids(chats, ANN) == [ONE, THREE, TWO]
    page = chats.conversations(ANN, limit=2)
    rest = chats.conversations(ANN, limit=2, before=page[-1].changed_at)
    assert [info.id for info in (*page, *rest)] == [ONE, THREE, TWO]
    assert chats.conversations(ANN, before=rest[-1].changed_at) == []


def test_a_search_wants_every_word_in_a_title_or_a_question(chats: Chats) -> None:
    ask(chats, ANN, ONE, "Wer prüft die TÜR?", "And 100% of the_lift?")
    ask(chats, ANN, TWO, "Who inspects the lift?")
    chats.rename(ANN, TWO, "Yearly checks")
    assert ids(chats, ANN, "LIFT") == [TWO, ONE]
    assert ids(chats, ANN, "tür prüft") == [ONE]
    assert ids(chats, ANN, "yearly inspects") == [TWO]
    assert ids(chats, ANN, "yearly prüft") == []
    # Signs of a pattern stand for themselves.
    assert ids(chats, ANN, "100%") == ids(chats, ANN, "the_lift") == [ONE]
    assert ids(chats, ANN, "%") == [ONE]
    assert ids(chats, ANN, "' OR 1=1") == []
    assert ids(chats, ANN, "  ") == [TWO, ONE]


def test_a_title_is_the_first_question_until_a_person_gives_one(chats: Chats) -> None:
    long = "How often are\nthe \u202elifts of the <b>annex</b> inspected " + "and by whom " * 20
    (turn,) = ask(chats, ANN, ONE, long)
    (info,) = chats.conversations(ANN)
    assert info.title == "How often are the ‹U+202E›lifts of the <b>annex</b>…"
    chats.append(ANN, ONE, StoredTurn(question="Who?"), instead_of=turn.id)
    assert chats.conversations(ANN)[0].title == "Who?"
    assert chats.rename(ANN, ONE, " Lifts\n2024 ").title == "Lifts 2024"
    chats.append(ANN, ONE, StoredTurn(question="When?"), instead_of=turn.id + 1)
    assert chats.conversations(ANN)[0].title == "Lifts 2024"
    assert len(chats.rename(ANN, ONE, "x" * 500).title) == 200
    assert chats.rename(ANN, ONE, " ").title == "When?"


def test_a_turn_replaced_takes_those_after_it_away(chats: Chats) -> None:
    first, second, _ = ask(chats, ANN, ONE, "a", "b", "c")
    other = ask(chats, ANN, TWO, "d")
    new = chats.append(ANN, ONE, StoredTurn(question="B"), instead_of=second.id)
    assert questions(chats, ONE) == ["a", "B"]
    assert chats.turns(TWO) == other
    assert new.id > other[0].id > second.id > first.id  # no number is used twice


def test_what_was_deleted_does_not_come_back(chats: Chats) -> None:
    ask(chats, ANN, ONE, "a")
    chats.delete(ANN, ONE)
    with pytest.raises(ConversationNotFoundError):
        chats.append(ANN, ONE, StoredTurn(question="b"), begun=True)
    assert chats.turns(ONE) == []
    with pytest.raises(ConversationNotFoundError):
        chats.delete(ANN, ONE)


def on_disk(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def test_what_was_deleted_is_on_the_disk_no_more(chats: Chats, tmp_path: Path) -> None:
    for number in range(40):
        ask(chats, ANN, ONE, f"Is the velvet hedgehog number {number} awake?")
    last = ask(chats, ANN, TWO, "Where do otters sleep?", "And marmots?")[-1]
    assert b"velvet hedgehog" in on_disk(tmp_path)
    chats.delete(ANN, ONE)
    assert b"velvet hedgehog" not in on_disk(tmp_path)
    chats.append(ANN, TWO, StoredTurn(question="And badgers?"), instead_of=last.id)
    assert b"marmots" not in on_disk(tmp_path)
    assert b"otters" in on_disk(tmp_path)


def test_feedback_is_changed_taken_back_and_goes_with_its_turn(chats: Chats) -> None:
    first, second = ask(chats, ANN, ONE, "a", "b")
    chats.set_feedback(ANN, ONE, second.id, "good")
    chats.set_feedback(ANN, ONE, second.id, "wrong_place")
    (said,) = chats.feedback()
    assert (said.value, said.turn.question, said.turn.generation) == ("wrong_place", "b", 3)
    assert said.turn.answer == {"n": 1}
    assert said.judged_at > second.asked_at
    assert said.before == (first,)
    assert [turn.feedback for turn in chats.turns(ONE)] == ["", "wrong_place"]
    chats.set_feedback(ANN, ONE, second.id, "")
    assert chats.feedback() == []
    chats.set_feedback(ANN, ONE, second.id, "not_answered")
    with pytest.raises(ValueError, match="not 'bad'"):
        chats.set_feedback(ANN, ONE, second.id, "bad")
    with pytest.raises(ConversationNotFoundError, match=r"no question number 99;"):
        chats.set_feedback(ANN, ONE, 99, "good")
    chats.delete(ANN, ONE)
    assert chats.feedback() == []


def test_halves_of_characters_are_kept_as_what_they_are_shown_as(chats: Chats) -> None:
    (turn,) = ask(chats, ANN, ONE, "a\ud800b\x00c")
    assert turn.question == "a�b\x00c"
    assert questions(chats, ONE) == ["a�b\x00c"]
    assert ids(chats, ANN, "\udfff") == [ONE]


# -- the file --------------------------------------------------------------------------------------


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        chats = Chats.open(tmp_path)
        ask(chats, ANN, ONE, "a")
    finally:
        os.umask(before)
    files = sorted(tmp_path.iterdir())
    assert FILE in {file.name for file in files}
    assert len(files) > 1  # the log beside it as well
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    chats.close()
    os.chmod(tmp_path / FILE, 0o644)
    Chats.open(tmp_path).close()
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def _newer(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()


def _something_else(path: Path) -> None:
    path.unlink()
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE shopping(item TEXT)")
    db.close()


def _no_database(path: Path) -> None:
    path.write_bytes(b"not a database at all, but quite long enough" * 100)


def _torn(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)


@pytest.mark.parametrize("harm", [_newer, _something_else, _no_database, _torn])
def test_a_file_that_cannot_be_used_is_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: object
) -> None:
    assert callable(harm)
    chats = Chats.open(tmp_path)
    ask(chats, ANN, ONE, *(f"question {n} " + "x" * 500 for n in range(50)))
    chats.close()
    path = tmp_path / FILE
    harm(path)
    harmed = path.read_bytes()
    with caplog.at_level(logging.WARNING, "quoth"):
        chats = Chats.open(tmp_path)
    (told,) = caplog.messages
    assert told.startswith(f"{path} ")
    assert told.endswith("and conversations begin anew.")
    (aside,) = tmp_path.glob("chats-aside-*.db")
    assert aside.name in told
    assert aside.read_bytes() == harmed
    assert chats.persistent
    assert ids(chats, ANN) == []
    ask(chats, ANN, ONE, "a")
    chats.close()
    chats = Chats.open(tmp_path)
    assert questions(chats, ONE) == ["a"]
    chats.close()


def test_where_nothing_can_be_written_conversations_are_kept_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE).mkdir()
    with caplog.at_level(logging.WARNING, "quoth"):
        chats = Chats.open(tmp_path)
    assert caplog.messages == [
        f"Conversations are forgotten when Quoth ends, because {tmp_path / FILE} cannot be "
        "written (Is a directory)."
    ]
    assert not chats.persistent
    ask(chats, ANN, ONE, "a")
    assert ids(chats, ANN) == [ONE]
    assert list(tmp_path.iterdir()) == [tmp_path / FILE]
    chats.close()


def test_what_was_kept_in_memory_goes_into_the_file_as_soon_as_it_can(tmp_path: Path) -> None:
    chats = Chats.open(tmp_path)
    old = ask(chats, ANN, ONE, "before")
    chats.close()
    path = tmp_path / FILE
    path.rename(tmp_path / "away")
    path.mkdir()
    chats = Chats.open(tmp_path)
    assert not chats.persistent
    ask(chats, ANN, TWO, "while it could not be written")
    (more,) = ask(chats, ANN, ONE, "more")
    ask(chats, BEN, THREE, "mine")
    chats.rename(ANN, TWO, "Named")
    path.rmdir()
    (tmp_path / "away").rename(path)
    (last,) = ask(chats, ANN, TWO, "after")
    assert chats.persistent
    assert last.id > more.id > old[0].id
    chats.set_feedback(ANN, ONE, more.id, "good")  # a page that is open has the number
    chats.close()
    assert check_chats(tmp_path) == ()
    chats = Chats.open(tmp_path)
    assert questions(chats, ONE) == ["before", "more"]
    assert questions(chats, TWO) == ["while it could not be written", "after"]
    assert ids(chats, ANN) == [TWO, ONE]
    assert [info.title for info in chats.conversations(ANN)] == ["Named", "before"]
    assert ids(chats, BEN) == [THREE]
    chats.close()


def test_what_was_kept_in_memory_never_goes_into_the_conversation_of_another(
    tmp_path: Path,
) -> None:
    chats = Chats.open(tmp_path)
    ask(chats, ANN, ONE, "hers")
    chats.close()
    path = tmp_path / FILE
    path.rename(tmp_path / "away")
    path.mkdir()
    chats = Chats.open(tmp_path)
    ask(chats, BEN, ONE, "his")
    path.rmdir()
    (tmp_path / "away").rename(path)
    ask(chats, BEN, TWO, "his too")
    assert (ids(chats, ANN), ids(chats, BEN)) == ([ONE], [TWO])
    assert questions(chats, ONE) == ["hers"]
    chats.close()


def test_a_file_busy_with_another_process_is_not_set_aside(tmp_path: Path) -> None:
    Chats.open(tmp_path).close()
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    chats = Chats.open(tmp_path)
    assert chats.persistent
    assert ids(chats, ANN) == []
    other.execute("ROLLBACK")
    other.close()
    ask(chats, ANN, ONE, "a")
    chats.close()
    assert not list(tmp_path.glob("chats-aside-*"))


def test_a_closed_file_is_one_sentence(tmp_path: Path) -> None:
    chats = Chats.open(tmp_path)
    chats.close()
    with pytest.raises(LibraryError, match="cannot be read or written"):
        chats.conversations(ANN)


def test_every_step_from_an_older_file_is_taken_once(tmp_path: Path) -> None:
    numbers = [version for version, _ in MIGRATIONS]
    assert numbers == list(range(1, len(numbers) + 1))
    for _ in range(2):
        chats = Chats.open(tmp_path)
        chats.close()
    db = sqlite3.connect(tmp_path / FILE)
    assert db.execute("PRAGMA user_version").fetchone()[0] == numbers[-1]
    db.close()


# -- at the same time ------------------------------------------------------------------------------


def test_many_threads_lose_nothing(chats: Chats) -> None:
    def talk(number: int) -> list[str]:
        id = f"conversation-of-thread-{number}"
        ask(chats, ANN, id, *(f"{number}.{n}" for n in range(10)))
        return questions(chats, id)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(talk, range(8)))
    assert found == [[f"{number}.{n}" for n in range(10)] for number in range(8)]
    assert len(chats.conversations(ANN)) == 8


_OTHER_PROCESS = """
import sys
from pathlib import Path
from qa.chats import Chats, StoredTurn
chats = Chats.open(Path(sys.argv[1]))
for number in range(30):
    chats.append("ann", sys.argv[2], StoredTurn(question=f"{sys.argv[3]}.{number}"))
"""


def test_several_processes_share_the_file(tmp_path: Path) -> None:
    """Both begin with no file at all, and write into one conversation."""
    processes = [
        subprocess.Popen([sys.executable, "-c", _OTHER_PROCESS, str(tmp_path), ONE, name])
        for name in "ab"
    ]
    assert [process.wait(60) for process in processes] == [0, 0]
    chats = Chats.open(tmp_path)
    said = questions(chats, ONE)
    for name in "ab":
        assert [each for each in said if each[0] == name] == [f"{name}.{n}" for n in range(30)]
    chats.close()
