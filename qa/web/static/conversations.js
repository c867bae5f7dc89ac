// The drawer with a person's conversations: found, opened, begun. One entry of it is in entry.js.

import { currentConversation, focusQuestion } from "./chat.js";
import { announce, api, el, getJson, icon } from "./dom.js";
import { daysAgo, Entry } from "./entry.js";
import { openKeys } from "./keys.js";
import { t } from "./text.js";

const PAGE = 50; // conversations fetched at once
const TYPING_MS = 200;

let drawer;
let opener;
let chat; // { show, begin }
let found = []; // what has been fetched, newest first
let next = null; // where the next page begins; null after the last
let entries = new Map(); // by id, those on screen
let asked = 0; // counts fetches: a slow reply to an earlier search is dropped

// Makes the drawer; returns the button that opens it, for the bar. `show(id)` draws a stored
// conversation, `begin()` an empty one.
export function startConversations({ show, begin }) {
  chat = { show, begin };
  opener = el(
    "button",
    { type: "button", id: "open-history", "aria-haspopup": "dialog", onclick: openConversations },
    icon("history"),
    el("span", { class: "label" }, t("conversations.open")),
  );
  drawer = el("dialog", { id: "conversations", "aria-labelledby": "conversations-title" });
  document.body.append(drawer);
  drawer.addEventListener("click", (event) => {
    if (event.target === drawer) drawer.close();
  });
  drawer.addEventListener("keydown", onArrow);
  drawer.addEventListener("close", () => {
    if (drawer.open) return; // opened again before this was told
    drawer.replaceChildren();
    entries = new Map();
    if (!document.activeElement?.closest("#question")) opener.focus();
  });
  addEventListener("quoth:turn", () => drawer.open && refresh());
  return opener;
}

async function openConversations() {
  if (drawer.open) return;
  found = [];
  draw();
  drawer.showModal();
  drawer.querySelector("h2").focus();
  await refresh();
}

function draw() {
  const search = el("input", {
    type: "search",
    id: "conversation-search",
    placeholder: t("conversations.search"),
    "aria-label": t("conversations.search"),
    autocomplete: "off",
    maxlength: "200",
  });
  let timer;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => refresh({ heard: true }), TYPING_MS);
  });
  const close = el(
    "button",
    { type: "button", class: "icon", "aria-label": t("conversations.close"), onclick: () => drawer.close() },
    icon("close"),
  );
  const more = el(
    "button",
    { type: "button", id: "more-conversations", hidden: true, onclick: () => fetchMore({ focus: true }) },
    t("conversations.more"),
  );
  const list = el("div", { id: "conversation-list" });
  drawer.replaceChildren(
    el(
      "div",
      { class: "panel-head" },
      el(
        "div",
        {},
        el("h2", { id: "conversations-title", tabindex: "-1" }, t("conversations.title")),
        el("p", { class: "where", id: "conversations-count" }),
      ),
      close,
    ),
    el(
      "div",
      { class: "finding" },
      el("button", { type: "button", class: "primary", id: "begin-here", onclick: begin }, icon("pencil"), t("conversations.new")),
      search,
    ),
    el("div", { class: "scroll" }, el("p", { class: "note", hidden: true }), list, more),
    el(
      "div",
      { class: "foot" },
      el("button", { type: "button", class: "quiet", onclick: openKeys }, icon("keys"), t("conversations.keys")),
    ),
  );
  // Older ones come before their button is reached; the button is for those who do not scroll.
  new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && fetchMore(), {
    root: drawer.querySelector(".scroll"),
    rootMargin: "300px",
  }).observe(more);
}

// Fetching --------------------------------------------------------------------------------------

const words = () => drawer.querySelector("#conversation-search")?.value.trim() ?? "";

// One page of the list: the newest, or what follows `before`.
function page(before = "") {
  const query = new URLSearchParams({ search: words(), limit: PAGE, before });
  return getJson(api(`conversations?${query}`));
}

