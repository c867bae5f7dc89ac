// What is going on with the documents: sending, reading, what would change, what has changed.

import { announce, api, el, getJson, icon } from "./dom.js";
import { call } from "./requests.js";
import { t } from "./text.js";

const POLL_MS = 400;
const NAMED = 5; // documents named in a preview, of each kind
const CHANGES = ["added", "updated", "renamed", "removed"];

export class Activity {
  // `changed` is told when a run has ended; `check` begins a preview.
  constructor({ changed }) {
    this.changed = changed;
    this.element = el("div", { id: "activity" });
    this.spoken = el("p", { class: "only-heard", role: "status" });
    this.number = null; // of the run whose report is known
    this.running = false;
  }

  // A modal dialog hides everything else from screen readers too, so it has a voice of its own.
  say(sentence) {
    if (this.spoken.closest("dialog[open]")) this.spoken.textContent = sentence;
    else announce(sentence);
  }

  show(kind, ...parts) {
    const focused = this.element.contains(document.activeElement);
    const place = this.element.firstElementChild;
    if (place?.dataset.kind === kind && kind === "progress") return; // drawn once, then updated
    this.element.replaceChildren(el("div", { class: `box ${kind}`, "data-kind": kind }, ...parts));
    if (focused) this.element.querySelector("button")?.focus();
  }

  clear() {
    this.element.replaceChildren();
  }

  fail(sentence, ...more) {
    this.show("report", el("p", { class: "failed" }, sentence), ...more, this.hide());
    this.say(sentence);
  }

  hide() {
    const label = t("documents.hide_report");
    return el("button", { type: "button", class: "icon hide", "aria-label": label, title: label, onclick: () => this.leave() }, icon("close"));
  }

  leave() {
    this.clear();
    document.getElementById("check-changes")?.focus();
  }

  // A bar with one line above and a button that stops it. `share` is null while it is unknown.
  progress({ label, share, detail, stop, stopping }) {
    if (this.element.firstElementChild?.dataset.kind !== "progress") {
      this.bar = el("progress", { max: 1 });
      this.label = el("p", { class: "label", dir: "auto" });
      this.detail = el("p", { class: "where" });
      this.stopButton = el("button", { type: "button", onclick: () => this.onStop() }, t("documents.stop"));
      this.show("progress", this.label, this.bar, el("div", { class: "foot" }, this.detail, this.stopButton));
    }
    this.onStop = stop;
    this.label.textContent = label;
    this.bar.setAttribute("aria-label", t("documents.progress"));
    if (share === null) this.bar.removeAttribute("value");
    else this.bar.value = share;
    this.detail.textContent = detail;
    this.stopButton.hidden = !stop;
    this.stopButton.disabled = Boolean(stopping);
    this.stopButton.textContent = t(stopping ? "documents.stopping" : "documents.stop");
    dispatchEvent(new CustomEvent("quoth:progress", { detail: { running: true, label, share } }));
  }

  rest() {
    dispatchEvent(new CustomEvent("quoth:progress", { detail: { running: false, label: "", share: null } }));
  }

