// The drawer with all documents: what is indexed, what could not be read, adding and removing.

import { Activity, duration } from "./activity.js";
import { Choice } from "./choice.js";
import { api, el, getJson, icon } from "./dom.js";
import { Failures } from "./failures.js";
import { hasFiles, ofDrop, ofField } from "./gather.js";
import { call } from "./requests.js";
import { Rows } from "./rows.js";
import { Sending, Stopped } from "./sending.js";
import { settings } from "./settings.js";
import { Shelf, sorts, typeName } from "./shelf.js";
import { t } from "./text.js";

const LOOK_MS = 5000; // while it matters: others change the documents too
const may = { upload: settings.can_upload, remove: !settings.read_only };

let drawer;
let shelf;
let rows;
let failures;
let activity;
let choice;
let filtered = false; // since the drawer was drawn
let wish = { search: "", folder: "", type: "", sort: "name" };

export function startDocuments() {
  shelf = new Shelf();
  activity = new Activity({ changed: refresh });
  choice = new Choice({ removed: afterRemoval, drawn: () => drawChosen(), say: (sentence) => activity.say(sentence), left: keepFocus });
  drawer = el("dialog", { id: "documents", "aria-labelledby": "documents-title" });
  document.body.append(drawer);
  drawer.addEventListener("click", (event) => event.target === drawer && drawer.close());
  drawer.addEventListener("close", () => {
    if (drawer.open) return; // opened again before this was told
    choice.forget();
    document.querySelector("#open-documents")?.focus();
  });
  document.addEventListener("quoth:check-changes", async () => {
    await openDocuments();
    if (may.remove && !activity.running) activity.check();
  });
  startDropping();
  setInterval(() => (drawer.open || choice.chosen.size) && !document.hidden && look(), LOOK_MS);
  look();
}

export async function openDocuments() {
  if (drawer.open) return;
  draw();
  drawer.showModal();
  drawer.querySelector("h2").focus();
  await refresh();
}

function draw() {
  filtered = false;
  const scroller = el("div", { class: "scroll", tabindex: "-1" });
  rows = new Rows({
    scroller,
    chosen: choice.chosen,
    open: onOpen,
    remove: (info) => choice.ask([info.id], rows.wayBack(info)),
    choose: (documents, on) => choice.choose(documents, on),
  });
  failures = new Failures({
    changeable: may.remove,
    again: (source) => activity.update(false, [source]),
    say: (sentence) => activity.say(sentence),
  });
  const close = t("documents.close");
  scroller.append(
    el(
      "div",
      { class: "above" },
      may.upload ? adding() : null,
      activity.element,
      failures.element,
    ),
    tools(),
    el("p", { id: "none-found", class: "none", hidden: true }, t("documents.not_found")),
    emptiness(),
    rows.element,
  );
  drawer.replaceChildren(
    el(
      "div",
      { class: "panel-head" },
      el("div", {}, el("h2", { id: "documents-title", tabindex: "-1" }, t("documents.title")), el("p", { class: "where", id: "documents-count" }, t("documents.loading"))),
      el(
        "div",
        { class: "buttons" },
        may.remove ? checking() : null,
        el("button", { type: "button", class: "icon", "aria-label": close, title: close, onclick: () => drawer.close() }, icon("close")),
      ),
    ),
    scroller,
    choice.element,
    activity.spoken,
    el("p", { id: "list-help", class: "only-heard" }, t("documents.list_help")),
  );
  rows.element.setAttribute("aria-describedby", "list-help");
  if (shelf.generation >= 0) {
    choice.renew(shelf.documents, may.remove);
    drawFilters();
    drawList();
  }
}

async function refresh() {
  try {
    if (!drawer.open) {
      // What is searched must not name documents that are no longer there.
      if (choice.chosen.size && (await shelf.load())) choice.renew(shelf.documents, may.remove);
      return;
    }
    const [changed] = await Promise.all([shelf.load(), failures.load()]);
    // Drawn anew only where something has changed: a row must not go away under a finger.
    if (changed || !filtered) {
      choice.renew(shelf.documents, may.remove);
      drawFilters();
      drawList();
    }
    if (await shelf.look()) drawList();
  } catch (error) {
    activity.fail(error.message);
  }
}

