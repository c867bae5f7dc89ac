"""Chat: questions that may lean on each other, answered in the documents' words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from index.library import Library
from index.searcher import Searcher
from index.terms import index_terms
from index.types import DocumentInfo, Filter
from qa.answer import AnswerSettings, Chooser
from qa.fixed import about_document, about_notice, fixed_reply
from qa.followup import Turn, leans_on_history, own_words, whole_questions, without_chatter
from qa.question import MAX_CHARACTERS, check_question, gist, searchable
from qa.retriever import Retriever, RetrieverSettings, citation_of
from qa.spelling import corrected
from qa.types import Answer, Passage, Quote

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
        self._before: list[Turn] = []
        self._settings = settings or AnswerSettings()
        self._retriever = Retriever(library, retriever)

    def reset(self) -> None:
        """Begin a new conversation."""
        self.turns.clear()
        self._before.clear()

    def remember(self, question: str, answer: str) -> None:
        """Take up a turn that happened elsewhere, to continue a conversation from there.

        Turns are remembered in the order they happened, and count as before all that is asked
        here.

        Args:
            question: As it was asked.
            answer: What was shown, or "" for nothing.

        Raises:
            QuestionError: The question is empty or longer than 2,000 characters.
        """
        question = check_question(question)
        with self.library.searching() as searcher:
            said = _said(question, searcher)
            reading, _ = self._read(searcher, said, k=1, where=self.where, whole=False)
        self._before.append(Turn(said, reading, (answer,) if answer.strip() else ()))

    def resume(self, answers: Sequence[Answer]) -> None:
        """Continue a conversation in which these answers were given, as if it were this one.

        All that is asked from now on is understood as it would have been there, if it leans on
        no more than the last `HEARD` of them; what was asked here before is forgotten.
        """
        self.reset()
        self.turns.extend(answers[-HEARD:])

    def retrieve(self, question: str, *, k: int = 5, where: Filter | None = None) -> list[Passage]:
        """Return the `k` passages that fit `question` best after the turns so far.

        The conversation does not change: `question` is no turn of it.

        Raises:
            QuestionError: The question is empty or too long.
            ValueError: `k` is below 1.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        question = check_question(question)
        with self.library.searching() as searcher:
            _, passages = self._read(
                searcher, _said(question, searcher), k=k, where=where or self.where, whole=False
            )
        return passages

    def ask(
        self,
        question: str,
        *,
        where: Filter | None = None,
        whole: bool = False,
        searched: Callable[[str], None] | None = None,
    ) -> Answer:
        """Return verified quotes that answer `question`, or an abstention.

        Args:
            question: At most 2,000 characters.
            where: Which documents may answer this question; default is the chat's own.
            whole: Take the question as it is, although it may look like a follow-up or may have
                typing errors.
            searched: Called with what the answer will have as `searched_for`, once passages are
                found and before they are read, which takes longest. What it raises ends it.

        Raises:
            QuestionError: The question is empty or too long.
        """
        question = check_question(question)
        with self.library.searching() as searcher:
            said = searchable(question) if whole else _said(question, searcher)
            answer = self._fixed(searcher, question, said)
            if answer is None:
                answer = self._answer(
                    searcher, question, said, where or self.where, whole=whole, searched=searched
                )
        self.turns.append(answer)
        return answer

    def _fixed(self, searcher: Searcher, question: str, said: str) -> Answer | None:
        notice = fixed_reply(said, searcher)
        generation = searcher.generation
        if notice is not None:
            return Answer(
                question=question,
                searched_for=question,
                notice=notice,
                confidence=1.0,
                generation=generation,
            )
        info = about_document(said, searcher)
        if info is None:
            return None
        return Answer(
            question=question,
            searched_for=question,
            notice=about_notice(info),
            quotes=tuple(_beginning(searcher, info)),
            confidence=1.0,
            generation=generation,
        )

    def _answer(
        self,
        searcher: Searcher,
        question: str,
        said: str,
        where: Filter | None,
        *,
        whole: bool,
        searched: Callable[[str], None] | None,
    ) -> Answer:
        reading, passages = self._read(
            searcher, said, k=self._settings.passages, where=where, whole=whole
        )
        # Where nothing was completed or mended, there is nothing to show.
        shown = question if reading == searchable(question) else reading
        if searched is not None:
            searched(shown)
        answer = Chooser(searcher, self._settings).answer(question, reading, passages, own=said)
        return replace(answer, searched_for=shown)

    def _read(
        self, searcher: Searcher, question: str, *, k: int, where: Filter | None, whole: bool
    ) -> tuple[str, list[Passage]]:
        """Return the question as it is best read after the turns so far, and its passages.

        Which reading is meant, the documents decide: the one whose best passage fits best. A
        question that leans on nothing is completed only when that fits clearly better.
        """
        turns = self._heard()
        if whole or not turns:
            return question, self._retriever.search(searcher, question, k=k, where=where)
        # Who asks the same again wants to see the same again.
        known = [] if any(turn.question == question for turn in turns) else turns

        def search(text: str, own: str | None = None) -> list[Passage]:
            found = self._retriever.search(searcher, text, k=k, where=where, own=own)
            return _news_first(found, known)

        leans = leans_on_history(question)
        plain = own_words(question) if leans else without_chatter(question)
        bare = search(plain)
        fitting = [text for text in whole_questions(question, turns) if len(text) <= MAX_CHARACTERS]
        readings = [(text, search(text, own=plain)) for text in fitting]
        # A name from the last quotes finds their passage again, whatever was asked: the later a
        # reading comes, the better it must fit.
        fits = [_fit(found) - LATER * place for place, (_, found) in enumerate(readings)]
        reading, passages = readings[fits.index(max(fits))] if fits else (plain, bare)
        if not leans and not _clearly_better(passages, bare, plain):
            reading, passages = plain, bare
        return reading, passages

    def _heard(self) -> list[Turn]:
        return [*self._before, *(Turn.of(turn) for turn in self.turns if not turn.notice)]


def _said(question: str, searcher: Searcher) -> str:
    """Return what a question asks, in one spelling, its typing errors mended."""
    return corrected(gist(searchable(question)), searcher)


HEARD = 50  # answers of an earlier conversation that are taken up
CLEARLY = 0.08  # score by which a completed question must fit better where nothing asks for it
LATER = 0.04  # score that a reading must be ahead of the one before it
SHOWN = 0.04  # score that a passage loses when its best sentence was shown before


def _fit(passages: Sequence[Passage]) -> float:
    return passages[0].score if passages else 0.0


def _clearly_better(passages: Sequence[Passage], bare: Sequence[Passage], plain: str) -> bool:
    """Return whether completing helped, and not by words that were never asked for."""
    if _fit(passages) < _fit(bare) + CLEARLY:
        return False
    asked = set(index_terms(plain))
    return not asked or any(asked & set(index_terms(word)) for word in passages[0].matched)


def _news_first(passages: Sequence[Passage], turns: Sequence[Turn]) -> list[Passage]:
    """Return the passages with those lowered that show what was shown already."""
    shown = [_folded(text) for turn in turns for text in turn.shown]
    lowered = [
        replace(passage, score=max(round(passage.score - SHOWN, 4), 0.0))
        if any(_folded(passage.best.text) in text for text in shown)
        else passage
        for passage in passages
    ]
    # Sorting is stable: equals stay in the order of retrieval.
    return sorted(lowered, key=lambda passage: -passage.score)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


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
