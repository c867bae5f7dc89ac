"""Quotes as people paste them: "the sentence" (policy.pdf, p. 12, § 3.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from index.types import Citation
from qa.export.parts import ExportedTurn
from qa.lines import disagreement_sentence, missing_sentence
from qa.text import text
from qa.types import Answer, Quote
from qa.visible import file_name, one_line, page_name, visible

__all__ = ["copy_answer", "copy_conversation", "copy_line"]

# "3.2 Inspections", "§ 4 Costs", "B.1 Scope"; "2024 results" and "24 hours" are no numbers of
# sections, so a number without a point counts only before a capital letter and below 100.
_SECTION = re.compile(
    r"(?P<sign>§+ ?)?"
    r"(?P<number>(?:[A-Z]\.)?\d{1,3}(?:\.\d{1,3})+[a-z]?|[A-Z]\.\d{1,3}|\d{1,2}[a-z]?)"
    r"(?P<end>[.):]?)(?=\s|$)(?:\s+(?P<next>\S))?"
)
_MOST_WORDS = 80  # characters of a heading that has no number
# A table takes straight marks away and then calculates.
_BEGINS_A_FORMULA = ("=", "+", "-", "@")
_PAIRS = (('"', '"'), ("“", "”"), ("«", "»"), ("„", "“"), ("„", "”"), ("”", "”"))


def copy_line(quote: Quote) -> str:
    """Return the sentence in quotation marks and where it stands, on one line.

    The sentence is word for word the document's; white space is one space, and controls, among
    them those that would reorder the text it is pasted into, are visible signs. A sentence that
    stands in quotation marks already gets no second ones.
    """
    return f"{_quoted(one_line(quote.text))} ({_where(quote.citation)})"


def copy_answer(answer: Answer) -> str:
    """Return every quote as a line, then what the documents disagree about; or the abstention.

    Where they disagree the lines are numbered, because the sentence about it names the numbers.
    """
    return "\n".join(_lines(answer))


def copy_conversation(turns: Sequence[ExportedTurn]) -> str:
    """Return every question with what `copy_answer` gives, a blank line between two."""
    parts = []
    for turn in turns:
        answer = copy_answer(turn.answer) if turn.answer else visible(turn.problem)
        parts.append("\n".join(part for part in (visible(turn.question), answer) if part))
    return "\n\n".join(parts)


def _lines(answer: Answer) -> Iterator[str]:
    if answer.notice:
        yield visible(answer.notice)
    if answer.abstained:
        yield text("answer.silent")
        if answer.missing_words:
            yield missing_sentence(answer)
    for number, quote in enumerate(answer.quotes, 1):
        yield f"[{number}] {copy_line(quote)}" if answer.disagreements else copy_line(quote)
    for pair in answer.disagreements:
        yield disagreement_sentence(pair, answer.quotes)


def _quoted(sentence: str) -> str:
    for opens, closes in _PAIRS:
        inner = sentence[1:-1]
        if opens == '"' and inner[:1] in _BEGINS_A_FORMULA:
            continue
        if len(sentence) > 2 and (sentence[0], sentence[-1]) == (opens, closes):
            if opens not in inner and closes not in inner:
                return sentence
    # Curly marks inside straight ones are told apart, and the other way round. A sentence with both
    # gets more of them than it has in a row: it cannot end its own quotation and name a source.
    if sentence[:1] in _BEGINS_A_FORMULA or '"' in sentence:
        marks = 1 + max(map(len, re.findall("”+", sentence)), default=0)
        return "“" * marks + sentence + "”" * marks
    return f'"{sentence}"'


def _where(citation: Citation) -> str:
    parts = [file_name(citation.path.rsplit("/", 1)[-1])]
    if citation.page is not None:
        parts.append(page_name(citation.page))
    if citation.headings and (section := _section(one_line(citation.headings[-1]))):
        parts.append(section)
    return ", ".join(parts)


def _section(heading: str) -> str:
    """Return "§ 3.2" of "3.2 Inspections", or the heading's words."""
    if found := _SECTION.match(heading):
        numbered = found["sign"] or "." in found["number"] or found["end"]
        if numbered or (found["next"] or "").isupper():
            return f"§ {found['number']}"
    if len(heading) <= _MOST_WORDS:
        return heading
    return heading[:_MOST_WORDS].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"
