// Files that could not be read: each with the reason, the next step, and what can be done here.

import { api, el, getJson } from "./dom.js";
import { call } from "./requests.js";
import { t } from "./text.js";

const SHOWN = 3;

export class Failures {
  // `again` is told the number of a source to be read again; `say` speaks.
  constructor({ again, say, changeable }) {
    this.tell = { again, say };
    this.changeable = changeable;
    this.all = false;
    this.failures = [];
    this.element = el("section", { id: "failures", "aria-labelledby": "failures-title", hidden: true });
  }

  async load() {
    const { failures } = await getJson(api("documents/failures"));
    const same = JSON.stringify(failures) === JSON.stringify(this.failures);
    this.failures = failures;
    if (!same) this.draw();
  }

  draw() {
    const { failures } = this;
    this.element.hidden = !failures.length;
    if (!failures.length) {
      this.element.replaceChildren();
      return;
    }
    const shown = this.all ? failures : failures.slice(0, SHOWN);
    const more = failures.length - shown.length;
    const title = el("h3", { id: "failures-title", tabindex: "-1" }, t("documents.failed_group", { n: failures.length }));
    const head = el("div", { class: "group-head" }, title);
    if (this.changeable && failures.length > 1) {
      head.append(el("button", { type: "button", class: "quiet", onclick: () => this.dismiss(failures) }, t("documents.dismiss_all")));
    }
    const parts = [head, el("ul", {}, ...shown.map((one) => this.item(one)))];
    if (more > 0) {
      const show = () => {
        this.all = true;
        this.draw();
        this.element.querySelectorAll("li")[SHOWN]?.querySelector("button")?.focus();
      };
      parts.push(el("button", { type: "button", class: "quiet", onclick: show }, t("documents.show_all", { n: failures.length })));
    }
    this.element.replaceChildren(...parts);
  }

  item(one) {
    const buttons = [];
    if (this.changeable && !one.uploaded) {
      buttons.push(el("button", { type: "button", class: "quiet", onclick: () => this.tell.again(one.source) }, t("documents.try_again")));
    }
    if (this.changeable) {
      const label = t("documents.dismiss_one", { name: one.name });
      buttons.push(el("button", { type: "button", class: "quiet", "aria-label": label, onclick: () => this.dismiss([one]) }, t("documents.dismiss")));
    }
    return el(
      "li",
      {},
      el(
        "div",
        { class: "about" },
        el("p", { class: "name", dir: "auto" }, one.name, one.folder ? el("span", { class: "where" }, ` ${one.folder}`) : null),
        el("p", {}, one.why, " ", el("span", { class: "next" }, one.next_step)),
        one.kept ? el("p", { class: "where" }, t("documents.kept")) : null,
      ),
      buttons.length ? el("div", { class: "buttons" }, ...buttons) : null,
    );
  }

  async dismiss(failures) {
    const keys = failures.map(({ source, path }) => ({ source, path }));
    try {
      const left = await call("POST", "documents/failures/dismiss", { failures: keys });
      this.failures = left.failures;
    } catch (error) {
      this.tell.say(error.message);
      return;
    }
    this.draw();
    this.tell.say(t("documents.dismissed", { n: keys.length }));
    const next = this.element.querySelector("h3") ?? document.querySelector("#documents h2");
    next.focus();
  }
}
