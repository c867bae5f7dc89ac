"""Without a pointer: everything can be done, and the focus is never lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from acting import ask, focused, panel, ready, unfocus
from material import ANSWERED, FEW, PAGED
from playwright.sync_api import Locator, Page, expect

if TYPE_CHECKING:
    from watching import Visit

pytestmark = pytest.mark.browser

ANSWER = "#chat .answer:not(.pending)"


def press(page: Page, *keys: str) -> None:
    """Press keys one by one; after each something has the focus."""
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_function("() => document.activeElement !== document.body")


def tab_to(page: Page, target: Locator, *, back: bool = False, most: int = 60) -> None:
    """Press Tab until `target` has the focus."""
    passed = []
    for _ in range(most):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
        passed.append(focused(page))
    raise AssertionError(f"Tab does not lead there, but to {passed}")


def question(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Question", exact=True)


def drawer(page: Page, name: str) -> Locator:
    return page.get_by_role("dialog", name=name)


# Keys of their own ------------------------------------------------------------------------------


def test_keys_open_things_begin_anew_and_are_letters_where_people_type(page: Page) -> None:
    unfocus(page)
    for key in ("Alt+h", "Control+d", "Meta+h"):
        page.keyboard.press(key)
    expect(page.locator("dialog[open]")).to_have_count(0)
    keys = {"h": "Conversations", "d": "Documents", "?": "Keyboard shortcuts"}
    for key, title in keys.items():
        page.keyboard.press(key)
        expect(drawer(page, title)).to_be_visible()
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_focused()
        page.keyboard.press("d")  # behind a dialog a key does nothing
        expect(page.locator("dialog[open]")).to_have_count(1)
        press(page, "Escape")
        expect(drawer(page, title)).to_have_count(0)
        unfocus(page)
    question(page).focus()
    page.keyboard.type("nhd?/")
    expect(question(page)).to_have_value("nhd?/")
    expect(page.locator("dialog[open]")).to_have_count(0)
    ask(page, ANSWERED)
    page.locator("#open-documents").focus()
    press(page, "/")
    expect(question(page)).to_be_focused()
    expect(question(page)).to_have_value("")
    page.locator("#open-documents").focus()
    page.keyboard.press("n")
    expect(page.locator("#chat .asked")).to_have_count(0)
    expect(question(page)).to_be_focused()


@pytest.mark.slow
def test_keys_can_be_switched_off_for_good(page: Page) -> None:
    unfocus(page)
    page.keyboard.press("?")
    switch = page.get_by_role("switch", name="Shortcuts of one key")
    expect(switch).to_be_checked()
    tab_to(page, switch)
    press(page, "Space")
    expect(switch).not_to_be_checked()
    press(page, "Escape")
    page.reload()
    ready(page)
    unfocus(page)
    for key in ("?", "h", "d", "n", "/"):
        page.keyboard.press(key)
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert focused(page) == "body"
    # They are switched on again where no key is needed to get there.
    page.locator("#open-history").click()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    switch.check()
    press(page, "Escape")
    expect(drawer(page, "Conversations")).to_be_visible()
    press(page, "Escape")
    page.locator("#open-documents").focus()
    press(page, "h")
    expect(drawer(page, "Conversations")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("opener", "name"), [("#open-history", "Conversations"), ("#open-documents", "Documents")]
)
def test_a_drawer_that_is_opened_as_it_closes_stays(page: Page, opener: str, name: str) -> None:
    page.locator(opener).click()
    expect(drawer(page, name)).to_be_visible()
    page.evaluate(
        """opener => {
            document.querySelector("dialog[open]").close();
            document.querySelector(opener).click();
        }""",
        opener,
    )
    page.evaluate("() => new Promise(done => setTimeout(done, 100))")  # after all that was queued
    expect(drawer(page, name)).to_be_visible()
    expect(drawer(page, name).get_by_role("heading", name=name)).to_be_focused()


@pytest.mark.slow
def test_escape_closes_one_thing_at_a_time(page: Page) -> None:
    ask(page, ANSWERED).locator("a.cite").first.press("Enter")
    expect(panel(page).locator("mark").first).to_be_visible()
    page.locator("#open-history").click()
    page.locator("#conversations .actions").click()
    expect(page.locator("#conversations .below")).to_be_visible()
    press(page, "Escape")
    expect(page.locator("#conversations .below")).to_have_count(0)
    expect(drawer(page, "Conversations")).to_be_visible()
    press(page, "Escape")
    expect(drawer(page, "Conversations")).to_have_count(0)
    expect(panel(page)).to_have_count(1)
    press(page, "Escape")
    expect(panel(page)).to_have_count(0)


# The way through ---------------------------------------------------------------------------------


def test_someone_asks_checks_exports_and_edits(page: Page) -> None:
    expect(question(page)).to_be_focused()  # whoever comes can type at once
    page.keyboard.type("Where are dogs")
    press(page, "Shift+Enter")
    page.keyboard.type("kept on a lead?")
    expect(question(page)).to_have_value("Where are dogs\nkept on a lead?")
    expect(page.locator(ANSWER)).to_have_count(0)
    press(page, "Enter")
    expect(page.locator(ANSWER)).to_have_count(1, timeout=20_000)
    expect(page.locator(ANSWER)).to_contain_text("Dogs are kept on a lead in the garden.")
    expect(question(page)).to_be_focused()
    opens_a_source_and_leaves_it(page)
    exports(page)
    edits(page)


def opens_a_source_and_leaves_it(page: Page) -> None:
    link = page.locator(f"{ANSWER} a.cite").first
    tab_to(page, link, back=True)
    press(page, "Enter")
    expect(panel(page).locator("h2")).to_be_focused()
    expect(panel(page).locator(".quoted").first).to_be_visible()
    press(page, *["Tab"] * 4)
    assert page.evaluate("document.querySelector('#source').contains(document.activeElement)")
    press(page, "Escape")
    expect(link).to_be_focused()


def exports(page: Page) -> None:
    export = page.get_by_role("button", name="Export")
    tab_to(page, export)
    press(page, "Enter")
    links = page.locator("#export-menu a")
    expect(links.nth(0)).to_be_focused()
    press(page, "ArrowDown", "ArrowDown")
    expect(links.nth(2)).to_be_focused()
    press(page, "Escape")
    expect(export).to_be_focused()
    press(page, "Enter")
    with page.expect_download() as download:
        press(page, "Enter")
    assert download.value.suggested_filename.endswith(".md")
    assert focused(page) != "body"


def edits(page: Page) -> None:
    edit = page.get_by_role("button", name="Edit this question")
    tab_to(page, edit, back=True)
    press(page, "Enter")
    expect(page.locator("form.edit textarea")).to_be_focused()
    press(page, "Escape")
    expect(edit).to_be_focused()
    press(page, "Enter", "Control+a")
    page.keyboard.type(PAGED)
    press(page, "Enter")
    expect(page.locator(ANSWER)).to_contain_text("The passenger lifts", timeout=20_000)
    expect(page.locator("#chat .asked")).to_have_count(1)
    assert focused(page) != "body"


@pytest.mark.slow
def test_a_document_is_removed(visit: Visit) -> None:
    page = visit("working")
    with open_by_keys(page, "#open-documents", "Documents") as documents:
        # What is there at first is drawn again when the list has come, under a key that is pressed.
        expect(documents).to_contain_text(f"{FEW} documents")
        tab_to(page, documents.get_by_role("button", name="Choose files to add"))
        with page.expect_file_chooser() as chooser:
            page.wait_for_timeout(200)  # nobody says when the browser has begun to listen for it
            page.keyboard.press("Enter")
        chooser.value.set_files(
            {"name": "pool.txt", "mimeType": "text/plain", "buffer": b"The pool opens at seven."}
        )
        remove = documents.get_by_role("button", name="Remove pool.txt")
        expect(documents).to_contain_text("1 document added", timeout=30_000)
        assert focused(page) != "body"
        tab_to(page, documents.get_by_role("searchbox", name="Search the list"))
        page.keyboard.type("pool")
        expect(remove).to_be_visible()
        tab_to(page, remove)
        press(page, "Enter")
        expect(documents.get_by_role("button", name="Remove", exact=True)).to_be_focused()
        press(page, "Enter")
        expect(remove).to_have_count(0)
        page.wait_for_function("() => document.activeElement !== document.body")


@pytest.mark.slow
def test_a_conversation_is_found_renamed_and_deleted(page: Page) -> None:
    ask(page, ANSWERED)
    with open_by_keys(page, "#open-history", "Conversations") as history:
        tab_to(page, history.get_by_role("searchbox"))
        page.keyboard.type("dogs")
        expect(page.locator("#conversations-count")).to_have_text("1 conversation found")
        press(page, "ArrowDown", "Tab", "Enter")
        expect(history.get_by_role("button", name="Rename")).to_be_focused()
        press(page, "Enter")
        page.keyboard.type("Pets")
        press(page, "Enter")
        expect(history.locator("a.title")).to_contain_text("Pets")
        expect(history.locator("a.title")).to_be_focused()
        press(page, "Tab", "Enter", "Tab", "Enter")
        expect(history.get_by_role("button", name="Delete")).to_be_focused()
        press(page, "Enter")
        expect(history.locator("a.title")).to_have_count(0)
        expect(history.get_by_role("button", name="New conversation")).to_be_focused()


@contextmanager
def open_by_keys(page: Page, selector: str, title: str) -> Iterator[Locator]:
    """Open a drawer from its button and give it; closing gives the focus back to the button."""
    button = page.locator(selector)
    tab_to(page, button)
    press(page, "Enter")
    opened = drawer(page, title)
    expect(opened).to_be_visible()
    assert page.evaluate("document.querySelector('dialog[open]').contains(document.activeElement)")
    yield opened
    press(page, "Escape")
    expect(opened).to_have_count(0)
    expect(button).to_be_focused()
