"""The command that measures answers, and each of its parts, on a set known by heart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from tiny import FIRST, LIFTS, RENT, SECOND, reader_of_numbers, write_set

pytest.importorskip("bm25s", reason="needs the extra 'bench'")

from bench.answers import main
from bench.closed import Guess, asks_for_a_span, best_threshold, measure_closed, tabulated
from bench.conversations import OwnHistory, measure_conversations
from bench.data import Judged, Question, Set, Unit, load_set
from bench.figures import Table, render_table
from bench.open_answers import evidence_f1, list_share, open_questions, open_tables
from bench.product import Product
from bench.said import Judge, Said
from bench.selection import measure_selection, onto
from bench.trust import claims, trust_tables
from qa.reader import FILE

if TYPE_CHECKING:
    from index.types import Encoder
    from qa.reader import Reader


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Set:
    return load_set(write_set(tmp_path_factory.mktemp("sets") / "house"))


@pytest.fixture(scope="module")
def product(data: Set, encoder: Encoder) -> Iterator[Product]:
    with Product.build(data, encoder, progress=lambda _: None) as built:
        yield built


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return reader_of_numbers(tmp_path_factory.mktemp("reader") / "numbers.onnx")


def asked(data: Set, id: str) -> Question:
    return next(question for question in data.questions if question.id == id)


# Closed spans


def test_the_reader_is_measured_on_the_given_text_alone(
    data: Set, product: Product, reader: Reader
) -> None:
    """The roof's text is the second sentence; the number beside it in the passage is not read."""
    (table,) = measure_closed(data, data.questions, product, reader, limit=None)
    assert table.counts == {"with an answer": 1, "without": 1}
    assert table.rows["always abstain"]["F1 2.0"] == 0.5
    read = table.rows["reader"]
    assert (read["kept"], read["refused"], read["AUROC"]) == (1.0, 1.0, 1.0)
    assert read["F1"] == pytest.approx(2 * 1 / (1 + 2))  # "12" for "12 months"
    assert read["F1 2.0"] == pytest.approx((2 / 3 + 1) / 2)
    # The whole sentence has 6 words, 2 of them right; without an answer it is wrong.
    nearest = table.rows["nearest sentence"]
    assert nearest["F1"] == pytest.approx(2 * 2 / (6 + 2))
    assert nearest["F1 2.0"] == pytest.approx(nearest["F1"] / 2)
    above = next(
        d for d in table.differences if (d.system, d.baseline) == ("reader", "always abstain")
    )
    assert above.interval.difference == pytest.approx(read["F1 2.0"] - 0.5)


def test_a_threshold_above_every_margin_refuses_all(
    data: Set, product: Product, reader: Reader
) -> None:
    (table,) = measure_closed(data, data.questions, product, reader, limit=None, threshold=7.0)
    read = table.rows["reader"]
    assert (read["kept"], read["refused"], read["F1 2.0"]) == (0.0, 1.0, 0.5)
    assert read["best F1"] == pytest.approx((2 / 3 + 1) / 2)
    assert -6 < read["at"] < 6


def question(id: str, *, answers: Sequence[str] = (), **changes: Any) -> Question:  # noqa: ANN401
    """A question on a given text; answers stand at its beginning."""
    spans = tuple(Judged("lifts", 0, len(answer)) for answer in answers)
    return Question(
        id=id,
        text="?",
        split="dev",
        answerable=bool(answers),
        context=(Judged("lifts"),),
        spans=spans,
        answers=tuple(answers),
        **changes,
    )


def test_figures_of_squad_2_worked_out_by_hand() -> None:
    """Two with answers (one right, one half), two without (one refused)."""
    questions = [question("1", answers=["May"]), question("2", answers=["big lift"])]
    questions += [question("3"), question("4")]
    guesses = [
        Guess("May", 0.9, answered=True),
        Guess("lift", 0.2, answered=False),
        Guess("June", 0.5, answered=True),
        Guess("July", 0.1, answered=False),
    ]
    silent = [Guess("", 0.0, answered=False)] * 4
    names = ("always abstain", "nearest sentence", "reader", "product")
    table = tabulated(
        "s", questions, dict(zip(names, [silent, guesses, guesses, guesses], strict=True))
    )
    read = table.rows["reader"]
    assert (read["EM"], read["F1"]) == pytest.approx((0.5, (1 + 2 / 3) / 2))
    assert (read["EM 2.0"], read["F1 2.0"]) == (0.5, 0.5)  # May and July
    assert (read["kept"], read["refused"]) == (0.5, 0.5)
    assert read["AUROC"] == pytest.approx(3 / 4)
    # Above 0.5 only May is answered: 1 + 0 + 1 + 1 of 4.
    assert (read["best F1"], read["at"]) == pytest.approx((0.75, 0.7))


