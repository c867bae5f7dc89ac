"""Results as lines of styled words: one layout for the terminal and, without styles, for a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from qa.text import text
from qa.types import Answer, Disagreement, Passage, Quote
from qa.visible import (
    file_name,
    long_date,
    one_line,
    page_name,
    place,
    split_short,
    visible,
    with_context_once,
)

if TYPE_CHECKING:
    from index.reports import DocumentHits, Failure, FindResult, Hit, Skip, Status, SyncReport
    from index.types import Citation, DocumentInfo

__all__ = [
    "Line",
    "Style",
    "answer_lines",
    "counted",
    "decides_line",
    "differing_words",
    "disagreement_lead",
    "disagreement_sentence",
    "document_lines",
    "failure_lines",
    "find_lines",
    "human_bytes",
    "listing_lines",
    "missing_sentence",
    "passage_lines",
    "report_lines",
    "status_lines",
    "to_text",
]

Style = Literal["plain", "strong", "quiet", "warning"]

_NEAREST_SHOWN = 3
_FEW_CHARACTERS = 48  # of what differs in a disagreement; more is not repeated


@dataclass(frozen=True, slots=True)
class Line:
    """A line, or a paragraph that is wrapped at the width of a terminal.

    Attributes:
        words: Pieces of text, safe to show, with their styles.
        indent: Spaces before it, also before what is wrapped.
        label: Stands in the indent of the first line, such as "[1]"; not longer than it.
        sign: Stands there instead in a terminal, which wraps: a word of a document can begin a
            line, but never in the indent.
    """

    words: tuple[tuple[str, Style], ...] = ()
    indent: int = 0
    label: str = ""
    sign: str = ""

    @classmethod
    def of(cls, text: str, style: Style = "plain", *, indent: int = 0, label: str = "") -> Line:
        """Return a line in one style."""
        return cls(((text, style),), indent, label)

    def __str__(self) -> str:
        return (self.label.ljust(self.indent) + "".join(text for text, _ in self.words)).rstrip(" ")


def to_text(lines: Iterable[Line]) -> str:
    """Return the lines as plain text without a line feed at the end."""
    return "\n".join(str(line) for line in lines)


def _place_line(text: str, indent: int) -> Line:
    """Return the line that says where the words above it stand."""
    return Line(((text, "quiet"),), indent, sign="  ↳")


def answer_lines(answer: Answer) -> Iterator[Line]:
    """Yield the quotes with numbered citations, or that the documents do not say."""
    if answer.searched_for != answer.question:
        yield Line.of(text("answer.searched_for", words=one_line(answer.searched_for)), "quiet")
        yield Line()
    for part in visible(answer.notice).splitlines():
        yield Line.of(part)
    if answer.notice and (answer.quotes or answer.nearest):
        yield Line()
    if answer.abstained:
        yield from _abstention_lines(answer)
    if decides := decides_line(answer):
        yield Line.of(decides, "quiet")
    yield from _quote_lines(with_context_once(answer.quotes))
    for disagreement in answer.disagreements:
        yield Line()
        yield Line.of(disagreement_sentence(disagreement, answer.quotes), "warning")


def _quote_lines(quotes: Sequence[Quote]) -> Iterator[Line]:
    indent = len(str(len(quotes))) + 3
    for number, quote in enumerate(quotes, 1):
        if number > 1:
            yield Line()
        label = f"[{number}]"
        if quote.context:
            yield Line.of(one_line(quote.context), "quiet", indent=indent, label=label)
            label = ""
        split = split_short(quote)
        words: tuple[tuple[str, Style], ...] = (
            (split.before, "plain"),
            (split.short, "strong"),
            (split.after, "plain"),
        )
        yield Line(tuple(word for word in words if word[0]), indent, label)
        yield _place_line(place(quote.citation), indent)
        yield from _also_lines(quote.also_at, indent)


def _also_lines(also_at: Sequence[Citation], indent: int) -> Iterator[Line]:
    if also_at:
        places = "; ".join(place(citation) for citation in also_at)
        yield _place_line(f"also in {places}", indent)


def _abstention_lines(answer: Answer) -> Iterator[Line]:
    yield Line.of(text("answer.silent"), "strong")
    if answer.missing_words:
        yield Line.of(missing_sentence(answer))
    if answer.nearest:
        yield Line()
        yield Line.of(text("answer.nearest"), "quiet")
        for passage in answer.nearest[:_NEAREST_SHOWN]:
            yield Line()
            yield Line.of(one_line(passage.best.text), indent=4, label="  –")
            yield _place_line(place(passage.citation), 4)


def missing_sentence(answer: Answer) -> str:
    """Return the sentence that names the words of the question that no document has."""
    words = ", ".join(f"“{one_line(word)}”" for word in answer.missing_words)
    return text("answer.missing", n=len(answer.missing_words), words=words)


def decides_line(answer: Answer) -> str:
    """Return the words above a quote that decides a yes/no question, or "".

    Where documents contradict that quote, nothing is decided.
    """
    if not (answer.decides and answer.quotes):
        return ""
    first = _where(answer.quotes[0])
    sides = (side for pair in answer.disagreements for side in (pair.first, pair.second))
    return "" if any(_where(side) == first for side in sides) else text("answer.decides")


def disagreement_sentence(disagreement: Disagreement, quotes: Sequence[Quote]) -> str:
    """Return the sentence that says which two quotes contradict each other.

    Each side has the words that differ if they are few, its number, and its document with the
    date; two places of one document have page and heading instead.
    """
    words = differing_words(disagreement) or ("", "")
    sides = zip((disagreement.first, disagreement.second), words, strict=True)
    first, second = (_side(quote, said, disagreement, quotes) for quote, said in sides)
    against = text("answer.against", first=first, second=second)
    return f"{disagreement_lead(disagreement)}: {against}."


def disagreement_lead(disagreement: Disagreement) -> str:
    """Return "The documents disagree about the rent", without a full stop."""
    same = disagreement.first.document.id == disagreement.second.document.id
    who = "answer.disagrees" if same else "answer.disagree"
    about = one_line(disagreement.about)
    return text(f"{who}_about", about=about) if about else text(who)


def differing_words(disagreement: Disagreement) -> tuple[str, str] | None:
    """Return the words in which the two sides differ, if they are few, or None."""
    from qa.disagree import conflicting_words, stated_quote

    sides = (disagreement.first, disagreement.second)
    first, second = (split_short(quote).short for quote in sides)
    if not (first and second) or first.casefold() == second.casefold():
        # The reader is not sure of both, or marked something else than what differs.
        found = conflicting_words(*(stated_quote(replace(quote, short=None)) for quote in sides))
        first, second = (one_line(words) for words in found or ("", ""))
    few = all(0 < len(words) <= _FEW_CHARACTERS for words in (first, second))
    return (first, second) if few else None


def _side(quote: Quote, words: str, disagreement: Disagreement, quotes: Sequence[Quote]) -> str:
    places = [_where(other) for other in quotes]
    if _where(quote) in places:
        number = f"[{places.index(_where(quote)) + 1}]"
        side = f"“{words}” {number}" if words else number
    else:
        side = f"“{one_line(quote.text)}”"
    source = _source(quote, disagreement)
    return f"{side} ({source})" if source else side


def _source(quote: Quote, disagreement: Disagreement) -> str:
    """Return what tells the side from the other: the document with its date, or the place in it."""
    one, other = disagreement.first.document, disagreement.second.document
    if one.id == other.id:
        return " · ".join(place(quote.citation).split(" · ")[1:])
    document = quote.document
    named = file_name(document.path if one.name == other.name else document.name)
    return f"{named}, {long_date(document.date)}" if document.date else named


def _where(quote: Quote) -> tuple[int, int, int]:
    return quote.document.id, quote.start, quote.end


def passage_lines(passages: Sequence[Passage]) -> Iterator[Line]:
    """Yield the passages, best first, each with its place, score and why it was found."""
    if not passages:
        yield Line.of("No passage found.")
    indent = len(str(len(passages))) + 3
    for number, passage in enumerate(passages, 1):
        if number > 1:
            yield Line()
        yield Line.of(one_line(passage.text), indent=indent, label=f"[{number}]")
        yield _place_line(place(passage.citation), indent)
        reasons = [f"score {passage.score:.4f}", *(one_line(why) for why in passage.why)]
        yield Line.of("; ".join(reasons), "quiet", indent=indent)
        yield from _also_lines(passage.also_at, indent)


def find_lines(result: FindResult) -> Iterator[Line]:
    """Yield how many sentences there are, then every one of them by document."""
    documents = len(result.documents)
    yield Line.of(
        f"{counted(result.total, 'sentence')} with {one_line(result.query)}"
        f" in {counted(documents, 'document')}",
        "strong",
    )
    for found in result.documents:
        yield Line()
        yield from _found_lines(found)


def _found_lines(found: DocumentHits) -> Iterator[Line]:
    yield Line.of(f"{file_name(found.document.path)}: {len(found.hits)}", "quiet")
    for hit in found.hits:
        label = "  –" if hit.citation.page is None else f"  {page_name(hit.citation.page)}"
        yield Line(tuple(_marked(hit)), max(len(label) + 1, 4), label)


def _marked(hit: Hit) -> Iterator[tuple[str, Style]]:
    # A sign of its own keeps the places of the marks while white space is folded.
    text, at = [], hit.start
    for start, end in sorted(hit.marks):
        start, end = max(start, at), min(end, hit.end)
        if start < end:
            text += [hit.text[at - hit.start : start - hit.start]]
            text += [hit.text[start - hit.start : end - hit.start]]
            at = end
    text.append(hit.text[at - hit.start :])
    ended_white = True
    for number, piece in enumerate(text):
        shown = one_line(f"|{piece}|")[1:-1]
        if ended_white:
            shown = shown.lstrip(" ")
        if shown:
            ended_white = shown.endswith(" ")
            yield shown, "strong" if number % 2 else "plain"


def report_lines(report: SyncReport) -> Iterator[Line]:
    """Yield what a sync did; for a dry run also the name of every file it would change."""
    # Only the first line of it holds no name: one with a line break in it would begin a new line.
    yield Line.of(one_line(str(report).partition("\n")[0]))
    if report.dry_run:
        names = [
            *(("+", path) for path in report.added),
            *(("~", path) for path in report.updated),
            *((">", f"{old} -> {new}") for old, new in report.renamed),
            *(("-", path) for path in report.removed),
        ]
        for sign, name in names:
            yield Line.of(one_line(name), indent=4, label=f"  {sign}")
    rest = [f"skipped {_why_not(skip)}" for skip in report.skipped]
    rest += [f"note: {warning}" for warning in report.warnings]
    for part in rest:
        yield Line.of(one_line(part), "warning", indent=2)


def status_lines(status: Status) -> Iterator[Line]:
    """Yield the state of a library, a fact a line."""
    types = ", ".join(f"{count} {name}" for name, count in sorted(status.types.items()))
    facts = [
        ("library", status.address or str(status.path)),
        *([("home", str(status.path))] if status.address else []),
        ("generation", str(status.generation)),
        ("documents", f"{status.documents}{f' ({types})' if types else ''}"),
        ("sentences", str(status.sentences)),
        ("passages", str(status.passages)),
        ("model", f"{status.model} ({status.fingerprint[:12]})" if status.model else "none yet"),
        ("size", human_bytes(status.bytes)),
    ]
    if status.dead_documents:
        versions = counted(status.dead_documents, "old version")
        facts.append(("removed", f"{versions} of documents, freed by `quoth compact`"))
    for source in status.sources:
        elsewhere = "at another server" if source.kind == "upload" else "without a file"
        where = source.location or elsewhere
        location = f"{where} ({source.kind}, {counted(source.documents, 'document')})"
        facts.append(("source", location))
    for name, fact in facts:
        yield Line.of(one_line(fact), indent=12, label=name)


def document_lines(documents: Sequence[DocumentInfo], verb: str) -> Iterator[Line]:
    """Yield how many documents there are and the path of each."""
    yield Line.of(f"{counted(len(documents), 'document')} {verb}")
    for document in documents:
        yield Line.of(file_name(document.path), indent=2)


def listing_lines(documents: Sequence[DocumentInfo]) -> Iterator[Line]:
    """Yield a line for each document: number, path, format, date, size; then its warnings."""
    indent = max([4, *(len(str(document.id)) + 2 for document in documents)])
    for document in documents:
        facts = [document.type, document.date or "no date", counted(document.sentences, "sentence")]
        if document.pages:
            facts.append(counted(document.pages, "page"))
        words: tuple[tuple[str, Style], ...] = (
            (file_name(document.path), "plain"),
            (f"  {', '.join(facts)}", "quiet"),
        )
        yield Line(words, indent, str(document.id))
        for warning in document.warnings:
            yield Line.of(one_line(warning), "warning", indent=indent)


def failure_lines(failures: Sequence[Failure]) -> Iterator[Line]:
    """Yield a line for each file that gave no document, with the reason."""
    for failure in failures:
        yield Line.of(one_line(_why_not(failure)), "warning", indent=4, label="  !")


def _why_not(file: Failure | Skip) -> str:
    kept = " (the version indexed before is kept)" if file.kept else ""
    return f"{file.path}: {file.reason}{kept}"


def human_bytes(count: int) -> str:
    """Return a number of bytes in words, such as "12.3 MB"."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{count} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def counted(number: int, noun: str) -> str:
    """Return "1 document" or "1,204 documents"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
