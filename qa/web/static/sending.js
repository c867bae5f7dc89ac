// Sends files in several requests, tells how far it is, and can be stopped.

import { api } from "./dom.js";
import { call } from "./requests.js";
import { t } from "./text.js";

const MOST_FILES = 200; // in one request
const MOST_BYTES = 24_000_000; // so that stopping loses little, and the bar moves

export class Stopped extends Error {}

export class Sending {
  // `progress` is told {share, secondsLeft, done} as it goes.
  constructor(files, { mostBytes, progress }) {
    this.batch = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    this.progress = progress;
    this.refused = [];
    this.files = files.filter(({ file, path }) => this.fits(file, path, mostBytes));
    this.bytes = this.files.reduce((sum, { file }) => sum + file.size, 0) || 1;
    this.stopped = false;
  }

  fits(file, path, most) {
    // The request holds a little more than the file.
    if (file.size < most - 10_000) return true;
    const reason = `${t("documents.too_big", { most: Math.floor(most / 1e6) })} ${t("documents.too_big_next")}`;
    this.refused.push({ path, reason });
    return false;
  }

  // Sends everything; returns how many files were kept.
  async run() {
    const begun = performance.now();
    let sent = 0;
    let done = 0;
    let saved = 0;
    for (const part of parts(this.files)) {
      const bytes = part.reduce((sum, { file }) => sum + file.size, 0);
      const reply = await this.post(part, (share) => {
        const now = Math.min(1, (sent + bytes * share) / this.bytes);
        const seconds = (performance.now() - begun) / 1000;
        const secondsLeft = now > 0.02 && seconds > 1 ? (seconds / now) * (1 - now) : null;
        this.progress({ share: now, secondsLeft, done });
      });
      sent += bytes;
      done += part.length;
      saved += reply.saved.length;
      this.refused.push(...reply.refused);
    }
    return saved;
  }

  post(part, told) {
    const form = new FormData();
    for (const { file, path } of part) form.append("files", file, path);
    const request = new XMLHttpRequest(); // fetch() tells nothing of how much has been sent
    this.request = request;
    return new Promise((resolve, reject) => {
      if (this.stopped) reject(new Stopped());
      request.open("POST", api(`documents?batch=${this.batch}`));
      request.upload.addEventListener("progress", (event) => told(event.loaded / event.total));
      request.addEventListener("abort", () => reject(new Stopped()));
      request.addEventListener("error", () => reject(new Error(t("documents.send_failed"))));
      request.addEventListener("load", () => {
        let reply;
        try {
          reply = JSON.parse(request.responseText);
        } catch {
          reply = {};
        }
        if (request.status === 202) resolve(reply);
        else reject(new Error(reply.detail || t("documents.send_failed")));
      });
      request.send(form);
    });
  }

  // Stops; nothing of it is kept.
  stop() {
    this.stopped = true;
    this.request?.abort();
    this.forget();
  }

  forget() {
    call("DELETE", `documents/batch/${this.batch}`).catch(() => {}); // the server forgets it in a day
  }
}

function* parts(files) {
  let part = [];
  let bytes = 0;
  for (const item of files) {
    if (part.length && (part.length >= MOST_FILES || bytes + item.file.size > MOST_BYTES)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(item);
    bytes += item.file.size;
  }
  if (part.length) yield part;
}
