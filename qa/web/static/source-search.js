// Words found inside the source: a field, how many places there are, the next and the previous.

import { announce, api, el, getJson, icon } from "./dom.js";
import { t } from "./text.js";

const PAUSE = 250; // milliseconds without a key before it searches

export class SourceSearch {
  // position(): where reading stands; onHits(hits, at, { move }): what is to be marked, and which
  // of it to show.
  constructor(source, { position, onHits }) {
    this.source = source;
    this.position = position;
    this.onHits = onHits;
    this.hits = [];
    this.at = -1;
    this.total = 0;
    this.sought = "";
    this.asked = 0;
    this.timer = 0;
    this.field = el("input", {
      type: "search",
      placeholder: t("source.search_hint"),
      "aria-label": t("source.search"),
      autocomplete: "off",
      spellcheck: "false",
      maxlength: "200",
      oninput: () => this.onInput(),
      onkeydown: (event) => this.onKey(event),
    });
    this.count = el("span", { class: "count" });
    const button = (name, picture, action) =>
      el("button", { type: "button", class: "icon", "aria-label": name, title: name, onclick: action }, icon(picture));
    this.buttons = el(
      "span",
      { class: "steps", hidden: true },
      button(t("source.previous_hit"), "up", () => this.step(-1)),
      button(t("source.next_hit"), "down", () => this.step(1)),
      button(t("source.clear_search"), "close", () => this.clear()),
    );
    this.element = el("div", { class: "finding", role: "search" }, icon("search"), this.field, this.count, this.buttons);
  }

  onInput() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.search(), PAUSE);
  }

  onKey(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      clearTimeout(this.timer);
      if (this.field.value.trim() !== this.sought) this.search();
      else this.step(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape" && this.field.value) {
      event.preventDefault();
      event.stopPropagation();
      this.clear();
    }
  }

  async search() {
    const query = this.field.value.trim();
    this.asked += 1;
    const asked = this.asked;
    this.sought = query;
    let found = { hits: [], total: 0 };
    if (query) {
      try {
        found = await getJson(api(`source/${this.source.ref}/search?q=${encodeURIComponent(query)}`));
      } catch (error) {
        if (asked === this.asked) this.count.textContent = error.message;
        return;
      }
    }
    if (asked !== this.asked) return;
    this.hits = found.hits;
    this.total = found.total;
    // The first place from where one reads, not from the beginning of the document.
    const here = this.position();
    const next = this.hits.findIndex((hit) => hit.start >= here);
    this.at = this.hits.length ? Math.max(next, 0) : -1;
    if (query) announce(this.total ? t("source.search_result", { n: this.total }) : t("source.search_none"));
    this.show({ move: this.at >= 0 });
  }

  step(by) {
    if (!this.hits.length) return;
    this.at = (this.at + by + this.hits.length) % this.hits.length;
    this.show({ move: true });
    announce(t("source.search_count", { number: this.at + 1, total: this.total }));
  }

  clear() {
    clearTimeout(this.timer);
    this.field.value = "";
    this.search();
    this.field.focus();
  }

  show({ move }) {
    const number = this.at + 1;
    this.buttons.hidden = !this.sought;
    this.element.classList.toggle("none", Boolean(this.sought) && !this.total);
    if (!this.sought) this.count.textContent = "";
    else if (!this.total) this.count.textContent = t("source.search_none");
    else this.count.textContent = t("source.search_count", { number, total: this.total });
    this.onHits(this.hits, this.at, { move });
  }
}
