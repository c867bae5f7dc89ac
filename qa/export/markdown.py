"""Questions and answers as Markdown; no word of a document is ever markup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from index.types import Citation, DocumentInfo
from qa.export.parts import (
    ExportedTurn,
    dated,
    documents_of,
    facts_of,
    long_time,
    searched_in,
    title_of,
)
from qa.lines import decides_line, disagreement_sentence, missing_sentence
from qa.render import escape_markdown, notice_to_markdown, quote_to_markdown
from qa.text import text
from qa.types import Answer, Passage, Quote
from qa.visible import file_name, place, with_context_once

__all__ = ["turns_to_markdown"]


def turns_to_markdown(title: str, turns: Sequence[ExportedTurn], made_at: str) -> str:
    """Return the turns as Markdown: a heading each, quotes as block quotes with their places."""
    blocks = [f"# {escape_markdown(title_of(title, turns))}"]
    blocks.append(escape_markdown(" · ".join(facts_of(turns, made_at))))
    for turn in turns:
        blocks.extend(_turn(turn))
    if documents := documents_of(turns):
        blocks.append(f"## {text('export.documents')}")
        blocks.append("\n".join(f"- {_document(info)}" for info in documents))
        blocks.append(f"## {text('export.check')}")
        blocks.append(escape_markdown(text("export.check_words")))
        blocks.append(escape_markdown(text("export.check_offsets")))
    return "\n\n".join(blocks) + "\n"


def _turn(turn: ExportedTurn) -> Iterator[str]:
    yield f"## {escape_markdown(turn.question)}"
    notes = [text("export.asked", time=long_time(turn.asked_at))] if turn.asked_at else []
    notes += [note for note in [searched_in(turn.where)] if note]
    if turn.answer and turn.answer.searched_for != turn.answer.question:
        notes.append(text("answer.searched_for", words=turn.answer.searched_for))
    if notes:
        yield f"*{escape_markdown(' · '.join(notes))}*"
    if turn.problem:
        yield f"**{escape_markdown(turn.problem)}**"
    if turn.answer:
        yield from _answer(turn.answer)
    if turn.lost:
        yield escape_markdown(text("export.lost", n=turn.lost))


def _answer(answer: Answer) -> Iterator[str]:
    if answer.notice:
        yield notice_to_markdown(answer.notice)
    if answer.abstained:
        yield f"**{escape_markdown(text('answer.silent'))}**"
        if answer.missing_words:
            yield escape_markdown(missing_sentence(answer))
        if answer.nearest:
            yield escape_markdown(text("answer.nearest"))
            yield from map(_near, answer.nearest)
    if decides := decides_line(answer):
        yield f"*{escape_markdown(decides)}*"
    for disagreement in answer.disagreements:
        yield f"**{escape_markdown(disagreement_sentence(disagreement, answer.quotes))}**"
    for number, quote in enumerate(with_context_once(answer.quotes), 1):
        yield quote_to_markdown(quote, number, escape_markdown(_source(quote)))


def _near(passage: Passage) -> str:
    where = " · ".join((place(passage.citation), _characters(passage.citation)))
    return f"> {escape_markdown(passage.text)}\n>\n> {escape_markdown(where)}"


def _source(quote: Quote) -> str:
    facts = [place(quote.citation), dated(quote.document), _characters(quote.citation)]
    if quote.also_at:
        places = "; ".join(place(other) for other in quote.also_at)
        facts.append(text("export.also_in", places=places))
    return " · ".join(facts)


def _characters(citation: Citation) -> str:
    return text("export.characters", first=citation.start, last=citation.end)


def _document(info: DocumentInfo) -> str:
    facts = [file_name(info.path)]
    if info.title and info.title != info.name:
        facts[0] += f": {info.title}"
    facts.append(dated(info))
    if info.pages:
        facts.append(text("export.pages", n=info.pages))
    facts.append(text("export.indexed", time=long_time(info.indexed_at)))
    facts.append(text("export.fingerprint", hash=info.text_hash))
    return escape_markdown(" · ".join(facts))
