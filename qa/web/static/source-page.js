// A PDF as it is printed: one page at a time as an image, with boxes on the words that are marked.

import { api, announce, el, getJson, icon } from "./dom.js";
import { t } from "./text.js";

const SCALES = [1, 1.5, 2, 3, 4]; // dots a point that the server draws, see qa/web/source_pages.py
const SHARP = 1.4; // dots of the image for one of the screen: small type needs more than one
const [SMALLEST, LARGEST, STEP] = [0.5, 4, 1.25];
const MOST_SPANS = 400; // asked about on one page

const place = ({ start, end }) => `${start}-${end}`;

export class PageView {
  // `spans`: those whose boxes source.print has; onTurn(): another page is shown.
  constructor(source, spans, { onTurn }) {
    this.source = source;
    this.onTurn = onTurn;
    this.page = source.print;
    this.spans = spans; // { start, end, name, page }: the quote, others, what is searched for
    this.boxed = spans; // those of them that page.boxes is about
    this.zoom = 1;
    this.asked = 0;
    this.image = el("img", { draggable: "false" });
    this.boxes = el("div", { class: "boxes" });
    this.sheet = el("div", { class: "sheet" }, this.image, this.boxes);
    this.failed = el("p", { class: "note", hidden: true }, t("source.page_failed"));
    this.desk = el("div", { class: "scroll desk", tabindex: "0", role: "region" }, this.failed, this.sheet);
    this.element = el("div", { class: "printed" }, this.desk, this.bar());
    this.image.addEventListener("load", () => this.sheet.classList.remove("waiting"));
    this.image.addEventListener("error", () => this.fail());
    this.desk.addEventListener("keydown", (event) => this.onKey(event));
    this.desk.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.pinch();
    new ResizeObserver(() => this.sharpen()).observe(this.desk);
    this.draw();
  }

  // Marks these spans; on the page shown now at once, on others when they are turned to.
  async setMarks(spans) {
    this.spans = spans;
    const wanted = this.spansOn(this.page.number);
    const isSame = JSON.stringify(wanted.map(place)) === JSON.stringify(this.boxed.map(place));
    if (!isSame) {
      await this.turn(this.page.number, { again: true });
      return;
    }
    this.boxed = wanted;
    this.drawBoxes();
  }

  // Shows another quote of the same document.
  replace(source, spans) {
    this.asked += 1;
    this.source = source;
    this.page = source.print;
    this.spans = this.boxed = spans;
    this.draw();
  }

  // Shows the page that a span is on, with the box called `name` in view.
  async goTo(page, name) {
    if (page && page !== this.page.number) await this.turn(page);
    this.showBox(name);
  }

  async turn(number, { again = false } = {}) {
    const wanted = Math.min(Math.max(number, 1), this.page.pages);
    if (wanted === this.page.number && !again) return;
    this.asked += 1;
    const asked = this.asked;
    const spans = this.spansOn(wanted);
    let page;
    try {
      const places = spans.map(place).join(",");
      page = await getJson(api(`source/${this.source.ref}/page/${wanted}?spans=${places}`));
    } catch {
      if (asked === this.asked) this.fail();
      return;
    }
    if (asked !== this.asked) return;
    const turned = page.number !== this.page.number;
    this.page = page;
    this.boxed = spans;
    if (!turned) {
      this.drawBoxes();
      return;
    }
    this.draw();
    this.desk.scrollTop = 0;
    announce(t("source.on_page", { number: page.number, n: page.pages }));
    this.onTurn(page.number);
  }

  spansOn(number) {
    return this.spans.filter(({ page }) => !page || page === number).slice(0, MOST_SPANS);
  }

  draw() {
    const { page } = this;
    this.failed.hidden = true;
    this.sheet.hidden = false;
    // The sheet has its size before the image is there: nothing jumps.
    this.sheet.style.aspectRatio = `${page.width} / ${page.height}`;
    this.desk.setAttribute("aria-label", t("source.the_page", { number: page.number, name: this.source.name }));
    this.image.alt = t("source.page_alt", { number: page.number, name: this.source.name });
    this.sharpen();
    this.drawBoxes();
    this.field.value = page.number;
    this.count.textContent = t("source.page_of", { n: page.pages });
    this.back.disabled = page.number === 1;
    this.next.disabled = page.number === page.pages;
    if (page.number < page.pages) this.prefetch(page.number + 1);
  }

  drawBoxes() {
    const boxes = [];
    this.page.boxes.forEach((group, at) => {
      for (const box of group) {
        const made = el("span", { class: `box ${this.boxed[at].name}` });
        for (const side of ["left", "top", "width", "height"]) made.style[side] = `${box[side]}%`;
        boxes.push(made);
      }
    });
    this.boxes.replaceChildren(...boxes);
  }

