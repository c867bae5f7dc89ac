"""An answer as text, Markdown, HTML and JSON; no text of a document is ever markup."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from html import escape
from pathlib import PurePath
from typing import Any

from index.types import Citation
from qa.lines import (
    answer_lines,
    decides_line,
    disagreement_sentence,
    missing_sentence,
    passage_lines,
    to_text,
)
from qa.text import text
from qa.types import Answer, Passage, Quote
from qa.visible import Split, one_line, place, split_short, visible, with_context_once

__all__ = [
    "answer_to_dict",
    "answer_to_html",
    "answer_to_markdown",
    "answer_to_text",
    "escape_json",
    "escape_markdown",
    "notice_to_markdown",
    "passages_to_text",
    "quote_to_markdown",
    "to_json",
    "to_plain",
]


def answer_to_text(answer: Answer) -> str:
    """Return the answer as plain text, a quote a line, with numbered citations."""
    return to_text(answer_lines(answer))


def passages_to_text(passages: Sequence[Passage]) -> str:
    """Return the passages as plain text, a passage a line, with place, score and reasons."""
    return to_text(passage_lines(passages))


# Markdown ------------------------------------------------------------------------------------

# What could begin emphasis, code, a link, an entity, HTML, a table, a formula or strikethrough.
# A dot or colon inside a word could make it a link where a renderer looks for bare ones; some
# renderers hide what stands between "%%", or mark it between "==" or "++".
_ACTIVE = re.compile(r"[\\`*_\[\]<>&|~$^#{}@]|[.:](?=\S)|([%=+])\1+")
# Spaces other than the plain one, which a renderer takes away where a block begins or ends.
_EDGES = re.compile(r"^[^\S ]+|[^\S ]+$")
# What could begin a heading, list, rule or definition at the start of a block.
_OPENING = re.compile(r"(?:[-+=:]|\d{1,9}(?=[.)](?:\s|$)))")


def escape_markdown(text: str) -> str:
    """Return Markdown that shows `one_line(text)` and nothing else, wherever it stands."""
    return _escape(one_line(text), opening=True)


def _entities(match: re.Match[str]) -> str:
    return "".join(f"&#{ord(char)};" for char in match[0])


def _escaped(match: re.Match[str]) -> str:
    return "".join(f"\\{char}" for char in match[0])


def _escape(text: str, *, opening: bool) -> str:
    return _EDGES.sub(_entities, _without_markup(text, opening=opening))


def _without_markup(text: str, *, opening: bool) -> str:
    escaped = _ACTIVE.sub(_escaped, text)
    if opening and (start := _OPENING.match(text)):
        if start[0].isdigit():
            return f"{start[0]}\\{text[start.end()]}" + escaped[start.end() + 1 :]
        if not escaped.startswith("\\"):
            return "\\" + escaped
    return escaped


def answer_to_markdown(answer: Answer) -> str:
    """Return the answer as Markdown: quotes as block quotes, each with its numbered citation."""
    return "\n\n".join(_markdown_blocks(answer)) + "\n"


def _markdown_blocks(answer: Answer) -> Iterator[str]:
    if answer.searched_for != answer.question:
        yield f"*{escape_markdown(text('answer.searched_for', words=answer.searched_for))}*"
    if answer.notice:
        yield notice_to_markdown(answer.notice)
    if answer.abstained:
        yield f"**{text('answer.silent')}**"
        if answer.missing_words:
            yield escape_markdown(missing_sentence(answer))
        if answer.nearest:
            yield text("answer.nearest")
            for passage in answer.nearest:
                yield f"> {escape_markdown(passage.text)}\n>\n> {_source(passage.citation)}"
    if decides := decides_line(answer):
        yield f"*{escape_markdown(decides)}*"
    for number, quote in enumerate(with_context_once(answer.quotes), 1):
        yield quote_to_markdown(quote, number, _source(quote.citation, quote.also_at))
    for disagreement in answer.disagreements:
        yield escape_markdown(disagreement_sentence(disagreement, answer.quotes))


def notice_to_markdown(notice: str) -> str:
    """Return a fixed reply as Markdown: its first line, then a list of the others."""
    # Our own words, but they name titles and paths; what follows the first line is a list.
    first, *rest = [line for line in visible(notice).splitlines() if line.strip()] or [""]
    items = [f"- {escape_markdown(line.removeprefix('- '))}" for line in rest]
    return "\n".join([escape_markdown(first), *items])


def quote_to_markdown(quote: Quote, number: int, source: str) -> str:
    """Return a block quote: the words, the short answer bold, and under them the source.

    Args:
        quote: Its context is shown above it.
        number: Stands at the end of the words and before the source.
        source: Markdown that says where the quote stands.
    """
    paragraphs = [f"{_bold(split_short(quote))} \\[{number}\\]"]
    if quote.context:
        paragraphs.insert(0, f"*{escape_markdown(quote.context)}*")
    paragraphs.append(f"\\[{number}\\] {source}")
    return "\n>\n".join(f"> {paragraph}" for paragraph in paragraphs)


def _source(citation: Citation, also_at: Sequence[Citation] = ()) -> str:
    also = "; ".join(place(other) for other in also_at)
    return escape_markdown(place(citation) + (f" (also in {also})" if also else ""))


def _bold(split: Split) -> str:
    before, short, after = split.before, split.short, split.after
    # Asterisks beside punctuation count as emphasis only where a space or the end follows
    # (CommonMark 6.2); elsewhere the words stay as they are rather than show asterisks.
    opens = short[:1].isalnum() or not before or before.endswith(" ")
    closes = short[-1:].isalnum() or not after or after.startswith(" ")
    spaced = short != short.strip()  # such as a no-break space, which nothing else took away
    if not (short and opens and closes) or spaced:
        return _escape(str(split), opening=True)
    return (
        _escape(before, opening=True)
        + f"**{_escape(short, opening=False)}**"
        + _escape(after, opening=False)
    )


# HTML ----------------------------------------------------------------------------------------


def answer_to_html(answer: Answer) -> str:
    """Return the answer as an HTML fragment without scripts, styles or links.

    A quote is a `blockquote` whose `data-ref` is the reference of its citation; the short answer
    inside is a `mark`.
    """
    return '<div class="quoth-answer">\n' + "\n".join(_html_blocks(answer)) + "\n</div>"


def _html_blocks(answer: Answer) -> Iterator[str]:
    if answer.searched_for != answer.question:
        yield _paragraph(
            text("answer.searched_for", words=one_line(answer.searched_for)), "quoth-searched-for"
        )
    for line in visible(answer.notice).splitlines():
        yield _paragraph(line, "quoth-notice")
    if answer.abstained:
        yield _paragraph(text("answer.silent"), "quoth-abstained")
        if answer.missing_words:
            yield _paragraph(missing_sentence(answer), "quoth-missing")
        if answer.nearest:
            yield _paragraph(text("answer.nearest"), "quoth-nearest")
            for passage in answer.nearest:
                words = escape(visible(passage.text))
                yield _blockquote(words, passage.citation, escape(place(passage.citation)))
    if decides := decides_line(answer):
        yield _paragraph(decides, "quoth-decides")
    for number, quote in enumerate(with_context_once(answer.quotes), 1):
        yield _quote_to_html(quote, number)
    for disagreement in answer.disagreements:
        sentence = disagreement_sentence(disagreement, answer.quotes)
        yield _paragraph(sentence, "quoth-disagreement")


def _quote_to_html(quote: Quote, number: int) -> str:
    split = split_short(quote)
    short = f"<mark>{escape(split.short)}</mark>" if split.short else ""
    words = escape(split.before) + short + escape(split.after)
    where = "; also in ".join(place(citation) for citation in (quote.citation, *quote.also_at))
    context = one_line(quote.context)
    return _blockquote(words, quote.citation, f"[{number}] {escape(where)}", context)


def _paragraph(text: str, name: str) -> str:
    return f'<p class="{name}" dir="auto">{escape(text)}</p>'


def _blockquote(words: str, citation: Citation, where: str, context: str = "") -> str:
    above = _paragraph(context, "quoth-context") if context else ""
    return (
        f'<blockquote data-ref="{escape(citation.ref)}">{above}'
        f'<p dir="auto">{words}</p><footer><cite>{where}</cite></footer></blockquote>'
    )


# JSON ----------------------------------------------------------------------------------------

# Inside a JSON string, and these occur nowhere else, an escape means the same character: a
# terminal is safe and the text exact. `json` itself escapes only the controls below U+0020.
_ESCAPED_IN_JSON = re.compile(
    "[\x7f-\x9f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def answer_to_dict(answer: Answer) -> dict[str, Any]:
    """Return every field of the answer as JSON-ready values, texts exactly as stored.

    Citations also have `ref`, the reference that links carry.
    """
    plain: dict[str, Any] = to_plain(answer)
    return plain


def to_plain(value: object) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Return dataclasses as dicts by field name, paths as strings, collections as lists.

    Raises:
        TypeError: `value` holds something that JSON has no form for.
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, PurePath):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        plain = {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
        return plain | {"ref": value.ref} if isinstance(value, Citation) else plain
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(to_plain(item) for item in value)
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def to_json(value: object, *, ascii_only: bool = False) -> str:
    """Return one line of JSON that is safe to print; `json.loads` gives back the exact text."""
    return escape_json(json.dumps(to_plain(value), ensure_ascii=ascii_only))


def escape_json(written: str) -> str:
    """Return JSON with every control in its strings escaped; its values are the same."""
    return _ESCAPED_IN_JSON.sub(lambda match: json.dumps(match[0])[1:-1], written)
