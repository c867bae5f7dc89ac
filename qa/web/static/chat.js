// The conversation on screen: which one it is, and what Gradio is told to do with it.
//
// Gradio draws messages and takes the question. Everything it must know beyond the question goes
// through two hidden fields: #context says where the next question belongs, #command is an order
// of its own (show a stored conversation, ask an earlier question differently).

import { announce, api, getJson } from "./dom.js";
import { takeQuestions } from "./early.js";
import { scope } from "./scope.js";
import { settings } from "./settings.js";
import { t } from "./text.js";

const ID = /^[A-Za-z0-9_-]{16,64}$/;

let conversation = "";
let named = null; // what the address called it when it was last looked at; "" for an empty page
let drawn = ""; // the ids of the questions and answers on screen
let asked = 0; // how many questions that are
let known = false; // whether what is drawn next was asked before
let left = null; // what was still waiting for an answer when another conversation was taken up

export const currentConversation = () => conversation;

export async function startChat() {
  addEventListener("quoth:scope", () => tellContext());
  await ready();
  addEventListener("popstate", () => follow()); // what came before is in the address
  new MutationObserver(onChange).observe(document.querySelector("#chat"), {
    childList: true,
    subtree: true,
  });
  onChange();
  follow();
  takeQuestions();
}

// Waits until Gradio has drawn the chat and the fields that it is steered with, in whatever order:
// what each is drawn by is loaded by itself.
async function ready() {
  const needed = ["#chat", "#context textarea", "#command textarea", "#run"];
  const there = () => needed.every((each) => document.querySelector(each));
  if (there()) return;
  await new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      if (!there()) return;
      observer.disconnect();
      resolve();
    });
    observer.observe(document.body, { childList: true, subtree: true });
  });
}

// Takes up the conversation that the address names, or an empty one.
function follow() {
  const now = new URLSearchParams(location.search).get("chat") ?? "";
  // Only another place in it is new, such as a source that was opened.
  if (now === named) return;
  named = now;
  conversation = ID.test(named) ? named : newId();
  tellContext();
  // On an empty page there is nothing to clear, and a question may be under way already.
  if (!ID.test(named) && !document.querySelector("#chat .asked")) return;
  forget();
  order(ID.test(named) ? { do: "show" } : { do: "new" });
}

export function show(id) {
  if (id !== conversation) address(id);
}

export function begin() {
  if (named || document.querySelector("#chat .asked")) {
    named = null;
    address(null);
  }
  focusQuestion();
}

// Keeps an element of ours above the question, where it takes room and covers nothing.
export function placeAboveQuestion(element) {
  const place = () => {
    const row = document.getElementById("ask");
    if (row && element.parentElement !== row.parentElement) row.before(element);
  };
  new MutationObserver(place).observe(document.body, { childList: true, subtree: true });
  place();
}

export function focusQuestion() {
  document.querySelector("#question textarea")?.focus();
}

// Asks as if the person had typed it. `insteadOf` replaces that turn and all after it.
export function ask(question, { insteadOf = null, whole = false, everywhere = false } = {}) {
  const documents = everywhere ? null : scope();
  order({ do: "ask", question, documents, whole, instead_of: insteadOf });
}

// The part of the address that names the conversation; the rest of it stays.
function address(id) {
  const query = new URLSearchParams(location.search);
  if (id) query.set("chat", id);
  else query.delete("chat");
  const search = query.size ? `?${query}` : "";
  history.pushState(null, "", location.pathname + search);
  // As if a person had gone there: the source that was open belongs to another conversation.
  dispatchEvent(new PopStateEvent("popstate"));
}

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function tellContext() {
  fill("#context textarea", JSON.stringify({ conversation, documents: scope() }));
}

function order(what) {
  fill("#command textarea", JSON.stringify({ conversation, ...what }));
  // Gradio takes the text over on its next turn.
  setTimeout(() => document.querySelector("#run")?.click(), 0);
}

