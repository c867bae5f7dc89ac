// The page that asks for the password works without this. It adds what only a script can do: a
// citation in the address, which the server never sees, is still there after signing in.

const form = document.querySelector("form");
const password = form.elements.namedItem("password");
const next = form.elements.namedItem("next");

if (location.hash) next.value = next.value.split("#")[0] + location.hash;

// The label is already in the page, for whoever reads its words in one place.
const show = document.querySelector(".shown");
show.hidden = false;
show.querySelector("input").addEventListener("change", ({ target }) => {
  password.type = target.checked ? "text" : "password";
});

form.addEventListener("submit", () => {
  password.type = "password"; // so that the browser keeps it as one
  form.querySelector("button").disabled = true;
});

// Back from the next page: the browser shows this one as it was.
addEventListener("pageshow", () => {
  form.querySelector("button").disabled = false;
});
