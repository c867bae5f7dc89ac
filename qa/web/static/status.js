// What the server is doing: asked every few seconds while the page is in view.

import { ask, focusQuestion, placeAboveQuestion } from "./chat.js";
import { announce, api, el, icon } from "./dom.js";
import { t } from "./text.js";

const EVERY_MS = 4000;

let onHealth = () => {};
let banner;
let dismissed = -1; // generation whose news the person has put away

export function startStatus(heard) {
  onHealth = heard;
  banner = el("div", { id: "banner", role: "status", hidden: true });
  placeAboveQuestion(banner);
  addEventListener("quoth:turn", look);
  document.addEventListener("visibilitychange", () => document.hidden || look());
  setInterval(() => document.hidden || look(), EVERY_MS);
  return look();
}

async function look() {
  let reply;
  try {
    reply = await fetch(api("health"));
  } catch {
    say("away", t("page.away"));
    return;
  }
  if (reply.status === 401) {
    say("signed-out", t("page.signed_out"), el("a", { href: "login" }, t("page.sign_in")));
    return;
  }
  if (!reply.ok) return;
  const health = await reply.json();
  onHealth(health);
  const last = [...document.querySelectorAll("#chat .answer[id]")].pop();
  const older = last && health.generation > generationOf(last) && dismissed < health.generation;
  if (!older) say("");
  else say("updated", t("page.updated"), again(last), away(health.generation));
}

// The state of the library that an answer was found in, as the server marked it: "g12".
function generationOf(answer) {
  const mark = [...answer.classList].find((name) => /^g\d+$/.test(name));
  return mark ? Number(mark.slice(1)) : Infinity;
}

function again(answer) {
  const number = Number(answer.id.split("-")[1]);
  const question = document.querySelector(`#asked-${number} .bubble`)?.innerText ?? "";
  const onclick = () => {
    say("");
    ask(question, { insteadOf: number });
    focusQuestion();
  };
  return el("button", { type: "button", onclick }, t("page.ask_again"));
}

function away(generation) {
  const onclick = () => {
    dismissed = generation;
    say("");
    focusQuestion();
  };
  return el("button", { type: "button", class: "icon", "aria-label": t("page.dismiss"), onclick }, icon("close"));
}

function say(kind, sentence = "", ...actions) {
  if ((banner.dataset.kind ?? "") === kind) return;
  banner.dataset.kind = kind;
  document.body.classList.toggle("away", kind === "away" || kind === "signed-out");
  banner.hidden = !kind;
  banner.replaceChildren(...(kind ? [el("p", {}, sentence), ...actions] : []));
  if (kind) announce(sentence);
}
