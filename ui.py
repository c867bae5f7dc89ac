"""The chat page, and `main()`, the entry of the `quoth` command.

The only module that knows Gradio: it draws the conversation. Everything else on the page (the
source beside the chat, the list of documents) is our own script on our own routes, see `qa.web`.
"""

# No `from __future__ import annotations`: Gradio reads the annotation `gr.Request` at run time,
# and `gr` is imported only where the page is built.
import html
import inspect
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qa.cli import cli
from qa.cli_options import library_option
from qa.web.server import ServerOptions, run, server_options

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI

    from index import Library
    from index.address import Place
    from qa.web.services import Services
    from qa.web.settings import PageSettings

__all__ = ["build_page", "main"]

# Later ones may refine earlier ones.
_STYLES = (
    "tokens", "gradio", "page", "chat", "panels", "source", "documents", "conversations",
    "session",
)  # fmt: skip

# Read by Gradio and the libraries below it when they are imported: nothing may call home.
_OFFLINE = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
}

# Gradio counts who asked what for a dashboard that we do not have, with pandas and after every
# question more slowly, for up to 10,000 of them.
_NO_DASHBOARD = {
    "GRADIO_ANALYTICS_MAX_EVENTS": "1",
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",
}
_MOST_PAGES = 500  # that Gradio keeps values of; none of ours needs any


def build_page(library: "Library", settings: "PageSettings | None" = None) -> "FastAPI":
    """Return the whole page as one application: our routes, and Gradio's chat at `/`."""
    os.environ.update(_OFFLINE | _NO_DASHBOARD)
    with _no_interface_files():
        import gradio as gr

    from qa.web.app import create_app
    from qa.web.head import Head
    from qa.web.settings import PageSettings

    settings = settings or PageSettings()
    app = create_app(library, settings=settings)
    app.add_middleware(
        Head,
        markup=_head(settings),
        without_script=_without_script(settings),
        path=settings.path,
    )
    chat = _chat(app.state.services)
    # What may be sent to each function of the chat, see `qa.web.chat_door`.
    app.state.chat_inputs = {number: len(fn.inputs) for number, fn in chat.fns.items()}
    gr.mount_gradio_app(
        app,
        chat,
        path="",
        theme=gr.themes.Base(
            font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
        ),
        root_path=settings.public.path if settings.public is not None else None,
        footer_links=[],
        show_error=False,
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        max_file_size=1,  # the chat takes no files; uploads have a route of their own
    )
    return app


@contextmanager
def _no_interface_files() -> Iterator[None]:
    """Keep Gradio from writing interface files for editors beside its components when imported.

    It parses the source of each component for them, at every start: half of what its import takes.
    Of a component that has no file it writes none, so it is told that of all of them.
    """
    find = inspect.getfile

    def getfile(wanted: "type[Any]") -> str:
        if str(getattr(wanted, "__module__", "")).startswith("gradio."):
            raise FileNotFoundError
        return find(wanted)

    inspect.getfile = getfile  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = find


