// Files that a person chose or dropped, folders looked into, each with its path.

const HIDDEN = /(^|\/)(\.|~\$)/;

// Returns {files: [{file, path}], hidden: number} of a file field.
export function ofField(field) {
  const all = [...field.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
  return withoutHidden(all);
}

// Returns the same of what was dropped. The entries must be asked for before anything is waited for.
export async function ofDrop(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const all = [];
  if (entries.length) for (const entry of entries) await collect(entry, "", all);
  else for (const file of transfer.files) all.push({ file, path: file.name });
  return withoutHidden(all);
}

export const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

async function collect(entry, above, all) {
  const path = above + entry.name;
  if (HIDDEN.test(path)) {
    all.push({ file: null, path });
  } else if (entry.isFile) {
    const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
    if (file) all.push({ file, path });
  } else {
    for (const inside of await entriesOf(entry)) await collect(inside, `${path}/`, all);
  }
}

async function entriesOf(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    // A browser gives about a hundred at a time.
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (!some.length) return all;
    all.push(...some);
  }
}

function withoutHidden(all) {
  const files = all.filter(({ path }) => !HIDDEN.test(path));
  return { files, hidden: all.length - files.length };
}
