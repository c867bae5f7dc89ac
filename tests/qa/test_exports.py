"""Exports and copies: the words come back exactly, and a page of them can do nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import html
from markdown_it import MarkdownIt
from small import new_library, write

from index import Filter, Library
from index.types import Citation, DocumentInfo, Span
from qa import Answer, Chat, Disagreement, Passage, Quote
from qa.export import (
    ExportedTurn,
    conversation_to_html,
    conversation_to_json,
    conversation_to_markdown,
    copy_answer,
    copy_conversation,
    copy_line,
    export,
    export_name,
)
from qa.visible import file_name, one_line

HASH = "cd" * 32
MADE = "2026-05-02T09:30:00+00:00"
HOSTILE = (
    "</p></blockquote><script>alert(1)</script><img src=x onerror=alert(1)> ![x](http://evil.example"
    "/x.png) [a](javascript:alert(1)) **b** `c` ${7*7} &lt; \x1b[2J \u202egpj </style></title>"
)
LIFT = "The lift is inspected every six months."


def document(path: str = "house/policy.pdf", **fields: Any) -> DocumentInfo:  # noqa: ANN401
    known: dict[str, Any] = {
        "id": 7, "source": 1, "path": path, "file": Path("/srv/secret") / "policy.pdf",
        "title": "Lift policy", "type": "pdf", "date": "2024-03-01", "language": "en",
        "text_hash": HASH, "characters": 5000, "sentences": 40, "pages": 14, "blank_pages": (),
        "indexed_at": "2026-05-01T12:00:00Z",
    }  # fmt: skip
    return DocumentInfo(**known | fields)


def quote(
    text: str = LIFT,
    *,
    of: DocumentInfo | None = None,
    headings: tuple[str, ...] = ("Lift policy", "3.2 Inspections"),
    page: int | None = 12,
    start: int = 100,
    **fields: Any,  # noqa: ANN401
) -> Quote:
    of = of or document()
    end = start + len(text)
    citation = Citation(of.id, of.path, of.title, start, end, HASH, page=page, headings=headings)
    return Quote(
        document=of, start=start, end=end, text=text, citation=citation, score=0.8, **fields
    )


def answer(*quotes: Quote, question: str = "How often?", **fields: Any) -> Answer:  # noqa: ANN401
    known: dict[str, Any] = {"searched_for": question, "confidence": 0.75, "generation": 3}
    return Answer(question=question, quotes=quotes, **known | fields)


def turn(given: Answer, **fields: Any) -> ExportedTurn:  # noqa: ANN401
    return ExportedTurn(question=given.question, asked_at=MADE, answer=given, **fields)


def disagreeing() -> Answer:
    old = document("house/old.md", id=8, date="2021-06-01", title="Old lift policy")
    first = quote(short=Span(122, 138))
    second = quote("It is inspected every year.", of=old, page=None, start=40, short=Span(56, 66))
    return answer(first, second, disagreements=(Disagreement(first, second, "the lift"),))


def abstaining(text: str = "Nobody knows.\n\nReally.") -> Answer:
    info = document()
    citation = Citation(7, info.path, info.title, 5, 5 + len(text), HASH, page=1)
    near = Passage(
        document=info, start=5, end=5 + len(text), text=text, score=0.2, sentences=(),
        citation=citation,
    )  # fmt: skip
    return answer(abstained=True, missing_words=("zebra",), nearest=(near,))


texts = st.text(min_size=1, max_size=80).filter(lambda text: one_line(text) != "")
markup = st.text(alphabet="<>&\"'/=#*_`[]()!|~-+.:\\$ 1ab\n\u202e\x1b", min_size=1, max_size=40)
words = st.one_of(texts, markup.filter(lambda text: one_line(text) != ""))


# -- a real library -------------------------------------------------------------------------------


@pytest.fixture
def asked(folder: Path, tmp_path: Path) -> Iterator[tuple[Library, list[ExportedTurn]]]:
    write(folder, {"odd <b>.md": "# 1 Odd *things*\n\nThe caretaker & the <lift> cost 5 % more.\n"})
    with new_library(tmp_path / "house.quoth", folder) as library:
        chat = Chat(library)
        questions = ("How often is the lift inspected?", "What does the caretaker cost?", "zebra?")
        yield library, [turn(chat.ask(question)) for question in questions]


def test_every_quote_of_the_json_can_be_checked_again(
    asked: tuple[Library, list[ExportedTurn]],
) -> None:
    """With nothing but what the file says: number, hash, span and text."""
    library, turns = asked
    plain = json.loads(conversation_to_json("House", turns))
    quotes = [each for row in plain["turns"] for each in row["answer"]["quotes"]]
    assert quotes
    for each in quotes:
        text = library.text(each["document"])
        assert hashlib.sha256(text.encode()).hexdigest() == each["text_hash"]
        assert text[each["start"] : each["end"]] == each["text"]


def test_the_formats_hold_every_quote_of_a_real_conversation(
    asked: tuple[Library, list[ExportedTurn]],
) -> None:
    _, turns = asked
    page = html.document_fromstring(conversation_to_html("House", turns).encode())
    shown = " ".join(str(page.xpath("string()")).split())
    for row in turns:
        assert row.answer
        for each in row.answer.quotes:
            assert f"“{one_line(each.text)}”" in shown


# -- JSON -----------------------------------------------------------------------------------------


def test_json_has_a_version_and_all_that_was_asked_and_found() -> None:
    where = Filter(folder="house", documents=frozenset({7, 8}))
    asked = turn(disagreeing(), lost=1, where=where)
    plain = json.loads(conversation_to_json("Lifts", [asked], made_at=MADE))
    assert (plain["quoth"], plain["title"], plain["exported_at"]) == (1, "Lifts", MADE)
    row = plain["turns"][0]
    assert (row["question"], row["asked_at"], row["lost"]) == ("How often?", MADE, 1)
    assert row["where"]["documents"] == [7, 8]
    found = row["answer"]["quotes"][0]
    assert found["short"] == {"start": 122, "end": 138, "text": "every six months"}
    assert (found["path"], found["page"], found["number"]) == ("house/policy.pdf", 12, 1)
    assert found["ref"] == f"7-{HASH[:12]}/100-139"
    assert row["answer"]["disagreements"][0]["second"]["text"] == "It is inspected every year."
    assert {each["id"] for each in plain["documents"]} == {7, 8}


def test_json_does_not_tell_where_files_lie_on_this_machine() -> None:
    assert "secret" not in conversation_to_json("", [turn(disagreeing())])


@given(words)
@example(HOSTILE)
@example("\ud800 lone")
def test_json_gives_back_the_exact_text(text: str) -> None:
    written = conversation_to_json(text, [turn(answer(quote(text), question=text))])
    plain = json.loads(written.encode("utf-8"))
    assert plain["title"] == plain["turns"][0]["question"] == text
    assert plain["turns"][0]["answer"]["quotes"][0]["text"] == text
    assert not {*written} & {*"\x1b\x9b\u202e\u2028"}


# -- HTML -----------------------------------------------------------------------------------------

ELEMENTS = frozenset(
    "html head meta title style body header main footer section h1 h2 p ul li div figure "
    "figcaption blockquote mark cite bdi span br table thead tbody tr th td".split()
)
ATTRIBUTES = frozenset(
    "lang charset http-equiv content name class dir scope".split()
)  # no href, src, style or on…


def parsed(page: str) -> html.HtmlElement:
    root = html.document_fromstring(page.encode("utf-8"))
    for element in root.iter():
        assert element.tag in ELEMENTS, element.tag
        assert ATTRIBUTES.issuperset(element.attrib), element.attrib
    return root


def spoken(root: html.HtmlElement, path: str) -> list[str]:
    return ["".join(each.itertext()) for each in root.xpath(path)]


@given(words)
@example(HOSTILE)
@example("\ud800 lone")
def test_html_shows_the_words_and_nothing_acts(text: str) -> None:
    info = document(text, title=text, language='x" onload="')
    also = Citation(9, text, text, 1, 2, HASH, headings=(text,))
    said = quote(text, of=info, headings=(text, "b"), context=text, also_at=(also,))
    turns = [
        turn(answer(said, question=text, searched_for=f"{text}!", notice=text)),
        turn(abstaining(text), problem=text, where=Filter(folder=text)),
    ]
    root = parsed(conversation_to_html(text, turns))
    line = one_line(text)
    assert spoken(root, "//h1") == [line]
    assert spoken(root, "//section[1]//blockquote") == [f"“{line}”"]
    assert spoken(root, "//section[1]//figure/p") == [line]
    assert spoken(root, "//section[1]//figcaption//cite") == [file_name(text)] * 2


def test_the_page_loads_nothing_by_its_own_policy() -> None:
    page = conversation_to_html("Lifts", [turn(disagreeing())], made_at=MADE)
    root = parsed(page)
    policy = root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert "url(" not in page
    assert "@import" not in page
    assert "://" not in page


def test_html_sets_sides_that_disagree_beside_each_other_with_their_dates() -> None:
    root = parsed(conversation_to_html("Lifts", [turn(disagreeing())], made_at=MADE))
    lead = (
        "The documents disagree about the lift: “every six months” [1] (policy.pdf, 1 March 2024)"
    )
    assert spoken(root, "//p[@class='lead']")[0].startswith(lead)
    sides = spoken(root, "//div[@class='sides']/figure")
    assert "“The lift is inspected every six months.”" in sides[0]
    assert "[1] house/policy.pdf · p. 12 · 3.2 Inspections" in sides[0]
    assert "dated 1 March 2024 · characters 100–139" in sides[0]
    assert "dated 1 June 2021" in sides[1]
    assert len(root.xpath("//blockquote")) == 2, "a quote that disagrees is not shown twice"
    assert spoken(root, "//mark") == ["every six months", "every year"]


def test_html_says_which_state_when_and_how_to_check() -> None:
    turns = [turn(disagreeing()), turn(replace(abstaining(), generation=5))]
    root = parsed(conversation_to_html("", turns, made_at=MADE))
    assert spoken(root, "//h1") == ["How often?"]
    assert spoken(root, "//header//li") == [
        "Exported by Quoth on 2 May 2026, 09:30 UTC",
        "2 questions",
        "states 3 to 5 of the library",
    ]
    assert spoken(root, "//td[@class='hash']") == [HASH, HASH]
    assert "How to check this" in spoken(root, "//footer/h2")


def test_html_of_an_abstention_names_what_is_missing_and_what_is_near() -> None:
    root = parsed(conversation_to_html("", [turn(abstaining())]))
    said = spoken(root, "//div[@class='abstained']/p")
    assert said[:2] == ["The documents do not say.", "No document has the word “zebra”."]
    assert spoken(root, "//figure[@class='near']/blockquote/p") == ["Nobody knows.", "Really."]


def test_html_of_no_turn_is_a_page_too() -> None:
    assert spoken(parsed(conversation_to_html("", [])), "//main/p") == ["Nothing was asked."]


# -- Markdown -------------------------------------------------------------------------------------


def rendered(markdown: str) -> list[str]:
    """Return the text of each block, with all extensions that could act switched on."""
    blocks: list[str] = []
    for token in MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(markdown):
        assert not token.type.startswith(("html", "fence", "code", "table", "hr")), token
        if token.type == "inline":
            allowed = ("text", "softbreak", "strong_open", "strong_close", "em_open", "em_close")
            assert all(child.type in allowed for child in token.children or ())
            blocks.append("".join(child.content for child in token.children or ()))
    return blocks


@given(words)
@example(HOSTILE)
@example("\ud800 lone")
def test_markdown_shows_the_words_and_nothing_acts(text: str) -> None:
    info = document(text, title=text)
    said = quote(text, of=info, headings=(text,), context=text)
    turns = [
        turn(answer(said, question=text, searched_for=f"{text}!")),
        turn(abstaining(text), problem=text),
    ]
    blocks = rendered(conversation_to_markdown(text, turns))
    line = one_line(text)
    assert blocks[0] == line
    assert f"{line} [1]" in blocks
    assert blocks.count(line) >= 5  # title, question, context, problem, nearest passage


def test_markdown_says_where_when_and_how_to_check() -> None:
    asked = turn(disagreeing(), lost=2, where=Filter(after="2020-01-01"))
    blocks = rendered(conversation_to_markdown("Lifts", [asked], made_at=MADE))
    assert blocks[1] == "Exported by Quoth on 2 May 2026, 09:30 UTC · state 3 of the library"
    assert blocks[3] == (
        "Asked 2 May 2026, 09:30 UTC · Searched only in: documents dated 1 January 2020 or later"
    )
    assert (
        "[1] house/policy.pdf · p. 12 · 3.2 Inspections · dated 1 March 2024 · characters 100–139"
    ) in blocks
    assert any(block.endswith(f"SHA-256 of the text: {HASH}") for block in blocks)
    assert any(block.startswith("2 quotes are left out") for block in blocks)


# -- copies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (quote(), f'"{LIFT}" (policy.pdf, p. 12, § 3.2)'),
        (quote(page=None, headings=()), f'"{LIFT}" (policy.pdf)'),
        (quote(headings=("Costs",)), f'"{LIFT}" (policy.pdf, p. 12, Costs)'),
        (quote(headings=("7 Costs",)), f'"{LIFT}" (policy.pdf, p. 12, § 7)'),
        (quote(headings=("§ 4a Costs",)), f'"{LIFT}" (policy.pdf, p. 12, § 4a)'),
        (quote(headings=("B.2 Costs",)), f'"{LIFT}" (policy.pdf, p. 12, § B.2)'),
        (quote(headings=("5) costs",)), f'"{LIFT}" (policy.pdf, p. 12, § 5)'),
        (quote(headings=("2024 results",)), f'"{LIFT}" (policy.pdf, p. 12, 2024 results)'),
        (quote(headings=("24 hours open",)), f'"{LIFT}" (policy.pdf, p. 12, 24 hours open)'),
        (quote("He said “no”."), '"He said “no”." (policy.pdf, p. 12, § 3.2)'),
        (quote('He said "no".'), '“He said "no".” (policy.pdf, p. 12, § 3.2)'),
        (quote("“No.”"), "“No.” (policy.pdf, p. 12, § 3.2)"),
        (quote("“No” and “yes”"), '"“No” and “yes”" (policy.pdf, p. 12, § 3.2)'),
        (quote("two\n lines\t\x1b[2J"), '"two lines ␛[2J" (policy.pdf, p. 12, § 3.2)'),
        (quote("abc\u202efdp"), '"abc‹U+202E›fdp" (policy.pdf, p. 12, § 3.2)'),
    ],
)
def test_a_copied_quote_says_where_it_stands(made: Quote, line: str) -> None:
    assert copy_line(made) == line


def test_a_long_heading_is_cut_between_words() -> None:
    line = copy_line(quote(headings=("word " * 40,)))
    assert line.endswith("word word …)")
    assert len(line) < len(LIFT) + 120


@given(words)
def test_a_copied_sentence_is_one_line_and_word_for_word(text: str) -> None:
    line = copy_line(quote(text))
    assert one_line(text) in line
    assert len(line.splitlines()) <= 1 + sum(one_line(text).count(mark) for mark in "\x1c\x1d\x1e")


def test_a_copied_answer_has_numbers_where_a_sentence_names_them() -> None:
    lines = copy_answer(disagreeing()).split("\n")
    assert lines[0] == f'[1] "{LIFT}" (policy.pdf, p. 12, § 3.2)'
    assert lines[1] == '[2] "It is inspected every year." (old.md, § 3.2)'
    assert lines[2].startswith("The documents disagree about the lift")
    assert copy_answer(answer(quote())) == copy_line(quote())


def test_a_copied_conversation_has_every_question() -> None:
    turns = [
        turn(answer(quote())),
        turn(abstaining()),
        ExportedTurn(question="?", problem="Too short."),
    ]
    assert copy_conversation(turns) == (
        f'How often?\n"{LIFT}" (policy.pdf, p. 12, § 3.2)\n\n'
        "How often?\nThe documents do not say.\nNo document has the word “zebra”.\n\n"
        "?\nToo short."
    )


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("How often are the lifts inspected?", "quoth-how-often-are-the-lifts-inspected.md"),
        ("Café “Lime Pit”", "quoth-cafe-lime-pit.md"),
        ("../../etc/passwd\x00\n", "quoth-etc-passwd.md"),
        ("\u202egpj.exe", "quoth-gpj-exe.md"),
        ("مصعد", "quoth-conversation.md"),
        ("", "quoth-conversation.md"),
        ("tenant's", "quoth-tenants.md"),
    ],
)
def test_the_name_of_a_file_is_plain(title: str, name: str) -> None:
    assert export_name(title, "markdown") == name


@given(st.text(max_size=300))
def test_the_name_of_a_file_is_short_and_ascii(title: str) -> None:
    name = export_name(title, "html")
    assert name.isascii()
    assert len(name) <= 72
    assert not {*name} & {*'/\\:*?"<>|\n\r\0 '}


def test_a_file_has_name_type_and_bytes() -> None:
    file = export("", [turn(answer(quote()))], "html")
    assert (file.name, file.media_type) == ("quoth-how-often.html", "text/html; charset=utf-8")
    assert file.body.startswith(b"<!DOCTYPE html>")
    assert json.loads(export("a", [], "json").body)["turns"] == []
    assert export("a", [], "markdown").body.startswith(b"# a\n")
