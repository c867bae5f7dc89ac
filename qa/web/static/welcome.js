// The empty page: what this is, what is indexed, and questions that the documents can answer.

import { ask } from "./chat.js";
import { api, el, getJson } from "./dom.js";
import { t } from "./text.js";

const MOST = 3;
const ASK_AGAIN_MS = 600;

let health = null;
let suggested = { generation: -1, questions: null };
let openDocuments = () => {};

export function startWelcome(open) {
  openDocuments = open;
  // Gradio draws the empty chat anew after "New conversation".
  new MutationObserver(draw).observe(document.body, { childList: true, subtree: true });
}

export function onHealth(now) {
  const before = health?.generation;
  health = now;
  if (before !== now.generation) {
    suggest(now.generation);
    draw();
  }
}

async function suggest(generation) {
  for (;;) {
    let reply;
    try {
      reply = await getJson(api("suggestions"));
    } catch {
      reply = { ready: true, questions: [] }; // the page says elsewhere what is wrong
    }
    if (health.generation !== generation) return;
    if (reply.ready) {
      suggested = { generation, questions: reply.questions.slice(0, MOST) };
      draw();
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
}

function draw() {
  const place = document.getElementById("welcome");
  if (!place || !health) return;
  const state = `${health.generation}/${suggested.generation}`;
  if (place.dataset.state === state) return;
  place.dataset.state = state;
  place.querySelector(".inside")?.remove();
  place.append(el("div", { class: "inside" }, ...(health.documents ? indexed() : nothing())));
}

function indexed() {
  const count = `${t("page.indexed", { n: health.documents })} ${t("page.sentences", { n: health.sentences })}`;
  return [el("p", { class: "indexed" }, count), examples()];
}

// Three places from the beginning, so that nothing moves when the questions come.
function examples() {
  const { questions, generation } = suggested;
  if (generation !== health.generation) {
    const waiting = Array.from({ length: MOST }, () => el("span", { class: "example waiting" }));
    return el("div", { class: "examples", "aria-hidden": "true" }, ...waiting);
  }
  if (!questions.length) return null;
  const buttons = questions.map((question) =>
    el("button", { type: "button", class: "example", dir: "auto", onclick: () => ask(question) }, question),
  );
  return el("div", { class: "examples", role: "group", "aria-label": t("page.try") }, ...buttons);
}

function nothing() {
  const parts = [el("p", { class: "indexed" }, t("page.nothing_indexed"))];
  if (health.can_upload) {
    const add = el("button", { type: "button", class: "first", onclick: openDocuments }, t("page.add_documents"));
    parts.push(add);
  }
  return parts;
}
