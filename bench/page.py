"""How long people wait for the page: until they can ask, read the first quote, see its source.

python bench/page.py [--questions 60]

The real server over the example documents and a real browser (headless Chromium, 1280 × 800), both
on this machine. A question is timed from the key that sends it until its first quote is painted, a
citation from the click until the marked words are within the window. The baseline is what the
server needs for the same answer without a page: a request to its API.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for python bench/page.py

from bench import machine
from bench.options import json_option, sample, tell, write_figures

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WARM_UP = 3  # questions that are not timed

# Resolves once an element of ours is there and the browser has painted it.
_PAINTED = """
([selector, count]) => new Promise((resolve) => {
  const look = () => {
    const found = document.querySelectorAll(selector);
    if (found.length < count) return requestAnimationFrame(look);
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now()), 0));
  };
  look();
})
"""
_IN_VIEW = """
() => new Promise((resolve) => {
  const look = () => {
    const marks = [...document.querySelectorAll("#source[open] :is(mark, .box)")];
    const seen = marks.some((mark) => {
      const box = mark.getBoundingClientRect();
      return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight;
    });
    if (!seen) return requestAnimationFrame(look);
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now()), 0));
  };
  look();
})
"""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--questions", default=60, show_default=True, type=click.IntRange(1), help="Asked.")
@json_option
def main(questions: int, json_to: str | None) -> None:
    """Print the median and the 95th percentile of what people wait for."""
    from playwright.sync_api import sync_playwright

    lines = (ROOT / "examples/questions.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [each["question"] for each in map(json.loads, lines) if each["answerable"]]
    chosen = sample(list(dict.fromkeys(asked)), questions + WARM_UP)
    with (
        TemporaryDirectory() as folder,
        server(Path(folder)) as (address, started),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=_chromium(), args=FLAGS)
        first, again = _opened(browser, address), _opened(browser, address)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        page.get_by_role("textbox", name="Question").wait_for()
        quotes, marks = _waits(page, chosen)
        browser.close()
        api = [_asked(address, question) for question in chosen]
    result = {
        "machine": machine.describe(),
        "questions": len(chosen) - WARM_UP,
        "server": {"until it answers": round(started, 2)},
        "page": {"first time": round(first, 2), "again": round(again, 2)},
        "first quote": _milliseconds(quotes),
        "API": _milliseconds(api[WARM_UP:]),
        "source": _milliseconds(marks),
    }
    if json_to != "-":
        click.echo(_report(result))
    write_figures(json_to, result)


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, float]]:
    """Give the address of a server over the examples, and how many seconds it took to answer."""
    documents = folder / "documents"
    shutil.copytree(ROOT / "examples/documents", documents)
    quoth = [sys.executable, str(ROOT / "ui.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    subprocess.run([*quoth, "sync", str(documents)], env=environment, check=True, stdout=2)
    began = time.perf_counter()
    process = subprocess.Popen(
        [*quoth, "chat", str(documents), "--port", "0"],
        env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        address = process.stdout.readline().split()[3]
        yield address, time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        process.stdout.close()


def opened_once(address: str) -> float:
    """Return the seconds until a browser that was just started can type a question."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=FLAGS)
        seconds = _opened(browser, address)
        browser.close()
    return seconds


def _opened(browser: Browser, address: str) -> float:
    """Return the seconds until a new browser profile can type a question."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    began = time.perf_counter()
    page.goto(address)
    page.get_by_role("textbox", name="Question").wait_for()
    seconds = time.perf_counter() - began
    context.close()
    return seconds


def _waits(page: Page, questions: list[str]) -> tuple[list[float], list[float]]:
    """Return the seconds until the first quote is painted, and until a source shows its words."""
    quotes, marks = [], []
    for number, question in enumerate(questions):
        tell(f"{number} of {len(questions)} questions")
        page.get_by_role("button", name="New conversation").first.click()
        page.locator("#welcome").wait_for()
        box = page.get_by_role("textbox", name="Question")
        box.fill(question)
        began = page.evaluate("performance.now()")
        box.press("Enter")
        painted = page.evaluate(_PAINTED, ["#chat .answer:not(.pending)", 1])
        quotes.append((painted - began) / 1000)
        began = page.evaluate(
            "() => { const now = performance.now();"
            " document.querySelector('#chat a.cite').click(); return now; }"
        )
        marks.append((page.evaluate(_IN_VIEW) - began) / 1000)
        page.keyboard.press("Escape")
    return quotes[WARM_UP:], marks[WARM_UP:]


def _asked(address: str, question: str) -> float:
    """Return the seconds that the same question takes without a page."""
    body = json.dumps({"question": question}).encode()
    request = urllib.request.Request(
        f"{address.rstrip('/')}/api/ask", body, {"content-type": "application/json"}
    )
    began = time.perf_counter()
    with urllib.request.urlopen(request) as reply:
        reply.read()
    return time.perf_counter() - began


def _chromium() -> str:
    found = CHROMIUM if Path(CHROMIUM).exists() else shutil.which("chromium")
    if found is None:
        raise click.ClickException("Chromium is not installed; on Debian: apt install chromium")
    return found


def _milliseconds(seconds: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(seconds, [50, 95])
    return {"p50": round(1000 * p50, 1), "p95": round(1000 * p95, 1)}


def _report(result: dict[str, Any]) -> str:
    opened = result["page"]
    lines = [
        ", ".join(str(value) for value in result["machine"].values()),
        f"{result['questions']} questions about the example documents",
        f"  server: {result['server']['until it answers']:.2f} s until it answers",
        f"  page: {opened['first time']:.2f} s until one can type, {opened['again']:.2f} s again",
    ]
    for name, what in (
        ("first quote", "from Enter to the first quote"),
        ("API", "the same answer by API"),
        ("source", "from a click to the marked words"),
    ):
        p50, p95 = result[name]["p50"], result[name]["p95"]
        lines.append(f"  {what:<33} p50 {p50:7.1f} ms   p95 {p95:7.1f} ms")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
