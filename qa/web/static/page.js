// What surrounds Gradio's chat: the bar on top, the empty page, and the two panels.

import { startCitations } from "./cite.js";
import { openDocuments, startDocuments } from "./documents.js";
import { el, icon, plural } from "./dom.js";

const MOST_EXAMPLES = 3;

const settings = JSON.parse(document.querySelector('meta[name="quoth"]').content);
let listed = null;

// Gradio decides between light and dark by the same rule, but only once it runs.
function preferTheme() {
  const asked = new URLSearchParams(location.search).get("__theme");
  const dark = asked ? asked === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.body.classList.toggle("dark", dark);
}

function drawBar() {
  const documents = el(
    "button",
    { type: "button", id: "open-documents", "aria-haspopup": "dialog", onclick: openDocuments },
    icon("documents"),
    el("span", { class: "label" }, "Documents"),
    el("span", { class: "count" }),
  );
  const begin = el(
    "button",
    { type: "button", id: "begin", onclick: () => document.querySelector("#new")?.click() },
    icon("pencil"),
    el("span", { class: "label" }, "New conversation"),
  );
  document.body.prepend(
    el("header", { id: "bar" }, el("h1", {}, settings.title), el("nav", { "aria-label": "Page" }, begin, documents)),
  );
}

function onDocuments(now) {
  listed = now;
  const count = String(now.documents.length);
  document.querySelector("#open-documents .count").textContent = count;
  welcome();
}

// Gradio draws the empty chat anew after "New conversation", so this runs whenever it changes.
function welcome() {
  const place = document.getElementById("welcome");
  if (!place || !listed || place.dataset.generation === String(listed.generation)) return;
  place.dataset.generation = listed.generation;
  place.querySelector(".inside")?.remove();
  const { documents } = listed;
  const inside = el("div", { class: "inside" });
  if (documents.length) {
    const all = plural(documents.length, "document");
    inside.append(el("p", { class: "indexed" }, `${all} with ${plural(listed.sentences, "sentence")} ${documents.length === 1 ? "is" : "are"} indexed.`));
    const titled = documents.filter((info) => info.title).slice(0, MOST_EXAMPLES);
    const examples = titled.map((info) => example(`What is “${info.title}” about?`));
    if (examples.length) inside.append(el("div", { class: "examples" }, ...examples));
  } else {
    inside.append(el("p", { class: "indexed" }, "No documents are indexed yet."));
    if (listed.can_upload) {
      inside.append(el("button", { type: "button", class: "first", onclick: openDocuments }, "Add documents"));
    }
  }
  place.append(inside);
}

function example(question) {
  return el("button", { type: "button", class: "example", dir: "auto", onclick: () => ask(question) }, question);
}

function ask(question) {
  const box = document.querySelector("#question textarea");
  box.value = question;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  // Gradio takes the text over on its next turn.
  setTimeout(() => document.querySelector("#send")?.click(), 0);
}

// Gradio scrolls to the end of a long answer; people read from its beginning.
let questions = 0;
let answers = 0;

function follow() {
  const asked = document.querySelectorAll("#chat .asked");
  const given = document.querySelectorAll("#chat .answer").length;
  if (asked.length === questions && given === answers) return;
  const more = asked.length > questions || given > answers;
  questions = asked.length;
  answers = given;
  const log = document.querySelector("#chat [role=log]");
  const row = asked[asked.length - 1]?.closest(".message-row");
  if (!more || !log || !row) return;
  log.scrollTop += row.getBoundingClientRect().top - log.getBoundingClientRect().top - 16;
}

// Gradio repeats each message's markup as its label, which is no name for anything.
function tidy() {
  for (const row of document.querySelectorAll("#chat .message-row [aria-label*='message:']")) {
    row.removeAttribute("aria-label");
  }
}

function onChange() {
  welcome();
  tidy();
  follow();
}

preferTheme();
drawBar();
startCitations();
startDocuments(onDocuments);
new MutationObserver(onChange).observe(document.body, { childList: true, subtree: true });
