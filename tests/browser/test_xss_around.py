"""Every payload in titles, addresses, replies and suggestions: text, as in `test_xss.py`."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from acting import ask, begin, conversations, panel, ready
from detector import Detector, missing, strange
from hostile_house import TITLE
from payloads import PAYLOADS
from playwright.sync_api import Page, expect
from serving import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def page(seen: Detector, hostile: Server) -> Page:
    """The page over the hostile documents."""
    return opened(seen, hostile)


def opened(seen: Detector, server: Server, rest: str = "") -> Page:
    seen.page.goto(f"{server.address}/{rest}")
    ready(seen.page)
    seen.check("the empty page")
    return seen.page


def test_titles_of_conversations_are_text(page: Page, seen: Detector) -> None:
    for number in range(10):
        ask(page, f"Where is lantern {number}?")
        begin(page)
    address = page.url.split("/?")[0].rstrip("/")
    listed = page.request.get(f"{address}/api/conversations").json()["conversations"]
    mine = [each["id"] for each in listed]
    assert len(mine) == 10
    for first in range(0, len(PAYLOADS), len(mine)):
        texts = [text for text in PAYLOADS[first : first + len(mine)] if text.strip()]
        for one, text in zip(mine, texts, strict=False):
            reply = page.request.patch(
                f"{address}/api/conversations/{one}",
                data={"title": text},
                headers={"origin": address},
            )
            assert reply.ok, reply.text()
        drawer = conversations(page)
        expect(drawer.locator("a.title")).to_have_count(10)
        assert missing(page, "#conversations", texts) == []
        assert strange(page, "#conversations") == []
        page.keyboard.press("Escape")
    seen.check("the titles")
    drawer = conversations(page)
    drawer.locator("a.title").first.click()
    expect(page.locator("#chat .asked")).to_have_count(1)
    search = conversations(page).get_by_role("searchbox")
    for text in PAYLOADS[::12]:
        search.fill(text.replace("\n", " ").replace("\r", " "))
    page.wait_for_timeout(500)
    assert strange(page, "#conversations") == []
    seen.check("the search of conversations")


def test_addresses_open_what_they_name_or_nothing(page: Page, seen: Detector) -> None:
    """Citations that are none, and conversations that have no such name."""
    here = page.url.split("#")[0]
    for text in PAYLOADS:
        for fragment in (f"#cite/{text}", f"#{text}", f"#doc/1-{text}"):
            page.evaluate("(hash) => { location.hash = hash; }", fragment)
    page.wait_for_timeout(200)
    expect(panel(page)).to_have_count(0)
    assert page.url.startswith(here)
    seen.check("the fragments")
    plain = page.request.get(here).text()
    for text in PAYLOADS[::3]:
        part = quote(text)
        served = page.request.get(f"{here}?chat={part}&__theme={part}&{part}={part}").text()
        assert text not in served or text in plain, text
    for text in PAYLOADS[::30]:
        opened_at = opened_again(page, f"{here}?chat={quote(text)}&{quote(text)}=1")
        assert strange(opened_at, "#welcome") == []
    seen.check("the queries")


def opened_again(page: Page, address: str) -> Page:
    page.goto(address)
    ready(page)
    expect(page.locator("#welcome")).to_be_visible()
    return page


def test_replies_opened_as_pages_are_no_pages(hostile: Server, seen: Detector) -> None:
    """JSON, problems and the reference, where a person follows a link to them."""
    page = seen.page
    page.goto(f"{hostile.address}/api/documents?limit=500")
    seen.check("the list of documents")
    for text in PAYLOADS[::5]:
        part = quote(text, safe="")
        for address in (
            f"/api/source/{part}/{part}",
            f"/api/conversations/{part}",
            f"/{part}",
            f"/api/documents?search={part}&sort={part}",
        ):
            reply = page.request.get(hostile.address + address)
            kind = reply.headers.get("content-type", "")
            markup = kind.startswith("text/html") and text in reply.text()
            assert not markup, (address, kind)
            assert reply.headers["x-content-type-options"] == "nosniff"
    for text in PAYLOADS[::30]:
        part = quote(text, safe="")
        page.goto(f"{hostile.address}/api/source/{part}/0-4")
        page.goto(f"{hostile.address}/api/documents?sort={part}")
    seen.check("the problems")


def test_the_title_of_the_page_is_text(hostile: Server, seen: Detector) -> None:
    page = opened(seen, hostile)
    assert page.title() == TITLE
    assert strange(page, "#bar", "#welcome") == []
    assert TITLE in page.locator("#bar").inner_text()
    page.goto(f"{hostile.address}/api/docs")
    assert strange(page, "main", "nav") == []
    seen.check("the title")


def test_suggested_questions_are_text(page: Page, seen: Detector) -> None:
    expect(page.locator("#welcome .inside")).to_be_visible(timeout=20_000)
    reply: Any = None
    for _ in range(100):
        reply = page.request.get(f"{page.url.rstrip('/')}/api/suggestions").json()
        if reply["ready"]:
            break
        page.wait_for_timeout(300)
    assert reply["ready"]
    assert strange(page, "#welcome") == []
    seen.check("the suggestions")
