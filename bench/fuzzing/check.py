"""What is promised of every file, however bad: each breach is a sentence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator

from index.formats.limits import Limits
from index.ingest import Label, prepare
from index.reports import SyncReport
from index.types import BlockKind, Document

__all__ = ["breaches_of_document", "breaches_of_reason", "breaches_of_report", "class_of"]

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_LANGUAGE = re.compile(r"[a-z]{2}")
_MAX_REASON = 200
_DETAILS = re.compile(r"\d[\d,.]*|page \S+|(?<=format) \.\S+|; known.*|\(known.*|: .*")
_LEVELLED = (BlockKind.HEADING, BlockKind.ITEM)


def breaches_of_document(document: Document, limits: Limits) -> Iterator[str]:
    """Yield what is wrong with a document: its text, blocks, pages, and what becomes of it.

    That blocks are in order and cover the text is checked by `Document` itself, here again.
    """
    text = document.text
    if any(0xD800 <= ord(c) < 0xE000 or c == "\0" for c in text):
        yield "the text has characters that cannot be stored"
    if not any(unicodedata.category(c)[0] not in "CZ" for c in text):
        yield "the document has no visible character"
    if len(text) > limits.max_characters or len(document.pages) > limits.max_pages:
        yield "the document is over the limits"
    end = 0
    for block in document.blocks:
        if not end <= block.start < block.end <= len(text) or text[end : block.start].strip():
            yield f"block [{block.start}, {block.end}) is out of order or leaves text out"
        if not text[block.start : block.end].strip():
            yield f"block [{block.start}, {block.end}) is blank"
        if (block.level > 0) is not (block.kind in _LEVELLED):
            yield f"a {block.kind} has level {block.level}"
        if block.page is not None and not 1 <= block.page <= len(document.pages):
            yield f"a block is on page {block.page} of {len(document.pages)}"
        end = block.end
    for what in (document.title, *document.warnings, *(b.context for b in document.blocks)):
        if what != " ".join(what.split()) or "\0" in what:
            yield f"title, warning or context is not on one line: {what[:60]!r}"
    if document.date is not None and not _DAY.fullmatch(document.date):
        yield f"the date is {document.date!r}"
    if document.language is not None and not _LANGUAGE.fullmatch(document.language):
        yield f"the language is {document.language!r}"
    yield from _breaches_of_pages(document)
    yield from _breaches_of_sentences(document)


def _breaches_of_pages(document: Document) -> Iterator[str]:
    end = 0
    for number, page in enumerate(document.pages, 1):
        if page.number != number or not end <= page.start <= page.end <= len(document.text):
            yield f"page {page.number} at {number} is [{page.start}, {page.end})"
        at = page.start
        for offset, index, length in page.runs:
            if not (at <= offset < offset + length <= page.end and index >= 0):
                yield f"a run on page {number} is outside of it, or out of order"
                break
            at = offset + length
        end = page.end


def _breaches_of_sentences(document: Document) -> Iterator[str]:
    prepared = prepare(document, Label(source=1, path="a/b.txt", type="text"))
    end = 0
    for sentence in prepared.sentences:
        block = document.blocks[sentence.block]
        if not max(end, block.start) <= sentence.start < sentence.end <= block.end:
            yield f"sentence [{sentence.start}, {sentence.end}) is out of its block or order"
        # A long row is divided between two cells, and the bar between them is no text of the file.
        if document.text[end : sentence.start].strip().strip("|").strip():
            yield f"text before sentence [{sentence.start}, {sentence.end}) is in none"
        end = sentence.end
    if document.text[end:].strip():
        yield "text after the last sentence is in none"
    at = 0
    for passage in prepared.passages:
        if passage.first != at or passage.last <= at:
            yield f"passage [{passage.first}, {passage.last}) leaves sentences out"
        at = passage.last
    if at != len(prepared.sentences):
        yield "the last sentences are in no passage"


def breaches_of_reason(reason: str) -> Iterator[str]:
    """Yield what is wrong with the reason why a file gave no document: it is one clause."""
    if not reason or reason != " ".join(reason.split()) or not reason.isprintable():
        yield f"the reason is not on one line: {reason[:80]!r}"
    if len(reason) > _MAX_REASON:
        yield f"the reason has {len(reason)} characters"
    if reason.endswith(".") or "Traceback" in reason or "Error" in reason:
        yield f"the reason is no clause for people: {reason[:80]!r}"


def breaches_of_report(report: SyncReport, paths: Collection[str]) -> Iterator[str]:
    """Yield which of `paths` the report of a first sync leaves out, or names twice."""
    named = [*report.added, *(skip.path for skip in report.skipped)]
    yield from (f"{path!r} is not in the report" for path in sorted(set(paths) - set(named)))
    yield from (
        f"{path!r} is in the report twice" for path in {p for p in named if named.count(p) > 1}
    )
    yield from (f"{path!r} is in the report and not there" for path in set(named) - set(paths))
    for skip in report.skipped:
        yield from breaches_of_reason(skip.reason)


def class_of(reason: str) -> str:
    """Return the kind of a reason: without numbers and names."""
    return " ".join(_DETAILS.sub(" …", reason).split())
