// Shortcuts of one key, and the dialog that lists all keys.
//
// A key alone must not do things by accident: not while something is typed, not with a dialog
// open, and not at all where a person has switched them off (they would answer to dictation).

import { el, icon } from "./dom.js";
import { t } from "./text.js";

const STORED = "quoth-keys"; // "off" in localStorage; anything else is on

const press = (selector) => () => document.querySelector(selector)?.click();

const SINGLE = [
  ["/", "question", () => document.querySelector("#question textarea")?.focus()],
  ["n", "begin", press("#begin")],
  ["h", "history", press("#open-history")],
  ["d", "documents", press("#open-documents")],
  ["?", "help", openKeys],
];
const ALWAYS = [
  [["Enter"], "send"],
  [["Shift", "Enter"], "line"],
  [["Tab", "Enter"], "open"],
  [["[", "]"], "quotes"],
  [["Ctrl", "F"], "find"],
  [["↑", "↓"], "walk"],
  [["Esc"], "close_top"],
];

let dialog;

export function startKeys() {
  document.addEventListener("keydown", onKey);
}

function onKey(event) {
  if (event.defaultPrevented || event.repeat || event.isComposing || !areOn()) return;
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog:modal")) return;
  const found = SINGLE.find(([key]) => key === event.key);
  if (!found) return;
  event.preventDefault();
  found[2]();
}

const isTyping = (element) =>
  element.isContentEditable || element.matches?.("input, textarea, select, [role=textbox]");

// Where a browser keeps nothing for the page, the shortcuts are on.
function areOn() {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true;
  }
}

function setOn(on) {
  try {
    localStorage.setItem(STORED, on ? "on" : "off");
  } catch {
    // A private window may refuse; then the choice lasts for nobody, as such windows promise.
  }
}

export function openKeys() {
  const opener = document.activeElement;
  dialog?.remove();
  const box = el("input", {
    type: "checkbox",
    role: "switch",
    id: "keys-on",
    "aria-describedby": "keys-help",
    onchange: () => setOn(box.checked),
  });
  box.checked = areOn();
  dialog = el(
    "dialog",
    { id: "keys", "aria-labelledby": "keys-title" },
    el(
      "div",
      { class: "panel-head" },
      el("div", {}, el("h2", { id: "keys-title", tabindex: "-1" }, t("keys.title"))),
      el(
        "button",
        { type: "button", class: "icon", "aria-label": t("keys.close"), onclick: () => dialog.close() },
        icon("close"),
      ),
    ),
    el(
      "div",
      { class: "scroll", tabindex: "0" },
      el("h3", {}, t("keys.single")),
      table(SINGLE.map(([key, what]) => [[key], what])),
      el(
        "div",
        { class: "switch" },
        box,
        el("label", { for: "keys-on" }, t("keys.on")),
        el("p", { class: "where", id: "keys-help" }, t("keys.on_help")),
      ),
      el("h3", {}, t("keys.elsewhere")),
      table(ALWAYS),
    ),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    // What had no focus before has none to get back.
    if (opener !== document.body && opener?.isConnected) opener.focus();
    else document.querySelector("#question textarea")?.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("h2").focus();
}

function table(rows) {
  return el(
    "dl",
    { class: "shortcuts" },
    ...rows.map(([keys, what]) =>
      el("div", {}, el("dt", {}, ...keys.map((key) => el("kbd", {}, key))), el("dd", {}, t(`keys.${what}`))),
    ),
  );
}
