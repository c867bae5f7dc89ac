"""Who may come in where a password is set: people sign in on a page, programs send a token.

One gate before everything, ours and Gradio's: only the page that asks for the password and what it
loads are open. There is one password and no names, so nothing can be learnt about who has access.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from qa.text import text
from qa.web.cookies import cookie_header, cookie_name
from qa.web.guard import refuse
from qa.web.login_page import LOGIN_FILES, LoginPage, safe_next
from qa.web.owner import NOBODY, owner_of
from qa.web.password_file import PasswordFile
from qa.web.sessions import Sessions
from qa.web.settings import STATIC
from qa.web.throttle import Throttle

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from qa.web.password import Password
    from qa.web.settings import PageSettings

__all__ = ["SESSION_COOKIE", "Login"]

logger = logging.getLogger(f"quoth.{__name__}")

SESSION_COOKIE = "quoth_session"
_REALM = 'Bearer realm="Quoth"'
_MOST_FORM = 20_000  # bytes of the form with a password
_ANYONES = (f"{STATIC}/", "/assets/")  # script and style, the same for everybody


class Login:
    """ASGI middleware: lets in who has signed in or sends a token.

    Args:
        app: What is behind the password.
        settings: Title and address of the page.
        password: What lets in.
        sessions: Who has signed in.
        throttle: Slows guessing down.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: PageSettings,
        password: Password,
        sessions: Sessions | None = None,
        throttle: Throttle | None = None,
    ) -> None:
        self.app = app
        self.settings, self.password = settings, password
        self.sessions = sessions or Sessions()
        self.throttle = throttle or Throttle()
        self._cookie_name = cookie_name(SESSION_COOKIE, path=settings.path, secure=settings.secure)
        file = settings.password_file
        self._file = None if file is None else PasswordFile(file)
        # Each check takes 64 MB and a core: more at a time would keep the others waiting.
        self._checks = asyncio.Semaphore(2)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self._look_again()
        request = Request(scope, receive)
        path, token = scope["path"], request.cookies.get(self._cookie_name, "")
        if path == "/login":
            await self._login(request, token, send)
        elif path == "/logout":
            await self._logout(request, token, send)
        elif path in LOGIN_FILES:
            await self.app(scope, receive, send)
        elif (bearer := _bearer(request)) is not None:
            await self._program(request, bearer, send)
        elif (session := self.sessions.use(token)) is not None:
            await self._person(request, session, send)
        elif _is_page(request):
            await self._respond(request, send, self._to(f"login?next={_next_of(request)}"))
        else:
            headers = {"www-authenticate": _REALM}
            await refuse(scope, receive, send, 401, text("login.needed"), headers)

    def _look_again(self) -> None:
        """Take over a password or tokens that were changed; with another password all sign in."""
        changed = None if self._file is None else self._file.changed()
        if changed is None or changed == self.password:
            return
        if changed.hashed != self.password.hashed:
            self.sessions.end_all()
            self.throttle.forget()
        self.password = changed
        logger.warning("the password file has changed and counts from now on")

    async def _program(self, request: Request, token: str, send: Send) -> None:
        name = self.password.token_name(token)
        if name is not None:
            # Programs are told apart as people are, in what they have asked and in their share.
            state = request.scope.setdefault("state", {})
            state["owner"] = state["session"] = f"token {name}"
            await self.app(request.scope, request.receive, send)
            return
        headers = {"www-authenticate": f'{_REALM}, error="invalid_token"'}
        await refuse(request.scope, request.receive, send, 401, text("login.bad_token"), headers)

    async def _person(self, request: Request, session: str, send: Send) -> None:
        """Pass on what a person asks, and no more of a stream once they have signed out."""
        ended = False
        anyones = request.scope["path"].startswith(_ANYONES)

        async def send_while_signed_in(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.start":
                if not anyones:
                    message = {**message, "headers": _uncached(message.get("headers", ()))}
            elif not self.sessions.goes_on(session):
                ended = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                raise _SignedOutError
            await send(message)

        request.scope.setdefault("state", {})["session"] = session
        try:
            await self.app(request.scope, request.receive, send_while_signed_in)
        except Exception:
            # It may come back wrapped by whatever was streaming.
            if not ended:
                raise

    async def _login(self, request: Request, token: str, send: Send) -> None:
        if request.method == "POST":
            await self._sign_in(request, token, send)
            return
        if request.method not in ("GET", "HEAD"):
            await self._only_post(request, send, "GET, HEAD, POST")
            return
        next_ = safe_next(request.query_params.get("next", ""))
        if self.sessions.use(token) is not None:
            await self._respond(request, send, self._to(next_))
            return
        notice = text("login.signed_out") if "out" in request.query_params else ""
        page = LoginPage(title=self.settings.title, next=next_, notice=notice)
        await self._respond(request, send, _shown(page))

    async def _sign_in(self, request: Request, token: str, send: Send) -> None:
        try:
            form = await _form(request)
        except ClientDisconnect:
            return
        next_ = safe_next(form.get("next", ""))
        address, owner = _address(request), _browser(request)
        wait = self.throttle.seconds_to_wait(address, owner)
        if wait:
            reply = self._again(_too_many(wait), next_, HTTPStatus.TOO_MANY_REQUESTS)
            reply.headers["retry-after"] = str(wait)
        elif await self._right(form.get("password", "")):
            self.throttle.succeeded(address, owner)
            # Another name for the session than before: nobody can have prepared it.
            self.sessions.end(token)
            reply = self._to(next_)
            reply.raw_headers.append(self._cookie(self.sessions.begin(), self.sessions.absolute))
        else:
            logger.warning("wrong password from %s", address)
            reply = self._again(text("login.wrong"), next_, HTTPStatus.UNAUTHORIZED)
            reply.headers["www-authenticate"] = _REALM
        await self._respond(request, send, reply)

    async def _right(self, password: str) -> bool:
        async with self._checks:
            return await asyncio.to_thread(self.password.matches, password)

    async def _logout(self, request: Request, token: str, send: Send) -> None:
        if request.method != "POST":
            await self._only_post(request, send, "POST")
            return
        self.sessions.end(token)
        reply = self._to("login?out=1")
        reply.raw_headers.append(self._cookie("", 0))
        # What was kept by the browser before there was a password.
        reply.headers["clear-site-data"] = '"cache"'
        await self._respond(request, send, reply)

    async def _only_post(self, request: Request, send: Send, allowed: str) -> None:
        await refuse(
            request.scope,
            request.receive,
            send,
            405,
            text("login.only_post"),
            {"allow": allowed},
        )

    def _again(self, problem: str, next_: str, status: int) -> Response:
        return _shown(LoginPage(title=self.settings.title, next=next_, problem=problem), status)

    def _to(self, address: str) -> Response:
        """Return a way to an address below the page."""
        return Response(status_code=303, headers={"location": f"{self.settings.path}{address}"})

    def _cookie(self, token: str, seconds: float) -> tuple[bytes, bytes]:
        return cookie_header(
            SESSION_COOKIE,
            token,
            path=self.settings.path,
            secure=self.settings.secure,
            seconds=int(seconds),
        )

    async def _respond(self, request: Request, send: Send, response: Response) -> None:
        response.headers.setdefault("cache-control", "no-store")
        await response(request.scope, request.receive, send)


class _SignedOutError(Exception):
    """Ends a stream whose session has ended."""


def _shown(page: LoginPage, status: int = 200) -> Response:
    return HTMLResponse(page.html(), status)


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form; of one that is no form, or far too large, none."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_FORM:
            return {}
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in fields.items()}


def _too_many(seconds: int) -> str:
    if seconds < 100:
        return text("login.too_many", n=seconds)
    return text("login.too_many_minutes", n=-(-seconds // 60))


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _is_page(request: Request) -> bool:
    """Return whether a person goes somewhere, rather than a script or a program asks."""
    if request.method not in ("GET", "HEAD"):
        return False
    mode = request.headers.get("sec-fetch-mode")
    if mode is not None:
        return mode == "navigate"
    path = request.scope["path"]
    program = path.startswith(("/api/", "/gradio_api/"))
    return not program and "text/html" in request.headers.get("accept", "")


def _next_of(request: Request) -> str:
    query = request.url.query
    wanted = request.scope["path"].removeprefix("/") + (f"?{query}" if query else "")
    return quote(safe_next(quote(wanted, safe="/?&=%+-._~")), safe="")


def _browser(request: Request) -> str:
    """Return whose browser it is, or "" where it has shown no cookie of ours."""
    owner = owner_of(request)
    return "" if owner == NOBODY else owner


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _uncached(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers of a reply that no browser keeps: somebody else may use it next."""
    kept = [pair for pair in headers if pair[0].lower() != b"cache-control"]
    return [*kept, (b"cache-control", b"no-store")]
