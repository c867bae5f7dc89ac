"""Finding words: every sentence that holds them, and exactly those."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import new_library, sentences, write

from index import Filter, Library
from index.terms import spanned_terms

ODD = {
    "odd.txt": (
        "Error E-4304 is shown. Error E-\n4304 again, with E4304 in one word.\r\n\r\n"
        "The lifts of the house; a lift’s door; LIFT!\n\nCafé, cafe\u0301 and CAFE.\n\n"
        "שלום \u202eabc\u202c עולם. 🙂 lift 🙂\u2028The next line of the lift."
    ),
    "copy/odd.txt": "The lifts of the house; a lift’s door; LIFT!",
    "plain.md": "# The lift\n\nIt is old.\n\n| Part | Costs |\n| --- | --- |\n| lift door | 40 |\n",
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Texts with every trap there is for words."""
    path = tmp_path_factory.mktemp("find")
    with new_library(path / "odd.quoth", write(path / "odd", ODD)) as library:
        yield library


def found(library: Library, query: str, where: Filter | None = None) -> list[tuple[str, str]]:
    result = library.find(query, where=where)
    return [(h.citation.path, h.text) for h in result]


def test_all_endings_and_cases_of_a_word_are_found_in_every_document(odd: Library) -> None:
    assert found(odd, "lift") == [
        ("copy/odd.txt", "The lifts of the house; a lift’s door; LIFT!"),
        ("odd.txt", "The lifts of the house; a lift’s door; LIFT!"),
        ("odd.txt", "🙂 lift 🙂\u2028The next line of the lift."),
        ("plain.md", "The lift"),
        ("plain.md", "lift door | 40"),
    ]


def test_a_phrase_stands_side_by_side(odd: Library) -> None:
    assert [text for _, text in found(odd, '"of the house"')] == [
        "The lifts of the house; a lift’s door; LIFT!"
    ] * 2
    assert found(odd, '"house of the"') == []
    assert found(odd, "“lift door”") != []


def test_a_code_is_found_as_a_whole(odd: Library) -> None:
    assert odd.find("E-4304").total == 2


def test_a_filter_holds(odd: Library) -> None:
    assert {path for path, _ in found(odd, "lift", Filter(folder="copy"))} == {"copy/odd.txt"}
    assert found(odd, "lift", Filter(pattern="*.pdf")) == []


def test_what_is_not_there_is_not_found(odd: Library) -> None:
    for query in ("swimming", "lift swimming", "", "?!", '""'):
        assert odd.find(query).total == 0


def test_marks_are_the_words_in_the_document(odd: Library) -> None:
    for group in odd.find("lift").documents:
        text = odd.text(group.document.id)
        for hit in group.hits:
            assert hit.text == text[hit.start : hit.end]
            assert hit.marks
            for start, end in hit.marks:
                assert hit.start <= start < end <= hit.end
                assert text[start:end].casefold().startswith("lift")


@given(
    st.lists(st.sampled_from("lift the of door E-4304 4304 café house 40 old".split()), max_size=3)
)
def test_the_total_is_that_of_reading_every_sentence(odd: Library, words: list[str]) -> None:
    wanted = [t for t in spanned_terms(" ".join(words)) if not t.stop]
    wanted = wanted or spanned_terms(" ".join(words))
    expected = set()
    for document, start, end in sentences(odd):
        held = {t.term for t in spanned_terms(odd.text(document)[start:end])}
        if wanted and all(t.term in held for t in wanted):
            expected.add((document, start, end))
    hits = {(h.citation.document, h.start, h.end) for h in odd.find(" ".join(words))}
    assert hits == expected


def test_stop_words_alone_are_found_too(odd: Library) -> None:
    assert [path for path, _ in found(odd, "the")] == [
        "copy/odd.txt",
        "odd.txt",
        "odd.txt",
        "plain.md",
    ]


def test_removed_documents_are_not_found(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", {"a.txt": "The lift.", "b.txt": "A lift."})
    with new_library(tmp_path / "a.quoth", folder) as library:
        library.remove("a.txt")
        assert found(library, "lift") == [("b.txt", "A lift.")]
