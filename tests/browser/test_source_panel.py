"""Checking an answer: the preview, the panel, pages, search and the ways between them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from acting import ask, in_view, panel, still, width_of_page
from playwright.sync_api import Browser, Locator, Page, expect
from serving import Server
from watching import SIZES, covered, overflowing

from index import Library

if TYPE_CHECKING:
    from watching import Visit

pytestmark = pytest.mark.browser

Opens = Callable[..., Page]

POLICY = "The passenger lifts are inspected and serviced every four weeks"


@pytest.fixture
def server(servers: Callable[[str], Server]) -> Server:
    """A server over a long handbook, tables and a PDF."""
    return servers("house")


@pytest.fixture
def opens(visit: Visit) -> Opens:
    """Opens the page at a fragment, in a size."""
    return lambda fragment="", size="desk": visit(query=fragment, size=size)


def cite(server: Server, path: str, words: str = "") -> str:
    """Return the fragment that opens `words`, or the document from its beginning."""
    with Library.open(server.library, read_only=True) as library:
        info = next(info for info in library.documents() if info.path == path)
        document = f"{info.id}-{info.text_hash[:12]}"
        if not words:
            return f"#doc/{document}"
        start = library.text(info.id).index(words)
    return f"#cite/{document}/{start}-{start + len(words)}"


def settled(page: Page, name: str = "quoted") -> Locator:
    """Return the first mark or box called `name`, once it is in view."""
    mark = panel(page).locator(f".body .{name}").first
    expect(mark).to_be_visible()
    page.wait_for_function(
        "name => { const b = document.querySelector(`#source .body .${name}`)"
        "?.getBoundingClientRect(); const d = document.querySelector('#source .body')"
        ".getBoundingClientRect(); return b && b.top >= d.top && b.bottom <= d.bottom; }",
        arg=name,
    )
    return mark


def find(page: Page, words: str) -> Locator:
    """Type into the field of the source and return what it says about it."""
    panel(page).get_by_role("searchbox", name="Find in this document").fill(words)
    return panel(page).locator(".finding .count")


def test_the_preview_shows_the_sentence_between_its_neighbours(opens: Opens) -> None:
    page = opens()
    link = ask(page, "Who restarts the timetable?").locator("a.cite").first
    link.hover()
    card = page.get_by_role("tooltip")
    expect(card.locator("mark")).to_have_text("The timetable is restarted by the night watch.")
    expect(card).to_contain_text("It runs alone.")
    expect(card.locator(".where")).to_contain_text("notes.md · Ports")
    assert link.get_attribute("aria-describedby") == card.get_attribute("id")
    assert link.get_attribute("title") is None  # the browser's tooltip would lie on the card
    line, box = link.bounding_box(), card.bounding_box()
    assert line is not None
    assert box is not None
    assert box["y"] >= line["y"] + line["height"] or box["y"] + box["height"] <= line["y"]
    # The pointer may go into the card, and Esc closes it without closing anything else.
    card.hover()
    page.wait_for_timeout(500)  # longer than it stays without the pointer
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    assert link.get_attribute("aria-describedby") is None
    page.mouse.move(0, 0)
    page.keyboard.press("Shift+Tab")
    link.focus()
    expect(card).to_be_visible()
    page.keyboard.press("Tab")
    expect(card).to_be_hidden()


@pytest.mark.slow
def test_a_touch_opens_the_source_and_no_preview(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto(f"{server.address}/")
    ask(page, "Who restarts the timetable?").locator("a.cite").first.tap()
    expect(panel(page)).to_be_visible()
    expect(page.locator("#preview")).to_be_hidden()
    context.close()


def test_the_quotes_of_an_answer_are_walked_through(opens: Opens) -> None:
    page = opens()
    answer = ask(page, "How often are the lifts inspected?")
    links = answer.locator("a.cite").filter(visible=True)
    refs = list(dict.fromkeys(links.evaluate_all("all => all.map(a => a.getAttribute('href'))")))
    assert len(refs) > 1
    links.first.click()
    walk = panel(page).locator(".walk")
    expect(walk).to_contain_text(f"Quote 1 of {len(refs)}")
    entries = page.evaluate("history.length")
    for number, ref in enumerate(refs[1:], 2):
        panel(page).get_by_role("button", name="Next quote").click()
        expect(walk).to_contain_text(f"Quote {number} of {len(refs)}")
        page.wait_for_function("ref => location.hash === ref", arg=ref)
        settled(page)
        expect(panel(page).get_by_role("button", name="Next quote")).to_be_focused()
    page.keyboard.press("[")
    expect(walk).to_contain_text(f"Quote {len(refs) - 1} of {len(refs)}")
    assert page.evaluate("history.length") == entries  # Back closes the source
    page.keyboard.press("Escape")
    expect(panel(page)).to_have_count(0)
    assert page.evaluate("document.activeElement.getAttribute('href')") == refs[-2]


@pytest.mark.slow
def test_a_reference_opens_for_whoever_has_it_and_others_are_faintly_marked(
    opens: Opens, server: Server
) -> None:
    page = opens(cite(server, "notes.md", "The timetable is restarted"))
    expect(settled(page)).to_have_text("The timetable is restarted")
    expect(panel(page).locator(".badge")).to_have_text("Verbatim in the indexed text")
    page.go_back()
    page.go_forward()
    expect(settled(page)).to_have_text("The timetable is restarted")
    page.keyboard.press("Escape")
    ask(page, "Who restarts the timetable?")
    ask(page, "Which service is on port 8080?").locator("a.cite").first.click()
    settled(page)
    expect(panel(page).locator(".part .other").first).to_be_attached()


@pytest.mark.slow
def test_a_long_document_is_read_in_both_directions(opens: Opens, server: Server) -> None:
    page = opens(cite(server, "handbook.md", "The lantern is lit with whale oil"))
    mark = settled(page)
    box, frame = mark.bounding_box(), panel(page).locator(".reading").bounding_box()
    assert box is not None
    assert frame is not None
    assert abs(box["y"] - (frame["y"] + frame["height"] / 2)) < frame["height"] / 4  # centred
    reading = panel(page).locator(".reading")

    def walked(step: int, words: str) -> None:
        for _ in range(200):
            if reading.get_by_role("heading", name=words, exact=True).count():
                return
            reading.evaluate("(at, by) => at.scrollBy({ top: by, behavior: 'instant' })", step)
            page.wait_for_timeout(20)
        pytest.fail(f"{words} never came")

    walked(2_500, "Part 18")
    panel(page).get_by_role("button", name="Back to the quote").click()
    settled(page)
    walked(-2_500, "Part 9")
    assert reading.locator(".part").count() <= 10
    # What is read does not move when more comes above it.
    reading.evaluate("at => at.scrollTo({ top: 950, behavior: 'instant' })")
    page.evaluate(
        "() => { const at = document.querySelector('#source .reading');"
        " const top = at.getBoundingClientRect().top;"
        " window.seen = [...at.querySelectorAll('p, h3')]"
        ".find(one => one.getBoundingClientRect().top > top);"
        " window.was = window.seen.getBoundingClientRect().top; }"
    )
    page.evaluate("() => { window.first = document.querySelector('#source .part'); }")
    reading.evaluate("at => at.scrollBy({ top: -200, behavior: 'instant' })")
    page.wait_for_function("() => document.querySelector('#source .part') !== window.first")
    moved = page.evaluate("window.seen.getBoundingClientRect().top - window.was")
    assert abs(moved - 200) <= 1


@pytest.mark.slow
def test_headings_are_jumped_to(opens: Opens, server: Server) -> None:
    page = opens(cite(server, "handbook.md"))
    expect(panel(page).locator(".badge")).to_have_text("As indexed")
    contents = panel(page).get_by_role("button", name="Contents")
    contents.click()
    expect(contents).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(contents).to_be_focused()
    expect(panel(page)).to_be_visible()
    contents.click()
    panel(page).get_by_role("button", name="Part 31", exact=True).click()
    heading = panel(page).get_by_role("heading", name="Part 31", exact=True)
    expect(heading).to_be_visible()
    assert in_view(page, heading)
    contents.click()
    expect(panel(page).locator("[aria-current=location]")).to_have_text("Part 31")


@pytest.mark.slow
def test_words_are_found_in_the_whole_document(opens: Opens, server: Server) -> None:
    page = opens(cite(server, "handbook.md", "The lantern is lit with whale oil"))
    settled(page)
    expect(find(page, "part")).to_have_text("14 of 36")
    expect(settled(page, "now")).to_have_text("Part")
    field = panel(page).get_by_role("searchbox")
    field.press("Shift+Enter")
    expect(panel(page).locator(".finding .count")).to_have_text("13 of 36")
    for number in ("14", "15", "16"):
        field.press("Enter")
        expect(panel(page).locator(".finding .count")).to_have_text(f"{number} of 36")
    settled(page, "now")
    expect(find(page, "nowhere to be seen")).to_have_text("Not found")
    field.press("Escape")
    expect(field).to_have_value("")
    expect(field).to_be_focused()
    expect(panel(page).locator("mark.hit")).to_have_count(0)
    expect(panel(page)).to_be_visible()
    # The browser's own search would see only what is loaded.
    panel(page).locator("h2").focus()
    page.keyboard.press("Control+f")
    expect(field).to_be_focused()


@pytest.mark.slow
def test_tables_lists_and_code_look_like_it(opens: Opens, server: Server) -> None:
    page = opens(cite(server, "notes.md", "8080 | public timetable"))
    expect(settled(page)).to_have_text("8080")
    table = panel(page).locator("table")
    expect(table.get_by_role("columnheader")).to_have_text(
        ["Port", "Service", "Reachable from", "Encrypted", "Owner", "Restarted"]
    )
    expect(table.locator("mark")).to_have_text(["8080", "public timetable"])
    expect(panel(page).locator("pre")).to_have_text("def start():\n    pass")
    page.evaluate("hash => { location.hash = hash }", cite(server, "hours.csv", "Day: Sunday"))
    expect(panel(page).locator("h2")).to_have_text("hours.csv")
    row = panel(page).locator("tr", has=page.locator("mark"))
    expect(row.locator("td").first).to_have_text("Sunday")
    expect(panel(page).get_by_role("columnheader").first).to_have_text("Day")


@pytest.mark.slow
def test_pages_are_turned_enlarged_and_read_as_text(opens: Opens, server: Server) -> None:
    page = opens(cite(server, "policy.pdf", POLICY))
    settled(page)
    expect(panel(page).locator("blockquote")).to_have_text(f"“{POLICY}”")
    image = panel(page).locator("img")
    expect(image).to_have_attribute("alt", re.compile("Page 2 of policy.pdf"))
    page.wait_for_function("() => document.querySelector('#source img').naturalWidth > 700")
    panel(page).get_by_role("button", name="Next page").click()
    field = panel(page).get_by_role("spinbutton", name="Page")
    expect(field).to_have_value("3")
    expect(panel(page).locator(".box.quoted")).to_have_count(0)
    desk = panel(page).locator(".desk")
    desk.focus()
    page.keyboard.press("ArrowRight")
    expect(field).to_have_value("4")
    field.fill("99")
    field.press("Enter")
    expect(field).to_have_value("5")
    expect(panel(page).get_by_role("button", name="Next page")).to_be_disabled()
    original = panel(page).get_by_role("link", name="Open original at page 5")
    assert (original.get_attribute("href") or "").endswith("/file#page=5")
    field.fill("2")
    field.press("Enter")
    settled(page)
    width = image.bounding_box()
    panel(page).get_by_role("button", name="Larger").click()
    larger = image.bounding_box()
    assert width is not None
    assert larger is not None
    assert larger["width"] == pytest.approx(width["width"] * 1.25, rel=0.02)
    desk.focus()
    page.keyboard.press("0")
    assert image.bounding_box() == pytest.approx(width, abs=1)
    panel(page).get_by_role("button", name="Text", exact=True).click()
    # Lines of the page are lines of the text, shown as one.
    expect(settled(page)).to_have_text(POLICY)
    expect(image).to_be_hidden()
    panel(page).get_by_role("button", name="Page", exact=True).click()
    settled(page)


@pytest.mark.slow
def test_words_are_found_on_pages_too(opens: Opens, server: Server) -> None:
    page = opens(cite(server, "policy.pdf", POLICY))
    settled(page)
    expect(find(page, "logbook")).to_have_text(re.compile(r"^\d+ of \d+$"))
    settled(page, "now")
    count = panel(page).locator(".finding .count")
    at, total = (int(number) for number in (count.text_content() or "").split(" of "))
    pages = set()
    field = panel(page).get_by_role("searchbox")
    for step in range(total):
        field.press("Enter")
        expect(count).to_have_text(f"{(at + step) % total + 1} of {total}")
        settled(page, "now")
        pages.add(panel(page).get_by_role("spinbutton").input_value())
    assert len(pages) > 1


@pytest.mark.slow
def test_the_original_opens_in_a_new_tab_at_the_page(opens: Opens, server: Server) -> None:
    page = opens(cite(server, "policy.pdf", POLICY))
    settled(page)
    link = panel(page).get_by_role("link", name="Open original at page 2")
    assert link.get_attribute("target") == "_blank"
    reply = page.request.get(f"{server.address}{link.get_attribute('href')}")
    assert reply.headers["content-type"] == "application/pdf"
    assert reply.headers["content-disposition"].startswith("inline")


@pytest.mark.slow
def test_a_changed_or_missing_file_is_told_in_words(opens: Opens, server: Server) -> None:
    file = server.library.with_suffix("") / "gate.txt"
    before = file.read_text()
    fragment = cite(server, "gate.txt", "The gate opens")
    file.write_text("The gate opens at nine.\n")
    try:
        page = opens(fragment)
        expect(panel(page).locator(".badge")).to_have_text(
            "The file has changed since it was indexed"
        )
        expect(panel(page).get_by_role("link", name="Download original")).to_have_count(0)
        page.evaluate(
            "document.addEventListener('quoth:check-changes', () => { window.checked = true })"
        )
        panel(page).get_by_role("button", name="Check for changes").click()
        assert page.evaluate("window.checked")
        file.unlink()
        page.reload()
        expect(panel(page).locator(".badge")).to_have_text(
            "The file is gone; text kept from the index"
        )
        expect(settled(page)).to_have_text("The gate opens")
    finally:
        file.write_text(before)
    page.evaluate("location.hash = '#cite/1-aaaaaaaaaaaa/0-4'")
    expect(panel(page).locator(".note")).to_contain_text("This link is not a citation")
    expect(panel(page).locator(".badge")).to_have_text("Not in the library")


@pytest.mark.slow
def test_the_width_is_chosen_by_keyboard_and_kept(opens: Opens, server: Server) -> None:
    fragment = cite(server, "policy.pdf", POLICY)
    page = opens(fragment)
    settled(page)
    still(page)
    handle = panel(page).get_by_role("separator", name="Width of the source")
    before = panel(page).bounding_box()
    handle.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    after = panel(page).bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] == pytest.approx(before["width"] + 0.06 * 1280, abs=2)
    page.reload()
    settled(page)
    still(page)
    assert panel(page).bounding_box() == pytest.approx(after, abs=1)
    chat = page.locator("#question").bounding_box()
    assert chat is not None
    assert chat["x"] + chat["width"] <= after["x"]  # beside the chat, not over it


@pytest.mark.slow
@pytest.mark.parametrize("size", ["small", "zoomed"])
def test_on_a_small_screen_it_is_a_sheet_that_is_pulled_down(
    opens: Opens, server: Server, size: str
) -> None:
    page = opens(cite(server, "policy.pdf", POLICY), size=size)
    window = SIZES[size]
    settled(page)
    assert page.evaluate("document.querySelector('#source').matches(':modal')")
    assert width_of_page(page) <= window.width
    assert overflowing(page) == []
    assert covered(page) == []
    find(page, "lift")
    settled(page, "now")
    assert covered(page) == []
    page.evaluate("hash => { location.hash = hash }", cite(server, "notes.md", "8080 | public"))
    expect(panel(page).locator("h2")).to_have_text("Ports")
    settled(page)
    assert width_of_page(page) <= window.width
    top = panel(page).bounding_box()
    assert top is not None
    x, y = window.width / 2, top["y"] + 8
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 20, steps=4)
    page.mouse.move(x, y + window.height / 2, steps=4)
    page.mouse.up()
    expect(panel(page)).to_have_count(0)
    assert "#cite" not in page.url
