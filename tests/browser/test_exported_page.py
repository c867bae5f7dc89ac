"""An exported page in Chromium: it reads well everywhere, prints, and loads nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from acting import resize
from playwright.sync_api import Browser
from small import new_library, write
from watching import overflowing, violations

from qa import Chat
from qa.export import ExportedTurn, conversation_to_html

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HOSTILE = "<img src='http://evil.example/x.png' onerror='alert(1)'><script>alert(2)</script>"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A conversation with an answer, a disagreement, an abstention, a problem and bad words."""
    folder = tmp_path_factory.mktemp("exported")
    write(
        folder / "house",
        {
            "policy-2024.md": "# Lift policy\n\nThe lift is inspected every six months.\n",
            "policy-2021.md": "# Lift policy\n\nThe lift is inspected every twelve months.\n",
            "bad.md": f"# Costs\n\nThe costs of the {HOSTILE} garden are {'very ' * 30}high.\n",
            f"{'long-name-' * 12}.md": "# Roof\n\nThe roof was repaired in 1987.\n",
        },
    )
    with new_library(folder / "house.quoth", folder / "house") as library:
        chat = Chat(library)
        questions = (
            "How often is the lift inspected?",
            "What are the costs of the garden?",
            "When was the roof repaired?",
            "Who won the football match?",
        )
        turns = [ExportedTurn(question=each, answer=chat.ask(each)) for each in questions]
    turns.append(ExportedTurn(question=HOSTILE, problem="The question is too long.", lost=1))
    page = folder / "page.html"
    page.write_text(conversation_to_html("Lifts", turns), encoding="utf-8")
    return page


def test_an_exported_page_is_accessible_narrow_and_wide(browser: Browser, exported: Path) -> None:
    # Axe runs as a script, which the page itself forbids.
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(exported.as_uri())
    for size in ("small", "desk"):
        resize(page, size)
        assert overflowing(page) == []
        page.emulate_media(color_scheme="light")
        assert violations(page) == []
        page.emulate_media(color_scheme="dark")
        assert violations(page, "colours") == []
    context.close()


def test_an_exported_page_asks_for_nothing_and_says_nothing_to_the_console(
    browser: Browser, exported: Path
) -> None:
    page = browser.new_page()
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("console", lambda message: seen.append(message.text))
    page.on("dialog", lambda dialog: seen.append(dialog.message))
    page.goto(exported.as_uri())
    assert page.get_by_role("heading", name="Lifts").is_visible()
    assert seen == [exported.as_uri()]
    page.close()


def test_an_exported_page_prints_in_its_light_colours(browser: Browser, exported: Path) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(exported.as_uri())
    page.emulate_media(media="print")
    colours = page.evaluate(
        "() => [document.body, document.querySelector('blockquote')]"
        ".map((element) => [getComputedStyle(element).color,"
        " getComputedStyle(element).backgroundColor])"
    )
    assert colours[0] == ["rgb(30, 34, 39)", "rgb(255, 255, 255)"]
    assert page.pdf(format="A4").startswith(b"%PDF")
    context.close()
