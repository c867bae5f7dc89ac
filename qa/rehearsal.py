"""A small sync and some questions, for `quoth doctor --offline` to watch.

`python -m qa.rehearsal [LIBRARY]` makes a library of a few sentences in a temporary folder and
asks it; then it asks LIBRARY, which it only reads. It prints what it did as one JSON object.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from index.errors import QuothError
from index.library import Library

__all__ = ["main"]

# A file of each format that can be written by hand: its reader may be a process of its own.
_FILES = {
    "lift.txt": "The lift is inspected every twelve months.\n\nThe caretaker keeps the book.\n",
    "garden.md": "# Garden\n\nDogs are kept on a lead.\n\n- The hose is rolled up at night.\n",
    "notice.html": "<html><body><h1>Boiler</h1><p>The boiler is from 2019.</p></body></html>\n",
    "prices.csv": "Item,Price\nSpare key,12 pounds\n",
}
_QUESTIONS = (
    "How often is the lift inspected?",
    "And who keeps the book?",
    "What does a spare kye cost?",
    "Is there a swimming pool?",
)


def _asked(library: Library, questions: Iterable[str]) -> int:
    """Ask the questions in one conversation, and find their words; return how many."""
    from qa.chat import Chat

    chat = Chat(library)
    answers = [chat.ask(question) for question in questions]
    return len(answers)


def _titles(library: Library) -> list[str]:
    """Return a few questions about a library that is not known."""
    named = [f"What is {info.title} about?" for info in library.documents()[:2]]
    return ["Which documents do you have?", *(question[:200] for question in named)]


def main(arguments: list[str]) -> int:
    """Sync and ask, print what was done, and return the exit status."""
    done: dict[str, object] = {}
    try:
        with TemporaryDirectory(prefix="quoth-") as temporary:
            folder = Path(temporary) / "documents"
            folder.mkdir()
            for name, text in _FILES.items():
                (folder / name).write_text(text, "utf-8")
            with Library.open(Path(temporary) / "rehearsal.quoth", create=True) as library:
                done["synced"] = len(library.sync(folder).added)
                done["asked"] = _asked(library, _QUESTIONS)
        for path in arguments:
            with Library.open(path, read_only=True) as library:
                done["asked_library"] = _asked(library, _titles(library))
    except (QuothError, OSError) as error:
        done["failed"] = str(error)
    sys.stdout.write(json.dumps(done) + "\n")
    return 1 if "failed" in done else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
