"""Every reason why a file is skipped has a next step in plain words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from qa.text import all_text
from qa.web.advice import OTHER, advice, kind_of

INDEX = Path(__file__).parents[3] / "index"
# Raised where one page is drawn, not where a document is read.
NOT_OF_A_SYNC = {"no page "}
# A method that hands on a reason it was given, or that is made by a function beside it.
HANDED_ON = {"": "index/library.py"}


def reasons() -> Iterator[tuple[str, str]]:
    """Yield file and beginning of every reason in the code that raises or reports one."""
    for file in sorted(INDEX.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            at = {"FormatError": 0, "Skip": 1, "_fail": 1}.get(name)
            if at is None or len(node.args) <= at:
                continue
            for value in _values(node.args[at], file):
                yield str(file.relative_to(INDEX.parent)), value


def _values(node: ast.expr, file: Path) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr):
        # What stands in braces could be anything; a number fits everywhere.
        yield "".join(str(v.value) if isinstance(v, ast.Constant) else "7" for v in node.values)
    elif isinstance(node, ast.BinOp):
        yield from _values(node.left, file)
    elif isinstance(node, ast.Call):  # _unknown(path)
        called = getattr(node.func, "id", "")
        for made in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(made, ast.FunctionDef) and made.name == called:
                for part in ast.walk(made):
                    if isinstance(part, ast.Return) and part.value is not None:
                        yield from _values(part.value, file)
    elif isinstance(node, ast.Name):  # kind = "a folder" if … else "no ordinary file"
        for made in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(made, ast.Assign) and getattr(made.targets[0], "id", "") == node.id:
                yield from _values(made.value, file)
    elif isinstance(node, ast.IfExp):
        yield from _values(node.body, file)
        yield from _values(node.orelse, file)


# Reasons that are put together where this does not look; each must stand in that file.
PUT_TOGETHER = {
    ("index/scan.py", "its name is not valid UTF-8"),
    ("index/formats/apart.py", "takes too long to read"),
    ("index/formats/apart.py", "needs too much memory"),
    ("index/formats/apart.py", "the reader of this format crashed"),
}

ALL = sorted(
    PUT_TOGETHER
    | {
        (file, reason)
        for file, reason in reasons()
        # "name.txt: no text" is for whoever adds from Python, who reads the message itself.
        if not reason.startswith(("7:", *NOT_OF_A_SYNC)) and file != "index/adding.py"
    }
)


def test_the_reasons_are_found() -> None:
    assert len(ALL) > 35
    found = {reason for _, reason in ALL}
    assert {"empty file", "damaged PDF", "no ordinary file", "binary, not text"} <= found
    assert any(reason.startswith("unknown format") for reason in found)


@pytest.mark.parametrize(("file", "reason"), sorted(PUT_TOGETHER))
def test_a_reason_that_is_put_together_is_there(file: str, reason: str) -> None:
    assert reason in (INDEX.parent / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(("file", "reason"), ALL)
def test_every_reason_is_of_a_known_kind(file: str, reason: str) -> None:
    assert kind_of(reason) != OTHER, file
    told = advice(reason)
    for sentence in (told.why, told.next_step):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert "{" not in sentence


@pytest.mark.parametrize(
    ("reason", "kind", "next_step"),
    [
        ("encrypted; save a copy without a password", "encrypted", "Save a copy without a"),
        ("no text: scanned pages without a text layer", "scanned", "Run it through text"),
        ("too large: 70 MB, the limit is 64 MB", "too_large", "Divide it into smaller"),
        ("cannot be read (Permission denied)", "permission", "Give Quoth permission"),
        ("folder cannot be read (Permission denied)", "permission", "Give Quoth permission"),
        ("cannot be read (Input/output error)", "unreadable", "Check the disk"),
        ("struck by lightning", "other", "Open it in its own program"),
    ],
)
def test_a_reason_has_its_next_step(reason: str, kind: str, next_step: str) -> None:
    told = advice(reason)
    assert told.kind == kind
    assert told.next_step.startswith(next_step)


def test_what_cannot_be_shown_as_it_is_does_not_act() -> None:
    assert advice("odd\x1b[2J\n\u202ereason").why == "It cannot be read: odd␛[2J ‹U+202E›reason."


def test_there_is_no_advice_for_what_never_happens() -> None:
    words = all_text()["documents"]
    kinds = {kind_of(reason) for _, reason in ALL} | {OTHER, "permission", "unreadable"}
    for part in ("why", "next"):
        told = {key.removeprefix(f"{part}_") for key in words if key.startswith(f"{part}_")}
        assert told == kinds
