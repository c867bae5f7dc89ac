"""Who may ask, how much they may send, what the browser may do."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from qa.web.guard import CONTENT_SECURITY_POLICY
from qa.web.settings import STATIC

HEALTH = "/api/health"
QUESTION = {"question": "How often is the lift inspected?"}


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "", "127.0.0.1@evil"]
)
def test_a_name_that_is_not_ours_is_refused(client: TestClient, host: str) -> None:
    """A foreign name that resolves to 127.0.0.1 must not read answers (DNS rebinding)."""
    assert client.get(HEALTH, headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "LOCALHOST", "[::1]:7860"])
def test_the_names_of_this_machine_are_served(client: TestClient, host: str) -> None:
    assert client.get(HEALTH, headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://127.0.0.1:7861", "null", "https://127.0.0.1:7860"]
)
def test_another_origin_may_not_send_or_read(client: TestClient, origin: str) -> None:
    headers = {"origin": origin}
    assert client.post("/api/ask", json=QUESTION, headers=headers).status_code == 403
    reply = client.get(HEALTH, headers=headers)
    assert reply.status_code == 403
    assert "access-control-allow-origin" not in reply.headers


def test_our_own_page_may_send(client: TestClient) -> None:
    headers = {"origin": "http://127.0.0.1:7860", "sec-fetch-site": "same-origin"}
    assert client.post("/api/ask", json=QUESTION, headers=headers).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_may_link_here_but_not_load_or_send(client: TestClient, site: str) -> None:
    load = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
    frame = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
    link = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert client.get(HEALTH, headers=load).status_code == 403
    assert client.get(HEALTH, headers=frame).status_code == 403
    assert client.post("/api/ask", json=QUESTION, headers=link).status_code == 403
    assert client.get(HEALTH, headers=link).status_code == 200


def test_a_large_body_is_refused_by_its_stated_length(client: TestClient) -> None:
    reply = client.post("/api/ask", json={"question": "x" * 20_000})
    assert reply.status_code == 413
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["detail"] == "The request is larger than 10,000 bytes."


def test_a_large_body_without_a_stated_length_is_cut_off(client: TestClient) -> None:
    parts = (b'{"question": "' + b"x" * 4_000 for _ in range(5))
    reply = client.post("/api/ask", content=parts, headers={"content-type": "application/json"})
    assert reply.status_code == 413


def test_only_uploads_may_be_larger(client: TestClient) -> None:
    files = {"files": ("long.txt", b"A word. " * 5_000)}
    assert client.post("/api/documents", files=files).status_code == 202
    files = {"files": ("longer.txt", b"A word. " * 50_000)}
    assert client.post("/api/documents", files=files).status_code == 413


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=https://evil.example/x",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file/etc/passwd",
        "/gradio_api/proxy=https://evil.example/",
        "/gradio_api/%66ile=https://evil.example/x",
        "/gradio_api/upload",
        "/gradio_api/run/ask",
        "/gradio_api/call/ask",
        "/gradio_api/runs",
        "/gradio_api/deep_link",
        "/monitoring",
        "/login",
    ],
)
def test_gradio_routes_that_the_chat_does_not_need_are_closed(
    client: TestClient, path: str
) -> None:
    reply = client.get(path)
    assert (reply.status_code, reply.json()["detail"]) == (404, "There is nothing here.")


@pytest.mark.parametrize("path", [HEALTH, f"{STATIC}/page.js", "/nothing", "/gradio_api/upload"])
def test_every_reply_tells_the_browser_what_it_may_do(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"  # or forms of ours had no origin
    assert "unsafe-eval" not in CONTENT_SECURITY_POLICY
    assert "script-src 'self';" in CONTENT_SECURITY_POLICY
