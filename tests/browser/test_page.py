"""People ask, and go on from an answer: the real page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from acting import ask, ask_and_hold, begin, in_view, panel
from material import ANSWERED, DOCUMENTS, PAGED, TITLE, UNANSWERED, UNASKABLE
from playwright.sync_api import Page, expect
from serving import Server

pytestmark = pytest.mark.browser

COMPLETE = "#chat .answer:not(.pending)"
# With a query in the address, Gradio's <base> would load the page anew at every link.
both_addresses = pytest.mark.parametrize(
    "page", ["", pytest.param("?__theme=dark", marks=pytest.mark.slow)], indirect=True
)


def test_the_empty_page_says_what_it_is_and_offers_questions(page: Page) -> None:
    expect(page).to_have_title(TITLE)
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(page.locator("#welcome")).to_contain_text(f"{DOCUMENTS} documents")
    examples = page.locator("#welcome button.example")
    expect(examples).to_have_count(3, timeout=20_000)
    examples.first.click()
    expect(page.locator("#chat .answer .quote").first).to_be_visible(timeout=20_000)


@both_addresses
def test_a_citation_opens_at_the_quote_and_survives_a_reload(page: Page) -> None:
    answer = ask(page, "What did the owners agree to replace?")
    expect(answer).to_contain_text("“The owners agreed to replace the boiler in June 2024.”")
    link = answer.locator("a.cite").first
    link.click()
    mark = panel(page).locator("mark.quoted")
    expect(mark).to_have_text("The owners agreed to replace the boiler in June 2024.")
    assert in_view(page, mark)
    expect(panel(page).locator(".where")).to_contain_text("2024.txt")
    expect(page.locator("#source h2")).to_be_focused()
    expect(link).to_have_class(re.compile("is-open"))
    expect(page.locator(".answer")).to_have_count(1)  # the chat is still there
    assert page.url.endswith(link.get_attribute("href") or "nothing")
    page.keyboard.press("Escape")
    expect(panel(page)).to_have_count(0)
    expect(link).to_be_focused()
    assert "#cite" not in page.url
    page.keyboard.press("Enter")
    expect(mark).to_be_visible()
    page.reload()
    expect(mark).to_have_text("The owners agreed to replace the boiler in June 2024.")
    page.go_back()
    expect(panel(page)).to_have_count(0)
    expect(page.locator(".answer")).to_have_count(1)


def test_a_follow_up_says_what_was_searched_and_is_searched_as_typed_when_wanted(
    page: Page,
) -> None:
    expect(ask(page, PAGED)).not_to_contain_text("Searched for")
    answer = ask(page, "And the goods lift?")
    expect(answer.locator(".quote").first).to_contain_text("goods lift")
    searched = answer.locator(".searched")
    expect(searched).to_contain_text("Searched for:")
    expect(searched.locator(".reading")).to_contain_text("goods lift")
    searched.get_by_role("button", name="Search for my words as they are").click()
    expect(page.locator(".searched")).to_have_count(0)
    expect(page.locator("#chat .asked")).to_have_count(2)
    expect(page.locator(COMPLETE)).to_have_count(2, timeout=20_000)


def test_what_is_not_answered_looks_different_and_everything_is_read_out(page: Page) -> None:
    said = page.locator("#said-aloud")
    answer = ask(page, UNANSWERED)
    expect(answer).to_contain_text("The documents do not say.")
    expect(answer).to_contain_text("“Reykjavik”")
    expect(answer.locator(".quote")).to_have_count(0)
    expect(said).to_have_text("The documents do not say.")
    expect(ask(page, UNASKABLE)).to_contain_text("2,000")
    begin(page)  # which knows nothing of what was asked before
    expect(page.locator("#welcome button.example").first).to_be_visible()
    expect(page.locator(".answer")).to_have_count(0)
    expect(ask(page, ANSWERED)).not_to_contain_text("Searched for")
    expect(said).to_have_text("1 quote from 1 document.")


@pytest.mark.slow
def test_a_question_is_asked_again_and_edited_in_its_place(page: Page) -> None:
    first = ask(page, PAGED).get_attribute("id")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(f"#{first}")).to_have_count(0, timeout=20_000)
    expect(page.locator(COMPLETE)).to_contain_text(
        "The passenger lifts are inspected", timeout=20_000
    )
    page.get_by_role("button", name="Edit this question").click()
    box = page.locator("#chat form.edit textarea")
    expect(box).to_have_value(PAGED)
    box.fill(ANSWERED)
    box.press("Enter")
    expect(page.locator("#chat .asked")).to_have_count(1, timeout=20_000)
    expect(page.locator(COMPLETE)).to_contain_text("Dogs are kept on a lead", timeout=20_000)


@pytest.mark.slow
def test_a_pending_question_is_stopped_and_given_back(
    page: Page, servers: Callable[[str], Server]
) -> None:
    server = servers("house")
    ask(page, ANSWERED)
    asked = page.locator("#chat .asked")
    for _ in range(5):
        ask_and_hold(page, server, PAGED)
        before = asked.count() - 1
        try:
            page.get_by_role("button", name="Stop").click()
        finally:
            server.go_on()
        expect(page.locator("#chat .pending")).to_have_count(0)
        page.wait_for_timeout(300)
        # What the server was held in the middle of may be done before it hears of the stop.
        if asked.count() == before:
            break
    expect(asked).to_have_count(before)
    expect(page.get_by_role("textbox", name="Question", exact=True)).to_have_value(PAGED)


def test_an_answer_is_copied_with_its_sources_and_judged(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    answer = ask(page, ANSWERED)
    answer.get_by_role("button", name="Copy this quote with its source").first.click()
    expect(page.locator("#said-aloud")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == '"Dogs are kept on a lead in the garden." (garden.md, Garden rules)'
    wrong = answer.get_by_role("button", name="The quote is from the wrong place")
    expect(wrong).to_have_attribute("aria-pressed", "false")
    wrong.click()
    expect(wrong).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(wrong).to_have_attribute("aria-pressed", "true", timeout=20_000)
    wrong.click()
    expect(wrong).to_have_attribute("aria-pressed", "false")
