"""The file of conversations looked over: is all of it what was kept?"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from index.errors import LibraryError
from index.upkeep.check import Finding, Severity
from qa.chats.file import (
    FILE,
    SEALED_SINCE,
    UnusableError,
    alone,
    check_file,
    decoded,
    is_busy,
    is_damage,
    open_sound,
    set_aside,
)
from qa.chats.seals import (
    seal_conversation,
    seal_turn,
    unsealed_conversations,
    unsealed_turns,
)
from qa.text import text
from qa.visible import one_line

__all__ = ["check_chats", "opened_read_only", "repair_chats"]

_KIND = "conversations"
_SET_ASIDE = (
    "`quoth doctor --repair`, or the next start of the server, keeps it under another name and "
    "begins a new one; a backup may have the old conversations."
)

_REINDEX = (
    "`quoth doctor --repair` makes its indexes anew, which loses nothing, and where that does not "
    "help keeps the file under another name and begins a new one."
)
_GIVE_UP = (
    "`quoth doctor --repair` gives up the answer and keeps the question; a backup may have it."
)
_KEEP = (
    "`quoth doctor --repair` takes it as it is now. If it is the owner that is damaged, the one "
    "whose conversation it is never sees it again; a backup may have it."
)
_DELETE = (
    "`quoth doctor --repair` deletes them, as nobody can see them; a backup may have them whole."
)
_LOOSE = "conversation NOT IN (SELECT id FROM conversations)"


def check_chats(folder: Path) -> tuple[Finding, ...]:
    """Return all that is wrong with the conversations of a library; they are only read.

    Nothing in them makes an answer of the library wrong, so each is a finding by itself.
    """
    path = folder / FILE
    findings = [
        Finding(
            kind=_KIND,
            where=aside.name,
            message=f"{aside.name} holds conversations that could not be used and were set aside.",
            advice="Keep it if you want somebody to look at it, else delete it.",
            severity=Severity.NOTICE,
        )
        for aside in sorted(folder.glob("chats-aside-*.db"))
    ]
    if not os.path.lexists(path):
        return tuple(findings)
    try:
        with closing(opened_read_only(path)) as db:
            findings += _faults(db)
    except UnusableError as error:
        findings.append(_unusable(f"The file of conversations {error}.", _SET_ASIDE, True))
    except (sqlite3.Error, UnicodeDecodeError) as error:
        repairable = False
        if isinstance(error, sqlite3.Error) and is_busy(error):
            advice = "Check again when nobody asks."
        elif isinstance(error, sqlite3.OperationalError):
            advice = f"Look whether {path} may be read and is a file."
        else:
            advice, repairable = _SET_ASIDE, True
        message = f"The file of conversations cannot be read ({one_line(str(error))})."
        findings.append(_unusable(message, advice, repairable))
    return tuple(findings)


def repair_chats(folder: Path) -> tuple[str, ...]:
    """Mend what `check_chats` finds, and return what was done, a sentence each.

    Where making the indexes anew does not make the file whole, it is set aside. Answers that are
    damaged are given up: the question stays, with a sentence in the place of the answer.

    Raises:
        LibraryError: The file is busy or cannot be written.
    """
    if not any(finding.repairable for finding in check_chats(folder)):
        return ()
    path = folder / FILE
    try:
        with alone(path):
            return tuple(_mended(path))
    except (OSError, sqlite3.Error, UnicodeDecodeError, UnusableError) as error:
        raise LibraryError(
            f"{path} cannot be mended now ({one_line(str(error))}); stop the server that uses "
            "it, make room if the disk is full, and try again."
        ) from error


def _mended(path: Path) -> list[str]:
    try:
        db = open_sound(path)
    except UnusableError as error:
        return _begun_anew(path, str(error))
    done = []
    with closing(db):
        whole = _whole(db) == "ok"
        if not whole and (whole := _whole_with_new_indexes(db)):
            done.append("The indexes of the file of conversations were made anew.")
        if whole:
            return done + _given_up(db)
    return _begun_anew(path, "is damaged")


def _begun_anew(path: Path, reason: str) -> list[str]:
    set_aside(path, reason)
    open_sound(path).close()
    return ["The file of conversations is kept under another name and a new one begun."]


def _whole(db: sqlite3.Connection) -> str:
    """Return "ok", or what is wrong, indexes included: nobody looks at those at a start."""
    return str(db.execute("PRAGMA integrity_check(1)").fetchone()[0])


def _whole_with_new_indexes(db: sqlite3.Connection) -> bool:
    try:
        db.execute("REINDEX")
        return _whole(db) == "ok"
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if is_damage(error):
            return False
        raise


def _given_up(db: sqlite3.Connection) -> list[str]:
    db.execute("BEGIN IMMEDIATE")
    loose = db.execute(f"DELETE FROM turns WHERE {_LOOSE}").rowcount
    turns, conversations = list(unsealed_turns(db)), list(unsealed_conversations(db))
    for number in turns:
        db.execute(
            "UPDATE turns SET answer = NULL, problem = ?, \"where\" = NULL, feedback = '',"
            " judged_at = NULL, question = CAST(question AS TEXT) WHERE id = ?",
            (text("conversations.damaged"), number),
        )
        seal_turn(db, number)
    for id in conversations:
        seal_conversation(db, id)
    db.execute("COMMIT")
    done = {
        "Turns that belonged to no conversation were deleted": loose,
        "Damaged answers in conversations were given up": len(turns),
        "Conversations whose title, owner or times are damaged were kept as they are, and one "
        "whose owner is damaged is seen by nobody": len(conversations),
    }
    return [f"{what}: {count}." for what, count in done.items() if count]


def opened_read_only(path: Path) -> sqlite3.Connection:
    """Return a connection to a file of conversations that changes nothing.

    Raises:
        UnusableError: It is none, or damaged.
        sqlite3.Error: It cannot be read.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro"
    log = path.with_name(f"{FILE}-wal")
    if not os.access(path.parent, os.W_OK) and not log.exists():
        uri += "&immutable=1"  # where nothing can be written, as on a medium that is read only
    db = sqlite3.connect(uri, uri=True, isolation_level=None)
    db.text_factory = decoded
    try:
        db.execute("PRAGMA busy_timeout = 5000")
        check_file(db)
    except BaseException:
        db.close()
        raise
    return db


def _faults(db: sqlite3.Connection) -> Iterator[Finding]:
    db.execute("BEGIN")  # everything of one state, whoever writes meanwhile
    if (whole := _whole(db)) != "ok":
        yield _unusable(
            f"The file of conversations is damaged ({one_line(whole)}).", _REINDEX, True
        )
        return
    (loose,) = db.execute(f"SELECT count(*) FROM turns WHERE {_LOOSE}").fetchone()
    if loose:
        yield _damaged(f"Turns that belong to no conversation: {loose}.", _DELETE)
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version < SEALED_SINCE:
        return
    for number in unsealed_turns(db):
        message = f"Turn {number} of a conversation is not what was kept."
        yield _damaged(message, _GIVE_UP, f"turn {number}")
    for _ in unsealed_conversations(db):
        message = "The title, owner or times of a conversation are not what was kept."
        yield _damaged(message, _KEEP)


def _unusable(message: str, advice: str, repairable: bool) -> Finding:
    return Finding(kind=_KIND, where=FILE, message=message, advice=advice, repairable=repairable)


def _damaged(message: str, advice: str, where: str = "a conversation") -> Finding:
    return Finding(kind=_KIND, where=where, message=message, advice=advice, repairable=True)
