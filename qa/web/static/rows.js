// The rows of the list: only those in view are drawn, so that ten thousand scroll as ten do.

import { el, icon } from "./dom.js";
import { day, noteOf, typeName } from "./shelf.js";
import { t } from "./text.js";

const BEYOND_PX = 600; // drawn above and below what is in view
const CONTROLS = ["input", "a.name", "button.remove"];

export class Rows {
  // `open`, `remove` and `choose` are told with documents; `chosen` is a Set of numbers.
  constructor({ scroller, chosen, open, remove, choose }) {
    this.scroller = scroller;
    this.chosen = chosen;
    this.tell = { open, remove, choose };
    this.documents = [];
    this.tops = [0];
    this.drawn = new Map(); // by number
    this.active = 0; // the row that the Tab key leads to
    this.anchor = 0; // where a range begins
    this.element = el("ul", { id: "document-list", "aria-label": t("documents.list") });
    this.element.addEventListener("keydown", (event) => this.onKey(event));
    this.element.addEventListener("focusin", (event) => this.onFocus(event));
    this.element.addEventListener("click", (event) => this.onClick(event));
    scroller.addEventListener("scroll", () => this.later(), { passive: true });
    this.resized = new ResizeObserver(() => this.layout());
    this.resized.observe(scroller);
  }

  show(documents, { outdated, removable }) {
    const before = this.documents[this.active]?.id;
    const focused = this.focusedControl();
    Object.assign(this, { documents, outdated, removable });
    this.active = Math.max(0, documents.findIndex((info) => info.id === before));
    this.anchor = this.active;
    for (const row of this.drawn.values()) row.remove();
    this.drawn.clear();
    this.layout();
    if (focused && documents.length) this.focus(this.active, focused);
    else if (focused) this.scroller.focus();
  }

  // Heights are known from the style, so that no row must be drawn to place another.
  layout() {
    const style = getComputedStyle(this.element);
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const row = parseFloat(style.getPropertyValue("--row")) * rem || 64;
    const note = parseFloat(style.getPropertyValue("--note")) * rem || 20;
    this.tops = new Array(this.documents.length + 1);
    let top = 0;
    this.documents.forEach((info, at) => {
      this.tops[at] = top;
      top += row + (noteOf(info, this.outdated) ? note : 0);
    });
    this.tops[this.documents.length] = top;
    this.element.style.height = `${top}px`;
    this.draw();
  }

  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  draw() {
    const view = this.scroller.getBoundingClientRect();
    const top = view.top - this.element.getBoundingClientRect().top;
    const seen = [this.at(top), this.at(top + view.height)];
    // The Tab key leads to what is in view, unless the focus is in the list already.
    const elsewhere = this.active < seen[0] || this.active > seen[1];
    if (elsewhere && !this.element.contains(document.activeElement)) this.active = Math.max(0, seen[0]);
    const first = this.at(top - BEYOND_PX);
    const last = Math.min(this.at(top + view.height + BEYOND_PX), this.documents.length - 1);
    const wanted = new Set();
    for (let at = first; at <= last; at += 1) wanted.add(at);
    // The row with the focus stays, wherever it is.
    if (this.documents.length) wanted.add(Math.min(this.active, this.documents.length - 1));
    const order = [...wanted].sort((one, other) => one - other);
    const keep = new Set(order.map((at) => this.documents[at].id));
    for (const [id, row] of this.drawn) {
      if (keep.has(id)) continue;
      row.remove();
      this.drawn.delete(id);
    }
    let next = this.element.firstElementChild;
    for (const at of order) {
      const info = this.documents[at];
      let row = this.drawn.get(info.id);
      if (row === undefined) {
        row = this.row(info, at);
        this.drawn.set(info.id, row);
        this.element.insertBefore(row, next);
      } else {
        next = row.nextElementSibling;
      }
      row.style.top = `${this.tops[at]}px`;
      row.style.height = `${this.tops[at + 1] - this.tops[at]}px`;
    }
    this.tab();
  }