  // Enough dots for the screen, and not many more.
  sharpen() {
    const width = this.sheet.clientWidth || this.desk.clientWidth;
    if (!width) return;
    const wanted = (width * devicePixelRatio) / this.page.width;
    const scale = SCALES.find((each) => each >= wanted * SHARP) ?? SCALES[SCALES.length - 1];
    const address = api(`${this.page.image}?scale=${scale}`);
    if (this.image.getAttribute("src") === address) return;
    const isSamePage = this.image.getAttribute("src")?.startsWith(api(`${this.page.image}?`));
    if (!isSamePage) this.sheet.classList.add("waiting");
    this.scale = scale;
    this.image.src = address;
  }

  prefetch(number) {
    const picture = new Image();
    picture.src = api(`${this.page.image.replace(/\d+\.png$/, `${number}.png`)}?scale=${this.scale ?? 2}`);
  }

  fail() {
    this.failed.hidden = false;
    this.sheet.hidden = true;
  }

  showBox(name) {
    const box = this.boxes.querySelector(`.box.${name}`);
    box?.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  }

  // Where reading goes on when the text is shown instead.
  get position() {
    return this.page.start;
  }

  close() {
    this.asked += 1;
  }

  bar() {
    const button = (name, picture, action) =>
      el("button", { type: "button", class: "icon", "aria-label": name, title: name, onclick: action }, icon(picture));
    this.back = button(t("source.previous_page"), "back", () => this.turn(this.page.number - 1));
    this.next = button(t("source.next_page"), "forward", () => this.turn(this.page.number + 1));
    this.field = el("input", {
      type: "number",
      min: "1",
      max: String(this.page.pages),
      inputmode: "numeric",
      "aria-label": t("source.page_field"),
      onchange: () => this.onField(),
      onfocus: () => this.field.select(),
    });
    this.count = el("span", { class: "count" });
    return el(
      "div",
      { class: "page-bar" },
      el("div", { class: "turning" }, this.back, this.field, this.count, this.next),
      el(
        "div",
        { class: "zooming", role: "group", "aria-label": t("source.zoom") },
        button(t("source.zoom_out"), "minus", () => this.setZoom(this.zoom / STEP)),
        button(t("source.fit"), "fit", () => this.setZoom(1)),
        button(t("source.zoom_in"), "add", () => this.setZoom(this.zoom * STEP)),
      ),
    );
  }

  onField() {
    const number = Number.parseInt(this.field.value, 10);
    if (Number.isNaN(number)) this.field.value = this.page.number;
    else this.turn(number, { again: true });
  }

  // The place at `point`, in the middle by default, stays where it is.
  setZoom(zoom, point) {
    const before = this.zoom;
    this.zoom = Math.min(Math.max(zoom, SMALLEST), LARGEST);
    if (Math.abs(this.zoom - 1) < 0.05) this.zoom = 1;
    if (this.zoom === before) return;
    const desk = this.desk.getBoundingClientRect();
    const sheet = this.sheet.getBoundingClientRect();
    const at = point ?? { x: desk.left + desk.width / 2, y: desk.top + desk.height / 2 };
    const share = { x: (at.x - sheet.left) / sheet.width, y: (at.y - sheet.top) / sheet.height };
    this.sheet.style.width = `${this.zoom * 100}%`;
    const now = this.sheet.getBoundingClientRect();
    this.desk.scrollLeft += now.left + share.x * now.width - at.x;
    this.desk.scrollTop += now.top + share.y * now.height - at.y;
    this.sharpen();
    announce(t("source.zoomed", { percent: Math.round(this.zoom * 100) }));
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isWide = this.desk.scrollWidth > this.desk.clientWidth + 1;
    const actions = {
      "+": () => this.setZoom(this.zoom * STEP),
      "=": () => this.setZoom(this.zoom * STEP),
      "-": () => this.setZoom(this.zoom / STEP),
      0: () => this.setZoom(1),
    };
    if (!isWide) {
      actions.ArrowLeft = () => this.turn(this.page.number - 1);
      actions.ArrowRight = () => this.turn(this.page.number + 1);
    }
    if (!(event.key in actions)) return;
    event.preventDefault();
    actions[event.key]();
  }

  // What browsers make of two fingers on a touch pad.
  onWheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    this.setZoom(this.zoom * Math.exp(-event.deltaY / 200), { x: event.clientX, y: event.clientY });
  }

  pinch() {
    const fingers = new Map();
    let begun = null;
    const apart = () => {
      const [a, b] = [...fingers.values()];
      return { size: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    };
    const put = (event) => fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.desk.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "touch") return;
      put(event);
      begun = fingers.size === 2 ? { size: apart().size, zoom: this.zoom } : null;
    });
    this.desk.addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      put(event);
      if (!begun || fingers.size !== 2) return;
      const now = apart();
      this.setZoom((begun.zoom * now.size) / begun.size, now);
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      this.desk.addEventListener(kind, (event) => {
        fingers.delete(event.pointerId);
        begun = null;
      });
    }
  }
}
