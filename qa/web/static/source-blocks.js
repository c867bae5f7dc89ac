// Blocks of a document as elements: headings, paragraphs, lists, tables and code.

import { el } from "./dom.js";
import { isMarked, withMarks } from "./source-marks.js";
import { t } from "./text.js";

const OWN_MARKER = /^(?:[•‣◦▪▫●○■□–—*+-]|\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)])\s/i;
const WIDE = 5; // columns that a table has beside each other in the panel

// A table that is wider than the panel scrolls by itself, and so must be reachable by keyboard.
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const reach = { tabindex: "0", role: "region", "aria-label": t("source.table") };
    const scrolls = target.scrollWidth > target.clientWidth;
    for (const [name, value] of Object.entries(reach)) {
      if (scrolls) target.setAttribute(name, value);
      else target.removeAttribute(name);
    }
  }
});

// A block drawn: `paint(marks)` draws its words again.
class Drawn {
  constructor(block, cells) {
    this.block = block;
    this.cells = cells; // [element, piece]
    this.marked = false;
  }

  get element() {
    return this.cells[0][0];
  }

  paint(marks) {
    const marked = isMarked(this.block, marks);
    if (!marked && !this.marked && this.cells[0][0].hasChildNodes()) return;
    this.marked = marked;
    for (const [element, piece] of this.cells) element.replaceChildren(...withMarks(piece, marks));
  }
}

// Returns the elements of a stretch and its blocks as `Drawn`, not yet painted.
export function drawBlocks(stretch, { isPrinted }) {
  const elements = [];
  const drawn = [];
  let depth = 0;
  let list = null;
  let table = null;
  let context = null;
  for (const block of stretch.blocks) {
    const isTable = block.kind === "row" && !isPrinted && !block.continued;
    if (block.kind !== "item") list = null;
    if (!isTable) table = null;
    let made;
    if (block.kind === "heading") {
      // Levels follow each other without a gap, whatever the document does.
      depth = Math.min(Math.max(block.level, 1), depth + 1);
      made = el(`h${Math.min(depth + 2, 6)}`, { class: `heading level-${block.level}` });
    } else if (block.kind === "item") {
      made = el("li", { class: OWN_MARKER.test(block.pieces[0].text) ? "own" : "" });
      made.style.setProperty("--level", Math.max(block.level, 1));
      list ??= elements[elements.push(el("ul", { class: "items" })) - 1];
      list.append(made);
    } else if (isTable) {
      table = table?.fits(block) ? table : new Table(block, stretch.columns, elements);
      drawn.push(table.add(block));
      continue;
    } else {
      if (block.kind === "row" && block.context && block.context !== context) {
        elements.push(el("p", { class: "context" }, block.context));
      }
      made = el(block.kind === "code" ? "pre" : "p", { class: block.kind });
    }
    context = block.context;
    made.dir = "auto";
    if (block.kind !== "item") elements.push(made);
    drawn.push(new Drawn(block, [[made, block.pieces[0]]]));
  }
  return { elements, drawn };
}

class Table {
  constructor(first, columns, elements) {
    this.context = first.header ? null : first.context;
    this.columns = columns;
    this.body = el("tbody");
    this.table = el("table", {}, this.body);
    const names = columns.length ? columns : (this.context ?? "").split(" | ");
    const width = Math.max(names.length, first.pieces.length);
    const titled = columns.length || (this.context && names.length >= first.pieces.length && names.length > 1);
    if (titled) this.table.prepend(el("thead", {}, headerRow(names)));
    else if (this.context) elements.push(el("p", { class: "context" }, this.context));
    this.frame = el("div", { class: width > WIDE ? "table wide" : "table" }, this.table);
    elements.push(this.frame);
    sizes.observe(this.frame);
  }

  // The rows below a header name it; those of another table have another one.
  fits(block) {
    if (block.header) return false;
    this.context ??= block.context;
    return this.context === block.context;
  }

  add(block) {
    const row = el("tr");
    const cells = block.pieces.map((piece) => [el(block.header ? "th" : "td", { dir: "auto" }), piece]);
    if (block.header) for (const [cell] of cells) cell.setAttribute("scope", "col");
    if (this.columns.length) {
      for (const name of this.columns) {
        row.append(cells.find(([, piece]) => piece.name === name)?.[0] ?? el("td"));
      }
    } else {
      row.append(...cells.map(([cell]) => cell));
    }
    if (block.header) this.table.prepend(el("thead", {}, row));
    else this.body.append(row);
    return new Drawn(block, cells);
  }
}

const headerRow = (names) =>
  el("tr", {}, ...names.map((name) => el("th", { scope: "col", dir: "auto" }, name)));
