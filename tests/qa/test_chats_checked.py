"""Conversations that are damaged are found, told and set aside, and lose nothing else."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from index.errors import LibraryError, LibraryLockedError
from index.upkeep.check import Severity
from qa.chats import Chats, StoredTurn
from qa.chats import file as chats_file
from qa.chats.check import check_chats, repair_chats
from qa.chats.file import FILE
from qa.chats.seals import seal_turn

ANN, ONE, TWO = "ann", "conversation-number-one", "conversation-number-two"
LOST = "What was kept of this answer is damaged and is not shown; ask the question again."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two conversations in it, closed."""
    chats = Chats.open(tmp_path)
    for id in (ONE, TWO):
        for number in range(3):
            turn = StoredTurn(question=f"Question {number} of {id}?", answer={"places": [number]})
            kept = chats.append(ANN, id, turn)
        chats.set_feedback(ANN, id, kept.id, "good")
    chats.close()
    return tmp_path


@pytest.fixture
def open_chats(folder: Path) -> Iterator[Chats]:
    chats = Chats.open(folder)
    yield chats
    chats.close()


def edit(folder: Path, statement: str) -> None:
    """Change the file behind Quoth's back, as a flipped bit does."""
    with closing(sqlite3.connect(folder / FILE)) as db, db:
        assert db.execute(statement).rowcount == 1


def messages(folder: Path) -> list[str]:
    return [finding.message for finding in check_chats(folder)]


def test_what_was_kept_is_in_order(folder: Path) -> None:
    chats = Chats.open(folder)
    chats.rename(ANN, ONE, "Named")
    (turn, *_) = chats.turns(TWO)
    chats.set_feedback(ANN, TWO, turn.id, "wrong_place")
    chats.append(ANN, TWO, StoredTurn(question="Anew?"), instead_of=turn.id)
    assert check_chats(folder) == ()  # also while it is in use
    chats.close()
    assert check_chats(folder) == ()


def test_where_there_are_no_conversations_nothing_is_wrong(tmp_path: Path) -> None:
    assert check_chats(tmp_path) == ()
    assert repair_chats(tmp_path) == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        "question = 'Another?'",
        "answer = '{\"places\":[9]}'",
        "answer = CAST(x'7bff7d' AS TEXT)",  # neither UTF-8 nor JSON
        "problem = 'none'",
        "feedback = 'good'",
        "generation = 7",
        "whole = 1",
        "asked_at = ''",
        "digest = ''",
    ],
)
def test_a_turn_that_was_altered_is_found_and_its_answer_never_shown(
    folder: Path, change: str
) -> None:
    edit(folder, f"UPDATE turns SET {change} WHERE id = 2")
    assert messages(folder) == ["Turn 2 of a conversation is not what was kept."]
    chats = Chats.open(folder)
    first, second, third = chats.turns(ONE)
    assert (second.answer, second.problem, second.feedback) == (None, LOST, "")
    assert (first.answer, third.answer) == ({"places": [0]}, {"places": [2]})
    assert len(chats.turns(TWO)) == 3
    assert [said.turn.id for said in chats.feedback()] == [3, 6]
    chats.close()


def test_a_conversation_that_was_altered_is_found(folder: Path) -> None:
    edit(folder, f"UPDATE conversations SET owner = 'amn' WHERE id = '{ONE}'")
    edit(folder, f"UPDATE conversations SET title = CAST(x'ff41' AS TEXT) WHERE id = '{TWO}'")
    told = "The title, owner or times of a conversation are not what was kept."
    assert messages(folder) == [told, told]
    chats = Chats.open(folder)
    assert [info.title for info in chats.conversations(ANN)] == ["�A"]
    assert len(chats.conversations(ANN, search="question 2")) == 1
    chats.close()


def test_a_damaged_answer_is_given_up_and_its_question_stays(folder: Path) -> None:
    edit(folder, "UPDATE turns SET answer = '{}' WHERE id = 2")
    edit(folder, f"UPDATE conversations SET title = 'x' WHERE id = '{TWO}'")
    assert repair_chats(folder) == (
        "Damaged answers in conversations were given up: 1.",
        "Conversations whose title, owner or times are damaged were kept as they are, and one "
        "whose owner is damaged is seen by nobody: 1.",
    )
    assert check_chats(folder) == ()
    chats = Chats.open(folder)
    turns = chats.turns(ONE)
    assert [turn.question[:10] for turn in turns] == ["Question 0", "Question 1", "Question 2"]
    assert (turns[1].answer, turns[1].problem) == (None, LOST)
    chats.close()


