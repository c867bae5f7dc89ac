"""Questions and answers as one HTML page that loads nothing, runs nothing and prints well."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from importlib.resources import files

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
from qa.text import LANGUAGE, text
from qa.types import Answer, Passage, Quote
from qa.visible import (
    file_name,
    long_date,
    one_line,
    page_name,
    split_short,
    visible,
    with_context_once,
)

__all__ = ["turns_to_html"]

# Nothing is loaded and nothing runs, whatever the words are: the second wall behind the escaping.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_LANGUAGE = re.compile(r"[a-z]{2,3}")


def turns_to_html(title: str, turns: Sequence[ExportedTurn], made_at: str) -> str:
    """Return the turns as a page: a section each, then the documents and how to check a quote."""
    name = title_of(title, turns)
    facts = "".join(f"<li>{escape(fact)}</li>" for fact in facts_of(turns, made_at))
    sections = "\n".join(map(_turn, turns)) or _paragraph(text("export.nothing"), "quiet")
    return (
        f'<!DOCTYPE html>\n<html lang="{LANGUAGE}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_words(name)}</title>\n<style>\n{_style()}</style>\n</head>\n<body>\n"
        f'<header>\n<h1 dir="auto">{_words(name)}</h1>\n<ul class="facts">{facts}</ul>\n</header>\n'
        f"<main>\n{sections}\n</main>\n{_footer(turns)}</body>\n</html>\n"
    )


@cache
def _style() -> str:
    return (files("qa") / "data" / "export.css").read_text(encoding="utf-8")


def _words(text: str) -> str:
    return escape(one_line(text))


def _bdi(text: str) -> str:
    """Return a name that may be of another direction than the words around it."""
    return f"<bdi>{_words(text)}</bdi>"


def _paragraph(words: str, name: str) -> str:
    return f'<p class="{name}" dir="auto">{_words(words)}</p>'


# A turn --------------------------------------------------------------------------------------


def _turn(turn: ExportedTurn) -> str:
    asked = "<br>".join(map(_words, visible(turn.question).splitlines()))
    parts = [f'<h2 dir="auto">{asked}</h2>', *_notes(turn)]
    if turn.problem:
        parts.append(_paragraph(turn.problem, "problem"))
    if turn.answer:
        parts += _answer(turn.answer)
    if turn.lost:
        parts.append(_paragraph(text("export.lost", n=turn.lost), "quiet"))
    return "<section>\n" + "\n".join(parts) + "\n</section>"


def _notes(turn: ExportedTurn) -> Iterator[str]:
    notes = []
    if turn.asked_at:
        notes.append(escape(text("export.asked", time=long_time(turn.asked_at))))
    if where := searched_in(turn.where):
        notes.append(_bdi(where))
    if turn.answer and turn.answer.searched_for != turn.answer.question:
        notes.append(_bdi(text("answer.searched_for", words=turn.answer.searched_for)))
    if notes:
        yield f'<p class="quiet">{" · ".join(notes)}</p>'


def _answer(answer: Answer) -> Iterator[str]:
    for line in visible(answer.notice).splitlines():
        yield _paragraph(line, "notice")
    if answer.abstained:
        yield _abstention(answer)
    if decides := decides_line(answer):
        yield _paragraph(decides, "quiet")
    numbers = {_span(quote.citation): n for n, quote in enumerate(answer.quotes, 1)}
    shown: set[tuple[int, int, int]] = set()
    for pair in answer.disagreements:
        sides = [pair.first, pair.second]
        shown.update(_span(quote.citation) for quote in sides)
        quotes = "\n".join(_quote(quote, numbers.get(_span(quote.citation))) for quote in sides)
        sentence = disagreement_sentence(pair, answer.quotes)
        yield (
            f'<div class="disagreement">\n{_paragraph(sentence, "lead")}\n'
            f'<div class="sides">\n{quotes}\n</div>\n</div>'
        )
    rest = [quote for quote in answer.quotes if _span(quote.citation) not in shown]
    for quote in with_context_once(rest):
        yield _quote(quote, numbers[_span(quote.citation)])


def _span(citation: Citation) -> tuple[int, int, int]:
    return citation.document, citation.start, citation.end


def _abstention(answer: Answer) -> str:
    parts = [_paragraph(text("answer.silent"), "lead")]
    if answer.missing_words:
        parts.append(_paragraph(missing_sentence(answer), "missing"))
    if answer.nearest:
        parts.append(_paragraph(text("answer.nearest"), "quiet"))
        parts += map(_near, answer.nearest)
    return '<div class="abstained">\n' + "\n".join(parts) + "\n</div>"


def _quote(quote: Quote, number: int | None) -> str:
    split = split_short(quote)
    short = f"<mark>{escape(split.short)}</mark>" if split.short else ""
    words = f"“{escape(split.before)}{short}{escape(split.after)}”"
    context = _paragraph(quote.context, "context") if quote.context else ""
    mark = f'<span class="number">[{number}]</span> ' if number else ""
    facts = _facts(quote.citation, quote.document)
    if quote.also_at:
        places = "; ".join(_place(other) for other in quote.also_at)
        facts += f"<br>{text('export.also_in', places=places)}"
    return (
        f"<figure>{context}<blockquote{_language(quote.document)}>"
        f'<p dir="auto">{words}</p></blockquote>\n'
        f"<figcaption>{mark}{_place(quote.citation)}<br>{facts}</figcaption></figure>"
    )


def _near(passage: Passage) -> str:
    paragraphs = re.split(r"\n\s*\n", visible(passage.text))
    words = "".join(f'<p dir="auto">{_words(each)}</p>' for each in paragraphs if each.strip())
    return (
        f'<figure class="near"><blockquote{_language(passage.document)}>{words}</blockquote>\n'
        f"<figcaption>{_place(passage.citation)}<br>"
        f"{_facts(passage.citation, passage.document)}</figcaption></figure>"
    )


def _language(document: DocumentInfo) -> str:
    code = document.language or ""
    return f' lang="{code}"' if _LANGUAGE.fullmatch(code) and code != LANGUAGE else ""


def _place(citation: Citation) -> str:
    parts = [f"<cite>{_bdi(file_name(citation.path))}</cite>"]
    if citation.page is not None:
        parts.append(page_name(citation.page))
    if sections := [name for name in citation.headings if name != citation.title]:
        parts.append(" › ".join(map(_bdi, sections)))
    return " · ".join(parts)


def _facts(citation: Citation, document: DocumentInfo) -> str:
    span = text("export.characters", first=citation.start, last=citation.end)
    return f'{escape(dated(document))} · <span class="span">{escape(span)}</span>'


# The documents -------------------------------------------------------------------------------


def _footer(turns: Sequence[ExportedTurn]) -> str:
    documents = documents_of(turns)
    if not documents:
        return ""
    columns = ("document", "date", "indexed", "fingerprint")
    head = "".join(f'<th scope="col">{text(f"export.column_{name}")}</th>' for name in columns)
    rows = "\n".join(map(_row, documents))
    return (
        f"<footer>\n<h2>{text('export.documents')}</h2>\n"
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n"
        f"<h2>{text('export.check')}</h2>\n<p>{escape(text('export.check_words'))}</p>\n"
        f"<p>{escape(text('export.check_offsets'))}</p>\n</footer>\n"
    )


def _row(info: DocumentInfo) -> str:
    titled = f"<br>{_bdi(info.title)}" if info.title and info.title != info.name else ""
    pages = f"<br>{text('export.pages', n=info.pages)}" if info.pages else ""
    day = escape(long_date(info.date)) if info.date else "–"
    path = f"<cite>{_bdi(file_name(info.path))}</cite>"
    return (
        f'<tr><th scope="row">{path}{titled}{pages}</th><td>{day}</td>'
        f"<td>{escape(long_time(info.indexed_at))}</td>"
        f'<td class="hash">{escape(info.text_hash)}</td></tr>'
    )
