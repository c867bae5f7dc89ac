"""An answer as the markup of one chat message.

Gradio renders messages as Markdown, then sanitises the HTML: forms, remote images and inline
styles survive that. So every word that is not ours is escaped here, once, for HTML, Markdown and
formulas alike, and a message is a single line of markup that Markdown leaves alone.

What a message must say to the script of the page is in its `id`s and `class`es: the sanitiser
drops `data-` and `aria-` attributes. `chat.js` adds the latter.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from qa.lines import decides_line, differing_words, disagreement_lead, missing_sentence
from qa.text import text
from qa.visible import (
    long_date,
    named_path,
    one_line,
    page_name,
    place,
    split_short,
    visible,
    with_context_once,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from index.types import Citation, DocumentInfo
    from qa.types import Answer, Disagreement, Passage, Quote
    from qa.web.conversations import Turn

__all__ = [
    "answer_message",
    "escape",
    "pending_message",
    "problem_message",
    "question_message",
    "turn_messages",
]

_LONGEST_GLUED = 24  # characters of the last word that its marker stays beside
_MOST_PLACES = 12  # of equal sentences elsewhere
_MOST_MORE = 8  # passages below the fold


def escape(text: str) -> str:
    """Return `visible(text)` such that HTML, Markdown and formulas show it as it stands.

    Every ASCII character but letters, digits and the space becomes a numeric reference.
    """
    return "".join(map(_escape, visible(text)))


def _escape(char: str) -> str:
    plain = char == " " or char.isalnum() or ord(char) > 127
    return char if plain else f"&#{ord(char)};"


def turn_messages(turn: Turn) -> tuple[str, str]:
    """Return the markup of a question and of what came of it."""
    asked = question_message(turn.question, number=turn.id)
    if turn.answer is None:
        return asked, _problem(turn)
    chosen = turn.where.documents if turn.where is not None else None
    reply = answer_message(
        turn.answer,
        number=turn.id,
        chosen=None if chosen is None else len(chosen),
        lost=turn.lost,
        feedback=turn.feedback,
    )
    return asked, reply


def question_message(question: str, *, number: int | None = None) -> str:
    """Return the markup of what the person asked; `number` is that of its turn."""
    words = _lines(question)
    if number is None:
        return f'<div class="asked"><div class="bubble">{words}</div></div>'
    return (
        f'<div class="asked" id="asked-{number}"><div class="bubble">{words}</div>'
        f"{_button('edit', 'chat.edit')}</div>"
    )


def pending_message(status: str) -> str:
    """Return the markup that stands where an answer is being looked for."""
    return f'<div class="answer pending"><p class="status">{escape(status)}</p></div>'


def problem_message(sentence: str, *, gone: bool = False) -> str:
    """Return the markup of one sentence that says why nothing can be shown.

    Args:
        sentence: For people.
        gone: Whether there is no conversation that could go on.
    """
    kind = "answer problem gone" if gone else "answer problem"
    return f'<div class="{kind}"><p>{escape(sentence)}</p></div>'


def _problem(turn: Turn) -> str:
    again = _button("again", "chat.again", label="chat.again")
    return (
        f'<div class="answer problem" id="turn-{turn.id}"><p>{escape(turn.problem)}</p>'
        f'<div class="tools">{again}</div></div>'
    )


def answer_message(
    answer: Answer,
    *,
    number: int,
    chosen: int | None = None,
    lost: int = 0,
    feedback: str = "",
) -> str:
    """Return the markup of an answer; markers are numbered from 1 within it.

    Args:
        answer: With its text.
        number: Of its turn.
        chosen: How many documents the search was narrowed to, or None for all.
        lost: How many quotes cannot be shown any more.
        feedback: What the person thought of it, "" for nothing.
    """
    numbers = count(1)
    shown = _disagreeing(answer)
    rest = [quote for quote in answer.quotes if _place(quote) not in shown]
    parts = [_searched(answer), _narrowed(answer, chosen)]
    if answer.notice:
        parts.append(f'<p class="notice">{_lines(answer.notice)}</p>')
    parts += [_disagreement(pair, numbers) for pair in answer.disagreements]
    if decides := decides_line(answer):
        parts.append(f'<p class="decides">{escape(decides)}</p>')
    parts += [_quote(quote, numbers) for quote in with_context_once(rest)]
    if lost:
        parts.append(f'<p class="lost">{escape(text("chat.lost", n=lost))}</p>')
    if answer.abstained:
        parts.append(_abstention(answer, numbers, chosen))
    parts += [_more(answer, numbers), _tools(answer, feedback)]
    kind = "answer abstained" if answer.abstained else "answer"
    # The page tells when the library has gone on since.
    return f'<div class="{kind} g{answer.generation}" id="turn-{number}">{"".join(parts)}</div>'


def _searched(answer: Answer) -> str:
    if not answer.searched_for or answer.searched_for == answer.question:
        return ""
    reading = f'<span class="reading words">{escape(answer.searched_for)}</span>'
    edit = _button("edit-search", "chat.edit_search")
    plain = _button("plain-search", "chat.plain_search")
    return f'<p class="searched">{_say("chat.searched_for")} {reading}{edit}{plain}</p>'


def _narrowed(answer: Answer, chosen: int | None) -> str:
    if chosen is None or answer.abstained:
        return ""
    return f'<p class="narrowed">{_say("chat.searched_in", n=chosen)}</p>'


# Quotes --------------------------------------------------------------------------------------


def _quote(quote: Quote, numbers: Iterator[int], *, dated: bool = False) -> str:
    context = f'<p class="context">{escape(quote.context)}</p>' if quote.context else ""
    date = _date(quote.document) if dated else ""
    copy = _button("copy-quote", "chat.copy_quote")
    return (
        f'<div class="quote">{context}'
        f'<p class="said">{_said(quote, _marker(quote.citation, next(numbers)))}</p>'
        f'<p class="where">{date}{_where(quote.citation)}{copy}</p>'
        f"{_also(quote, numbers)}</div>"
    )


def _said(quote: Quote, marker: str) -> str:
    """Return the words in quotation marks, the answering ones strong, the marker glued on.

    The last word and the marker share a box that does not wrap: a marker alone on a line looks
    as if it belonged to nothing.
    """
    split = split_short(quote)
    whole = str(split)
    bold = (len(split.before), len(split.before) + len(split.short))
    last = whole.rfind(" ") + 1
    if len(whole) - last > _LONGEST_GLUED:
        last = len(whole)
    head = _piece(whole, 0, last, bold)
    tail = _piece(whole, last, len(whole), bold)
    return f'<span class="words">“{head}<span class="glued">{tail}”{marker}</span></span>'


def _piece(words: str, start: int, end: int, bold: tuple[int, int]) -> str:
    """Return words[start:end], escaped, what lies in `bold` strong."""
    first, last = (min(max(place, start), end) for place in bold)
    strong = f"<strong>{escape(words[first:last])}</strong>" if first < last else ""
    return f"{escape(words[start:first])}{strong}{escape(words[last:end])}"


def _also(quote: Quote, numbers: Iterator[int]) -> str:
    places = quote.also_at
    if not places:
        return ""
    others = {other.document for other in places} - {quote.document.id}
    count_of = ("also_in_documents", len(others)) if others else ("also_in", len(places))
    rows = [
        f"<li>{_where(other)}{_marker(other, next(numbers))}</li>"
        for other in places[:_MOST_PLACES]
    ]
    if len(places) > _MOST_PLACES:
        rows.append(f"<li>{_say('chat.more_places', n=len(places) - _MOST_PLACES)}</li>")
    return (
        f'<details class="also"><summary>{_say(f"chat.{count_of[0]}", n=count_of[1])}</summary>'
        f"<ul>{''.join(rows)}</ul></details>"
    )


def _disagreement(pair: Disagreement, numbers: Iterator[int]) -> str:
    words = differing_words(pair)
    said = ""
    if words:
        first, second = (f"“{side}”" for side in words)
        said = f": {_say('answer.against', first=first, second=second)}"
    sides = _quote(pair.first, numbers, dated=True) + _quote(pair.second, numbers, dated=True)
    return (
        f'<div class="disagreement"><p class="lead">{escape(disagreement_lead(pair))}{said}.</p>'
        f'<div class="sides">{sides}</div></div>'
    )


def _date(document: DocumentInfo) -> str:
    day = document.date
    shown = f"<strong>{escape(long_date(day))}</strong>" if day else _say("chat.undated")
    return f"{shown} · "


def _disagreeing(answer: Answer) -> set[tuple[int, int, int]]:
    """Return the places that are shown side by side, so that they are not shown twice."""
    return {_place(quote) for pair in answer.disagreements for quote in (pair.first, pair.second)}


def _place(quote: Quote) -> tuple[int, int, int]:
    return quote.document.id, quote.start, quote.end


# No answer, and what else was found ----------------------------------------------------------


def _abstention(answer: Answer, numbers: Iterator[int], chosen: int | None) -> str:
    lead = _say("answer.silent") if chosen is None else _say("chat.silent_in", n=chosen)
    parts = [f'<p class="lead">{lead}</p>']
    if answer.missing_words:
        parts.append(f'<p class="missing">{escape(missing_sentence(answer))}</p>')
    if chosen is not None:
        parts.append(_button("search-all", "chat.search_all", label="chat.search_all"))
    if answer.nearest:
        nearest = "".join(_passage(passage, numbers) for passage in answer.nearest)
        parts.append(
            f'<div class="nearest"><p class="label">{_say("chat.nearest")}</p>{nearest}</div>'
        )
    return "".join(parts)


def _more(answer: Answer, numbers: Iterator[int]) -> str:
    """Return the passages that neither were quoted nor stand above as the nearest."""
    seen = [(quote.document.id, quote.start, quote.end) for quote in answer.quotes]
    seen += [(near.document.id, near.start, near.end) for near in answer.nearest]
    rest = [passage for passage in answer.passages if not _holds(passage, seen)][:_MOST_MORE]
    if not rest:
        return ""
    rows = "".join(_passage(passage, numbers) for passage in rest)
    summary = _say("chat.more", n=len(rest))
    return f'<details class="more"><summary>{summary}</summary>{rows}</details>'


def _holds(passage: Passage, places: Sequence[tuple[int, int, int]]) -> bool:
    return any(
        document == passage.document.id and passage.start <= start and end <= passage.end
        for document, start, end in places
    )


def _passage(passage: Passage, numbers: Iterator[int]) -> str:
    where = f"{_where(passage.citation)}{_marker(passage.citation, next(numbers))}"
    why = _why(passage)
    return (
        f'<div class="passage"><p class="said"><span class="words">{_flowing(passage)}</span></p>'
        f'<p class="where">{where}</p>{f"""<p class="why">{why}</p>""" if why else ""}</div>'
    )


def _flowing(passage: Passage) -> str:
    """Return the words of a passage: running text flows, items and rows have lines of their own."""
    parts: list[str] = []
    before = passage.start
    kind = "paragraph"
    for sentence in passage.sentences:
        gap = passage.text[before - passage.start : sentence.start - passage.start]
        flows = kind == sentence.kind == "paragraph" and gap.count("\n") < 2
        if parts:
            parts.append(" " if flows else "<br>")
        parts.append(escape(one_line(sentence.text)))
        before, kind = sentence.end, sentence.kind
    return "".join(parts)


def _why(passage: Passage) -> str:
    """Return why a passage was found, without figures: words people can check."""
    reasons = []
    if passage.matched:
        words = ", ".join(f"<em>{escape(one_line(word))}</em>" for word in passage.matched)
        reasons.append(f"{_say('chat.matches')} {words}")
    if "close in meaning" in passage.why:
        reasons.append(_say("chat.close"))
    return " · ".join(reasons)


# Pieces --------------------------------------------------------------------------------------


def _tools(answer: Answer, feedback: str) -> str:
    """Return the row of buttons below an answer."""
    left = _button("copy", "chat.copy_answer", label="chat.copy")
    left += _button("export", "chat.export_answer", label="chat.export")
    left += _button("again", "chat.again", label="chat.again")
    if answer.notice:
        return f'<div class="tools">{left}</div>'
    kinds = (
        ("good", "not_answered") if answer.abstained else ("good", "wrong_place", "not_answered")
    )
    right = "".join(
        _button(kind, f"chat.{kind}_long", label=f"chat.{kind}", on=kind == feedback)
        for kind in kinds
    )
    return f'<div class="tools">{left}<span class="judge">{right}</span></div>'


def _button(kind: str, title: str, *, label: str = "", on: bool = False) -> str:
    """Return a button that `chat.js` answers; without a label it is an icon with a title."""
    words = f"<span>{_say(label)}</span>" if label else ""
    name = kind.replace("_", "-")
    pressed = " on" if on else ""
    return (
        f'<button type="button" class="act {name}{pressed}" title="{_say(title)}">{words}</button>'
    )


def _where(citation: Citation) -> str:
    # The whole path: a file of the same name in another folder is another document. Each part for
    # itself: one that is written from right to left must not move the others.
    parts = [named_path(citation.path)]
    if citation.page is not None:
        parts.append(page_name(citation.page))
    if citation.headings:
        parts.append(citation.headings[-1])
    return " · ".join(f"<bdi>{escape(one_line(part))}</bdi>" for part in parts)


def _marker(citation: Citation, number: int) -> str:
    # The reference is digits, hexadecimal digits, "-" and "/" only.
    title = _say("chat.open", place=place(citation))
    return f'<a class="cite" href="#cite/{citation.ref}" title="{title}">[{number}]</a>'


def _lines(words: str) -> str:
    return "<br>".join(map(escape, visible(words).split("\n")))


def _say(name: str, **values: object) -> str:
    return escape(text(name, **values))
