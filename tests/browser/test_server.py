"""The real server without a browser: Gradio stands behind the guard too."""

from __future__ import annotations

from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from qa.web.guard import CONTENT_SECURITY_POLICY
from qa.web.settings import STATIC

EVIL = {"Origin": "https://evil.example"}


class Reply:
    """Status, headers and text of a reply."""

    def __init__(
        self, address: str, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> None:
        connection = HTTPConnection(urlsplit(address).netloc, timeout=20)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            self.status = response.status
            self.headers = {name.lower(): value for name, value in response.getheaders()}
            self.text = response.read().decode()
        finally:
            connection.close()


def get(address: str, path: str, **headers: str) -> Reply:
    return Reply(address, "GET", path, None, headers)


def post(address: str, path: str, body: str, **headers: str) -> Reply:
    return Reply(address, "POST", path, body, {"Content-Type": "application/json", **headers})


def test_the_page_of_gradio_is_guarded(address: str) -> None:
    start = get(address, "/")
    assert start.status == 200
    assert start.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert get(address, "/", Host="evil.example").status == 400
    assert get(address, "/config", **EVIL).status == 403
    assert post(address, "/gradio_api/queue/join", "{}", **EVIL).status == 403
    assert post(address, "/api/ask", "{}", **EVIL).status == 403


@pytest.mark.parametrize(
    "path",
    ["file=/etc/passwd", "file=https://evil.example/", "proxy=https://evil.example/", "runs"],
)
def test_routes_that_fetch_or_serve_files_are_closed(address: str, path: str) -> None:
    assert get(address, f"/gradio_api/{path}").status == 404


@pytest.mark.parametrize("path", ["upload", "run/ask", "call/ask", "api/ask"])
def test_routes_that_take_files_or_run_functions_are_closed(address: str, path: str) -> None:
    assert post(address, f"/gradio_api/{path}", '{"data": ["hello"]}').status == 404


def test_the_page_loads_our_script_and_nothing_from_elsewhere(address: str) -> None:
    assert "_quoth/page.js" in get(address, "/").text
    for name in ("page.js", "page.css", "cite.js", "documents.js", "dom.js"):
        reply = get(address, f"{STATIC}/{name}")
        assert reply.status == 200
        assert "innerHTML" not in reply.text
        assert "://" not in reply.text.replace("http://www.w3.org/2000/svg", "")


def test_a_title_is_text(address: str) -> None:
    assert "<i>garden</i>" not in get(address, "/").text
