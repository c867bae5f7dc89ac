"""Clients that are too slow: a connection must bring its whole head within some seconds.

uvicorn waits for ever for the first request of a connection, so a few thousand connections that
say nothing would keep everyone else out. What a body may take is up to `qa.web.guard`.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["SECONDS_FOR_HEAD", "ImpatientProtocol"]

SECONDS_FOR_HEAD = 20.0


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 that closes a connection whose request line and headers do not arrive in time."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Go on waiting while a head has begun and not ended."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._deadline is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(SECONDS_FOR_HEAD, self._close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        self._deadline = None
        self.transport.close()
