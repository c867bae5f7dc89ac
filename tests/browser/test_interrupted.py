"""What people do in the middle of something: nothing is lost, and all see only their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from acting import ask, ask_and_hold, begin, panel, ready, send
from material import ANSWERED, PAGED
from playwright.sync_api import Browser, Page, Route, expect
from serving import Server

from index import Library
from qa.text import text

if TYPE_CHECKING:
    from watching import Somebody, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DOGS = "Dogs are kept on a lead in the garden."
LIFTS = "The passenger lifts are inspected"
ANSWERS = "#chat .answer:not(.pending)"


def test_a_page_loaded_again_waits_for_its_answer(
    page: Page, servers: Callable[[str], Server]
) -> None:
    server = servers("house")
    ask(page, ANSWERED)
    ask_and_hold(page, server, PAGED)
    asked = page.locator("#chat .asked").count()  # again where the answer was faster
    try:
        page.evaluate("setTimeout(() => location.reload(), 0)")
        page.wait_for_timeout(200)  # the request for the page is under way
    finally:
        server.go_on()
    expect(page.locator(ANSWERS).last).to_contain_text(LIFTS, timeout=20_000)
    expect(page.locator("#chat .asked")).to_contain_text([ANSWERED, PAGED])
    expect(page.locator("#chat .pending")).to_have_count(0)
    expect(page.locator(ANSWERS)).to_have_count(asked)
    assert page.locator("#chat .problem").count() == 0
    expect(ask(page, "And the goods lift?").locator(".searched")).to_be_visible()


def test_back_and_forward_lead_through_conversations_and_their_sources(page: Page) -> None:
    dogs = ask(page, ANSWERED)
    first = page.url
    dogs.locator("a.cite").first.click()
    expect(panel(page)).to_contain_text("garden.md")
    begin(page)
    expect(panel(page)).to_have_count(0)
    lifts = ask(page, PAGED)
    second = page.url
    assert second != first
    lifts.locator(".quote", has_text="policy.pdf").first.locator("a.cite").first.click()
    expect(panel(page)).to_contain_text("policy.pdf")

    def shows(words: str, source: str, address: str) -> None:
        expect(page.locator("#chat .asked")).to_have_count(1)
        expect(page.locator(ANSWERS)).to_contain_text(words, timeout=20_000)
        if source:
            expect(panel(page)).to_contain_text(source)
        else:
            expect(panel(page)).to_have_count(0)
        assert page.url.partition("#")[0] == address

    page.go_back()
    shows(LIFTS, "", second)
    page.go_back()
    shows(DOGS, "garden.md", first)
    page.go_back()
    shows(DOGS, "", first)
    page.go_forward()
    shows(DOGS, "garden.md", first)
    page.go_forward()
    shows(LIFTS, "", second)
    page.go_forward()
    shows(LIFTS, "policy.pdf", second)
    expect(page.locator("#chat a.cite.is-open").first).to_be_visible()


def test_a_question_sent_before_the_script_is_there_is_asked_then(
    somebody: Somebody, address: str
) -> None:
    page = somebody(address)
    held: list[Route] = []
    script = re.compile(r"/page\.js(\?|$)")
    page.route(script, lambda route: held.append(route))
    try:
        page.goto(address, wait_until="commit")
        box = page.get_by_role("textbox", name="Question", exact=True)
        box.fill(ANSWERED, timeout=20_000)
        box.press("Enter")
        page.wait_for_timeout(500)
        expect(box).to_have_value(ANSWERED)
        assert page.locator("#chat .asked").count() == 0
        assert len(held) == 1
        held[0].continue_()
        expect(page.locator(ANSWERS)).to_contain_text(DOGS, timeout=20_000)
        expect(box).to_have_value("")
        expect(page.locator("#chat .asked")).to_have_count(1)
    finally:
        page.unroute(script)


def test_a_page_works_whichever_part_of_it_is_drawn_last(somebody: Somebody, address: str) -> None:
    """What draws the chat may come after what draws the fields below it."""
    page = somebody(address)
    held: list[Route] = []
    script = re.compile(r"/markdown-code-[^/]*\.js")  # which the chat alone waits for
    page.route(script, lambda route: held.append(route))
    try:
        page.goto(address, wait_until="commit")
        page.locator("#command textarea").wait_for(state="attached", timeout=20_000)
        page.wait_for_timeout(200)
        assert page.locator("#chat").count() == 0
        held.pop().continue_()
        ask(page, ANSWERED)
        expect(page.locator(ANSWERS)).to_contain_text(DOGS)
    finally:
        page.unroute(script)


def test_asking_an_earlier_question_again_keeps_what_came_after_it(page: Page) -> None:
    ask(page, PAGED)
    ask(page, ANSWERED)
    answers = page.locator(ANSWERS)
    answers.first.get_by_role("button", name="Ask again").click()
    expect(page.locator("#chat .asked")).to_contain_text([PAGED, ANSWERED, PAGED], timeout=20_000)
    expect(answers).to_have_count(3, timeout=20_000)
    expect(answers.nth(0)).to_contain_text(LIFTS)
    expect(answers.nth(1)).to_contain_text(DOGS)
    expect(answers.nth(2)).to_contain_text(LIFTS)
    page.reload()
    expect(answers).to_have_count(3, timeout=20_000)


def test_without_script_the_page_says_what_it_needs(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(address)
        need = page.locator("main.no-script")
        expect(need).to_be_visible()
        assert text("page.no_script") in need.inner_text()
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
    finally:
        context.close()


def test_a_document_may_go_while_its_source_is_open(
    visit: Visit, servers: Callable[[str], Server]
) -> None:
    page = visit("working")
    ask(page, ANSWERED).locator("a.cite").first.click()
    expect(panel(page).locator("mark.quoted").first).to_be_visible()
    with Library.open(servers("working").library) as library:
        assert len(library.remove("garden/dogs.txt")) == 1
    expect(page.locator("#banner")).to_be_visible(timeout=15_000)
    # What is being read stays; what is asked for anew is said to be gone.
    expect(panel(page).locator("mark.quoted").first).to_be_visible()
    panel(page).get_by_role("searchbox", name="Find in this document").fill("dogs")
    expect(panel(page).locator(".finding .count")).to_contain_text("removed")
    page.reload()
    expect(panel(page)).to_contain_text("dogs.txt was removed from the library.")
    expect(panel(page)).not_to_contain_text(DOGS)
    page.keyboard.press("Escape")
    expect(page.locator("#chat")).not_to_contain_text(DOGS, timeout=20_000)
    expect(page.locator("#chat .lost")).to_be_visible()


def test_the_address_of_somebody_elses_conversation_opens_an_empty_one(visit: Visit) -> None:
    mine, theirs = visit(), visit()
    ask(mine, ANSWERED)
    stolen = mine.url
    number = stolen.partition("chat=")[2]
    theirs.goto(stolen)
    ready(theirs)
    expect(theirs.locator("#chat")).to_contain_text("There is no such conversation")
    assert DOGS not in theirs.locator("body").inner_text()
    send(theirs, PAGED)
    expect(theirs.locator(ANSWERS)).to_contain_text(LIFTS, timeout=20_000)
    assert number not in theirs.url
    here = stolen.partition("?")[0].rstrip("/")
    for path in (f"/api/conversations/{number}", f"/api/conversations/{number}/export?format=json"):
        assert theirs.request.get(here + path).status == 404
        assert mine.request.get(here + path).ok
    mine.reload()
    expect(mine.locator("#chat .asked")).to_have_count(1, timeout=20_000)
    expect(mine.locator("#chat .asked")).to_contain_text(ANSWERED)
