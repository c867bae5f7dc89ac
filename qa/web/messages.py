"""An answer as the markup of one chat message.

Gradio renders messages as Markdown, then sanitises the HTML: forms, remote images and inline
styles survive that. So every word that is not ours is escaped here, once, for HTML, Markdown and
formulas alike, and a message is a single line of markup that Markdown leaves alone.
"""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

from qa.lines import decides_line, differing_words, disagreement_lead, missing_sentence
from qa.visible import long_date, one_line, place, split_short, visible, with_context_once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from index.types import Citation, DocumentInfo
    from qa.types import Answer, Disagreement, Passage, Quote

__all__ = ["answer_message", "error_message", "escape", "question_message"]

# A word joiner keeps the marker on the line of the last word.
_GLUE = "&#8288;"
_MOST_PLACES = 3  # of equal sentences elsewhere


def escape(text: str) -> str:
    """Return `visible(text)` such that HTML, Markdown and formulas show it as it stands.

    Every ASCII character but letters, digits and the space becomes a numeric reference.
    """
    return "".join(map(_escape, visible(text)))


def _escape(char: str) -> str:
    plain = char == " " or char.isalnum() or ord(char) > 127
    return char if plain else f"&#{ord(char)};"


def question_message(question: str) -> str:
    """Return the markup of what the person asked."""
    return f'<div class="asked">{"<br>".join(map(escape, question.splitlines()))}</div>'


def error_message(sentence: str) -> str:
    """Return the markup of one sentence that says why there is no answer."""
    return f'<div class="answer problem"><p>{escape(sentence)}</p></div>'


def answer_message(answer: Answer) -> str:
    """Return the markup of an answer; markers are numbered from 1 within it."""
    numbers = count(1)
    parts = [_searched(answer)]
    if answer.notice:
        parts.append(f'<p class="notice">{_lines(answer.notice)}</p>')
    shown = _disagreeing(answer)
    parts += [_disagreement(pair, numbers) for pair in answer.disagreements]
    if decides := decides_line(answer):
        parts.append(f'<p class="decides">{escape(decides)}</p>')
    rest = [quote for quote in answer.quotes if _place(quote) not in shown]
    parts += [_quote(quote, numbers) for quote in with_context_once(rest)]
    if answer.abstained:
        parts.append(_abstention(answer, numbers))
    kind = "answer abstained" if answer.abstained else "answer"
    return f'<div class="{kind}">{"".join(parts)}</div>'


def _searched(answer: Answer) -> str:
    if not answer.searched_for or answer.searched_for == answer.question:
        return ""
    return f'<p class="searched">Searched for: {escape(answer.searched_for)}</p>'


def _quote(quote: Quote, numbers: Iterator[int], *, dated: bool = False) -> str:
    context = f'<p class="context">{escape(quote.context)}</p>' if quote.context else ""
    date = _date(quote.document) if dated else ""
    return (
        f'<div class="quote">{context}'
        f'<p class="said"><span class="words">“{_with_short(quote)}”</span>'
        f"{_marker(quote.citation, next(numbers))}</p>"
        f'<p class="where">{date}{_where(quote.citation)}</p>'
        f"{_also(quote.also_at, numbers)}</div>"
    )


def _with_short(quote: Quote) -> str:
    split = split_short(quote)
    short = f"<strong>{escape(split.short)}</strong>" if split.short else ""
    return f"{escape(split.before)}{short}{escape(split.after)}"


def _also(places: tuple[Citation, ...], numbers: Iterator[int]) -> str:
    if not places:
        return ""
    names = [f"{_where(other)}{_marker(other, next(numbers))}" for other in places[:_MOST_PLACES]]
    if len(places) > _MOST_PLACES:
        names.append(f"{len(places) - _MOST_PLACES} more places")
    return f'<p class="where">Also in {", ".join(names)}</p>'


def _disagreement(pair: Disagreement, numbers: Iterator[int]) -> str:
    words = differing_words(pair)
    said = ": “{}” against “{}”".format(*map(escape, words)) if words else ""
    sides = _quote(pair.first, numbers, dated=True) + _quote(pair.second, numbers, dated=True)
    return (
        f'<div class="disagreement"><p class="lead">{escape(disagreement_lead(pair))}{said}.</p>'
        f'<div class="sides">{sides}</div></div>'
    )


def _date(document: DocumentInfo) -> str:
    day = document.date
    return f"<strong>{escape(long_date(day))}</strong> · " if day else "undated · "


def _disagreeing(answer: Answer) -> set[tuple[int, int, int]]:
    """Return the places that are shown side by side, so that they are not shown twice."""
    return {_place(quote) for pair in answer.disagreements for quote in (pair.first, pair.second)}


def _place(quote: Quote) -> tuple[int, int, int]:
    return quote.document.id, quote.start, quote.end


def _abstention(answer: Answer, numbers: Iterator[int]) -> str:
    parts = ['<p class="lead">The documents do not say.</p>']
    if answer.missing_words:
        parts.append(f'<p class="missing">{escape(missing_sentence(answer))}</p>')
    if answer.nearest:
        nearest = "".join(_near(passage, numbers) for passage in answer.nearest)
        parts.append(
            '<div class="nearest"><p class="label">Nearest passages, not an answer</p>'
            f"{nearest}</div>"
        )
    return "".join(parts)


def _near(passage: Passage, numbers: Iterator[int]) -> str:
    where = _where(passage.citation)
    return (
        f'<div class="near"><p class="said"><span class="words">{_paragraphs(passage.text)}</span>'
        f'</p><p class="where">{where}{_marker(passage.citation, next(numbers))}</p></div>'
    )


def _where(citation: Citation) -> str:
    return f'<span class="words">{escape(one_line(str(citation)))}</span>'


def _marker(citation: Citation, number: int) -> str:
    # The reference is digits, hexadecimal digits, "-" and "/" only.
    title = escape(f"Open {place(citation)}")
    link = f'<a class="cite" href="#cite/{citation.ref}" title="{title}">[{number}]</a>'
    return f"{_GLUE}{link}"


def _paragraphs(text: str) -> str:
    """Return `text` with a line for each of its paragraphs; the page draws white space as one."""
    return "<br>".join(escape(part) for part in re.split(r"\n\s*\n", text))


def _lines(text: str) -> str:
    return "<br>".join(map(escape, text.splitlines()))
