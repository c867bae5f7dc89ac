"""Every route of the running page, ours and Gradio's, found by walking the application.

None is known by its name here, so that a route which somebody adds later is tested too.
"""

from __future__ import annotations

from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.testclient import TestClient
from knocking import HOST, ORIGIN, page, safe
from small import HOUSE, new_library, write
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route
from walking import METHODS, addresses

from qa.web.auth import SESSION_COOKIE
from qa.web.login_page import LOGIN_FILES
from qa.web.owner import OWNER_COOKIE
from qa.web.password import Password
from qa.web.settings import STATIC

if TYPE_CHECKING:
    from index import Library

WORDS = "correct horse battery"
STATIC_FILES = Path(__file__).parents[3] / "qa/web/static"
# What is there for everyone: the form, what it loads, and the way out, which only takes a form.
PUBLIC = {(method, path) for path in LOGIN_FILES for method in ("GET", "HEAD")} | {
    ("GET", "/login"),
    ("HEAD", "/login"),
    ("POST", "/login"),
    ("POST", "/logout"),
}
READING = ("GET", "HEAD", "OPTIONS")
EVIL = "https://evil.example"
# As another page can make a browser send it without being asked whether it may.
SIMPLE: tuple[dict[str, str], ...] = (
    {"content-type": "text/plain"},
    {"content-type": "application/x-www-form-urlencoded"},
    {"content-type": "multipart/form-data; boundary=x"},
    {},
)
FOREIGN = (
    {"origin": EVIL},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:8000"},
    {"origin": f"{ORIGIN}.evil.example"},
    {"origin": f"{ORIGIN}, {EVIL}"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
    {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
)


class Place:
    """A server with a password: a stranger, somebody who has signed in, and a program."""

    def __init__(self, library: Library, stranger: TestClient, token: str) -> None:
        self.library, self.stranger = library, stranger
        self.every = addresses(stranger.app)
        self.every |= {("GET", f"{STATIC}/{file.name}") for file in STATIC_FILES.iterdir()}
        self.paths = sorted({path for _, path in self.every})
        self.bearer = {"authorization": f"Bearer {token}"}
        reply = stranger.post("/login", data={"password": WORDS})
        session = reply.headers["set-cookie"].partition(";")[0]
        assert session.startswith(f"{SESSION_COOKIE}=")
        self.cookie = f"{session}; {OWNER_COOKIE}={'m' * 22}"


def client_of(app: FastAPI) -> TestClient:
    """Return a client that keeps no cookies."""
    client = TestClient(app, base_url=ORIGIN, follow_redirects=False)
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The page over a small library."""
    folder = tmp_path_factory.mktemp("every")
    password, token = Password.of(WORDS).with_token("test")
    with new_library(folder / "house.quoth", write(folder / "house", HOUSE)) as library:
        with client_of(page(library, password)) as stranger:
            yield Place(library, stranger, token)


def state(library: Library) -> object:
    """Return what a forged request would have changed."""
    return library.generation, [info.path for info in library.documents()]


# The walk itself


def test_the_walk_finds_what_is_mounted_and_included(place: Place) -> None:
    known = {
        ("POST", "/api/v1/ask"),
        ("DELETE", "/api/documents/1"),
        ("POST", "/gradio_api/queue/join"),
        ("GET", "/gradio_api/file=1"),
        ("GET", "/config"),
        ("GET", "/"),
        ("GET", f"{STATIC}/text.json"),
    }
    assert known <= place.every
    assert len(place.every) > 130


def test_the_walk_goes_into_every_kind_of_route() -> None:
    app, inner, router = FastAPI(openapi_url=None, docs_url=None), FastAPI(), APIRouter()

    @inner.get("/deep/{name}")
    def deep(name: str) -> str:
        return name

    @router.put("/included")
    def included() -> None: ...

    @app.websocket("/socket")
    async def talk(socket: WebSocket) -> None: ...

    app.include_router(router, prefix="/routed")
    app.mount("/mounted", inner)
    app.router.routes.append(Mount("/plain", routes=[Route("/x", PlainTextResponse("x"))]))
    found = addresses(app)
    expected = {
        ("GET", "/mounted/deep/1"),
        ("PUT", "/routed/included"),
        ("GET", "/socket"),
        ("GET", "/plain/x"),
    }
    assert expected <= found
    app.router.routes.append(BaseRoute())
    with pytest.raises(TypeError, match="has neither an address nor routes"):
        addresses(app)


# Without signing in


def test_without_signing_in_every_route_by_every_method_is_closed(place: Place) -> None:
    """401, or 404 where there is nothing for those who have signed in either."""
    closed = 0
    for path in place.paths:
        for method in METHODS:
            if (method, path) in PUBLIC:
                continue
            reply = place.stranger.request(method, path)
            if path in {public for _, public in PUBLIC}:
                assert reply.status_code == 405, (method, path)
                continue
            if reply.status_code == 404:
                known = place.stranger.request(method, path, headers=place.bearer)
                assert known.status_code == 404, (method, path)
            else:
                assert reply.status_code == 401, (method, path)
                assert "www-authenticate" in reply.headers
            closed += 1
    assert closed > 700


def test_a_person_without_a_session_is_led_to_the_form(place: Place) -> None:
    there = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "accept": "text/html"}
    for path in place.paths:
        if path in ("/login", "/logout") or ("GET", path) in PUBLIC:
            continue
        reply = place.stranger.get(path, headers=there)
        if reply.status_code != 404:
            assert reply.status_code == 303, path
            assert reply.headers["location"].startswith("/login?next="), path


def test_what_is_open_to_everyone_tells_nothing_of_the_documents(place: Place) -> None:
    for method, path in sorted(PUBLIC - {("POST", "/logout")}):
        reply = place.stranger.request(method, path)
        assert reply.status_code in (200, 401), path
        for word in ("lift", "caretaker", "house", "garden"):
            assert word not in reply.text.casefold(), path


def test_a_route_that_is_added_later_is_closed_too(tmp_path: Path) -> None:
    """Whoever adds one has nothing to remember."""
    with new_library(tmp_path / "empty.quoth") as library:
        app = page(library, Password("unused"))
        later = APIRouter()
        later.get("/secret")(lambda: "told")
        app.state.api.include_router(later)
        app.router.routes.insert(0, Route("/hidden", PlainTextResponse("told")))
        assert {("GET", "/api/secret"), ("GET", "/hidden")} <= addresses(app)
        client = client_of(app)
        assert client.get("/api/secret").status_code == 401
        assert client.get("/hidden").status_code == 404


# From elsewhere


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:7860", "0x7f000001"])
def test_under_a_foreign_name_nothing_answers(place: Place, host: str) -> None:
    for path in place.paths:
        for method in ("GET", "POST"):
            reply = place.stranger.request(method, path, headers={**place.bearer, "host": host})
            assert reply.status_code == 400, (method, path)


@pytest.mark.slow
def test_another_page_can_use_no_route_with_the_cookies_of_who_has_signed_in(
    place: Place,
) -> None:
    before = state(place.library)
    everything = place.every | {(method, path) for method in METHODS for path in place.paths[::9]}
    for method, path in sorted(everything):
        for number, foreign in enumerate(FOREIGN):
            headers = {**foreign, **SIMPLE[number % len(SIMPLE)], "cookie": place.cookie}
            reply = place.stranger.request(method, path, headers=headers)
            assert reply.status_code == 403, (method, path, foreign)
            assert not any(name.startswith("access-control-") for name in reply.headers)
    assert state(place.library) == before


def test_what_changes_something_is_refused_by_where_the_page_was_too(place: Place) -> None:
    """A browser that says nothing of its origin may say from which page it comes."""
    before = state(place.library)
    for method, path in sorted(place.every):
        if method in READING:
            continue
        for simple in SIMPLE:
            headers = {"referer": f"{EVIL}/{HOST}/", "cookie": place.cookie, **simple}
            reply = place.stranger.request(method, path, headers=headers, content=b'{"x":"=1"}')
            assert reply.status_code == 403, (method, path)
    assert state(place.library) == before


def test_a_form_of_another_kind_changes_nothing_even_from_our_own_page(place: Place) -> None:
    """JSON that was sent as plain text is no JSON: a form cannot send an order."""
    before = state(place.library)
    for method, path in sorted(place.every):
        if method in (*READING, "DELETE") or not path.startswith("/api/v1"):
            continue  # what takes no body needs none
        for simple in SIMPLE[:2]:
            headers = {**simple, "cookie": place.cookie, "origin": ORIGIN}
            body = b'{"documents": [1], "question": "lift", "words": "lift", "title": "x"}'
            reply = place.stranger.request(method, path, headers=headers, content=body)
            assert reply.status_code in (400, 415, 422), (method, path, reply.text)
    assert state(place.library) == before


# What replies say


@pytest.mark.parametrize("who", ["stranger", "bearer", "cookie"])
def test_every_reply_tells_the_browser_what_it_may_do(place: Place, who: str) -> None:
    """Also errors, redirects, static files, and whatever Gradio says."""
    headers = {"stranger": {}, "bearer": place.bearer, "cookie": {"cookie": place.cookie}}[who]
    for path in [*place.paths, "/nothing", "/api/nothing", "/login?next=x"]:
        for method in ("GET", "HEAD", "OPTIONS", "PUT"):
            if "heartbeat" in path or "startup" in path or path == "/gradio_api/queue/data":
                continue  # an endless stream, see test_attacks_chat.py
            reply = place.stranger.request(method, path, headers=headers)
            assert safe(reply.headers), (method, path)
            assert reply.headers.get("server", "") == ""


def test_nothing_that_was_shown_behind_a_password_is_kept(place: Place) -> None:
    """By no browser and no proxy, but for script and style, which are the same for everyone."""
    for method, path in sorted(place.every):
        if method != "GET" or path.startswith(("/gradio_api/", "/login", "/logout")):
            continue
        kept = place.stranger.get(path, headers={"cookie": place.cookie}).headers["cache-control"]
        expected = "private" if path.startswith((f"{STATIC}/", "/assets/")) else "no-store"
        assert expected in kept, path
