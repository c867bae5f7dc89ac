"""Behind a reverse proxy: what a request was for the browser, and whom the server believes."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.requests import Request

from qa.web.address import PublicAddress
from qa.web.guard import Guard
from qa.web.settings import PageSettings

URL = "https://docs.example.org/quoth"
PROXY = ("127.0.0.1", 40_000)
STRANGER = ("203.0.113.9", 40_000)


def client(
    url: str | None = URL, peer: tuple[str, int] = PROXY, *, any_ip: bool = False
) -> TestClient:
    """Return a client whose requests come from `peer`; replies say what the server understood."""
    app = FastAPI()

    @app.get("/{path:path}")
    @app.post("/{path:path}")
    def said(request: Request, path: str) -> dict[str, object]:
        return {
            "path": request.url.path,
            "host": request.headers["host"],
            "scheme": request.url.scheme,
            "client": request.client.host if request.client else None,
            "hearsay": [name for name in request.headers if "forward" in name or "gradio" in name],
        }

    public = None if url is None else PublicAddress.parse(url)
    app.add_middleware(Guard, settings=PageSettings(public=public, any_ip=any_ip))
    return TestClient(app, base_url="http://127.0.0.1:7860", client=peer, follow_redirects=False)


@pytest.mark.parametrize(
    ("asked", "inside"),
    [
        ("/quoth/", "/"),
        ("/quoth/api/health", "/api/health"),
        ("/quoth/_quoth/page.js", "/_quoth/page.js"),
        ("/", "/"),
        ("/api/health", "/api/health"),
        ("/_quoth/page.js", "/_quoth/page.js"),
        ("/api/quoth/", "/api/quoth/"),
    ],
)
def test_the_path_may_arrive_with_or_without_where_the_page_is(asked: str, inside: str) -> None:
    said = client().get(asked).json()
    assert said["path"] == inside
    assert (said["scheme"], said["host"]) == ("https", "docs.example.org")


def test_a_path_that_only_begins_alike_is_another() -> None:
    assert client().get("/quothing").status_code == 404


def test_the_slash_at_the_end_is_added() -> None:
    """Without it every relative address of the page would lead elsewhere."""
    reply = client().get("/quoth?chat=abc")
    assert (reply.status_code, reply.headers["location"]) == (308, "/quoth/?chat=abc")


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "docs.example.org"},
        {"host": "DOCS.example.org:443"},
        {"host": "127.0.0.1:7860"},
        {"host": "localhost"},
        {"host": "127.0.0.1:7860", "x-forwarded-host": "docs.example.org"},
        {"host": "upstream", "x-forwarded-host": "docs.example.org:443"},
    ],
)
def test_the_proxy_may_pass_on_any_host_of_ours(headers: dict[str, str]) -> None:
    assert client().get("/quoth/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "docs.example.org:8080"},
        {"host": "upstream"},
        {"host": "upstream", "x-forwarded-host": "evil.example"},
        {"host": "upstream", "x-forwarded-host": "docs.example.org, evil.example"},
    ],
)
def test_other_hosts_are_refused(headers: dict[str, str]) -> None:
    reply = client().get("/quoth/", headers=headers)
    assert reply.status_code == 400
    assert reply.json()["detail"] == f"This address is not served here; the page is at {URL}."


def test_a_stranger_cannot_speak_for_a_proxy() -> None:
    stranger = client(peer=STRANGER)
    forged = {"x-forwarded-host": "docs.example.org", "x-forwarded-for": "127.0.0.1"}
    assert stranger.get("/quoth/", headers=forged).status_code == 400
    reply = stranger.get("/quoth/", headers={**forged, "host": "docs.example.org"})
    assert reply.json()["client"] == STRANGER[0]
    assert reply.json()["hearsay"] == []


def test_the_address_that_the_proxy_added_is_the_client() -> None:
    """What stands before it anyone may have written."""
    for chain in ("198.51.100.7", "127.0.0.1, 198.51.100.7", "x,198.51.100.7"):
        reply = client().get("/quoth/", headers={"x-forwarded-for": chain})
        assert reply.json()["client"] == "198.51.100.7"
    assert client().get("/", headers={"x-forwarded-for": "unknown"}).json()["client"] == PROXY[0]


@pytest.mark.parametrize("url", [None, URL])
def test_the_application_hears_nothing_from_forwarded_headers(url: str | None) -> None:
    """Gradio would believe these from anyone and send the page elsewhere."""
    hearsay = {
        "x-forwarded-proto": "https",
        "x-forwarded-prefix": "/evil",
        "forwarded": "host=evil.example",
        "x-gradio-server": "https://evil.example",
        "x-forwarded-for": "198.51.100.7",
    }
    said = client(url).get("/", headers=hearsay).json()
    assert said["hearsay"] == []
    if url is None:
        assert (said["scheme"], said["client"]) == ("http", PROXY[0])


def test_the_origin_is_the_public_one() -> None:
    for origin, status in [
        ("https://docs.example.org", 200),
        ("http://docs.example.org", 403),
        ("http://127.0.0.1:7860", 403),
        ("https://evil.example", 403),
        ("null", 403),
    ]:
        reply = client().post("/quoth/api/ask", headers={"origin": origin})
        assert reply.status_code == status


def test_on_the_network_addresses_of_ip_are_ours_and_foreign_names_are_not() -> None:
    """No name can be made to mean an address here, so these are safe from DNS rebinding."""
    open_to_all = client(None, STRANGER, any_ip=True)
    for host in ("192.168.1.7:7860", "[2001:db8::1]:7860", "10.0.0.1", "localhost"):
        assert open_to_all.get("/", headers={"host": host}).status_code == 200
    for host in ("evil.example", "192.168.1.7.evil.example", "1", ""):
        assert open_to_all.get("/", headers={"host": host}).status_code == 400
    assert client(None).get("/", headers={"host": "192.168.1.7"}).status_code == 400
