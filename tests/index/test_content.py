"""Contents come back as they went in."""

from __future__ import annotations

import hashlib
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.content import ContentCache, decode_content, encode_content, text_hash
from index.errors import DocumentNotFoundError
from index.types import Block, BlockKind, Document, Page

# All that Python can hold, lone surrogates and NUL among it.
any_text = st.text(st.characters(), max_size=40)
positions = st.integers(0, 10**9)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    parts = draw(st.lists(any_text.filter(lambda part: part.strip() != ""), max_size=5))
    gap = draw(st.sampled_from([" ", "\n\n", "\r\n", "\u2028"]))
    blocks, text = [], ""
    for part in parts:
        start = len(text)
        text += part
        blocks.append(
            Block(
                start,
                len(text),
                draw(st.sampled_from(BlockKind)),
                tuple(draw(st.lists(any_text, max_size=3))),
                draw(st.none() | positions),
                draw(st.integers(0, 6)),
                draw(any_text),
            )
        )
        text += gap
    runs = st.lists(st.tuples(positions, positions, positions), max_size=3).map(tuple)
    pages = st.builds(Page, positions, positions, positions, runs)
    return Document(
        text=text,
        blocks=tuple(blocks),
        title=draw(any_text),
        date=draw(st.none() | st.just("2024-02-29")),
        language=draw(st.none() | st.just("en")),
        pages=tuple(draw(st.lists(pages, max_size=3))),
        warnings=tuple(draw(st.lists(any_text, max_size=2))),
    )


@given(documents())
def test_decoding_gives_the_document_that_was_encoded(document: Document) -> None:
    assert decode_content(encode_content(document)) == document


def test_the_hash_of_a_text_is_that_of_its_utf_8() -> None:
    assert text_hash("naïve\r\n") == hashlib.sha256("naïve\r\n".encode()).hexdigest()


@given(any_text, any_text)
def test_two_texts_have_two_hashes(one: str, other: str) -> None:
    assert (text_hash(one) == text_hash(other)) == (one == other)


def test_the_cache_holds_no_more_characters_than_it_may_and_still_gives_every_document() -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE documents(id INTEGER PRIMARY KEY, content BLOB, text_hash, path)")
    for number in range(5):
        document = Document(text=f"{number}" * 10, blocks=(Block(0, 10),))
        row = (number, encode_content(document), text_hash(document.text), f"{number}.txt")
        db.execute("INSERT INTO documents VALUES(?, ?, ?, ?)", row)
    cache = ContentCache(max_characters=25)
    first = cache.get(db, 0)
    assert cache.get(db, 0) is first
    assert [cache.get(db, number).text[0] for number in range(5)] == list("01234")
    assert cache.get(db, 0) is not first  # had to make room
    with pytest.raises(DocumentNotFoundError, match="number 5"):
        cache.get(db, 5)
    db.close()
