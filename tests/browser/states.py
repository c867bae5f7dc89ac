"""The states of the page, in walks from one to the next as a person might go.

A walk yields where there is a state to look at; `test_every_state.py` looks there in every size and
both themes, and the walk goes on. A new state is a `yield` on a walk, or a walk of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from acting import (
    ask,
    ask_and_hold,
    begin,
    choose,
    conversations,
    documents,
    menu_of,
    panel,
    unfocus,
)
from material import ANSWERED, LONG, PAGED, UNANSWERED, UNASKABLE
from playwright.sync_api import FilePayload, Page, expect
from serving import Server

__all__ = ["WALKS", "Walk"]

Steps = Callable[[Page, Server], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk through states of the page.

    Attributes:
        name: What it is called in the tests.
        steps: Goes on from a page that was just opened, on a desk, and yields the name of each
            state when it is there. It fails where it does not get there.
        kind: The kind of server, see `conftest.servers`.
        everyday: Whether the everyday run goes it too.
    """

    name: str
    steps: Steps
    kind: str
    everyday: bool


WALKS: list[Walk] = []


def walk(*, kind: str = "house", everyday: bool = False) -> Callable[[Steps], Steps]:
    """Put the decorated function into the table, under its own name."""

    def register(steps: Steps) -> Steps:
        WALKS.append(Walk(steps.__name__, steps, kind, everyday))
        return steps

    return register


# The conversation ------------------------------------------------------------------------------


@walk(everyday=True)
def asking(page: Page, server: Server) -> Iterator[str]:
    expect(page.locator("#welcome button.example").first).to_be_visible(timeout=20_000)
    yield "empty"
    answer = ask(page, ANSWERED)
    expect(answer.locator(".quote").first).to_be_visible()
    yield "answer"
    answer.get_by_role("button", name="Export").click()
    expect(page.locator("#export-menu a").first).to_be_focused()
    yield "export menu"
    page.keyboard.press("Escape")
    unfocus(page)
    answer.locator("a.cite").first.focus()
    expect(page.locator("#preview")).to_be_visible()
    yield "preview"
    page.get_by_role("button", name="Edit this question").click()
    expect(page.locator("#chat form.edit textarea")).to_be_focused()
    yield "question edited"


@walk()
def asking_more(page: Page, server: Server) -> Iterator[str]:
    more = ask(page, LONG).locator("details.more")
    more.locator("summary").click()
    expect(more.locator("a.cite").first).to_be_visible()
    yield "answer with more passages"
    begin(page)
    ask(page, PAGED)
    answer = ask(page, "And the goods lift?")
    expect(answer.locator(".searched")).to_be_visible()
    expect(answer.locator(".disagreement")).to_be_visible()
    yield "follow-up, and a disagreement"
    begin(page)
    expect(ask(page, UNANSWERED)).to_have_class(re.compile("abstained"))
    yield "abstention"
    expect(ask(page, UNASKABLE)).to_have_class(re.compile("problem"))
    yield "problem"


@walk()
def waiting(page: Page, server: Server) -> Iterator[str]:
    ask_and_hold(page, server, PAGED)
    yield "pending"


@walk(kind="working")
def a_newer_generation(page: Page, server: Server) -> Iterator[str]:
    from index import Library

    ask(page, ANSWERED)
    with Library.open(server.library) as library:
        library.add("The bicycles stand in the cellar.", name="bicycles.txt")
    expect(page.locator("#banner")).to_be_visible(timeout=15_000)
    yield "newer generation"


# Checking --------------------------------------------------------------------------------------


@walk()
def reading_a_text(page: Page, server: Server) -> Iterator[str]:
    ask(page, ANSWERED).locator("a.cite").first.click()
    expect(panel(page).locator("mark").first).to_be_visible()
    yield "source of a text"
    panel(page).get_by_role("button", name="Contents").click()
    expect(panel(page).locator("#source-contents")).to_be_visible()
    yield "contents of a text"
    panel(page).get_by_role("searchbox", name="Find in this document").fill("watered")
    expect(panel(page).locator(".finding .count")).to_have_text("1 of 1")
    yield "text searched"
    page.evaluate("location.hash = '#cite/1-aaaaaaaaaaaa/0-4'")
    expect(panel(page)).to_contain_text("This link is not a citation")
    yield "source refused"


@walk()
def reading_a_pdf(page: Page, server: Server) -> Iterator[str]:
    quote = ask(page, PAGED).locator(".quote", has_text="policy.pdf").first
    quote.locator("a.cite").first.click()
    expect(panel(page).locator(".box.quoted").first).to_be_visible()
    yield "source of a PDF"
    panel(page).get_by_role("searchbox", name="Find in this document").fill("lift")
    expect(panel(page).locator(".box.now").first).to_be_visible()
    yield "PDF searched"


