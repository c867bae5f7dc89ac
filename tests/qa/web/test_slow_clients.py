"""Clients that keep a connection and send nothing: a real server, real sockets, short times."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request

from qa.web import slow
from qa.web.guard import Guard
from qa.web.limits import Limits
from qa.web.password import Password
from qa.web.protection import protect
from qa.web.settings import PageSettings
from qa.web.slow import ImpatientProtocol

WAIT = Limits(wait=0.3)


def app(limits: Limits) -> FastAPI:
    """Return an application that reads bodies, and asks no password."""
    made = FastAPI()

    @made.post("/")
    async def length(request: Request) -> int:
        return len(await request.body())

    made.add_middleware(Guard, settings=PageSettings(limits=limits))
    return made


def with_server(
    act: Callable[[int], Any],
    limits: Limits = WAIT,
    make: Callable[[Limits], FastAPI] = app,
) -> Any:  # noqa: ANN401
    """Return what `act` does with the port of a running server."""

    async def run() -> Any:  # noqa: ANN401
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(make(limits), http=ImpatientProtocol, log_level="critical")
        server = uvicorn.Server(config)
        serving = asyncio.ensure_future(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            return await asyncio.to_thread(act, listener.getsockname()[1])
        finally:
            server.should_exit = True
            await serving
            listener.close()

    return asyncio.run(run())


def talk(port: int, *parts: bytes, pause: float = 0.0) -> tuple[bytes, float]:
    """Send the parts; return all that comes back and the seconds until the connection closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        begun = time.monotonic()
        got = b""
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
            while received := connection.recv(65_536):
                got += received
        except OSError:
            pass
        return got, time.monotonic() - begun


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds are long in a test."""
    monkeypatch.setattr(slow, "SECONDS_FOR_HEAD", 0.3)


def test_a_connection_that_says_nothing_is_closed() -> None:
    got, seconds = with_server(talk)
    assert got == b""
    assert seconds < 5


def test_a_head_that_comes_drop_by_drop_is_cut_off() -> None:
    drops = [b"POST / HTTP/1.1\r\n", *[b"X-A: b\r\n"] * 20]
    got, seconds = with_server(lambda port: talk(port, *drops, pause=0.1))
    assert got == b""
    assert seconds < 5


def test_a_second_head_on_the_same_connection_has_no_more_time() -> None:
    first = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab"
    got, seconds = with_server(lambda port: talk(port, first, b"POST / HT", pause=0.05))
    assert got.startswith(b"HTTP/1.1 200")
    assert got.endswith(b"2")
    assert seconds < 5


def test_a_body_that_does_not_come_is_told() -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nConnection: close\r\n\r\nab"
    got, seconds = with_server(lambda port: talk(port, head))
    assert got.startswith(b"HTTP/1.1 408")
    assert b"The request did not arrive in time." in got
    assert seconds < 5


def test_a_slow_body_that_keeps_coming_is_read_to_its_end() -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\nConnection: close\r\n\r\n"
    parts = [head, *[b"a"] * 6]
    got, _ = with_server(lambda port: talk(port, *parts, pause=0.1))
    assert got.startswith(b"HTTP/1.1 200")
    assert got.endswith(b"6")


def drops(path: bytes, pause: float = 0.1) -> Callable[[int], tuple[bytes, float]]:
    """Return what sends 60 bytes one by one, and how long it took until that was cut off."""
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60\r\n" % path
    return lambda port: talk(port, head + b"Connection: close\r\n\r\n", *[b"a"] * 60, pause=pause)


def test_a_body_that_comes_drop_by_drop_is_cut_off() -> None:
    """A byte in every half minute would hold a connection for days."""
    got, _ = with_server(drops(b"/"), Limits(wait=5, grace=0.5, slowest=1_000))
    assert not got.startswith(b"HTTP/1.1 200")
    got, _ = with_server(drops(b"/", 0.0), Limits(wait=5, grace=0.5, slowest=1_000))
    assert got.startswith(b"HTTP/1.1 200")


def test_a_slow_body_is_read_for_as_long_as_enough_of_it_comes() -> None:
    got, _ = with_server(drops(b"/", 0.02), Limits(wait=5, grace=0.5, slowest=20))
    assert got.startswith(b"HTTP/1.1 200")


def test_a_password_that_comes_drop_by_drop_is_cut_off() -> None:
    def asking(limits: Limits) -> FastAPI:
        made = FastAPI()
        protect(made, PageSettings(password=Password("x"), limits=limits))
        return made

    limits = Limits(wait=5, grace=0.5, slowest=1_000)
    got, _ = with_server(drops(b"/login"), limits, asking)
    assert not got.startswith(b"HTTP/1.1 401")
    got, _ = with_server(drops(b"/login", 0.0), limits, asking)
    assert got.startswith(b"HTTP/1.1 401")
