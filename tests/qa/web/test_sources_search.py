"""Words found inside one document, as people read them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from small import new_library

from index.types import Block, Document
from qa.web.app import create_app
from qa.web.source_search import search_source
from qa.web.source_text import SourceText


def found(text: str, query: str) -> list[str]:
    """Return what stands at each hit."""
    source = SourceText(Document(text=text, blocks=(Block(0, len(text)),)), "text")
    view = search_source(source, query)
    assert view.total == len(view.hits)
    return [text[hit.start : hit.end] for hit in view.hits]


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("The Lift. A lift, LIFTS.", "lift", ["Lift", "lift", "LIFT"]),
        ("Straße und STRASSE", "strasse", ["Straße", "STRASSE"]),
        ("Straße und STRASSE", "straße", ["Straße", "STRASSE"]),
        ("Ένας ΣΊΣΥΦΟΣ σίσυφος", "σίσυφος", ["ΣΊΣΥΦΟΣ", "σίσυφος"]),
        ("a café, a cafe\u0301, a cafe", "cafe", ["café", "cafe\u0301", "cafe"]),
        ("a café, a cafe\u0301, a cafe", "café", ["café", "cafe\u0301"]),
        ("the inspec-\ntion of ﬁre doors", "inspection of fire", ["inspec-\ntion of ﬁre"]),
        ("It’s  “open”\n\tnow", 'it\'s "open" now', ["It’s  “open”\n\tnow"]),
        ("aaaa", "aa", ["aa", "aa"]),
        ("x\u202ey \U0001f600 z", "xy \U0001f600", ["x\u202ey \U0001f600"]),
        ("İstanbul, istanbul", "istanbul", ["İstanbul", "istanbul"]),
        ("किताब", "कताब", []),  # a vowel sign is no accent
        ("C++ (a.*b)", "(a.*B)", ["(a.*b)"]),
        ("nothing here", "absent", []),
        ("nothing here", "   ", []),
    ],
)
def test_what_people_read_is_found(text: str, query: str, expected: list[str]) -> None:
    assert found(text, query) == expected


@pytest.mark.parametrize("length", range(19_970, 20_010, 3))
def test_a_long_block_hides_nothing_where_it_is_cut(length: int) -> None:
    text = "x" * length + " the needle " + "y" * 30_000 + " Needle"
    assert found(text, "needle") == ["needle", "Needle"]


def test_all_places_are_counted_and_the_first_sent(tmp_path: Path) -> None:
    with new_library(tmp_path / "many.quoth") as library:
        info = library.add("A bell.\n\n" * 2_500, name="bells")
        client = TestClient(create_app(library), base_url="http://127.0.0.1:7860")
        address = f"/api/source/{info.id}-{info.text_hash[:12]}/search"
        view = client.get(address, params={"q": "BELL"}).json()
        assert (view["query"], view["total"], len(view["hits"])) == ("BELL", 2_500, 2_000)
        assert view["hits"][1] == {"start": 11, "end": 15, "page": None}
        assert client.get(address, params={"q": "x" * 201}).status_code == 422
        assert client.get(address).status_code == 422


@pytest.mark.slow
def test_millions_of_characters_are_searched_at_once() -> None:
    """A person types and looks: 5 million characters take less than five seconds."""
    text = ("The lift is inspected every twelve months, as é says. " * 20 + "\n\n") * 4_700
    blocks, at = [], 0
    for part in text.split("\n\n")[:-1]:
        blocks.append(Block(at, at + len(part)))
        at += len(part) + 2
    source = SourceText(Document(text=text, blocks=tuple(blocks)), "text")
    began = time.monotonic()
    assert search_source(source, "escalator").total == 0
    assert time.monotonic() - began < 5
