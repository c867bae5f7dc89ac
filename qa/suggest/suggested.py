"""Questions to begin with: such as the documents answer, made of their words and tried out."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.library import Library
from index.searcher import PassageRow, Searcher
from index.terms import index_terms
from index.types import DocumentInfo
from qa.chat import Chat
from qa.suggest.clause import Made, Vocabulary
from qa.suggest.heading import of_heading
from qa.suggest.sentence import of_sentence
from qa.text import text
from qa.types import Answer, Quote
from qa.visible import one_line

__all__ = ["suggested_questions"]

_DOCUMENTS = 300  # looked at, at most
_PASSAGES = 1800  # looked at, at most, as many of each document
_TRIES = 4  # questions asked for each that is wanted, at most
_SURE = 0.55  # confidence from which an answer is good enough to begin with
_PREFERENCE = {
    "often": 5.0, "why": 5.0, "when": 4.5, "how": 5.0, "heading": 4.5, "count": 4.5, "soon": 4.5,
    "long": 4.5, "property": 4.0, "where": 4.0, "who": 4.0, "what": 3.5, "may": 3.0, "term": 3.0,
    "you": 2.5, "about": 1.5,
}  # fmt: skip
_GENERAL = re.compile(
    r"\b(?:every|each|all|any|general)\b"
)  # as good an answer, less of a question
# What can stand in quotation marks and says something: "0.txt" does not.
_TITLE = re.compile(r"(?=.*[^\W\d_]{3})[\w’' ,.&():!-]{3,60}")
_SAME_DOCUMENT, _SAME_KIND = 4.0, 2.0  # what a second question of one loses


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A question, the sentence or heading it was made of, and how much it is liked."""

    made: Made
    document: int
    source: str
    liked: float


