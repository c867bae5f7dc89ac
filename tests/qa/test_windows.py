"""What the reader is given: every token of a text, in windows that fit, mapped back to the text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from index.weights import default_model
from qa.windows import BEFORE_TOKENS, MAX_TOKENS, OVERLAP, QUESTION_TOKENS, Tokenized, Tokens

TOKENIZER = Tokenizer.from_file(str(default_model() / "tokenizer.json"))
TOKENIZED = Tokenized(TOKENIZER)
CLS, SEP = TOKENIZER.token_to_id("[CLS]"), TOKENIZER.token_to_id("[SEP]")

ids = st.integers(1000, 30000)
words = st.text("abcxyzABCÉéö0189", min_size=1, max_size=9)


def numbered(count: int) -> Tokens:
    """A text of so many tokens, of two characters each."""
    return Tokens(
        [1000 + number for number in range(count)], [(2 * n, 2 * n + 2) for n in range(count)]
    )


@given(st.lists(ids, max_size=90), st.lists(ids, max_size=50), st.integers(0, 900))
def test_every_token_is_in_a_window_and_windows_fit(
    question: list[int], before: list[int], count: int
) -> None:
    text = numbered(count)
    windows = list(TOKENIZED.windows(question, before, text))
    seen: set[int] = set()
    for window in windows:
        assert len(window.ids) <= MAX_TOKENS
        shown = range(window.first, window.first + window.count)
        seen.update(shown)
        assert window.ids[window.text : window.text + window.count] == [text.ids[i] for i in shown]
        assert window.ids[: window.second] == [CLS, *question[:QUESTION_TOKENS], SEP]
        title = [*before[:BEFORE_TOKENS], SEP] if before else []
        assert window.ids[window.second : window.text] == title
        assert window.ids[window.text + window.count :] == [SEP]
    assert seen == set(range(count))


@given(st.integers(0, 70), st.integers(0, 40), st.integers(0, 1200))
def test_windows_that_follow_each_other_share_their_edge(
    question: int, before: int, count: int
) -> None:
    windows = list(TOKENIZED.windows([1] * question, [2] * before, numbered(count)))
    for here, following in pairwise(windows):
        assert here.first + here.count - following.first == OVERLAP
        assert len(here.ids) == MAX_TOKENS, "none but the last has room left"
    # None is read for nothing: the last one has what the one before it lacks.
    assert len(windows) == 1 or windows[-1].count > OVERLAP


def test_a_text_that_just_fits_is_one_window() -> None:
    room = MAX_TOKENS - len([CLS, 1, SEP, SEP])
    assert [window.count for window in TOKENIZED.windows([1], [], numbered(room))] == [room]
    assert [window.count for window in TOKENIZED.windows([1], [], numbered(room + 1))] == [
        room,
        OVERLAP + 1,
    ]


def test_an_empty_text_is_one_window_of_none() -> None:
    (empty,) = TOKENIZED.tokens([""])
    (window,) = TOKENIZED.windows([7], [8], empty)
    assert window.ids == [CLS, 7, SEP, 8, SEP, SEP]
    assert (window.second, window.text, window.first, window.count) == (3, 5, 0, 0)


def test_of_a_long_question_and_a_long_title_the_beginning_is_read() -> None:
    question, title = list(range(1000, 1500)), list(range(2000, 2500))
    windows = list(TOKENIZED.windows(question, title, numbered(400)))
    for window in windows:
        assert window.ids[1 : window.second - 1] == question[:QUESTION_TOKENS]
        assert window.ids[window.second : window.text - 1] == title[:BEFORE_TOKENS]
    assert len(windows) > 1


@given(st.lists(words, max_size=60), st.sampled_from([" ", "\n", "  ", " \t"]))
def test_spans_map_back_to_the_text(said: list[str], space: str) -> None:
    """Tokens cover the words in order, and nothing of what is between them."""
    text = space.join(said)
    (tokens,) = TOKENIZED.tokens([text])
    assert len(tokens.ids) == len(tokens.spans)
    covered = [text[start:end] for start, end in tokens.spans]
    assert "".join(covered) == "".join(said)
    for id, piece in zip(tokens.ids, covered, strict=True):
        plain = piece.lower().replace("é", "e").replace("ö", "o")
        assert TOKENIZER.id_to_token(id) in (plain, f"##{plain}", "[UNK]")


@given(st.text())
@example("a\U0001f600b \u0301 x\u00adx \u3000中文")
def test_spans_of_any_text_are_in_it_and_in_order(text: str) -> None:
    """A character may be several tokens; then each of them has its span."""
    (tokens,) = TOKENIZED.tokens([text])
    assert all(0 <= start < end <= len(text) for start, end in tokens.spans)
    for here, following in pairwise(tokens.spans):
        assert here[1] <= following[0] or here == following


def test_a_text_that_says_a_mark_holds_no_mark() -> None:
    """Else a document could end its own window, or begin another."""
    (tokens,) = TOKENIZED.tokens(["He typed [SEP] and [CLS], [MASK] and [PAD]."])
    marks = {TOKENIZER.token_to_id(f"[{name}]") for name in ("SEP", "CLS", "MASK", "PAD")}
    assert not marks & set(tokens.ids)


def test_half_a_surrogate_pair_is_read_as_an_unknown_character() -> None:
    (tokens,) = TOKENIZED.tokens(["six \ud83d months"])
    assert tokens.spans[0] == (0, 3)
    assert tokens.spans[-1] == (6, 12)


def test_a_tokenizer_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"without \[CLS\] and \[SEP\]"):
        Tokenized(Tokenizer(models.WordLevel({"a": 0})))
