"""A set of two documents whose figures can be worked out by hand, and a reader of numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from qa.reader import Reader

LIFTS = "Lifts are inspected every 12 months.\n\nThe caretaker keeps the book of all repairs."
RENT = (
    "The rent of 640 euros is due on the first day of each month.\n\n"
    "Dogs, cats and parrots are allowed if nobody objects."
)
TEXTS = {"lifts": LIFTS, "rent": RENT}
FIRST, SECOND = (0, 36), (38, 82)  # the sentences of LIFTS


def place(document: str, words: str | None = None, **more: object) -> dict[str, Any]:
    """Where words stand in a document; the whole of it without."""
    start = None if words is None else TEXTS[document].index(words)
    end = None if start is None or words is None else start + len(words)
    return {"document": document, "start": start, "end": end, **more}


def question(id: str, text: str, **changes: object) -> dict[str, Any]:
    """A line of questions.jsonl."""
    return {
        "id": id,
        "question": text,
        "split": "dev",
        "history": [],
        "rewrite": None,
        "answerable": True,
        "context": [],
        "relevant": [],
        "answer_sentences": [],
        "answers": [],
        "answers_mode": "any",
        **changes,
    }


def answer(document: str, words: str) -> dict[str, Any]:
    """A gold answer that stands in a document."""
    return place(document, words, text=words)


QUESTIONS = (
    question(
        "months",
        "How often are lifts inspected?",
        context=[place("lifts", LIFTS[slice(*FIRST)])],
        relevant=[place("lifts")],
        answers=[answer("lifts", "12 months")],
    ),
    question(
        "roof",
        "How many months does the roof last?",
        answerable=False,
        context=[place("lifts", LIFTS[slice(*SECOND)])],
    ),
    question(
        "book",
        "Who keeps the book of repairs?",
        context=[place("lifts")],
        relevant=[place("lifts")],
        answer_sentences=[place("lifts", LIFTS[slice(*SECOND)])],
    ),
    question(
        "animals",
        "Which animals are allowed?",
        relevant=[place("rent")],
        answers=[answer("rent", word) for word in ("Dogs", "cats", "parrots")],
        answers_mode="all",
    ),
    question(
        "rent",
        "And when is it due?",
        history=[{"question": "How high is the rent?", "answer": "The rent is 640 euros."}],
        rewrite="When is the rent due?",
        relevant=[place("rent")],
    ),
)


def write_set(folder: Path, *more: dict[str, Any]) -> Path:
    """Write the set, with more questions, and return its folder."""
    folder.mkdir()
    documents = ({"id": id, "title": "", "text": text} for id, text in TEXTS.items())
    for name, rows in (("documents", documents), ("questions", (*QUESTIONS, *more))):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return folder


def reader_of_numbers(path: Path) -> Reader:
    """Return a real reader whose model takes numbers for answers and nothing else.

    Its logits are 3 for tokens that are numbers, 0 for the mark of "not here", else -3: the
    margin of a sentence with a number is 6, of any other -6.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from tokenizers import Tokenizer

    from index.weights import default_model
    from qa.reader import Reader

    words: Mapping[str, int] = Tokenizer.from_file(
        str(default_model() / "tokenizer.json")
    ).get_vocab()
    table = np.full((len(words), 3), -3, np.float32)
    table[[number for word, number in words.items() if word.isdigit()]] = 3
    table[words["[CLS]"]] = 0
    names = ("input_ids", "attention_mask", "token_type_ids")
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, ["b", "t"]) for n in names]
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["b", "t", 3])
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["logits"]),
        helper.make_node("Identity", ["attention_mask"], ["mask"]),
        helper.make_node("Identity", ["token_type_ids"], ["types"]),
    ]
    graph = helper.make_graph(
        nodes, "numbers", inputs, [output], [numpy_helper.from_array(table, "table")]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return Reader(path)
