// A citation is a link "#cite/<document>-<hash>/<start>-<end>": it works after a reload, in a new
// tab and in an old answer. Opening one shows the source beside the chat, at the quote.
// "#doc/<document>-<hash>" opens a document from its beginning.

import { startPreviews } from "./preview.js";
import { SourcePanel } from "./source.js";

const CITATION = /^#cite\/(\d{1,15}-[0-9a-f]{12})\/(\d{1,12}-\d{1,12})$/;
const DOCUMENT = /^#doc\/(\d{1,15}-[0-9a-f]{12})$/;

let panel;
let opener = null;
let shown = null; // the fragment whose source is on screen

export function startCitations() {
  panel = new SourcePanel({ onClose: closed, onWalk: walk });
  startPreviews((link) => CITATION.test(hrefOf(link)));
  document.addEventListener("click", onClick);
  addEventListener("hashchange", arrive);
  addEventListener("popstate", arrive); // between two conversations the fragment may stay the same
  // An answer may come, or be drawn again, after its source was opened.
  let waiting = 0;
  new MutationObserver((changes) => {
    if (!shown || waiting || !changes.some(({ target }) => target.closest?.("#chat"))) return;
    waiting = setTimeout(() => {
      waiting = 0;
      if (shown) beside();
    }, 200);
  }).observe(document.body, { childList: true, subtree: true });
  follow();
}

const hrefOf = (link) => link.getAttribute("href") ?? "";
const links = () => [...document.querySelectorAll("#chat a.cite")];

function onClick(event) {
  const link = event.target.closest?.("a.cite");
  if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (!CITATION.test(hrefOf(link))) return;
  // Gradio's <base href> would turn the fragment into a new page where the address has a query.
  event.preventDefault();
  opener = link;
  go(hrefOf(link));
}

function go(hash) {
  if (location.hash === hash) follow();
  else location.hash = hash;
}

function arrive() {
  if (location.hash !== (shown ?? "")) follow();
}

function follow({ keepFocus = false } = {}) {
  const hash = location.hash;
  const cited = CITATION.exec(hash);
  const whole = DOCUMENT.exec(hash);
  if (!cited && !whole) {
    panel.close();
    return;
  }
  if (!opener?.isConnected || hrefOf(opener) !== hash) opener = linkTo(hash) ?? opener;
  shown = hash;
  panel.open(cited ? `${cited[1]}/${cited[2]}` : whole[1], { keepFocus });
  beside();
}

const linkTo = (hash) => links().findLast((link) => hrefOf(link) === hash);

// Tells the panel which quotes the answer has, and which others of the conversation there are.
function beside() {
  // What is folded away is not on anyone's mind.
  const seen = links().filter((link) => !link.closest("details:not([open])"));
  const all = [...new Set(seen.map(hrefOf))].filter((href) => CITATION.test(href));
  const link = opener?.isConnected && hrefOf(opener) === shown ? opener : linkTo(shown);
  // Passages below the fold are walked through by themselves.
  const frame = link?.closest("details, .answer");
  const own = frame ? [...frame.querySelectorAll("a.cite")] : [];
  const group = own.filter((other) => other.closest("details, .answer") === frame).map(hrefOf);
  panel.setBeside({
    quotes: [...new Set(group)].map((href) => href.replace("#cite/", "")),
    others: all.filter((href) => href !== shown).map((href) => href.replace("#cite/", "")),
  });
  markLinks();
}

// Walking is no new entry of the history: Back closes the source.
function walk(reference) {
  opener = null;
  replaceHash(`#cite/${reference}`);
  follow({ keepFocus: true });
}

function replaceHash(hash) {
  history.replaceState(history.state, "", location.pathname + location.search + hash);
}

function closed() {
  const hash = shown;
  shown = null;
  markLinks();
  if (CITATION.test(location.hash) || DOCUMENT.test(location.hash)) replaceHash("");
  // The chat may have been drawn anew since: then an equal link is as good.
  const target = opener?.isConnected ? opener : linkTo(hash);
  opener = null;
  (target ?? document.querySelector("#question textarea"))?.focus();
}

// The marker whose source is open looks like the quote in it.
function markLinks() {
  for (const link of links()) link.classList.toggle("is-open", hrefOf(link) === shown);
}