  // Follows a run until it ends, then says what came of it.
  async watch({ refused = [], hidden = 0, mayStop = true } = {}) {
    if (this.running) return;
    this.running = true;
    let state;
    try {
      for (;;) {
        state = await getJson(api("sync"));
        if (!state.running) break;
        this.progress({ ...told(state), stop: mayStop ? () => this.cancel() : null });
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      this.number = state.number;
      this.report(state, refused, hidden);
    } catch (error) {
      this.fail(error.message);
    } finally {
      this.running = false;
      this.rest();
    }
    this.changed();
  }

  async cancel() {
    this.stopButton.disabled = true;
    this.stopButton.textContent = t("documents.stopping");
    try {
      await call("DELETE", "sync");
    } catch (error) {
      this.fail(error.message);
    }
  }

  report(state, refused, hidden) {
    const { reports } = state;
    const count = (name) => reports.reduce((sum, one) => sum + one[name].count, 0);
    const counts = CHANGES.filter((name) => count(name)).map((name) => t(`documents.${name}`, { n: count(name) }));
    const skipped = reports.reduce((sum, one) => sum + one.skipped_count, 0);
    if (skipped) counts.push(t("documents.skipped", { n: skipped }));
    const did = counts.length ? `${counts.join(", ")}.` : t("documents.nothing_changed");
    const sentence = state.cancelled ? t("documents.stopped") : did;
    const parts = [];
    if (!state.problem || counts.length) parts.push(el("p", { class: "summary" }, sentence));
    if (state.problem) parts.push(el("p", { class: "failed", dir: "auto" }, state.problem));
    if (refused.length) parts.push(refusals(refused));
    if (hidden) parts.push(el("p", { class: "where" }, t("documents.left_out", { n: hidden })));
    const warnings = reports.flatMap((one) => one.warnings);
    if (warnings.length) parts.push(notes(warnings));
    this.show("report", ...parts, this.hide());
    this.say([state.problem, sentence].filter(Boolean).join(" "));
  }

  // Says what came of sending where nothing was taken in.
  refuse(refused, hidden) {
    const parts = refused.length ? [refusals(refused)] : [el("p", {}, t("documents.nothing_to_send"))];
    if (hidden) parts.push(el("p", { class: "where" }, t("documents.left_out", { n: hidden })));
    this.show("report", ...parts, this.hide());
    this.say(refused.length ? t("documents.refused_group", { n: refused.length }) : t("documents.nothing_to_send"));
  }

  // Looks what a sync would do, shows it, and does it when the person says so.
  async check() {
    this.show("wait", el("p", { class: "waiting" }, t("documents.checking")));
    this.say(t("documents.checking"));
    let preview;
    try {
      preview = await getJson(api("sync/preview"));
    } catch (error) {
      this.fail(error.message);
      return;
    }
    const problems = preview.sources.filter((entry) => entry.problem);
    const parts = problems.map((entry) => el("p", { class: "failed", dir: "auto" }, entry.problem));
    const skipped = preview.sources.reduce((sum, entry) => sum + (entry.report?.skipped_count ?? 0), 0);
    if (!preview.changes) {
      if (!problems.length) parts.unshift(el("p", { class: "summary" }, t("documents.in_step")));
      if (skipped) parts.push(el("p", { class: "where" }, `${t("documents.would_skipped", { n: skipped })}.`));
      this.show("report", ...parts, this.hide());
      this.say(problems.length ? problems[0].problem : t("documents.in_step"));
      return;
    }
    this.preview(preview, parts);
  }

  preview({ sources, changes }, parts) {
    const heading = `${t("documents.would", { n: changes })}.`;
    const told = sources.filter((entry) => entry.report && CHANGES.some((name) => entry.report[name].count));
    for (const { source, report } of told) {
      const several = told.length > 1;
      if (several) parts.push(el("h4", { dir: "auto" }, t("documents.in_source", { name: source.name })));
      parts.push(...CHANGES.filter((name) => report[name].count).map((name) => group(name, report[name])));
    }
    const asking = sources.filter((entry) => entry.asks);
    for (const { source } of asking) {
      parts.push(el("p", { class: "failed", dir: "auto" }, t("documents.most_gone", { name: source.name })));
    }
    const yes = el(
      "button",
      { type: "button", class: asking.length ? "danger" : "primary", onclick: () => this.update(asking.length > 0) },
      t(asking.length ? "documents.update_anyway" : "documents.update"),
    );
    const no = el("button", { type: "button", onclick: () => this.leave() }, t("documents.not_now"));
    this.show(
      "preview",
      el("h3", { tabindex: "-1" }, heading, " ", el("span", { class: "where" }, t("documents.nothing_yet"))),
      ...parts,
      el("div", { class: "buttons" }, yes, no),
    );
    this.element.querySelector("h3").focus();
    this.say(heading);
  }

  async update(yes, sources = null) {
    try {
      await call("POST", "sync", { yes, sources });
    } catch (error) {
      this.fail(error.message);
      return;
    }
    await this.watch();
  }
}

// The words and the share of a run that goes on.
function told(state) {
  const now = state.progress;
  if (state.waiting) return { label: state.waiting, share: null, detail: "", stopping: state.cancelling };
  if (!now) return { label: t("documents.starting"), share: null, detail: t("documents.go_on"), stopping: state.cancelling };
  const label = t("documents.reading", { name: now.name });
  const parts = [t("documents.files_of", { done: now.files_done, all: now.files }), duration(now.seconds_left)];
  return { label, share: now.share, detail: parts.filter(Boolean).join(" · "), stopping: state.cancelling };
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined || seconds < 5) return "";
  if (seconds < 55) return t("documents.seconds_left");
  if (seconds < 5400) return t("documents.minutes_left", { n: Math.max(1, Math.round(seconds / 60)) });
  return t("documents.hours_left", { n: Math.round(seconds / 3600) });
}

function group(name, { count, paths }) {
  const items = paths.slice(0, NAMED).map((path) => el("li", { dir: "auto" }, path));
  if (count > NAMED) items.push(el("li", { class: "where" }, t("documents.and_more", { n: count - NAMED })));
  return el("div", { class: `change ${name}` }, el("p", {}, t(`documents.would_${name}`, { n: count })), el("ul", {}, ...items));
}

function refusals(refused) {
  const items = refused.map((one) => el("li", { dir: "auto" }, el("strong", {}, one.path), ` ${one.reason}`));
  return el("div", {}, el("p", { class: "failed" }, t("documents.refused_group", { n: refused.length })), el("ul", {}, ...items));
}

function notes(warnings) {
  const items = warnings.map((warning) => el("li", { dir: "auto" }, warning));
  return el("details", { class: "notes" }, el("summary", {}, t("documents.notes")), el("ul", {}, ...items));
}
