"""Who is asking: a cookie tells browsers apart, and what the server keeps does not give it away."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from qa.web.owner import NOBODY, OWNER_COOKIE, Owner, owner_of


def _echo(request: Request) -> Response:
    return PlainTextResponse(owner_of(request))


def client(path: str = "/", base_url: str = "http://127.0.0.1:7860") -> TestClient:
    app = Starlette(routes=[Route("/", _echo), Route("/api/x", _echo, methods=["GET", "POST"])])
    app.add_middleware(Owner, path=path)
    return TestClient(app, base_url=base_url)


def cookie(reply: Any) -> SimpleCookie:  # noqa: ANN401 - a reply of httpx
    return SimpleCookie(reply.headers.get("set-cookie", ""))


def test_the_page_gives_a_browser_a_name_that_it_keeps() -> None:
    browser = client()
    first = browser.get("/")
    morsel = cookie(first)[OWNER_COOKIE]
    assert len(morsel.value) == 22  # 128 bits
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"
    assert morsel["path"] == "/"
    assert morsel["max-age"] == str(365 * 24 * 3600)
    assert not morsel["secure"]
    again = browser.get("/")
    assert "set-cookie" not in again.headers
    assert first.text == again.text == browser.post("/api/x").text != NOBODY


def test_two_browsers_are_two_people() -> None:
    assert client().get("/").text != client().get("/").text


def test_the_name_that_is_kept_is_not_the_cookie() -> None:
    reply = client().get("/")
    assert cookie(reply)[OWNER_COOKIE].value not in reply.text
    assert len(reply.text) == 32


def test_a_program_has_no_cookie_and_gets_none() -> None:
    reply = client().post("/api/x")
    assert reply.text == NOBODY
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize("value", ["", "short", "x" * 23, "../../../etc/passwd.xx", "api"])
def test_a_cookie_that_we_did_not_make_is_nobody(value: str) -> None:
    reply = client().get("/api/x", headers={"cookie": f"{OWNER_COOKIE}={value}"})
    assert reply.text == NOBODY
    page = client().get("/", headers={"cookie": f"{OWNER_COOKIE}={value}"})
    assert len(cookie(page)[OWNER_COOKIE].value) == 22


def test_under_a_path_and_https_the_cookie_stays_there() -> None:
    morsel = cookie(client("/quoth/", "https://docs.example").get("/"))[f"__Secure-{OWNER_COOKIE}"]
    assert morsel["path"] == "/quoth/"
    assert morsel["secure"]
    whole = cookie(client("/", "https://docs.example").get("/"))[f"__Host-{OWNER_COOKIE}"]
    assert whole["path"] == "/"
    assert whole["secure"]


def test_over_https_a_cookie_that_another_server_may_have_set_is_nobody() -> None:
    """A neighbour in the domain could otherwise make people ask under a name that it knows."""
    planted = {"cookie": f"{OWNER_COOKIE}={'x' * 22}"}
    assert client("/", "https://docs.example").get("/api/x", headers=planted).text == NOBODY
    ours = {"cookie": f"__Host-{OWNER_COOKIE}={'x' * 22}"}
    assert client("/", "https://docs.example").get("/api/x", headers=ours).text != NOBODY
