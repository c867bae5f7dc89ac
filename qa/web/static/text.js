// The words of the interface: qa/text/en/*.json, the same that the server uses.

const parts = await (await fetch(new URL("text.json", import.meta.url))).json();

// t("documents.count", { n: 3 }): `{name}` is filled in; a text with a plural is chosen by `n`.
export function t(name, values = {}) {
  const at = name.indexOf(".");
  const found = parts[name.slice(0, at)]?.[name.slice(at + 1)];
  if (found === undefined) throw new Error(`There is no text ${name}.`);
  const chosen = typeof found === "string" ? found : found[values.n === 1 ? "one" : "other"];
  return chosen.replace(/\{(\w+)\}/g, (whole, key) => {
    const value = values[key];
    if (value === undefined) return whole;
    return typeof value === "number" ? value.toLocaleString("en") : String(value);
  });
}
