// The page around Gradio's chat: the bar on top, and the parts that are started from here.

import { startAnswers } from "./answers.js";
import { begin, focusQuestion, placeAboveQuestion, show, startChat } from "./chat.js";
import { startCitations } from "./cite.js";
import { startConversations } from "./conversations.js";
import { openDocuments, startDocuments } from "./documents.js";
import { el, icon } from "./dom.js";
import { startKeys } from "./keys.js";
import { setScope, scope } from "./scope.js";
import { watchSession } from "./session.js";
import { settings } from "./settings.js";
import { startStatus } from "./status.js";
import { t } from "./text.js";
import { onHealth as welcome, startWelcome } from "./welcome.js";

// Gradio decides between light and dark by the same rule, but only once it runs.
function preferTheme() {
  const asked = new URLSearchParams(location.search).get("__theme");
  const dark = asked ? asked === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.body.classList.toggle("dark", dark);
}

function drawBar(history) {
  const documents = el(
    "button",
    { type: "button", id: "open-documents", "aria-haspopup": "dialog", onclick: openDocuments },
    icon("documents"),
    el("span", { class: "label" }, t("page.documents")),
    el("span", { class: "count" }),
  );
  const fresh = el(
    "button",
    { type: "button", id: "begin", onclick: begin },
    icon("pencil"),
    el("span", { class: "label" }, t("page.new_conversation")),
  );
  const nav = el("nav", { "aria-label": t("page.navigation") }, fresh, documents, settings.login ? signOut() : null);
  const skip = el("button", { type: "button", class: "skip", onclick: focusQuestion }, t("page.skip"));
  document.body.prepend(
    skip,
    el("header", { id: "bar" }, history, el("h1", { dir: "auto" }, settings.title), progress(), nav),
  );
}

// A form, not a link: what changes something must not be followed by chance.
function signOut() {
  const label = t("page.sign_out");
  return el(
    "form",
    { method: "post", action: "logout" },
    el("button", { type: "submit", "aria-label": label, title: label }, icon("leave")),
  );
}

// While documents are taken in, whether or not their list is open.
function progress() {
  const bar = el("progress", { id: "progress", max: 1, hidden: true });
  addEventListener("quoth:progress", ({ detail }) => {
    bar.hidden = !detail.running;
    bar.setAttribute("aria-label", detail.label);
    if (detail.share === null || detail.share === undefined) bar.removeAttribute("value");
    else bar.value = detail.share;
  });
  return bar;
}

// "Searching 3 documents ×" above the question while the search is narrowed.
function drawScope() {
  const place = el("div", { id: "scope", hidden: true });
  const draw = () => {
    const chosen = scope();
    place.hidden = chosen === null;
    if (chosen === null) return;
    const label = t("page.searching_in", { n: chosen.length });
    const all = t("page.search_all");
    const everywhere = () => {
      setScope(null);
      focusQuestion();
    };
    place.replaceChildren(
      el("button", { type: "button", class: "chip", title: t("page.choose"), onclick: openDocuments }, icon("filter"), label),
      el("button", { type: "button", class: "icon", "aria-label": all, title: all, onclick: everywhere }, icon("close")),
    );
  };
  addEventListener("quoth:scope", draw);
  placeAboveQuestion(place);
  draw();
}

function onHealth(now) {
  document.querySelector("#open-documents .count").textContent = now.documents.toLocaleString("en");
  welcome({ ...now, can_upload: settings.can_upload });
}

preferTheme();
drawBar(startConversations({ show, begin }));
drawScope();
startCitations();
startDocuments();
startAnswers();
startWelcome(openDocuments);
startKeys({ begin, openDocuments, focusQuestion });
startStatus(onHealth);
if (settings.login) watchSession();
startChat();
