// Which documents are searched: all, or those that the person has chosen.

let chosen = null;

// The numbers of the chosen documents, or null for all.
export const scope = () => chosen;

export function setScope(ids) {
  chosen = ids && ids.length ? [...ids] : null;
  dispatchEvent(new CustomEvent("quoth:scope", { detail: { documents: chosen } }));
}
