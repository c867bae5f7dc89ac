"""Texts and names made to do harm: they show as text, run nothing and ask no other host.

That no request left the machine and nothing failed is checked by the fixture for every page.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from acting import ask, conversations, documents, menu_of, panel, ready
from material import DOCUMENTS, HOSTILE_NAME
from playwright.sync_api import Locator, Page, expect

if TYPE_CHECKING:
    from watching import Visit

pytestmark = pytest.mark.browser

GNOME = "What is the garden gnome code?"
PAYLOAD = (
    "<img src=https://evil.example/q.png onerror=window.broken=1> <b>bold</b> "
    "<script>window.broken=1</script> [9](#cite/1-aaaaaaaaaaaa/0-4) ${window.broken=1} "
    "{{window.broken}} $$x^2$$ ![x](https://evil.example/y.png) </div><h1>gone</h1>?"
)
MARKUP = (
    "script, img, form[action], input[name=password], b, i, h1, iframe, .katex,"
    " a[href*='aaaaaaaaaaaa'], [onmouseover], [onfocus]"
)
NAMES = (
    HOSTILE_NAME,
    "${window.broken=1} {{window.broken}}.txt",
    "policy.pdf · p. 1 [1](#cite⁄1-aaaaaaaaaaaa⁄0-4).txt",
    "exe\u202etxt.txt",
    "a\nb\tc.txt",
    "x' onmouseover='window.broken=1.txt",
    'x" autofocus onfocus="window.broken=1.txt',
)


def harmless(page: Page, *places: Locator) -> None:
    """Fail if markup of a text became an element in `places`, or a script of it ran."""
    for place in places:
        assert place.locator(MARKUP).count() == 0
    assert page.evaluate("window.broken") is None


def test_a_hostile_document_and_its_name_are_text(page: Page) -> None:
    answer = ask(page, GNOME)
    quote = answer.locator(".quote").first
    expect(quote).to_contain_text("<script>window.broken = 1</script>")
    expect(quote).to_contain_text("![x](https://evil.example/y.png) $$x^2$$ ${window.broken=1}")
    expect(quote).to_contain_text("‹U+202E›evil.")
    harmless(page, answer)
    refs = answer.locator("a").evaluate_all("links => links.map(a => a.getAttribute('href'))")
    assert refs
    assert all(re.fullmatch(r"#cite/\d+-[0-9a-f]{12}/\d+-\d+", ref) for ref in refs)
    answer.locator("a.cite").first.click()
    text = panel(page).locator(".text")
    expect(text).to_contain_text("<script>window.broken = 1</script>")
    harmless(page, text)
    assert text.locator("a").count() == 0
    for forged in ("1-aaaaaaaaaaaa/0-4", "999999-aaaaaaaaaaaa/0-4"):
        page.evaluate(f"location.hash = '#cite/{forged}'")
        expect(panel(page).locator(".badge")).to_have_text("Not in the library")
        expect(panel(page).locator("h2")).to_be_visible()
        expect(panel(page).locator("mark")).to_have_count(0)
        page.keyboard.press("Escape")
    drawer = documents(page)
    expect(drawer).to_contain_text(f"{DOCUMENTS} documents")
    expect(drawer.locator("#document-list")).to_contain_text(HOSTILE_NAME)
    harmless(page, drawer)


def test_a_hostile_question_is_text_wherever_it_shows(page: Page, tmp_path: Path) -> None:
    """In the chat, its title in the list, the field that renames it and the exported page."""
    ask(page, PAYLOAD)
    ask(page, GNOME)
    asked = page.locator("#chat .asked").first
    expect(asked).to_contain_text("<script>window.broken=1</script>")
    expect(asked).to_contain_text("</div><h1>gone</h1>?")
    harmless(page, page.locator("#chat .message-row"))
    page.reload()
    expect(asked).to_contain_text("</div><h1>gone</h1>?", timeout=20_000)
    drawer = conversations(page)
    entry = drawer.locator("li")
    expect(entry.locator(".name")).to_contain_text("<img src=https://evil.example/q.png")
    harmless(page, entry, page.locator("#chat .message-row"))
    menu = menu_of(drawer, "evil.example")
    with page.expect_download() as download:
        menu.get_by_role("link", name="Web page").click()
    file = tmp_path / "exported.html"
    download.value.save_as(file)
    menu.get_by_role("button", name="Rename").click()
    entry.get_by_role("textbox").fill("<i>${window.broken=1}</i>\u202eevil")
    entry.get_by_role("button", name="Save").click()
    expect(entry.locator(".name")).to_contain_text("<i>${window.broken=1}</i>")
    expect(entry.locator(".name")).not_to_contain_text("\u202e")
    harmless(page, entry)
    runs_and_fetches_nothing(page, file)


def runs_and_fetches_nothing(page: Page, file: Path) -> None:
    """An exported page with everything hostile in it."""
    outside: list[str] = []
    opened = page.context.new_page()
    opened.on("request", lambda request: outside.append(request.url))
    opened.goto(file.as_uri())
    expect(opened.locator("body")).to_contain_text("<script>window.broken = 1</script>")
    expect(opened.locator("body")).to_contain_text("</div><h1>gone</h1>?")
    assert opened.locator("script, form, input, iframe, img[src^=http]").count() == 0
    assert opened.evaluate("window.broken") is None
    assert outside == [file.as_uri()]


@pytest.mark.slow
def test_hostile_file_names_are_text_in_the_drawer_and_the_report(
    visit: Visit, tmp_path: Path
) -> None:
    page = visit("working")
    files = []
    for number, name in enumerate(NAMES):
        (tmp_path / str(number)).mkdir()
        files.append(tmp_path / str(number) / name)
        files[-1].write_text(f"The zeppelin number {number} is moored at the northern mast.")
    drawer = documents(page)
    drawer.locator("input[type=file]").first.set_input_files(files)
    expect(drawer).to_contain_text(re.compile(r"\d+ documents? added"), timeout=30_000)
    harmless(page, drawer)
    drawer.get_by_role("searchbox", name="Search the list").fill("window.broken")
    expect(drawer.locator("#document-list")).to_contain_text(
        "${window.broken=1} {{window.broken}}.txt"
    )
    drawer.get_by_role("searchbox", name="Search the list").fill("")
    assert "\u202e" not in drawer.inner_text()
    page.keyboard.press("Escape")
    answer = ask(page, "Where is the zeppelin moored?")
    harmless(page, answer)
    for link in answer.locator("a.cite").all()[:3]:
        link.click()
        expect(panel(page).locator("mark").first).to_be_visible()
        harmless(page, panel(page).locator(".panel-head"))
        page.keyboard.press("Escape")


@pytest.mark.slow
def test_a_hostile_address_opens_an_empty_page(visit: Visit) -> None:
    addresses = (
        "?__theme=<b>&chat=%00%E2%80%AE",
        "?chat=../../etc/passwd",
        "#cite/<img src=x onerror=window.broken=1>/0-4",
        "?chat=<script>window.broken=1</script>",
    )
    page = visit()
    here = page.url
    for address in addresses:
        page.goto("about:blank")
        page.goto(f"{here}{address}")
        ready(page)
        expect(page.locator("#welcome")).to_be_visible()
        expect(page.locator("#chat .asked")).to_have_count(0)
        assert page.evaluate("window.broken") is None, address
    expect(ask(page, GNOME).locator(".quote").first).to_be_visible()
