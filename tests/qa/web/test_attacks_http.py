"""Requests that no honest client sends, over real sockets: ambiguous, endless, many, slow."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from knocking import SMALL, replies, safe, statuses
from served import served
from starlette.responses import PlainTextResponse, StreamingResponse

from qa.web import slow
from qa.web.headers import SAFE_HEADERS
from qa.web.limits import Limits
from qa.web.protection import protect
from qa.web.replies import handle_errors
from qa.web.settings import PageSettings
from qa.web.slow import LONGEST_HEAD, ImpatientProtocol, is_crowded
from qa.web.wellformed import LONGEST_ADDRESS, LONGEST_HEADERS, MOST_HEADERS

HEAD = b"Host: 127.0.0.1\r\n"
CLOSE = b"Connection: close\r\n"
INNER = b"POST /api/inner HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"
SECRET = "the caretaker is called Ottokar"


class Server:
    """A server behind all gates that notes what reaches it."""

    def __init__(self, limits: Limits = SMALL) -> None:
        self.seen: list[tuple[str, str, int]] = []
        self.app = FastAPI(openapi_url=None, docs_url=None)
        protect(self.app, PageSettings(limits=limits))
        handle_errors(self.app)

        @self.app.get("/api/long")
        def long() -> StreamingResponse:
            return StreamingResponse(b"x" * 500_000 for _ in range(80))

        @self.app.get("/api/broken")
        def broken() -> None:
            raise RuntimeError(SECRET)

        @self.app.api_route("/api/{name:path}", methods=["GET", "POST"])
        async def note(request: Request, name: str) -> PlainTextResponse:
            body = await request.body()
            self.seen.append((request.method, name, len(body)))
            return PlainTextResponse(f"{name} {len(body)}")


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Server, str]]:
    """A server and its address."""
    server = Server()
    options = {"http": ImpatientProtocol, "h11_max_incomplete_event_size": LONGEST_HEAD}
    with served(server.app, **options) as address:
        yield server, address


@pytest.fixture
def server(running: tuple[Server, str]) -> Server:
    """The server, which has seen nothing yet."""
    running[0].seen.clear()
    return running[0]


@pytest.fixture
def address(running: tuple[Server, str]) -> str:
    """Where it is."""
    return running[1]


# Where a request ends

AMBIGUOUS = {
    "both lengths": b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both, turned": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 40\r\n\r\n",
    "a list of lengths": b"Content-Length: 0, 40\r\n\r\n",
    "a signed length": b"Content-Length: +0\r\n\r\n",
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "a length in hexadecimal": b"Content-Length: 0x0\r\n\r\n",
    "an enormous length": b"Content-Length: " + b"9" * 40 + b"\r\n\r\n",
    "another coding": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two codings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a space before the colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a control character in a name": b"Transfer\x0bEncoding: chunked\r\n\r\n0\r\n\r\n",
    "a zero byte in a value": b"X-A: a\x00b\r\n\r\n",
    "a chunk of negative size": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "a chunk of enormous size": b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 30 + b"\r\n",
    "a chunk that is no number": b"Transfer-Encoding: chunked\r\n\r\n0x4\r\nabcd\r\n0\r\n\r\n",
    "a chunk with another end": b"Transfer-Encoding: chunked\r\n\r\n2\r\nabXX0\r\n\r\n",
}


@pytest.mark.parametrize("how", AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_refused_and_nothing_after_it_is_read(
    server: Server, address: str, how: str
) -> None:
    """Request smuggling: what a proxy takes for a body must not be a request here."""
    sent = b"POST /api/outer HTTP/1.1\r\n" + HEAD + AMBIGUOUS[how] + INNER
    got = replies(address, sent)
    codes = statuses(got)
    assert len(codes) == 1, got
    assert codes[0] in (400, 413, 501)
    assert [name for _, name, _ in server.seen if name == "inner"] == []


def test_lines_that_end_without_a_carriage_return_are_one_request(
    server: Server, address: str
) -> None:
    sent = b"POST /api/outer HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 5\n" + CLOSE + b"\nINNER"
    assert statuses(replies(address, sent + INNER)) == [200]
    assert server.seen == [("POST", "outer", 5)]


def test_requests_one_after_another_are_answered_in_their_order(
    server: Server, address: str
) -> None:
    one = b"POST /api/%d HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\n\r\nab"
    last = b"GET /api/last HTTP/1.1\r\n" + HEAD + CLOSE + b"\r\n"
    got = replies(address, b"".join(one % number for number in range(50)) + last)
    assert statuses(got) == [200] * 51
    assert [name for _, name, _ in server.seen] == [*map(str, range(50)), "last"]


@pytest.mark.parametrize(
    "first",
    [
        b"GET /api/x\r\n\r\n",
        b"GET /api/x HTTP/1.1\r\n\r\n",
        b"GET /api/x HTTP/1.0\r\n\r\n",
        b"GET /api/x HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
        b"GET http://evil.example/api/x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET http://127.0.0.1/api/x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /api/x HTTP/1.1\r\nHost: 127.0.0.1\r\n folded: x\r\nX Y: z\r\n\r\n",
    ],
)
def test_what_is_not_our_kind_of_http_is_refused_with_safe_headers(
    server: Server, address: str, first: bytes
) -> None:
    got = replies(address, first + b"\r\n" * 2)
    assert statuses(got) == [400], got
    assert server.seen == []
    head, _, body = got.partition(b"\r\n\r\n")
    for name, value in SAFE_HEADERS.items():
        assert f"{name}: {value}".encode() in head
    assert json.loads(body)["status"] == 400


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c", b"TLS/1.0"])
def test_nobody_changes_the_protocol(server: Server, address: str, upgrade: bytes) -> None:
    more = (
        b"Connection: close, Upgrade\r\nUpgrade: " + upgrade + b"\r\nSec-WebSocket-Version: 13\r\n"
    )
    got = replies(address, b"GET /api/x HTTP/1.1\r\n" + HEAD + more + b"\r\n", timeout=40)
    assert b"101" not in got.partition(b"\r\n")[0]
    assert statuses(got) == [200]


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(
    server: Server, address: str
) -> None:
    asks = b"Expect: 100-continue\r\n" + CLOSE
    fits = b"POST /api/x HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\n" + asks + b"\r\nab"
    assert statuses(replies(address, fits)) == [100, 200]
    large = b"POST /api/x HTTP/1.1\r\n" + HEAD + b"Content-Length: 999999999\r\n" + asks + b"\r\n"
    assert statuses(replies(address, large)) == [413]


def test_a_body_in_chunks_has_the_same_limit(server: Server, address: str) -> None:
    head = b"POST /api/x HTTP/1.1\r\n" + HEAD + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"
    got = replies(address, head, *[b"1000\r\n" + b"x" * 4096 + b"\r\n"] * 4)
    assert statuses(got) == [413]
    tiny = b"1\r\nx\r\n" * 9_000  # many small parts are one small body
    assert replies(address, head, tiny + b"0\r\n\r\n").endswith(b"x 9000")
    assert server.seen == [("POST", "x", 9_000)]


# How much of everything


def test_a_head_has_an_end(server: Server, address: str) -> None:
    line = b"GET /api/x HTTP/1.1\r\n" + HEAD + CLOSE
    many = b"".join(b"X-%d: a\r\n" % number for number in range(MOST_HEADERS))
    assert statuses(replies(address, line + many + b"\r\n")) == [431]
    long = b"X-A: " + b"a" * LONGEST_HEADERS + b"\r\n"
    assert statuses(replies(address, line + long + b"\r\n")) == [431]
    endless = [b"X-A: " + b"a" * LONGEST_HEAD] * 8
    assert statuses(replies(address, line, *endless)) == [400]
    for path in (b"/api/" + b"a" * LONGEST_ADDRESS, b"/api/x?" + b"a" * LONGEST_ADDRESS):
        asked = b"GET " + path + b" HTTP/1.1\r\n" + HEAD + CLOSE + b"\r\n"
        assert statuses(replies(address, asked)) == [414]
    assert server.seen == []


def test_compressed_requests_are_not_unpacked(server: Server, address: str) -> None:
    for coding in (b"gzip", b"br", b"deflate, identity"):
        more = b"Content-Encoding: " + coding + b"\r\nContent-Length: 2\r\n" + CLOSE + b"\r\nab"
        got = replies(address, b"POST /api/x HTTP/1.1\r\n" + HEAD + more)
        assert statuses(got) == [415]
    assert server.seen == []


@pytest.mark.parametrize(
    "path",
    [
        "/_quoth/../../pyproject.toml",
        "/_quoth/%2e%2e/%2e%2e/pyproject.toml",
        "/_quoth/%252e%252e/%252e%252e/pyproject.toml",
        "/_quoth/..%2f..%2fpyproject.toml",
        "/_quoth/..%5c..%5cpyproject.toml",
        "/_quoth/....//....//pyproject.toml",
        "/_quoth//etc/passwd",
        "/_quoth/%2fetc%2fpasswd",
        "/_quoth/page.js%00.css",
        "/assets/../routes.py",
        "/assets/%2e%2e/%2e%2e/routes.py",
        "/assets//etc/passwd",
        "/assets/..%5croutes.py",
        "/api/../gradio_api/file=/etc/passwd",
        "/gradio_api/heartbeat/../file=/etc/passwd",
        "//gradio_api/file=/etc/passwd",
        "/gradio_api//file=/etc/passwd",
        "/gradio_api/queue/join/../../file=/etc/passwd",
        "/gradio_api/%66%69%6c%65=/etc/passwd",
        "/gradio_api/file%3d/etc/passwd",
        "/GRADIO_API/file=/etc/passwd",
        "/gradio_api/proxy=http://127.0.0.1:1/",
        "/svelte/../routes.py",
        "/static/../routes.py",
        "/custom_component/a/b/c/d",
        "/%0d%0aSet-Cookie:%20a=b",
    ],
)
def test_no_path_leads_out_of_what_is_served(address: str, path: str) -> None:
    """Sent as it stands: clients of HTTP would mend it first."""
    asked = f"GET {path} HTTP/1.1\r\n".encode() + HEAD + CLOSE + b"\r\n"
    got = replies(address, asked)
    assert statuses(got) == [404], got[:300]
    assert b"root:" not in got
    assert b"set-cookie" not in got.lower()


# Faults


def test_an_error_that_nobody_foresaw_says_nothing_and_has_safe_headers() -> None:
    client = TestClient(Server().app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    reply = client.get("/api/broken")
    assert reply.status_code == 500
    assert "Ottokar" not in reply.text
    assert "RuntimeError" not in reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert safe(reply.headers)


# Time


def connected(address: str) -> socket.socket:
    host, _, port = address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def still_taken(line: socket.socket, seconds: float) -> bool:
    """Go on sending, a little at a time; return whether the server still takes it in the end."""
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            line.sendall(b"x" * 10)
            time.sleep(0.05)
    except ConnectionError:
        return False
    return True


def test_who_takes_nothing_of_what_was_asked_for_is_left(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty megabytes are asked for and not read: the connection ends, not the server."""
    monkeypatch.setattr(slow, "SECONDS_TO_READ", 0.5)
    with connected(address) as line:
        line.sendall(b"GET /api/long HTTP/1.1\r\n" + HEAD + b"\r\n")
        time.sleep(3)
        got = 0
        line.settimeout(20)
        try:
            while received := line.recv(1 << 20):
                got += len(received)
        except ConnectionError:
            pass
    assert 0 < got < 39_000_000


