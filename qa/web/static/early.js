// A question that is sent before the rest of the script is there: remembered, and asked then. This
// loads by itself, so that it is there before Gradio has drawn the field.

let wanted = false;

function onSend(event) {
  const { target } = event;
  const enter =
    event.key === "Enter" && !event.shiftKey && !event.isComposing && target.matches?.("#question textarea");
  if (!enter && !(event.type === "click" && target.closest?.("#send"))) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  wanted = true;
}

document.addEventListener("keydown", onSend, true);
document.addEventListener("click", onSend, true);

// Questions go their own way from now on.
export function takeQuestions() {
  document.removeEventListener("keydown", onSend, true);
  document.removeEventListener("click", onSend, true);
  // Gradio takes over what it was told on its next turn.
  if (wanted) setTimeout(() => document.querySelector("#send")?.click(), 0);
  wanted = false;
}
