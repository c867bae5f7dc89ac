"""The loss of the reader, against what was worked out by hand."""

from __future__ import annotations

from math import exp, log, log1p

import pytest
import torch
from torch import Tensor

from training.model import EVIDENCE, Batch, loss

# One window of five tokens: [CLS], a question, two tokens of text, and padding.
CLS, ASKED, ONE, TWO, PAD = range(5)


def batch(starts: list[int], ends: list[int], sentence: list[int], evidence: list[float]) -> Batch:
    """The window with the targets; `sentence` has the number of each token's sentence."""
    ids = torch.zeros((1, 5), dtype=torch.long)
    return Batch(
        ids=ids,
        mask=torch.tensor([[1, 1, 1, 1, 0]]),
        types=ids,
        starts=marked(starts),
        ends=marked(ends),
        allowed=marked([CLS, ONE, TWO]),
        sentence=torch.tensor([sentence]),
        evidence=torch.tensor(evidence),
        share=torch.full((len(evidence),), 1 / max(1, len(evidence))),
    )


def marked(places: list[int]) -> Tensor:
    found = torch.zeros((1, 5), dtype=torch.bool)
    found[0, places] = True
    return found


def logits(starts: list[float], ends: list[float], evidence: list[float]) -> Tensor:
    return torch.tensor([starts, ends, evidence]).T[None]


ALIKE = [0.0] * 5


def test_the_loss_of_spans_is_the_mean_cross_entropy_of_start_and_end() -> None:
    """Probabilities 1/4, 2/4, 1/4 of the start and 1/6, 1/6, 4/6 of the end."""
    given = logits([0, 9, log(2), 0, 9], [0, 9, 0, log(4), 9], ALIKE)
    spans, _ = loss(given, batch([ONE], [TWO], [1] * 5, [0.0]))
    assert float(spans) == pytest.approx((log(4 / 2) + log(6 / 4)) / 2, abs=1e-6)


def test_probabilities_of_several_answers_are_added() -> None:
    given = logits([0, 9, log(2), 0, 9], ALIKE, ALIKE)
    spans, _ = loss(given, batch([ONE, TWO], [ONE, TWO], [1] * 5, [0.0]))
    assert float(spans) == pytest.approx((log(4 / 3) + log(3 / 2)) / 2, abs=1e-6)


def test_not_here_is_the_first_token() -> None:
    given = logits([log(8), 0, 0, 0, 0], [log(2), 0, 0, 0, 0], ALIKE)
    spans, _ = loss(given, batch([CLS], [CLS], [1] * 5, [0.0]))
    assert float(spans) == pytest.approx((log(10 / 8) + log(4 / 2)) / 2, abs=1e-6)


def test_the_loss_of_a_sentence_is_that_of_its_mean_logit() -> None:
    """Sentence 0 has the tokens with 1 and 3, so 2, and answers; 1 has one with -1, and not."""
    given = logits(ALIKE, ALIKE, [50, -1, 1, 3, 70])
    _, sentences = loss(given, batch([ONE], [ONE], [2, 1, 0, 0, 2], [1.0, 0.0]))
    right = (log1p(exp(-2)) + log1p(exp(-1))) / 2
    assert float(sentences) == pytest.approx(EVIDENCE * right, abs=1e-6)


def test_windows_weigh_the_same_however_many_sentences_they_have() -> None:
    one = batch([ONE], [TWO], [1, 1, 0, 0, 1], [1.0])
    two = batch([TWO], [TWO], [2, 2, 0, 1, 2], [0.0, 1.0])
    given = logits([1, 2, 3, 4, 5], [2, 2, 0, 1, 1], [0, 0, 0.5, -2, 7])
    both = Batch(
        ids=torch.cat([one.ids, two.ids]),
        mask=torch.cat([one.mask, two.mask]),
        types=torch.cat([one.types, two.types]),
        starts=torch.cat([one.starts, two.starts]),
        ends=torch.cat([one.ends, two.ends]),
        allowed=torch.cat([one.allowed, two.allowed]),
        sentence=torch.tensor([[3, 3, 0, 0, 3], [3, 3, 1, 2, 3]]),
        evidence=torch.tensor([1.0, 0.0, 1.0]),
        share=torch.tensor([1.0, 0.5, 0.5]),
    )
    for together, first, second in zip(
        loss(given.repeat(2, 1, 1), both), loss(given, one), loss(given, two), strict=True
    ):
        assert float(together) == pytest.approx(float(first + second) / 2, abs=1e-6)


def test_what_stands_at_padding_and_question_moves_nothing() -> None:
    target = batch([ONE], [TWO], [1, 1, 0, 0, 1], [1.0])
    given = logits([0.3, 0, 1, 2, 0], [0.1, 0, 2, 1, 0], [0, 0, 1, 1, 0])
    other = given.clone()
    other[0, [ASKED, PAD]] = 1000.0
    assert [float(each) for each in loss(given, target)] == [
        float(each) for each in loss(other, target)
    ]


def test_a_batch_without_sentences_has_no_loss_of_sentences() -> None:
    _, sentences = loss(torch.zeros((1, 5, 3)), batch([CLS], [CLS], [0] * 5, []))
    assert float(sentences) == 0.0