def test_who_reads_gets_everything(address: str) -> None:
    got = replies(address, b"GET /api/long HTTP/1.1\r\n" + HEAD + CLOSE + b"\r\n")
    assert len(got) >= 40_000_000


def test_the_rest_of_a_body_that_was_refused_is_not_read_for_ever(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow, "SECONDS_FOR_HEAD", 0.5)
    head = b"POST /api/x HTTP/1.1\r\n" + HEAD + b"Content-Length: 50000\r\n\r\n"
    with connected(address) as line:
        line.sendall(head)
        assert line.recv(65_536).startswith(b"HTTP/1.1 413")
        assert not still_taken(line, seconds=20)


# Connections


def test_there_are_only_so_many_connections(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = b"GET /api/x HTTP/1.1\r\n" + HEAD + b"\r\n"
    monkeypatch.setattr(slow, "MOST_CONNECTIONS", 3)
    lines = [connected(address) for _ in range(3)]
    try:
        for line in lines:
            line.sendall(asked)
            assert line.recv(65_536).startswith(b"HTTP/1.1 200")
        refused = replies(address)
        assert statuses(refused) == [503]
        assert b"retry-after: 5" in refused
    finally:
        for line in lines:
            line.close()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if statuses(replies(address, asked.replace(b"\r\n\r\n", b"\r\n" + CLOSE + b"\r\n"))) == [
            200
        ]:
            return
        time.sleep(0.05)
    pytest.fail("connections that were closed still count")


def test_one_network_has_only_so_many_and_this_machine_as_many_as_there_are() -> None:
    others = ["198.51.100.7"] * 127 + [""] * 500
    assert not is_crowded("198.51.100.7", others)
    assert is_crowded("198.51.100.7", [*others, "198.51.100.7"])
    assert not is_crowded("198.51.100.8", [*others, "198.51.100.7"])
    assert not is_crowded("", others)
    assert is_crowded("", [""] * 2_000)