def suggested_questions(library: Library, n: int = 3, *, seed: int | None = None) -> list[str]:
    """Return at most `n` questions that the documents answer, the best first.

    Each is made of a sentence or heading and was asked: the answer is quoted from where the
    question was made. Where fewer are found, the rest asks what documents are about. Looks at a
    sample of a large library, so that it takes no longer than some seconds.

    Args:
        library: What is asked; an empty one gives no questions.
        n: At least 1.
        seed: Other numbers give other questions; default is the generation, so that they change
            when the documents do and not otherwise.

    Raises:
        ValueError: `n` is below 1.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    with library.searching() as searcher:
        rng = random.Random(searcher.generation if seed is None else seed)
        chosen = _sample(list(searcher.documents.values()), _DOCUMENTS, rng)
        candidates = _candidates(searcher, chosen, rng)
    questions = list(_tried(library, candidates, n))
    if len(questions) < n:
        questions += _about(library, chosen, n - len(questions))
    return questions


def _sample(documents: Sequence[DocumentInfo], most: int, rng: random.Random) -> list[DocumentInfo]:
    documents = [info for info in documents if info.language in (None, "en")]
    if len(documents) > most:
        documents = rng.sample(documents, most)
    return sorted(documents, key=lambda info: info.path)


# Made ------------------------------------------------------------------------------------------


def _candidates(
    searcher: Searcher, documents: Sequence[DocumentInfo], rng: random.Random
) -> list[_Candidate]:
    rows = {info.id: _rows(searcher, info, len(documents), rng) for info in documents}
    texts = {info.id: searcher.text(info.id) for info in documents}
    words = Vocabulary(
        texts[number][row.start : row.end] for number, some in rows.items() for row in some
    )
    found: dict[str, _Candidate] = {}
    for info in documents:
        for candidate in _of_document(info, rows[info.id], texts[info.id], words, rng):
            found.setdefault(candidate.made.question.casefold(), candidate)
    return sorted(found.values(), key=lambda each: (-each.liked, each.made.question))


def _rows(
    searcher: Searcher, info: DocumentInfo, documents: int, rng: random.Random
) -> list[PassageRow]:
    numbers = searcher.with_all([], frozenset([info.id]))
    most = max(_PASSAGES // documents, 4)
    return searcher.passages(sorted(rng.sample(numbers, most)) if len(numbers) > most else numbers)


def _of_document(
    info: DocumentInfo, rows: Sequence[PassageRow], text: str, words: Vocabulary, rng: random.Random
) -> Iterator[_Candidate]:
    title = info.title if info.title != info.name else ""
    asked = set()
    for row in rows:
        if row.headings and row.headings not in asked:
            asked.add(row.headings)
            for made in of_heading(row.headings[-1], title, words):
                yield _Candidate(made, info.id, row.headings[-1], _liked(made, rng))
        for sentence in row.sentences:
            if sentence.kind in ("paragraph", "item"):
                said = text[sentence.start : sentence.end]
                for made in of_sentence(said, words, row.headings):
                    yield _Candidate(made, info.id, said, _liked(made, rng))


def _liked(made: Made, rng: random.Random) -> float:
    """Return how good a question is to begin with: its kind, what it tells, a little chance."""
    telling = len(set(index_terms(made.question)))
    names = sum(word[:1].isupper() or word[:1].isdigit() for word in made.question.split()[1:])
    length = len(made.question.split())
    liked = _PREFERENCE[made.kind] + min(telling, 4) + min(names, 1) / 2
    general = bool(_GENERAL.search(made.question))
    return liked - 2 * (telling < 2) - max(length - 10, 0) / 2 - 1.5 * general + 2 * rng.random()


# Tried out -------------------------------------------------------------------------------------


def _tried(library: Library, candidates: Sequence[_Candidate], n: int) -> Iterator[str]:
    """Yield the candidates that are answered well, other documents and kinds before the same."""
    left, documents, kinds = list(candidates), Counter[int](), Counter[str]()
    found = 0
    for _ in range(_TRIES * n):
        if found == n or not left:
            return
        best = max(
            left,
            key=lambda each: (
                each.liked
                - _SAME_DOCUMENT * documents[each.document]
                - _SAME_KIND * kinds[each.made.kind]
            ),
        )
        left.remove(best)
        if _is_answered(best, Chat(library).ask(best.made.question)):
            documents[best.document] += 1
            kinds[best.made.kind] += 1
            found += 1
            yield best.made.question


def _is_answered(candidate: _Candidate, answer: Answer) -> bool:
    question = candidate.made.question
    if answer.notice or not answer.quotes or answer.confidence < _SURE:
        return False
    if answer.searched_for != question or one_line(question) != question:
        return False
    quote = answer.quotes[0]
    if candidate.made.kind in ("heading", "about"):
        # Below the heading, or below the same one in another document.
        return candidate.source in quote.citation.headings
    # The same sentence of another document is as good.
    same = " ".join(quote.text.split()) == " ".join(candidate.source.split())
    return same and _fits(quote, candidate.made.answer)


def _fits(quote: Quote, expected: str) -> bool:
    """Return whether the words that the reader marked are among those that shall answer."""
    if quote.short is None or not expected:
        return True
    marked = quote.text[quote.short.start - quote.start : quote.short.end - quote.start]
    return bool(set(_tokens(marked)) & set(_tokens(expected)))


def _tokens(words: str) -> list[str]:
    return [word.strip(".,;:()“”\"'") for word in words.casefold().split()]


def _about(library: Library, documents: Sequence[DocumentInfo], n: int) -> list[str]:
    """Return what asks for the beginning of a document, of `n` documents at most."""
    questions: list[str] = []
    for info in documents[: _TRIES * n]:
        name = info.title or info.name
        if not _TITLE.fullmatch(name):
            continue
        question = text("suggest.about", title=name)
        answer = Chat(library).ask(question)
        if len(questions) < n and answer.quotes and answer.quotes[0].document.id == info.id:
            questions.append(question)
    return questions
