"""Takes the pictures of this folder anew: the real page over the example documents.

python docs/screenshots.py

Needs the extra `test` and Debian's chromium.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu"]
DESK, PHONE = (1280, 800), (390, 844)

LIFTS = "How often are the lifts inspected?"
PAYS = "Who pays for the lifts?"
CHESS = "Who won the chess championship?"


def main() -> None:
    """Write chat.png, dark.png, documents.png and phone.png."""
    from playwright.sync_api import sync_playwright

    with TemporaryDirectory() as folder, _server(Path(folder)) as address, sync_playwright() as p:
        browser = p.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        with _page(browser, address, DESK, "light") as page:
            _ask(page, LIFTS)
            page.locator("#chat a.cite").first.click()
            page.locator("#source .box").first.wait_for()
            _save(page, "chat")
        with _page(browser, address, DESK, "dark") as page:
            _ask(page, PAYS)
            page.locator("#chat a.cite").first.click()
            page.locator("#source mark").first.wait_for()
            _save(page, "dark")
        with _page(browser, address, DESK, "light") as page:
            _ask(page, CHESS)
            page.locator("#open-documents").click()
            page.locator("#documents[open] input[type=checkbox]").nth(2).check()
            page.locator("#documents[open] input[type=checkbox]").nth(4).check()
            _save(page, "documents")
        with _page(browser, address, PHONE, "light") as page:
            _ask(page, PAYS)
            _save(page, "phone")
        browser.close()


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    documents = folder / "documents"
    shutil.copytree(ROOT / "examples/documents", documents)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, str(ROOT / "ui.py"), "chat", str(documents), "--port", "0"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[3]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        process.stdout.close()


@contextmanager
def _page(
    browser: Browser, address: str, size: tuple[int, int], theme: Literal["light", "dark"]
) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=theme
    )
    page = context.new_page()
    page.goto(address)
    page.get_by_role("textbox", name="Question").wait_for()
    yield page
    context.close()


def _ask(page: Page, question: str) -> None:
    box = page.get_by_role("textbox", name="Question")
    box.fill(question)
    box.press("Enter")
    page.locator("#chat .answer:not(.pending)").wait_for(timeout=60_000)


def _save(page: Page, name: str) -> None:
    page.wait_for_timeout(800)  # pictures of pages, animations
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