def test_equal_scores_share_a_threshold() -> None:
    questions = [question("1", answers=["May"]), question("2")]
    guesses = [Guess("May", 0.5, answered=True), Guess("June", 0.5, answered=True)]
    assert best_threshold(questions, guesses) == (0.5, 0.5)  # refusing both


def test_lists_and_questions_without_a_text_are_not_closed() -> None:
    assert asks_for_a_span(question("1", answers=["May"]))
    assert asks_for_a_span(question("2"))
    assert not asks_for_a_span(question("3", answers=["May"], all_needed=True))
    assert not asks_for_a_span(replace(question("4"), answerable=None))
    assert not asks_for_a_span(replace(question("5", answers=["May"]), context=()))


# Answer sentences


def test_sentences_are_ranked_side_by_side(
    data: Set, product: Product, encoder: Encoder, reader: Reader
) -> None:
    """The reader of numbers puts the sentence with one first, which is wrong for the book."""
    (table,) = measure_selection(data, data.questions, product, encoder, reader, limit=None)
    assert table.counts == {"questions": 2}
    one_of_two = {"MAP": 0.75, "MRR": 0.75, "P@1": 0.5}
    assert table.rows["reader evidence"] == table.rows["reader margin"] == one_of_two
    assert table.rows["cosine"] == {"MAP": 1.0, "MRR": 1.0, "P@1": 1.0}
    assert table.rows["product"] == one_of_two  # it believes its reader


def test_a_candidate_has_the_score_of_the_sentence_it_shares_most_with() -> None:
    scored = {Unit("a", 0, 10): 0.2, Unit("a", 10, 30): 0.9, Unit("b", 0, 30): 5.0}
    candidates = [Unit("a", 2, 8), Unit("a", 8, 20), Unit("a", 40, 50)]
    assert onto(candidates, scored) == [0.2, 0.9, float("-inf")]


# Open answers


NUMBERS = Unit("lifts", *FIRST)


def said(question: Question, *quotes: Unit, nearest: Unit = NUMBERS, sure: float = 0.9) -> Said:
    return Said(
        question=question,
        quotes=quotes,
        first=quotes[0] if quotes else nearest,
        confidence=sure,
        nearest=(nearest, Unit("lifts", *SECOND), Unit("rent", 0, 60)),
        cosine=sure / 2,
    )


def test_a_quote_holds_an_answer_in_its_place_or_by_its_words(data: Set) -> None:
    judge, months = Judge(data), asked(data, "months")
    assert judge.in_place(months, Unit("lifts", *FIRST))
    assert not judge.in_place(months, Unit("lifts", 0, 30))  # "12 m" is cut off
    assert not judge.holds(months, Unit("lifts", *SECOND))
    elsewhere = replace(months, spans=(Judged("rent", 0, 8),))  # "The rent"
    assert judge.holds(elsewhere, Unit("rent", 4, 21))  # "rent of 640 euros": no place, but words
    assert not judge.in_place(elsewhere, Unit("rent", 4, 21))


def test_first_and_any_quote_are_told_apart(data: Set) -> None:
    months = asked(data, "months")
    right, wrong = Unit("lifts", *FIRST), Unit("lifts", *SECOND)
    (table,) = open_tables(data, [said(months, wrong, right, nearest=wrong), said(months)])
    product = table.rows["product"]
    assert (product["first"], product["any"], product["abstained"]) == (0.0, 0.5, 0.5)
    assert (product["quotes"], product["words"]) == (2.0, 8 + 6)  # of the one that was answered
    nearest = table.rows["nearest sentence"]
    assert (nearest["first"], nearest["quotes"]) == (0.5, 1.0)
    assert table.rows["nearest 3"]["any"] == 0.5
    difference = next(d for d in table.differences if d.measure == "any")
    assert difference.interval.difference == 0.0


