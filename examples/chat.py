"""Ask from Python: `python examples/chat.py "Who inspects the lifts?" "And how often?"`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from index import Library
from index.errors import QuothError
from qa import Chat

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Bring the library in step with the documents, then answer a conversation's questions."""
    parser = argparse.ArgumentParser(description="Answer questions that follow one another.")
    parser.add_argument("questions", nargs="+", metavar="question")
    parser.add_argument("--documents", type=Path, default=HERE / "documents")
    parser.add_argument("--library", type=Path, default=HERE / "documents.quoth")
    options = parser.parse_args()

    with Library.open(options.library, create=True) as library:
        print(library.sync(options.documents), file=sys.stderr)
        chat = Chat(library)
        for question in options.questions:
            answer = chat.ask(question)
            print(f"## {question}\n")
            print(f"{answer.to_markdown()}\n")


if __name__ == "__main__":
    try:
        main()
    except QuothError as error:
        sys.exit(str(error))
