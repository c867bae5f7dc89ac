"""The page about the API in Chromium: it reads well everywhere and needs no script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from acting import resize, still
from watching import SIZES, overflowing, unmarked_focus, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from watching import Somebody

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# The page is long, and the same again and again.
EACH_KIND = "header, nav, article#asking_ask, #type-AnswerReply"


def test_the_page_about_the_api_is_accessible(somebody: Somebody, address: str) -> None:
    page = somebody(address)
    page.goto(f"{address}/api/docs")
    for size in SIZES:
        resize(page, size)
        assert overflowing(page) == []
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(247, 246, 243)"
    assert violations(page, "structure") == []
    assert violations(page, "colours", within=EACH_KIND) == []
    page.emulate_media(color_scheme="dark")
    still(page)
    assert page.evaluate(paper) == "rgb(21, 23, 26)"
    assert violations(page, "colours", within=EACH_KIND) == []
    resize(page, "small")
    assert unmarked_focus(page, steps=12) == []
    resize(page, "desk")
    assert unmarked_focus(page, steps=12) == []
    page.get_by_role("navigation").get_by_role("link", name="POST /ask").click()
    assert page.locator("article#asking_ask").is_visible()


def test_it_is_whole_without_a_script(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/api/docs")
    page.get_by_role("link", name="AnswerReply").first.click()
    assert page.url.endswith("#type-AnswerReply")
    assert page.get_by_role("heading", name="AnswerReply", exact=True).is_visible()
    context.close()