// Sees what others do: a sync that was begun elsewhere, documents that came and went.
async function look() {
  if (activity.running) return;
  try {
    const state = await getJson(api("sync"));
    if (state.running) activity.watch({ mayStop: may.remove });
    else if (state.generation !== shelf.generation) refresh();
  } catch {
    // The page says elsewhere that the server is away.
  }
}

function drawList() {
  const { documents } = shelf;
  const found = shelf.find(wish);
  const count = t("documents.count", { n: documents.length });
  drawer.querySelector("#documents-count").textContent = `${count} · ${t("documents.sentences", { n: shelf.sentences })}`;
  drawer.querySelector("#tools").hidden = !documents.length;
  drawer.querySelector("#empty").hidden = documents.length > 0;
  drawer.querySelector("#none-found").hidden = !documents.length || found.length > 0;
  rows.show(found, { outdated: shelf.outdated, removable: may.remove });
  drawChosen();
}

function drawChosen() {
  if (!rows) return;
  rows.mark();
  const all = drawer.querySelector("#choose-all");
  if (!all) return;
  const found = rows.documents;
  const chosen = found.filter((info) => choice.chosen.has(info.id)).length;
  all.checked = found.length > 0 && chosen === found.length;
  all.indeterminate = chosen > 0 && chosen < found.length;
  const shown = { shown: found.length, all: shelf.documents.length };
  const label = found.length === shelf.documents.length ? t("documents.count", { n: found.length }) : t("documents.shown", shown);
  drawer.querySelector("#shown-count").textContent = label;
}

function onOpen(info, event) {
  // With Ctrl it opens a new tab, as links do.
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  drawer.close();
  location.hash = `#doc/${info.ref}`;
}

function keepFocus() {
  if (!drawer.contains(document.activeElement)) drawer.querySelector("h2").focus();
}

async function afterRemoval(n) {
  activity.show("report", el("p", { class: "summary" }, t("documents.was_removed", { n })), activity.hide());
  await refresh();
  activity.say(t("documents.was_removed", { n }));
  drawer.querySelector("h2").focus();
}

// -- what stands above the list

function adding() {
  const field = (properties) => {
    const input = el("input", { type: "file", multiple: true, class: "only-heard", tabindex: "-1", "aria-hidden": "true", ...properties });
    input.addEventListener("change", () => {
      add(ofField(input));
      input.value = "";
    });
    return input;
  };
  const files = field({ id: "files" });
  const folder = field({ id: "folder", webkitdirectory: true });
  const choose = (input, words, label) =>
    el("button", { type: "button", class: "link", "aria-label": t(label), onclick: () => input.click() }, t(words));
  return el(
    "div",
    { class: "drop" },
    files,
    folder,
    icon("add"),
    el(
      "div",
      {},
      el("strong", {}, t("documents.add")),
      el(
        "p",
        { class: "where" },
        `${t("documents.add_hint")} `,
        choose(files, "documents.add_files", "documents.choose_files"),
        " · ",
        choose(folder, "documents.add_folder", "documents.choose_folder"),
      ),
    ),
  );
}

function checking() {
  return el(
    "button",
    { type: "button", id: "check-changes", title: t("documents.check"), onclick: () => activity.running || activity.check() },
    icon("again"),
    el("span", {}, t("documents.check")),
  );
}

function tools() {
  const search = el("input", {
    type: "search",
    id: "search-documents",
    placeholder: t("documents.search"),
    "aria-label": t("documents.search"),
    autocomplete: "off",
  });
  search.value = wish.search;
  search.addEventListener("input", () => want({ search: search.value }));
  search.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      rows.focus(0);
    } else if (event.key === "Escape" && search.value) {
      // The first Escape empties the field, the next one closes the drawer.
      event.preventDefault();
      search.value = "";
      want({ search: "" });
    }
  });
  const all = el("input", { type: "checkbox", id: "choose-all", "aria-label": t("documents.choose_all"), title: t("documents.choose_all") });
  all.addEventListener("change", () => choice.choose(rows.documents, all.checked));
  const sort = choices("sort", t("documents.sort"), sorts.map((name) => [name, t(`documents.sort_${name}`)]));
  return el(
    "div",
    { id: "tools", hidden: true },
    search,
    el("div", { class: "filters" }, choices("folder", t("documents.folder"), []), choices("type", t("documents.type"), []), sort),
    el("div", { class: "all" }, el("span", { class: "pick" }, all), el("span", { id: "shown-count", class: "where" })),
  );
}

