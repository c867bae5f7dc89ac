"""CSV and TSV: rows with the names of their columns."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.errors import FormatError
from index.formats import read_document
from index.types import BlockKind


def rows(folder: Path, source: str, name: str = "table.csv") -> list[str]:
    path = folder / name
    path.write_bytes(source.encode("utf-8"))
    document = read_document(path)
    assert {block.context for block in document.blocks} == {""}
    return [document.text[block.start : block.end] for block in document.blocks]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            'Item,Price,Note\r\nDoor,12.50,"big,\nred"\r\nRope,3,\r\n',
            ["Item: Door | Price: 12.50 | Note: big, red", "Item: Rope | Price: 3"],
            id="quotes, line ends in cells, empty cells",
        ),
        pytest.param(
            "Item;Price\nDoor;12,50\nRope;3,00\n",
            ["Item: Door | Price: 12,50", "Item: Rope | Price: 3,00"],
            id="semicolons",
        ),
        pytest.param("1,2\n3,4\n", ["1 | 2", "3 | 4"], id="numbers alone"),
        pytest.param(
            "Ann,x\nBob,x\nCid,Ann\n", ["Ann | x", "Bob | x", "Cid | Ann"], id="no header"
        ),
        pytest.param(
            "sep=;\nName;Role\nAnn;Chair\nBob;Member;extra\n",
            ["Name: Ann | Role: Chair", "Name: Bob | Role: Member | extra"],
            id="Excel's first line, a row too long",
        ),
        pytest.param(
            "Price list 2024,,\nItem,Price,VAT\nA,1,2\nB,2,3\n",
            ["Price list 2024", "Item: A | Price: 1 | VAT: 2", "Item: B | Price: 2 | VAT: 3"],
            id="a caption",
        ),
        pytest.param("One line\nand another\n", ["One line", "and another"], id="one column"),
        pytest.param("Name,Role\n", ["Name | Role"], id="one row"),
        pytest.param("a,b\n\n ,\n1,2\n", ["a: 1 | b: 2"], id="blank rows"),
    ],
)
def test_tables(tmp_path: Path, source: str, expected: list[str]) -> None:
    assert rows(tmp_path, source) == expected


def test_tabs(tmp_path: Path) -> None:
    assert rows(tmp_path, "Name\tRole\nAnn\tChair, acting\n", "t.tsv") == [
        "Name: Ann | Role: Chair, acting"
    ]


def test_a_quotation_mark_that_is_never_closed_swallows_no_rows(tmp_path: Path) -> None:
    found = rows(tmp_path, 'size,item\n"5 inch,pipe\n' + "3 inch,pipe\n" * 20_000)
    assert found[:2] == ['size: "5 inch | item: pipe', "size: 3 inch | item: pipe"]
    assert len(found) == 20_001


def test_a_giant_cell_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="not a table"):
        rows(tmp_path, "x" * 200_000 + ",b\n")


CELLS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(CELLS, CELLS, st.integers()), min_size=1, max_size=40))
def test_every_row_comes_back(tmp_path: Path, table: list[tuple[str, str, int]]) -> None:
    """Whatever the cells hold, a row is a block and has its values under their names."""
    file = io.StringIO()
    csv.writer(file).writerows([("name", "place", "count"), *table])
    path = tmp_path / "table.csv"
    path.write_text(file.getvalue(), encoding="utf-8", newline="")
    document = read_document(path)
    assert {block.kind for block in document.blocks} == {BlockKind.ROW}
    assert [document.text[block.start : block.end] for block in document.blocks] == [
        f"name: {name} | place: {place} | count: {count}" for name, place, count in table
    ]
