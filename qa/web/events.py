"""Server-sent events: what a piece of work in a thread tells, sent as it happens.

The stream ends with the work. When the client goes, the work is told to stop.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from index.errors import QuothError
from qa.web.replies import failure, problem_of

__all__ = ["EVENTS", "Stopped", "Tell", "event_stream"]

logger = logging.getLogger(f"quoth.{__name__}")

EVENTS = "text/event-stream"
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}  # proxies shall not collect
_HEARTBEAT = 10.0  # seconds of silence after which a comment is sent

Tell = Callable[[str, Any], None]


class Stopped(Exception):
    """Raised by work that ends because it was told to: nobody waits for it any more."""


# The event loop keeps no tasks alive by itself.
_running: set[asyncio.Task[None]] = set()


def event_stream(
    work: Callable[[Tell, threading.Event], None],
    *,
    turn: AbstractAsyncContextManager[None],
    heartbeat: float = _HEARTBEAT,
) -> StreamingResponse:
    """Return a reply that streams what `work` tells.

    Args:
        work: Called in a thread, with a function that sends an event (its name and JSON-ready
            values) and with the sign to stop. An error that it raises becomes the last event,
            "problem".
        turn: Entered before the work begins and left when it has ended.
        heartbeat: Seconds of silence after which a comment is sent, so that nobody between
            takes the connection for dead.
    """
    return StreamingResponse(_stream(work, turn, heartbeat), media_type=EVENTS, headers=_HEADERS)


async def _stream(
    work: Callable[[Tell, threading.Event], None],
    turn: AbstractAsyncContextManager[None],
    heartbeat: float,
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[bytes | None] = asyncio.Queue()
    stop, begun = threading.Event(), asyncio.Event()

    @asynccontextmanager
    async def noted_turn() -> AsyncIterator[None]:
        async with turn:
            begun.set()
            yield

    def tell(name: str, values: object) -> None:
        # In ASCII, like every reply: texts may hold lone surrogates.
        data = format_sse_event(event=name, data_str=json.dumps(values, separators=(",", ":")))
        loop.call_soon_threadsafe(events.put_nowait, data)

    task = asyncio.create_task(_run(work, noted_turn(), tell, stop, events))
    _running.add(task)
    task.add_done_callback(_running.discard)
    try:
        while True:
            try:
                event = await asyncio.wait_for(events.get(), heartbeat)
            except TimeoutError:
                yield KEEPALIVE_COMMENT
                continue
            if event is None:
                return
            yield event
    finally:
        # A thread cannot be ended from outside: it holds its turn until it sees the sign. Who has
        # not had a turn yet gives up the place in which others could wait.
        stop.set()
        if not begun.is_set():
            task.cancel()


async def _run(
    work: Callable[[Tell, threading.Event], None],
    turn: AbstractAsyncContextManager[None],
    tell: Tell,
    stop: threading.Event,
    events: asyncio.Queue[bytes | None],
) -> None:
    try:
        async with turn:
            if not stop.is_set():
                await run_in_threadpool(work, tell, stop)
    except Stopped:
        pass
    except QuothError as error:
        tell("problem", json.loads(bytes(problem_of(error).body)))
    except Exception:
        reply = failure()
        body = json.loads(bytes(reply.body))
        logger.exception("the stream failed in %s", body["instance"])
        tell("problem", body)
    finally:
        # Behind what was told from the thread, in the same way.
        asyncio.get_running_loop().call_soon(events.put_nowait, None)
