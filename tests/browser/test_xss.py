"""Every payload, everywhere a person sees text of others: none acts, and all of it can be read.

The browser ignores content security policies here, so that nothing is saved by them: what does
not act was never more than text. `test_xss_policies.py` is about the policies themselves.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from acting import ask, documents, panel, ready
from detector import Detector, missing, squeezed, strange
from hostile_house import PRINTED
from markdown_it import MarkdownIt
from payloads import FILE_NAMES, KINDS, PAYLOADS, TEXTS
from playwright.sync_api import Page, expect
from serving import Server

from qa.visible import file_name, visible

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MESSAGES = "#chat :is(.asked, .answer)"
MOST = 1_900  # characters of a question


@pytest.fixture
def page(seen: Detector, hostile: Server) -> Page:
    """The page over the hostile documents."""
    return opened(seen, hostile)


def opened(seen: Detector, server: Server, rest: str = "") -> Page:
    seen.page.goto(f"{server.address}/{rest}")
    ready(seen.page)
    seen.check("the empty page")
    return seen.page


def questions() -> list[str]:
    """Return questions of as many payloads as fit into one, each on lines of its own."""
    asked = [""]
    for text in PAYLOADS:
        if len(asked[-1]) + len(text) + 1 > MOST:
            asked.append("")
        asked[-1] += f"{text}\n"
    return [each.strip("\n") for each in asked]


def test_the_detector_sees_what_is_not_escaped(seen: Detector) -> None:
    """Without this, the other tests would show nothing."""
    seen.page.goto("about:blank")
    tried = [*KINDS["scripts"], *KINDS["handlers"], *KINDS["svg"], *KINDS["mutations"]]
    for text in tried:
        seen.page.evaluate(_UNESCAPED, text)
    seen.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=margin:0>x')")
    assert not strange(seen.page, "body > p")
    seen.page.wait_for_timeout(300)
    fired = "\n".join(seen.fired)
    assert len(seen.fired) > 70, fired
    assert "alert(1)" in fired
    assert "asked https://evil.example/i.svg" in fired
    told = "\n".join(strange(seen.page, "#control"))
    for what in ("<script", "<img", "<svg", "attribute onerror", "<style", "<math"):
        assert what in told, what
    other = seen.context.new_page()
    other.set_content("<main><iframe srcdoc='<script>alert(1)</script>'></iframe></main>")
    other.evaluate("window.open('about:blank')")
    other.wait_for_timeout(300)
    assert "alert(1) in about:srcdoc" in "\n".join(seen.fired)
    assert seen.fired.count("a window opened") == 2
    assert "<iframe" in "\n".join(strange(other, "main"))
    with pytest.raises(AssertionError):
        seen.check("the control page")


_UNESCAPED = """(text) => {
  const place = document.querySelector("#control") ?? document.createElement("div");
  place.id = "control";
  document.body.append(place);
  const one = document.createElement("div");
  place.append(one);
  one.append(document.createRange().createContextualFragment(text));
}"""


def test_questions_are_text_also_after_a_reload_and_in_every_export(
    page: Page, seen: Detector, tmp_path: Path
) -> None:
    asked = questions()
    for question in asked:
        ask(page, question)
    shown_as_text(page, seen, "the questions")
    assert missing(page, MESSAGES, PAYLOADS) == []
    page.reload()
    expect(page.locator("#chat .asked")).to_have_count(len(asked), timeout=20_000)
    shown_as_text(page, seen, "the questions loaded again")
    assert missing(page, MESSAGES, PAYLOADS) == []
    exports_are_text(page, seen, tmp_path, PAYLOADS)


def test_answers_are_text_with_their_places_cards_and_copies(page: Page, seen: Detector) -> None:
    seen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    read: set[str] = set()
    names: set[str] = set()
    words = [re.findall(r"[a-z]{4,}", text) for text in TEXTS[::9]]
    asked = [
        "Where is the airship moored?",
        "When is the lantern lit?",
        "What is specimens.txt about?",
        "Which documents do you have?",
        *(f"Which specimen has {' '.join(each[:4])}?" for each in words if each),
    ]
    for question in asked:
        answer = ask(page, question)
        answer.evaluate(_UNFOLDED)
        shown_as_text(page, seen, question)
        shown = squeezed(answer.evaluate("(one) => one.textContent"))
        read |= {text for text in TEXTS if squeezed(visible(text)) in shown}
        names |= {name for name in FILE_NAMES if squeezed(file_name(name)) in shown}
    assert len(read) > 100, sorted(set(TEXTS) - read)
    assert len(names) > 30
    cards_are_text(page, seen)
    copies_are_text(page, seen)


_UNFOLDED = """(one) => {
  for (const fold of one.querySelectorAll("details")) fold.open = true;
}"""


def shown_as_text(page: Page, seen: Detector, where: str) -> None:
    seen.check(where)
    assert strange(page, MESSAGES) == [], where
    assert page.locator("#chat :is(script, iframe, img, .katex, .prose pre)").count() == 0


def cards_are_text(page: Page, seen: Detector) -> None:
    """What is shown beside a marker under the pointer."""
    markers = page.locator("#chat .said a.cite:visible")
    card = page.locator("#preview")
    for marker in markers.all()[:: max(markers.count() // 12, 1)]:
        marker.scroll_into_view_if_needed()
        page.mouse.move(0, 0)
        marker.hover()
        expect(card).to_be_visible()
        assert strange(page, "#preview") == []
    page.mouse.move(0, 0)
    seen.check("the cards")


def copies_are_text(page: Page, seen: Detector) -> None:
    """What is copied by hand, as HTML, and pasted where markup counts; and by the button."""
    page.evaluate(
        """() => {
          const range = document.createRange();
          range.selectNodeContents(document.querySelector("#chat [role=log]"));
          getSelection().removeAllRanges();
          getSelection().addRange(range);
          document.execCommand("copy");
        }"""
    )
    kinds: dict[str, str] = page.evaluate(_CLIPBOARD)
    assert "text/html" in kinds
    assert "alert(1)" in kinds["text/html"]
    other = seen.context.new_page()
    seen.fired.remove("a window opened")
    other.set_content("<div id=pasted></div>")
    other.evaluate("(markup) => { pasted.innerHTML = markup; }", kinds["text/html"])
    other.wait_for_timeout(200)
    assert (
        other.locator("#pasted :is(script, iframe, object, embed, form, base, meta)").count() == 0
    )
    assert other.evaluate(_ON) == []
    other.close()
    seen.check("what was pasted")
    page.locator("#chat .act.copy").last.click()
    expect(page.locator("#chat .flash")).to_be_visible()
    plain: str = page.evaluate("navigator.clipboard.readText()")
    assert plain
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", plain)


_CLIPBOARD = """async () => {
  const kinds = {};
  for (const item of await navigator.clipboard.read()) {
    for (const type of item.types) kinds[type] = await (await item.getType(type)).text();
  }
  return kinds;
}"""
_ON = """() => [...document.querySelectorAll("#pasted *")].flatMap((one) =>
  [...one.attributes].filter(({ name, value }) => name.startsWith("on")
    || (/^(href|src|action|data)$/.test(name) && !/^https?:..127[.]0[.]0[.]1:/.test(value)))
    .map(({ name }) => `${one.tagName} ${name}`))"""


def exports_are_text(page: Page, seen: Detector, folder: Path, texts: tuple[str, ...]) -> None:
    """The conversation on screen as a web page, as Markdown that is rendered, and as JSON."""
    number = re.search(r"chat=(\w+)", page.url)
    assert number
    files = {}
    for form in ("html", "markdown", "json"):
        address = f"/api/conversations/{number[1]}/export?format={form}"
        reply = page.request.get(page.url.split("/?")[0] + address)
        assert reply.ok
        assert re.fullmatch(
            r'attachment; filename="quoth[a-z0-9-]*\.(html|md|json)"',
            reply.headers["content-disposition"],
        )
        files[form] = folder / f"exported.{form}"
        files[form].write_bytes(reply.body())
    plain = json.loads(files["json"].read_bytes())
    assert [turn["question"] for turn in plain["turns"]] == questions()
    other = seen.context.new_page()
    seen.fired.remove("a window opened")
    for form in ("html", "json"):
        other.goto(files[form].as_uri())
        other.wait_for_timeout(200)
        seen.check(f"the export as {form}")
    assert strange_in_export(other, files["html"]) == []
    assert missing(other, "body", texts) == []
    markup = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(
        files["markdown"].read_text("utf-8")
    )
    other.goto("about:blank")
    other.set_content(f"<!doctype html><meta charset=utf-8><main>{markup}</main>")
    other.wait_for_timeout(200)
    seen.check("the export as Markdown")
    assert strange(other, "main") == []
    assert missing(other, "main", texts) == []
    other.close()


def strange_in_export(page: Page, file: Path) -> list[str]:
    page.goto(file.as_uri())
    return strange(page, "body > *")


def test_documents_are_text_in_the_panel_its_contents_and_its_search(
    page: Page, seen: Detector
) -> None:
    page.set_viewport_size({"width": 1280, "height": 4_000})
    for name, texts in _BY_DOCUMENT.items():
        open_document(page, name)
        assert missing(page, "#source .text", texts) == [], name
        contents = panel(page).get_by_role("button", name="Contents")
        if contents.is_visible():
            contents.click()
            assert strange(page, "#source-contents") == []
            page.keyboard.press("Escape")
        field = panel(page).get_by_role("searchbox", name="Find in this document")
        for sought in ("<img src=x onerror=alert(1)>", "alert"):
            field.fill(sought)
            expect(panel(page).locator(".finding .count")).not_to_be_empty()
            assert strange(page, "#source") == [], name
            seen.check(f"{name}, searched for {sought}")
        field.fill("")


_BY_DOCUMENT = {
    "specimens.txt": TEXTS,
    "headings.md": tuple(text for text in TEXTS),
    "page.html": TEXTS[:45],
    "table-0.csv": TEXTS[:45],
    "printed.pdf": (),
}


def open_document(page: Page, name: str) -> None:
    """Open a document from the drawer and load all of it."""
    drawer = documents(page)
    drawer.get_by_role("searchbox", name="Search the list").fill(name)
    drawer.locator("a.name", has_text=name).first.click()
    expect(panel(page).locator(".panel-head .where")).to_contain_text(name)
    as_text = panel(page).get_by_role("button", name="Text", exact=True)
    if as_text.count():
        expect(panel(page).locator("img").first).to_be_visible()
        assert strange(page, "#source") == []
        as_text.click()
    page.evaluate(_TO_THE_END)


_TO_THE_END = """async () => {
  const scroll = document.querySelector("#source .scroll.reading");
  for (let quiet = 0, before = 0; quiet < 8; ) {
    scroll.scrollTop = scroll.scrollHeight;
    await new Promise((done) => setTimeout(done, 60));
    quiet = scroll.scrollHeight === before ? quiet + 1 : 0;
    before = scroll.scrollHeight;
  }
}"""


def test_names_titles_and_reasons_are_text_in_the_drawer(page: Page, seen: Detector) -> None:
    page.set_viewport_size({"width": 1280, "height": 30_000})
    drawer = documents(page)
    expect(drawer.locator("li.document").last).to_be_visible()
    expect(drawer).to_contain_text("could not be read")
    for fold in drawer.locator("details:not([open]) > summary").all():
        fold.click()
    everything = drawer.get_by_role("button", name="Show all")
    if everything.count():
        everything.first.click()
    assert missing(page, "#document-list", [file_name(name) for name in FILE_NAMES]) == []
    assert strange(page, "#documents") == []
    seen.check("the drawer")
    search = drawer.get_by_role("searchbox", name="Search the list")
    for text in PAYLOADS[::6]:
        search.fill(text.replace("\n", " ").replace("\r", " "))
    search.fill("onerror")
    assert strange(page, "#documents") == []
    drawer.get_by_role("button", name=re.compile("^Remove ")).first.click()
    assert strange(page, "#documents") == []
    page.keyboard.press("Escape")
    drawer.get_by_role("button", name="Check for changes").click()
    expect(drawer).to_contain_text("Everything is up to date.", timeout=30_000)
    assert strange(page, "#documents") == []
    seen.check("the drawer, used")


def test_there_are_many_payloads_and_each_is_another() -> None:
    assert len(PAYLOADS) == len(set(PAYLOADS)) >= 250
    assert len(PRINTED) > 200
