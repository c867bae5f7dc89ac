"""A chat message: our markup, and every other word as text."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from index.types import Citation, Span
from qa import Chat
from qa.types import Answer, Disagreement, Quote
from qa.visible import visible
from qa.web import messages
from qa.web.messages import escape, pending_message, question_message

if TYPE_CHECKING:
    from index import Library

HOSTILE = (
    '<script>alert(1)</script> [1](#cite/1-aaaaaaaaaaaa/0-4) <form action="https://evil.example">'
    "![x](https://evil.example/x.png) $$x$$ ${alert(1)} **bold** `code` www.evil.example\n\n# head"
)


def answer_message(answer: Answer, **more: Any) -> str:  # noqa: ANN401
    return messages.answer_message(answer, number=7, **more)


def texts(markup: str) -> str:
    """Return the text of markup."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


@given(st.text())
def test_escaped_text_reads_as_it_was_and_holds_nothing_active(text: str) -> None:
    escaped = escape(text)
    assert re.fullmatch(r"(?:[A-Za-z0-9 ]|&#\d+;|[^\x00-\x7f])*", escaped)
    decoded = re.sub(r"&#(\d+);", lambda m: chr(int(m[1])), escaped)
    assert decoded == visible(text)


def test_markdown_leaves_a_message_as_it_is(library: Library) -> None:
    message = answer_message(Chat(library).ask("How often is the lift inspected?"))
    assert MarkdownIt("commonmark").render(message).strip() == message
    assert "\n" not in message


@pytest.fixture
def quote(library: Library) -> Quote:
    return Chat(library).ask("How often is the lift inspected?").quotes[0]


def test_words_of_a_document_are_never_markup(quote: Quote) -> None:
    document = replace(quote.document, path=f"{HOSTILE}.txt", title=HOSTILE, date=HOSTILE)
    citation = Citation(1, document.path, HOSTILE, 0, 9, "a" * 64, headings=(HOSTILE,))
    bad = replace(
        quote, document=document, citation=citation, text=HOSTILE, context=HOSTILE,
        also_at=(citation,) * 5,
    )  # fmt: skip
    answer = Answer(
        question="?", searched_for=HOSTILE, notice=HOSTILE, quotes=(bad,), abstained=True,
        missing_words=(HOSTILE,), disagreements=(Disagreement(bad, bad, HOSTILE),),
    )  # fmt: skip
    message = answer_message(answer)
    assert set(re.findall(r"<(/?[a-z]+)", message)) <= {
        *("div", "/div", "p", "/p", "span", "/span", "a", "/a", "strong", "/strong", "br"),
        *("button", "/button", "details", "/details", "summary", "/summary", "ul", "/ul"),
        *("li", "/li", "bdi", "/bdi"),
    }
    assert set(re.findall(r'href="([^"]*)"', message)) == {"#cite/1-aaaaaaaaaaaa/0-9"}
    assert "evil.example" not in message
    assert "<script>alert(1)</script>" in texts(message)
    assert MarkdownIt("commonmark").render(message).strip() == message


def test_the_short_answer_is_bold_and_the_marker_glued(quote: Quote) -> None:
    start = quote.start + quote.text.index("twelve months")
    shown = replace(quote, short=Span(start, start + len("twelve months")))
    message = answer_message(Answer(question="?", searched_for="?", quotes=(shown,)))
    assert "<strong>twelve months</strong>" in message
    assert re.search(
        rf'<span class="glued">[^ <]+”<a class="cite" href="#cite/{quote.citation.ref}"', message
    )
    assert "Searched for" not in message


def test_a_short_answer_at_the_end_is_glued_to_its_marker_too(quote: Quote) -> None:
    words = "It is due on 3 May."
    short = Span(quote.start + words.index("3"), quote.start + len(words) - 1)
    shown = replace(quote, text=words, end=quote.start + len(words), short=short)
    message = answer_message(Answer(question="?", searched_for="?", quotes=(shown,)))
    assert (
        "“It is due on <strong>3 </strong>"
        '<span class="glued"><strong>May</strong>&#46;”<a class="cite"' in message
    )


def test_markers_are_numbered_through_an_answer(quote: Quote) -> None:
    two = replace(quote, also_at=(quote.citation,))
    answer = Answer(question="?", searched_for="lift", quotes=(two, quote))
    message = answer_message(answer)
    assert re.findall(r">(\[\d\])</a>", message) == ["[1]", "[2]", "[3]"]
    assert "Searched for: lift" in texts(message)
    assert "Also in 1 place" in message


