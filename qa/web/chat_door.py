"""What of a request reaches Gradio: only what the chat of the page sends, from its own browser.

Gradio knows an open page by a name that the browser makes up (`session_hash`). Whoever else has
that name would read what the page is answered, or end it; so a name belongs to the browser that
used it first. And Gradio writes what it cannot use to the log, questions with it; so what a page of
ours does not send is refused before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, HTTPConnection, Request

from qa.web.guard import refuse
from qa.web.latest import Latest
from qa.web.owner import owner_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["ChatDoor"]

_GRADIO = "/gradio_api/"
_SENDING = ("queue/join", "cancel", "reset")
_PAGE = re.compile(r"[A-Za-z0-9_-]{4,64}")
_EVENT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_PAGES = 20_000  # open at a time, remembered
_SECONDS_TO_WAIT = 10  # where the queue is full: as long as a program waits for its turn


class ChatDoor:
    """ASGI middleware before Gradio's queue.

    How many values each function of the chat takes is read from `app.state.chat_inputs`, by the
    number that Gradio gives the function; without it no function can be called.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._owners: Latest[str, str] = Latest(_MOST_PAGES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or not scope["path"].startswith(_GRADIO):
            await self.app(scope, receive, send)
            return
        name = scope["path"].removeprefix(_GRADIO)
        owner = owner_of(HTTPConnection(scope))
        if name in _SENDING and scope["method"] == "POST":
            await self._sent(name, owner, scope, receive, send)
            return
        page = _page_of(name, scope)
        if page is not None and not self._belongs(page, owner):
            await refuse(scope, receive, send, 404, "There is nothing here.")
            return
        await self.app(scope, receive, send)

    async def _sent(
        self, name: str, owner: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            return
        inputs: Mapping[int, int] = getattr(scope["app"].state, "chat_inputs", {})
        order = _understood(name, body, inputs)
        if order is None:
            await refuse(scope, receive, send, 422, "This is not what the page sends.")
            return
        page = order.get("session_hash")
        if page is not None and not self._belongs(page, owner):
            await refuse(scope, receive, send, 404, "There is nothing here.")
            return
        body = json.dumps(order).encode("ascii")
        await self.app(*_with_body(scope, receive, body), _saying_when(send))

    def _belongs(self, page: str, owner: str) -> bool:
        """Return whether `page` is one of `owner`; who uses it first has it."""
        if not _PAGE.fullmatch(page):
            return False
        first = self._owners.use(page)
        if first is None:
            self._owners[page] = first = owner
        return first == owner


def _page_of(name: str, scope: Scope) -> str | None:
    """Return the page that a stream is for, or None where it is no stream."""
    if name.startswith("heartbeat/"):
        return name.removeprefix("heartbeat/")
    if name != "queue/data":
        return None
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    named = [value for key, value in query if key == "session_hash"]
    return named[0] if len(named) == 1 else ""


def _understood(name: str, body: bytes, inputs: Mapping[int, int]) -> dict[str, Any] | None:
    """Return what the page says, and nothing else; None where it is something else."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    if name == "reset":
        event = said.get("event_id")
        return {"event_id": event} if _fits(_EVENT, event) else None
    page, function = said.get("session_hash"), said.get("fn_index")
    if not _fits(_PAGE, page) or type(function) is not int or function not in inputs:
        return None
    order = {"session_hash": page, "fn_index": function}
    if name == "cancel":
        event = said.get("event_id")
        return {**order, "event_id": event} if _fits(_EVENT, event) else None
    data, trigger = said.get("data"), said.get("trigger_id")
    if not isinstance(data, list) or len(data) != inputs[function]:
        return None
    if not all(isinstance(value, str | None) for value in data):
        return None
    typed = [value or "" for value in data]
    return {**order, "data": typed, "trigger_id": trigger if type(trigger) is int else None}


def _fits(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _with_body(scope: Scope, receive: Receive, body: bytes) -> tuple[Scope, Receive]:
    """Return a request with another body."""
    kept = [pair for pair in scope["headers"] if pair[0] not in _ABOUT_BODY]
    headers = [*kept, (b"content-length", b"%d" % len(body)), (b"content-type", _JSON)]
    sent = False

    async def receive_it() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return {**scope, "headers": headers}, receive_it


def _saying_when(send: Send) -> Send:
    """Return `send` such that a refusal for too much at once says when to come back."""

    async def send_it(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 503:
            again = (b"retry-after", b"%d" % _SECONDS_TO_WAIT)
            message = {**message, "headers": [*message.get("headers", ()), again]}
        await send(message)

    return send_it


_JSON = b"application/json"
_ABOUT_BODY = (b"content-length", b"content-type", b"transfer-encoding")