@walk()
def reading_a_table(page: Page, server: Server) -> Iterator[str]:
    ask(page, "Which service is on port 8080?").locator("a.cite").first.click()
    expect(panel(page).locator("table mark").first).to_be_visible()
    yield "source of a table"
    panel(page).get_by_role("searchbox", name="Find in this document").fill("restarted")
    expect(panel(page).locator("mark.now").first).to_be_visible()
    yield "table searched"


# Documents -------------------------------------------------------------------------------------


@walk()
def choosing_documents(page: Page, server: Server) -> Iterator[str]:
    drawer = documents(page)
    expect(drawer).to_contain_text("garden.md")
    expect(drawer).to_contain_text("1 file could not be read")
    yield "documents with failures"
    drawer.get_by_role("button", name="Remove garden.md").click()
    expect(drawer).to_contain_text("Remove “garden.md” from the answers?")
    yield "removal asked"
    page.keyboard.press("Escape")
    search = drawer.get_by_role("searchbox", name="Search the list")
    search.fill("no such name")
    expect(drawer).to_contain_text("No document matches.")
    yield "documents searched in vain"
    search.fill("")
    drawer.get_by_role("checkbox", name="Search in garden.md").check()
    expect(drawer).to_contain_text("1 document chosen")
    yield "documents chosen"


@walk()
def asking_some_documents(page: Page, server: Server) -> Iterator[str]:
    choose(page, "garden.md")
    page.keyboard.press("Escape")
    expect(page.locator("#scope")).to_be_visible()
    answer = ask(page, PAGED)
    expect(answer).to_have_class(re.compile("abstained"))
    expect(answer.get_by_role("button", name="Search all documents")).to_be_visible()
    yield "abstention of some documents"


@walk(kind="empty")
def without_documents(page: Page, server: Server) -> Iterator[str]:
    expect(page.locator("#welcome")).to_contain_text("No documents")
    yield "empty library"
    expect(documents(page)).to_contain_text("No documents")
    yield "no documents"


@walk(kind="read-only")
def only_reading(page: Page, server: Server) -> Iterator[str]:
    expect(page.locator("#welcome button.example").first).to_be_visible(timeout=20_000)
    yield "empty, read only"
    expect(documents(page)).to_contain_text("dogs.txt")
    yield "documents, read only"


@walk(kind="working")
def changing_documents(page: Page, server: Server) -> Iterator[str]:
    (server.library.with_suffix("") / "new.txt").write_text("The attic is locked.", "utf-8")
    drawer = documents(page)
    drawer.get_by_role("button", name="Check for changes").click()
    expect(drawer).to_contain_text("1 new document", timeout=15_000)
    yield "changes shown"
    # Sent so slowly that there is time to look.
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 20_000}
    network.send("Network.emulateNetworkConditions", slow)
    file: FilePayload = {
        "name": "long.txt",
        "mimeType": "text/plain",
        "buffer": b"The cellar is dry. " * 50_000,
    }
    drawer.locator("#files").set_input_files(file)
    expect(drawer.locator("progress")).to_be_visible()
    stop = drawer.get_by_role("button", name="Stop")
    expect(stop).to_be_visible()
    yield "files on their way"
    stop.click()
    expect(drawer.locator("progress")).to_have_count(0)
    network.detach()


# Conversations ---------------------------------------------------------------------------------


@walk()
def finding_conversations(page: Page, server: Server) -> Iterator[str]:
    expect(conversations(page)).to_contain_text("Nothing has been asked yet.")
    yield "no conversations"
    page.keyboard.press("Escape")
    ask(page, ANSWERED)
    begin(page)
    ask(page, PAGED)
    drawer = conversations(page)
    expect(drawer.locator("a.title")).to_have_count(2)
    yield "conversations listed"
    search = drawer.get_by_role("searchbox")
    search.fill("no such words")
    expect(drawer).to_contain_text("No conversation has these words.")
    yield "conversations searched in vain"
    search.fill("")
    expect(drawer.locator("a.title")).to_have_count(2)
    menu = menu_of(drawer, ANSWERED)
    yield "menu of a conversation"
    menu.get_by_role("button", name="Delete").click()
    expect(menu).to_contain_text("for good?")
    yield "conversation nearly deleted"
    menu.get_by_role("button", name="Keep").click()
    menu_of(drawer, ANSWERED).get_by_role("button", name="Rename").click()
    expect(page.get_by_role("textbox", name="Title of the conversation")).to_be_focused()
    yield "conversation renamed"


@walk()
def listing_the_keys(page: Page, server: Server) -> Iterator[str]:
    unfocus(page)
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_focused()
    yield "keys listed"