function fill(selector, value) {
  const box = document.querySelector(selector);
  if (!box) return;
  box.value = value;
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

// What Gradio draws ----------------------------------------------------------------------------

// What is drawn next was asked before: nobody waits for it.
function forget() {
  known = true;
  left = document.querySelector("#chat .pending");
}

function onChange() {
  tidy();
  const pending = document.querySelector("#chat .pending");
  const asking = pending !== null;
  if (document.querySelector("#chat .problem.gone")) leaveGone();
  if (asking && pending !== left) {
    known = false;
    nameAddress();
  }
  if (!asking && document.activeElement?.id === "stop") focusQuestion(); // it goes away now
  document.body.classList.toggle("asking", asking);
  const questions = [...document.querySelectorAll("#chat .asked")];
  const answers = [...document.querySelectorAll("#chat .answer:not(.pending)")];
  const now = [...questions, ...answers].map((part) => part.id || "?").join();
  if (now === drawn) return;
  const isNew = !known && answers.length > 0 && !drawn.split(",").includes(answers.at(-1).id || "?");
  const more = known || questions.length > asked || isNew;
  if (known && document.activeElement === document.body) keepFocus();
  known = false;
  drawn = now;
  asked = questions.length;
  document.title = asked ? `${shortened(questions[0].innerText)} · ${settings.title}` : settings.title;
  if (more) scrollToQuestion(questions.at(-1));
  if (isNew) onAnswer(answers.at(-1));
}

// What had the focus was drawn anew. On a touch screen the keyboard would cover what has come.
function keepFocus() {
  if (!matchMedia("(pointer: coarse)").matches && !document.querySelector("dialog[open]")) focusQuestion();
}

const shortened = (words) => (words.length > 60 ? `${words.slice(0, 59).trimEnd()}…` : words);

// The conversation that the address names is somebody else's: what is asked now begins a new one.
function leaveGone() {
  if (!named) return;
  named = "";
  conversation = newId();
  tellContext();
  const query = new URLSearchParams(location.search);
  query.delete("chat");
  replaceQuery(query);
}

function replaceQuery(query) {
  const search = query.size ? `?${query}` : "";
  history.replaceState(history.state, "", location.pathname + search + location.hash);
}

// Gradio scrolls to the end of a long answer; people read from its beginning.
function scrollToQuestion(question) {
  const log = document.querySelector("#chat [role=log]");
  const row = question?.closest(".message-row");
  if (!log || !row) return;
  log.scrollTop += row.getBoundingClientRect().top - log.getBoundingClientRect().top - 16;
}

// From the first question on the address leads back here, also while it is being answered. That is
// no new entry of the history: Back would lead to an empty page of the same conversation.
function nameAddress() {
  const query = new URLSearchParams(location.search);
  if (query.get("chat") === conversation) return;
  query.set("chat", conversation);
  named = conversation;
  replaceQuery(query);
}

function onAnswer(answer) {
  nameAddress();
  announce(inWords(answer));
  dispatchEvent(new CustomEvent("quoth:turn", { detail: { conversation } }));
}

// What a screen reader says when an answer has come.
function inWords(answer) {
  const quotes = answer.querySelectorAll(".quote").length;
  if (answer.matches(".abstained, .problem")) {
    return answer.querySelector(".lead, p")?.textContent ?? t("chat.answered");
  }
  if (!quotes) return t("chat.answered");
  const sources = new Set(
    [...answer.querySelectorAll(".quote .said a.cite")].map((link) => link.hash.split("/")[1]),
  );
  return t("chat.read_out", { n: quotes, documents: t("chat.documents", { n: sources.size }) });
}

// Gradio repeats each message's markup as its label, which is no name for anything, and its
// sanitiser drops ARIA from ours.
function tidy() {
  for (const row of document.querySelectorAll("#chat .message-row [aria-label*='message:']")) {
    row.removeAttribute("aria-label");
  }
  for (const button of document.querySelectorAll("#chat .act:not([aria-label])")) {
    button.setAttribute("aria-label", button.title);
    if (button.closest(".judge")) {
      button.setAttribute("aria-pressed", String(button.classList.contains("on")));
    }
  }
}

// The exact words of a turn, which the page shows with signs for what cannot be shown.
export const turnOf = (number) => getJson(api(`conversations/${conversation}/turns/${number}`));
