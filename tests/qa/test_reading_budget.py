"""How many passages are read for an answer: few where these answer, more where they do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from index import Library
from index.types import Encoder
from qa import Chat, Retriever
from qa.reader import Readable, Reader, Reading, load_reader
from qa.reading import read_passages, was_read
from qa.retriever import RetrieverSettings
from qa.types import Passage

ASKED = "How often is the lift of house 3 inspected?"
UNANSWERED = "Who painted the lift of house 3?"


class Counting(Reader):
    """The reader that ships, and how many texts it was given."""

    def __init__(self) -> None:
        self.__dict__.update(load_reader().__dict__)
        self.given: list[int] = []

    def read(self, question: str, texts: Sequence[Readable]) -> list[Reading]:
        """Read, and note how many."""
        self.given.append(len(texts))
        return super().read(question, texts)


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Library]:
    path = tmp_path_factory.mktemp("houses") / "houses.quoth"
    with Library.open(path, create=True, encoder=encoder) as library:
        library.add_texts(
            (f"house {n}", f"The lift of house {n} is inspected every {n + 2} months.", None, None)
            for n in range(1, 13)
        )
        yield library


@pytest.fixture
def reader() -> Counting:
    return Counting()


def read(
    reader: Counting,
    library: Library,
    question: str,
    first: int | None = None,
    enough: float = 0.0,
) -> list[Passage]:
    retriever = Retriever(library, RetrieverSettings(duplicate=2.0))
    found = retriever.retrieve(question, k=12)
    return read_passages(reader, question, found, 10, first=first, enough=enough)


def how_many(passages: Sequence[Passage]) -> int:
    return sum(map(was_read, passages))


@pytest.mark.slow
def test_where_the_first_answer_no_others_are_read(houses: Library, reader: Counting) -> None:
    assert how_many(read(reader, houses, ASKED, first=4)) == 4
    assert reader.given == [4]


@pytest.mark.slow
def test_where_they_do_not_the_others_are_read_too(houses: Library, reader: Counting) -> None:
    assert how_many(read(reader, houses, UNANSWERED, first=4)) == 10
    assert reader.given == [4, 6]


@pytest.mark.slow
def test_without_a_first_number_all_are_read_at_once(houses: Library, reader: Counting) -> None:
    assert how_many(read(reader, houses, ASKED)) == 10
    assert reader.given == [10]


@pytest.mark.slow
def test_how_sure_a_span_must_be_is_a_setting(houses: Library, reader: Counting) -> None:
    assert how_many(read(reader, houses, ASKED, first=4, enough=99.0)) == 10


@pytest.mark.slow
def test_what_was_not_read_does_not_pass_for_an_answer(houses: Library, reader: Counting) -> None:
    passages = read(reader, houses, ASKED, first=4)
    best = {sentence.margin for sentence in passages[0].sentences}
    rest = {s.margin for p in passages if not was_read(p) for s in p.sentences}
    assert max(rest) < min(best)


@pytest.mark.slow
def test_an_answer_needs_no_more_than_it_reads(houses: Library) -> None:
    answer = Chat(houses).ask(ASKED)
    assert answer.quotes[0].text == "The lift of house 3 is inspected every 5 months."
