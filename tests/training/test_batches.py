"""Targets point at exactly what answers, negatives hold no answer, and a seed decides the rest."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from index.weights import default_model
from qa.windows import MAX_TOKENS, Tokenized
from training import batches as drawing
from training.batches import Batches, Prepared, _targets, _without_evidence, collate
from training.examples import Example, Spans

TOKENIZER = Tokenizer.from_file(str(default_model() / "tokenizer.json"))
TOKENIZED = Tokenized(TOKENIZER)

WORDS = st.text("abcdefgLMNÉéß0127-'€", min_size=1, max_size=8)
SENTENCES = st.lists(st.lists(WORDS, min_size=1, max_size=12), min_size=1, max_size=40)


def example(said: Sequence[str], **changes: object) -> Example:
    """An example whose passage is these sentences, with a space between them."""
    text, spans = "", []
    for sentence in said:
        spans.append((len(text), len(text) + len(sentence)))
        text += sentence + " "
    made = Example(
        source="mine",
        question="q",
        asked="Who keeps the book?",
        before="Lifts",
        text=text.rstrip(),
        sentences=tuple(spans),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@st.composite
def answered(draw: st.DrawFn) -> Example:
    """A passage of up to a few windows, and one to three answers: words in a row."""
    said = draw(SENTENCES)
    made = example([" ".join(sentence) + "." for sentence in said])
    answers, evidence = [], set()
    for _ in range(draw(st.integers(1, 3))):
        number = draw(st.integers(0, len(said) - 1))
        first = draw(st.integers(0, len(said[number]) - 1))
        last = draw(st.integers(first, len(said[number]) - 1))
        start = made.sentences[number][0] + sum(len(word) + 1 for word in said[number][:first])
        answer = " ".join(said[number][first : last + 1])
        answers.append((start, start + len(answer)))
        evidence.add(number)
    known = draw(st.booleans())
    return replace(
        made,
        answers=tuple(dict.fromkeys(answers)),
        evidence=tuple(sorted(evidence)) if known else (),
    )


def batches(*examples: Example, size: int = 4, seed: int = 1) -> Batches:
    return Batches(examples, TOKENIZER, size=size, seed=seed)


def shown(made: Example, prepared: Prepared) -> list[tuple[int, int]]:
    """The span in the passage's text of each token of the window; of others an empty one."""
    (tokens,) = TOKENIZED.tokens([made.text])
    window = prepared.window
    spans = tokens.spans[window.first : window.first + window.count]
    return [*[(0, 0)] * window.text, *spans, (0, 0)]


@given(answered(), st.none() | st.integers(0, 9))
def test_targets_are_exactly_the_words_of_an_answer(made: Example, seed: int | None) -> None:
    drawn = None if seed is None else random.Random(seed)
    (prepared,) = batches(made).prepare([made], drawn)
    spans = shown(made, prepared)
    found = {
        (spans[start][0], spans[end][1])
        for start, end in zip(prepared.starts, prepared.ends, strict=True)
    }
    assert found
    assert found <= set(made.answers)
    # What the window shows whole is a target.
    text = spans[prepared.window.text : -1]
    inside = {(s, e) for s, e in made.answers if text[0][0] <= s and e <= text[-1][1]}
    assert found == inside


@given(answered())
def test_a_sentence_answers_where_an_answer_stands_in_it(made: Example) -> None:
    for prepared in batches(made).prepare([made], random.Random(3)):
        spans = shown(made, prepared)
        whole = {start: number for number, (start, _) in enumerate(made.sentences)}
        for first, behind, answers in prepared.sentences:
            start = max(s for s in whole if s <= spans[first][0])
            number = whole[start]
            assert spans[behind - 1][1] <= made.sentences[number][1]
            holds = any(start <= s and e <= made.sentences[number][1] for s, e in made.answers)
            assert answers == holds
        # Together they are all that the window shows.
        tokens = [i for first, behind, _ in prepared.sentences for i in range(first, behind)]
        window = prepared.window
        assert tokens == list(range(window.text, window.text + window.count))


def test_an_answer_over_two_sentences_is_evidence_of_both() -> None:
    made = example(["Ask the", "caretaker now.", "He is in."], answers=((4, 17),))
    (prepared,) = batches(made).prepare([made], None)
    assert [answers for *_, answers in prepared.sentences] == [True, True, False]


def test_where_only_the_sentence_is_known_any_of_its_words_begins_and_ends_an_answer() -> None:
    made = example(["The lift is old.", "He keeps the book.", "It is red."], evidence=(1,))
    (prepared,) = batches(made).prepare([made], None)
    text = made.text
    words = [text[s:e] for s, e in shown(made, prepared)]
    assert [words[i] for i in prepared.starts] == ["He", "keeps", "the", "book", "."]
    assert prepared.ends == prepared.starts


