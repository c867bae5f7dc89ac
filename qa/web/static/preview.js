// A card beside a marker, shown while the pointer or the focus is on it: the quote between the
// sentences beside it. It can be hovered, Esc closes it, and it never covers the marker's line
// (WCAG 1.4.13). There is none on touch screens: a tap opens the source.

import { api, el, getJson } from "./dom.js";
import { t } from "./text.js";

const SHOW_AFTER = 250; // milliseconds: not while the pointer only passes by
const HIDE_AFTER = 250; // long enough to move the pointer into the card
const FRESH = 60_000;
const MOST = 200;
const GAP = 8;

const cache = new Map(); // reference → { at, reply }
let card = null;
let current = null; // the marker the card is for, or is about to be
let timer = 0;
let byKeyboard = false;

export function startPreviews(isCitation) {
  card = el("div", { id: "preview", role: "tooltip", hidden: true });
  document.body.append(el("aside", { "aria-label": t("source.preview") }, card));
  const markerOf = (event) => {
    const link = event.target.closest?.("a.cite");
    return link && isCitation(link) ? link : null;
  };
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const link = markerOf(event);
    if (link) plan(link, SHOW_AFTER);
    else if (event.target.closest?.("#preview")) clearTimeout(timer);
    else if (current && current !== document.activeElement) hideSoon();
    else if (current && !byKeyboard) hideSoon();
  });
  document.addEventListener("keydown", (event) => {
    byKeyboard = true;
    if (event.key !== "Escape" || card.hidden) return;
    event.preventDefault();
    event.stopPropagation();
    hide();
  }, true);
  document.addEventListener("pointerdown", () => {
    byKeyboard = false;
    hide();
  }, true);
  document.addEventListener("focusin", (event) => {
    const link = markerOf(event);
    if (link && byKeyboard) plan(link, SHOW_AFTER);
    else hide();
  });
  document.addEventListener("focusout", () => hideSoon());
  // A card that stays behind when its marker scrolls away would be about something else.
  document.addEventListener("scroll", (event) => event.target !== card && hide(), true);
  addEventListener("hashchange", hide);
  addEventListener("blur", hide);
}

function plan(link, delay) {
  name(link);
  if (link === current) {
    clearTimeout(timer);
    if (!card.hidden) return;
  } else {
    hide();
  }
  current = link;
  clearTimeout(timer);
  const reply = load(link.hash.replace("#cite/", ""));
  timer = setTimeout(async () => {
    const preview = await reply;
    if (preview && current === link && link.isConnected) show(link, preview);
  }, delay);
}

// The browser's own tooltip would lie on the card, so its words become part of the name.
function name(link) {
  if (!link.title) return;
  link.setAttribute("aria-label", `${link.textContent} ${link.title}`);
  link.removeAttribute("title");
}

function load(reference) {
  const kept = cache.get(reference);
  if (kept && Date.now() - kept.at < FRESH) return kept.reply;
  // What cannot be shown is said when the marker is opened, not in passing.
  const reply = getJson(api(`source/${reference}/preview`)).catch(() => null);
  cache.set(reference, { at: Date.now(), reply });
  if (cache.size > MOST) cache.delete(cache.keys().next().value);
  return reply;
}

function show(link, preview) {
  card.replaceChildren(
    el(
      "p",
      { class: "sentences", dir: "auto" },
      preview.before ? `${preview.before} ` : null,
      el("mark", {}, preview.quote),
      preview.after ? ` ${preview.after}` : null,
    ),
    el("p", { class: "where", dir: "auto" }, preview.where),
  );
  card.hidden = false;
  link.setAttribute("aria-describedby", card.id);
  place(link);
}

// Above or below the marker's line, where there is more room.
function place(link) {
  const marker = link.getClientRects()[0] ?? link.getBoundingClientRect();
  const { width, height } = card.getBoundingClientRect();
  const root = document.documentElement;
  const above = marker.top - GAP;
  const below = innerHeight - marker.bottom - GAP;
  const isBelow = below >= height || below >= above;
  card.style.maxHeight = `${Math.max(Math.min(isBelow ? below : above, 320) - GAP, 80)}px`;
  const tall = Math.min(height, Math.max(isBelow ? below : above, 80) - GAP);
  const left = Math.min(Math.max(marker.left - width / 2, GAP), root.clientWidth - width - GAP);
  card.style.left = `${Math.max(left, GAP)}px`;
  card.style.top = `${isBelow ? marker.bottom + GAP : marker.top - GAP - tall}px`;
}

function hideSoon() {
  clearTimeout(timer);
  timer = setTimeout(hide, HIDE_AFTER);
}

function hide() {
  clearTimeout(timer);
  if (current?.getAttribute("aria-describedby") === card.id) current.removeAttribute("aria-describedby");
  current = null;
  card.hidden = true;
}
