"""The second wall: what would become an element all the same is stopped by a policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from acting import ready
from detector import Detector
from payloads import KINDS
from playwright.sync_api import Browser

from qa.export import ExportedTurn, conversation_to_html

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TRIED = [*KINDS["scripts"], *KINDS["handlers"], *KINDS["svg"], *KINDS["mutations"]]
# Without a policy this is what `test_xss.py` shows to fire.
UNESCAPED = """(texts) => {
  for (const text of texts) {
    const one = document.createElement("div");
    document.body.append(one);
    one.append(document.createRange().createContextualFragment(text));
  }
}"""


@pytest.fixture
def seen(browser: Browser) -> Iterator[Detector]:
    """A browser that keeps to policies, watched."""
    detector = Detector(browser, policies=True)
    yield detector
    detector.close()


def test_the_page_runs_no_script_that_is_not_its_own(seen: Detector, address: str) -> None:
    page = seen.page
    page.goto(address)
    ready(page)
    page.evaluate(UNESCAPED, [text for text in TRIED if "<meta" not in text])
    page.wait_for_timeout(500)
    assert [what for what in seen.fired if "alert" in what or "prompt" in what] == []
    assert not any("evil.example" in what and "asked" not in what for what in seen.fired)


def test_an_exported_page_runs_nothing_at_all(seen: Detector, tmp_path: Path) -> None:
    whole = conversation_to_html("x", [ExportedTurn(question="x", problem="none")])
    file = tmp_path / "page.html"
    file.write_text(whole.replace("</main>", f"{''.join(TRIED[:40])}</main>"), "utf-8")
    seen.page.goto(file.as_uri())
    seen.page.wait_for_timeout(500)
    assert [what for what in seen.fired if "alert" in what] == []
