"""Chat: questions that may lean on each other, answered in the documents' words."""

from __future__ import annotations

from collections.abc import Sequence

from index.library import Library
from index.searcher import Searcher
from index.types import DocumentInfo, Filter
from qa.answer import AnswerSettings, Chooser
from qa.fixed import about_document, fixed_reply
from qa.followup import leans_on_history, whole_questions
from qa.question import check_question
from qa.retriever import Retriever, RetrieverSettings, citation_of
from qa.types import Answer, Quote

__all__ = ["Chat"]


class Chat:
    """A conversation with a library; keeps what was asked, so that follow-ups are understood.

    Not for several threads at once: each conversation has its own.
    """

    def __init__(
        self,
        library: Library,
        *,
        where: Filter | None = None,
        settings: AnswerSettings | None = None,
        retriever: RetrieverSettings | None = None,
    ) -> None:
        self.library = library
        self.where = where
        self.turns: list[Answer] = []
        self._settings = settings or AnswerSettings()
        self._retriever = Retriever(library, retriever)

    def reset(self) -> None:
        """Begin a new conversation."""
        self.turns.clear()

    def ask(self, question: str, *, where: Filter | None = None, whole: bool = False) -> Answer:
        """Return verified quotes that answer `question`, or an abstention.

        Args:
            question: At most 2,000 characters.
            where: Which documents may answer this question; default is the chat's own.
            whole: Take the question as it is, although it may look like a follow-up.

        Raises:
            QuestionError: The question is empty or too long.
        """
        question = check_question(question)
        with self.library.searching() as searcher:
            answer = self._fixed(searcher, question)
            if answer is None:
                answer = self._answer(searcher, question, where or self.where, whole=whole)
        self.turns.append(answer)
        return answer

    def _fixed(self, searcher: Searcher, question: str) -> Answer | None:
        notice = fixed_reply(question, searcher)
        generation = searcher.generation
        if notice is not None:
            return Answer(
                question=question,
                searched_for=question,
                notice=notice,
                confidence=1.0,
                generation=generation,
            )
        info = about_document(question, searcher)
        if info is None:
            return None
        return Answer(
            question=question,
            searched_for=question,
            notice=f"{_called(info)} begins so:",
            quotes=tuple(_beginning(searcher, info)),
            confidence=1.0,
            generation=generation,
        )

    def _answer(
        self, searcher: Searcher, question: str, where: Filter | None, *, whole: bool
    ) -> Answer:
        turns = [turn for turn in self.turns if not turn.notice]
        if whole or not turns:
            return self._read(searcher, question, question, where)
        *completed, bare = whole_questions(
            question, _topic(turns), [quote.text for quote in turns[-1].quotes]
        )
        leans = leans_on_history(question)
        plain = self._read(searcher, question, bare if leans else question, where)
        if not leans and plain.confidence >= SURE:
            return plain
        # Which reading is meant, the documents decide: the one that they answer best.
        readings = [self._read(searcher, question, text, where) for text in completed]
        best = max(readings, key=lambda answer: answer.confidence, default=plain)
        bonus = LEANING if leans else -LEANING
        return best if best.confidence + bonus > plain.confidence else plain

    def _read(
        self, searcher: Searcher, question: str, reading: str, where: Filter | None
    ) -> Answer:
        passages = self._retriever.search(searcher, reading, k=self._settings.passages, where=where)
        return Chooser(searcher, self._settings).answer(question, reading, passages)


SURE = 0.5  # confidence from which a question without signs of leaning is taken as it is
LEANING = 0.15  # what such signs count for, in confidence


def _topic(turns: Sequence[Answer]) -> str:
    """Return the last question that stood on its own, or the first of all."""
    alone = [turn.question for turn in turns if turn.searched_for == turn.question]
    return alone[-1] if alone else turns[0].searched_for


def _called(info: DocumentInfo) -> str:
    return info.path if info.title == info.name else f"{info.path} ({info.title})"


def _beginning(searcher: Searcher, info: DocumentInfo) -> list[Quote]:
    """Return the first two sentences of a document that are no headings."""
    quotes: list[Quote] = []
    text = searcher.text(info.id)
    for row in searcher.passages_of(info.id):
        for sentence in row.sentences:
            if sentence.kind == "heading":
                continue
            citation = citation_of(searcher, row, sentence.start, sentence.end)
            quotes.append(
                Quote(
                    document=info,
                    start=sentence.start,
                    end=sentence.end,
                    text=text[sentence.start : sentence.end],
                    citation=citation,
                    score=1.0,
                    context=sentence.context,
                )
            )
            if len(quotes) == 2:
                return quotes
    return quotes