function choices(name, label, options) {
  const field = el("select", { "aria-label": label, title: label, "data-wish": name });
  field.append(...options.map(([value, words]) => el("option", { value }, words)));
  field.value = wish[name];
  field.addEventListener("change", () => want({ [name]: field.value }));
  return field;
}

// Folders and kinds are there to choose from only where there are several.
function drawFilters() {
  filtered = true;
  const fill = (name, first, values) => {
    const field = drawer.querySelector(`select[data-wish=${name}]`);
    field.hidden = values.length < 2;
    if (!values.some(([value]) => value === wish[name])) wish[name] = "";
    field.replaceChildren(el("option", { value: "" }, first), ...values.map(([value, words]) => el("option", { value }, words)));
    field.value = wish[name];
  };
  fill("folder", t("documents.all_folders"), shelf.folders.map((folder) => [folder, folder]));
  fill("type", t("documents.all_types"), shelf.types.map((type) => [type, typeName(type)]));
}

function want(change) {
  wish = { ...wish, ...change };
  drawList();
  if (drawer.querySelector("#tools").getBoundingClientRect().top < rows.scroller.getBoundingClientRect().top + 1) {
    rows.scroller.scrollTop = rows.element.offsetTop - drawer.querySelector("#tools").offsetHeight;
  }
  const shown = { shown: rows.documents.length, all: shelf.documents.length };
  activity.say(rows.documents.length ? t("documents.shown", shown) : t("documents.not_found"));
}

function emptiness() {
  const hint = t(may.upload ? "documents.none_hint" : "documents.none_read_only");
  return el("div", { id: "empty", hidden: true }, icon("documents"), el("p", {}, el("strong", {}, t("documents.none"))), el("p", { class: "where" }, hint));
}

// -- adding

async function add({ files, hidden }) {
  if (!may.upload || activity.sending) return;
  const label = t("documents.sending", { n: files.length });
  const sending = new Sending(files, {
    mostBytes: settings.most_bytes,
    progress: ({ share, secondsLeft }) => {
      const sent = `${Math.round(share * 100)} %`;
      activity.progress({ label, share, detail: [sent, duration(secondsLeft)].filter(Boolean).join(" · "), stop: () => sending.stop() });
    },
  });
  if (!sending.files.length) {
    activity.refuse(sending.refused, hidden);
    return;
  }
  activity.sending = true;
  activity.progress({ label, share: 0, detail: "", stop: () => sending.stop() });
  activity.say(label);
  try {
    const saved = await sending.run();
    if (!saved) {
      activity.rest();
      activity.refuse(sending.refused, hidden);
      return;
    }
    await call("POST", "sync", { batch: sending.batch });
  } catch (error) {
    activity.rest();
    activity.fail(error instanceof Stopped ? t("documents.sending_stopped") : error.message);
    sending.forget();
    return;
  } finally {
    activity.sending = false;
  }
  await activity.watch({ refused: sending.refused, hidden });
}

// Files may be dropped anywhere on the page: the drawer opens and takes them.
function startDropping() {
  const veil = el("div", { id: "drop-veil", hidden: true }, el("p", {}, icon("add"), t("documents.drop_here")));
  document.body.append(veil);
  let depth = 0;
  const show = (on) => {
    const visible = on && may.upload;
    veil.hidden = !visible || drawer.open;
    drawer.classList.toggle("over", visible && drawer.open);
  };
  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    show(true);
  });
  addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    depth = Math.max(0, depth - 1);
    if (!depth) show(false);
  });
  // A file dropped where nothing takes it would otherwise replace the page.
  addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  addEventListener("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    show(false);
    if (!may.upload) return;
    // What was dropped can be read only now.
    const found = await ofDrop(event.dataTransfer);
    openDocuments();
    add(found);
  });
}
