"""Passages: every sentence in exactly one, none across sections."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from index.formats.text import read_text
from index.passages import LARGE, group
from index.sentences import split_document
from index.types import Block, BlockKind, Document, Sentence


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Documents of all kinds of blocks, in sections of any depth."""
    text, blocks = "", []
    headings: list[str] = []
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(BlockKind))
        words = draw(st.integers(1, 4 if kind is BlockKind.HEADING else 60))
        body = ("word " * words).strip().capitalize() + "."
        if kind is BlockKind.PARAGRAPH:
            body = " ".join([body] * draw(st.integers(1, 6)))
        level = draw(st.integers(1, 3)) if kind is BlockKind.HEADING else 0
        if kind is BlockKind.HEADING:
            headings = headings[: level - 1]
        context = draw(st.sampled_from(["", "Name | Costs"]))
        blocks.append(
            Block(len(text), len(text) + len(body), kind, tuple(headings), None, level, context)
        )
        if kind is BlockKind.HEADING:
            headings = [*headings, body]
        text += body + "\n\n"
    return Document(text=text, blocks=tuple(blocks))


@given(documents())
def test_passages_cover_the_sentences_in_order_and_stay_in_a_section(document: Document) -> None:
    sentences = split_document(document)
    passages = group(document, sentences)
    assert [i for p in passages for i in range(p.first, p.last)] == list(range(len(sentences)))
    for passage in passages:
        own = sentences[passage.first : passage.last]
        assert (passage.start, passage.end) == (own[0].start, own[-1].end)
        bodies = [
            document.blocks[s.block]
            for s in own
            if document.blocks[s.block].kind is not BlockKind.HEADING
        ]
        assert len({block.headings for block in bodies}) <= 1


@given(documents())
def test_no_passage_of_several_sentences_is_much_too_long(document: Document) -> None:
    sentences = split_document(document)
    for passage in group(document, sentences):
        words = [
            len(document.text[s.start : s.end].split())
            for s in sentences[passage.first : passage.last]
        ]
        assert len(words) == 1 or sum(words) <= LARGE + max(words)


def passages_of(text: str) -> list[str]:
    document = read_text(text)
    return [text[p.start : p.end] for p in group(document, split_document(document))]


def test_short_paragraphs_that_follow_each_other_are_one_passage() -> None:
    assert passages_of("The lift is old.\n\nIt is inspected in May.") == [
        "The lift is old.\n\nIt is inspected in May."
    ]


def test_a_long_paragraph_is_cut_between_sentences_into_parts_of_like_size() -> None:
    sentence = "The owners met in the hall and talked about the costs of the new boiler."
    parts = passages_of(" ".join([sentence] * 24))
    assert [len(part.split()) for part in parts] == [120, 120, 120]


def test_no_sentences_are_no_passages() -> None:
    assert group(Document(text="", blocks=()), []) == []


def test_the_context_of_a_passage_is_the_first_there_is() -> None:
    document = Document(
        text="Lift, 40\nRoof, 90",
        blocks=(
            Block(0, 8, BlockKind.ROW, ("Costs",), 2, 0, "Part, Pounds"),
            Block(9, 17, BlockKind.ROW, ("Costs",), 2, 0, "Part, Pounds"),
        ),
    )
    (passage,) = group(document, [Sentence(0, 8, 0), Sentence(9, 17, 1)])
    assert (passage.context, passage.headings) == ("Part, Pounds", ("Costs",))
