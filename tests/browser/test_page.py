"""People ask, read, check, add and remove: the real page in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

TITLE = "House & <i>garden</i>"  # as tests/browser/conftest.py starts the server

pytestmark = pytest.mark.browser

DOGS = "Where are dogs kept on a lead?"
PDF = "How often are the passenger lifts inspected and serviced?"
both_addresses = pytest.mark.parametrize("page", ["", "?__theme=dark"], indirect=True)


def ask(page: Page, question: str) -> Locator:
    """Ask and return the new answer."""
    answers = page.locator(".answer")
    before = answers.count()
    box = page.get_by_role("textbox", name="Question")
    box.fill(question)
    box.press("Enter")
    expect(answers).to_have_count(before + 1, timeout=20_000)
    expect(box).to_have_value("")
    return answers.nth(before)


def panel(page: Page) -> Locator:
    return page.locator("#source[open]")


def in_view(page: Page, element: Locator) -> bool:
    box, size = element.bounding_box(), page.viewport_size
    assert box is not None
    assert size is not None
    return box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


def width_of_page(page: Page) -> Any:  # noqa: ANN401 - a number from JavaScript
    return page.evaluate("document.documentElement.scrollWidth")


def test_the_empty_page_says_what_it_is_and_offers_questions(page: Page) -> None:
    expect(page).to_have_title(TITLE)
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(page.locator("#welcome")).to_contain_text("5 documents with")
    examples = page.locator("#welcome .example")
    expect(examples.first).to_be_visible()
    page.locator("#welcome .example", has_text="Garden rules").click()
    expect(page.locator(".answer .quote").first).to_contain_text("Dogs are kept on a lead")


@both_addresses
def test_a_citation_opens_by_click_at_the_quote(page: Page) -> None:
    """With a query in the address too: there Gradio's <base> would load the page anew."""
    answer = ask(page, "What did the owners agree to replace?")
    expect(answer).to_contain_text("“The owners agreed to replace the boiler in June 2024.”")
    link = answer.locator("a.cite").first
    link.click()
    mark = panel(page).locator("mark").first
    expect(mark).to_have_text("The owners agreed to replace the boiler in June 2024.")
    assert in_view(page, mark)
    expect(panel(page).locator(".where")).to_contain_text("2024.txt")
    expect(page.locator("#source h2")).to_be_focused()
    expect(page.locator(".answer")).to_have_count(1)  # the chat is still there
    assert page.url.endswith(link.get_attribute("href") or "nothing")


@both_addresses
def test_a_citation_opens_by_enter_and_escape_gives_the_focus_back(page: Page) -> None:
    link = ask(page, DOGS).locator("a.cite").first
    link.focus()
    page.keyboard.press("Enter")
    expect(panel(page).locator("mark")).to_have_text("Dogs are kept on a lead in the garden.")
    page.keyboard.press("Escape")
    expect(panel(page)).to_have_count(0)
    expect(link).to_be_focused()
    assert "#cite" not in page.url
    expect(page.locator(".answer")).to_have_count(1)


def test_a_citation_survives_a_reload_and_back(page: Page) -> None:
    ask(page, DOGS).locator("a.cite").first.click()
    expect(panel(page).locator("mark")).to_be_visible()
    page.reload()
    expect(panel(page).locator("mark")).to_have_text("Dogs are kept on a lead in the garden.")
    page.go_back()
    expect(panel(page)).to_have_count(0)


def test_a_forged_citation_shows_a_sentence(page: Page) -> None:
    page.evaluate("location.hash = '#cite/1-aaaaaaaaaaaa/0-4'")
    expect(panel(page)).to_contain_text("This link is not a citation of the document it names.")


def test_a_follow_up_is_understood_and_says_what_was_searched(page: Page) -> None:
    expect(ask(page, PDF)).not_to_contain_text("Searched for")
    answer = ask(page, "And the goods lift?")
    expect(answer.locator(".searched")).to_contain_text("Searched for:")
    expect(answer.locator(".quote").first).to_contain_text("goods lift")


def test_a_pdf_shows_the_page_with_the_words_marked(page: Page) -> None:
    answer = ask(page, PDF)
    quote = answer.locator(".quote", has_text="policy.pdf").first
    quote.locator("a.cite").first.click()
    box = panel(page).locator(".box").first
    expect(box).to_be_visible()
    expect(panel(page).locator("img")).to_have_js_property("complete", True)
    assert page.evaluate("document.querySelector('#source img').naturalWidth") > 500
    page.wait_for_function(
        "() => { const b = document.querySelector('#source .box').getBoundingClientRect();"
        " return b.top > 0 && b.bottom < innerHeight; }"
    )
    expect(panel(page).locator("blockquote")).to_contain_text("The passenger lifts are inspected")
    panel(page).get_by_role("button", name="Enlarge").click()
    assert in_view(page, box)
    panel(page).get_by_role("button", name="Text").click()
    expect(panel(page).locator("mark").first).to_be_visible()
    expect(panel(page).locator("img")).to_be_hidden()


def test_what_the_documents_do_not_say_looks_different(page: Page) -> None:
    answer = ask(page, "Who won the chess championship in Reykjavik?")
    expect(answer).to_contain_text("The documents do not say.")
    expect(answer).to_contain_text("“Reykjavik”")
    expect(answer.locator(".quote")).to_have_count(0)


