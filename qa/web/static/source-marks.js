// Text with marks in it. Spans count characters of the document; a piece says where its visible
// text falls out of step with them (see qa/web/source_text.py).

import { el } from "./dom.js";

// The place in piece.text, as JavaScript counts, of a character of the document.
function indexOf(piece, offset) {
  let [origin, index] = [piece.start, 0];
  for (const [from, at] of piece.shifts) {
    if (from > offset) break;
    [origin, index] = [from, at];
  }
  return index + offset - origin;
}

const overlaps = (span, from, to) => span.start < to && span.end > from;

export const isMarked = (block, marks) => marks.some((mark) => overlaps(mark, block.start, block.end));

// Returns the piece as nodes; `marks` are spans with the class that they give.
export function withMarks(piece, marks) {
  const here = marks.filter((mark) => overlaps(mark, piece.start, piece.end));
  if (!here.length) return [piece.text];
  const cuts = new Set([piece.start, piece.end]);
  for (const { start, end } of here) {
    cuts.add(Math.max(start, piece.start));
    cuts.add(Math.min(end, piece.end));
  }
  const places = [...cuts].sort((a, b) => a - b);
  const nodes = [];
  for (let at = 0; at + 1 < places.length; at += 1) {
    const [from, to] = [places[at], places[at + 1]];
    const text = piece.text.slice(indexOf(piece, from), indexOf(piece, to));
    const names = new Set(here.filter((mark) => overlaps(mark, from, to)).map((mark) => mark.name));
    // Another quote of the conversation is a hint, not what was looked for.
    const tag = names.size === 1 && names.has("other") ? "span" : "mark";
    nodes.push(names.size ? el(tag, { class: [...names].join(" ") }, text) : text);
  }
  return nodes;
}