// Fetches the list from its beginning. While an entry is being changed the list stays as it is.
async function refresh({ heard = false } = {}) {
  if (!heard && [...entries.values()].some((entry) => entry.busy)) return;
  const number = ++asked;
  let reply;
  try {
    reply = await page();
  } catch (error) {
    if (number === asked && drawer.open) note(t("conversations.failed", { reason: error.message }));
    return;
  }
  if (number !== asked || !drawer.open) return;
  ({ conversations: found, next } = reply);
  note(reply.persistent ? "" : t("conversations.passing"));
  drawList();
  if (heard) announce(count());
}

let fetching = false;

async function fetchMore({ focus = false } = {}) {
  if (fetching || next === null) return;
  fetching = true;
  const number = asked;
  try {
    const reply = await page(next);
    if (number !== asked || !drawer.open) return;
    found = [...found, ...reply.conversations];
    next = reply.next;
    drawList();
    if (focus) entries.get(reply.conversations[0]?.id)?.link.focus();
  } catch (error) {
    note(t("conversations.failed", { reason: error.message }));
  } finally {
    fetching = false;
  }
}

// "3 conversations", or "50 conversations and more" before the last page.
function count() {
  const name = words() ? "found" : "count";
  return t(`conversations.${next === null ? name : `${name}_or_more`}`, { n: found.length });
}

function note(sentence) {
  const place = drawer.querySelector(".note");
  if (!place) return;
  place.textContent = sentence;
  place.hidden = !sentence;
}

// Drawing ---------------------------------------------------------------------------------------

function drawList() {
  const at = document.activeElement?.closest?.("#conversation-list li");
  const held = at ? { id: at.dataset.id, button: document.activeElement.matches(".actions") } : null;
  const before = entries;
  entries = new Map();
  const sections = [];
  let list;
  for (const info of found) {
    const name = group(new Date(info.changed_at));
    if (sections.at(-1)?.dataset.name !== name) {
      const heading = el("h3", {}, name);
      list = el("ul", { "aria-label": name });
      sections.push(el("section", { "data-name": name }, heading, list));
    }
    const old = before.get(info.id);
    const entry = old?.busy ? old : new Entry(info, { open, changed, removed, current: isCurrent(info) });
    entries.set(info.id, entry);
    list.append(entry.element);
  }
  if (!found.length) {
    sections.push(el("p", { class: "none" }, t(words() ? "conversations.none_found" : "conversations.none")));
  }
  drawer.querySelector("#conversation-list").replaceChildren(...sections);
  drawer.querySelector("#conversations-count").textContent = count();
  drawer.querySelector("#more-conversations").hidden = next === null;
  const again = held && entries.get(held.id);
  if (again && !again.busy) (held.button ? again.button : again.link).focus();
}

const isCurrent = (info) => info.id === currentConversation();

// The heading an entry stands under.
function group(when) {
  const days = daysAgo(when);
  if (days <= 0) return t("conversations.today");
  if (days === 1) return t("conversations.yesterday");
  if (days < 7) return t("conversations.last_days");
  return when.toLocaleDateString("en", { month: "long", year: "numeric" });
}

// Acting ----------------------------------------------------------------------------------------

function begin() {
  drawer.close();
  chat.begin();
}

function open(info) {
  drawer.close();
  chat.show(info.id);
  // On a touch screen the keyboard would cover what was just opened.
  if (!matchMedia("(pointer: coarse)").matches) focusQuestion();
  announce(t("conversations.opened", { title: info.title || t("conversations.untitled") }));
}

function changed(info) {
  found = found.map((one) => (one.id === info.id ? { ...one, ...info } : one));
}

function removed(info) {
  const at = found.findIndex((one) => one.id === info.id);
  const next = found[at + 1] ?? found[at - 1];
  found.splice(at, 1);
  entries.delete(info.id);
  if (isCurrent(info)) chat.begin();
  drawList();
  announce(t("conversations.deleted"));
  (entries.get(next?.id)?.link ?? drawer.querySelector("#begin-here")).focus();
}

// Up and down lead from entry to entry, and from the search to the first of them.
function onArrow(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const from = event.target;
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
  if (!from.matches("#conversation-search, #conversation-list a.title")) return;
  const stops = [drawer.querySelector("#conversation-search"), ...drawer.querySelectorAll("a.title")];
  const to = stops[stops.indexOf(from) + step];
  if (!to) return;
  event.preventDefault();
  to.focus();
}