def test_without_an_answer_start_and_end_are_at_the_first_token() -> None:
    made = example(["The lift is old.", "It is red."])
    (prepared,) = batches(made).prepare([made], None)
    assert (prepared.starts, prepared.ends) == ((0,), (0,))
    assert not any(answers for *_, answers in prepared.sentences)


def test_of_a_long_passage_the_window_with_the_answer_is_read() -> None:
    said = [f"Room {number} has a blue door and two windows." for number in range(100)]
    made = example(said, evidence=(97,))
    start = made.text.index("Room 97")
    made = replace(made, answers=((start, start + 7),))
    for seed in (None, 1, 2):
        (prepared,) = batches(made).prepare([made], random.Random(seed) if seed else None)
        first, last = prepared.starts[0], prepared.ends[0]
        spans = shown(made, prepared)
        assert made.text[spans[first][0] : spans[last][1]] == "Room 97"


def test_an_answer_longer_than_a_window_leaves_its_example_out() -> None:
    made = example(["a " * 2 * MAX_TOKENS + "a."])
    made = replace(made, answers=((0, len(made.text)),))
    assert batches(made).prepare([made], None) == []


@given(answered())
def test_without_its_evidence_a_passage_holds_no_answer(made: Example) -> None:
    without = _without_evidence(made)
    if without is None:
        return
    assert not without.answered
    assert without.hard
    left = [without.text[start:end] for start, end in without.sentences]
    assert len(left) >= 2
    right = {
        number
        for number, (start, end) in enumerate(made.sentences)
        if any(first < end and start < behind for first, behind in made.answers)
    }
    assert left == [
        made.text[s:e]
        for i, (s, e) in enumerate(made.sentences)
        if i not in right and i not in made.evidence
    ]
    for start, end in made.answers:
        assert made.text[start:end].casefold() not in without.text.casefold()


def test_a_passage_that_says_the_answer_again_is_not_made_a_negative() -> None:
    said = ["Mr Smith keeps the book.", "It is red.", "Ask SMITH."]
    assert _without_evidence(example(said, answers=((3, 8),), evidence=(0,))) is None
    said[2] = "Ask him."
    without = _without_evidence(example(said, answers=((3, 8),), evidence=(0,)))
    assert without is not None
    assert without.text.split() == "It is red. Ask him.".split()


ASKED = [
    ("When did Ada Lovelace visit Leeds?", ["Ada Lovelace came to Leeds in 1841.", "It rained."]),
    ("Who met Grace Hopper in 1952?", ["In 1952 Tom met Grace Hopper.", "They ate."]),
    ("Did Alan Turing own 12 clocks?", ["The 12 clocks of Alan Turing ran slow.", "None rang."]),
]


def town() -> list[Example]:
    return [
        example(said, asked=asked, question=str(number), evidence=(0,))
        for number, (asked, said) in enumerate(ASKED)
    ]


def test_a_question_with_a_name_changed_is_another_that_the_passage_does_not_know() -> None:
    drawing_from = batches(*town())
    changed = set()
    for seed in range(60):
        for here in town():
            other = drawing_from._swapped(here, random.Random(seed))
            if other is None:
                continue
            assert not other.answered
            assert other.text == here.text
            assert other.asked != here.asked
            (new,) = set(drawing._THING.findall(other.asked)) - set(
                drawing._THING.findall(here.asked)
            )
            assert new.casefold() not in here.text.casefold()
            changed.add((here.question, new))
    # Names give way to names and numbers to numbers.
    assert {new for question, new in changed if question == "0"} <= {"Grace Hopper", "Alan Turing"}
    assert ("2", "1952") in changed


def test_negatives_are_drawn_beside_positives() -> None:
    hard = replace(example(["The door is red.", "It is locked."]), hard=True)
    examples = [*town(), *(replace(hard, question=each.question) for each in town())]
    counts: Counter[str] = Counter()
    drawing_from = batches(*examples)
    texts = {each.text for each in town()}
    for seed in range(400):
        for each in drawing_from._drawn(random.Random(seed)):
            asked = {made.asked for made in town()}
            if each.answered:
                counts["answered"] += 1
            elif each.text == hard.text:
                counts["retrieved"] += 1
            elif each.asked not in asked:
                counts["swapped"] += 1
            else:
                assert each.text in texts
                # The passage of another question.
                assert each.text != next(m.text for m in town() if m.asked == each.asked)
                counts["other"] += 1
    assert counts["answered"] == 1200
    assert counts["retrieved"] / 1200 == pytest.approx(drawing.RETRIEVED, abs=0.06)
    assert counts["other"] / 1200 == pytest.approx(drawing.OTHER, abs=0.03)
    assert 0 < counts["swapped"] / 1200 < drawing.SWAPPED


