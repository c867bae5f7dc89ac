"""The chat page, and `main()`, the entry of the `quoth` command.

The only module that knows Gradio: it draws the conversation. Everything else on the page (the
source beside the chat, the list of documents) is our own script on our own routes, see `qa.web`.
"""

# No `from __future__ import annotations`: Gradio reads the annotation `gr.Request` at run time,
# and `gr` is imported only where the page is built.
import contextlib
import errno
import html
import json
import os
import shutil
import socket
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from index.errors import QuothError, SourceError
from qa.cli import cli, resolve_library, sync_with_progress
from qa.cli_options import library_option

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI

    from index import Library
    from qa.web.conversations import Conversation, Conversations, Turn
    from qa.web.settings import PageSettings

__all__ = ["build_page", "main"]

HOST = "127.0.0.1"
PORT = 7860
_PORTS_TRIED = 40

# Read by Gradio and the libraries below it when they are imported: nothing may call home.
_OFFLINE = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
}

_WELCOME = (
    '<div id="welcome"><h2>Ask your documents</h2>'
    "<p>Answers are sentences from the documents, word for word, each with a link to its place."
    "</p></div>"
)


def build_page(library: "Library", settings: "PageSettings | None" = None) -> "FastAPI":
    """Return the whole page as one application: our routes, and Gradio's chat at `/`."""
    os.environ.update(_OFFLINE)
    import gradio as gr

    from qa import Chat
    from qa.web.app import create_app
    from qa.web.conversations import Conversations
    from qa.web.settings import PageSettings

    settings = settings or PageSettings()
    conversations = Conversations(lambda: Chat(library))
    app = create_app(library, settings=settings, conversations=conversations)
    system = ["system-ui", "sans-serif"]
    gr.mount_gradio_app(
        app,
        _chat(conversations, settings.title),
        path="",
        server_name=HOST,
        theme=gr.themes.Base(font=system, font_mono=["ui-monospace", "monospace"]),
        head=_head(settings),
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


def _chat(conversations: "Conversations", title: str) -> "gr.Blocks":
    import gradio as gr

    def conversation(request: gr.Request) -> "Conversation":
        # Gradio's own name for one open page; what the browser sends as history is not read.
        return conversations.get(f"page:{request.session_hash}")

    def ask(question: str, request: gr.Request) -> Iterator[tuple[Any, Any]]:
        if not question.strip():
            yield gr.skip(), gr.skip()
            return
        now = conversation(request)
        yield [*_messages(now.turns), _asked(question)], ""
        now.ask(question)
        yield _messages(now.turns), gr.skip()

    def again(request: gr.Request) -> list[dict[str, str]]:
        now = conversation(request)
        now.ask_again()
        return _messages(now.turns)

    def clear(request: gr.Request) -> tuple[list[dict[str, str]], str]:
        conversation(request).reset()
        return [], ""

    page: gr.Blocks = gr.Blocks(
        title=title, fill_height=True, fill_width=True, analytics_enabled=False
    )
    with page:
        chatbot = gr.Chatbot(
            elem_id="chat",
            label="Conversation",
            show_label=False,
            container=False,
            scale=1,
            height=None,
            layout="panel",
            placeholder=_WELCOME,
            autoscroll=False,  # page.js shows the beginning of an answer instead
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
                label="Question",
                show_label=False,
                container=False,
                placeholder="Ask about your documents",
                lines=1,
                max_lines=6,
                scale=1,
                autofocus=True,
            )
            send = gr.Button("Ask", elem_id="send", variant="primary", scale=0, min_width=72)
        new = gr.Button("New conversation", elem_id="new", visible="hidden")
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        for trigger in (question.submit, send.click):
            trigger(ask, [question], [chatbot, question], concurrency_limit=4, **private)
        chatbot.retry(again, None, [chatbot], concurrency_limit=4, **private)
        gr.on([chatbot.clear, new.click], clear, None, [chatbot, question], **private)
    page.queue(default_concurrency_limit=4, max_size=64, api_open=False)
    return page


def _messages(turns: "tuple[Turn, ...]") -> list[dict[str, str]]:
    from qa.web.messages import answer_message, error_message

    messages = []
    for turn in turns:
        answer = turn.answer
        content = error_message(turn.problem) if answer is None else answer_message(answer)
        messages += [_asked(turn.question), {"role": "assistant", "content": content}]
    return messages


def _asked(question: str) -> dict[str, str]:
    from qa.web.messages import question_message

    return {"role": "user", "content": question_message(question)}


def _head(settings: "PageSettings") -> str:
    from qa.web.settings import STATIC

    facts = html.escape(json.dumps({"title": settings.title}))
    return (
        f'<meta name="quoth" content="{facts}">'
        f'<link rel="stylesheet" href="{STATIC}/page.css">'
        f'<script type="module" src="{STATIC}/page.js"></script>'
    )


@cli.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@library_option
@click.option(
    "-p",
    "--port",
    type=click.IntRange(0, 65535),
    show_default=f"{PORT}, or the next that is free",
    help="Port to listen on.",
)
@click.option(
    "--open/--no-open", "open_", default=False, show_default=True, help="Open it in the browser."
)
@click.option("--read-only", is_flag=True, help="Documents can be neither added nor removed.")
@click.option("--no-upload", is_flag=True, help="Documents cannot be added on the page.")
@click.option("--title", default="Quoth", show_default=True, help="What the page is called.")
def chat(
    folder: Path | None,
    library: Path | None,
    port: int | None,
    open_: bool,
    read_only: bool,
    no_upload: bool,
    title: str,
) -> None:
    """Ask in a web page that only this machine can reach.

    With FOLDER its documents are indexed first, or brought up to date. The page shows where each
    sentence of an answer stands; documents can be added and removed on it.
    """
    from index import Library
    from qa.web.settings import PageSettings

    if folder is not None and not folder.exists():
        raise click.UsageError(f"There is no folder or file at {folder}; nothing was changed.")
    path = resolve_library(folder, library)
    settings = PageSettings(title=title, read_only=read_only, upload=not no_upload)
    source = None if read_only else folder
    with _listening(port) as listener:
        if source is not None:
            _bring_up_to_date(path, source)
        with Library.open(path, read_only=read_only) as opened:
            _serve(build_page(opened, settings), opened, listener, open_=open_)


def _bring_up_to_date(path: Path, source: Path) -> None:
    """Sync the library at `path`, which is made if need be, with `source`; report on stderr."""
    from index import Library
    from qa.lines import report_lines, to_text

    existed = path.exists()
    try:
        with Library.open(path, create=True) as library:
            report = sync_with_progress(library, source)
    except SourceError:
        # Nothing was begun, so what is there is an empty library that nobody asked for.
        if not existed:
            shutil.rmtree(path, ignore_errors=True)
        raise
    click.echo(to_text(report_lines(report)), err=True)


def _serve(app: "FastAPI", library: "Library", listener: socket.socket, *, open_: bool) -> None:
    """Serve until interrupted."""
    import uvicorn

    address = f"http://{HOST}:{listener.getsockname()[1]}"

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                click.echo(f"Quoth is at {address} (Ctrl+C stops it)")
                threading.Thread(target=_warm, args=(library,), daemon=True).start()
                if open_:
                    webbrowser.open(address)

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        # Open pages hold a stream that never ends by itself.
        timeout_graceful_shutdown=1,
    )
    # uvicorn stops in good order on Ctrl+C, then passes the signal on.
    with contextlib.suppress(KeyboardInterrupt):
        Server(config).run(sockets=[listener])


def _warm(library: "Library") -> None:
    """Load what the first question needs, while the person reads the page."""
    from qa import retrieve

    # What is wrong with the model is told to whoever asks.
    with contextlib.suppress(QuothError):
        retrieve("a first question", library=library, k=1)


@contextlib.contextmanager
def _listening(port: int | None) -> Iterator[socket.socket]:
    """Give a socket bound to `port` (0: any free one), or to the first free one from 7860.

    Bound before anything is indexed, so that a taken port is told at once.

    Raises:
        QuothError: The port cannot be had.
    """
    wanted = [*range(PORT, PORT + _PORTS_TRIED), 0] if port is None else [port]
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # A port that a page has just left is free, though its old connections linger.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for candidate in wanted:
            try:
                listener.bind((HOST, candidate))
                break
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
        else:
            raise QuothError(f"Port {port} cannot be used; another program may have it.")
        yield listener


def main() -> None:
    """Run the `quoth` command."""
    cli()


if __name__ == "__main__":
    main()
