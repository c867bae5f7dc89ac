"""Short answers from a given text, as SQuAD 2.0 measures them: EM, F1, and silence.

The asker says where to look (`context`), so only reading is measured, not searching. A system
gives a text and a score; below a threshold it says that the answer is not there. A question
without an answer is right (1) if it is refused, one with an answer wrong (0).

Source: Rajpurkar et al. (2018), Know what you don't know: unanswerable questions for SQuAD.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.calibration import area
from bench.chance import area_difference
from bench.data import Question, Set
from bench.figures import Difference, Table, compared, means
from bench.options import sample, tell
from bench.reading import read_passages
from bench.squad import exact, f1

if TYPE_CHECKING:
    from bench.product import Product
    from index.searcher import Searcher
    from qa import Answer
    from qa.reader import Reader

__all__ = ["THRESHOLD", "Guess", "asks_for_a_span", "best_threshold", "measure_closed"]

THRESHOLD = 0.0  # margin above which the reader's span is taken: better than "not here"
SILENT = "always abstain"
NEAREST = "nearest sentence"
READER = "reader"
PRODUCT = "product"


@dataclass(frozen=True, slots=True)
class Guess:
    """What a system answers: a text, how sure it is, and whether it stands by it."""

    text: str
    score: float
    answered: bool


NOTHING = Guess("", 0.0, answered=False)


def asks_for_a_span(question: Question) -> bool:
    """Return whether a short answer stands in the given text, or is known not to."""
    if not question.context or question.all_needed:
        return False
    return question.answerable is False or bool(question.spans)


def measure_closed(
    data: Set,
    questions: Sequence[Question],
    product: Product,
    reader: Reader,
    *,
    limit: int | None,
    threshold: float = THRESHOLD,
) -> Iterator[Table]:
    """Yield one table, or none where no question asks for a span.

    Args:
        data: The set.
        questions: Of the split.
        product: Over the documents of the set.
        reader: The one that ships.
        limit: How many questions to ask.
        threshold: Margin above which the reader answers.
    """
    fitting = sample([each for each in questions if asks_for_a_span(each)], limit)
    if not any(each.spans for each in fitting):
        return
    guesses: dict[str, list[Guess]] = {name: [] for name in (SILENT, NEAREST, READER, PRODUCT)}
    with product.searching() as searcher:
        for done, question in enumerate(fitting, 1):
            found = _guesses(product, reader, searcher, question, threshold)
            for name, guess in found.items():
                guesses[name].append(guess)
            if done % 200 == 0:
                tell(f"{data.name}: {done} of {len(fitting)} texts read")
    yield tabulated(data.name, fitting, guesses)


def _guesses(
    product: Product, reader: Reader, searcher: Searcher, question: Question, threshold: float
) -> dict[str, Guess]:
    passages = product.passages_in(searcher, question.text, question.context)
    sentences = [sentence for passage in passages for sentence in passage.sentences]
    if not sentences:  # of a text without words nothing is kept
        return dict.fromkeys((SILENT, NEAREST, READER, PRODUCT), NOTHING)
    nearest = max(sentences, key=lambda sentence: sentence.cosine)
    read = read_passages(reader, product, question.text, passages)
    best = max(read, key=lambda sentence: sentence.margin)
    answer = product.answer_from(searcher, question.text, passages, reader)
    shown = answer
    if not answer.quotes:
        shown = product.answer_from(searcher, question.text, passages, reader, abstaining=False)
    return {
        SILENT: NOTHING,
        NEAREST: Guess(nearest.text, nearest.cosine, answered=True),
        READER: Guess(best.text, best.margin, answered=best.margin > threshold),
        PRODUCT: Guess(_short(shown), answer.confidence, answered=bool(answer.quotes)),
    }


def _short(answer: Answer) -> str:
    """Return the words marked in the first quote, or all of it."""
    if not answer.quotes:
        return ""
    quote = answer.quotes[0]
    if quote.short is None:
        return quote.text
    return quote.text[quote.short.start - quote.start : quote.short.end - quote.start]


def tabulated(name: str, questions: Sequence[Question], guesses: dict[str, list[Guess]]) -> Table:
    """Return the figures of the systems' guesses.

    EM and F1 are over the questions with an answer, taking every guess. Where some have none,
    "EM 2.0" and "F1 2.0" are over all, each system answering when it stands by its guess;
    "kept" and "refused" say how often it does with and does not without an answer; "best F1"
    is F1 2.0 at the threshold "at" that is best for these very questions.
    """
    values = {system: _values(questions, found) for system, found in guesses.items()}
    rows = means(values)
    differences = compared(values, ["F1 2.0" if _mixed(questions) else "F1"], _pairs())
    if _mixed(questions):
        for system, found in guesses.items():
            if system != SILENT:
                rows[system] |= _ranked(questions, found)
        differences += _areas(questions, guesses)
    return Table(
        what="closed spans",
        data=name,
        counts={
            "with an answer": sum(bool(each.spans) for each in questions),
            "without": sum(not each.spans for each in questions),
        },
        rows=rows,
        differences=differences,
    )


def _mixed(questions: Sequence[Question]) -> bool:
    return not all(each.spans for each in questions)


def _pairs() -> list[tuple[str, str]]:
    return [(one, other) for one in (READER, PRODUCT) for other in (SILENT, NEAREST)]


def _values(questions: Sequence[Question], guesses: Sequence[Guess]) -> dict[str, list[float]]:
    pairs = list(zip(questions, guesses, strict=True))
    answered = [(question, guess) for question, guess in pairs if question.spans]
    values = {
        "EM": [exact(guess.text, question.answers) for question, guess in answered],
        "F1": [f1(guess.text, question.answers) for question, guess in answered],
    }
    if _mixed(questions):
        said = [(question, guess.text if guess.answered else "") for question, guess in pairs]
        values["EM 2.0"] = [exact(text, question.answers) for question, text in said]
        values["F1 2.0"] = [f1(text, question.answers) for question, text in said]
        values["kept"] = [float(guess.answered) for question, guess in answered]
        values["refused"] = [
            float(not guess.answered) for question, guess in pairs if not question.spans
        ]
    return values


def _ranked(questions: Sequence[Question], guesses: Sequence[Guess]) -> dict[str, float]:
    yes = [g.score for q, g in zip(questions, guesses, strict=True) if q.spans]
    no = [g.score for q, g in zip(questions, guesses, strict=True) if not q.spans]
    best, at = best_threshold(questions, guesses)
    return {"best F1": best, "at": at, "AUROC": area(yes, no)}


def best_threshold(questions: Sequence[Question], guesses: Sequence[Guess]) -> tuple[float, float]:
    """Return the highest F1 2.0 of any threshold on the score, and that threshold.

    What scores above the threshold is answered. This looks at the answers: on `dev` it says
    which threshold to use, on `test` only what there was to gain.
    """
    gains = sorted(
        (
            (guess.score, f1(guess.text, question.answers) if question.spans else -1.0)
            for question, guess in zip(questions, guesses, strict=True)
        ),
        reverse=True,
    )
    total = float(sum(not question.spans for question in questions))
    best, at = total, gains[0][0]
    for number, (_, gain) in enumerate(gains):
        total += gain
        below = gains[number + 1][0] if number + 1 < len(gains) else float("-inf")
        if total > best and below < gains[number][0]:  # equal scores are answered together
            # Half way to the next, as far as there is one.
            best = total
            at = (gains[number][0] + below) / 2 if below > float("-inf") else gains[number][0] - 1
    return best / len(questions), at


def _areas(questions: Sequence[Question], guesses: dict[str, list[Guess]]) -> Iterator[Difference]:
    answered = [bool(question.spans) for question in questions]
    scores = {system: [guess.score for guess in found] for system, found in guesses.items()}
    for system in (READER, PRODUCT):
        yield Difference(
            measure="AUROC",
            system=system,
            baseline=NEAREST,
            interval=area_difference(scores[system], scores[NEAREST], answered),
        )
