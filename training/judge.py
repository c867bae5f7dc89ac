"""How well a reader does on examples, while it is trained: a guide, not the published figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from training.batches import Prepared, collate
from training.model import IMPOSSIBLE, Reader

__all__ = ["area", "judged"]

LONGEST = 30  # tokens of an answer
SIZE = 32  # windows read at a time

Floats = NDArray[np.float32]


def judged(reader: Reader, prepared: Sequence[Prepared]) -> dict[str, float]:
    """Return figures over windows; one that nothing can be said about is left out.

    `exact`: where there is an answer, the share of best spans that begin and end where one does
    (anywhere in the sentences that answer, where only they are known).
    `sentence`: of windows with a sentence that answers, the share whose best one does.
    `here`: the area under the ROC curve of the margin of the best span over "not here".
    """
    reader.eval()
    exact: list[bool] = []
    sentence: list[bool] = []
    margins: list[float] = []
    here: list[bool] = []
    for each, logits in _read(reader, prepared):
        first, last, margin = _best(logits, each)
        margins.append(margin)
        here.append(each.starts != (0,))
        if here[-1]:
            exact.append(first in each.starts and last in each.ends)
            if any(answers for *_, answers in each.sentences):
                scores = [logits[first:behind, 2].mean() for first, behind, _ in each.sentences]
                sentence.append(each.sentences[int(np.argmax(scores))][2])
    shares = {"exact": exact, "sentence": sentence}
    figures = {name: float(np.mean(right)) for name, right in shares.items() if right}
    if len(set(here)) == 2:
        figures["here"] = area(margins, here)
    return {name: round(figure, 4) for name, figure in figures.items()}


def area(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """Return the area under the ROC curve: how often a positive scores above a negative.

    A tie counts half; without positives or without negatives it is 0.5.

    Source: Hanley and McNeil (1982), The meaning and use of the area under a ROC curve.
    """
    right = np.asarray(positive, bool)
    count, rest = int(right.sum()), int((~right).sum())
    if not count or not rest:
        return 0.5
    _, places, sizes = np.unique(np.asarray(scores), return_inverse=True, return_counts=True)
    # Equal scores share the mean of their ranks; bfloat16 gives many.
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[places]
    return float((ranks[right].sum() - count * (count + 1) / 2) / (count * rest))


def _read(reader: Reader, prepared: Sequence[Prepared]) -> Iterator[tuple[Prepared, Floats]]:
    """Yield each window with its logits of shape (L, 3), short windows first."""
    order = sorted(prepared, key=lambda each: len(each.window.ids))
    for at in range(0, len(order), SIZE):
        group = order[at : at + SIZE]
        batch = collate(group)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            logits = reader(batch.ids, batch.mask, batch.types).float().numpy()
        for each, rows in zip(group, logits, strict=True):
            yield each, rows[: len(each.window.ids)]


def _best(logits: Floats, each: Prepared) -> tuple[int, int, float]:
    """Return first and last token of the best span, and its margin over "not here"."""
    size = each.window.count
    if not size:
        return 0, 0, 2 * IMPOSSIBLE
    text = slice(each.window.text, each.window.text + size)
    pairs = logits[text, None, 0] + logits[None, text, 1]
    ahead = np.arange(size)[None, :] - np.arange(size)[:, None]
    pairs[(ahead < 0) | (ahead >= LONGEST)] = 2 * IMPOSSIBLE
    first, last = np.unravel_index(int(pairs.argmax()), pairs.shape)
    margin = float(pairs.max() - logits[0, 0] - logits[0, 1])
    return text.start + int(first), text.start + int(last), margin
