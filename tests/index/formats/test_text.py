"""Plain text: encodings, blocks, title and date."""

from __future__ import annotations

import os
import textwrap
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import FormatError
from index.formats import read_document
from index.formats.dates import find_date, parse_date
from index.formats.encoding import decode
from index.formats.text import read_text
from index.types import Block, BlockKind, Document

SAMPLES = {
    "Der Aufzug wird jährlich geprüft; größere Schäden müssen sofort gemeldet werden.": [
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-le",
        "cp1252",
        "latin-1",
        "cp850",
    ],
    "The price is 5 £ — “about”": ["cp1252", "utf-16-le"],
    "Café": ["cp1252", "utf-8"],
    "Windy są sprawdzane raz w roku. Zażółć gęślą jaźń, a potem łącza.": ["cp1250", "utf-16"],
    "Лифты проверяются один раз в год. Осмотр включает двери и канаты.": ["cp1251", "koi8_r"],
    "エレベーターは年に一度検査されます。検査にはケーブルが含まれます。": ["shift_jis", "euc_jp"],
    "电梯每年检查一次。检查包括电缆和门。": ["gb18030", "utf-8"],
}

LINES = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), include_characters="\t"),
    min_size=1,
).filter(str.strip)
PARAGRAPHS = st.lists(st.lists(LINES, min_size=1, max_size=4), min_size=1, max_size=6)


def blocks(document: Document) -> list[tuple[str, str]]:
    """Return kind and text of every block."""
    return [(block.kind.value, document.text[block.start : block.end]) for block in document.blocks]


def text_of(document: Document, block: Block) -> str:
    return document.text[block.start : block.end]


@pytest.mark.parametrize(
    ("text", "encoding"), [(text, name) for text, names in SAMPLES.items() for name in names]
)
def test_every_usual_encoding_is_recognised(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_a_foreign_letter_far_down_a_long_file_counts() -> None:
    text = "Plain words in a row. " * 20_000 + "A résumé at the end."
    assert decode(text.encode("cp1252")) == text


def test_a_declared_encoding_is_used_where_the_bytes_leave_it_open() -> None:
    data = "Ђорђе".encode("iso8859-5")
    assert decode(data, declared="ISO-8859-5") == "Ђорђе"


@pytest.mark.parametrize("declared", ["no-such-encoding", "unicode_escape", "utf-16", "", "hex"])
def test_a_false_declaration_is_ignored(declared: str) -> None:
    assert decode("Prüfung".encode("cp1252"), declared=declared) == "Prüfung"


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)),
        b"\x7fELF\x02\x01\x01\x00\x00\x00",
        b"words\x00words",
        "words \x00 words".encode("utf-16"),
        b"\x01\x02\x03\x04 ab",
        os.urandom(4096),
    ],
)
def test_binary_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="binary, not text"):
        decode(data)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufeff")))
def test_utf8_comes_back_as_it_was(text: str) -> None:
    assert decode(text.encode("utf-8")) == text


