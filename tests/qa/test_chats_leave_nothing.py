"""What a removed document said is in no file of the conversations, whatever was asked about it."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from small import HashEncoder, write

from index import Filter, Library
from qa.chats import Chats
from qa.web.conversations import Conversations

ANN, ONE = "ann", "conversation-number-one"
# Words that stand nowhere else: in names, titles, headings, a table, a list, two that disagree.
TOLD = {
    "zarquon/klimbo.md": (
        "# Vrubbel manual\n\n## Quastenhof\n\nThe boiler was installed in 2016 by Drusilla Wemmock"
        " of Ploverine.\n\nThe caretaker must:\n\n- bleed the gromblers\n- check the fizzwick\n"
    ),
    "zarquon/reach.txt": "Drusilla Wemmock can be reached by telephone at Ploverine.",
    "zarquon/old.md": (
        "---\ndate: 2021-03-01\n---\n\n# Thrumble\n\nA dovecot ticket costs 80 pounds."
    ),
    "zarquon/new.md": (
        "---\ndate: 2024-03-01\n---\n\n# Thrumble\n\nA dovecot ticket costs 95 pounds."
    ),
    "keys.csv": "Snorkwidge,Fee\nSpare key,12 pounds\nJibberlatch,40 pounds\n",
}
KEPT = {"stays.txt": "The garden is open from eight to twenty.\n\nDogs are kept on a lead."}
TALK = (
    "Who installed the boiler?",
    "How can she be reached?",
    "How much is a ticket?",
    "Which is the newest telephon?",
    "What must the caretaker do?",
    "What does a spare key cost?",
    "Which documents do you have?",
    "Who won the chess tournament in Reykjavik?",
    "Are dogs kept on a lead?",
)
THEIRS = {
    word
    for text in (*TOLD, *TOLD.values())
    for word in re.findall(r"[a-z]{6,}", text.casefold())
    if word not in " ".join((*TALK, *KEPT.values())).casefold()
} - {"pounds"}  # of no one document


def words_in(folder: Path) -> set[str]:
    """Return which words of the documents stand in the files of conversations, in any coding."""
    data = b"".join(file.read_bytes() for file in folder.glob("chats*")).lower()
    return {word for word in THEIRS if word.encode() in data or word.encode("utf-16-le") in data}


def test_no_word_of_a_document_is_in_the_file_before_or_after_it_is_removed(
    tmp_path: Path,
) -> None:
    assert {"drusilla", "wemmock", "ploverine", "zarquon", "klimbo", "vrubbel", "jibberlatch",
            "gromblers", "fizzwick", "quastenhof", "dovecot", "thrumble"} <= THEIRS  # fmt: skip
    folder = write(tmp_path / "town", TOLD | KEPT)
    with Library.open(tmp_path / "t.quoth", create=True, encoder=HashEncoder()) as library:
        library.sync(folder)
        chats = Chats.open(library.path)
        conversation = Conversations(library, chats).get(ANN, ONE)
        turns = [turn for question in TALK if (turn := conversation.ask(question)) is not None]
        numbers = frozenset(info.id for info in library.documents() if info.path in TOLD)
        last = conversation.ask("Who installed the boiler?", where=Filter(documents=numbers))
        assert last is not None
        answers = [turn.answer for turn in (*turns, last) if turn.answer is not None]
        # Much was quoted, taken over, mended and contradicted.
        assert len(answers) == len(TALK) + 1
        quoted = " ".join(quote.text for answer in answers for quote in answer.quotes).casefold()
        assert {"drusilla", "gromblers", "dovecot"} <= {*re.findall("[a-z]+", quoted)}
        assert any(answer.disagreements for answer in answers)
        assert any("Drusilla" in answer.searched_for for answer in answers)
        for turn, value in zip(turns, ("good", "wrong_place", "not_answered"), strict=False):
            chats.set_feedback(ANN, ONE, turn.id, value)
        assert words_in(library.path) == set()

        library.remove(*sorted(numbers))
        library.compact()
        assert sum(turn.lost for turn in conversation.turns) > 3
        conversation.ask("And now?")
        chats.close()
        assert words_in(library.path) == set()
    modes = {stat.S_IMODE(file.stat().st_mode) for file in library.path.glob("chats*")}
    assert modes == {0o600}
