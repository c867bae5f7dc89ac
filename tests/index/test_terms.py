"""Words as they are counted: the same for documents and questions."""

from __future__ import annotations

import threading

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.searchview import plain
from index.terms import MAX_LENGTH, STOP_WORDS, index_terms, spanned_terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The lifts are inspected yearly", ["lift", "inspect", "year"]),
        ("CAFÉ Café cafe", ["cafe", "cafe", "cafe"]),
        ("naïve coöperation", ["naiv", "cooper"]),
        ("Straße", ["strass"]),
        ("E-4304", ["e", "4304", "e4304"]),
        ("invoice 2024/17", ["invoic", "2024", "17"]),
        ("A4-100", ["a4", "100", "a4100"]),
        ("1,200.50 and 12,400", ["1200.50", "12400"]),
        ("version 3.2.1", ["version", "3.2.1"]),
        ("the caretaker's key", ["caretak", "key"]),
        ("O’Neill and O'Brien", ["oneil", "obrien"]),
        ("don't", []),
        ("inspec-\ntion", ["inspect"]),
        ("so\u00adft", ["soft"]),
        ("ﬁre ofﬁce", ["fire", "offic"]),
        ("and the of", []),
        ("", []),
        ("x" * 300, ["x" * MAX_LENGTH]),
        ("日本語 テスト", ["日本語", "テスト"]),
    ],
)
def test_terms_of(text: str, terms: list[str]) -> None:
    assert index_terms(text) == terms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("inspections", "inspected"),
        ("O'NEILL", "o’neill"),
        ("résumé", "resume"),
        ("e-4304", "E\u20114304"),
        ("12,400", "12400"),
    ],
)
def test_two_spellings_are_one_word(one: str, other: str) -> None:
    assert index_terms(one) == index_terms(other)


nasty = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("aZé-'’./,19\u00ad\u200b\r\n\u2028\x00\u0301ﬁ½🙂\u202e\u05d0"),
    ),
    max_size=60,
)


@given(nasty)
@example("E-\n4304 e\u0301-1")
def test_each_term_says_where_it_stands(text: str) -> None:
    """Read alone, the characters of a word give that word; codes lie over their parts."""
    found = spanned_terms(text)
    assert [t.term for t in found if not t.stop].sort() == index_terms(text).sort()
    for term in found:
        assert 0 <= term.start < term.end <= len(text)
    assert found == sorted(found, key=lambda t: (t.start, -t.end))


@given(nasty)
def test_documents_and_questions_are_read_alike(text: str) -> None:
    telling = sorted(t.term for t in spanned_terms(text) if not t.stop)
    assert telling == sorted(index_terms(text)) == sorted(index_terms(plain(text)))


@given(nasty)
def test_a_term_never_holds_what_separates_terms(text: str) -> None:
    """Terms are stored joined by spaces."""
    for term in index_terms(text):
        assert term.split() == [term]
        assert term not in STOP_WORDS


def test_threads_get_the_same_stems() -> None:
    words = [f"word{n} running inspections national{'s' * n}" for n in range(200)]
    expected = [index_terms(text) for text in words]
    found: list[list[list[str]]] = []
    threads = [
        threading.Thread(target=lambda: found.append([index_terms(text) for text in words]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