@given(PARAGRAPHS, st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_is_written_comes_back(paragraphs: list[list[str]], end: str) -> None:
    """The text is unchanged, every paragraph's words are in blocks, none reaches over two."""
    text, ends = "", []
    for lines in paragraphs:
        text += end.join(lines)
        ends.append(len(text.rstrip()))
        text += end * 2
    document = read_text(text)
    assert document.text == text
    assert {block.end for block in document.blocks}.issuperset(ends)


@given(st.text())
def test_any_text_gives_a_valid_document(text: str) -> None:
    document = read_text(text)
    assert document.text == text
    assert bool(document.blocks) == bool(text.strip())


def test_line_ends_stay_and_hard_wrapped_lines_are_one_paragraph() -> None:
    document = read_text("The lift is\r\ninspected yearly.\r\n\r\nThe stairs are not.\r\n")
    assert blocks(document) == [
        ("paragraph", "The lift is\r\ninspected yearly."),
        ("paragraph", "The stairs are not."),
    ]


def test_headings_by_number_capitals_and_underline() -> None:
    document = read_text(
        "Lift policy\n===========\n\n1. Scope\n\nAll lifts.\n\n1.1 Goods lifts\n\nThose too.\n\n"
        "Article 2 Duties\n\nThe owner pays.\n\nEMERGENCIES\n\nCall the desk.\n"
    )
    assert [
        (block.level, block.headings, text_of(document, block).split("\n")[0])
        for block in document.blocks
        if block.kind is BlockKind.HEADING
    ] == [
        (1, (), "Lift policy"),
        (2, ("Lift policy",), "1. Scope"),
        (3, ("Lift policy", "1. Scope"), "1.1 Goods lifts"),
        (2, ("Lift policy",), "Article 2 Duties"),
        (2, ("Lift policy",), "EMERGENCIES"),
    ]
    assert document.blocks[-1].headings == ("Lift policy", "EMERGENCIES")
    assert document.title == "Lift policy"


def test_a_few_words_alone_above_a_list_or_long_text_are_a_heading() -> None:
    document = read_text(
        "First aid\n\nLeaflet 4, May 2024\n\n1. Burns\n\nWhat not to do\n\n- Use ice.\n- Panic.\n\n"
        "Help\n\n" + "Boxes hang on every floor. " * 5 + "\n\nAnn Lee\n\nThank you."
    )
    assert [(block.level, block.headings) for block in document.blocks] == [
        (1, ()),
        (0, ("First aid",)),
        (2, ("First aid",)),
        (3, ("First aid", "1. Burns")),
        (1, ("First aid", "1. Burns", "What not to do")),
        (1, ("First aid", "1. Burns", "What not to do")),
        (3, ("First aid", "1. Burns")),
        (0, ("First aid", "1. Burns", "Help")),
        (0, ("First aid", "1. Burns", "Help")),
        (0, ("First aid", "1. Burns", "Help")),
    ]


def test_lines_that_were_ended_on_purpose_stand_for_themselves() -> None:
    """A recipe's lines are items; lines that a program wrapped are one paragraph."""
    recipe = read_text("You need:\n\n120 g pearl barley\n3 leeks (about 600 g)\n2 carrots\nsalt")
    assert [block.context for block in recipe.blocks[1:]] == ["You need:"] * 4
    assert blocks(recipe)[1:] == [
        ("item", "120 g pearl barley"),
        ("item", "3 leeks (about 600 g)"),
        ("item", "2 carrots"),
        ("item", "salt"),
    ]
    wrapped = textwrap.fill("The lift is inspected once a year, and so are the stairs. " * 4, 40)
    assert blocks(read_text(wrapped)) == [("paragraph", wrapped)]


@pytest.mark.parametrize(
    "line",
    [
        "3.2 million people use it",  # a number in prose
        "2024 was a good year.",  # ends as a sentence does
        "THE OWNER PAYS.",
        "12 March 2024",  # a date
        "SEE THE LIST OF ALL THE LIFTS IN ALL THE BUILDINGS OF THE CITY AND ITS SURROUNDINGS, TOO",
    ],
)
def test_lines_that_are_no_headings(line: str) -> None:
    document = read_text(f"Some text first, to be sure.\n\n{line}\n\nMore text follows.")
    assert blocks(document)[1] == ("paragraph", line)


def test_the_last_line_is_no_heading() -> None:
    assert blocks(read_text("Text first, then.\n\nTHE END"))[1] == ("paragraph", "THE END")


def test_items_know_their_lead_in_and_level() -> None:
    document = read_text(
        "It is kept. Every lift is inspected by:\n\n- the maintainer, who checks\n"
        "  the ropes and:\n"
        "  * the doors\n  * the brake\n- an expert\n\nOther text.\n- one dash alone is prose"
    )
    assert [
        (block.level, block.context, text_of(document, block))
        for block in document.blocks
        if block.kind is BlockKind.ITEM
    ] == [
        (
            1,
            "Every lift is inspected by:",
            "- the maintainer, who checks\n  the ropes and:",
        ),
        (2, "the maintainer, who checks the ropes and:", "* the doors"),
        (2, "the maintainer, who checks the ropes and:", "* the brake"),
        (1, "Every lift is inspected by:", "- an expert"),
    ]
    assert blocks(document)[-1] == ("paragraph", "Other text.\n- one dash alone is prose")


def test_steps_with_blank_lines_between_are_items_not_headings() -> None:
    document = read_text("Do this now:\n\n1. Close the valve\n\n2. Wait\n\n3. Open it\n\nDone.")
    assert [kind for kind, _ in blocks(document)] == ["paragraph", *["item"] * 3, "paragraph"]


def test_turns_of_a_talk_and_log_entries_stand_for_themselves() -> None:
    talk = read_text("Ms. Ito: We begin. And\nso do you.\nMr. Lund: I agree.\nMs. Ito: Good.")
    assert [text for _, text in blocks(talk)] == [
        "Ms. Ito: We begin. And\nso do you.",
        "Mr. Lund: I agree.",
        "Ms. Ito: Good.",
    ]
    log = read_text("2024-01-01 10:00:00 started\n2024-01-01 10:00:05 failed\n  at step 3\n")
    assert [text for _, text in blocks(log)] == [
        "2024-01-01 10:00:00 started",
        "2024-01-01 10:00:05 failed\n  at step 3",
    ]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Lift policy\n\nAll lifts are inspected.", "Lift policy"),
        ("Lift policy\nVersion 2\n\nAll lifts are inspected.", "Lift policy"),
        ("3 May 2021\n\nLift policy\n\nAll lifts.", "Lift policy"),
        ("From: Ann Lee\nSubject: no\n\nText.", ""),
        ("Subject: New lifts\nFrom: Ann Lee\n\nText.", "New lifts"),
        ("All lifts are inspected.\n\nMore.", ""),
        ("Date:\n3 May 2021\n\nAll lifts are inspected.", ""),
        ("1. Scope\n\nAll lifts are inspected.", ""),
        ("- a list\n- only\n", ""),
    ],
)
def test_title(text: str, title: str) -> None:
    assert read_text(text).title == title


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Date: 2024-03-01", "2024-03-01"),
        ("Date Publish: \nFriday, August 21, 2015\n\nThe group met.", "2015-08-21"),
        ("Minutes\n12 March 2024, 10:00\n", "2024-03-12"),
        ("Last updated: 3.5.2021", "2021-05-03"),
        ("Geneva, 3 May 2021", "2021-05-03"),
        ("Minutes of the meeting of 1st of June, 2020", "2020-06-01"),
        ("Date: Mon, 4 Mar 2024 10:00:00 +0100", "2024-03-04"),
        ("**Published:** 2024-01-02T10:00:00Z", "2024-01-02"),
        ("The meeting was held on 3 May 2021 in Porto.", None),
        ("2024-05-01 12:00:01 INFO started", None),
        ("Date: 31 February 2020", None),
        ("Date: 03/04/2024", None),
        ("Phone: 12.12.20245", None),
        ("line\n" * 20 + "Date: 2024-03-01", None),
    ],
)
def test_find_date(text: str, day: str | None) -> None:
    assert find_date(text) == day


@given(st.dates(date(1000, 1, 1), date(2199, 12, 31)), st.booleans())
def test_a_date_in_words_or_figures_comes_back(day: date, in_words: bool) -> None:
    months = "January February March April May June July August September October November December"
    month = months.split()[day.month - 1]
    written = f"{day.day} {month} {day.year}" if in_words else f"{day.day}.{day.month}.{day.year}"
    assert parse_date(f"Signed on {written}, in Porto") == day.isoformat()


@given(st.text())
def test_dates_in_any_text_exist(text: str) -> None:
    day = find_date(text)
    assert day is None or date.fromisoformat(day).isoformat() == day


def test_the_press_release_reads_as_people_read_it() -> None:
    data = Path(os.environ.get("QUOTH_EVAL_DATA", Path(__file__).parents[4] / "shared/eval"))
    path = data / "press" / "000_press_release.txt"
    if not path.exists():
        pytest.skip(f"no evaluation data at {data}")
    document = read_document(path)
    assert (document.title, document.date, document.language) == ("", "2015-08-21", "en")
    assert len(document.blocks) == 10
    assert {block.kind for block in document.blocks} == {BlockKind.PARAGRAPH}
