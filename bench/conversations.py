"""Follow-up questions: is the right text found without the turns before, with them, rewritten?

*raw* asks each question as if nothing had been said. *history given* gives the chat the turns
of the data, other people's answers included. *own history* asks the earlier questions of the
conversation first, so that the chat has what it answered itself. *rewrite* asks what a person
made of the question: the upper bound. All four go through the same chat, so they differ in
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bench.data import Question, Set, relevant_units
from bench.figures import Table, compared, means
from bench.measures import ndcg, recall, reciprocal_rank
from bench.options import sample, tell
from bench.units import numbered, units_of

if TYPE_CHECKING:
    from bench.product import Product
    from qa import Answer

__all__ = ["DEPTH", "OwnHistory", "measure_conversations"]

CUTOFF = 10  # units looked at
DEPTH = 50  # passages of an answer; several may count for one unit
RAW, GIVEN, OWN, REWRITE = "raw", "history given", "own history", "rewrite"


def measure_conversations(
    data: Set, questions: Sequence[Question], product: Product, *, limit: int | None
) -> Iterator[Table]:
    """Yield a table of the turns that have a rewrite and one of those that have none.

    Only turns with something to find count, the first ones of conversations too.

    Args:
        data: The set; without conversations it yields nothing.
        questions: Of the split.
        product: Over the documents of the set.
        limit: How many turns to ask.
    """
    if not any(question.history for question in questions):
        return
    asked = sample([question for question in questions if question.relevant], limit)
    with_rewrite = [question for question in asked if question.rewrite]
    without = [question for question in asked if not question.rewrite]
    for name, some in (("with a rewrite", with_rewrite), ("without a rewrite", without)):
        if some:
            part = f"{data.name}, turns {name}" if with_rewrite and without else data.name
            yield _table(data, part, some, product)


def _table(data: Set, name: str, questions: Sequence[Question], product: Product) -> Table:
    places = numbered(data.units())
    values: dict[str, dict[str, list[float]]] = {}
    own = OwnHistory(product)
    # Questions of one conversation follow each other, so that few are asked twice.
    ordered = sorted(questions, key=lambda question: [asked for asked, _ in question.history])
    for done, question in enumerate(ordered, 1):
        grades = relevant_units(question, places)
        if not grades:
            continue
        for system, answer in _answers(product, own, question).items():
            order = units_of(product.best_of(answer.passages), places)
            row = {
                f"nDCG@{CUTOFF}": ndcg(order, grades, CUTOFF),
                f"MRR@{CUTOFF}": reciprocal_rank(order, grades, CUTOFF),
                f"recall@{CUTOFF}": recall(order, grades, CUTOFF),
                "completed": float(answer.searched_for != answer.question),
            }
            for measure, value in row.items():
                values.setdefault(system, {}).setdefault(measure, []).append(value)
        if done % 50 == 0:
            tell(f"{name}: {done} of {len(ordered)} turns asked")
    return Table(
        what="conversation",
        data=name,
        counts={
            "turns": len(questions),
            "with history": sum(bool(question.history) for question in questions),
        },
        rows=means(values),
        differences=compared(
            values, [f"nDCG@{CUTOFF}"], [(GIVEN, RAW), (OWN, RAW), (REWRITE, RAW)]
        ),
    )


def _answers(product: Product, own: OwnHistory, question: Question) -> dict[str, Answer]:
    answers = {
        RAW: product.chat(passages=DEPTH).ask(question.text, whole=True),
        GIVEN: product.answer(question, passages=DEPTH),
        OWN: own.ask(question),
    }
    if question.rewrite:
        answers[REWRITE] = product.chat(passages=DEPTH).ask(question.rewrite, whole=True)
    return answers


class OwnHistory:
    """Asks the turns of conversations in order, so that the chat keeps its own history.

    A chat is kept as long as the next question goes on from what it was asked.
    """

    def __init__(self, product: Product) -> None:
        self._product = product
        self._chat = product.chat(passages=DEPTH)

    def ask(self, question: Question) -> Answer:
        """Return the answer to a question after all those before it."""
        before = [asked for asked, _ in question.history if asked.strip()]
        said = [turn.question for turn in self._chat.turns]
        if said != [" ".join(asked.split()) for asked in before[: len(said)]]:
            self._chat = self._product.chat(passages=DEPTH)
            said = []
        for asked in before[len(said) :]:
            self._chat.ask(asked)
        return self._chat.ask(question.text)
