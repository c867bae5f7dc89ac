"""Chat: questions that may lean on each other, answered in the documents' words."""

from __future__ import annotations

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
            notice=f"{info.path}: {info.title}. It begins so:",
            quotes=tuple(_beginning(searcher, info)),
            confidence=1.0,
            generation=generation,
        )

    def _answer(
        self, searcher: Searcher, question: str, where: Filter | None, *, whole: bool
    ) -> Answer:
        readings = [question] if whole else self._readings(question)
        chooser = Chooser(searcher, self._settings)
        best: Answer | None = None
        for reading in readings:
            passages = self._retriever.search(
                searcher, reading, k=self._settings.passages, where=where
            )
            answer = chooser.answer(question, reading, passages)
            # The first reading that finds something wins a tie: the fullest one.
            if best is None or answer.confidence > best.confidence + FULLER:
                best = answer
        assert best is not None  # there is always one reading
        return best

    def _readings(self, question: str) -> list[str]:
        earlier = [turn.searched_for for turn in self.turns if not turn.notice]
        if not earlier or not leans_on_history(question):
            return [question]
        return whole_questions(question, earlier)


FULLER = 0.15  # by so much must the bare question be surer than the completed one


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
