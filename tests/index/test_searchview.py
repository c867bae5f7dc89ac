from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.searchview import plain, search_view

# Arbitrary text seldom has what the view is about; this alphabet does.
nasty = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "aAbZ 09-‐\n\r\t\x00\x02\xad\ufffe\u200b\u200d\ufeff\u2060\u2028“”‘’–—−…ﬁﬂ½²"
            "e\u0301\u0327\u0345\u093c한\u1100\u1161\u11a8ｶﾞカ\u3099ﷺ👩🏽🇩🇪\u202eאمﻻ\ud800\udc00"
        ),
        st.characters(),
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The lift is inspected.", "The lift is inspected."),
        ("  two\t\tspaces \n here ", "two spaces here"),
        ("inspec-\ntion", "inspection"),
        ("inspec-\r\ntion", "inspection"),
        ("inspec- \n  tion", "inspection"),
        ("inspec\xad\ntion", "inspection"),
        ("inspec\xadtion", "inspection"),
        ("inspec\x02tion and inspec\ufffe\ntion", "inspection and inspection"),
        ("inspec‐\ntion", "inspection"),
        ("error E-\n4304", "error E-4304"),
        ("pages 10-\n20", "pages 10-20"),
        ("Anglo-\nAmerican", "Anglo-American"),
        ("short-\nand long-term", "short- and long-term"),
        ("a list -\nof words", "a list - of words"),
        ("paragraph-\n\nnext", "paragraph- next"),
        ("“curly” ‘quotes’ «guillemets»", '"curly" \'quotes\' "guillemets"'),
        ("1998–2003 — a −5 °C", "1998-2003 - a -5 °C"),
        ("o\u200bne \ufeffand\u2060", "one and"),
        ("ﬁre ﬂoor", "fire floor"),
        ("cafe\u0301", "café"),
        ("e\xad\u0301", "é"),
        ("１２３ ＡＢＣ", "123 ABC"),
        ("m² and 1½ cups, ½ cup", "m2 and 1 1/2 cups, 1/2 cup"),
        ("wait…", "wait..."),
        ("NUL\x00here\x07", "NUL here"),
        ("no\xa0break\u2028line", "no break line"),
        ("👩\u200d🔧 mended it", "👩\u200d🔧 mended it"),
        ("ｶﾞｽ", "ガス"),
        ("half \ud83d", "half \ufffd"),
        ("", ""),
        (" \n\xad ", ""),
    ],
)
def test_a_view_has_one_spelling_for_what_looks_the_same(text: str, expected: str) -> None:
    assert plain(text) == expected
    assert search_view(text).text == expected


@given(nasty)
@example("a\xad\n\u0301")
@example("-\n" * 5)
def test_plain_is_the_text_of_the_view(text: str) -> None:
    assert plain(text) == search_view(text).text


@given(nasty)
@example("a- \n\x02b")
@example("½½½")
def test_the_view_of_a_view_is_the_same(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@pytest.mark.slow
def test_every_character_has_a_stable_view_between_others() -> None:
    """Each code point that is assigned, alone and between letters, digits and marks."""
    for code in (*range(0x30000), *range(0xE0000, 0xE0200)):
        text = f"{chr(code)}a{chr(code)}1{chr(code)}\u0301 {chr(code)}"
        once = plain(text)
        assert plain(once) == once, hex(code)


def test_plain_and_view_agree_on_every_character() -> None:
    for code in range(0, 0x30000, 7):
        text = f"1{chr(code)}e{chr(code)}\u0301"
        assert plain(text) == search_view(text).text, hex(code)


@given(nasty)
def test_offsets_ascend_inside_the_text(text: str) -> None:
    view = search_view(text)
    offsets = list(view.offsets)
    assert len(offsets) == len(view.text) + 1
    assert offsets == sorted(offsets)
    assert all(0 <= offset <= len(text) for offset in offsets)


@given(nasty, st.data())
def test_a_span_of_the_view_covers_its_original(text: str, data: st.DataObject) -> None:
    """The words of a view, mapped back, are the original spelling of the same words."""
    view = search_view(text)
    for word in re.finditer(r"\S+", view.text):
        span = view.to_original(word.start(), word.end())
        assert 0 <= span.start < span.end <= len(text)
        assert plain(text[span.start : span.end]) == word[0]


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_ascii_words_stand_for_themselves(text: str) -> None:
    view = search_view(text)
    assert (view.text, list(view.offsets)) == (text, list(range(len(text) + 1)))


def test_a_found_word_is_marked_with_its_hyphen_and_line_break() -> None:
    text = "The  yearly inspec-\ntion of “ﬁre” doors"
    view = search_view(text)
    at = view.text.index("inspection")
    span = view.to_original(at, at + len("inspection"))
    assert text[span.start : span.end] == "inspec-\ntion"
    at = view.text.index("fire")
    span = view.to_original(at + 1, at + 2)
    assert text[span.start : span.end] == "ﬁ"


@pytest.mark.parametrize(("start", "end"), [(0, 0), (-1, 1), (2, 1), (0, 5)])
def test_a_span_outside_the_view_is_an_error(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="not in a view of 4 characters"):
        search_view("word").to_original(start, end)


@pytest.mark.parametrize(
    "text",
    [
        "a" + "\u0315\u0300" * 100_000,
        "-\n" * 200_000,
        "- " * 200_000,
        "\xad" * 400_000,
        " " * 10**6,
    ],
    ids=["marks", "hyphens", "dashes", "soft hyphens", "spaces"],
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    began = time.perf_counter()
    search_view(text)
    plain(text)
    assert time.perf_counter() - began < 20