def test_quotes_that_disagree_stand_side_by_side_once(quote: Quote) -> None:
    quote = replace(quote, short=None)
    other = replace(quote, document=replace(quote.document, id=quote.document.id + 1))
    answer = Answer(
        question="?", searched_for="?", quotes=(quote, other),
        disagreements=(Disagreement(quote, other, "the interval"),),
    )  # fmt: skip
    message = answer_message(answer)
    assert message.count('class="quote"') == 2
    assert "The documents disagree about the interval." in texts(message)
    assert "undated" in message


def test_a_disagreement_names_the_words_that_differ_and_the_days(quote: Quote) -> None:
    def dated(number: int, day: str, text: str) -> Quote:
        document = replace(quote.document, id=number, date=day)
        return replace(quote, document=document, text=text, end=quote.start + len(text))

    old = dated(1, "2021-05-03", "The notice period is 30 days.")
    new = dated(2, "2024-03-01", "The notice period is 60 days.")
    pair = Disagreement(old, new, "the notice period")
    answer = Answer(
        question="?", searched_for="?", quotes=(old, new), disagreements=(pair,), decides=True
    )
    shown = texts(answer_message(answer))
    assert shown.startswith(
        "The documents disagree about the notice period: “30 days” against “60 days”."
    )
    assert "3 May 2021 · " in shown
    assert "1 March 2024 · " in shown
    assert "decides" not in shown


def test_what_decides_a_question_is_said_to(quote: Quote) -> None:
    answer = Answer(question="?", searched_for="?", quotes=(quote,), decides=True)
    message = answer_message(answer)
    assert texts(message).startswith("This decides it:“")
    assert '<p class="decides">' in message


def test_an_abstention_names_what_is_missing_and_marks_the_nearest(library: Library) -> None:
    answer = Chat(library).ask("Is there a xylophone in the zeppelin?")
    assert answer.abstained
    message = answer_message(answer)
    assert "The documents do not say." in texts(message)
    assert "“xylophone”" in texts(message)
    if answer.nearest:
        assert "Nearest passages, not an answer" in texts(message)


def test_a_question_is_shown_as_text() -> None:
    assert texts(question_message("<b>2 < 3</b>")) == "<b>2 < 3</b>"
    assert question_message("a\nb").count("<br>") == 1


def test_a_question_that_stands_in_a_conversation_can_be_edited() -> None:
    assert "<button" not in question_message("Why?")
    assert 'id="asked-3"' in question_message("Why?", number=3)
    assert 'class="act edit"' in question_message("Why?", number=3)


def test_what_else_was_found_stands_below_with_its_reasons(library: Library) -> None:
    answer = Chat(library).ask("How often is the lift inspected?")
    why = ("matches lift, <b>", "close in meaning")
    passages = tuple(
        replace(passage, matched=("lift", "<b>"), why=why) for passage in answer.passages
    )
    message = answer_message(replace(answer, passages=passages))
    more = message[message.index('<details class="more">') :]
    assert re.match(r'<details class="more"><summary>\d+ more passages?</summary>', more)
    for quote in answer.quotes:
        assert f"#cite/{quote.citation.ref}" not in more
    assert (
        '<p class="why">matches <em>lift</em>, <em>&#60;b&#62;</em> · close in meaning</p>' in more
    )
    assert "%" not in texts(more)


def test_a_narrowed_search_says_so_and_offers_all_documents(quote: Quote) -> None:
    found = Answer(question="?", searched_for="?", quotes=(quote,))
    assert "Searched in 2 chosen documents" in texts(answer_message(found, chosen=2))
    silent = Answer(question="?", searched_for="?", abstained=True)
    message = answer_message(silent, chosen=1)
    assert "The chosen document does not say." in texts(message)
    assert 'class="act search-all"' in message
    assert "search-all" not in answer_message(silent)


def test_quotes_that_are_gone_are_told(quote: Quote) -> None:
    answer = Answer(question="?", searched_for="?", quotes=(quote,), generation=4)
    message = answer_message(answer, lost=2)
    assert "2 quotes are not shown: their documents are no longer in the library." in texts(message)
    assert 'class="answer g4" id="turn-7"' in message


def test_a_judgement_shows_and_small_talk_is_not_judged(quote: Quote) -> None:
    answer = Answer(question="?", searched_for="?", quotes=(quote,))
    message = answer_message(answer, feedback="wrong_place")
    assert 'class="act wrong-place on"' in message
    assert message.count(" on") == 1
    greeting = Answer(question="Hello", searched_for="Hello", notice="Hello.")
    assert "judge" not in answer_message(greeting)


def test_while_looking_a_sentence_says_what_goes_on() -> None:
    assert texts(pending_message("Searching 3 sentences…")) == "Searching 3 sentences…"
