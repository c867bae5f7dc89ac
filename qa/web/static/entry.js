// One conversation in the list: its link, and what can be done with it.

import { announce, api, el, icon } from "./dom.js";
import { call } from "./requests.js";
import { t } from "./text.js";

const FORMATS = ["markdown", "html", "json"];

export class Entry {
  // `open`, `changed` and `removed` are told with the conversation's values.
  constructor(info, { open, changed, removed, current }) {
    this.info = info;
    this.tell = { open, changed, removed };
    this.current = current;
    this.element = el("li", { "data-id": info.id, class: current ? "current" : "" });
    this.draw();
  }

  // Whether something is open in it that drawing it anew would lose.
  get busy() {
    return this.element.querySelector(".below, form") !== null;
  }

  get title() {
    return this.info.title || t("conversations.untitled");
  }

  draw() {
    const { info } = this;
    const facts = `${t("conversations.questions", { n: info.turns })} · ${moment(new Date(info.changed_at))}`;
    this.link = el(
      "a",
      {
        class: "title",
        href: `${location.pathname}?${addressOf(info.id)}`,
        "aria-current": this.current ? "page" : null,
        onclick: (event) => this.onLink(event),
      },
      el("span", { class: "name", dir: "auto" }, this.title),
      el("span", { class: "where" }, facts),
    );
    this.button = el(
      "button",
      {
        type: "button",
        class: "icon actions",
        "aria-expanded": "false",
        "aria-label": t("conversations.actions", { title: this.title }),
        onclick: () => this.toggle(),
      },
      icon("more"),
    );
    this.element.replaceChildren(this.link, this.button);
  }

  // A real link: with Ctrl it opens a new tab, as links do.
  onLink(event) {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    this.tell.open(this.info);
  }

  // Shows `parts` below the link, or nothing; returns whether they are shown.
  show(...parts) {
    this.element.querySelector(".below")?.remove();
    this.button.setAttribute("aria-expanded", String(parts.length > 0));
    if (!parts.length) return;
    const below = el("div", { class: "below" }, ...parts);
    below.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      // Only this closes, not the drawer around it.
      event.preventDefault();
      event.stopPropagation();
      this.close();
    });
    this.element.append(below);
    below.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.show();
    this.button.focus();
  }

  toggle() {
    if (this.element.querySelector(".below")) {
      this.close();
      return;
    }
    const rename = action(t("conversations.rename"), () => this.rename());
    const links = FORMATS.map((format) =>
      el(
        "a",
        { href: api(`conversations/${this.info.id}/export?format=${format}`), download: "" },
        t(`conversations.export_${format}`),
      ),
    );
    this.show(
      el(
        "div",
        { class: "choices" },
        rename,
        action(t("conversations.delete"), () => this.ask(), "danger"),
      ),
      el(
        "p",
        { class: "exports", role: "group", "aria-label": t("conversations.export") },
        el("span", { "aria-hidden": "true" }, t("conversations.export")),
        ...links,
      ),
    );
    rename.focus();
  }

  rename() {
    const box = el("input", {
      type: "text",
      "aria-label": t("conversations.title_label"),
      maxlength: "200",
      dir: "auto",
      autocomplete: "off",
    });
    box.value = this.info.title;
    const failed = el("p", { class: "failed", role: "alert" });
    const leave = () => {
      this.draw();
      this.button.focus();
    };
    const form = el(
      "form",
      {},
      box,
      el(
        "div",
        { class: "choices" },
        el("button", { type: "submit", class: "primary" }, t("conversations.save")),
        action(t("conversations.cancel"), leave),
      ),
      failed,
    );
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      leave();
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        // An empty title brings back that of the first question.
        const { title } = await call("PATCH", `conversations/${this.info.id}`, { title: box.value.trim() });
        this.info = { ...this.info, title };
      } catch (error) {
        failed.textContent = error.message;
        return;
      }
      this.draw();
      this.link.focus();
      this.tell.changed(this.info);
      announce(t("conversations.renamed"));
    });
    this.element.replaceChildren(form);
    box.focus();
    box.select();
  }

  ask() {
    const sure = t("conversations.delete_sure", { n: this.info.turns });
    const failed = el("p", { class: "failed", role: "alert" });
    const yes = action(t("conversations.delete"), async () => {
      yes.disabled = true;
      try {
        await call("DELETE", `conversations/${this.info.id}`);
      } catch (error) {
        yes.disabled = false;
        yes.focus();
        failed.textContent = error.message;
        return;
      }
      this.tell.removed(this.info);
    }, "danger");
    this.show(
      el(
        "div",
        { role: "group", "aria-label": sure },
        el("p", {}, sure),
        el("div", { class: "choices" }, yes, action(t("conversations.keep"), () => this.close())),
        failed,
      ),
    );
    yes.focus();
  }
}

const action = (label, onclick, kind = "") => el("button", { type: "button", class: kind, onclick }, label);

// The query of the page that shows a conversation; the rest of the address stays.
function addressOf(id) {
  const query = new URLSearchParams(location.search);
  query.set("chat", id);
  return query;
}

// How many midnights ago something was, by the clock of whoever looks.
export function daysAgo(when) {
  const midnight = (day) => new Date(day.getFullYear(), day.getMonth(), day.getDate());
  return Math.round((midnight(new Date()) - midnight(when)) / 86_400_000);
}

// "14:05" for today and yesterday, else "12 Nov".
function moment(when) {
  if (daysAgo(when) > 1) return when.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return when.toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}