def _chat(services: "Services") -> "gr.Blocks":
    import gradio as gr

    from qa.text import text
    from qa.web.asking import Asking
    from qa.web.orders import Order
    from qa.web.owner import NOBODY, owner_of

    asking = Asking(services)

    def owner(request: gr.Request) -> str:
        return NOBODY if request.request is None else owner_of(request.request)

    def ask(question: str, context: str, request: gr.Request) -> Iterator[tuple[Any, Any]]:
        if not question.strip():
            yield gr.skip(), gr.skip()
            return
        order = Order.parse(context, do="ask", question=question)
        if order is None:  # the script of the page is not there yet: the question stays typed
            yield gr.skip(), gr.skip()
            return
        typed: Any = ""  # emptied once: the next question may be typed while this one is answered
        for messages in asking.run(order, owner(request), request.session_hash or ""):
            yield gr.skip() if messages is None else messages, typed
            typed = gr.skip()

    def run(command: str, request: gr.Request) -> Iterator[Any]:
        order = Order.parse(command)
        for messages in asking.run(order, owner(request), request.session_hash or ""):
            yield gr.skip() if messages is None else messages

    def stop(context: str, request: gr.Request) -> tuple[Any, Any]:
        messages, question = asking.stop(Order.parse(context), owner(request))
        return messages, question or gr.skip()

    page: gr.Blocks = gr.Blocks(
        title=services.settings.title, fill_height=True, fill_width=True, analytics_enabled=False
    )
    with page:
        chatbot = gr.Chatbot(
            elem_id="chat",
            label=text("page.conversation"),
            show_label=False,
            container=False,
            scale=1,
            height=None,
            layout="panel",
            placeholder=_welcome(),
            autoscroll=False,  # chat.js shows the beginning of an answer instead
            buttons=[],
            feedback_options=None,
            latex_delimiters=[],
            allow_tags=False,
            line_breaks=False,
            group_consecutive_messages=False,
        )
        with gr.Row(elem_id="ask"):
            question = gr.Textbox(
                elem_id="question",
                label=text("page.question"),
                show_label=False,
                container=False,
                placeholder=text("page.placeholder"),
                lines=1,
                max_lines=6,
                scale=1,
                autofocus=True,
            )
            send = gr.Button(text("page.ask"), elem_id="send", variant="primary", scale=0)
            halt = gr.Button(text("page.stop"), elem_id="stop", scale=0)
        # How the script of the page speaks to the chat: see static/chat.js.
        context = gr.Textbox(elem_id="context", visible="hidden")
        command = gr.Textbox(elem_id="command", visible="hidden")
        go = gr.Button(elem_id="run", visible="hidden")
        options: dict[str, Any] = {
            "api_visibility": "private",
            "show_progress": "hidden",
            # Together: an answer keeps the processor busy, more at a time make none come sooner.
            "concurrency_limit": 4,
            "concurrency_id": "asking",
            # With "once", Gradio takes no question any more after one was stopped.
            "trigger_mode": "multiple",
        }
        asked: list[Any] = [
            question.submit(ask, [question, context], [chatbot, question], **options),
            send.click(ask, [question, context], [chatbot, question], **options),
            go.click(run, [command], [chatbot], **options),
        ]
        # Who wants to stop need not wait.
        options |= {"concurrency_limit": None, "concurrency_id": "stopping"}
        halt.click(stop, [context], [chatbot, question], cancels=asked, **options)
    page.queue(max_size=64, api_open=False)
    page.state_session_capacity = _MOST_PAGES
    return page


def _welcome() -> str:
    from qa.text import text

    title, promise = html.escape(text("page.welcome")), html.escape(text("page.promise"))
    return f'<div id="welcome"><h2>{title}</h2><p>{promise}</p></div>'


def _without_script(settings: "PageSettings") -> str:
    from qa.text import text

    title, need = html.escape(settings.title), html.escape(text("page.no_script"))
    return f'<main class="no-script"><h1>{title}</h1><p>{need}</p></main>'


def _head(settings: "PageSettings") -> str:
    from qa.web.settings import STATIC

    facts = {
        "title": settings.title,
        "can_upload": settings.can_upload,
        "read_only": settings.read_only,
        "most_bytes": settings.limits.upload,
        "login": settings.password is not None,
    }
    # Relative addresses: behind a reverse proxy the page may live under a path.
    static = STATIC.removeprefix("/")
    styles = [f'<link rel="stylesheet" href="{static}/{name}.css">' for name in _STYLES]
    return (
        f'<meta name="quoth" content="{html.escape(json.dumps(facts))}">{"".join(styles)}'
        f'<link rel="icon" href="{static}/icon.svg">'
        f'<script type="module" src="{static}/early.js"></script>'
        f'<script type="module" src="{static}/page.js"></script>'
    )


@cli.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@library_option
@click.option(
    "--open/--no-open", "open_", default=False, show_default=True, help="Open it in the browser."
)
@server_options
def chat(folder: Path | None, library: "Place | None", options: ServerOptions) -> None:
    """Ask in a web page.

    With FOLDER its documents are indexed first, or brought up to date. The page shows where each
    sentence of an answer stands; documents can be added and removed on it. Only this machine
    can reach it unless you give --host.
    """
    run(folder, library, options, build_page)


def main() -> None:
    """Run the `quoth` command."""
    cli()


if __name__ == "__main__":
    main()
