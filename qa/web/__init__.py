"""The server of the page, without Gradio: routes, guard, conversations, uploads, script."""
