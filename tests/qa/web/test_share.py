"""A fair share: too much at the same time is refused, and what ends makes room."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from qa.web.limits import Limits
from qa.web.share import Pace, Share

LIMITS = Limits(
    requests=2,
    streams=1,
    uploads=1,
    all_requests=3,
    all_streams=2,
    all_uploads=2,
    questions=6,
    questions_at_first=2,
)


class Server:
    """A server whose requests end when told to."""

    def __init__(self) -> None:
        self.end = asyncio.Event()
        self.share = Share(self._app, limits=LIMITS)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        await self.end.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async def ask(
        self,
        address: str = "10.0.0.1",
        path: str = "/api/health",
        session: str = "",
        accept: str = "",
        method: str = "GET",
    ) -> int:
        """Return the status of the reply."""
        sent: list[MutableMapping[str, Any]] = []

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request"}

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(b"accept", accept.encode())],
            "client": (address, 1),
            "state": {"session": session} if session else {},
        }
        await self.share(scope, receive, send)
        return int(sent[0]["status"])


def replies(server: Server, *asked: dict[str, str]) -> list[int]:
    """Ask all at the same time, then let them end; return the statuses in order."""

    async def all_of_them() -> list[int]:
        tasks = [asyncio.ensure_future(server.ask(**one)) for one in asked]
        await asyncio.sleep(0.01)
        server.end.set()
        return list(await asyncio.gather(*tasks))

    return asyncio.run(all_of_them())


def test_one_address_has_so_many_requests_at_a_time() -> None:
    server = Server()
    assert replies(server, {}, {}, {}, {"address": "10.0.0.2"}) == [200, 200, 429, 200]
    assert replies(server, {}, {}) == [200, 200]  # what has ended counts no more


@pytest.mark.parametrize(
    "stream",
    [
        {"path": "/gradio_api/queue/data"},
        {"path": "/gradio_api/heartbeat/abc"},
        {"accept": "text/event-stream"},
    ],
)
def test_streams_are_counted_by_themselves(stream: dict[str, str]) -> None:
    assert replies(Server(), stream, stream, {}, {}) == [200, 429, 200, 200]


def test_everyone_together_has_a_limit_too() -> None:
    asked = [{"address": f"10.0.0.{number}"} for number in range(4)]
    assert replies(Server(), *asked) == [200, 200, 200, 503]


def test_this_machine_has_no_share_of_its_own() -> None:
    home = {"address": "127.0.0.1"}
    assert replies(Server(), home, home, home, home) == [200, 200, 200, 503]


def test_people_behind_one_address_are_told_apart_once_they_have_signed_in() -> None:
    one, other = {"session": "a"}, {"session": "b"}
    assert replies(Server(), one, one, other) == [200, 200, 200]
    assert replies(Server(), one, one, one) == [200, 200, 429]


def test_uploads_are_counted_by_themselves() -> None:
    """Each may hold its files in memory, so that there are few at a time."""
    upload = {"path": "/api/v1/documents", "method": "POST"}
    others = [{**upload, "address": f"10.0.0.{number}"} for number in (2, 3)]
    assert replies(Server(), upload, upload, {}, *others) == [200, 429, 200, 200, 503]
    assert replies(Server(), {**upload, "method": "GET"}, upload) == [200, 200]


@pytest.mark.parametrize(
    "path", ["/api/ask", "/api/v1/ask", "/api/find", "/api/v1/retrieve", "/gradio_api/queue/join"]
)
def test_questions_have_a_pace_and_others_do_not_wait_for_it(path: str) -> None:
    server = Server()
    asked = {"path": path, "method": "POST"}
    for _ in range(2):
        assert replies(server, asked) == [200]
    assert replies(server, asked, {}, {**asked, "address": "10.0.0.2"}) == [429, 200, 200]
    assert replies(server, {**asked, "session": "a"}) == [200]
    assert replies(server, *[{**asked, "address": "127.0.0.1"}] * 3) == [200] * 3


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time that was set."""
        return self.now


def test_a_pace_is_so_many_at_first_and_then_so_many_a_minute() -> None:
    clock = Clock()
    pace = Pace(60, 5, clock=clock)
    assert [pace.seconds_to_wait("a") for _ in range(5)] == [0] * 5
    assert pace.seconds_to_wait("a") == 2
    assert pace.seconds_to_wait("b") == 0
    allowed = 0
    for second in range(1, 601):
        clock.now = second + 0.5
        allowed += sum(pace.seconds_to_wait("a") == 0 for _ in range(3))
    assert allowed == 600
    clock.now += 3_600
    assert [pace.seconds_to_wait("a") for _ in range(6)] == [0, 0, 0, 0, 0, 2]


def test_the_memory_of_a_pace_is_bounded() -> None:
    pace = Pace(60, 5, clock=Clock())
    for number in range(20_000):
        pace.seconds_to_wait(f"client {number}")
    assert len(pace._paid) == 10_000
