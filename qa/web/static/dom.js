// Elements made by hand: text always goes in as text, never as markup.

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

// Returns the JSON of an address of ours; a refusal becomes an Error with the server's sentence.
export async function getJson(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch {
    throw new Error("Quoth does not answer; is it still running?");
  }
  const body = await response.text();
  let value;
  try {
    value = JSON.parse(body);
  } catch {
    value = { detail: body };
  }
  if (!response.ok) throw new Error(value.detail || `The server answered ${response.status}.`);
  return value;
}

export function plural(number, noun, many = `${noun}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? noun : many}`;
}

// Says something to screen readers without moving the focus.
export function announce(sentence) {
  let region = document.getElementById("said-aloud");
  if (!region) {
    region = el("div", { id: "said-aloud", class: "only-heard", role: "status" });
    document.body.append(region);
  }
  region.textContent = sentence;
}

export const icon = (name) => {
  const paths = {
    close: "M5 5l10 10M15 5L5 15",
    documents: "M6 2.5h6l3.5 3.5v11.5H6zM12 2.5V6h3.5M8.5 10h5M8.5 13h5",
    pencil: "M4 16l.8-3.6L13 4.2l2.8 2.8-8.2 8.2z",
    add: "M10 4v12M4 10h12",
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
