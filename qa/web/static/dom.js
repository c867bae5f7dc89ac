// Elements made by hand: text always goes in as text, never as markup.

import { t } from "./text.js";

// Where the page lives: "/" or, behind a proxy, a path such as "/quoth/".
export const root = new URL("..", import.meta.url).pathname;

// The address of one of our routes: api("documents") is "<root>api/documents".
export const api = (path) => `${root}api/${path}`;

export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Returns the JSON of an address of ours, null where the reply is empty; a refusal becomes an Error
// with the server's sentence.
export async function getJson(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch {
    throw new Error(t("page.away"));
  }
  const body = await response.text();
  // A proxy that does not reach the server answers with a page of its own, which is no sentence.
  const failed = new Error(t("page.failed", { status: String(response.status) }));
  let value;
  try {
    value = body ? JSON.parse(body) : null;
  } catch {
    throw failed;
  }
  if (!response.ok) throw value?.detail ? new Error(value.detail) : failed;
  return value;
}

// Says something to screen readers without moving the focus. What is outside a modal dialog is
// not heard while it is open, so the region goes where the person is; only a change of a region
// that is there already is read out.
export function announce(sentence) {
  const region =
    document.getElementById("said-aloud") ?? el("div", { id: "said-aloud", class: "only-heard", role: "status" });
  const place = [...document.querySelectorAll("dialog:modal")].pop() ?? document.body;
  if (region.parentNode !== place) place.append(region);
  region.textContent = "";
  setTimeout(() => (region.textContent = sentence), 50);
}

export const icon = (name) => {
  const paths = {
    close: "M5 5l10 10M15 5L5 15",
    documents: "M6 2.5h6l3.5 3.5v11.5H6zM12 2.5V6h3.5M8.5 10h5M8.5 13h5",
    pencil: "M4 16l.8-3.6L13 4.2l2.8 2.8-8.2 8.2z",
    add: "M10 4v12M4 10h12",
    again: "M16 10a6 6 0 1 1-1.8-4.3L16 7.5M16 3.5v4h-4",
    filter: "M3 5h14M6 10h8M8.5 15h3",
    leave: "M11.5 3.5h-7v13h7M9 10h8M14 7l3 3-3 3",
    history: "M3 4h14v10H9.5L6 17v-3H3zM6.5 7.5h7M6.5 10.5h4.5",
    more: "M4.5 10h.01M10 10h.01M15.5 10h.01",
    keys: "M2.5 5.5h15v9h-15zM5.5 8.5h.01M8.5 8.5h.01M11.5 8.5h.01M14.5 8.5h.01M6 11.5h8",
    back: "M12.5 4.5L7 10l5.5 5.5",
    forward: "M7.5 4.5L13 10l-5.5 5.5",
    up: "M4.5 12.5L10 7l5.5 5.5",
    down: "M4.5 7.5L10 13l5.5-5.5",
    search: "M8.75 3.5a5.25 5.25 0 1 1 0 10.5a5.25 5.25 0 1 1 0-10.5zM12.6 12.6l4 4",
    minus: "M4 10h12",
    target: "M10 3v3M10 14v3M3 10h3M14 10h3M10 7a3 3 0 1 1 0 6a3 3 0 1 1 0-6z",
    fit: "M2.5 10h15M5.5 7l-3 3 3 3M14.5 7l3 3-3 3",
    contents: "M3.5 5.5h1M7.5 5.5h9M3.5 10h1M7.5 10h9M3.5 14.5h1M7.5 14.5h9",
    open: "M8 4.5H4.5v11h11V12M11.5 4.5h4v4M15.5 4.5l-7 7",
    download: "M10 3.5v9M6.5 9.5L10 13l3.5-3.5M4 16.5h12",
    check: "M4.5 10.5l3.7 3.7 7.3-8",
    warning: "M10 3.5l7.5 13h-15zM10 8v4M10 14.2v.3",
    remove: "M4 6h12M8 6V4h4v2M6 6l.7 10.5h6.6L14 6",
  };
  const namespace = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(namespace, "svg");
  picture.setAttribute("viewBox", "0 0 20 20");
  picture.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", paths[name]);
  picture.append(path);
  return picture;
};
