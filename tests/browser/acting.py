"""What people do on the page, for the tests of everything else."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect
from serving import Server
from watching import SIZES

__all__ = [
    "ask",
    "ask_and_hold",
    "begin",
    "choose",
    "conversations",
    "documents",
    "focused",
    "in_view",
    "menu_of",
    "panel",
    "ready",
    "resize",
    "send",
    "still",
    "unfocus",
    "width_of_page",
]


def ready(page: Page) -> None:
    """Wait until the page is whole: its script has told the chat which conversation this is."""
    page.wait_for_function("() => document.querySelector('#context textarea')?.value")


def send(page: Page, question: str) -> None:
    """Ask, and wait for nothing."""
    ready(page)
    box = page.get_by_role("textbox", name="Question", exact=True)
    box.fill(question)
    box.press("Enter")


def ask(page: Page, question: str) -> Locator:
    """Ask and return the new answer, complete."""
    answers = page.locator("#chat .answer:not(.pending)")
    before = answers.count()
    send(page, question)
    expect(answers).to_have_count(before + 1, timeout=20_000)
    expect(page.get_by_role("textbox", name="Question", exact=True)).to_have_value("")
    return answers.nth(before)


def ask_and_hold(page: Page, server: Server, question: str) -> None:
    """Ask, and make the server stand still before its answer is there."""
    pending = page.locator("#chat .pending")
    answers = page.locator("#chat .answer:not(.pending)")
    for _ in range(8):
        before = answers.count()
        send(page, question)
        pending.or_(answers.nth(before)).first.wait_for()  # it may be there already
        server.hold()
        page.wait_for_timeout(200)  # what was sent before it stood still arrives
        if pending.count():
            return
        server.go_on()
        expect(pending).to_have_count(0)
    raise AssertionError("the answer was always faster")


def begin(page: Page) -> None:
    """Begin a new conversation and wait until the old one has left the screen."""
    page.locator("#begin").click()
    expect(page.locator("#chat .asked")).to_have_count(0)


def panel(page: Page) -> Locator:
    """Return the source beside the chat, while it is open."""
    return page.locator("#source[open]")


def documents(page: Page) -> Locator:
    """Open the drawer with the documents and return it."""
    page.locator("#open-documents").click()
    drawer = page.locator("#documents[open]")
    expect(drawer).to_be_visible()
    return drawer


def choose(page: Page, name: str) -> None:
    """Open the drawer with the documents and narrow the search to the one called `name`."""
    documents(page).get_by_role("checkbox", name=f"Search in {name}").check()


def conversations(page: Page) -> Locator:
    """Open the drawer with the conversations and return it, with its list loaded."""
    page.locator("#open-history").click()
    drawer = page.locator("#conversations[open]")
    expect(drawer.locator("#conversations-count")).not_to_be_empty()
    return drawer


def menu_of(drawer: Locator, title: str) -> Locator:
    """Open what can be done with the conversation called `title` and return it."""
    entry = drawer.locator("li", has_text=title)
    entry.locator("button.actions").click()
    menu = entry.locator(".below")
    expect(menu.get_by_role("button", name="Rename")).to_be_focused()
    return menu


def unfocus(page: Page) -> None:
    """Give the focus to nothing, as a click beside everything does."""
    page.evaluate("document.activeElement.blur()")


def resize(page: Page, size: str) -> None:
    """Give the window another size, one of `SIZES`."""
    page.set_viewport_size({"width": SIZES[size].width, "height": SIZES[size].height})
    still(page)


def still(page: Page) -> None:
    """Let everything that moves or fades come to its end: then colours can be judged.

    What follows from a new size, and fading from one theme into the other, begins with the next
    frame.
    """
    page.evaluate(
        """async () => {
          const frame = () => new Promise(requestAnimationFrame);
          await frame();
          await frame();
          for (const one of document.getAnimations()) {
            if (one.effect.getComputedTiming().iterations !== Infinity) one.finish();
          }
          await frame();
        }"""
    )


def in_view(page: Page, element: Locator) -> bool:
    """Tell whether the whole height of `element` is in the window."""
    box, size = element.bounding_box(), page.viewport_size
    assert box is not None
    assert size is not None
    return box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


def width_of_page(page: Page) -> int:
    """Return the width that the page takes, in CSS pixels."""
    return int(page.evaluate("document.documentElement.scrollWidth"))


def focused(page: Page) -> str:
    """Return what has the focus, as `tag#id` or `tag` with its name; "body" where it is lost."""
    described: str = page.evaluate(
        "() => { const at = document.activeElement;"
        " const name = at.getAttribute('aria-label') || at.textContent.trim().slice(0, 40);"
        " return at === document.body ? 'body'"
        " : at.tagName.toLowerCase() + (at.id ? `#${at.id}` : ` “${name}”`); }"
    )
    return described
