"""What every open page is watched for, and what is kept of one whose test fails.

axe-core takes most of the time of these tests, so it is asked for no more than is read: which
elements break a rule. Its rules on colours, most of the work, can be run alone or left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Error, Page, Request

__all__ = [
    "SIZES",
    "Size",
    "Somebody",
    "Visit",
    "Watched",
    "covered",
    "overflowing",
    "unmarked_focus",
    "violations",
]

RESULTS = Path(__file__).parents[2] / "test-results"


@dataclass(frozen=True, slots=True)
class Size:
    """A window, in CSS pixels."""

    name: str
    width: int
    height: int


SIZES = {
    size.name: size
    for size in (
        Size("desk", 1280, 800),
        Size("phone", 390, 844),
        Size("small", 320, 640),
        Size("zoomed", 640, 400),  # a browser on a desk with its zoom at 200 %
    )
}


def _leaving(error: str) -> bool:
    """Tell whether this is Gradio closing its streams because a person goes to another page."""
    return error.startswith(
        (
            "AbortError: signal is aborted without reason",
            "AbortError: BodyStreamBuffer was aborted",
            "Unexpected error Connection errored out.",
        )
    )


class Somebody(Protocol):
    """Gives the page of another person each time, with cookies of its own, nothing loaded yet."""

    def __call__(self, address: str, *, size: str = "desk", theme: str = "light") -> Page:
        """Return a page that may ask nobody but the server at `address`."""


class Visit(Protocol):
    """Opens the page as another person would, with cookies of its own: the fixture `visit`."""

    def __call__(
        self, kind: str = "house", query: str = "", *, size: str = "desk", theme: str = "light"
    ) -> Page:
        """Return the page of a kind of server, loaded, at `query` behind its address."""


class Watched:
    """A page and what it must not do: ask another host, raise, or complain."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.outside: list[str] = []
        self.errors: list[str] = []
        self._console: list[str] = []
        self._address = address
        page.on("request", self._on_request)
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)

    def check(self) -> None:
        """Look no longer, and fail if the page did what it must not do."""
        self.page.remove_listener("request", self._on_request)
        self.page.remove_listener("console", self._on_console)
        self.page.remove_listener("pageerror", self._on_error)
        assert self.outside == []
        assert self.errors == []

    def keep(self, name: str) -> None:
        """Write what the page looks like, holds and said to files below test-results/."""
        stem = re.sub(r"[^\w.=-]+", "-", name).strip("-")
        RESULTS.mkdir(exist_ok=True)
        said = [f"address: {self.page.url}", *self._console]
        said += [f"error: {error}" for error in self.errors]
        said += [f"outside: {url}" for url in self.outside]
        (RESULTS / f"{stem}.txt").write_text("\n".join(said), "utf-8")
        # A page that crashed or was closed shows nothing more; its console is kept all the same.
        try:
            self.page.screenshot(path=RESULTS / f"{stem}.png")
            (RESULTS / f"{stem}.html").write_text(self.page.content(), "utf-8")
        except Error as error:
            with (RESULTS / f"{stem}.txt").open("a", encoding="utf-8") as file:
                file.write(f"\nno picture: {error}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self._address, "data:", "blob:")):
            self.outside.append(request.url)

    def _on_error(self, error: Error) -> None:
        if not _leaving(str(error)):
            self.errors.append(str(error))

    def _on_console(self, message: ConsoleMessage) -> None:
        self._console.append(f"{message.type}: {message.text} ({message.location['url']})")
        # Gradio's own inline scripts, which the content security policy blocks on purpose; and
        # the browser's note that a request was refused, which the page says in words.
        ours = message.location["url"].startswith(f"{self._address}/api/")
        refused = re.search(r"status of 4\d\d " if ours else "status of 401 ", message.text)
        known = refused or "inline script" in message.text or _leaving(message.text)
        if message.type == "error" and not known:
            self.errors.append(message.text)


@cache
def _axe() -> str:
    script: str = Axe().axe_script
    return script


def violations(
    page: Page,
    rules: Literal["all", "colours", "structure"] = "all",
    *,
    within: str | None = None,
) -> list[str]:
    """Return what axe-core finds wrong, one line for each element.

    Args:
        page: The page as it is now.
        rules: All that are on by default; those on colours, which alone depend on the theme; or
            all others.
        within: A selector of what is looked at, where it would be too much to look at all.
    """
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(_axe())
    found: list[str] = page.evaluate(_BREAKING, [rules, within])
    return found


def overflowing(page: Page) -> list[str]:
    """Return what is wider than it should be: the page itself, and panels that scroll sideways."""
    return _strings(page, _OVERFLOWING)


def covered(page: Page) -> list[str]:
    """Return visible buttons and links that lie outside the window, where nobody can reach them."""
    return _strings(page, _OUT_OF_REACH)


def unmarked_focus(page: Page, steps: int = 40) -> list[str]:
    """Walk with Tab; return the stops where the focus is lost, unseen or out of the window.

    The walk ends where it comes round, or after `steps`.
    """
    faults: list[str] = []
    seen: set[str] = set()
    for _ in range(steps):
        page.keyboard.press("Tab")
        stop: dict[str, Any] = page.evaluate(_STOP)
        if stop["path"] in seen:
            break
        seen.add(stop["path"])
        if stop["fault"]:
            faults.append(f"{stop['fault']}: {stop['what']}")
    return faults


def _strings(page: Page, script: str) -> list[str]:
    found: list[str] = page.evaluate(script)
    return found


_BREAKING = """async ([rules, within]) => {
  const colours = ["color-contrast", "link-in-text-block"];
  const off = colours.map((id) => [id, { enabled: false }]);
  const options = {
    all: {},
    colours: { runOnly: { type: "rule", values: colours } },
    structure: { rules: Object.fromEntries(off) },
  }[rules];
  const lean = { resultTypes: ["violations"], selectors: false, preload: false };
  const { violations } = await axe.run(within ?? document, { ...lean, ...options });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`));
}"""

_OVERFLOWING = """() => {
  const faults = [];
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) faults.push(`the page is ${wide} wide in ${innerWidth}`);
  for (const panel of document.querySelectorAll("dialog[open], dialog[open] .scroll, #bar")) {
    if (panel.scrollWidth > panel.clientWidth + 1) {
      faults.push(`${panel.id || panel.className} is ${panel.scrollWidth} wide`
        + ` in ${panel.clientWidth}`);
    }
  }
  return faults;
}"""

_OUT_OF_REACH = """() => {
  const faults = [];
  // In a modal dialog only what is in it can be reached, else everything.
  const modal = [...document.querySelectorAll("dialog:modal")].pop();
  for (const one of (modal ?? document).querySelectorAll("button, a[href], input")) {
    const box = one.getBoundingClientRect();
    if (!box.width || !box.height || !one.checkVisibility({ visibilityProperty: true })) continue;
    if (one.matches(".only-heard") || one.closest(".only-heard")) continue;
    if (box.left < -1 || box.right > innerWidth + 1) {
      faults.push(one.outerHTML.slice(0, 120));
    }
  }
  return faults;
}"""

# The end of a document hands the focus to the browser for one step, where it is no element's.
_STOP = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return { path: "browser", what: "", fault: "" };
  const path = [];
  for (let node = at; node && node !== document.body; node = node.parentElement) {
    path.push([...(node.parentElement?.children ?? [])].indexOf(node));
  }
  // A field that is only heard shows its focus on the label beside it.
  const shown = at.matches(".only-heard") ? at.nextElementSibling ?? at : at;
  const box = shown.getBoundingClientRect();
  const style = getComputedStyle(shown);
  const ring = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
    || style.boxShadow !== "none";
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  let fault = "";
  if (!ring) fault = "the focus is not seen";
  else if (!inside) fault = "the focus is outside the window";
  else {
    const x = Math.min(Math.max((box.left + box.right) / 2, 1), innerWidth - 1);
    const y = Math.min(Math.max((box.top + box.bottom) / 2, 1), innerHeight - 1);
    const top = document.elementFromPoint(x, y);
    const free = top && (shown.contains(top) || top.contains(shown) || top.closest("label"));
    if (!free) fault = "the focus is covered";
  }
  return { path: path.join("/"), what: at.outerHTML.slice(0, 140), fault };
}"""