def test_a_file_of_the_first_release_gets_its_check_values(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as db:
        db.executescript(dict(chats_file.MIGRATIONS)[1])
        db.execute(f"PRAGMA application_id = {chats_file.APPLICATION_ID}")
        db.execute("PRAGMA user_version = 1")
        db.execute(f"INSERT INTO conversations VALUES('{ONE}', 'ann', 'Who?', 0, 'a', 'b')")
        db.execute(
            "INSERT INTO turns VALUES(7, ?, 'Who?', 'a', NULL, 0, '{\"n\":1}', '', 3, '', NULL)",
            (ONE,),
        )
    assert check_chats(tmp_path) == ()
    chats = Chats.open(tmp_path)
    (turn,) = chats.turns(ONE)
    assert (turn.id, turn.answer, turn.problem) == (7, {"n": 1}, "")
    chats.close()
    assert check_chats(tmp_path) == ()
    edit(tmp_path, "UPDATE turns SET generation = 4")
    assert len(check_chats(tmp_path)) == 1


def tear(folder: Path) -> None:
    """Overwrite all pages but the first."""
    path = folder / FILE
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)


def test_a_torn_file_is_found_and_set_aside_by_a_repair(folder: Path) -> None:
    tear(folder)
    torn = (folder / FILE).read_bytes()
    (finding,) = check_chats(folder)
    assert finding.severity is Severity.WRONG
    assert finding.message.startswith("The file of conversations is damaged (")
    assert (folder / FILE).read_bytes() == torn  # looked at, not touched
    assert repair_chats(folder) == (
        "The file of conversations is kept under another name and a new one begun.",
    )
    (notice,) = check_chats(folder)
    assert notice.severity is Severity.NOTICE
    assert (folder / notice.where).read_bytes() == torn


def spoil_an_index(folder: Path) -> None:
    """Store a turn that one of the indexes does not have."""
    name = "name = 'turns_by_conversation'"
    with closing(sqlite3.connect(folder / FILE)) as db, db:
        entry = db.execute(f"SELECT * FROM sqlite_master WHERE {name}").fetchone()
        db.execute("PRAGMA writable_schema = ON")
        db.execute(f"DELETE FROM sqlite_master WHERE {name}")
    with closing(sqlite3.connect(folder / FILE)) as db, db:
        number = db.execute(
            "INSERT INTO turns(conversation, question, asked_at, whole, problem, generation)"
            f" VALUES('{ONE}', 'Question 3?', '', 0, '', 1)"
        ).lastrowid
        seal_turn(db, number or 0)
        db.execute("PRAGMA writable_schema = ON")
        db.execute("INSERT INTO sqlite_master VALUES(?, ?, ?, ?, ?)", entry)


def test_a_damaged_index_is_made_anew_and_nothing_is_lost(folder: Path) -> None:
    spoil_an_index(folder)
    edit(folder, "UPDATE turns SET answer = '{}' WHERE id = 2")
    (finding,) = check_chats(folder)
    assert "missing from index turns_by_conversation" in finding.message
    assert finding.repairable
    assert "makes its indexes anew, which loses nothing" in finding.advice
    assert repair_chats(folder) == (
        "The indexes of the file of conversations were made anew.",
        "Damaged answers in conversations were given up: 1.",
    )
    assert check_chats(folder) == ()
    chats = Chats.open(folder)
    assert len(chats.turns(ONE)) == 4
    chats.close()


def test_turns_without_a_conversation_are_deleted_by_a_repair(folder: Path) -> None:
    edit(folder, f"DELETE FROM conversations WHERE id = '{ONE}'")
    (finding,) = check_chats(folder)
    assert finding.message == "Turns that belong to no conversation: 3."
    assert repair_chats(folder) == ("Turns that belonged to no conversation were deleted: 3.",)
    assert check_chats(folder) == ()
    chats = Chats.open(folder)
    assert (len(chats.turns(ONE)), len(chats.turns(TWO))) == (0, 3)
    chats.close()


def test_that_a_damaged_owner_is_never_known_again_is_said(folder: Path) -> None:
    edit(folder, f"UPDATE conversations SET owner = 'amn' WHERE id = '{ONE}'")
    (finding,) = check_chats(folder)
    assert "the one whose conversation it is never sees it again" in finding.advice


def test_a_server_follows_when_another_process_sets_the_file_aside(
    folder: Path, open_chats: Chats
) -> None:
    """Else it would go on writing into a file that nobody opens again."""
    with closing(sqlite3.connect(folder / FILE)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    tear(folder)
    assert len(repair_chats(folder)) == 1
    open_chats.append(ANN, ONE, StoredTurn(question="And now?"))
    assert [turn.question for turn in open_chats.turns(ONE)] == ["And now?"]
    open_chats.close()
    again = Chats.open(folder)
    assert [turn.question for turn in again.turns(ONE)] == ["And now?"]
    again.close()


def test_a_file_that_goes_while_one_waits_for_it_is_not_written(
    folder: Path, open_chats: Chats
) -> None:
    with closing(
        sqlite3.connect(folder / FILE, isolation_level=None, check_same_thread=False)
    ) as db:
        db.execute("BEGIN IMMEDIATE")

        def replace() -> None:
            chats_file.set_aside(folder / FILE, "is replaced")
            Chats.open(folder).close()
            db.execute("ROLLBACK")

        timer = threading.Timer(0.3, replace)
        timer.start()
        open_chats.append(ANN, ONE, StoredTurn(question="And now?"))
        timer.join()
    (aside,) = folder.glob("chats-aside-*.db")
    with closing(sqlite3.connect(aside)) as db:
        assert db.execute("SELECT count(*) FROM turns").fetchone() == (6,)
    assert [turn.question for turn in open_chats.turns(ONE)] == ["And now?"]


@pytest.mark.parametrize("damaged", [True, False])
def test_of_many_who_open_a_file_at_once_none_sets_aside_what_another_began(
    tmp_path: Path, damaged: bool
) -> None:
    together = threading.Barrier(8)

    def opened(number: int) -> bool:
        together.wait()
        chats = Chats.open(tmp_path)
        chats.append(ANN, f"conversation-number-{number}", StoredTurn(question="Who?"))
        chats.close()
        return chats.persistent

    for _ in range(3):
        if damaged:
            (tmp_path / FILE).write_bytes(b"no database " * 500)
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(opened, range(8))) == [True] * 8
        chats = Chats.open(tmp_path)
        assert len(chats.conversations(ANN)) == 8
        chats.close()
        (tmp_path / FILE).unlink()
    assert len(list(tmp_path.glob("chats-aside-*.db"))) == 3 * int(damaged)


