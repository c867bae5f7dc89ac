// The drawer with all documents: what is indexed, adding files, removing a document.

import { announce, el, getJson, icon, plural } from "./dom.js";

const POLL_MS = 400;
const KINDS = { markdown: "md", text: "txt" };
const SHOWN = 200; // rows drawn at once; "Show more" draws as many again

let drawer;
let listed = { documents: [], can_upload: false, can_remove: false };
let onChange = () => {};
let shownRows = SHOWN;
let watching = false;

export function startDocuments(changed) {
  onChange = changed;
  drawer = el("dialog", { id: "documents", "aria-labelledby": "documents-title" });
  document.body.append(drawer);
  drawer.addEventListener("click", (event) => {
    if (event.target === drawer) drawer.close();
  });
  drawer.addEventListener("close", () => document.querySelector("#open-documents")?.focus());
  // A file dropped beside the field would otherwise replace the page.
  for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
  return refresh();
}

export function openDocuments() {
  shownRows = SHOWN;
  draw();
  drawer.showModal();
  drawer.querySelector("h2").focus();
  refresh();
}

async function refresh() {
  try {
    listed = await getJson("/api/documents");
  } catch (error) {
    report([el("p", { class: "failed" }, error.message)]);
    return;
  }
  onChange(listed);
  if (drawer.open) drawRows();
  if (listed.sync.running) watch();
}

function draw() {
  drawer.replaceChildren(
    el(
      "div",
      { class: "panel-head" },
      el("div", {}, el("h2", { id: "documents-title", tabindex: "-1" }, "Documents"), el("p", { class: "where", id: "documents-count" })),
      el("button", { type: "button", class: "icon", "aria-label": "Close documents", onclick: () => drawer.close() }, icon("close")),
    ),
    el(
      "div",
      { class: "scroll" },
      listed.can_upload ? adding() : null,
      el("div", { id: "sync-report", role: "status" }),
      el("ul", { id: "document-list" }),
      el("button", { type: "button", id: "more-documents", hidden: true, onclick: showMore }, "Show more"),
    ),
  );
  drawRows();
}

function showMore() {
  shownRows += SHOWN;
  drawRows();
}

function drawRows() {
  const { documents } = listed;
  const count = drawer.querySelector("#documents-count");
  if (!count) return;
  count.textContent = `${plural(documents.length, "document")} · ${plural(listed.sentences ?? 0, "sentence")}`;
  const rows = documents.slice(0, shownRows).map(row);
  if (!rows.length) rows.push(el("li", { class: "none" }, "No documents are indexed yet."));
  drawer.querySelector("#document-list").replaceChildren(...rows);
  drawer.querySelector("#more-documents").hidden = documents.length <= shownRows;
}

function row(info) {
  const facts = [plural(info.sentences, "sentence")];
  if (info.pages) facts.push(plural(info.pages, "page"));
  if (info.date) facts.push(info.date);
  const where = el("p", { class: "where" }, info.folder ? el("span", { dir: "auto" }, `${info.folder} · `) : "");
  facts.forEach((fact, at) => where.append(at ? " · " : "", el("span", { class: "nowrap" }, fact)));
  const item = el(
    "li",
    { class: "document" },
    el("span", { class: "kind", "aria-hidden": "true" }, (KINDS[info.type] ?? info.type).slice(0, 4)),
    el(
      "div",
      { class: "about" },
      el("p", { class: "name", dir: "auto" }, info.name),
      where,
      ...info.warnings.map((warning) => el("p", { class: "warning", dir: "auto" }, warning)),
    ),
  );
  if (listed.can_remove) {
    item.append(
      el(
        "button",
        { type: "button", class: "icon remove", "aria-label": `Remove ${info.name}`, onclick: () => confirm(item, info) },
        icon("remove"),
      ),
    );
  }
  return item;
}

function confirm(item, info) {
  const consequence = info.uploaded ? "The uploaded copy is deleted." : "The file itself stays where it is.";
  const back = () => {
    question.remove();
    item.classList.remove("asking");
    item.querySelector(".remove").focus();
  };
  const yes = el("button", { type: "button", class: "danger", onclick: () => remove(item, info) }, "Remove");
  const question = el(
    "div",
    { class: "confirm", role: "group", "aria-label": `Remove ${info.name}?` },
    el("p", {}, `Remove it from the answers? ${consequence}`),
    el("div", { class: "buttons" }, yes, el("button", { type: "button", onclick: back }, "Keep")),
  );
  item.classList.add("asking");
  item.append(question);
  yes.focus();
}

