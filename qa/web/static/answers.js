// The buttons on questions and answers: copy, export, judge, ask again or differently.

import { ask, currentConversation, focusQuestion, turnOf } from "./chat.js";
import { announce, api, el } from "./dom.js";
import { call } from "./requests.js";
import { t } from "./text.js";

const FORMATS = ["markdown", "html", "json"];

export function startAnswers() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#chat .act");
    if (!button) return;
    const kind = [...button.classList].find((name) => name in actions);
    if (kind) actions[kind](button, numberOf(button));
  });
}

const numberOf = (element) => Number(element.closest("[id^=turn-], [id^=asked-]")?.id.split("-")[1]);
const bubbleOf = (number) => document.querySelector(`#asked-${number} .bubble`);

const actions = {
  copy: (button, number) => copy(button, async () => (await turnOf(number)).copy.answer),
  "copy-quote": (button, number) =>
    copy(button, async () => {
      const ref = button.closest(".quote").querySelector("a.cite").hash.replace("#cite/", "");
      const turn = await turnOf(number);
      return turn.copy.quotes[turn.answer.quotes.findIndex((quote) => quote.citation.ref === ref)];
    }),
  export: exportMenu,
  again: (button, number) => askAgain(number, {}),
  edit: (button, number) => edit(bubbleOf(number), number, (question) => askAgain(number, { question })),
  "edit-search": (button, number) =>
    edit(button.closest(".searched"), number, (question) => askAgain(number, { question, whole: true }), {
      value: button.closest(".searched").querySelector(".reading").textContent,
    }),
  "plain-search": (button, number) => askAgain(number, { whole: true }),
  "search-all": (button, number) => askAgain(number, { everywhere: true }),
  good: judge,
  "wrong-place": judge,
  "not-answered": judge,
};

// A question takes the place of what was asked; one further up is asked anew at the end instead,
// so that what came after it stays, unless a person has changed its words and knows what goes.
function askAgain(number, { question, ...options }) {
  const insteadOf = question !== undefined || isLast(number) ? number : null;
  ask(question ?? wordsOf(bubbleOf(number)), { insteadOf, ...options });
  focusQuestion();
}

const isLast = (number) => [...document.querySelectorAll("#chat .asked")].at(-1)?.id === `asked-${number}`;

// The words of a question as typed: each <br> was a line break.
function wordsOf(bubble) {
  const copied = bubble.cloneNode(true);
  for (const line of copied.querySelectorAll("br")) line.replaceWith("\n");
  return copied.textContent;
}

async function copy(button, words) {
  try {
    const done = await toClipboard(await words());
    flash(button, t(done ? "chat.copied" : "chat.not_copied"));
  } catch (error) {
    flash(button, error.message);
  }
}

// Returns whether the browser allowed it.
async function toClipboard(words) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(words).then(() => true, () => false);
  }
  // Over plain HTTP from another machine browsers have no clipboard API.
  const box = el("textarea", { class: "only-heard", "aria-hidden": "true" });
  box.value = words;
  const before = document.activeElement;
  document.body.append(box);
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  before?.focus();
  return done;
}

// Says beside the button what came of it, for a moment.
function flash(button, sentence) {
  announce(sentence);
  const note = el("span", { class: "flash", "aria-hidden": "true" }, sentence);
  button.after(note);
  setTimeout(() => note.remove(), 2000);
}

// Exporting ------------------------------------------------------------------------------------

function exportMenu(button, number) {
  const open = document.getElementById("export-menu");
  open?.close();
  if (open?.opener === button) return;
  const path = `conversations/${currentConversation()}/turns/${number}/export?format=`;
  const links = FORMATS.map((format) =>
    el("a", { href: api(path + format), download: "", onclick: () => menu.close() }, t(`chat.export_${format}`)),
  );
  const menu = el(
    "div",
    { id: "export-menu", class: "menu", role: "group", "aria-label": t("chat.export_answer") },
    ...links,
  );
  menu.opener = button;
  menu.close = () => {
    const inside = menu.contains(document.activeElement);
    menu.remove();
    button.setAttribute("aria-expanded", "false");
    removeEventListener("pointerdown", away, true);
    if (inside) button.focus();
  };
  const away = (event) => {
    if (!menu.contains(event.target) && event.target.closest?.(".act") !== button) menu.close();
  };
  menu.addEventListener("keydown", (event) => {
    const at = links.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) links[(at + step + links.length) % links.length].focus();
    else if (event.key === "Escape") menu.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.close();
  });
  addEventListener("pointerdown", away, true);
  button.setAttribute("aria-expanded", "true");
  // In the row of its button, so that Tab goes on where the eye is.
  button.after(menu);
  menu.style.left = `${button.offsetLeft}px`;
  links[0].focus();
}

// Judging --------------------------------------------------------------------------------------

async function judge(button, number) {
  const on = button.getAttribute("aria-pressed") !== "true";
  const value = on ? [...button.classList].find((name) => name in actions).replace("-", "_") : "";
  try {
    await call("PUT", `conversations/${currentConversation()}/turns/${number}/feedback`, { value });
  } catch (error) {
    flash(button, error.message);
    return;
  }
  for (const other of button.closest(".judge").querySelectorAll(".act")) {
    const pressed = on && other === button;
    other.setAttribute("aria-pressed", String(pressed));
    other.classList.toggle("on", pressed);
  }
  flash(button, t(on ? "chat.thanks" : "chat.taken_back"));
}

// Asking differently ---------------------------------------------------------------------------

function edit(place, number, send, { value = wordsOf(place) } = {}) {
  if (!place || place.nextElementSibling?.matches("form.edit")) return;
  const box = el("textarea", { rows: "2", "aria-label": t("chat.edit_label"), maxlength: "2000" });
  box.value = value;
  const leave = () => {
    form.remove();
    place.hidden = false;
    document.querySelector(`#asked-${number} .edit`)?.focus();
  };
  const warning = isLast(number) ? null : el("p", { class: "where", id: `forgets-${number}` }, t("chat.edit_forgets"));
  if (warning) box.setAttribute("aria-describedby", warning.id);
  const form = el(
    "form",
    { class: "edit" },
    box,
    warning,
    el(
      "div",
      { class: "buttons" },
      el("button", { type: "submit", class: "primary" }, t("chat.save_edit")),
      el("button", { type: "button", onclick: leave }, t("chat.leave_edit")),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (box.value.trim()) send(box.value.trim());
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave();
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) form.requestSubmit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  place.hidden = true;
  place.after(form);
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
}
