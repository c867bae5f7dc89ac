"""Answers as server-sent events: in order, alive while nothing happens, stopped when one goes."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from served import served

from index.errors import QuothError
from qa.web.app import create_app
from qa.web.events import Tell, event_stream

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from index import Library

LIFT = "How often is the lift inspected?"
TALK = "a-conversation-of-ours"
STREAM = {"accept": "text/event-stream"}


def events(text: str) -> list[tuple[str, Any]]:
    """Return the events of a stream, their data read as JSON."""
    found = []
    for block in text.split("\n\n"):
        if block and not block.startswith(":"):
            name, data = block.split("\n")
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


@asynccontextmanager
async def open_gate() -> AsyncIterator[None]:
    yield


def streamed(work: Any, **more: float) -> str:  # noqa: ANN401 - whatever `event_stream` takes
    async def run() -> str:
        reply = event_stream(work, turn=open_gate(), **more)
        return "".join([str(part, "utf-8") async for part in reply.body_iterator])  # type: ignore[arg-type]

    return asyncio.run(run())


def test_an_answer_comes_piece_by_piece_and_whole_in_the_end(client: TestClient) -> None:
    body = {"question": "What did the owners agree?"}
    whole = client.post("/api/ask", json=body).json()
    reply = client.post("/api/ask", json=body, headers=STREAM)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.headers["x-accel-buffering"] == "no"
    assert reply.text.isascii()
    names = [name for name, _ in events(reply.text)]
    quotes = [data for name, data in events(reply.text) if name == "quote"]
    assert names == ["status", "searched_for", "status", *["quote"] * len(quotes), "answer"]
    assert quotes == whole["quotes"]
    assert events(reply.text)[-1] == ("answer", whole)
    steps = [data["step"] for name, data in events(reply.text) if name == "status"]
    assert steps == ["searching", "reading"]


def test_what_is_wrong_from_the_outset_is_an_error_and_no_stream(client: TestClient) -> None:
    for body, status in [({"question": " "}, 422), ({"question": LIFT, "conversation": "a"}, 422)]:
        reply = client.post("/api/ask", json=body, headers=STREAM)
        assert reply.status_code == status
        assert reply.headers["content-type"] == "application/problem+json"


def test_what_goes_wrong_later_is_the_last_event() -> None:
    def fails(tell: Tell, stop: threading.Event) -> None:
        tell("status", {"step": "searching"})
        raise QuothError("The disk is full.")

    (_, first), (name, last) = events(streamed(fails))
    assert (first, name) == ({"step": "searching"}, "problem")
    assert (last["status"], last["detail"]) == (500, "The disk is full.")


def test_a_failure_nobody_foresaw_tells_nothing_of_the_inside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(tell: Tell, stop: threading.Event) -> None:
        raise LookupError("a secret of the inside")

    ((name, last),) = events(streamed(fails))
    assert (name, last["status"]) == ("problem", 500)
    assert "secret" not in str(last)
    assert last["instance"] in caplog.text


def test_while_nothing_happens_a_comment_keeps_the_connection_alive() -> None:
    def slow(tell: Tell, stop: threading.Event) -> None:
        time.sleep(0.25)
        tell("answer", "\ud800")

    text = streamed(slow, heartbeat=0.05)
    assert text.startswith(": ping\n\n")
    assert events(text) == [("answer", "\ud800")]


def test_closing_the_connection_stops_the_work_and_keeps_nothing(library: Library) -> None:
    app = create_app(library)
    gate = app.state.services.gate
    conversations = app.state.services.conversations
    with served(app) as address:
        for accept in ("text/event-stream", "application/json"):
            # The conversation is busy, so the question is under way when its client goes.
            talk = conversations.get("api", TALK)
            with talk._asking, leaving(address, accept):
                wait_until(lambda: gate.under_way == 1)
            wait_until(lambda: gate.under_way == 0)
            assert talk.turns == ()


class leaving:
    """Ask within TALK in a raw connection, and close it where the block ends."""

    def __init__(self, address: str, accept: str) -> None:
        where = urlsplit(address)
        body = json.dumps({"question": LIFT, "conversation": TALK})
        self._request = (
            f"POST /api/v1/ask HTTP/1.1\r\nHost: {where.netloc}\r\nAccept: {accept}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )
        assert where.hostname is not None
        assert where.port is not None
        self._connection = socket.create_connection((where.hostname, where.port), timeout=10)

    def __enter__(self) -> None:
        self._connection.sendall(self._request.encode())

    def __exit__(self, *error: object) -> None:
        self._connection.close()


def wait_until(holds: Any) -> None:  # noqa: ANN401
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
