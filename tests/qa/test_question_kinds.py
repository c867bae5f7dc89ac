"""Questions of every kind about small documents are answered as a reader of them would.

Each case was worked out by reading the documents, not by asking the product.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from question_cases import CASES, TEXTS, Case
from small import write

from index import Library
from index.types import Encoder
from qa import Answer, Chat
from qa.types import Quote

LONG = ("list", "how", "comparison")  # kinds whose answers may take more than a few quotes
QUOTES = 4
EVERYDAY = 2  # cases of a kind
# A question of these kinds asks for no yes or no.
OPEN = ("who", "when", "where", "how many", "how much", "how often", "how long", "why", "how")

# What the product does not manage yet. Strict: when one of them is answered, it leaves the list.
NOT_ANSWERED = frozenset(
    {
        "where-4",
        "where-10",
        "how many-11",
        "how long-12",
        "why-6",
        "why-7",
        "why-12",
        "how-1",
        "how-2",
        "how-6",
        "how-10",
        "list-4",
        "list-7",
        "list-8",
        "list-9",
        "list-11",
        "yes/no-10",
        "definition-8",
        "definition-9",
        "comparison-3",
        "comparison-5",
        "comparison-8",
        "comparison-9",
        "follow-up-10",
        "follow-up-11",
        "unanswerable-1",
        "unanswerable-3",
        "unanswerable-6",
        "unanswerable-7",
        "unanswerable-8",
        "unanswerable-10",
        "unanswerable-12",
        "wrong premise-1",
        "wrong premise-6",
        "wrong premise-7",
        "wrong premise-9",
        "wrong premise-10",
        "typing errors-3",
        "typing errors-8",
        "code-12",
    }
)
NOT_MARKED = frozenset(
    {
        "when-5",
        "how long-4",
    }
)


def named(case: Case, kind: str, number: int, known: frozenset[str] = frozenset()) -> object:
    """Return the case with an id such as "who-3"; the first ones of a kind are asked every day."""
    id = f"{kind}-{number}"
    marks = [] if number <= EVERYDAY else [pytest.mark.slow]
    if id in known:
        marks.append(pytest.mark.xfail(reason="a known gap", strict=True))
    return pytest.param(case, id=id, marks=marks)


def cases(*kinds: str, known: frozenset[str] = frozenset()) -> list[object]:
    """Return the cases of these kinds, or all."""
    return [
        named(case, kind, number, known)
        for kind in kinds or CASES
        for number, case in enumerate(CASES[kind], 1)
    ]


def folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def holds(quote: Quote, words: str) -> bool:
    return folded(words) in folded(f"{quote.context} {quote.text}")


@pytest.fixture(scope="module")
def library(
    examples_folder: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder
) -> Iterator[Library]:
    """The examples and more."""
    path = tmp_path_factory.mktemp("kinds") / "kinds.quoth"
    shutil.copytree(examples_folder, path)
    with Library.open(path, encoder=encoder) as opened:
        opened.sync(write(path.parent / "more", TEXTS))
        yield opened


@pytest.fixture(scope="module")
def heard() -> dict[Case, Answer]:
    """What was answered already: several tests look at one answer."""
    return {}


@pytest.fixture
def answer(request: pytest.FixtureRequest, library: Library, heard: dict[Case, Answer]) -> Answer:
    case: Case = request.getfixturevalue("case")
    if case not in heard:
        chat = Chat(library)
        for question in case.after:
            chat.ask(question)
        heard[case] = chat.ask(case.question)
    return heard[case]


def told(answer: Answer) -> str:
    """Return the answer as people see it, for the message of a failure."""
    return f"{answer.question}\n(confidence {answer.confidence:.2f})\n\n{answer.to_markdown()}"


@pytest.mark.parametrize("case", cases(known=NOT_ANSWERED))
def test_the_answer_is_the_one_of_a_reader(case: Case, answer: Answer) -> None:
    quotes = answer.quotes
    assert answer.abstained is not bool(quotes)
    if case.silent and answer.abstained:
        return
    if case.first:
        assert any(holds(quote, words) for quote in quotes[:1] for words in case.first), told(
            answer
        )
    elif case.silent:
        assert answer.abstained, told(answer)
    if case.some:
        assert any(holds(quote, words) for quote in quotes for words in case.some), told(answer)
    missing = [words for words in case.every if not any(holds(quote, words) for quote in quotes)]
    assert not missing, f"{missing} missing: {told(answer)}"


@pytest.mark.parametrize("case", cases(*(kind for kind in CASES if kind not in LONG)))
def test_an_answer_is_a_few_quotes(case: Case, answer: Answer) -> None:
    # Of a disagreement the other side is quoted too.
    assert len(answer.quotes) <= QUOTES + len(answer.disagreements), told(answer)


FACTS = [
    named(case, kind, number, NOT_MARKED)
    for kind, group in CASES.items()
    for number, case in enumerate(group, 1)
    if case.short
]


@pytest.mark.parametrize("case", FACTS)
def test_the_words_that_answer_are_marked(case: Case, answer: Answer) -> None:
    """In facts as plain as these; not much more than the words is marked."""
    assert answer.quotes, told(answer)
    quote = answer.quotes[0]
    assert quote.short is not None, told(answer)
    marked = quote.text[quote.short.start - quote.start : quote.short.end - quote.start]
    assert folded(case.short) in folded(marked)
    assert len(marked.split()) <= len(case.short.split()) + 4


@pytest.mark.parametrize("case", cases("yes/no"))
def test_a_yes_no_question_gets_the_sentence_that_decides(case: Case, answer: Answer) -> None:
    assert answer.decides


@pytest.mark.parametrize("case", cases(*OPEN))
def test_no_other_question_gets_a_sentence_that_decides(case: Case, answer: Answer) -> None:
    assert not answer.decides


def test_every_word_that_is_expected_stands_in_the_documents(library: Library) -> None:
    """Else a case could never be right."""
    texts = [folded(library.text(info.id)) for info in library.documents()]
    wanted = {
        words
        for group in CASES.values()
        for case in group
        for words in (*case.first, *case.some, *case.every, case.short)
    }
    assert [words for words in sorted(wanted) if not any(folded(words) in t for t in texts)] == []


def test_there_are_many_cases_of_every_kind() -> None:
    assert len(CASES) == 20
    assert min(len(group) for group in CASES.values()) >= 10
    questions = [(case.question, case.after) for group in CASES.values() for case in group]
    assert len(set(questions)) == len(questions)
