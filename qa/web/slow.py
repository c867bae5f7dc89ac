"""Connections that are slow, too many or not HTTP: each has so much time, and there are so many.

uvicorn waits for ever for the first request of a connection, for the rest of a body that was
refused, and for a client to take what it has asked for: a few thousand connections that do nothing
would keep everyone else out. What the body of a request may take is up to `qa.web.guard`.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from http import HTTPStatus

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from qa.text import text
from qa.web.address import is_loopback
from qa.web.replies import problem
from qa.web.throttle import network_of

__all__ = ["LONGEST_HEAD", "MOST_CONNECTIONS", "ImpatientProtocol", "is_crowded"]

logger = logging.getLogger(f"quoth.{__name__}")

LONGEST_HEAD = 32_768  # bytes of request line and headers
SECONDS_FOR_HEAD = 20.0
SECONDS_TO_READ = 60.0  # for a client that takes nothing, or a few bytes, of what waits for it
MOST_CONNECTIONS = 2_000
MOST_OF_ONE = 128  # from one address; this machine, where a proxy may be, has no such limit


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 that ends a connection on which nothing goes on.

    The request line and the headers must arrive in time, as must what follows a request that was
    answered before it had ended; and a client must take what it is sent.
    """

    network = ""  # where the client is; "" for this machine
    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait, or say that there are too many."""
        super().connection_made(transport)
        _give_up_on_the_silent(transport)
        if self.client is not None and not is_loopback(self.client[0]):
            self.network = network_of(self.client[0])
        others = [other for other in self.connections if other is not self]
        if is_crowded(self.network, [getattr(other, "network", "") for other in others]):
            transport.write(_crowded())
            transport.close()
            return
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Go on waiting while a head has begun and not ended."""
        if self.transport.is_closing():  # there were too many
            return
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Wait for what is left of the request, or for the next one."""
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        """Begin to wait for the client to take what it was sent."""
        super().pause_writing()
        self._stalled = self.loop.call_later(SECONDS_TO_READ, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that the client has taken most of it."""
        super().resume_writing()
        self._stop(self._stalled)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop(self._deadline, self._stalled)
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP like everything else: with a problem, and safe headers."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()  # in the middle of another reply
            return
        response = problem(HTTPStatus.BAD_REQUEST, text("api.bad_request_detail"))
        headers = [*response.raw_headers, (b"connection", b"close")]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=bytes(response.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        # Anyone can ask for it as often as they like; the guard answers.
        logger.debug("a request to change the protocol is not followed")

    def _look(self) -> None:
        """Wait while the client must send something that no body is: a head, or a rest."""
        theirs, ours = self.conn.their_state, self.conn.our_state
        answered = ours in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)
        if theirs is h11.IDLE or (theirs is h11.SEND_BODY and answered):
            if self._deadline is None:
                self._wait()
        elif self._deadline is not None:
            self._stop(self._deadline)
            self._deadline = None

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(SECONDS_FOR_HEAD, self.transport.abort)

    def _stop(self, *timers: asyncio.TimerHandle | None) -> None:
        for timer in timers:
            if timer is not None:
                timer.cancel()


def is_crowded(network: str, others: Sequence[str]) -> bool:
    """Return whether a client may not connect beside others, each known by its network."""
    return len(others) >= MOST_CONNECTIONS or (
        network != "" and others.count(network) >= MOST_OF_ONE
    )


def _give_up_on_the_silent(transport: asyncio.Transport) -> None:
    """Have the system end the connection once the other side confirms nothing any more."""
    connection = transport.get_extra_info("socket")
    if connection is not None and hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        milliseconds = int(SECONDS_TO_READ * 1000)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)


def _crowded() -> bytes:
    sentence = text("login.too_many_people")
    response = problem(HTTPStatus.SERVICE_UNAVAILABLE, sentence, headers={"retry-after": "5"})
    head = [(b"connection", b"close"), *response.raw_headers]
    lines = [b"HTTP/1.1 503 Service Unavailable", *(b": ".join(pair) for pair in head), b"", b""]
    return b"\r\n".join(lines) + bytes(response.body)
