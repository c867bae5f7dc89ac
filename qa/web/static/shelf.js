// The documents as the page knows them: fetched when they have changed, searched and sorted here.

import { api, getJson } from "./dom.js";
import { t } from "./text.js";

const MOST_FOLDERS = 200;
const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare;
const newestFirst = (key) => (one, other) => (one[key] ?? "") < (other[key] ?? "") ? 1 : -1;
const SORTS = {
  name: (one, other) => byName(one.name, other.name) || byName(one.folder, other.folder),
  date: (one, other) => newestFirst("date")(one, other),
  indexed: (one, other) => newestFirst("indexed_at")(one, other),
  sentences: (one, other) => other.sentences - one.sentences,
};
const KNOWN_TYPES = ["pdf", "markdown", "text", "html", "docx", "csv"];

export const sorts = Object.keys(SORTS);

export class Shelf {
  constructor() {
    this.generation = -1;
    this.documents = [];
    this.outdated = { changed: new Set(), gone: new Set() };
    this.seen = '{"changed":[],"gone":[]}';
    this.sentences = 0;
  }

  // Fetches the documents; the browser asks only whether they are still the same.
  async load() {
    const table = await getJson(api("documents/table"));
    if (table.generation === this.generation) return false;
    const { columns, rows } = table;
    this.generation = table.generation;
    this.documents = rows.map((row) => {
      const info = Object.fromEntries(columns.map((column, at) => [column, row[at]]));
      info.told = `${info.folder}/${info.name} ${info.title}`.toLocaleLowerCase("en");
      return info;
    });
    this.sentences = this.documents.reduce((sum, info) => sum + info.sentences, 0);
    return true;
  }

  // Looks on the disk which files are not what was read; returns whether that is news.
  async look() {
    const found = await getJson(api("documents/outdated"));
    const told = JSON.stringify(found);
    if (told === this.seen) return false;
    this.seen = told;
    this.outdated = { changed: new Set(found.changed), gone: new Set(found.gone) };
    return true;
  }

  get folders() {
    const all = new Set(this.documents.map((info) => info.folder).filter(Boolean));
    if (all.size <= MOST_FOLDERS) return [...all].sort(byName);
    return [...new Set([...all].map((folder) => folder.split("/")[0]))].sort(byName);
  }

  get types() {
    return [...new Set(this.documents.map((info) => info.type))].sort();
  }

  find({ search, folder, type, sort }) {
    const words = search.toLocaleLowerCase("en").split(/\s+/).filter(Boolean);
    const found = this.documents.filter(
      (info) =>
        (!type || info.type === type) &&
        (!folder || info.folder === folder || info.folder.startsWith(`${folder}/`)) &&
        words.every((word) => info.told.includes(word)),
    );
    return found.sort(SORTS[sort]);
  }
}

export const typeName = (type) => (KNOWN_TYPES.includes(type) ? t(`documents.type_${type}`) : type);

// "26 Nov 2026" of an ISO 8601 day or time.
export function day(iso) {
  const when = new Date(iso.length === 10 ? `${iso}T12:00:00` : iso);
  if (Number.isNaN(when.getTime())) return iso;
  return when.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

// What is to be said about a document besides what it is, or "".
export function noteOf(info, outdated) {
  const notes = [];
  if (outdated.gone.has(info.id)) notes.push(t("documents.gone"));
  else if (outdated.changed.has(info.id)) notes.push(t("documents.changed"));
  notes.push(...info.warnings);
  if (info.blank_pages && !info.warnings.length) {
    notes.push(t("documents.blank_pages", { n: info.blank_pages, all: info.pages }));
  }
  return notes.join(" · ");
}
