"""Markdown: the rendered text in blocks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.formats import read_document
from index.types import Document

PAGE = """---
title: "Lift policy"
date: 2024-03-01
tags: [lifts]
---
# Scope & more

This *policy* covers [all **lifts**](https://example.org) in the
building.\\
Line two with `code` and ![a picture](x.png). H<sub>2</sub>O

The lift is inspected by:

3. the maintainer:
   - ropes
   - doors

   More on it.
4. the expert

| Item | Price |
|---|---:|
| Door | 12 |
| **Rope** | 3<br>4 |

```py
    x = 1
```

> Quoted ~~not~~ text

<div>Raw <b>html</b><script>no()</script></div>

Setext
------
End
"""


def read(folder: Path, source: str) -> Document:
    path = folder / "page.md"
    path.write_text(source, encoding="utf-8")
    return read_document(path)


def test_a_page_reads_as_it_is_rendered(tmp_path: Path) -> None:
    document = read(tmp_path, PAGE)
    assert (document.title, document.date) == ("Lift policy", "2024-03-01")
    lead = "The lift is inspected by:"
    assert [
        (block.kind.value, block.level, block.context, document.text[block.start : block.end])
        for block in document.blocks
    ] == [
        ("heading", 1, "", "Scope & more"),
        (
            "paragraph",
            0,
            "",
            "This policy covers all lifts in the building.\nLine two with code and a picture. H2O",
        ),
        ("paragraph", 0, "", lead),
        ("item", 1, lead, "3. the maintainer:"),
        ("item", 2, "the maintainer:", "ropes"),
        ("item", 2, "the maintainer:", "doors"),
        ("paragraph", 0, lead, "More on it."),
        ("item", 1, lead, "4. the expert"),
        ("row", 0, "", "Item | Price"),
        ("row", 0, "Item | Price", "Door | 12"),
        ("row", 0, "Item | Price", "Rope | 3 4"),
        ("code", 0, "", "    x = 1"),
        ("paragraph", 0, "", "Quoted not text"),
        ("paragraph", 0, "", "Raw html"),
        ("heading", 2, "", "Setext"),
        ("paragraph", 0, "", "End"),
    ]
    assert document.blocks[-1].headings == ("Scope & more", "Setext")


@pytest.mark.parametrize(
    ("source", "title", "date"),
    [
        ("# Lifts\n\nText", "Lifts", None),
        ("Text\n\n# Lifts\n", "Lifts", None),
        ("## Lifts\n\nText", "Lifts", None),
        ("Text\n\n## Lifts\n", "", None),
        ("# Minutes\n\n**Date:** 3 May 2021\n\nText", "Minutes", "2021-05-03"),
        ("---\n\nText between rules\n\n---\n", "", None),
        ("---\ntitle: 'A: b'\n...\nText", "A: b", None),
    ],
)
def test_title_and_date(tmp_path: Path, source: str, title: str, date: str | None) -> None:
    document = read(tmp_path, source)
    assert (document.title, document.date) == (title, date)


def test_text_between_two_rules_is_no_front_matter(tmp_path: Path) -> None:
    assert read(tmp_path, "---\nText between rules\n\n---\nEnd").text.endswith("rules\n\nEnd")


@pytest.mark.parametrize("depth", [1, 10, 40, 57, 58, 59, 60, 200, 5000])
def test_nothing_is_lost_however_deep_it_is(tmp_path: Path, depth: int) -> None:
    """The parser leaves out what is nested too deeply; then the file is read as plain text."""
    document = read(tmp_path, ">" * depth + " word")
    assert "word" in document.text
    assert bool(document.warnings) == (depth > 57)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text("abcdefgh XYZ,;éß漢", min_size=1).map(str.strip).filter(bool),
        min_size=1,
        max_size=8,
    )
)
def test_paragraphs_come_back(tmp_path: Path, paragraphs: list[str]) -> None:
    document = read(tmp_path, "\n\n".join(paragraphs))
    assert [document.text[block.start : block.end] for block in document.blocks] == paragraphs
