"""The product as it is measured: a library of a set's documents, its retriever and its chat.

Everything that the benchmarks ask of the product goes through here, so that a change of its
interface changes one file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.data import DataError, Judged, Question, Set, Unit
from bench.units import shared, within

if TYPE_CHECKING:
    from index import Library
    from index.searcher import Searcher
    from index.types import DocumentInfo, Encoder
    from qa import Answer, Chat, Passage
    from qa.ranking import AnswerSettings
    from qa.reader import Reader

__all__ = ["Product", "added"]

EVERY = 10_000  # passages: more than a document has


class Product:
    """Retriever and chat over a library of a set's documents.

    Args:
        library: The library.
        data: The set.
        ids: The set's id of each document, by its path in the library.
    """

    def __init__(self, library: Library, data: Set, ids: Mapping[str, str]) -> None:
        from qa import Retriever
        from qa.retriever import RetrieverSettings

        self._library = library
        self._data = data
        self._ids = ids
        self._numbers = {ids[info.path]: info.id for info in library.documents()}
        self._retriever = Retriever(library)
        # For a given text: all of its passages, those that say the same too.
        self._every = Retriever(library, RetrieverSettings(candidates=EVERY, duplicate=2.0))

    @classmethod
    @contextmanager
    def build(
        cls, data: Set, encoder: Encoder, progress: Callable[[str], None]
    ) -> Iterator[Product]:
        """Give the product over the documents of `data`, in a library made for it.

        Raises:
            DataError: The library does not hold a document as the set has it.
        """
        from index import Library

        with (
            tempfile.TemporaryDirectory(prefix="quoth-bench-") as folder,
            Library.open(Path(folder) / "bench.quoth", create=True, encoder=encoder) as library,
        ):
            ids = added(library, data)
            progress(f"{data.name}: {library.status().sentences:,} sentences indexed")
            yield cls(library, data, ids)

    def searching(self) -> AbstractContextManager[Searcher]:
        """Open a searcher for `passages_in` and `answer_from`."""
        return self._library.searching()

    def unit(self, document: DocumentInfo, start: int, end: int) -> Unit:
        """Return a place of the library as one of the set."""
        return Unit(self._ids[document.path], start, end)

    def best_sentences(self, question: str, k: int) -> list[Unit]:
        """Return the best sentence of each of the `k` best passages, best passage first."""
        return self.best_of(self._retriever.retrieve(question, k=k))

    def read_order(self, question: str, k: int) -> list[Unit]:
        """Return the best sentence of each of the `k` passages of an answer, in its order."""
        return self.best_of(self.chat(passages=k).ask(question, whole=True).passages)

    def best_of(self, passages: Sequence[Passage]) -> list[Unit]:
        """Return the best sentence of each passage."""
        return [self.unit(each.document, each.best.start, each.best.end) for each in passages]

    def chat(self, *, passages: int | None = None, abstaining: bool = True) -> Chat:
        """Return a new conversation.

        Args:
            passages: How many passages an answer brings; default is the product's number.
            abstaining: Whether it may say that the documents do not say.
        """
        from qa import Chat

        settings = _settings(abstaining=abstaining)
        if passages is not None:
            settings = replace(settings, passages=passages)
        return Chat(self._library, settings=settings)

    def answer(
        self, question: Question, *, passages: int | None = None, abstaining: bool = True
    ) -> Answer:
        """Return the answer to a question, what was said before it given to the chat.

        Args:
            question: Asked in its own words.
            passages: How many an answer brings; default is the product's number.
            abstaining: Whether it may say that the documents do not say.
        """
        chat = self.chat(passages=passages, abstaining=abstaining)
        for asked, answered in question.history:
            if asked.strip():  # canard's first "turn" is a title
                chat.remember(asked, answered)
        return chat.ask(question.text)

    def quotes(self, question: str) -> list[Unit]:
        """Return the quotes that answer `question` without its history; none if it abstains."""
        return self.quoted(self.chat().ask(question))

    def quoted(self, answer: Answer) -> list[Unit]:
        """Return the quotes of an answer."""
        return [self.unit(quote.document, quote.start, quote.end) for quote in answer.quotes]

    def passages_in(
        self, searcher: Searcher, question: str, context: Sequence[Judged]
    ) -> list[Passage]:
        """Return the passages of given places, scored for the question, the best first.

        They are as the product cuts them, without the sentences outside of the places.
        """
        from index.types import Filter

        places = [within(place, self._data.documents[place.document]) for place in context]
        numbers = frozenset(self._numbers[place.document] for place in places)
        found = self._every.search(searcher, question, k=EVERY, where=Filter(documents=numbers))
        cut = (self._cut(passage, places) for passage in found)
        return [passage for passage in cut if passage is not None]

    def _cut(self, passage: Passage, places: Sequence[Unit]) -> Passage | None:
        kept = [
            sentence
            for sentence in passage.sentences
            if any(
                2 * shared(self.unit(passage.document, sentence.start, sentence.end), place)
                > sentence.end - sentence.start
                for place in places
            )
        ]
        if not kept:
            return None
        start, end = kept[0].start, kept[-1].end
        text = passage.text[start - passage.start : end - passage.start]
        return replace(passage, start=start, end=end, text=text, sentences=tuple(kept))

    def answer_from(
        self,
        searcher: Searcher,
        question: str,
        passages: Sequence[Passage],
        reader: Reader,
        *,
        abstaining: bool = True,
    ) -> Answer:
        """Return what the product answers from these passages alone; see `chat`."""
        from qa.answer import Chooser

        chooser = Chooser(searcher, _settings(abstaining=abstaining), reader)
        return chooser.answer(question, question, passages)

    def sentence_scores(
        self, question: str, passages: Sequence[Passage], reader: Reader
    ) -> dict[Unit, float]:
        """Return the product's own score of each sentence: what it chooses by, all of them read."""
        from qa.ranking import rank_sentences
        from qa.reading import read_passages

        read = read_passages(reader, question, passages, len(passages))
        return {
            self.unit(each.passage.document, each.sentence.start, each.sentence.end): each.rank
            for each in rank_sentences(question, read)
        }


def _settings(*, abstaining: bool) -> AnswerSettings:
    from qa.ranking import AnswerSettings

    settings = AnswerSettings()
    return settings if abstaining else replace(settings, abstain_below=0.0)


def added(library: Library, data: Set) -> dict[str, str]:
    """Put the documents of a set into a library; return their ids by path.

    Documents that are files are synced; others are added as the text they are, under a name
    that says nothing, since the name of a document helps to find it.

    Raises:
        DataError: The library does not hold a document as the set has it.
    """
    if data.files is not None:
        report = library.sync(data.files)
        if report.skipped:
            skip = report.skipped[0]
            raise DataError(f"{data.files / skip.path} was skipped: {skip.reason}.")
        ids = {id: id for id in data.documents}
    else:
        ids = {f"d{number:06}": id for number, id in enumerate(data.documents)}
        library.add_texts(
            (path, data.documents[id].text, data.documents[id].title or None, None)
            for path, id in ids.items()
        )
    stored = {info.path: info.id for info in library.documents()}
    for path, id in ids.items():
        # Offsets of the set must mean the same in the library.
        if path not in stored or library.text(stored[path]) != data.documents[id].text:
            raise DataError(f"{data.name}: the library does not hold {id} as the set has it.")
    return ids
