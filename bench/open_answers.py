"""Answers from a whole library: are they in the quotes, and is there silence where none is?

The baseline shows the sentence with the best cosine, always. "nearest 3" shows three of them:
what more quotes are worth by themselves. Every table says how much was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bench.calibration import area
from bench.chance import area_difference
from bench.data import Question, Set, Unit
from bench.figures import Difference, Table, compared, means
from bench.overlap import set_f1, word_places
from bench.said import Judge, Said
from bench.units import within

__all__ = ["SHORT", "open_questions", "open_tables"]

SHORT = 45  # words that a first quote may have
PRODUCT = "product"
NEAREST = "nearest sentence"
NEAREST_3 = "nearest 3"

Row = dict[str, float]


def open_questions(questions: Sequence[Question]) -> list[Question]:
    """Return the questions of which something can be said.

    Those whose answer is judged; and where some have none, all of which that is known.
    """
    some_have_none = any(question.answerable is False for question in questions)
    return [
        question
        for question in questions
        if question.gold or (some_have_none and question.answerable is not None)
    ]


def open_tables(data: Set, said: Sequence[Said]) -> Iterator[Table]:
    """Yield what can be measured of what was said: spans, evidence, lists, abstention."""
    judge = Judge(data)
    spans = [each for each in said if each.question.spans and not each.question.all_needed]
    lists = [each for each in said if each.question.spans and each.question.all_needed]
    evidence = [each for each in said if each.question.evidence]

    def found(each: Said, shown: Sequence[Unit]) -> Row:
        return _answer_row(judge, each.question, shown)

    def agreeing(each: Said, shown: Sequence[Unit]) -> Row:
        return {"F1": evidence_f1(data, each.question, shown)}

    def listed(each: Said, shown: Sequence[Unit]) -> Row:
        return {"share": list_share(judge, each.question, shown)}

    for what, some, row, measures in (
        ("open answers", spans, found, ("first", "any")),
        ("evidence, words", evidence, agreeing, ("F1",)),
        ("lists, share of the answers", lists, listed, ("share",)),
    ):
        if some:
            yield _table(data.name, what, judge, some, row, measures)
    if {True, False} <= {each.question.answerable for each in said}:
        yield abstention(data.name, said)


def _answer_row(judge: Judge, question: Question, shown: Sequence[Unit]) -> Row:
    first = list(shown[:1])
    short = first if judge.words(first) <= SHORT else []
    return {
        "first": float(any(judge.holds(question, quote) for quote in short)),
        "first, in place": float(any(judge.in_place(question, quote) for quote in short)),
        "any": float(any(judge.holds(question, quote) for quote in shown)),
    }


def evidence_f1(data: Set, question: Question, shown: Sequence[Unit]) -> float:
    """Return F1 of the words shown, by their places, against those of the judged sentences."""
    gold = [within(place, data.documents[place.document]) for place in question.evidence]
    return set_f1(word_places(shown, data.documents), word_places(gold, data.documents))


def list_share(judge: Judge, question: Question, shown: Sequence[Unit]) -> float:
    """Return the share of the gold answers, each text counted once, that the quotes hold."""
    texts: dict[str, bool] = {}
    for span in judge.spans(question):
        text = " ".join(judge.text(span).split()).casefold()
        held = any(judge.holds_span(quote, span) for quote in shown)
        texts[text] = texts.get(text, False) or held
    return sum(texts.values()) / len(texts)


def _table(
    name: str,
    what: str,
    judge: Judge,
    said: Sequence[Said],
    row: Callable[[Said, Sequence[Unit]], Row],
    measures: Sequence[str],
) -> Table:
    """Return the means of `row` for each system, with how much it showed.

    "quotes" and "words" are means over the questions that were answered.
    """
    values: dict[str, dict[str, list[float]]] = {}
    for each in said:
        for system, shown in _shown(each).items():
            of_system = values.setdefault(system, {})
            figures = row(each, shown) | {"abstained": float(not shown)}
            if shown:
                figures |= {"quotes": float(len(shown)), "words": float(judge.words(shown))}
            for measure, value in figures.items():
                of_system.setdefault(measure, []).append(value)
    return Table(
        what=what,
        data=name,
        counts={"questions": len(said)},
        rows=means(values),
        differences=compared(values, measures, [(PRODUCT, NEAREST), (PRODUCT, NEAREST_3)]),
    )


def _shown(said: Said) -> dict[str, Sequence[Unit]]:
    return {PRODUCT: said.quotes, NEAREST: said.nearest[:1], NEAREST_3: said.nearest}


def abstention(name: str, said: Sequence[Said]) -> Table:
    """Return how often questions with and without an answer are kept and refused.

    The baseline ranks them by the best cosine; it has no threshold.
    """
    known = [each for each in said if each.question.answerable is not None]
    yes = [each for each in known if each.question.answerable]
    no = [each for each in known if not each.question.answerable]
    answerable = [bool(each.question.answerable) for each in known]
    confidence, cosine = ([e.confidence for e in known], [e.cosine for e in known])
    return Table(
        what="abstention",
        data=name,
        counts={"answerable": len(yes), "not": len(no)},
        rows={
            PRODUCT: {
                "kept": sum(bool(each.quotes) for each in yes) / len(yes),
                "refused": sum(not each.quotes for each in no) / len(no),
                "AUROC": area([e.confidence for e in yes], [e.confidence for e in no]),
            },
            NEAREST: {"AUROC": area([e.cosine for e in yes], [e.cosine for e in no])},
        },
        differences=[
            Difference(
                measure="AUROC",
                system=PRODUCT,
                baseline=NEAREST,
                interval=area_difference(confidence, cosine, answerable),
            )
        ],
    )
