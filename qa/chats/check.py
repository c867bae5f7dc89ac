"""The file of conversations looked over: is all of it what was kept?"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from index.check import Finding, Severity
from index.errors import LibraryError
from qa.chats.file import FILE, SEALED_SINCE, UnusableError, check_file, decoded, is_busy
from qa.chats.seals import (
    seal_conversation,
    seal_turn,
    unsealed_conversations,
    unsealed_turns,
)
from qa.chats.store import Chats
from qa.text import text
from qa.visible import one_line

__all__ = ["check_chats", "opened_read_only", "repair_chats"]

_KIND = "conversations"
_SET_ASIDE = (
    "`quoth doctor --repair`, or the next start of the server, keeps it under another name and "
    "begins a new one; a backup may have the old conversations."
)


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
        findings.append(_unusable(f"The file of conversations {error}.", _SET_ASIDE))
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if isinstance(error, sqlite3.Error) and is_busy(error):
            advice = "Check again when nobody asks."
        elif isinstance(error, sqlite3.OperationalError):
            advice = f"Look whether {path} may be read and is a file."
        else:
            advice = _SET_ASIDE
        reason = one_line(str(error))
        findings.append(_unusable(f"The file of conversations cannot be read ({reason}).", advice))
    return tuple(findings)


def repair_chats(folder: Path) -> tuple[str, ...]:
    """Mend what `check_chats` finds, and return what was done, a sentence each.

    A file that cannot be used is set aside. Answers that are damaged are given up: the question
    stays, with a sentence in the place of the answer.

    Raises:
        LibraryError: The file is busy or cannot be written.
    """
    before = check_chats(folder)
    if not any(finding.repairable for finding in before):
        return ()
    done = [
        "The file of conversations is kept under another name and a new one begun."
        for finding in before
        if finding.where == FILE and finding.repairable
    ]
    chats = Chats.open(folder)
    chats.close()
    if not chats.persistent:
        raise LibraryError(f"{folder / FILE} cannot be written to; nothing was mended in it.")
    if done:
        return tuple(done)
    try:
        return _given_up(folder / FILE)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise LibraryError(
            f"{folder / FILE} cannot be mended now ({one_line(str(error))}); try again later."
        ) from error


def _given_up(path: Path) -> tuple[str, ...]:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.text_factory = decoded
        db.execute("PRAGMA busy_timeout = 5000")
        db.execute("BEGIN IMMEDIATE")
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
    done = []
    if turns:
        done.append(f"Damaged answers in conversations were given up: {len(turns)}.")
    if conversations:
        done.append(
            f"Conversations whose title, owner or times are damaged were kept as they are: "
            f"{len(conversations)}."
        )
    return tuple(done)


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
    (sound,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    if sound != "ok":
        yield _unusable(f"The file of conversations is damaged ({one_line(sound)}).", _SET_ASIDE)
        return
    (loose,) = db.execute(
        "SELECT count(*) FROM turns WHERE conversation NOT IN (SELECT id FROM conversations)"
    ).fetchone()
    if loose:
        yield _damaged(f"{loose} answers belong to no conversation.", "")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version < SEALED_SINCE:
        return
    for number in unsealed_turns(db):
        yield _damaged(f"Turn {number} of a conversation is not what was kept.", f"turn {number}")
    for _ in unsealed_conversations(db):
        yield _damaged("The title, owner or times of a conversation are not what was kept.", "")


def _unusable(message: str, advice: str) -> Finding:
    return Finding(
        kind=_KIND, where=FILE, message=message, advice=advice, repairable=advice is _SET_ASIDE
    )


def _damaged(message: str, where: str) -> Finding:
    return Finding(
        kind=_KIND,
        where=where or "a conversation",
        message=message,
        advice="`quoth doctor --repair` gives up the answer and keeps the question; a backup may "
        "have it.",
        repairable=True,
    )
