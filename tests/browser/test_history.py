"""Conversations are kept: found again, gone on with, renamed, exported, deleted."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from acting import ask, begin, conversations, menu_of, ready, send
from material import ANSWERED, PAGED, UNANSWERED
from playwright.sync_api import Locator, Page, expect
from serving import Running, Server

from qa.chats import Chats, StoredTurn

if TYPE_CHECKING:
    from watching import Visit

pytestmark = pytest.mark.browser

DOGS = "Dogs are kept on a lead in the garden."


def titles(page: Page) -> list[str]:
    return page.locator("#conversation-list .name").all_inner_texts()


def test_a_stored_conversation_is_opened_and_gone_on_with(page: Page) -> None:
    ask(page, PAGED)
    first = page.url
    begin(page)
    ask(page, ANSWERED)
    assert page.url != first
    drawer = conversations(page)
    assert titles(page) == [ANSWERED, PAGED]
    expect(drawer.locator("li", has_text=ANSWERED)).to_contain_text("1 question · ")
    current = drawer.locator("a[aria-current=page]")
    expect(current).to_have_count(1)
    expect(current).to_contain_text(ANSWERED)
    link = drawer.locator("a.title", has_text=PAGED)
    with page.context.expect_page() as opened:
        link.click(modifiers=["Control"])
    expect(opened.value.locator("#chat .answer")).to_contain_text("The passenger", timeout=20_000)
    opened.value.close()
    link.click()
    expect(drawer).to_be_hidden()
    expect(page.locator("#chat .asked")).to_have_count(1)
    expect(page.locator("#chat .answer")).to_contain_text("The passenger lifts are inspected")
    expect(page.get_by_role("textbox", name="Question", exact=True)).to_be_focused()
    assert page.url == first
    page.go_back()
    expect(page.locator("#chat .asked")).to_contain_text(ANSWERED)
    page.go_forward()
    expect(page.locator("#chat .asked")).to_contain_text(PAGED)
    expect(ask(page, "And the goods lift?").locator(".searched")).to_be_visible()
    expect(conversations(page).locator("li", has_text=PAGED)).to_contain_text("2 questions · ")
    assert titles(page) == [PAGED, ANSWERED]


@pytest.mark.slow
def test_a_conversation_is_found_renamed_exported_and_deleted(page: Page) -> None:
    ask(page, PAGED)
    ask(page, UNANSWERED)
    begin(page)
    ask(page, ANSWERED)
    drawer = conversations(page)
    is_found(page, drawer)
    is_exported(page, drawer)
    is_renamed(page, drawer)
    page.reload()
    ready(page)
    conversations(page)
    assert titles(page) == ["Pets in the garden", PAGED]
    menu_of(drawer, "Pets in the garden").get_by_role("button", name="Rename").click()
    box = page.get_by_role("textbox", name="Title of the conversation")
    box.fill("")  # an empty title is none: the first question stands for it again
    box.press("Enter")
    expect(drawer.locator("a.title .name").first).to_have_text(ANSWERED)
    is_deleted(page, drawer)
    page.reload()
    ready(page)
    conversations(page)
    assert titles(page) == [PAGED]


def is_found(page: Page, drawer: Locator) -> None:
    """By words of its title and its questions."""
    search = drawer.get_by_role("searchbox", name="Search conversations")
    search.fill("REYKJAVIK chess")
    expect(drawer.locator("a.title")).to_have_count(1)
    expect(drawer.locator("#conversations-count")).to_have_text("1 conversation found")
    expect(page.locator("#said-aloud")).to_have_text("1 conversation found")
    assert titles(page) == [PAGED]
    search.press("ArrowDown")
    expect(drawer.locator("a.title")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(search).to_be_focused()
    search.fill("")
    expect(drawer.locator("a.title")).to_have_count(2)


def is_renamed(page: Page, drawer: Locator) -> None:
    menu_of(drawer, ANSWERED).get_by_role("button", name="Rename").click()
    box = page.get_by_role("textbox", name="Title of the conversation")
    expect(box).to_have_value(ANSWERED)
    box.fill("Not this")
    box.press("Escape")  # leaves the field, not the drawer
    expect(drawer.get_by_role("button", name=f"Actions for “{ANSWERED}”")).to_be_focused()
    assert titles(page) == [ANSWERED, PAGED]
    menu_of(drawer, ANSWERED).get_by_role("button", name="Rename").click()
    box.fill("Pets in the garden")
    box.press("Enter")
    expect(drawer.locator("a.title").first).to_be_focused()
    assert titles(page) == ["Pets in the garden", PAGED]


def is_exported(page: Page, drawer: Locator) -> None:
    exported = {}
    for name, ending in (("Markdown", "md"), ("Web page", "html"), ("JSON", "json")):
        menu = menu_of(drawer, PAGED)
        with page.expect_download() as download:
            menu.get_by_role("link", name=name).click()
        assert download.value.suggested_filename.endswith(f".{ending}")
        exported[ending] = Path(download.value.path()).read_text("utf-8")
        page.keyboard.press("Escape")  # closes the menu
        expect(drawer.locator(".below")).to_have_count(0)
    for text in exported.values():
        assert "The passenger lifts are" in text
        assert re.search(r"policy\\?\.pdf", text)  # with the dot escaped in Markdown
        assert "Reykjavik" in text
    json.loads(exported["json"])


def is_deleted(page: Page, drawer: Locator) -> None:
    """After a yes; it is the one on screen."""
    menu = menu_of(drawer, ANSWERED)
    menu.get_by_role("button", name="Delete").click()
    expect(menu).to_contain_text("Delete this conversation and its question for good?")
    menu.get_by_role("button", name="Keep").click()
    expect(drawer.get_by_role("button", name=f"Actions for “{ANSWERED}”")).to_be_focused()
    menu = menu_of(drawer, ANSWERED)
    menu.get_by_role("button", name="Delete").click()
    menu.get_by_role("button", name="Delete").click()
    expect(drawer.locator("a.title")).to_have_count(1)
    expect(drawer.locator("a.title")).to_be_focused()
    expect(page.locator("#said-aloud")).to_have_text("The conversation is deleted.")
    page.keyboard.press("Escape")
    expect(page.locator("#open-history")).to_be_focused()
    expect(page.locator("#chat .asked")).to_have_count(0)


@pytest.mark.slow
def test_a_question_asked_with_the_list_open_comes_into_it(
    page: Page, servers: Callable[[str], Server]
) -> None:
    server = servers("house")
    send(page, ANSWERED)
    page.locator("#chat .asked").wait_for()
    page.locator("#open-history").click()
    expect(page.locator("#conversations a.title")).to_have_count(1, timeout=15_000)
    assert server.address in page.url


@pytest.mark.slow
def test_everyone_sees_their_own(visit: Visit) -> None:
    mine, theirs = visit(), visit()
    ask(mine, ANSWERED)
    ask(theirs, PAGED)
    conversations(mine)
    conversations(theirs)
    assert titles(mine) == [ANSWERED]
    assert titles(theirs) == [PAGED]
    stolen = mine.url
    theirs.goto(stolen)
    expect(theirs.locator("#chat")).to_contain_text("There is no such conversation")
    expect(theirs.locator("body")).not_to_contain_text(DOGS)


@pytest.mark.slow
def test_many_conversations_are_grouped_by_day_and_come_in_parts(
    page: Page, servers: Callable[[str], Server]
) -> None:
    """Older ones are written into the file, as nobody can wait a month in a test."""
    ask(page, ANSWERED)
    fill(servers("house").library, page, days=[1, 3, *range(40, 160)])
    drawer = conversations(page)
    headings = drawer.locator("h3")
    expect(headings.nth(0)).to_have_text("Today")
    expect(headings.nth(1)).to_have_text("Yesterday")
    expect(headings.nth(2)).to_have_text("Last 7 days")
    expect(headings.nth(3)).to_have_text(re.compile(r"^[A-Z][a-z]+ 20\d\d$"))
    expect(drawer.locator("#conversations-count")).to_have_text("50 conversations and more")
    assert len(titles(page)) == 50
    drawer.locator("li").last.scroll_into_view_if_needed()
    expect(drawer.locator("li")).to_have_count(100)
    more = drawer.get_by_role("button", name="Show older ones")
    more.focus()
    page.keyboard.press("Enter")
    expect(drawer.locator("li")).to_have_count(123)
    expect(drawer.locator("#conversations-count")).to_have_text("123 conversations")
    expect(more).to_be_hidden()
    assert titles(page)[-1] == "What was said 159 days ago?"


def fill(library: Path, page: Page, *, days: list[int]) -> None:
    """Give the person of `page` one conversation for each number of days ago."""
    mine = page.url.partition("chat=")[2].partition("#")[0]
    with (
        closing(Chats.open(library)) as chats,
        closing(sqlite3.connect(chats.path or "")) as db,
    ):
        (owner,) = db.execute("SELECT owner FROM conversations WHERE id = ?", (mine,)).fetchone()
        for ago in days:
            id = f"{mine[:16]}-{ago}"
            chats.append(owner, id, StoredTurn(question=f"What was said {ago} days ago?"))
            then = datetime.now(UTC) - timedelta(days=ago)
            with db:
                db.execute(
                    "UPDATE conversations SET changed_at = ? WHERE id = ?", (then.isoformat(), id)
                )


@pytest.mark.slow
def test_a_conversation_goes_on_after_a_restart(visit: Visit, running: Running) -> None:
    page = visit("working")
    ask(page, ANSWERED)
    link = page.url
    page.goto("about:blank")
    running.restart("working")
    page.goto(link)
    expect(page.locator("#chat .answer")).to_contain_text(DOGS, timeout=20_000)
    expect(ask(page, "And when are the beds watered?")).to_contain_text("before nine")
    conversations(page)
    assert titles(page) == [ANSWERED]
