"""A browser without a screen: cookies of its own, patience with refusals, a look at the clock."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import httpx2

from bench.loading.process import Server
from bench.loading.tally import Tally

if TYPE_CHECKING:
    from bench.loading.material import Json

__all__ = ["CutOffError", "Visitor"]

_PATIENCE = 60.0  # seconds without a byte after which a reply counts as never coming
_IDLE = 1.0  # seconds for which a connection is kept: the server, which keeps it 5, ends none
_REFUSED = (429, 503)
_HONEST = "a refusal is 429 or 503 and says when to come back"
_CONNECTED = "no connection breaks while the server runs"
_STATUS = "every other reply has the status that is due"


class CutOffError(Exception):
    """The server was killed before it had answered: what it has done is not known."""


class Visitor:
    """Somebody with a browser.

    Args:
        server: That is visited.
        tally: Where times and faults are kept.
        name: For the evidence.
    """

    def __init__(self, server: Server, tally: Tally, name: str) -> None:
        self.server, self.tally, self.name = server, tally, name
        self._client = self._new_client()
        self._start = server.starts

    async def close(self) -> None:
        """Close the browser."""
        await self._client.aclose()

    async def arrive(self) -> str:
        """Open the page, sign in where that is asked for, and return what the page is made of."""
        if self.server.password:
            form = {"username": "quoth", "password": self.server.password, "next": ""}
            await self.send("sign in", "POST", "/login", data=form, due=(303,))
        page = await self.send("open the page", "GET", "/", accept="text/html")
        return page.text

    async def json(self, kind: str, method: str, path: str, **more: Any) -> Json:  # noqa: ANN401
        """Return what `send` does, read as JSON."""
        reply = await self.send(kind, method, path, **more)
        found: Json = reply.json()
        return found

    async def send(
        self,
        kind: str,
        method: str,
        path: str,
        *,
        due: tuple[int, ...] = (200,),
        accept: str = "*/*",
        **more: Any,  # noqa: ANN401
    ) -> httpx2.Response:
        """Return the reply to a request; wait and ask again where the server asks for that.

        Raises:
            CutOffError: The server was killed meanwhile; what only reads is asked again instead.
        """
        while True:
            async with self._tried(kind, method) as tried:
                began = time.perf_counter()
                headers = {"accept": accept, "origin": self.server.address}
                reply = await self._client.request(method, path, headers=headers, **more)
                tried.append(reply)
            if not tried:
                continue
            if reply.status_code == 401 and await self._signed_in_again(kind):
                continue
            if await self.refused(kind, reply):
                continue
            self.tally.took(kind, time.perf_counter() - began)
            evidence = f"{self.name}, {kind}: {reply.status_code} {reply.text[:300]}"
            self.tally.check(_STATUS, reply.status_code in due, evidence)
            return reply

    async def events(
        self, kind: str, method: str, path: str, body: object = None
    ) -> AsyncGenerator[tuple[str, Any]]:
        """Yield name and values of each event of a stream; "refused" where there is none.

        Raises:
            CutOffError: The server was killed meanwhile.
        """
        headers = {"accept": "text/event-stream", "origin": self.server.address}
        async with self._tried(kind, "POST"):
            async with self._client.stream(method, path, headers=headers, json=body) as reply:
                if reply.status_code != 200:
                    await reply.aread()
                    if reply.status_code == 401 and await self._signed_in_again(kind):
                        yield "refused", None
                        return
                    if not await self.refused(kind, reply):
                        evidence = f"{self.name}, {kind}: {reply.status_code} {reply.text[:300]}"
                        self.tally.check(_STATUS, False, evidence)
                    yield "refused", None
                    return
                name = "message"
                async for line in reply.aiter_lines():
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        yield name, json.loads(line.removeprefix("data: "))
                        name = "message"

    async def hold_open(self, path: Callable[[], str]) -> None:
        """Keep a stream open for ever, as an open page does."""
        while True:
            await self.server.up.wait()
            with suppress(httpx2.HTTPError):
                async with self._client.stream("GET", path()) as reply:
                    async for _ in reply.aiter_bytes():
                        pass
            await asyncio.sleep(1)

    async def refused(self, kind: str, reply: httpx2.Response) -> bool:
        """Return whether a reply asks to come back later, and wait until then."""
        if reply.status_code not in _REFUSED:
            return False
        after = reply.headers.get("retry-after", "")
        evidence = f"{self.name}, {kind}: {reply.status_code}, retry-after {after!r}"
        self.tally.check(_HONEST, after.isdigit(), f"{evidence} {reply.text[:200]}")
        self.tally.refused[kind, reply.status_code] += 1
        await asyncio.sleep(int(after) if after.isdigit() else 5)
        return True

    @asynccontextmanager
    async def _tried(self, kind: str, method: str) -> AsyncIterator[list[httpx2.Response]]:
        """Let a request be made; say what it means where its connection breaks."""
        await self.server.up.wait()
        await self._after_restart()
        start, began = self.server.starts, time.monotonic()
        tried: list[httpx2.Response] = []
        try:
            yield tried
        except httpx2.HTTPError as error:
            # Whether it was killed is known a moment later at the latest.
            await asyncio.sleep(0.2)
            killed = not self.server.up.is_set() or self.server.starts != start
            after = f"{kind} after {time.monotonic() - began:.2f} s"
            if not self.tally.check(_CONNECTED, killed, f"{self.name}, {after}: {error!r}"):
                await asyncio.sleep(1)
            self.tally.lost += 1
            if method != "GET":
                raise CutOffError from error

    async def _after_restart(self) -> None:
        """Take new connections where the old ones ended with the server; cookies stay."""
        if self._start == self.server.starts:
            return
        self._start = self.server.starts
        old, self._client = self._client, self._new_client(self._client.cookies)
        await old.aclose()

    async def _signed_in_again(self, kind: str) -> bool:
        """Sign in where the session ended with the server; return whether that was right."""
        if not self.server.password or kind == "sign in":
            return False
        form = {"username": "quoth", "password": self.server.password, "next": ""}
        await self.send("sign in", "POST", "/login", data=form, due=(303,))
        return True

    def _new_client(self, cookies: httpx2.Cookies | None = None) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            base_url=self.server.address,
            cookies=cookies,
            trust_env=False,
            timeout=httpx2.Timeout(_PATIENCE),
            limits=httpx2.Limits(keepalive_expiry=_IDLE),
        )
