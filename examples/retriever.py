"""Find passages from Python: `python examples/retriever.py "How often is the lift inspected?"`."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path

from index import Library
from index.errors import QuothError
from qa import Retriever

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Bring the library in step with the documents, then print the passages for a question."""
    parser = argparse.ArgumentParser(description="Print the passages that fit a question.")
    parser.add_argument("question")
    parser.add_argument("--documents", type=Path, default=HERE / "documents")
    parser.add_argument("--library", type=Path, default=HERE / "documents.quoth")
    parser.add_argument("-k", type=int, default=3, help="passages to print")
    options = parser.parse_args()

    with Library.open(options.library, create=True) as library:
        print(library.sync(options.documents), file=sys.stderr)
        for passage in Retriever(library).retrieve(options.question, k=options.k):
            print(f"{passage.score:.4f}  {passage.citation}")
            print(textwrap.indent(passage.text, "        ") + "\n")


if __name__ == "__main__":
    try:
        main()
    except QuothError as error:
        sys.exit(str(error))
