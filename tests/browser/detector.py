"""Whoever looks on while hostile texts are shown: did any run, load, open, or become an element?

The content security policy would hide much of it: what is blocked cannot be told from what was
never there. So a `Detector` can watch a browser that ignores every policy.
"""

from __future__ import annotations

from typing import Any

from payloads import EVIL
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request

from qa.visible import visible

__all__ = ["Detector", "missing", "squeezed", "strange"]


class Detector:
    """A window of a browser where whatever a text brings about is written down.

    Attributes:
        context: The window's own cookies and storage.
        page: Its first page.
        fired: What happened, in order.
    """

    def __init__(self, browser: Browser, *, policies: bool = False) -> None:
        """Open the window; with `policies` the browser keeps to content security policies."""
        self.fired: list[str] = []
        self.context: BrowserContext = browser.new_context(
            bypass_csp=not policies, viewport={"width": 1280, "height": 900}
        )
        self.context.add_init_script(_WATCHING)
        self.context.on("console", self._on_console)
        self.context.on("request", self._on_request)
        self.context.on("page", self._on_page)
        self.page = self.context.new_page()
        self.fired.clear()  # the page itself is no surprise

    def close(self) -> None:
        """Close the window."""
        self.context.close()

    def check(self, where: str) -> None:
        """Fail if anything has happened so far."""
        self.page.evaluate("() => new Promise((done) => setTimeout(done, 50))")  # what is under way
        assert self.fired == [], where

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.text.startswith(_TOLD):
            self.fired.append(message.text)

    def _on_page(self, page: Page) -> None:
        page.on("dialog", self._on_dialog)
        self.fired.append("a window opened")

    def _on_dialog(self, dialog: Dialog) -> None:
        self.fired.append(dialog.type)
        dialog.dismiss()

    def _on_request(self, request: Request) -> None:
        host = request.url.split("//")[-1].split("/")[0]
        if EVIL in host:
            self.fired.append(f"asked {request.url}")


def strange(page: Page, *roots: str) -> list[str]:
    """Return what is in the elements that the selectors find and no element of ours would be."""
    found: list[str] = page.evaluate(_STRANGE, [list(roots), EVIL])
    return found


def squeezed(text: str) -> str:
    """Return the text without white space, which elements divide as they like."""
    return "".join(text.split())


def missing(page: Page, root: str, texts: tuple[str, ...] | list[str]) -> list[str]:
    """Return those of the texts that are not shown, character for character, inside `root`."""
    shown: Any = page.evaluate(_SHOWN, root)
    whole = squeezed(str(shown))
    return [text for text in texts if squeezed(visible(text)) not in whole]


_TOLD = "told the detector: "
_WATCHING = """(() => {
  const log = console.log.bind(console);
  const tell = (what) => log(`told the detector: ${what} in ${location.href.slice(0, 60)}`);
  for (const name of ["alert", "confirm", "prompt", "print"]) {
    window[name] = (...words) => { tell(`${name}(${words})`); };
  }
  const open = window.open;
  window.open = (...words) => { tell(`open(${words})`); return open?.call(window, ...words); };
})()"""

_SHOWN = (
    """(root) => [...document.querySelectorAll(root)].map((one) => one.textContent).join(" ")"""
)

# An allowlist: whatever else a payload could bring into being is strange, known or not.
_STRANGE = """([roots, evil]) => {
  const TAGS = new Set((
    "a article aside bdi blockquote br button cite code dd details dialog div dl dt em figcaption "
    + "figure footer form h1 h2 h3 h4 h5 h6 header hr input label li main mark nav ol option p pre "
    + "progress search section select small span strong summary table tbody td textarea th thead "
    + "tr ul wbr").split(" "));
  const ATTRIBUTES = new Set((
    "aria-checked aria-controls aria-current aria-describedby aria-disabled aria-expanded "
    + "aria-haspopup aria-hidden aria-keyshortcuts aria-label aria-labelledby aria-live aria-modal "
    + "aria-multiselectable aria-orientation aria-posinset aria-pressed aria-rowcount aria-setsize "
    + "aria-sort aria-valuemax aria-valuemin aria-valuenow accept autocomplete class colspan dir "
    + "disabled download draggable enterkeyhint for hidden href id inputmode lang max maxlength "
    + "min multiple open placeholder rel role rows scope spellcheck style tabindex target title "
    + "type value webkitdirectory").split(" "));
  const faults = [];
  const say = (one, why) => faults.push(`${why}: ${one.outerHTML.slice(0, 160)}`);
  const here = location.origin;
  const icon = (svg) => svg.getAttribute("viewBox") === "0 0 20 20"
    && [...svg.attributes].every(({ name }) => ["viewBox", "aria-hidden", "class"].includes(name))
    && svg.children.length === 1 && svg.firstChild.tagName === "path"
    && [...svg.firstChild.attributes].every(({ name }) => name === "d");
  const address = (value) => {
    try { return new URL(value, document.baseURI); } catch { return { origin: "none" }; }
  };
  const picture = (one) => address(one.src).origin === here
    && address(one.src).pathname.includes("/api/page/");
  const look = (one) => {
    const tag = one.tagName.toLowerCase();
    if (tag === "svg" && icon(one)) return;
    if (!(TAGS.has(tag) || (tag === "img" && picture(one)))) say(one, "element");
    if (one.shadowRoot) say(one, "shadow");
    for (const { name, value } of one.attributes) {
      const known = ATTRIBUTES.has(name) || (name.startsWith("data-") && !/bind|svelte/.test(name))
        || (tag === "img" && ["src", "alt", "width", "height"].includes(name));
      if (!known) say(one, `attribute ${name}`);
      if (name === "style" && /url|expression|animation|behavior/i.test(value)) say(one, "style");
      if (name === "href") {
        const to = address(value);
        if (to.origin !== here || to.protocol !== location.protocol) say(one, "href");
      }
      if (name === "target" && value !== "_blank") say(one, "target");
    }
    for (const child of one.children) look(child);
  };
  let count = 0;
  for (const root of roots) for (const one of document.querySelectorAll(root)) {
    count += 1;
    look(one);
  }
  if (!count) faults.push(`nothing is at ${roots}`);
  return faults;
}"""