  // The row at a height.
  at(top) {
    let low = 0;
    let high = Math.max(0, this.documents.length - 1);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tops[middle] <= top) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  row(info, at) {
    const facts = [t("documents.sentences", { n: info.sentences })];
    if (info.pages) facts.push(t("documents.pages", { n: info.pages }));
    const indexed = t("documents.indexed", { date: day(info.indexed_at) });
    facts.push(indexed);
    const path = info.folder ? `${info.folder}/${info.name}` : info.name;
    const where = el("p", { class: "where" }, info.folder ? el("bdi", {}, info.folder) : null);
    for (const fact of facts) where.append(where.childNodes.length ? " · " : "", fact);
    const note = noteOf(info, this.outdated);
    const box = el("input", {
      type: "checkbox",
      "aria-label": t("documents.choose_one", { name: info.name }),
      title: t("documents.choose_one", { name: info.name }),
    });
    box.checked = this.chosen.has(info.id);
    return el(
      "li",
      { class: "document", "data-id": info.id, "aria-posinset": at + 1, "aria-setsize": this.documents.length },
      el("span", { class: "pick" }, box),
      el("span", { class: `kind ${info.type}`, "aria-hidden": "true" }, typeMark(info.type)),
      el(
        "div",
        { class: "about", title: `${path}\n${typeName(info.type)} · ${indexed}` },
        el(
          "div",
          { class: "line" },
          el("a", { class: "name", href: `${location.origin}${location.pathname}${location.search}#doc/${info.ref}`, dir: "auto" }, info.name),
          info.date ? el("span", { class: "date" }, day(info.date)) : null,
        ),
        where,
        note ? el("p", { class: "warning", dir: "auto" }, note) : null,
      ),
      this.removable
        ? el(
            "button",
            { type: "button", class: "icon remove", "aria-label": t("documents.remove_one", { name: info.name }) },
            icon("remove"),
          )
        : null,
    );
  }

  // Only one row is on the way of the Tab key; the arrow keys go from row to row.
  tab() {
    for (const [id, row] of this.drawn) {
      const here = this.documents[this.active]?.id === id;
      for (const control of row.querySelectorAll(CONTROLS.join())) control.tabIndex = here ? 0 : -1;
    }
  }

  mark() {
    for (const [id, row] of this.drawn) row.querySelector("input").checked = this.chosen.has(id);
  }

  focusedControl() {
    const focused = document.activeElement;
    if (!this.element.contains(focused)) return null;
    return CONTROLS.find((control) => focused.matches(control)) ?? CONTROLS[0];
  }

  focus(at, control = CONTROLS[0]) {
    this.active = Math.max(0, Math.min(at, this.documents.length - 1));
    const info = this.documents[this.active];
    if (!info) return;
    this.draw();
    const row = this.drawn.get(info.id);
    row.querySelector(control)?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  // Returns what gives the focus back to where it is now in the row of `info`, drawn anew or not.
  wayBack(info) {
    const control = this.focusedControl() ?? "button.remove";
    return () => {
      const at = this.documents.findIndex((one) => one.id === info.id);
      if (at >= 0) this.focus(at, control);
    };
  }

  index(event) {
    const id = Number(event.target.closest("li.document")?.dataset.id);
    return this.documents.findIndex((info) => info.id === id);
  }

  onFocus(event) {
    const at = this.index(event);
    if (at < 0 || at === this.active) return;
    this.active = at;
    this.tab();
  }

  onClick(event) {
    const at = this.index(event);
    const info = this.documents[at];
    if (!info) return;
    if (event.target.matches("input")) this.choose(at, event.target.checked, event.shiftKey);
    else if (event.target.closest("button.remove")) this.tell.remove(info);
    else if (event.target.closest("a.name")) this.tell.open(info, event);
  }

  // Chooses a row, with `range` also all between it and the one before.
  choose(at, on, range) {
    const [from, to] = range ? [Math.min(at, this.anchor), Math.max(at, this.anchor)] : [at, at];
    this.anchor = at;
    this.tell.choose(this.documents.slice(from, to + 1), on);
  }

  onKey(event) {
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / 80));
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    const info = this.documents[this.active];
    if (event.key in steps && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const at = Math.max(0, Math.min(this.active + steps[event.key], this.documents.length - 1));
      if (event.shiftKey) this.tell.choose(this.documents.slice(Math.min(at, this.active), Math.max(at, this.active) + 1), true);
      else this.anchor = at;
      this.focus(at, this.focusedControl() ?? CONTROLS[0]);
    } else if (event.key === "Enter" && event.target.matches("input")) {
      event.preventDefault();
      this.drawn.get(info.id).querySelector("a.name").click();
    } else if (event.key === "Delete" && this.removable) {
      event.preventDefault();
      this.tell.remove(info);
    }
  }
}

// What stands in the little sign before the name.
function typeMark(type) {
  return { markdown: "md", text: "txt" }[type] ?? type.slice(0, 4);
}