def test_one_question_alone_can_be_trained_on() -> None:
    """There is no other passage to draw, and no other name."""
    made = example(["Ann lives in Leeds."], asked="Where does Ann live?", answers=((13, 18),))
    for number in range(40):
        drawn = list(batches(made)._drawn(random.Random(number)))
        assert drawn == [made]


def many() -> list[Example]:
    return [
        example(
            [f"Lift {number} was built in {1950 + number}.", "It is red."] * (1 + number % 5),
            asked=f"When was lift {number} built?",
            question=str(number),
            evidence=(0,),
        )
        for number in range(30)
    ]


def test_an_epoch_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    def epoch(seed: int, number: int) -> list[list[torch.Tensor]]:
        return [list(batch) for batch in batches(*many(), seed=seed).epoch(number)]

    def same(one: list[list[torch.Tensor]], two: list[list[torch.Tensor]]) -> bool:
        return len(one) == len(two) and all(
            torch.equal(a, b)
            for first, second in zip(one, two, strict=True)
            for a, b in zip(first, second, strict=True)
        )

    assert same(epoch(1, 0), epoch(1, 0))
    assert not same(epoch(1, 0), epoch(2, 0))
    assert not same(epoch(1, 0), epoch(1, 1))


def test_an_epoch_meets_every_question() -> None:
    marks = {TOKENIZER.token_to_id(mark) for mark in ("[CLS]", "[PAD]")}
    seen = Counter(
        tuple(i for i in row.tolist()[: row.tolist().index(102)] if i not in marks)
        for batch in batches(*many()).epoch(0)
        for row, starts in zip(batch.ids, batch.starts, strict=True)
        if not starts[0]
    )
    assert sum(seen.values()) == 30


@settings(max_examples=25)
@given(st.lists(answered(), min_size=1, max_size=4))
def test_a_batch_says_what_its_windows_say(made: list[Example]) -> None:
    group = batches(*made).prepare(made, None)
    batch = collate(group)
    count = sum(len(each.sentences) for each in group)
    number = 0
    for row, each in enumerate(group):
        window = each.window
        size = len(window.ids)
        assert batch.ids[row, :size].tolist() == window.ids
        assert int(batch.mask[row].sum()) == size
        assert not batch.ids[row, size:].any()
        assert batch.types[row].nonzero().flatten().tolist() == list(range(window.second, size))
        text = range(window.text, window.text + window.count)
        assert batch.allowed[row].nonzero().flatten().tolist() == [0, *text]
        assert set(batch.starts[row].nonzero().flatten().tolist()) == set(each.starts)
        assert set(batch.ends[row].nonzero().flatten().tolist()) == set(each.ends)
        expected = [count] * batch.ids.shape[1]
        for first, behind, answers in each.sentences:
            expected[first:behind] = [number] * (behind - first)
            assert batch.evidence[number] == answers
            assert float(batch.share[number]) == pytest.approx(1 / len(each.sentences))
            number += 1
        assert batch.sentence[row].tolist() == expected
    assert number == count == len(batch.evidence)


def test_some_questions_lose_their_mark_and_some_passages_their_title() -> None:
    made = many()[:1] * 200
    windows = [each.window for each in batches(*made).prepare(made, random.Random(5))]
    (mark,) = TOKENIZED.tokens(["?"])
    untitled = sum(window.second == window.text for window in windows) / 200
    unmarked = sum(mark.ids[0] not in window.ids for window in windows) / 200
    assert untitled == pytest.approx(drawing.UNTITLED, abs=0.1)
    assert unmarked == pytest.approx(drawing.NO_MARK, abs=0.1)
    kept = batches(*made).prepare(made[:1], None)[0].window
    assert mark.ids[0] in kept.ids
    assert kept.second < kept.text


def test_a_window_without_the_answer_says_not_here() -> None:
    said = [f"Room {number} has a blue door and two windows." for number in range(100)]
    made = example(said)
    start = made.text.index("Room 97")
    answers: Spans = ((start, start + 7),)
    made = replace(made, answers=answers, evidence=(97,))
    (tokens,) = TOKENIZED.tokens([made.text])
    first, *_ = TOKENIZED.windows([7], [], tokens)
    prepared = _targets(made, tokens.spans, first)
    assert (prepared.starts, prepared.ends) == ((0,), (0,))
    assert not any(answers for *_, answers in prepared.sentences)
