"""Answers as references: what is kept of an answer holds no text of a document.

`references` turns an answer into numbers: which documents, which spans, which scores.
`recalled` cuts the text from the library again. While the documents are there, that gives an
equal answer; what is no longer in the library is left out and counted, so that removing a
document removes its words from every conversation. Words of documents elsewhere in an answer,
such as in what was searched for, are kept as places too: see `qa.chats.borrowed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from index.errors import DocumentNotFoundError
from index.library import Library
from index.searcher import PassageRow, Searcher
from index.types import Citation, DocumentInfo, Filter, Span
from qa.chats.borrowed import Borrowing, Pieces, restored
from qa.fixed import LISTED, about_notice, listing
from qa.types import Answer, Disagreement, Passage, Quote, ScoredSentence

__all__ = ["Recalled", "filter_from_dict", "filter_to_dict", "recalled", "references"]

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recalled:
    """An answer as the library has it now.

    `lost` is how many of the quotes (or, of an abstention, nearest passages) stood in documents
    that are no longer there.
    """

    answer: Answer
    lost: int = 0


# To references --------------------------------------------------------------------------------


def references(library: Library, answer: Answer, before: Sequence[Answer] = ()) -> Json:
    """Return `answer` as JSON-ready values without a word of a document.

    Args:
        library: That gave the answer.
        answer: What is kept.
        before: The answers before it in the conversation: their questions are the person's words.
    """
    with library.searching() as searcher:
        return _Writer(searcher, answer, before).answer()


class _Writer:
    def __init__(self, searcher: Searcher, answer: Answer, before: Sequence[Answer]) -> None:
        self._searcher, self._answer = searcher, answer
        self._documents: dict[int, tuple[int, str]] = {}  # place in the list, hash, by number
        self._words = Borrowing(
            searcher,
            (answer, *reversed(before)),
            lambda info: self._document(info.id, info.text_hash),
        ).pieces

    def answer(self) -> Json:
        answer = self._answer
        pool = list(answer.passages)
        pool += [passage for passage in answer.nearest if passage not in pool]
        plain: Json = {
            "question": answer.question,
            "generation": answer.generation,
            "confidence": answer.confidence,
            "abstained": answer.abstained,
            "decides": answer.decides,
            "missing": [self._words(word) for word in answer.missing_words],
            "quotes": [self._quote(quote) for quote in answer.quotes],
            "passages": [self._passage(passage) for passage in pool],
            "looked_at": len(answer.passages),
            "nearest": [pool.index(passage) for passage in answer.nearest],
            "disagreements": [
                [self._number(each.first), self._number(each.second), self._words(each.about)]
                for each in answer.disagreements
            ],
        }
        if answer.searched_for != answer.question:
            plain["searched_for"] = self._words(answer.searched_for)
        if answer.notice:
            plain["notice"] = self._notice()
        plain["documents"] = [[number, text] for number, (_, text) in self._documents.items()]
        return plain

    def _document(self, number: int, text_hash: str) -> int:
        return self._documents.setdefault(number, (len(self._documents), text_hash))[0]

    def _number(self, quote: Quote) -> int:
        return self._answer.quotes.index(quote)

    def _quote(self, quote: Quote) -> Json:
        plain: Json = {
            "at": self._place(quote.citation),
            "score": quote.score,
        }
        if quote.short is not None:
            plain["short"] = [quote.short.start, quote.short.end]
        if quote.also_at:
            plain["also"] = [self._place(citation) for citation in quote.also_at]
        return plain

    def _place(self, citation: Citation) -> list[int]:
        document = self._document(citation.document, citation.text_hash)
        return [document, citation.start, citation.end]

    def _passage(self, passage: Passage) -> Json:
        said = f"matches {', '.join(passage.matched)}"
        plain: Json = {
            "at": self._place(passage.citation),
            "score": passage.score,
            "matched": [self._words(word) for word in passage.matched],
            # The first reason repeats the words; the others are ours.
            "why": [None if reason == said else reason for reason in passage.why],
            "sentences": [
                [
                    *(each.start, each.end, each.kind, each.score, each.cosine),
                    *(each.evidence, each.margin),
                    None if each.short is None else [each.short.start, each.short.end],
                ]
                for each in passage.sentences
            ],
        }
        if passage.also_at:
            plain["also"] = [self._place(citation) for citation in passage.also_at]
        return plain

    def _notice(self) -> Json:
        answer = self._answer
        if answer.quotes and answer.notice == about_notice(answer.quotes[0].document):
            return {"kind": "about"}
        documents = list(self._searcher.documents.values())
        if answer.notice == listing(documents):
            shown = [self._document(each.id, each.text_hash) for each in documents[:LISTED]]
            return {"kind": "listing", "count": len(documents), "documents": shown}
        # Ours from end to end; one that named a document would be in many lines.
        first = answer.notice.splitlines()[0]
        return {"kind": "said", "words": first}


# From references ------------------------------------------------------------------------------


def recalled(library: Library, stored: Json) -> Recalled:
    """Return the answer that `references` was given, its text cut from the library.

    A document is known by its number and the hash of its text, failing that by the hash alone.
    Earlier versions of documents are there until the library is compacted.
    """
    with library.searching() as searcher:
        return _Reader(library, searcher, stored).recalled()


class _Reader:
    def __init__(self, library: Library, searcher: Searcher, stored: Json) -> None:
        self._library, self._searcher, self._stored = library, searcher, stored
        self._documents = [self._document(*entry) for entry in stored["documents"]]
        self._infos = {info.id: info for info in self._documents if info is not None}
        self._rows: dict[int, list[PassageRow]] = {}

    def recalled(self) -> Recalled:
        stored = self._stored
        question = stored["question"]
        searched_for = self._words(stored["searched_for"]) if "searched_for" in stored else question
        quotes = [self._quote(each) for each in stored["quotes"]]
        pool = [self._passage(each) for each in stored["passages"]]
        nearest = [pool[number] for number in stored["nearest"]]
        disagreements = []
        for first, second, about in stored["disagreements"]:
            one, other = quotes[first], quotes[second]
            if one is not None and other is not None:
                disagreements.append(Disagreement(one, other, self._words(about)))
        return Recalled(
            Answer(
                question=question,
                searched_for=searched_for,
                quotes=tuple(filter(None, quotes)),
                abstained=stored["abstained"],
                confidence=stored["confidence"],
                missing_words=tuple(map(self._words, stored["missing"])),
                nearest=tuple(filter(None, nearest)),
                passages=tuple(filter(None, pool[: stored["looked_at"]])),
                disagreements=tuple(disagreements),
                generation=stored["generation"],
                notice=self._notice(quotes),
                # Whether it is decided, the first quote says.
                decides=stored["decides"] and bool(quotes) and quotes[0] is not None,
            ),
            lost=[*quotes, *nearest].count(None),
        )

    def _document(self, number: int, text_hash: str) -> DocumentInfo | None:
        living = self._searcher.documents
        if number in living and living[number].text_hash == text_hash:
            return living[number]
        for info in living.values():
            if info.text_hash == text_hash:
                return info
        try:
            info = self._library.document(number)
            self._searcher.content(number)
        except DocumentNotFoundError:
            return None
        # An earlier text of a document that has changed is shown as that. What was removed is not,
        # although it may still be on the disk.
        place = (info.source, info.path)
        replaced = any((other.source, other.path) == place for other in living.values())
        return info if replaced and info.text_hash == text_hash else None

    def _quote(self, stored: Json) -> Quote | None:
        # The other places have the same words: one of them can stand in for what is gone.
        places = (stored["at"], *stored.get("also", ()))
        citations = [found for place in places if (found := self._citation(place))]
        if not citations:
            return None
        citation = citations[0]
        start, end = citation.start, citation.end
        info = self._infos[citation.document]
        return Quote(
            document=info,
            start=start,
            end=end,
            text=self._searcher.text(info.id)[start:end],
            citation=citation,
            score=stored["score"],
            short=_moved(stored.get("short"), stored["at"], start, end),
            context=self._context(info, start, end),
            also_at=_others(citation, citations),
        )

    def _passage(self, stored: Json) -> Passage | None:
        citation = self._citation(stored["at"])
        if citation is None:
            return None
        info = self._infos[citation.document]
        matched = tuple(map(self._words, stored["matched"]))
        said = f"matches {', '.join(matched)}"
        also = (self._citation(place) for place in stored.get("also", ()))
        return Passage(
            document=info,
            start=citation.start,
            end=citation.end,
            text=self._searcher.text(info.id)[citation.start : citation.end],
            score=stored["score"],
            sentences=tuple(self._sentences(info, stored["sentences"])),
            citation=citation,
            why=tuple(said if reason is None else reason for reason in stored["why"]),
            matched=matched,
            also_at=_others(citation, also),
        )

    def _sentences(self, info: DocumentInfo, stored: Sequence[Any]) -> Iterator[ScoredSentence]:
        text = self._searcher.text(info.id)
        for start, end, kind, score, cosine, evidence, margin, short in stored:
            yield ScoredSentence(
                start=start,
                end=end,
                text=text[start:end],
                score=score,
                cosine=cosine,
                kind=kind,
                context=self._context(info, start, end),
                evidence=evidence,
                margin=margin,
                short=None if short is None else Span(*short),
            )

    def _citation(self, place: Sequence[int]) -> Citation | None:
        """Return where something stands; None where its document is gone."""
        document, start, end = place
        info = self._documents[document]
        if info is None:
            return None
        row = self._row(info, start)
        return Citation(
            document=info.id,
            path=info.path,
            title=info.title,
            start=start,
            end=end,
            text_hash=info.text_hash,
            page=self._searcher.content(info.id).page_at(start) if info.pages else None,
            headings=() if row is None else row.headings,
        )

    def _row(self, info: DocumentInfo, offset: int) -> PassageRow | None:
        """Return the stored passage that holds an offset."""
        known = self._rows.setdefault(info.id, [])
        for row in known:
            if row.start <= offset < row.end:
                return row
        found = self._searcher.passages_at(info.id, [offset])
        known += found
        return found[0] if found else None

    def _context(self, info: DocumentInfo, start: int, end: int) -> str:
        row = self._row(info, start)
        sentences = () if row is None else row.sentences
        return next((s.context for s in sentences if (s.start, s.end) == (start, end)), "")

    def _words(self, pieces: Pieces) -> str:
        return restored(pieces, self._documents, self._searcher.text)

    def _notice(self, quotes: Sequence[Quote | None]) -> str:
        stored = self._stored.get("notice")
        if stored is None:
            return ""
        if stored["kind"] == "listing":
            shown = [self._documents[number] for number in stored["documents"]]
            return listing([info for info in shown if info is not None], stored["count"])
        if stored["kind"] == "about":
            about = next((quote.document for quote in quotes if quote is not None), None)
            return "" if about is None else about_notice(about)
        return str(stored["words"])


def _moved(short: Sequence[int] | None, at: Sequence[int], start: int, end: int) -> Span | None:
    """Return the short answer of a quote that stood `at` where the quote is now."""
    if short is None or at[2] - at[1] != end - start:  # white space differs: no way to tell
        return None
    return Span(short[0] - at[1] + start, short[1] - at[1] + start)


def _others(citation: Citation, also: Iterable[Citation | None]) -> tuple[Citation, ...]:
    """Return the places that are there and are not the one where the quote is shown."""
    here = (citation.document, citation.start)
    return tuple(
        dict.fromkeys(each for each in also if each and (each.document, each.start) != here)
    )


# Filters --------------------------------------------------------------------------------------


def filter_to_dict(where: Filter) -> Json:
    """Return the conditions of a filter, JSON-ready."""
    conditions = {field.name: getattr(where, field.name) for field in fields(where)}
    if where.documents is not None:
        conditions["documents"] = sorted(where.documents)
    return {name: value for name, value in conditions.items() if value is not None}


def filter_from_dict(stored: Json) -> Filter:
    """Return the filter that `filter_to_dict` was given."""
    documents = stored.get("documents")
    return Filter(**{**stored, "documents": None if documents is None else frozenset(documents)})
