// The headings of a source, to jump to.

import { api, el, getJson, icon } from "./dom.js";
import { t } from "./text.js";

export class SourceOutline {
  // position(): where reading stands; onJump(heading): go there.
  constructor(source, { position, onJump }) {
    this.source = source;
    this.position = position;
    this.onJump = onJump;
    this.list = el("nav", { id: "source-contents", "aria-label": t("source.contents_of", { name: source.name }), hidden: true });
    this.button = el(
      "button",
      { type: "button", class: "contents", "aria-expanded": "false", "aria-controls": "source-contents", onclick: () => this.toggle() },
      icon("contents"),
      el("span", { class: "label" }, t("source.contents")),
    );
    this.element = el("div", { class: "outline" }, this.button, this.list);
    this.element.addEventListener("keydown", (event) => this.onKey(event));
    this.element.addEventListener("focusout", (event) => {
      // A click on a heading in Safari takes the focus nowhere.
      if (event.relatedTarget && !this.element.contains(event.relatedTarget)) this.hide();
    });
  }

  // Shows the button only where there is something to jump to.
  async load() {
    this.element.hidden = true;
    let outline;
    try {
      outline = await getJson(api(`source/${this.source.ref}/outline`));
    } catch {
      return;
    }
    this.headings = outline.headings;
    if (this.headings.length < 2) return;
    const top = Math.min(...this.headings.map(({ level }) => level));
    const items = this.headings.map((heading) => {
      const page = heading.page ? el("span", { class: "number" }, String(heading.page)) : null;
      const words = el("span", { class: "words", dir: "auto" }, heading.title);
      const go = el("button", { type: "button", onclick: () => this.jump(heading) }, words, page);
      go.style.setProperty("--level", Math.min(heading.level - top, 4));
      return el("li", {}, go);
    });
    const cut = outline.complete ? null : el("p", { class: "cut" }, t("source.contents_cut"));
    this.list.replaceChildren(el("ul", {}, ...items), ...(cut ? [cut] : []));
    this.element.hidden = false;
  }

  toggle() {
    if (this.list.hidden) this.show();
    else this.hide();
  }

  show() {
    this.list.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    const here = this.position();
    const at = Math.max(this.headings.findLastIndex(({ start }) => start <= here), 0);
    const buttons = [...this.list.querySelectorAll("button")];
    buttons.forEach((button, number) => {
      if (number === at) button.setAttribute("aria-current", "location");
      else button.removeAttribute("aria-current");
    });
    buttons[at].focus();
    buttons[at].scrollIntoView({ block: "center" });
  }

  hide() {
    this.list.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }

  jump(heading) {
    this.hide();
    this.button.focus();
    this.onJump(heading);
  }

  onKey(event) {
    if (this.list.hidden) return;
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.hide();
      this.button.focus();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const buttons = [...this.list.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    buttons[Math.min(Math.max(at + step, 0), buttons.length - 1)].focus();
  }
}