def test_what_reads_as_damaged_and_is_sound_may_be_tried_again(
    folder: Path, open_chats: Chats
) -> None:
    """The pages that were read wrongly are right on the disk, as after a glitch of it."""
    with closing(sqlite3.connect(folder / FILE)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sound = (folder / FILE).read_bytes()

    def read_wrongly() -> None:
        with open_chats._reading() as db:
            tear(folder)
            db.execute("PRAGMA shrink_memory")
            try:
                db.execute("SELECT count(*) FROM turns").fetchall()
            finally:
                (folder / FILE).write_bytes(sound)

    with pytest.raises(LibraryError) as told:
        read_wrongly()
    assert str(told.value).endswith("try again, and if it stays so, run `quoth doctor --repair`.")
    assert not list(folder.glob("chats-aside-*"))
    assert len(open_chats.turns(ONE)) == 3


def test_a_file_that_is_torn_under_a_server_is_set_aside_while_it_runs(
    folder: Path, open_chats: Chats, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(open_chats.turns(ONE)) == 3
    with closing(sqlite3.connect(folder / FILE)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    tear(folder)
    open_chats._db.execute("PRAGMA shrink_memory")  # what SQLite has in memory is not read again
    long = StoredTurn(question="And now? " + "x" * 9_000)
    with caplog.at_level(logging.WARNING, "quoth"), pytest.raises(LibraryError) as told:
        open_chats.append(ANN, ONE, long)
    (aside,) = folder.glob("chats-aside-*.db")
    assert str(told.value) == (
        f"The file {FILE} in the folder of the library was damaged. It is kept as {aside.name}, "
        "and conversations begin anew: ask again."
    )
    assert aside.name in caplog.text
    open_chats.append(ANN, ONE, StoredTurn(question="And now?"))
    assert [turn.question for turn in open_chats.turns(ONE)] == ["And now?"]
    assert open_chats.persistent


def test_who_waits_for_another_process_is_told_so_in_a_sentence(
    folder: Path, open_chats: Chats
) -> None:
    open_chats._db.execute("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LibraryLockedError, match="by another process; try again in a moment"):
            open_chats.append(ANN, ONE, StoredTurn(question="And now?"))
        assert len(open_chats.turns(ONE)) == 3  # reading goes on
        other.execute("ROLLBACK")
    open_chats.append(ANN, ONE, StoredTurn(question="And now?"))
    assert len(open_chats.turns(ONE)) == 4


def test_what_sqlite_has_taken_back_by_itself_is_not_taken_back_again(open_chats: Chats) -> None:
    """As it does where the disk fails; the error that is told is that one, not another."""
    with open_chats._reading() as db:
        db.execute("ROLLBACK")
    assert len(open_chats.turns(ONE)) == 3


def test_nobody_waits_half_a_minute_for_the_file(open_chats: Chats) -> None:
    (waits,) = open_chats._db.execute("PRAGMA busy_timeout").fetchone()
    assert waits <= 5_000


@example(place=0.0625, bit=7)  # in the name of a table, so that SQLite's own words are no text
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_whatever_bit_is_flipped_a_turn_is_as_it_was_or_told_to_be_damaged(
    tmp_path_factory: pytest.TempPathFactory, place: float, bit: int
) -> None:
    folder = tmp_path_factory.mktemp("flipped")
    chats = Chats.open(folder)
    asked = [
        chats.append(ANN, ONE, StoredTurn(question=f"Question {n}?", answer={"places": [n] * 50}))
        for n in range(20)
    ]
    chats.close()
    data = bytearray((folder / FILE).read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    (folder / FILE).write_bytes(data)
    found = check_chats(folder)
    known = {turn.id: turn for turn in asked}
    chats = Chats.open(folder)
    try:
        turns = chats.turns(ONE)
        wrong = [turn for turn in turns if known.get(turn.id) != turn]
        assert all(turn.problem == LOST for turn in wrong)
        if wrong or len(turns) < len(asked):
            assert found
    except LibraryError:
        assert found
    finally:
        chats.close()
