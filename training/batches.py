"""Examples drawn for an epoch, and made into batches of windows."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from qa.windows import Tokenized, Window
from training.examples import Example
from training.model import Batch

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["Batches", "Prepared"]

STEP = 16  # lengths are multiples of it: for each length memory is set aside
POOL = 64  # batches whose windows are sorted by length together
# How often a question is met in an epoch: short searches as people type them are rare among
# the sources, single sentences common.
TIMES = {"qed": 4.0, "clapnq": 4.0, "squad2": 2.0, "squad2-train": 1.5, "qamr": 0.5}
RETRIEVED, REMOVED, SWAPPED, OTHER = 0.4, 0.1, 0.06, 0.05  # negatives a positive
NO_MARK = 0.3  # share of the questions without a question mark
UNTITLED = 0.25  # share of the passages without their title

_THING = re.compile(r"(?<=\w )(?:[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*|\d[\d,.]*\d|\d)")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A window with its targets, in tokens of the window."""

    window: Window
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    sentences: tuple[tuple[int, int, bool], ...]  # first token, behind the last, answers


class Batches:
    """Draws the batches of an epoch; the same for the same seed and epoch.

    Args:
        examples: Of all sources.
        tokenizer: Of the encoder.
        size: Windows in a batch.
        seed: Decides what is drawn.
        negatives: Factor of the shares of negatives.
    """

    def __init__(
        self,
        examples: Iterable[Example],
        tokenizer: Tokenizer,
        *,
        size: int,
        seed: int,
        negatives: float = 1.0,
    ) -> None:
        self._tokenized = Tokenized(tokenizer)
        self._size, self._seed, self._negatives = size, seed, negatives
        self._questions: dict[tuple[str, str], list[Example]] = defaultdict(list)
        for example in examples:
            self._questions[example.source, example.question].append(example)
        answered = (e for of in self._questions.values() for e in of if e.answered)
        self._texts = [e for e in answered if len(e.sentences) > 1]
        self._things: dict[bool, list[str]] = {True: [], False: []}
        for example in self._texts:
            for thing in _THING.findall(example.asked):
                self._things[thing[0].isdigit()].append(thing)

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of epoch `number`."""
        drawn = random.Random(f"{self._seed} {number}")
        examples = list(self._drawn(drawn))
        drawn.shuffle(examples)
        pool = self._size * POOL
        for at in range(0, len(examples), pool):
            windows = self.prepare(examples[at : at + pool], drawn)
            windows.sort(key=lambda each: len(each.window.ids))
            groups = [windows[i : i + self._size] for i in range(0, len(windows), self._size)]
            drawn.shuffle(groups)
            yield from (collate(group) for group in groups)

    def _drawn(self, drawn: random.Random) -> Iterator[Example]:
        for (source, _), examples in self._questions.items():
            times = TIMES.get(source, 1.0)
            for _ in range(int(times) + (drawn.random() < times % 1)):
                yield from self._draw(examples, drawn)

    def _draw(self, examples: Sequence[Example], drawn: random.Random) -> Iterator[Example]:
        positive = [example for example in examples if example.answered]
        negative = [example for example in examples if not example.answered]
        if not positive:
            yield from negative
            return
        here = drawn.choice(positive)
        yield here
        if negative and drawn.random() < self._negatives * RETRIEVED:
            yield drawn.choice(negative)
        if drawn.random() < self._negatives * REMOVED and (without := _without_evidence(here)):
            yield without
        if drawn.random() < self._negatives * SWAPPED and (swapped := self._swapped(here, drawn)):
            yield swapped
        if drawn.random() < self._negatives * OTHER and (other := self._other(here, drawn)):
            yield other

    def _swapped(self, here: Example, drawn: random.Random) -> Example | None:
        """Return the example with a name or number of its question changed: no answer here."""
        found = [m for m in _THING.finditer(here.asked) if m[0] in here.text]
        if not found:
            return None
        match = drawn.choice(found)
        things = self._things[match[0][0].isdigit()]
        if not things:
            return None
        other = drawn.choice(things)
        if other.casefold() in f"{here.text} {here.asked}".casefold():
            return None
        asked = here.asked[: match.start()] + other + here.asked[match.end() :]
        return replace(here, asked=asked, answers=(), evidence=())

    def _other(self, here: Example, drawn: random.Random) -> Example | None:
        """Return another passage, of any source, with the question: no answer here."""
        if not self._texts:
            return None
        at = drawn.randrange(len(self._texts))
        # Many questions are asked about one passage; it would be no other.
        for step in range(len(self._texts)):
            other = self._texts[(at + step) % len(self._texts)]
            if other.text != here.text:
                return replace(other, asked=here.asked, answers=(), evidence=())
        return None

    def prepare(self, examples: Sequence[Example], drawn: random.Random | None) -> list[Prepared]:
        """Return one window of each example, in order: one with an answer if it has any.

        An example whose answers fit into no window is left out.

        Args:
            examples: What to read.
            drawn: Decides which window is taken and what is left out of it; None takes the
                first and leaves everything as it is.
        """
        asked = [_varied(e.asked, drawn) for e in examples]
        before = ["" if drawn and drawn.random() < UNTITLED else e.before for e in examples]
        tokens = self._tokenized.tokens
        rows = zip(
            examples,
            tokens(asked),
            tokens(before),
            tokens([e.text for e in examples]),
            strict=True,
        )
        prepared = []
        for example, question, title, text in rows:
            windows = list(self._tokenized.windows(question.ids, title.ids, text))
            targets = [_targets(example, text.spans, window) for window in windows]
            if example.answered:
                targets = [each for each in targets if each.starts != (0,)]
            if targets:
                prepared.append(drawn.choice(targets) if drawn else targets[0])
        return prepared


def _varied(question: str, drawn: random.Random | None) -> str:
    return question.rstrip(" ?") if drawn and drawn.random() < NO_MARK else question


def _without_evidence(example: Example) -> Example | None:
    """Return the passage without the sentences that answer; None if the rest may answer."""
    kept = [
        (start, end)
        for number, (start, end) in enumerate(example.sentences)
        if number not in example.evidence
        and not any(start < e and s < end for s, e in example.answers)
    ]
    text = ""
    sentences = []
    for start, end in kept:
        sentences.append((len(text), len(text) + end - start))
        text += example.text[start:end] + " "
    answers = (example.text[s:e].casefold() for s, e in example.answers)
    if len(kept) < 2 or any(answer in text.casefold() for answer in answers):
        return None
    return replace(
        example, text=text, sentences=tuple(sentences), answers=(), evidence=(), hard=True
    )


def _targets(example: Example, spans: Sequence[tuple[int, int]], window: Window) -> Prepared:
    """Return the targets of a window: start and end at 0 where it holds no answer."""
    shown = spans[window.first : window.first + window.count]
    sentences = []
    for number, (start, end) in enumerate(example.sentences):
        inside = [i for i, (s, e) in enumerate(shown) if start <= s and e <= end and s < e]
        if inside:
            answers = number in example.evidence
            # An answer over two sentences is evidence of both.
            if not example.evidence:
                answers = any(s < end and start < e for s, e in example.answers)
            sentences.append((inside[0] + window.text, inside[-1] + 1 + window.text, answers))
    starts, ends = [], []
    for start, end in example.answers:
        inside = [i for i, (s, e) in enumerate(shown) if s < end and start < e]
        if inside and shown[inside[0]][0] <= start and end <= shown[inside[-1]][1]:
            starts.append(inside[0] + window.text)
            ends.append(inside[-1] + window.text)
    if not example.answers:
        # Only the sentence is known: any words of it.
        right = [range(first, behind) for first, behind, answers in sentences if answers]
        starts = ends = [token for sentence in right for token in sentence]
    return Prepared(window, tuple(starts) or (0,), tuple(ends) or (0,), tuple(sentences))


def collate(group: Sequence[Prepared]) -> Batch:
    """Return windows as a batch, padded to the longest."""
    longest = max(len(each.window.ids) for each in group)
    shape = (len(group), -(-longest // STEP) * STEP)
    ids, mask, types = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
    starts, ends, allowed = (torch.zeros(shape, dtype=torch.bool) for _ in range(3))
    count = sum(len(each.sentences) for each in group)
    sentence = torch.full(shape, count)
    evidence: list[float] = []
    share: list[float] = []
    for row, each in enumerate(group):
        window, size = each.window, len(each.window.ids)
        ids[row, :size] = torch.tensor(window.ids)
        mask[row, :size] = 1
        types[row, window.second : size] = 1
        allowed[row, window.text : window.text + window.count] = True
        allowed[row, 0] = True
        starts[row, list(each.starts)] = True
        ends[row, list(each.ends)] = True
        for first, behind, answers in each.sentences:
            sentence[row, first:behind] = len(evidence)
            evidence.append(float(answers))
            share.append(1 / len(each.sentences))
    return Batch(
        ids,
        mask,
        types,
        starts,
        ends,
        allowed,
        sentence,
        torch.tensor(evidence),
        torch.tensor(share),
    )