def test_a_first_quote_of_more_than_45_words_does_not_count(data: Set) -> None:
    long = replace(data.documents["lifts"], text=LIFTS[: FIRST[1]] + " again" * 40)
    longer = replace(data, documents={**data.documents, "lifts": long})
    months = asked(data, "months")
    for words, first in ((45, 1.0), (46, 0.0)):
        quote = Unit("lifts", 0, FIRST[1] + 6 * (words - 6))
        (table,) = open_tables(longer, [said(months, quote)])
        assert table.rows["product"]["words"] == words
        assert (table.rows["product"]["first"], table.rows["product"]["any"]) == (first, 1.0)


def test_evidence_is_compared_word_by_word(data: Set) -> None:
    """Gold has 8 words; both sentences have 14, so precision is 8/14 and recall 1."""
    book = asked(data, "book")
    both = [Unit("lifts", *FIRST), Unit("lifts", *SECOND)]
    assert evidence_f1(data, book, both[1:]) == 1.0
    assert evidence_f1(data, book, both) == pytest.approx(2 * 8 / (14 + 8))
    assert evidence_f1(data, book, []) == 0.0
    (table,) = open_tables(data, [said(book, *both)])
    assert table.rows["product"]["F1"] == pytest.approx(2 * 8 / (14 + 8))
    assert table.rows["nearest sentence"]["F1"] == 0.0


def test_a_list_counts_each_answer_once(data: Set) -> None:
    animals, judge = asked(data, "animals"), Judge(data)
    start = RENT.index("Dogs")
    assert list_share(judge, animals, [Unit("rent", start, len(RENT))]) == 1.0
    assert list_share(judge, animals, [Unit("rent", start, start + 10)]) == pytest.approx(2 / 3)
    twice = replace(animals, spans=(*animals.spans, animals.spans[0]))
    assert list_share(judge, twice, [Unit("rent", start, start + 4)]) == pytest.approx(1 / 3)


def test_abstention_says_what_is_kept_and_what_is_refused(data: Set) -> None:
    months, roof = asked(data, "months"), asked(data, "roof")
    right = Unit("lifts", *FIRST)
    answers = [said(months, right), said(months, sure=0.3), said(roof, sure=0.5), said(roof, right)]
    table = list(open_tables(data, answers))[-1]
    assert table.counts == {"answerable": 2, "not": 2}
    # Of four pairs one is in order (0.9 above 0.5) and one equal.
    assert table.rows["product"] == {"kept": 0.5, "refused": 0.5, "AUROC": 0.375}


def test_only_questions_that_say_something_are_asked(data: Set) -> None:
    ids = {question.id for question in open_questions(data.questions)}
    assert ids == {"months", "roof", "book", "animals", "rent"}
    answerable = [question for question in data.questions if question.answerable]
    assert "rent" not in {question.id for question in open_questions(answerable)}


# Confidence


def test_confidence_is_held_against_the_first_quote(data: Set) -> None:
    """Also where the product abstains; a question without an answer has no right quote."""
    months, roof, book = (asked(data, id) for id in ("months", "roof", "book"))
    right = Unit("lifts", *FIRST)
    some = claims(data, [said(months), said(roof, right), said(book, Unit("lifts", *SECOND))])
    assert [claim.right for claim in some] == [True, False, True]
    assert [claim.nearest_right for claim in some] == [True, False, False]
    assert claims(data, [said(asked(data, "rent"))]) == []

    summary, bins, coverage = trust_tables({"house": some})
    assert summary.rows["product"]["right"] == pytest.approx(2 / 3)
    assert summary.rows["product"]["ECE"] == pytest.approx(0.9 - 2 / 3)
    assert summary.rows["product"]["at 0.6"] == 1.0
    assert summary.rows["product"]["at 0.7"] == 0.0
    assert bins.rows == {
        "0.9 to 1.0": {
            "questions": 3.0,
            "confidence": pytest.approx(0.9),
            "right": pytest.approx(2 / 3),
        }
    }
    assert coverage.rows["60% right"] == {"coverage": 1.0, "from confidence": 0.9}
    assert coverage.rows["95% right"] == {"coverage": 0.0}


def test_sets_are_also_taken_together(data: Set) -> None:
    some = claims(data, [said(asked(data, "months"))])
    names = [table.data for table in trust_tables({"a": some, "b": some, "empty": []})]
    assert names == ["a", "b", *["all sets"] * 3]


