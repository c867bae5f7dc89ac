// A citation is a link "#cite/<document>-<hash>/<start>-<end>": it works after a reload, in a new
// tab and in an old answer. Opening one shows the source beside the chat, at the quote.

import { announce, el, getJson, icon } from "./dom.js";

const REFERENCE = /^#cite\/(\d{1,15}-[0-9a-f]{12}\/\d{1,12}-\d{1,12})$/;
const narrow = matchMedia("(max-width: 800px)");

let panel;
let opener = null;
let shown = null; // the reference on screen
let asked = 0; // counts openings: a slow answer to an earlier click is dropped

export function startCitations() {
  panel = el("dialog", { id: "source", "aria-labelledby": "source-title" });
  document.body.append(panel);
  panel.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  panel.addEventListener("click", (event) => {
    if (event.target === panel && panel.matches(":modal")) close();
  });
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel.open && !document.querySelector("#documents[open]")) close();
  });
  addEventListener("hashchange", follow);
  narrow.addEventListener("change", () => panel.open && present());
  follow();
}

function onClick(event) {
  const link = event.target.closest?.("a.cite");
  if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const hash = link.getAttribute("href");
  if (!REFERENCE.test(hash)) return;
  // Gradio's <base href> would turn the fragment into a new page where the address has a query.
  event.preventDefault();
  opener = link;
  if (location.hash === hash) follow();
  else location.hash = hash;
}

function follow() {
  const match = REFERENCE.exec(location.hash);
  if (match) open(match[1]);
  else if (panel.open) close();
}

async function open(reference) {
  const number = ++asked;
  const hash = `#cite/${reference}`;
  let content;
  let source = null;
  try {
    source = await getJson(`/api/source/${reference}`);
    content = describe(source);
  } catch (error) {
    content = [head("No source", ""), el("p", { class: "note" }, error.message)];
  }
  if (number !== asked) return;
  shown = hash;
  panel.replaceChildren(...content);
  present();
  markLinks();
  panel.querySelector("h2").focus({ preventScroll: true });
  showQuote();
  announce(source ? `${source.name} is open at the quote.` : "The source cannot be shown.");
}

// On a narrow screen the source covers the chat, so it is a modal sheet there.
function present() {
  const modal = narrow.matches;
  if (panel.open && panel.matches(":modal") !== modal) panel.close();
  if (!panel.open) {
    if (modal) panel.showModal();
    else panel.show();
  }
  document.body.classList.toggle("source-open", !modal);
}

function close() {
  asked += 1;
  if (!panel.open) return;
  panel.close();
  panel.replaceChildren();
  document.body.classList.remove("source-open");
  const hash = shown;
  shown = null;
  markLinks();
  if (REFERENCE.test(location.hash)) {
    history.replaceState(history.state, "", location.pathname + location.search);
  }
  // The chat may have been drawn anew since: then an equal link is as good.
  const links = [...document.querySelectorAll("a.cite")];
  const same = links.filter((link) => link.getAttribute("href") === hash).pop();
  const target = opener?.isConnected ? opener : same;
  opener = null;
  (target ?? document.querySelector("#question textarea"))?.focus();
}

// The marker whose source is open looks like the quote in it.
function markLinks() {
  for (const link of document.querySelectorAll("a.cite")) {
    link.classList.toggle("is-open", shown !== null && link.getAttribute("href") === shown);
  }
}

function showQuote() {
  const mark = panel.querySelector(".view:not([hidden]) .quoted");
  mark?.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
}

function describe(source) {
  const parts = [head(source.title, source.where, source.date)];
  if (source.note) parts.push(el("p", { class: "note" }, source.note));
  const text = asText(source);
  if (!source.page) return [...parts, el("div", { class: "scroll", tabindex: "0" }, text)];
  const page = asPage(source);
  const words = source.blocks.map((block) => block.marked).filter(Boolean).join(" ");
  const quote = el("blockquote", { dir: "auto", tabindex: "0" }, `“${words}”`);
  text.hidden = true;
  const scroll = el("div", { class: "scroll", tabindex: "0" }, page, text);
  return [...parts, choice(source, page, text, quote), quote, scroll];
}

function head(title, where, date) {
  const line = el("p", { class: "where", dir: "auto" }, where);
  if (date) line.append(" · ", el("span", { class: "nowrap" }, date));
  return el(
    "div",
    { class: "panel-head" },
    el(
      "div",
      {},
      el("h2", { id: "source-title", tabindex: "-1", dir: "auto" }, title),
      where ? line : null,
    ),
    el("button", { type: "button", class: "icon", "aria-label": "Close source", onclick: close }, icon("close")),
  );
}

function choice(source, page, text, quote) {
  const buttons = [];
  const line = el("p", { class: "page-line" }, `Page ${source.page.number} of ${source.page.pages}`);
  const zoom = el("button", { type: "button", "aria-pressed": "false", onclick: enlarge }, "Enlarge");
  const show = (view) => {
    for (const [button, target] of buttons) {
      target.hidden = target !== view;
      button.setAttribute("aria-pressed", String(target === view));
    }
    for (const part of [quote, line, zoom]) part.hidden = view !== page;
    showQuote();
  };
  const button = (label, view, pressed) => {
    const made = el("button", { type: "button", "aria-pressed": String(pressed), onclick: () => show(view) }, label);
    buttons.push([made, view]);
    return made;
  };
  const views = [button("Page", page, true), button("Text", text, false)];
  return el("div", { class: "choice", role: "group", "aria-label": "Show source as" }, ...views, line, zoom);

  function enlarge() {
    const large = page.querySelector(".sheet")?.classList.toggle("large") ?? false;
    zoom.setAttribute("aria-pressed", String(large));
    showQuote();
  }
}

function asText(source) {
  const view = el("div", { class: `view text${source.type === "pdf" ? " flowing" : ""}`, dir: "auto" });
  if (source.cut_before) view.append(el("p", { class: "cut" }, "The document begins further up."));
  let context = "";
  let quoted = false;
  for (const block of source.blocks) {
    // The header of a table or the lead-in of a list is said once, before its first row.
    if (block.kind === "row" && block.context && block.context !== context) {
      view.append(el("p", { class: "context" }, block.context));
    }
    context = block.context;
    view.append(asBlock(block, !quoted));
    quoted ||= block.marked !== "";
  }
  if (source.cut_after) view.append(el("p", { class: "cut" }, "The document goes on."));
  return view;
}

function asBlock(block, first) {
  const tags = { heading: `h${Math.min(Math.max(block.level, 1) + 2, 6)}`, code: "pre" };
  const element = el(tags[block.kind] ?? "p", { class: block.kind });
  if (block.kind === "item") element.style.setProperty("--level", Math.max(block.level, 1));
  element.append(block.before);
  if (block.marked) element.append(el("mark", { class: first ? "quoted" : "" }, block.marked));
  element.append(block.after);
  return element;
}

function asPage(source) {
  const { page } = source;
  const boxes = page.boxes.map((box, index) => {
    const made = el("span", { class: index ? "box" : "box quoted" });
    for (const side of ["left", "top", "width", "height"]) made.style[side] = `${box[side]}%`;
    return made;
  });
  const image = el("img", { src: page.image, alt: `Page ${page.number} of ${source.name}` });
  const sheet = el("div", { class: "sheet" }, image, ...boxes);
  image.addEventListener("load", showQuote);
  image.addEventListener("error", () => sheet.replaceWith(el("p", { class: "note" }, "The page cannot be drawn; see its text.")));
  return el("div", { class: "view page" }, el("div", { class: "desk" }, sheet));
}