def test_a_question_that_cannot_be_asked_gets_a_sentence(page: Page) -> None:
    expect(ask(page, "x" * 2_001)).to_contain_text("2,000")


def test_a_new_conversation_is_empty_and_knows_nothing_of_the_old(page: Page) -> None:
    ask(page, DOGS)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator("#welcome .example").first).to_be_visible()
    expect(page.locator(".answer")).to_have_count(0)
    expect(ask(page, DOGS)).not_to_contain_text("Searched for")


def test_the_last_question_can_be_asked_again(page: Page) -> None:
    ask(page, DOGS)
    page.get_by_role("button", name="Retry").click()
    page.wait_for_timeout(500)
    expect(page.locator(".answer")).to_have_count(1)
    expect(page.locator(".answer")).to_contain_text("Dogs are kept on a lead")


def test_documents_are_added_reported_and_removed(page: Page, tmp_path: Path) -> None:
    pool = tmp_path / "pool.txt"
    pool.write_text("The swimming pool opens at seven in the morning.")
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4 cut")
    page.get_by_role("button", name="Documents").click()
    drawer = page.locator("#documents[open]")
    expect(drawer).to_contain_text("5 documents")
    drawer.locator("input[type=file]").set_input_files([pool, broken])
    report = drawer.locator("#sync-report")
    expect(report).to_contain_text("1 document added, 1 skipped.", timeout=20_000)
    expect(report.locator(".skipped")).to_contain_text("broken.pdf damaged")
    expect(drawer).to_contain_text("6 documents")
    page.keyboard.press("Escape")
    expect(page.locator("#open-documents")).to_be_focused()
    answer = ask(page, "When does the swimming pool open?")
    expect(answer).to_contain_text("“The swimming pool opens at seven in the morning.”")
    page.get_by_role("button", name="Documents").click()
    drawer.get_by_role("button", name="Remove pool.txt").click()
    expect(drawer.get_by_role("button", name="Remove", exact=True)).to_be_focused()
    expect(drawer).to_contain_text("The uploaded copy is deleted.")
    drawer.get_by_role("button", name="Keep").click()
    expect(drawer.get_by_role("button", name="Remove pool.txt")).to_be_focused()
    drawer.get_by_role("button", name="Remove pool.txt").click()
    drawer.get_by_role("button", name="Remove", exact=True).click()
    expect(drawer).to_contain_text("5 documents")
    page.keyboard.press("Escape")
    expect(ask(page, "When does the swimming pool open?")).not_to_contain_text("at seven")
    answer.locator("a.cite").first.click()
    expect(panel(page)).to_contain_text("pool.txt was removed from the library.")


def test_a_hostile_document_is_text_and_asks_no_other_host(page: Page) -> None:
    """The fixture checks that no request left the machine."""
    answer = ask(page, "What is the garden gnome code?")
    expect(answer).to_contain_text("<script>window.broken = 1</script>")
    expect(answer).to_contain_text("![x](https://evil.example/y.png) $$x^2$$ ${window.broken=1}")
    expect(answer).to_contain_text("‹U+202E›evil.")
    assert answer.locator("script, img, form, input, b, .katex").count() == 0
    refs = answer.locator("a").evaluate_all("links => links.map(a => a.getAttribute('href'))")
    assert refs
    assert all(re.fullmatch(r"#cite/\d+-[0-9a-f]{12}/\d+-\d+", ref) for ref in refs)
    assert not any("aaaaaaaaaaaa" in ref for ref in refs)
    answer.locator("a.cite").first.click()
    expect(panel(page).locator(".text")).to_contain_text("<script>window.broken = 1</script>")
    assert panel(page).locator("script, img, form, input, b, a").count() == 0
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Documents").click()
    expect(page.locator("#documents")).to_contain_text("<img src=x onerror=alert(1)>.txt")
    assert page.locator("#documents img").count() == 0
    assert page.evaluate("window.broken") is None


def test_on_a_narrow_screen_the_source_is_a_sheet(page: Page) -> None:
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        answer = ask(page, PDF)
        assert width_of_page(page) <= width
        answer.locator("a.cite").first.click()
        sheet = panel(page)
        expect(sheet.locator(".quoted").first).to_be_visible()
        assert page.evaluate("document.querySelector('#source').matches(':modal')")
        box = sheet.bounding_box()
        assert box is not None
        assert (box["x"], box["width"]) == (0, width)
        assert width_of_page(page) <= width
        page.keyboard.press("Escape")
        expect(sheet).to_have_count(0)
        page.get_by_role("button", name="Documents").click()
        expect(page.locator("#documents[open]")).to_be_visible()
        assert width_of_page(page) <= width
        page.keyboard.press("Escape")


@pytest.mark.parametrize("page", ["?__theme=light", "?__theme=dark"], indirect=True)
def test_nothing_keeps_anyone_out(page: Page) -> None:
    """axe-core finds nothing on the empty page, the answers, the panels; in both themes."""
    assert violations(page) == []
    ask(page, "Who won the chess championship in Reykjavik?")
    ask(page, PDF).locator("a.cite").first.click()
    expect(panel(page).locator(".quoted").first).to_be_visible()
    page.wait_for_timeout(300)
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Documents").click()
    page.locator("#documents .remove").first.click()
    page.wait_for_timeout(300)
    assert violations(page) == []


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]
