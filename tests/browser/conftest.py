"""The real page: `quoth chat` in a process of its own, and Chromium."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright
from small import write

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "examples/documents/building/lift-maintenance-policy.pdf"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

TITLE = "House & <i>garden</i>"

HOSTILE = (
    "The garden gnome code is <script>window.broken = 1</script> <b>not bold</b> "
    "<img src=https://evil.example/x.png onerror=window.broken=1> "
    '<a class="cite" href="#cite/1-aaaaaaaaaaaa/0-4">[9]</a> [9](#cite/1-aaaaaaaaaaaa/0-4) '
    '<form action="https://evil.example"><input name="password"></form> '
    "![x](https://evil.example/y.png) $$x^2$$ ${window.broken=1} {{window.broken}} \u202eevil."
)
DOCUMENTS = {
    "garden.md": (
        "# Garden rules\n\nDogs are kept on a lead in the garden. Cats may walk freely.\n\n"
        "## Watering\n\n- Beds are watered before nine in the morning.\n- The hose is rolled up.\n"
    ),
    "minutes/2024.txt": (
        "Minutes of the owners' meeting.\n\n"
        + "The owners talked about the stairwell for a long time and agreed on nothing.\n\n" * 60
        + "The owners agreed to replace the boiler in June 2024. It cost 12,400 pounds."
    ),
    "hostile.txt": HOSTILE,
    "<img src=x onerror=alert(1)>.txt": "The strange file name belongs to a file about kites.",
}


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a real server answers; it must end on Ctrl+C in good order."""
    folder = write(tmp_path_factory.mktemp("page") / "house", DOCUMENTS)
    shutil.copy(POLICY, folder / "policy.pdf")
    command = [
        sys.executable,
        str(ROOT / "ui.py"),
        "chat",
        str(folder),
        "--port",
        "0",
        "--title",
        TITLE,
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    environment.pop("QUOTH_LIBRARY", None)
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert server.stdout is not None
    assert server.stderr is not None
    said: list[str] = []
    # Read on, or a full pipe would stop the server.
    reader = threading.Thread(target=lambda stream: said.extend(stream), args=(server.stderr,))
    reader.start()
    try:
        line = server.stdout.readline()
        assert line.startswith("Quoth is at http://127.0.0.1:"), (line, said)
        yield line.split()[3]
    finally:
        server.send_signal(signal.SIGINT)
        try:
            status = server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            status = server.wait()
        reader.join(timeout=10)
        server.stdout.close()
        server.stderr.close()
    assert status == 0, said
    assert "Traceback" not in "".join(said), "".join(said)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium; without it a failure where QUOTH_REQUIRE_BROWSER=1, else a skip."""
    executable = CHROMIUM if os.path.exists(CHROMIUM) else shutil.which("chromium")
    if executable is None:
        if os.environ.get("QUOTH_REQUIRE_BROWSER") == "1":
            pytest.fail("Chromium is missing, and QUOTH_REQUIRE_BROWSER=1 asks for it")
        pytest.skip("Chromium is not installed (apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


class Watched:
    """What a page must not do: ask another host, raise, or complain."""

    def __init__(self, page: Page, address: str) -> None:
        self.outside: list[str] = []
        self.errors: list[str] = []
        self._address = address
        page.on("request", self._on_request)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self._address, "data:", "blob:")):
            self.outside.append(request.url)

    def _on_console(self, message: ConsoleMessage) -> None:
        # Gradio's own inline scripts, which the content security policy blocks on purpose; and
        # the browser's note that a citation was refused, which the panel says in words.
        refused = "404" in message.text and "/api/source/" in message.location["url"]
        known = "inline script" in message.text or refused
        if message.type == "error" and not known:
            self.errors.append(message.text)


@pytest.fixture(params=[""])
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    """The page, 1280 x 800; parametrise indirectly with what follows the address."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    watched = Watched(page, address)
    page.goto(f"{address}/{request.param}")
    page.get_by_role("textbox", name="Question").wait_for()
    yield page
    context.close()
    assert watched.outside == []
    assert watched.errors == []
