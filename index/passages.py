"""Sentences grouped into passages: what is retrieved and shown together.

A passage never leaves its section. A paragraph is a passage; short ones, list items and
table rows that follow each other are put together, long ones are cut between sentences.
The sizes are measured, see docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from index.types import Block, BlockKind, Document, PassageSpan, Sentence

__all__ = ["PASSAGES_VERSION", "group"]

PASSAGES_VERSION = "1"

SMALL = 40  # words below which a passage takes in the next block
LARGE = 160  # words above which a passage takes in nothing more, and a block is cut


def group(document: Document, sentences: Sequence[Sentence]) -> list[PassageSpan]:
    """Return passages that cover `sentences` in order, each sentence in exactly one."""
    passages: list[PassageSpan] = []
    words = [len(document.text[s.start : s.end].split()) for s in sentences]
    pending: list[int] = []
    for run in _blocks(document, sentences):
        if pending and not _together(document, sentences, words, pending, run):
            passages.extend(_passages(document, sentences, words, pending))
            pending = []
        pending.extend(run)
    if pending:
        passages.extend(_passages(document, sentences, words, pending))
    return passages


def _blocks(document: Document, sentences: Sequence[Sentence]) -> Iterator[list[int]]:
    """Yield the numbers of the sentences of one block after the other."""
    run: list[int] = []
    for number, sentence in enumerate(sentences):
        if run and sentences[run[-1]].block != sentence.block:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def _together(
    document: Document,
    sentences: Sequence[Sentence],
    words: Sequence[int],
    pending: Sequence[int],
    run: Sequence[int],
) -> bool:
    """Return whether the block `run` belongs into the passage that is being made."""
    last = document.blocks[sentences[pending[-1]].block]
    block = document.blocks[sentences[run[0]].block]
    if block.kind is BlockKind.HEADING:
        # Headings without text between them ("Part 3", "3.1 Scope") stay together.
        return last.kind is BlockKind.HEADING and _opens(last, block)
    if last.kind is BlockKind.HEADING:
        return True
    size = sum(words[i] for i in pending)
    if size + sum(words[i] for i in run) > LARGE:
        return False
    return size < SMALL or block.kind in (BlockKind.ITEM, BlockKind.ROW)


def _opens(outer: Block, inner: Block) -> bool:
    return len(inner.headings) > len(outer.headings)


def _passages(
    document: Document, sentences: Sequence[Sentence], words: Sequence[int], numbers: Sequence[int]
) -> Iterator[PassageSpan]:
    """Yield `numbers` as one passage, or as several of about equal size when they are many."""
    total = sum(words[i] for i in numbers)
    parts = -(-total // LARGE)
    share = total / max(parts, 1)
    part: list[int] = []
    done = size = 0
    for number in numbers:
        if part and size + words[number] / 2 > share * (done + 1):
            yield _passage(document, sentences, part)
            part, done = [], done + 1
        part.append(number)
        size += words[number]
    yield _passage(document, sentences, part)


def _passage(
    document: Document, sentences: Sequence[Sentence], numbers: Sequence[int]
) -> PassageSpan:
    first, last = numbers[0], numbers[-1]
    block = document.blocks[sentences[last].block]
    contexts = [document.blocks[sentences[i].block].context for i in numbers]
    return PassageSpan(
        start=sentences[first].start,
        end=sentences[last].end,
        first=first,
        last=last + 1,
        headings=block.headings,
        page=document.page_at(sentences[first].start),
        context=next((context for context in contexts if context), ""),
    )
