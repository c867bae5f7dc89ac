// The source panel: what a citation says, whether it is still so, and the document around it.

import { announce, api, el, getJson, icon } from "./dom.js";
import { settings } from "./settings.js";
import { Frame } from "./source-frame.js";
import { SourceOutline } from "./source-outline.js";
import { PageView } from "./source-page.js";
import { SourceSearch } from "./source-search.js";
import { TextView } from "./source-text.js";
import { t } from "./text.js";

const PATIENCE = 180; // milliseconds before a slow source says that it is coming
const spanOf = (reference) => {
  const [start, end] = (reference.split("/")[1] ?? "0-0").split("-").map(Number);
  return { start, end };
};
const documentOf = (reference) => reference.split("/")[0];

export class SourcePanel {
  // onClose(): it was closed; onWalk(reference): another quote is wanted.
  constructor({ onClose, onWalk }) {
    this.onClose = onClose;
    this.onWalk = onWalk;
    this.reference = null;
    this.source = null;
    this.beside = { quotes: [], others: [] };
    this.hits = [];
    this.hit = -1;
    this.asked = 0; // counts openings: a slow answer to an earlier click is dropped
    this.prefersText = false;
    this.dialog = el("dialog", { id: "source", "aria-labelledby": "source-title" });
    this.frame = new Frame(this.dialog, () => this.close());
    document.body.append(this.dialog);
    this.dialog.addEventListener("keydown", (event) => this.onKey(event));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented || !this.dialog.open) return;
      // A modal over it closes first.
      if ([...document.querySelectorAll("dialog:modal")].some((other) => other !== this.dialog)) return;
      this.close();
    });
  }

  async open(reference, { keepFocus = false } = {}) {
    this.asked += 1;
    const asked = this.asked;
    const slow = setTimeout(() => {
      if (asked === this.asked && !this.dialog.open) this.fill([this.head(t("source.loading"), "")]);
    }, PATIENCE);
    let source = null;
    let problem = "";
    try {
      source = await getJson(api(`source/${reference}`));
    } catch (error) {
      problem = error.message;
    }
    clearTimeout(slow);
    if (asked !== this.asked) return;
    const wasOpen = this.dialog.open;
    const isSame = wasOpen && source && this.source?.ref === source.ref && this.source.print === null === (source.print === null);
    const stepped = keepFocus ? [...(this.walk?.children ?? [])].indexOf(document.activeElement) : -1;
    this.reference = reference;
    if (!source) this.drawProblem(problem);
    else if (isSame) this.redraw(source);
    else this.draw(source);
    if (stepped >= 0) this.walk.children[stepped]?.focus({ preventScroll: true });
    if (!keepFocus || !this.dialog.contains(document.activeElement)) {
      this.dialog.querySelector("h2").focus({ preventScroll: true });
    }
    if (!source) return;
    announce(t(source.quote ? "source.opened_at_quote" : "source.opened", { name: source.name }));
    await this.showQuote({ smooth: isSame });
  }

  // The answer's quotes in order, and those elsewhere in the conversation.
  setBeside(beside) {
    const key = JSON.stringify(beside);
    if (key === this.besideKey) return;
    this.besideKey = key;
    this.beside = beside;
    this.drawWalk();
    this.mark();
  }

  close() {
    this.asked += 1;
    if (!this.dialog.open) return;
    this.leave();
    this.frame.hide();
    this.dialog.replaceChildren();
    this.reference = null;
    this.onClose();
  }

  leave() {
    this.text?.close();
    this.page?.close();
    this.source = this.text = this.page = this.outline = null;
    this.hits = [];
    this.hit = -1;
  }

  fill(content) {
    this.dialog.replaceChildren(this.frame.handle, this.frame.grip, ...content);
    this.frame.present();
  }

  drawProblem(problem) {
    this.leave();
    const badge = el("p", { class: "badge missing" }, icon("warning"), t("source.status_missing"));
    this.fill([this.head(t("source.cannot_show"), "", badge), el("p", { class: "note" }, problem)]);
  }

  draw(source) {
    this.leave();
    this.source = source;
    this.text = new TextView(source);
    this.page = source.print ? new PageView(source, this.quoted(), { onTurn: () => this.drawOriginal() }) : null;
    this.search = new SourceSearch(source, {
      position: () => this.searchFrom(),
      onHits: (hits, at, options) => this.onHits(hits, at, options),
    });
    this.outline = new SourceOutline(source, {
      position: () => this.view.position,
      onJump: (heading) => this.jump(heading),
    });
    this.outline.load();
    this.original = el("div", { class: "original" });
    this.about = el("div", { class: "about" });
    this.quote = el("blockquote", { dir: "auto", tabindex: "0" });
    this.body = el("div", { class: "body" });
    const tools = el("div", { class: "tools" }, this.choice(), this.outline.element, this.search.element, this.original);
    this.fill([this.head(source.title, source.where), this.about, tools, this.quote, this.body]);
    this.view = this.page && !this.prefersText ? this.page : this.text;
    this.body.replaceChildren(this.view.element);
    this.drawFacts();
    this.drawWalk();
    this.mark();
  }

  // Another quote of the document that is shown: what is on screen stays.
  redraw(source) {
    this.source = source;
    this.text.source = source;
    this.page?.replace(source, this.quoted());
    this.dialog.querySelector(".panel-head .where").textContent = source.where;
    this.drawFacts();
    this.drawWalk();
    this.mark();
  }

  head(title, where, badge = null) {
    this.badge = el("div", { class: "badges" }, badge);
    this.walk = el("div", { class: "walk" });
    const close = el(
      "button",
      { type: "button", class: "icon", "aria-label": t("source.close"), title: t("source.close"), onclick: () => this.close() },
      icon("close"),
    );
    const line = el("p", { class: "where", dir: "auto" }, where);
    const words = el("div", { class: "titles" }, el("h2", { id: "source-title", tabindex: "-1", dir: "auto" }, title), line, this.badge);
    return el("div", { class: "panel-head" }, words, el("div", { class: "corner" }, this.walk, close));
  }

  drawFacts() {
    const { source } = this;
    const isGood = source.status === "verbatim" || source.status === "moved";
    const name = source.status === "verbatim" && !source.quote ? "indexed" : source.status;
    this.badge.replaceChildren(
      el("p", { class: `badge ${source.status}` }, icon(isGood ? "check" : "warning"), t(`source.status_${name}`)),
    );
    const note = source.note ? el("div", { class: "note" }, el("p", {}, source.note)) : null;
    if (note && source.status === "changed" && !settings.read_only) {
      const check = () => document.dispatchEvent(new CustomEvent("quoth:check-changes", { bubbles: true }));
      note.append(el("button", { type: "button", onclick: check }, t("source.check_changes")));
    }
    this.about.replaceChildren(...(note ? [note] : []));
    // On a page the quote is small: it stands above it as text too.
    this.quote.textContent = source.quote ? `“${source.shown}”` : "";
    this.quote.hidden = !source.quote || this.view !== this.page;
    this.drawOriginal();
  }

  drawOriginal() {
    const { source } = this;
    if (!source?.original) {
      this.original?.replaceChildren();
      return;
    }
    const isPdf = source.type === "pdf";
    const page = this.page && this.view === this.page ? this.page.page.number : source.page;
    const name = isPdf && page ? t("source.open_page", { page }) : t(isPdf ? "source.open_original" : "source.download");
    const address = api(`source/${source.ref}/file`);
    const more = isPdf ? { target: "_blank", rel: "noopener" } : { download: "" };
    const label = isPdf ? `${name} (${t("source.new_tab")})` : name;
    this.original.replaceChildren(
      el(
        "a",
        { class: "button icon", href: isPdf && page ? `${address}#page=${page}` : address, "aria-label": label, title: name, ...more },
        icon(isPdf ? "open" : "download"),
      ),
    );
  }

  choice() {
    if (!this.page) return null;
    const button = (label, view) => {
      const made = el("button", { type: "button", onclick: () => this.choose(view) }, label);
      return [made, view];
    };
    this.choices = [button(t("source.as_page"), this.page), button(t("source.as_text"), this.text)];
    const first = this.prefersText ? this.text : this.page;
    for (const [made, view] of this.choices) made.setAttribute("aria-pressed", String(view === first));
    return el("div", { class: "choice", role: "group", "aria-label": t("source.view") }, ...this.choices.map(([made]) => made));
  }

  async choose(view) {
    if (view === this.view) return;
    // The page at which one read is shown as text, and the other way round.
    const quotePage = this.source.page;
    const page = this.page.page;
    const offset = this.text.position;
    this.prefersText = view === this.text;
    this.view = view;
    for (const [made, each] of this.choices) made.setAttribute("aria-pressed", String(each === view));
    this.body.replaceChildren(view.element);
    this.drawFacts();
    if (view === this.text && page.number === quotePage) await this.showQuote();
    else if (view === this.text) await this.text.goTo({ start: page.start, end: page.start });
    else if (this.quoteIsNear(offset)) await this.showQuote();
    else await this.page.turn(await this.pageAt(offset));
  }

  quoteIsNear(offset) {
    const { start, end } = spanOf(this.reference);
    return end > start && Math.abs(start - offset) < 3_000;
  }

  async pageAt(offset) {
    const stretch = await getJson(api(`source/${this.source.ref}/text?from=${offset}&to=${offset + 1}`));
    return stretch.blocks[0]?.page ?? this.page.page.number;
  }

  // "Quote 2 of 5" with the way to the others; itself it leads back to the quote.
  drawWalk() {
    if (!this.walk || !this.source) return;
    const { quotes } = this.beside;
    const at = quotes.indexOf(this.reference);
    const n = this.source.quote ? (at < 0 ? 1 : quotes.length) : 0;
    if (this.walk.dataset.quotes !== String(n)) this.walk.replaceChildren(...this.walking(n));
    this.walk.dataset.quotes = n;
    if (n < 2) return;
    const [back, count, next] = this.walk.children;
    count.textContent = t("source.quote_of", { number: at + 1, n });
    back.setAttribute("aria-disabled", String(at === 0));
    next.setAttribute("aria-disabled", String(at === n - 1));
  }

  walking(n) {
    const show = () => this.showQuote({ smooth: true });
    const name = t("source.back_to_quote");
    if (!n) return [];
    if (n < 2) {
      return [el("button", { type: "button", class: "icon", "aria-label": name, title: name, onclick: show }, icon("target"))];
    }
    const button = (label, picture, key, by) =>
      el(
        "button",
        { type: "button", class: "icon", "aria-label": label, title: `${label} (${key})`, "aria-keyshortcuts": key, onclick: () => this.step(by) },
        icon(picture),
      );
    return [
      button(t("source.previous_quote"), "up", "[", -1),
      el("button", { type: "button", class: "count", title: name, onclick: show }),
      button(t("source.next_quote"), "down", "]", 1),
    ];
  }

  step(by) {
    const { quotes } = this.beside;
    const next = quotes[quotes.indexOf(this.reference) + by];
    if (next && quotes.includes(this.reference)) this.onWalk(next);
  }

  onKey(event) {
    const isField = event.target.matches?.("input, textarea");
    if ((event.ctrlKey || event.metaKey) && event.key === "f" && this.source && event.target !== this.search.field) {
      // The browser finds only what is loaded; a second time it is its turn.
      event.preventDefault();
      this.search.field.focus();
      this.search.field.select();
    } else if (!isField && !event.metaKey && (event.key === "[" || event.key === "]")) {
      event.preventDefault();
      this.step(event.key === "[" ? -1 : 1);
    }
  }

  // What is marked: the quote, faintly the others of this document, and what is searched for.
  marks() {
    const others = this.beside.others
      .filter((other) => other !== this.reference && documentOf(other) === documentOf(this.reference))
      .map((other) => ({ ...spanOf(other), name: "other" }));
    const hits = this.hits.map((hit, at) => ({ ...hit, name: at === this.hit ? "hit now" : "hit" }));
    return [...this.quoted(), ...others, ...hits];
  }

  quoted() {
    const quote = spanOf(this.reference);
    return quote.end > quote.start ? [{ ...quote, name: "quoted" }] : [];
  }

  mark() {
    if (!this.source || !this.reference) return undefined;
    const marks = this.marks();
    this.text.setMarks(marks);
    return this.page?.setMarks(marks);
  }

  async showQuote({ smooth = false } = {}) {
    const quote = spanOf(this.reference);
    if (!this.source || quote.end <= quote.start) return;
    if (this.view === this.page) await this.page.goTo(this.source.page, "quoted");
    else await this.text.goTo(quote, "quoted", { smooth });
  }

  searchFrom() {
    const quote = spanOf(this.reference);
    if (this.view === this.page) return this.page.page.number === this.source.page ? quote.start : this.page.position;
    return this.quoteIsNear(this.text.position) ? Math.min(quote.start, this.text.position) : this.text.position;
  }

  async onHits(hits, at, { move }) {
    this.hits = hits;
    this.hit = at;
    const marked = this.mark();
    const hit = hits[at];
    if (!hit || !move) return;
    if (this.view === this.page) {
      await marked;
      await this.page.goTo(hit.page, "now");
    } else {
      await this.text.goTo(hit, "now");
    }
  }

  async jump(heading) {
    if (this.view === this.page && heading.page) await this.page.turn(heading.page);
    else await this.text.goTo({ start: heading.start, end: heading.start + 1 });
  }
}
