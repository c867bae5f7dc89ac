// The text of a source: a window on a document that may have millions of characters. What is near
// is loaded as a person scrolls, in both directions, and what is far is let go.

import { api, el, getJson } from "./dom.js";
import { drawBlocks } from "./source-blocks.js";
import { t } from "./text.js";

const MOST_PARTS = 10; // on the page at a time
const NEAR = 900; // pixels before an end is reached

const still = matchMedia("(prefers-reduced-motion: reduce)");

export class TextView {
  constructor(source) {
    this.source = source;
    this.parts = []; // { stretch, element, drawn }
    this.marks = [];
    this.loading = false;
    this.above = el("div", { class: "edge" });
    this.below = el("div", { class: "edge" });
    this.content = el("div", { class: `text${source.type === "pdf" ? " flowing" : ""}`, dir: "auto" });
    this.element = el(
      "div",
      { class: "scroll reading", tabindex: "0", role: "region", "aria-label": t("source.the_document", { name: source.name }) },
      this.above,
      this.content,
      this.below,
    );
    this.watch = new IntersectionObserver((entries) => this.onEdge(entries), {
      root: this.element,
      rootMargin: `${NEAR}px 0px`,
    });
    this.replace(source.stretch);
  }

  get start() {
    return this.parts[0].stretch.start;
  }

  get end() {
    return this.parts[this.parts.length - 1].stretch.end;
  }

  setMarks(marks) {
    this.marks = marks;
    for (const part of this.parts) for (const drawn of part.drawn) drawn.paint(marks);
  }

  // Shows a span, which may be far away; the mark called `name`, or else its block, is centred.
  async goTo(span, name, { smooth = false } = {}) {
    if (span.start < this.start || span.start >= this.end) {
      await this.jump(span.start);
      smooth = false;
    }
    const mark = name && this.content.querySelector(`mark.${name}`);
    this.scrollTo(mark || this.blockAt(span.start), mark ? "center" : "start", smooth);
  }

  async jump(offset) {
    const stretch = await getJson(api(`source/${this.source.ref}/text?at=${offset}`));
    this.replace(stretch);
  }

  // Which character of the document is at the top of what is seen.
  get position() {
    const top = this.element.getBoundingClientRect().top + 8;
    for (const part of this.parts) {
      if (part.element.getBoundingClientRect().bottom <= top) continue;
      const first = part.drawn.find((drawn) => drawn.element.getBoundingClientRect().bottom > top);
      return (first ?? part.drawn[part.drawn.length - 1])?.block.start ?? part.stretch.start;
    }
    return this.end;
  }

  close() {
    this.watch.disconnect();
  }

  scrollTo(target, block, smooth) {
    if (!target) return;
    const behavior = smooth && !still.matches ? "smooth" : "instant";
    target.scrollIntoView({ block, inline: "nearest", behavior });
  }

  blockAt(offset) {
    for (const part of this.parts) {
      const found = part.drawn.find(({ block }) => block.start <= offset && offset < block.end);
      if (found) return found.element;
    }
    return null;
  }

  replace(stretch) {
    this.parts = [this.draw(stretch)];
    this.content.replaceChildren(this.parts[0].element);
    this.element.scrollTop = 0;
    this.look();
  }

  draw(stretch) {
    const { elements, drawn } = drawBlocks(stretch, { isPrinted: this.source.type === "pdf" });
    for (const each of drawn) each.paint(this.marks);
    return { stretch, drawn, element: el("div", { class: "part" }, ...elements) };
  }

  // Looks again at both ends: an observer tells changes only.
  look() {
    const total = this.parts[0].stretch.characters;
    this.say(this.above, this.start > 0 ? t("source.begins_above") : "");
    this.say(this.below, this.end < total ? t("source.goes_on") : "");
    this.watch.disconnect();
    if (this.start > 0) this.watch.observe(this.above);
    if (this.end < total) this.watch.observe(this.below);
  }

  say(edge, words, ...more) {
    edge.replaceChildren(...(words ? [el("p", {}, words), ...more] : []));
  }

  onEdge(entries) {
    const seen = entries.find((entry) => entry.isIntersecting);
    if (seen && !this.loading) this.load(seen.target);
  }

  async load(edge) {
    this.loading = true;
    const isAbove = edge === this.above;
    const [start, end] = [this.start, this.end];
    const query = isAbove ? `to=${start}` : `from=${end}`;
    try {
      const stretch = await getJson(api(`source/${this.source.ref}/text?${query}`));
      // Meanwhile the person may have jumped somewhere else.
      if (start !== this.start || end !== this.end) return;
      if (isAbove) this.prepend(stretch);
      else this.append(stretch);
      this.look();
    } catch {
      this.watch.disconnect();
      const again = el("button", { type: "button", onclick: () => this.load(edge) }, t("source.try_again"));
      this.say(edge, t("source.cannot_load"), again);
    } finally {
      this.loading = false;
    }
  }

  append(stretch) {
    const part = this.draw(stretch);
    this.parts.push(part);
    this.content.append(part.element);
    if (this.parts.length > MOST_PARTS) this.keepingPlace(() => this.parts.shift().element.remove());
  }

  prepend(stretch) {
    const part = this.draw(stretch);
    this.parts.unshift(part);
    this.keepingPlace(() => this.content.prepend(part.element));
    if (this.parts.length > MOST_PARTS) this.parts.pop().element.remove();
  }

  // What is read stays where it is when something above it comes or goes.
  keepingPlace(change) {
    const anchor = this.parts[1].element;
    const before = anchor.getBoundingClientRect().top;
    change();
    this.element.scrollTop += anchor.getBoundingClientRect().top - before;
  }
}
