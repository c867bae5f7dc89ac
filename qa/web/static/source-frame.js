// The frame of the source: beside the chat on a wide screen, a sheet over it on a narrow one.

import { el } from "./dom.js";
import { t } from "./text.js";

const KEPT = "quoth.source-width"; // percent of the window
const [LEAST, MOST, USUAL, STEP] = [28, 68, 44, 2];
const narrow = matchMedia("(max-width: 800px)");

export class Frame {
  // onDismiss(): a person wants it closed.
  constructor(panel, onDismiss) {
    this.panel = panel;
    this.onDismiss = onDismiss;
    this.handle = el("div", {
      class: "resize",
      role: "separator",
      tabindex: "0",
      "aria-orientation": "vertical",
      "aria-label": t("source.resize"),
      "aria-valuemin": String(LEAST),
      "aria-valuemax": String(MOST),
    });
    this.grip = el("div", { class: "grip", "aria-hidden": "true" });
    this.setWidth(Number.parseFloat(read()) || USUAL);
    this.handle.addEventListener("keydown", (event) => this.onKey(event));
    this.handle.addEventListener("pointerdown", (event) => this.drag(event));
    this.handle.addEventListener("dblclick", () => this.setWidth(USUAL, { keep: true }));
    narrow.addEventListener("change", () => this.panel.open && this.present());
    panel.addEventListener("cancel", (event) => {
      event.preventDefault();
      onDismiss();
    });
    panel.addEventListener("click", (event) => {
      if (event.target === panel && panel.matches(":modal")) onDismiss();
    });
    panel.addEventListener("pointerdown", (event) => this.pull(event));
  }

  present() {
    const modal = narrow.matches;
    if (this.panel.open && this.panel.matches(":modal") !== modal) this.panel.close();
    if (!this.panel.open) {
      if (modal) this.panel.showModal();
      else this.panel.show();
    }
    this.panel.style.transform = "";
    document.body.classList.toggle("source-open", !modal);
  }

  hide() {
    this.panel.close();
    this.panel.style.transform = "";
    document.body.classList.remove("source-open");
  }

  setWidth(percent, { keep = false } = {}) {
    this.width = Math.min(Math.max(percent, LEAST), MOST);
    document.documentElement.style.setProperty("--source-width", `${this.width}vw`);
    this.handle.setAttribute("aria-valuenow", String(Math.round(this.width)));
    if (keep) write(this.width.toFixed(1));
  }

  onKey(event) {
    const step = { ArrowLeft: STEP, ArrowRight: -STEP, Home: MOST, End: -MOST }[event.key];
    if (!step) return;
    event.preventDefault();
    this.setWidth(this.width + step, { keep: true });
  }

  drag(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.handle.setPointerCapture(event.pointerId);
    document.body.classList.add("resizing");
    const move = (now) => this.setWidth(((innerWidth - now.clientX) / innerWidth) * 100);
    const end = () => {
      this.handle.removeEventListener("pointermove", move);
      document.body.classList.remove("resizing");
      this.setWidth(this.width, { keep: true });
    };
    this.handle.addEventListener("pointermove", move);
    this.handle.addEventListener("lostpointercapture", end, { once: true });
  }

  // The sheet follows a finger on its head, and closes when it was pulled down far or fast enough.
  pull(event) {
    const head = event.target.closest?.(".grip, .panel-head");
    if (!head || !this.panel.matches(":modal") || event.target.closest("button, a, input")) return;
    const begun = { y: event.clientY, at: event.timeStamp };
    head.setPointerCapture(event.pointerId);
    let by = 0;
    const move = (now) => {
      by = Math.max(now.clientY - begun.y, 0);
      this.panel.style.transform = by ? `translateY(${by}px)` : "";
    };
    const end = (now) => {
      head.removeEventListener("pointermove", move);
      const speed = by / Math.max(now.timeStamp - begun.at, 1);
      if (by > this.panel.clientHeight / 4 || (by > 40 && speed > 0.5)) this.onDismiss();
      else this.panel.style.transform = "";
    };
    head.addEventListener("pointermove", move);
    head.addEventListener("lostpointercapture", end, { once: true });
  }
}

// Storage may be closed; the width is then the usual one.
function read() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

function write(value) {
  try {
    localStorage.setItem(KEPT, value);
  } catch {
    // Nothing depends on it.
  }
}
