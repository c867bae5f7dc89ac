"""Words that an answer has from documents, kept as the places where they stand.

A follow-up is completed with a name that stood in a quote, a typing error is mended with a word
of the documents, a disagreement is about something that the documents call so. Such a word is
neither the person's nor ours, and must be gone when its document is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from index.errors import DocumentNotFoundError
from index.searcher import Searcher
from index.terms import STOP_WORDS, fold, index_terms
from index.types import DocumentInfo
from qa.question import searchable
from qa.types import Answer

__all__ = ["Borrowing", "Pieces", "restored"]

GONE = "…"  # stands for a word that cannot be had any more

# A text whole, or in pieces: words as they are, places of words, and None for what was not found.
Pieces = str | list[str | list[int] | None]

_WORD = re.compile(r"[^\W_]+")
_TEXT, _TITLE = range(2)  # the fields of a document that words are taken from
_SHAPES: tuple[Callable[[str], str], ...] = (  # kept by number: add at the end
    lambda word: word,
    lambda word: word[:1].lower() + word[1:],
    searchable,
    fold,
    lambda word: fold(word).capitalize(),
    lambda word: fold(word).upper(),
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Characters [start, end) of a field of a document; `_SHAPES[shape]` makes the word of them."""

    document: DocumentInfo
    field: int
    start: int
    end: int
    shape: int


_READ = 20  # passages read to find a word that was not shown


class Borrowing:
    """Takes texts apart: the person's words stay, those of documents become places.

    Args:
        searcher: Has the documents.
        answers: Of a conversation, the one that is kept first, then the latest first. Their
            questions are what the person said.
        number: Gives the number under which a document is kept.
    """

    def __init__(
        self,
        searcher: Searcher,
        answers: Sequence[Answer],
        number: Callable[[DocumentInfo], int],
    ) -> None:
        self._searcher, self._number = searcher, number
        said = (answer.question for answer in answers)
        self._own = {
            word.casefold()
            for question in said
            for text in (question, searchable(question))
            for word in _WORD.findall(text)
        }
        # Quotes first: that is where names are taken from.
        quotes = [(q.document, q.start, q.end) for a in answers for q in a.quotes]
        passages = [
            (p.document, p.start, p.end) for a in answers for p in (*a.passages, *a.nearest)
        ]
        self._shown = list(dict.fromkeys((i.id, s, e) for i, s, e in (*quotes, *passages)))
        self._infos = {info.id: info for info, _, _ in (*quotes, *passages)}

    def pieces(self, text: str) -> Pieces:
        """Return `text` as it is kept; as it is, where every word is the person's or ours."""
        pieces: list[str | list[int] | None] = []
        done = 0
        for match in _WORD.finditer(text):
            if match[0].casefold() in self._own or match[0].casefold() in STOP_WORDS:
                continue
            pieces += (text[done : match.start()], self._reference(match[0]))
            done = match.end()
        return [*pieces, text[done:]] if pieces else text

    def _reference(self, word: str) -> list[int] | None:
        place = self._place(word)
        if place is None:
            return None
        return [self._number(place.document), place.field, place.start, place.end, place.shape]

    def _place(self, word: str) -> _Place | None:
        """Return where `word` stands, or None."""
        for number, start, end in self._shown:
            if found := self._in_text(self._infos[number], word, start, end):
                return found
        # Headings and the headers of tables stand elsewhere in a document.
        for info in self._infos.values():
            if found := self._in_document(info, word):
                return found
        for row in self._searcher.passages(self._searcher.with_any(index_terms(word), _READ, None)):
            info = self._searcher.documents[row.document]
            if found := self._in_text(info, word, row.start, row.end):
                return found
            if found := self._in_document(info, word):
                return found
        return None

    def _in_text(self, info: DocumentInfo, word: str, start: int, end: int) -> _Place | None:
        text = self._text(info)
        return _found(info, _TEXT, text, word, _WORD.finditer(text, start, end))

    def _in_document(self, info: DocumentInfo, word: str) -> _Place | None:
        titled = _found(info, _TITLE, info.title, word, _WORD.finditer(info.title))
        if titled:
            return titled
        text = self._text(info)
        same = re.compile(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", re.I)
        return _found(info, _TEXT, text, word, same.finditer(text))

    def _text(self, info: DocumentInfo) -> str:
        try:
            return self._searcher.text(info.id)
        except DocumentNotFoundError:  # the library was compacted since it was shown
            return ""


def _found(
    info: DocumentInfo, field: int, text: str, word: str, matches: Iterable[re.Match[str]]
) -> _Place | None:
    """Return the first of some matches in a text that is `word` in one of the shapes."""
    for match in matches:
        for shape, shaped in enumerate(_SHAPES):
            if shaped(match[0]) == word:
                return _Place(info, field, match.start(), match.end(), shape)
    return None


def restored(
    pieces: Pieces, documents: Sequence[DocumentInfo | None], text: Callable[[int], str]
) -> str:
    """Return the text that became `pieces`, "…" for words whose document is gone.

    Args:
        pieces: As `Borrowing.pieces` gave them.
        documents: By the numbers that `Borrowing` was given.
        text: Gives the text of a document in the library.
    """

    def word(place: Sequence[int]) -> str:
        number, field, start, end, shape = place
        info = documents[number]
        if info is None:
            return GONE
        said = text(info.id) if field == _TEXT else info.title
        # A title is no part of the hash by which a document is known: it may be another by now.
        match = _WORD.search(said, start) if start < len(said) else None
        return _SHAPES[shape](match[0]) if match and match.span() == (start, end) else GONE

    return "".join(
        piece if isinstance(piece, str) else GONE if piece is None else word(piece)
        for piece in pieces
    )
