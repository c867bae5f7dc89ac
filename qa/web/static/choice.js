// The documents that are chosen: questions search only these, and they can be removed together.

import { el } from "./dom.js";
import { call } from "./requests.js";
import { scope, setScope } from "./scope.js";
import { t } from "./text.js";

export class Choice {
  // `removed` is told after documents were removed; `drawn` when what is chosen has changed;
  // `left` when the question is gone and nothing has the focus.
  constructor({ removed, drawn, say, left }) {
    this.tell = { removed, drawn, say, left };
    this.chosen = new Set(scope() ?? []);
    this.known = new Map(); // what each chosen number stands for: its source and path
    this.documents = [];
    this.removable = false;
    this.doomed = []; // the documents whose removal is being asked about
    this.element = el("div", { id: "choice", hidden: true });
    addEventListener("quoth:scope", ({ detail }) => this.follow(detail.documents));
  }

  // A document that has changed has another number; it stays chosen.
  renew(documents, removable) {
    this.documents = documents;
    this.removable = removable;
    const numbers = new Map(documents.map((info) => [key(info), info.id]));
    const before = [...this.chosen];
    this.chosen.clear();
    for (const id of before) {
      const now = numbers.get(this.known.get(id)) ?? (documents.some((info) => info.id === id) ? id : null);
      if (now !== null) this.chosen.add(now);
    }
    this.known = new Map(documents.filter((info) => this.chosen.has(info.id)).map((info) => [info.id, key(info)]));
    // The question stands for these documents; where one has changed or is gone, it is asked anew.
    if (this.doomed.some((info) => !documents.some((one) => one.id === info.id))) this.leave();
    const same = before.length === this.chosen.size && before.every((id) => this.chosen.has(id));
    if (same) this.draw();
    else this.use();
  }

  choose(documents, on) {
    this.doomed = [];
    for (const info of documents) {
      if (on) {
        this.chosen.add(info.id);
        this.known.set(info.id, key(info));
      } else {
        this.chosen.delete(info.id);
      }
    }
    this.use();
  }

  // All documents chosen is the same as none: everything is searched.
  use() {
    const all = this.chosen.size === this.documents.length;
    this.own = true;
    setScope(all ? null : [...this.chosen]);
    this.own = false;
    this.draw();
    this.tell.drawn();
  }

  // Somebody else has changed what is searched, such as the chip beside the question.
  follow(documents) {
    if (this.own) return;
    this.chosen.clear();
    for (const id of documents ?? []) this.chosen.add(id);
    this.draw();
    this.tell.drawn();
  }

  draw() {
    if (this.doomed.length) return; // the question must not go away under a finger
    const n = this.chosen.size;
    this.element.hidden = n === 0;
    this.element.className = "";
    if (n === 0) {
      this.element.replaceChildren();
      return;
    }
    const hint = t(n === this.documents.length ? "documents.chosen_all_hint" : "documents.chosen_hint");
    const parts = [
      el("p", {}, el("strong", {}, t("documents.chosen", { n })), " ", el("span", { class: "where" }, hint)),
      el(
        "div",
        { class: "buttons" },
        el("button", { type: "button", onclick: () => this.clear() }, t("documents.choose_none")),
        this.removable
          ? el("button", { type: "button", class: "danger", onclick: () => this.ask([...this.chosen]) }, t("documents.remove"))
          : null,
      ),
    ];
    this.element.replaceChildren(...parts);
  }

  clear() {
    this.chosen.clear();
    this.use();
    document.querySelector("#documents #choose-all")?.focus();
  }

  // Asks before anything is removed; `back` gives the focus back if nothing is.
  ask(numbers, back = () => this.element.querySelector(".danger")?.focus()) {
    const wanted = new Set(numbers);
    const doomed = this.documents.filter((info) => wanted.has(info.id));
    if (!doomed.length) return;
    this.doomed = doomed;
    this.back = back;
    const uploads = doomed.filter((info) => info.uploaded).length;
    const texts = doomed.filter((info) => !info.has_file).length;
    const files = doomed.length - uploads - texts;
    const question =
      doomed.length === 1
        ? t("documents.remove_named", { name: doomed[0].name })
        : t("documents.remove_sure", { n: doomed.length });
    const consequences = [
      uploads && t("documents.remove_upload", { n: uploads }),
      texts && t("documents.remove_text", { n: texts }),
      files && t("documents.remove_file", { n: files }),
    ].filter(Boolean);
    const failed = el("p", { class: "failed", role: "alert" });
    const yes = el("button", { type: "button", class: "danger", onclick: () => this.remove(doomed, yes, failed) }, t("documents.remove_yes"));
    const keep = el("button", { type: "button", onclick: () => this.leave() }, t("documents.keep"));
    this.element.hidden = false;
    this.element.className = "asking";
    const group = el(
      "div",
      { role: "group", "aria-label": question },
      el("p", { dir: "auto" }, el("strong", {}, question)),
      ...consequences.map((sentence) => el("p", { class: "where" }, sentence)),
      failed,
      el("div", { class: "buttons" }, yes, keep),
    );
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      // Only the question goes away, not the drawer around it.
      event.preventDefault();
      event.stopPropagation();
      this.leave();
    });
    this.element.replaceChildren(group);
    yes.focus();
  }

  // Takes the question away without having removed anything.
  leave() {
    this.doomed = [];
    this.draw();
    this.back();
    this.tell.left();
  }

  // Forgets the question where nobody sees it any more.
  forget() {
    this.doomed = [];
    this.draw();
  }

  async remove(doomed, button, failed) {
    if (button.ariaDisabled) return;
    button.ariaDisabled = "true"; // `disabled` would take the focus away
    button.textContent = t("documents.removing");
    try {
      await call("POST", "documents/remove", { documents: doomed.map((info) => info.id) });
    } catch (error) {
      button.ariaDisabled = null;
      button.textContent = t("documents.remove_yes");
      failed.textContent = error.message;
      return;
    }
    for (const info of doomed) this.chosen.delete(info.id);
    this.doomed = [];
    this.use();
    this.tell.removed(doomed.length);
  }
}

const key = (info) => `${info.source}/${info.folder}/${info.name}`;
