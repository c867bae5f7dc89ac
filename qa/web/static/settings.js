// What the server says of this page: its title, and what may be done on it.

export const settings = JSON.parse(document.querySelector('meta[name="quoth"]').content);
