"""The page as it is served has our head, and nothing else is touched."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from fastapi.testclient import TestClient

from qa.web.head import Head

PAGE = '<head><meta property="og:title" content="Frame" /><title>x</title></head><body>é</head>'


def app() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    def page(kind: str = "html") -> Response:
        if kind == "json":
            return JSONResponse({"a": "</head>"})
        if kind == "parts":
            return StreamingResponse(iter((PAGE[:70], PAGE[70:])), media_type="text/html")
        return HTMLResponse(PAGE, status_code=500 if kind == "error" else 200)

    @app.get("/other")
    def other() -> HTMLResponse:
        return HTMLResponse(PAGE)

    app.add_middleware(Head, markup='<meta name="ours" content="é">')
    return app


def test_the_page_gets_our_head_whole_or_in_parts() -> None:
    client = TestClient(app())
    for kind in ("html", "parts"):
        reply = client.get("/", params={"kind": kind})
        assert reply.text == (
            '<head><title>x</title><meta name="ours" content="é"></head><body>é</head>'
        )
        assert reply.headers["content-length"] == str(len(reply.content))


def test_a_page_below_a_path_that_the_proxy_left_there_gets_it_too() -> None:
    wrapped = Head(app(), markup="<!-- ours -->", path="/other")
    assert "<!-- ours -->" in TestClient(wrapped).get("/other").text
    assert "<!-- ours -->" in TestClient(wrapped).get("/").text


def test_what_is_no_page_is_left_alone() -> None:
    client = TestClient(app())
    assert client.get("/other").text == PAGE
    assert client.get("/", params={"kind": "error"}).text == PAGE
    assert client.get("/", params={"kind": "json"}).json() == {"a": "</head>"}
