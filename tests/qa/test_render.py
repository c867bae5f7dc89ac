"""Answers as text, Markdown, HTML and JSON: the words stay the words and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from index.reports import DocumentHits, FindResult, Hit, Skip, Source, Status, SyncReport
from index.types import Citation, DocumentInfo, Span
from qa.lines import find_lines, report_lines, status_lines, to_text
from qa.render import (
    answer_to_dict,
    answer_to_html,
    answer_to_markdown,
    answer_to_text,
    escape_markdown,
    passages_to_text,
    to_json,
)
from qa.types import Answer, Disagreement, Passage, Quote, ScoredSentence
from qa.visible import long_date, one_line, split_short, visible

# Renderers that look for bare addresses must find none; markdown-it does where it can.
LINKIFY = find_spec("linkify_it") is not None
HASH = "ab" * 32
LIFT = "The lift is inspected every six months by a certified engineer."
HOSTILE = (
    "# <script>alert(1)</script> ![x](http://evil.example/x.png) [a](javascript:alert(1)) "
    "`code` **bold** _it_ &lt; <https://evil.example> www.evil.example | a | $x$ \x1b[2J \u202egpj"
)


def make_document(
    path: str = "house/lift.pdf", *, number: int = 7, date: str | None = None
) -> DocumentInfo:
    return DocumentInfo(
        id=number,
        source=1,
        path=path,
        file=Path("/srv") / path,
        title="Lift maintenance",
        type="pdf",
        date=date,
        language="en",
        text_hash=HASH,
        characters=5000,
        sentences=40,
        pages=4,
        blank_pages=(),
        indexed_at="2026-05-01T12:00:00Z",
    )


def make_citation(document: DocumentInfo, start: int, end: int) -> Citation:
    return Citation(
        document.id,
        document.path,
        document.title,
        start,
        end,
        HASH,
        page=3,
        headings=("Policy", "Inspection"),
    )


def make_quote(
    text: str = LIFT,
    short: tuple[int, int] | None = None,
    *,
    document: DocumentInfo | None = None,
    context: str = "",
    also_at: tuple[Citation, ...] = (),
) -> Quote:
    document = document or make_document()
    return Quote(
        document=document,
        start=100,
        end=100 + len(text),
        text=text,
        citation=make_citation(document, 100, 100 + len(text)),
        score=0.8123,
        short=Span(100 + short[0], 100 + short[1]) if short else None,
        context=context,
        also_at=also_at,
    )


def make_passage(text: str = LIFT) -> Passage:
    document = make_document()
    return Passage(
        document=document,
        start=100,
        end=100 + len(text),
        text=text,
        score=0.5,
        sentences=(ScoredSentence(100, 100 + len(text), text, 0.5, short=Span(100, 101)),),
        citation=make_citation(document, 100, 100 + len(text)),
        why=("matches lift", "close in meaning"),
    )


def make_answer(*quotes: Quote, **fields: Any) -> Answer:  # noqa: ANN401
    question = fields.pop("question", "How often is the lift inspected?")
    return Answer(
        question=question,
        searched_for=fields.pop("searched_for", question),
        quotes=quotes,
        confidence=0.75,
        generation=3,
        **fields,
    )


def rendered_markdown(markdown: str) -> str:
    """Return what a reader of the Markdown sees, with every extension on that could act."""
    shown: list[str] = []
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": LINKIFY})
    for token in parser.parse(markdown):
        for child in token.children or ():
            assert child.type in ("text", "softbreak", "strong_open", "strong_close"), child
            shown.append(child.content)
    return "".join(shown)


short_spans = st.tuples(st.integers(0, 40), st.integers(1, 20))
texts = st.text(min_size=1, max_size=80).filter(lambda text: one_line(text).strip() != "")
markup = st.text(
    alphabet="#*_`[]()<>!|~-+=.:/@&\\$ 1ab\n\t{}^w'\"", min_size=1, max_size=40
).filter(lambda text: one_line(text) != "")


@given(st.one_of(texts, markup))
@example(HOSTILE)
@example("1. not a list")
@example("2) nor this")
@example("- nor this")
@example("=")
@example("---")
@example("\thttp://evil.example and me@evil.example")
@example("a\\")
@example("    four spaces are no code")
@example("~~~\nfence")
def test_escaped_markdown_shows_the_text_and_nothing_else(text: str) -> None:
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": LINKIFY}).parse(escape_markdown(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert rendered_markdown(escape_markdown(text)) == one_line(text)


@given(st.one_of(texts, markup))
def test_escaped_markdown_is_safe_after_other_words(text: str) -> None:
    shown = f"Words {one_line(text)}".rstrip(" ")
    assert rendered_markdown(f"Words {escape_markdown(text)}") == shown


@given(st.one_of(texts, markup), short_spans)
@example("a(b)c", (1, 3))
@example("pay £ 5 , now", (3, 4))
@example("*bold* already", (0, 6))
@example("is\n\nevery six  months.", (2, 12))
def test_markdown_of_an_answer_shows_the_whole_quote(text: str, span: tuple[int, int]) -> None:
    """Whatever the words are and wherever the short answer lies in them."""
    start = min(span[0], len(text) - 1)
    quote = make_quote(text, (start, min(start + span[1], len(text))))
    first = answer_to_markdown(make_answer(quote)).split("\n")[0]
    assert rendered_markdown(first) == f"{one_line(text)} [1]".strip(" ")


@given(st.one_of(texts, markup), short_spans)
def test_the_parts_of_a_quote_join_to_its_line(text: str, span: tuple[int, int]) -> None:
    start = min(span[0], len(text) - 1)
    split = split_short(make_quote(text, (start, min(start + span[1], len(text)))))
    assert str(split) == one_line(text)
    assert split.short == split.short.strip(" ")


def test_markdown_marks_the_short_answer_and_cites() -> None:
    other = make_citation(make_document("b.pdf", number=8), 5, 9)
    quote = make_quote(
        short=(22, 38), context="Maintenance plan", also_at=(other,), document=make_document("a.md")
    )
    assert answer_to_markdown(make_answer(quote)) == (
        "> *Maintenance plan*\n"
        ">\n"
        "> The lift is inspected **every six months** by a certified engineer. \\[1\\]\n"
        ">\n"
        "> \\[1\\] a\\.md · p. 3 · Inspection (also in b\\.pdf · p. 3 · Inspection)\n"
    )


@pytest.mark.parametrize("text", [HOSTILE, "</mark></p><img src=x onerror=alert(1)>", '" onload="'])
def test_html_of_an_answer_has_only_our_tags(text: str) -> None:
    class Tags(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.seen: set[str] = set()
            self.names: set[str] = set()
            self.words = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.seen.add(tag)
            self.names |= {name for name, _ in attrs}

        def handle_data(self, data: str) -> None:
            self.words += data

    document = make_document(f"{text}.pdf")
    answer = make_answer(
        make_quote(text, (0, 3), document=document, context=text),
        searched_for=text,
        disagreements=(Disagreement(make_quote(text), make_quote(), text),),
        notice=text,
    )
    tags = Tags()
    tags.feed(answer_to_html(answer))
    assert tags.seen == {"div", "p", "blockquote", "mark", "footer", "cite"}
    assert tags.names == {"class", "dir", "data-ref"}
    assert one_line(text) in tags.words


def test_text_numbers_the_quotes_and_cites_them() -> None:
    answer = make_answer(
        make_quote(),
        make_quote("Price: 40\tEUR", context="Item | Price"),
        question="And how often?",
        searched_for="How often is the lift inspected?",
    )
    assert answer_to_text(answer) == (
        "Searched for: How often is the lift inspected?\n"
        "\n"
        "[1] The lift is inspected every six months by a certified engineer.\n"
        "    house/lift.pdf · p. 3 · Inspection\n"
        "\n"
        "[2] Item | Price\n"
        "    Price: 40 EUR\n"
        "    house/lift.pdf · p. 3 · Inspection"
    )


def test_text_of_an_abstention_says_so_and_names_missing_words() -> None:
    answer = make_answer(abstained=True, missing_words=("fax", "telex"), nearest=(make_passage(),))
    assert answer_to_text(answer) == (
        "The documents do not say.\n"
        "No document has the words “fax”, “telex”.\n"
        "\n"
        "The nearest passages, which are not an answer:\n"
        "\n"
        "  – The lift is inspected every six months by a certified engineer.\n"
        "    house/lift.pdf · p. 3 · Inspection"
    )


LEASE = make_document("a/lease.pdf", date="2021-05-03")
CHANGE = make_document("a/amendment.docx", number=8, date="2024-03-01")


def disagreement_of(old: Quote, new: Quote) -> str:
    """Return the sentence that all outputs have."""
    answer = make_answer(old, new, disagreements=(Disagreement(old, new, "the notice period"),))
    sentence = answer_to_text(answer).splitlines()[-1]
    assert rendered_markdown(answer_to_markdown(answer).splitlines()[-1]) == sentence
    assert sentence in answer_to_html(answer)
    return sentence


def test_a_disagreement_names_both_sides_with_words_document_and_date() -> None:
    old = make_quote("The notice period is 30 days.", (21, 28), document=LEASE)
    new = make_quote("The notice period\n is  60 days.", (23, 30), document=CHANGE)
    assert disagreement_of(old, new) == (
        "The documents disagree about the notice period: “30 days” [1] (lease.pdf, 3 May 2021) "
        "against “60 days” [2] (amendment.docx, 1 March 2024)."
    )


def test_a_disagreement_finds_its_words_where_no_answer_is_marked() -> None:
    old = make_quote("The notice period is 30 days.", document=LEASE)
    new = make_quote("The notice period is 60 days.", document=make_document("b.md", number=9))
    assert disagreement_of(old, new) == (
        "The documents disagree about the notice period: “30 days” [1] (lease.pdf, 3 May 2021) "
        "against “60 days” [2] (b.md)."
    )


def test_a_disagreement_names_the_cells_of_two_rows() -> None:
    header = "Lift | Visit | Examination"
    old = make_quote("Lift 2 | every 8 weeks | every 6 months", document=LEASE, context=header)
    new = make_quote("Lift 2 | every 4 weeks | every 6 months", document=CHANGE, context=header)
    assert "“every 8 weeks” [1]" in disagreement_of(old, new)
    assert "“every 4 weeks” [2]" in disagreement_of(old, new)


def test_a_negation_is_shown_by_its_quotes() -> None:
    old = make_quote("Dogs are allowed.", document=LEASE)
    new = make_quote("Dogs are not allowed.", document=make_document("b/lease.pdf", number=9))
    assert disagreement_of(old, new) == (
        "The documents disagree about the notice period: [1] (a/lease.pdf, 3 May 2021) "
        "against [2] (b/lease.pdf)."
    )


def test_one_document_that_disagrees_with_itself_names_the_places() -> None:
    old = make_quote("The notice period is 30 days.", document=LEASE)
    new = replace(make_quote("The notice period is 60 days.", document=LEASE), start=300, end=329)
    assert disagreement_of(old, new) == (
        "The document disagrees with itself about the notice period: "
        "“30 days” [1] (p. 3 · Inspection) against “60 days” [2] (p. 3 · Inspection)."
    )


def test_a_side_that_is_no_quote_of_the_answer_is_quoted_whole() -> None:
    old = make_quote("The notice period is 30 days.", document=LEASE)
    new = make_quote("The notice period is 60 days.", document=CHANGE)
    answer = make_answer(old, disagreements=(Disagreement(old, new, ""),))
    assert answer_to_text(answer).splitlines()[-1] == (
        "The documents disagree: “30 days” [1] (lease.pdf, 3 May 2021) against "
        "“The notice period is 60 days.” (amendment.docx, 1 March 2024)."
    )


def test_what_decides_a_question_is_said_to_and_no_yes_is_invented() -> None:
    answer = make_answer(make_quote(), decides=True)
    assert answer_to_text(answer).splitlines()[:2] == [
        "This decides it:",
        "[1] The lift is inspected every six months by a certified engineer.",
    ]
    assert answer_to_markdown(answer).startswith("*This decides it:*\n\n> The lift")
    assert '<p class="quoth-decides" dir="auto">This decides it:</p>' in answer_to_html(answer)
    assert answer_to_dict(answer)["decides"] is True


def test_nothing_decides_where_documents_disagree() -> None:
    old = make_quote("Dogs are allowed.", document=LEASE)
    new = make_quote("Dogs are not allowed.", document=CHANGE)
    pair = (Disagreement(old, new, "dogs"),)
    answer = make_answer(old, new, decides=True, disagreements=pair)
    assert "decides" not in answer_to_text(answer)
    assert "decides" not in answer_to_text(make_answer(decides=True, abstained=True))


@pytest.mark.parametrize(
    ("day", "shown"),
    [("2021-05-03", "3 May 2021"), ("2024-12-31", "31 December 2024"), ("May\n2021", "May 2021")],
)
def test_a_day_is_shown_for_people(day: str, shown: str) -> None:
    assert long_date(day) == shown


def test_a_notice_is_shown_line_by_line() -> None:
    answer = make_answer(notice="There are 2 documents:\n*a*.md\nb.md")
    assert answer_to_text(answer) == "There are 2 documents:\n*a*.md\nb.md"
    assert answer_to_markdown(answer) == "There are 2 documents:\n- \\*a\\*\\.md\n- b\\.md\n"


def test_passages_say_score_and_why() -> None:
    assert passages_to_text([make_passage()]) == (
        "[1] The lift is inspected every six months by a certified engineer.\n"
        "    house/lift.pdf · p. 3 · Inspection\n"
        "    score 0.5000; matches lift; close in meaning"
    )
    assert passages_to_text([]) == "No passage found."


@given(st.text())
@example("\x1b]0;title\x07 \x9b31m \u202eevil\u202c \u2066x\u2069 \x00 \x7f \ud800")
def test_visible_text_holds_nothing_that_acts_on_a_terminal(text: str) -> None:
    shown = visible(text)
    acts = set(map(chr, (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F))))
    acts |= set(map(chr, range(0x2066, 0x206A)))
    assert not set(shown) & (acts - {"\n", "\t"})
    assert not set(one_line(text)) & acts
    shown.encode()


def test_visible_text_keeps_what_is_harmless() -> None:
    text = "Größe 5\u00a0€, שלום\u200f 👩‍🚒 é\n\tend"
    assert visible(text) == text
    assert visible("a\x1b[31m\x9b\u202e\r\nb") == "a␛[31m‹U+009B›‹U+202E›\nb"


@given(texts, short_spans)
@example(HOSTILE, (3, 5))
def test_json_gives_back_every_field_of_an_answer(text: str, span: tuple[int, int]) -> None:
    """The exact text too, on a line that is safe to print."""
    start = min(span[0], len(text) - 1)
    quote = make_quote(text, (start, min(start + span[1], len(text))))
    answer = make_answer(
        quote,
        nearest=(make_passage(text),),
        missing_words=(text,),
        disagreements=(Disagreement(quote, make_quote(), "x"),),
    )
    line = to_json(answer)
    assert visible(line) == line
    assert "\n" not in line
    assert answer_from(json.loads(line)) == answer
    assert json.loads(line) == answer_to_dict(answer)


def answer_from(plain: dict[str, Any]) -> Answer:
    """Build the answer again from its JSON, to show that nothing is missing."""
    plain["quotes"] = tuple(map(quote_from, plain["quotes"]))
    for name in ("nearest", "passages"):
        plain[name] = tuple(map(passage_from, plain[name]))
    plain["missing_words"] = tuple(plain["missing_words"])
    plain["disagreements"] = tuple(
        Disagreement(quote_from(each["first"]), quote_from(each["second"]), each["about"])
        for each in plain["disagreements"]
    )
    return Answer(**plain)


def quote_from(plain: dict[str, Any]) -> Quote:
    short = Span(**plain["short"]) if plain["short"] else None
    return Quote(**place_from(plain) | {"short": short})


def passage_from(plain: dict[str, Any]) -> Passage:
    sentences = tuple(map(sentence_from, plain["sentences"]))
    lists = {name: tuple(plain[name]) for name in ("why", "matched")}
    return Passage(**place_from(plain) | lists | {"sentences": sentences})


def sentence_from(plain: dict[str, Any]) -> ScoredSentence:
    return ScoredSentence(**plain | {"short": Span(**plain["short"]) if plain["short"] else None})


def place_from(plain: dict[str, Any]) -> dict[str, Any]:
    document = dict(plain["document"])
    document["file"] = document["file"] and Path(document["file"])
    for name in ("blank_pages", "warnings"):
        document[name] = tuple(document[name])
    return plain | {
        "document": DocumentInfo(**document),
        "citation": citation_from(plain["citation"]),
        "also_at": tuple(map(citation_from, plain["also_at"])),
    }


def citation_from(plain: dict[str, Any]) -> Citation:
    rest = {name: value for name, value in plain.items() if name != "ref"}
    citation = Citation(**rest | {"headings": tuple(rest["headings"])})
    assert plain["ref"] == citation.ref
    return citation


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no form in JSON"):
        to_json({"a": object()})


def test_found_sentences_are_counted_by_document_and_marked() -> None:
    document = make_document("house/lift.pdf")
    text = "The  lift is a lift."
    hit = Hit(100, 120, text, ((105, 109), (115, 119)), make_citation(document, 100, 120))
    result = FindResult("lift", (DocumentHits(document, (hit,)),), 3)
    lines = list(find_lines(result))
    assert to_text(lines) == (
        "1 sentence with lift in 1 document\n\nhouse/lift.pdf: 1\n  p. 3 The lift is a lift."
    )
    assert [words for words, style in lines[-1].words if style == "strong"] == ["lift", "lift"]


@given(st.text(min_size=1, max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9))))
def test_marks_change_no_word_of_a_found_sentence(text: str, spans: list[tuple[int, int]]) -> None:
    document = make_document()
    marks = tuple((100 + start, 100 + start + length) for start, length in spans)
    hit = Hit(100, 100 + len(text), text, marks, make_citation(document, 100, 100 + len(text)))
    *_, line = find_lines(FindResult("x", (DocumentHits(document, (hit,)),), 1))
    assert "".join(words for words, _ in line.words).strip(" ") == one_line(text)


def test_a_report_names_what_was_skipped_and_hides_no_escape_sequence() -> None:
    report = SyncReport(
        added=("a.md",), skipped=(Skip("b\x1b[2J.pdf", "encrypted"),), sentences=3, seconds=0.5
    )
    assert to_text(report_lines(report)) == (
        "1 added, 0 updated, 0 renamed, 0 removed, 0 unchanged, 1 skipped; 3 sentences in 0.5 s\n"
        "  skipped b␛[2J.pdf: encrypted"
    )


def test_a_dry_run_names_every_file_it_would_change() -> None:
    report = SyncReport(
        added=("a.md",), updated=("b.md",), renamed=(("c.md", "d.md"),), removed=("e.md",),
        dry_run=True,
    )  # fmt: skip
    assert to_text(report_lines(report)).splitlines()[1:] == [
        "  + a.md",
        "  ~ b.md",
        "  > c.md -> d.md",
        "  - e.md",
    ]


def test_status_is_a_fact_a_line() -> None:
    status = Status(
        path=Path("house.quoth"),
        generation=3,
        documents=2,
        sentences=40,
        passages=12,
        vectors=52,
        dead_documents=1,
        sources=(Source(1, "folder", Path("/srv/house"), 2),),
        model="all-MiniLM-L6-v2",
        fingerprint=HASH,
        bytes=1_234_567,
        types={"pdf": 1, "markdown": 1},
    )
    assert to_text(status_lines(status)) == (
        "library     house.quoth\n"
        "generation  3\n"
        "documents   2 (1 markdown, 1 pdf)\n"
        "sentences   40\n"
        "passages    12\n"
        "model       all-MiniLM-L6-v2 (abababababab)\n"
        "size        1.2 MB\n"
        "removed     1 old version of documents, freed by `quoth compact`\n"
        "source      /srv/house (folder, 2 documents)"
    )
