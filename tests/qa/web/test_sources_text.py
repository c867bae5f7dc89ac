"""The text of a source: in stretches without a gap, tables as tables, headings to jump to."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from small import new_library, write

from index.formats import read_document
from index.types import Block, BlockKind, Document
from qa.visible import visible
from qa.web.app import create_app
from qa.web.source_text import STRETCH, SourceText, Stretch

LONG = "\n\n".join(f"Paragraph number {n} of a long document." for n in range(5_000))
RULES = "# Rooms\n\n| Room | Seats |\n|---|---|\n| Loft | 12 |\n| Cellar | 40 |\n\nAsk the desk.\n"


def source_of(text: str, kind: BlockKind = BlockKind.PARAGRAPH) -> SourceText:
    """Return a source whose blocks are the paragraphs of `text`."""
    blocks, at = [], 0
    for part in text.split("\n\n"):
        if part.strip():
            blocks.append(Block(at, at + len(part), kind))
        at += len(part) + 2
    return SourceText(Document(text=text, blocks=tuple(blocks)), "text")


def read(tmp_path: Path, name: str, content: str) -> SourceText:
    file = write(tmp_path, {name: content}) / name
    return SourceText(read_document(file), file.suffix[1:])


def walked(source: SourceText, first: Stretch) -> list[Stretch]:
    """Return all stretches of a document as the page asks for them, from `first` both ways."""
    stretches = [first]
    while stretches[0].start > 0:
        stretches.insert(0, source.before(stretches[0].start))
    while stretches[-1].end < len(source.content.text):
        stretches.append(source.after(stretches[-1].end))
    return stretches


@pytest.mark.parametrize(
    "text",
    [LONG, LONG.replace("\n\n", "\n"), LONG.replace("\n\n", " "), "x" * 90_000],
    ids=["paragraphs", "lines", "one line", "no space at all"],
)
@pytest.mark.parametrize("place", [0, 40_000, 89_999])
def test_a_long_document_is_read_in_parts_without_a_gap(text: str, place: int) -> None:
    source = source_of(text)
    stretches = walked(source, source.around(place, place + 1))
    assert stretches[0].start == 0
    assert all(a.end == b.start for a, b in pairwise(stretches))
    assert max(s.end - s.start for s in stretches) < 2 * STRETCH
    pieces = [piece for s in stretches for block in s.blocks for piece in block.pieces]
    assert "".join(p.text for p in pieces).replace("\n", "") == text.replace("\n", "")


def test_a_block_that_is_cut_says_so() -> None:
    stretch = source_of("x" * 90_000).around(40_000, 40_010)
    (block,) = stretch.blocks
    assert block.continued
    assert (block.start, block.end) == (stretch.start, stretch.end)


ODD = st.text(
    st.sampled_from("ab \n\r\x00\x1b\x85\u2028\u202e\u2066\U0001f600\U00010330é\ud83d\ude00")
)


@given(ODD, st.data())
def test_every_span_is_found_again_in_the_visible_text(text: str, data: st.DataObject) -> None:
    """The page marks by units of UTF-16; what lies between two offsets is what is shown of it."""
    text = f"a{text}b"
    source = SourceText(Document(text=text, blocks=(Block(0, len(text)),)), "text")
    (piece,) = source.exactly(0, len(text)).blocks[0].pieces
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    if "\r\n" in (text[start - 1 : start + 1], text[end - 1 : end + 1]):
        return  # shown as one line end, which cannot be cut

    def index(offset: int) -> int:
        origin, at = max([(0, 0), *(s for s in piece.shifts if s[0] <= offset)])
        return 2 * (at + offset - origin)

    units = piece.text.encode("utf-16-le", "surrogatepass")[index(start) : index(end)]
    expected = visible(text[start:end]).encode("utf-16-le", "surrogatepass")
    assert units == expected


def test_rows_are_cells_under_their_header(tmp_path: Path) -> None:
    source = read(tmp_path, "rooms.md", RULES)
    rows = [b for b in source.after(0).blocks if b.kind == "row"]
    assert [[piece.text for piece in row.pieces] for row in rows] == [
        ["Room", "Seats"], ["Loft", "12"], ["Cellar", "40"],
    ]  # fmt: skip
    assert [row.header for row in rows] == [True, False, False]
    assert [row.context for row in rows] == ["", "Room | Seats", "Room | Seats"]
    text = source.content.text
    assert [text[p.start : p.end] for row in rows for p in row.pieces][2:4] == ["Loft", "12"]


def test_columns_of_a_csv_file_stand_on_top(tmp_path: Path) -> None:
    """Empty cells are left out of the text, so rows have different columns."""
    source = read(
        tmp_path, "desk.csv", "Name,Room,Open\nIda,,9 to 12\nJo,5.01,\nPip: the cat,2,10:30\n"
    )
    stretch = source.after(0)
    assert stretch.columns == ("Name", "Room", "Open")
    assert [[(p.name, p.text) for p in row.pieces] for row in stretch.blocks] == [
        [("Name", "Ida"), ("Open", "9 to 12")],
        [("Name", "Jo"), ("Room", "5.01")],
        [("Name", "Pip: the cat"), ("Room", "2"), ("Open", "10:30")],
    ]
    assert read(tmp_path, "bare.csv", "1,2\n3,4\n").after(0).columns == ()


def test_the_outline_has_the_headings_and_leaves_out_the_deepest(tmp_path: Path) -> None:
    source = read(tmp_path, "a.md", "# One\n\nText.\n\n## *Two*\n\nText.\n\n# Three\n\nText.\n")
    outline = source.outline()
    assert [(h.title, h.level) for h in outline.headings] == [("One", 1), ("Two", 2), ("Three", 1)]
    assert outline.complete
    text = source.content.text
    assert [text[h.start :].split("\n")[0] for h in outline.headings] == ["One", "Two", "Three"]
    many = "".join(f"# Part {n}\n\n## A\n\nText.\n\n## B\n\nText.\n\n" for n in range(400))
    cut = read(tmp_path, "b.md", many).outline()
    assert len(cut.headings) == 400
    assert not cut.complete


def test_text_is_given_from_up_to_between_and_around(tmp_path: Path) -> None:
    with new_library(tmp_path / "long.quoth") as library:
        info = library.add(LONG, name="long")
        client = TestClient(create_app(library), base_url="http://127.0.0.1:7860")

        def text(query: str, status: int = 200) -> Any:  # noqa: ANN401 - JSON
            reply = client.get(f"/api/source/{info.id}-{info.text_hash[:12]}/text?{query}")
            assert reply.status_code == status, reply.text
            return reply.json()

        assert text("from=100")["start"] == 100
        assert text("to=50000")["end"] == 50_000
        between = text("from=41&to=60")
        assert (between["start"], between["end"]) == (41, 60)
        assert [b["pieces"][0]["text"] for b in between["blocks"]] == [LONG[41:60].strip("\n")]
        around = text("at=100000")
        assert around["start"] < 100_000 < around["end"]
        assert text("from=99999999")["blocks"] == []
        assert text("")["start"] == 0
        assert "begins before it ends" in text("from=60&to=60", 422)["detail"]
        assert "100,000 characters" in text("from=0&to=200000", 422)["detail"]
        text("from=-1", 422)
        text("from=x", 422)
