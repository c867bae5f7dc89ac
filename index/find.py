"""Every sentence that holds some words or a quoted phrase: all of them, not the best few."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from index.reports import DocumentHits, FindResult, Hit
from index.searcher import PassageRow, Searcher, SentenceRow
from index.terms import Term, spanned_terms
from index.types import Citation, Document, DocumentInfo, Filter

__all__ = ["find"]

_QUOTED = re.compile(r'["“”„«]([^"“”„«»]+)["“”»]')


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a sentence must hold: each of the words, and each phrase in one piece."""

    words: tuple[Term, ...]
    phrases: tuple[tuple[Term, ...], ...]

    def marks(self, terms: Sequence[Term]) -> list[tuple[int, int]] | None:
        """Return where the words and phrases are among `terms`, or None if one is missing."""
        marks: set[tuple[int, int]] = set()
        for word in self.words:
            places = [(term.start, term.end) for term in terms if term.term == word.term]
            if not places:
                return None
            marks.update(places)
        for phrase in self.phrases:
            places = _phrase_places(terms, phrase)
            if not places:
                return None
            marks.update(places)
        return sorted(marks)


def find(searcher: Searcher, query: str, where: Filter | None) -> FindResult:
    """Return every sentence with all words of `query`, whatever their endings.

    What stands in quotation marks must stand in the sentence in that order, side by side.
    """
    wanted = _parse(query)
    if not wanted.words and not wanted.phrases:
        return FindResult(query, (), searcher.generation)
    needed = {*wanted.words, *(word for phrase in wanted.phrases for word in phrase)}
    # Stop words are not in the index; sentences are checked for them below.
    indexed = sorted({term.term for term in needed if not term.stop})
    candidates = searcher.with_all(indexed, searcher.allowed(where))
    hits: dict[int, list[Hit]] = {}
    for start in range(0, len(candidates), 500):
        for passage in searcher.passages(candidates[start : start + 500]):
            info = searcher.documents[passage.document]
            content = searcher.content(passage.document)
            for sentence in passage.sentences:
                hit = _hit(wanted, info, content, passage, sentence)
                if hit is not None:
                    hits.setdefault(passage.document, []).append(hit)
    documents = tuple(
        DocumentHits(info, tuple(sorted(hits[number], key=lambda hit: hit.start)))
        for number, info in searcher.documents.items()
        if number in hits
    )
    return FindResult(query, documents, searcher.generation)


def _parse(query: str) -> _Wanted:
    phrases = tuple(tuple(spanned_terms(match[1])) for match in _QUOTED.finditer(query))
    rest = spanned_terms(_QUOTED.sub(" ", query))
    # "the lift" without quotation marks means lift; "the" alone means the.
    words = [term for term in rest if not term.stop]
    if not words and not any(phrases):
        words = rest
    return _Wanted(tuple(words), tuple(phrase for phrase in phrases if phrase))


def _phrase_places(terms: Sequence[Term], phrase: Sequence[Term]) -> list[tuple[int, int]]:
    names = [term.term for term in terms]
    words = [term.term for term in phrase]
    return [
        (terms[i].start, terms[i + len(words) - 1].end)
        for i in range(len(terms) - len(words) + 1)
        if names[i : i + len(words)] == words
    ]


def _hit(
    wanted: _Wanted,
    info: DocumentInfo,
    content: Document,
    passage: PassageRow,
    sentence: SentenceRow,
) -> Hit | None:
    text = content.text[sentence.start : sentence.end]
    marks = wanted.marks(spanned_terms(text))
    if marks is None:
        return None
    citation = Citation(
        document=info.id,
        path=info.path,
        title=info.title,
        start=sentence.start,
        end=sentence.end,
        text_hash=info.text_hash,
        page=content.page_at(sentence.start),
        headings=passage.headings,
    )
    shifted = tuple((a + sentence.start, b + sentence.start) for a, b in marks)
    return Hit(sentence.start, sentence.end, text, shifted, citation)
