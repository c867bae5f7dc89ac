"""A small reverse proxy, as nginx or Caddy stand before a server."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

__all__ = ["Path", "free_port", "proxy"]

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer"}
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Path:
    """Where a server lives for browsers.

    Attributes:
        path: Such as "/quoth".
        strip: Whether it is taken off, as with a slash after nginx's `proxy_pass`; can be changed.
    """

    path: str
    strip: bool = False


@contextmanager
def proxy(port: int, upstream: str, *, path: str) -> Iterator[Path]:
    """Pass on what comes to `path` at `port`, whose rest of the machine is not ours.

    Args:
        port: Where browsers come.
        upstream: Address of the server.
        path: Where it lives for browsers, such as "/quoth".
    """
    place = Path(path)
    server = uvicorn.Server(
        uvicorn.Config(
            _application(upstream, place),
            port=port,
            log_level="critical",
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield place
    finally:
        server.should_exit = True
        thread.join(timeout=20)


def _application(upstream: str, place: Path) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        # Cookies belong to browsers: a proxy that kept one would sign in everybody.
        none = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        async with httpx2.AsyncClient(
            base_url=upstream, timeout=None, trust_env=False, cookies=none
        ) as client:
            app.state.client = client
            yield

    async def pass_on(request: Request) -> Response:
        asked, path = request.url.path, place.path
        if asked != path and not asked.startswith(f"{path}/"):
            # Another application; browsers ask its host for an icon before they know of ours.
            return Response(status_code=204 if asked == "/favicon.ico" else 404)
        inner = (asked.removeprefix(path) or "/") if place.strip else asked
        client: httpx2.AsyncClient = request.app.state.client
        kept = {k: v for k, v in request.headers.items() if k not in {*_HOP_BY_HOP, "host"}}
        assert request.client is not None
        forwarded = {
            **kept,
            "x-forwarded-for": request.client.host,
            "x-forwarded-host": request.headers["host"],
            "x-forwarded-proto": "http",
        }
        query = f"?{request.url.query}" if request.url.query else ""
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response(status_code=499)
        sent = client.build_request(
            request.method, f"{inner}{query}", content=body, headers=forwarded
        )
        reply = await client.send(sent, stream=True)

        async def parts() -> AsyncIterator[bytes]:
            # The server ending first is what its own tests look at.
            with contextlib.suppress(httpx2.HTTPError):
                async for part in reply.aiter_raw():
                    yield part

        response = StreamingResponse(
            parts(), reply.status_code, background=BackgroundTask(reply.aclose)
        )
        response.raw_headers = [
            (name.lower(), value)
            for name, value in reply.headers.raw
            if name.lower().decode() not in _HOP_BY_HOP
        ]
        return response

    routes = [Route("/{path:path}", pass_on, methods=_METHODS)]
    return Starlette(routes=routes, lifespan=lifespan)
