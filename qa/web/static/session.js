// Where people sign in: notices that the session of an open page has ended, whoever asked.

import { api, el, root } from "./dom.js";
import { t } from "./text.js";

const ask = window.fetch.bind(window);

// Gradio's requests and ours all go through fetch.
export function watchSession() {
  window.fetch = async (...request) => {
    const response = await ask(...request);
    if (response.status === 401 && new URL(response.url).origin === location.origin) sayEnded();
    return response;
  };
}

function sayEnded() {
  if (document.getElementById("session-ended")) return;
  const before = document.activeElement;
  const here = encodeURIComponent(location.search + location.hash);
  const heading = el("h2", { id: "session-ended-title", tabindex: -1 }, t("login.ended_heading"));
  const dialog = el(
    "dialog",
    { id: "session-ended", "aria-labelledby": "session-ended-title" },
    heading,
    el("p", {}, t("login.ended")),
    el(
      "p",
      { class: "ways" },
      el("a", { class: "primary", href: `${root}login?next=${here}` }, t("login.again")),
      el("a", { href: `${root}login`, target: "_blank", rel: "noopener" }, t("login.new_tab")),
      el("button", { type: "button", onclick: () => dialog.close() }, t("login.close")),
    ),
  );
  // Signed in elsewhere meanwhile: nothing more to say.
  const look = async () => {
    if (document.hidden) return;
    const health = await ask(api("health")).catch(() => null);
    if (health?.ok) dialog.close();
  };
  document.addEventListener("visibilitychange", look);
  dialog.addEventListener("close", () => {
    document.removeEventListener("visibilitychange", look);
    dialog.remove();
    before?.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  heading.focus();
}