# Conversations


@pytest.mark.slow
def test_follow_ups_are_asked_in_four_ways(data: Set, product: Product) -> None:
    with_rewrite, without = measure_conversations(data, data.questions, product, limit=None)
    assert with_rewrite.data == "house, turns with a rewrite"
    assert with_rewrite.counts == {"turns": 1, "with history": 1}
    assert without.counts == {"turns": 3, "with history": 0}
    assert set(with_rewrite.rows) == {"raw", "history given", "own history", "rewrite"}
    assert with_rewrite.rows["rewrite"]["nDCG@10"] == 1.0
    assert with_rewrite.rows["raw"]["completed"] == 0.0
    assert set(without.rows) == {"raw", "history given", "own history"}


def test_the_chat_keeps_its_own_history_as_long_as_it_goes_on(data: Set, product: Product) -> None:
    rent = asked(data, "rent")
    own = OwnHistory(product)
    first = own.ask(replace(rent, text="How high is the rent?", history=()))
    second = own.ask(rent)
    assert own._chat.turns == [first, second]
    other = own.ask(asked(data, "book"))
    assert own._chat.turns == [other]


def test_a_set_without_conversations_has_no_table(data: Set, product: Product) -> None:
    alone = [question for question in data.questions if not question.history]
    assert list(measure_conversations(data, alone, product, limit=None)) == []


# The command


@pytest.mark.slow
def test_the_command_prints_tables_and_writes_them(tmp_path: Path) -> None:
    folder, file = write_set(tmp_path / "house"), tmp_path / "figures.json"
    options = ["--data", str(folder), "--cache", str(tmp_path / "cache"), "--open"]
    run = CliRunner().invoke(main, [*options, "--json", str(file)], catch_exceptions=False)
    assert run.exit_code == 0
    assert "house, open answers: 1 questions" in run.stdout
    tables = {table["what"]: table for table in json.loads(file.read_text())["tables"]}
    assert list(tables) == [
        "open answers",
        "evidence, words",
        "lists, share of the answers",
        "abstention",
        "confidence that the first quote answers",
        "reliability of confidence",
        "coverage for an accuracy",
    ]
    assert tables["open answers"]["rows"]["nearest sentence"]["first"] == 1.0
    assert tables["abstention"]["counts"] == {"answerable": 4, "not": 1}


@pytest.mark.slow
@pytest.mark.skipif(not FILE.is_file(), reason="no reader has been put into the package yet")
def test_everything_is_measured_where_nothing_is_named(tmp_path: Path) -> None:
    """With the reader that ships; the limit counts for each measure."""
    folder = write_set(tmp_path / "house")
    options = ["--data", str(folder), "--cache", str(tmp_path / "cache"), "--limit", "2"]
    run = CliRunner().invoke(main, [*options, "--json"], catch_exceptions=False)
    tables = json.loads(run.stdout)["tables"]
    counts = {table["what"]: table["counts"] for table in tables}
    assert counts["closed spans"] == {"with an answer": 1, "without": 1}
    assert counts["answer sentence of the given document"] == {"questions": 2}
    assert counts["conversation"]["turns"] == 2
    closed = tables[0]["rows"]
    assert closed["reader"]["F1"] > closed["always abstain"]["F1"] == 0.0


def test_what_cannot_be_measured_is_said(tmp_path: Path) -> None:
    run = CliRunner().invoke(main, ["--data", str(tmp_path / "missing")])
    assert run.exit_code == 1
    assert "is not a folder" in run.stderr
    folder = write_set(tmp_path / "house")
    run = CliRunner().invoke(main, ["--data", str(folder), "--split", "test", "--open"])
    assert run.exit_code == 0
    assert "house: no test question that this measures" in run.stderr


def test_a_table_has_a_dash_where_a_system_has_no_figure() -> None:
    rows = {"product": {"F1": 0.5, "words": 12.34}, "baseline": {"F1": 0.25}}
    table = Table(what="spans", data="house", counts={"questions": 1200}, rows=rows)
    title, head, first, second = render_table(table)
    assert title == "house, spans: 1,200 questions"
    assert head.split() == ["F1", "words"]
    assert first.split() == ["product", "0.500", "12.3"]
    assert second.split() == ["baseline", "0.250", "-"]