async function remove(item, info) {
  for (const button of item.querySelectorAll("button")) button.disabled = true;
  try {
    await getJson(`/api/documents/${info.id}`, { method: "DELETE" });
    report([el("p", {}, `${info.name} is removed.`)]);
  } catch (error) {
    report([el("p", { class: "failed" }, error.message)]);
  }
  await refresh();
  drawer.querySelector("h2").focus();
}

function adding() {
  const input = el("input", { type: "file", id: "files", multiple: true, class: "only-heard" });
  input.addEventListener("change", () => {
    send([...input.files]);
    input.value = "";
  });
  const area = el(
    "label",
    { class: "drop", for: "files" },
    icon("add"),
    el("span", {}, el("strong", {}, "Add documents"), el("span", { class: "where" }, "Choose files, or drop them here")),
  );
  const over = (on) => (event) => {
    event.preventDefault();
    area.classList.toggle("over", on);
  };
  area.addEventListener("dragover", over(true));
  area.addEventListener("dragleave", over(false));
  area.addEventListener("drop", (event) => {
    over(false)(event);
    send([...event.dataTransfer.files]);
  });
  return el("div", { class: "adding" }, input, area);
}

function send(files) {
  if (!files.length) return;
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  if (bytes > listed.most_bytes) {
    const most = Math.floor(listed.most_bytes / 1e6);
    report([el("p", { class: "failed" }, `These files have more than ${most} MB together; add them in several steps.`)]);
    return;
  }
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name);
  const request = new XMLHttpRequest(); // fetch() tells nothing of how much has been sent
  request.open("POST", "/api/documents");
  request.upload.addEventListener("progress", (event) => {
    progress(`Sending ${plural(files.length, "file")}`, event.loaded, event.total);
  });
  request.addEventListener("load", () => {
    let reply = {};
    try {
      reply = JSON.parse(request.responseText);
    } catch {
      reply = { detail: request.responseText };
    }
    if (request.status !== 202) {
      report([el("p", { class: "failed" }, reply.detail || "The files could not be sent.")]);
      return;
    }
    if (reply.saved.length) watch(reply.refused);
    else report(outcome({ reports: [], problem: "" }, reply.refused));
  });
  request.addEventListener("error", () => {
    report([el("p", { class: "failed" }, "The files could not be sent; is Quoth still running?")]);
  });
  progress(`Sending ${plural(files.length, "file")}`, 0, bytes);
  request.send(form);
}

// Follows a sync until it ends, then says what came of it.
async function watch(refused = []) {
  if (watching) return;
  watching = true;
  try {
    for (;;) {
      const state = await getJson("/api/sync");
      if (!state.running) {
        report(outcome(state, refused));
        break;
      }
      const now = state.progress;
      if (now) progress(`Reading ${now.path}`, now.files_done, now.files, now.seconds_left);
      else progress("Reading the documents", 0, 0);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } catch (error) {
    report([el("p", { class: "failed" }, error.message)]);
  } finally {
    watching = false;
  }
  await refresh();
}

function progress(label, done, all, secondsLeft = null) {
  const bar = el("progress", { "aria-label": label, max: all || 1 });
  if (all) bar.value = done;
  const left = secondsLeft === null || secondsLeft < 2 ? "" : ` · about ${Math.round(secondsLeft)} s left`;
  report([el("p", { dir: "auto" }, label + left), bar]);
}

function report(parts) {
  const place = drawer.querySelector("#sync-report");
  if (!place) return;
  place.replaceChildren(...parts);
}

function outcome(state, refused) {
  const all = (name) => state.reports.flatMap((one) => one[name]);
  const [added, updated, removed] = ["added", "updated", "removed"].map(all);
  const skipped = [...refused, ...all("skipped")];
  const counts = [
    added.length && `${plural(added.length, "document")} added`,
    updated.length && `${updated.length} updated`,
    removed.length && `${removed.length} removed`,
    skipped.length && `${skipped.length} skipped`,
  ].filter(Boolean);
  const summary = counts.join(", ") || "Nothing has changed";
  const parts = [el("p", { class: "summary" }, `${summary}.`)];
  if (state.problem) parts.push(el("p", { class: "failed" }, state.problem));
  if (skipped.length) parts.push(el("ul", { class: "skipped" }, ...skipped.map(skip)));
  const notes = all("warnings").map((text) => el("li", { dir: "auto" }, text));
  if (notes.length) parts.push(el("ul", { class: "notes" }, ...notes));
  announce(summary);
  return parts;
}

function skip(one) {
  const kept = one.kept ? " (the version indexed before is kept)" : "";
  return el("li", { dir: "auto" }, el("strong", {}, one.path), ` ${one.reason}${kept}`);
}
