"""Every error of the API is one sentence in a problem reply, and tells nothing of the inside."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from small import HashEncoder

from index import Library
from index.errors import EncoderError
from index.types import Filter
from qa.chat import Chat
from qa.web.app import create_app
from qa.web.replies import PROBLEM, handle_errors
from qa.web.schemas import AnswerReply, Where, filter_of

if TYPE_CHECKING:
    from httpx2 import Response

    from index.types import Vectors

ORIGIN = "http://127.0.0.1:7860"
LIFT = "How often is the lift inspected?"


def problem(reply: Response, status: int, name: str) -> str:
    """Return the sentence of a reply that must be a problem."""
    assert reply.status_code == status
    assert reply.headers["content-type"] == PROBLEM
    body: dict[str, Any] = reply.json()
    assert (body["status"], body["type"]) == (status, f"urn:quoth:problem:{name}")
    assert body["instance"].startswith("urn:uuid:")
    assert body["title"]
    detail = body["detail"]
    assert isinstance(detail, str)
    assert detail.endswith(".")
    assert detail.isprintable()
    return detail


@pytest.mark.parametrize("version", ["/api", "/api/v1"])
def test_an_unknown_address_and_a_wrong_method(client: TestClient, version: str) -> None:
    detail = problem(client.get(f"{version}/nothing"), 404, "not-found")
    assert "/api/docs" in detail
    problem(client.post(f"{version}/a/b/c", json={}), 404, "not-found")
    problem(client.get(f"{version}/health/"), 404, "not-found")
    wrong = client.delete(f"{version}/ask")
    assert problem(wrong, 405, "method") == "DELETE is not possible at this address."
    assert wrong.headers["allow"] == "POST"


@pytest.mark.parametrize("status", [*range(400, 418), 422, 429, *range(500, 505)])
def test_every_status_has_a_sentence_of_our_own(status: int) -> None:
    app = FastAPI()
    handle_errors(app)

    @app.get("/")
    def refuses() -> None:
        raise HTTPException(status)

    body = TestClient(app).get("/").json()
    assert body["status"] == status
    assert body["title"] != HTTPStatus(status).phrase
    assert body["detail"].endswith(".")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "question is missing."),
        ({"question": 3}, "question: Input should be a valid string."),
        ({"question": LIFT, "colour": "red"}, "colour is not known here."),
        (
            {"question": LIFT, "where": {"after": "soon", "before": "2024-02-30"}},
            "where.after is no day such as 2024-05-31. where.before is no day such as 2024-05-31.",
        ),
        ({"question": LIFT, "\u202ename\n": 1}, "‹U+202E›name is not known here."),
    ],
)
def test_faults_of_a_request_are_told_together_in_words(
    client: TestClient, body: dict[str, Any], detail: str
) -> None:
    content = json.dumps(body)
    reply = client.post("/api/ask", content=content, headers={"content-type": "application/json"})
    assert problem(reply, 422, "invalid") == detail
    assert len(reply.json()["errors"]) == detail.count(". ") + 1


def test_many_faults_are_counted(client: TestClient) -> None:
    body = {f"field{n}": n for n in range(30)} | {"x" * 500: 1}
    detail = problem(client.post("/api/ask", json=body), 422, "invalid")
    assert "more faults." in detail
    assert len(detail) < 500


@pytest.mark.parametrize(
    ("content", "kind", "detail"),
    [
        (b"{no", "application/json", "The request is not valid JSON."),
        (b"[]", "application/json", "The request must be a JSON object"),
        (b'{"question": "x"}', "text/plain", "sent with the header Content-Type"),
        (b"", "application/json", "The request must be a JSON object"),
        (b"\xff\xfe", "application/json", "The request"),
    ],
)
def test_what_is_no_json_is_said_so(
    client: TestClient, content: bytes, kind: str, detail: str
) -> None:
    reply = client.post("/api/ask", content=content, headers={"content-type": kind})
    assert reply.status_code in (400, 422)
    assert detail in problem(reply, reply.status_code, reply.json()["type"].rpartition(":")[2])


def test_questions_documents_and_sizes(client: TestClient) -> None:
    problem(client.post("/api/ask", json={"question": " "}), 422, "question")
    problem(client.post("/api/retrieve", json={"question": "x" * 2_001}), 422, "question")
    problem(client.get("/api/source/99-0123456789ab/0-1"), 404, "document-not-found")
    problem(client.delete("/api/documents/99"), 404, "document-not-found")
    problem(client.post("/api/find", json={"words": "x" * 20_000}), 413, "too-large")
    problem(client.get("/api/health", headers={"origin": "https://evil.example"}), 403, "forbidden")


def test_when_everything_is_busy_it_says_when_to_come_again(library: Library) -> None:
    app = create_app(library)
    gate = app.state.services.gate
    gate._seconds = 0.05  # the real one waits ten seconds

    async def fill() -> None:
        for _ in range(4):
            await gate._enter("")

    with TestClient(app, base_url=ORIGIN) as client:
        assert client.portal is not None
        client.portal.call(fill)
        for route, body in [
            ("ask", {"question": LIFT}),
            ("retrieve", {"question": LIFT}),
            ("find", {"words": "lift"}),
        ]:
            reply = client.post(f"/api/{route}", json=body)
            assert "ask again" in problem(reply, 503, "busy")
            assert reply.headers["retry-after"].isdigit()
        # Whether the server runs can still be asked.
        assert client.get("/api/health").status_code == 200


def test_an_error_that_is_no_fault_of_the_request_says_its_sentence(
    library: Library, client: TestClient
) -> None:
    library.close()
    assert "closed" in problem(client.get("/api/health"), 500, "failed")


def test_a_failure_tells_nothing_of_the_inside_and_can_be_found_in_the_log() -> None:
    app = FastAPI()
    handle_errors(app)

    @app.get("/")
    def fails() -> None:
        raise LookupError("a secret of the inside")

    reply = TestClient(app, raise_server_exceptions=False).get("/")
    assert "log" in problem(reply, 500, "failed")
    assert "secret" not in reply.text
    with pytest.raises(LookupError) as raised:
        TestClient(app).get("/")
    assert "urn:uuid:" in raised.value.__notes__[0]


def test_texts_that_utf_8_has_no_form_for_arrive_as_they_are(library: Library) -> None:
    answer = Chat(library).ask(LIFT)
    strange = "\ud800 \u202e ${x} <script>"
    reply = AnswerReply.of(answer)
    reply.quotes[0].text = strange
    assert AnswerReply.model_validate(reply.model_dump()).quotes[0].text == strange
    assert reply.model_dump(mode="json")["quotes"][0]["text"] == strange


def test_a_filter_is_read_from_json() -> None:
    where = Where(folder="minutes", after="2024-01-02", documents=[3, 1])
    assert filter_of(where) == Filter(
        folder="minutes", after="2024-01-02", documents=frozenset({1, 3})
    )
    assert filter_of(Where()) is None
    assert filter_of(None) is None
    assert filter_of(Where(documents=[])) == Filter(documents=frozenset())


class Broken(HashEncoder):
    """A model that cannot be used any more."""

    def encode_query(self, text: str) -> Vectors:
        """Fail."""
        raise EncoderError("The model cannot be used; install it again.")


def test_an_error_is_the_same_in_a_conversation_as_alone(library: Library) -> None:
    path = library.path
    library.close()
    with (
        Library.open(path, encoder=Broken()) as opened,
        TestClient(create_app(opened), base_url=ORIGIN) as client,
    ):
        alone = problem(client.post("/api/ask", json={"question": LIFT}), 503, "model")
        talk = {"question": LIFT, "conversation": "a-conversation-of-ours"}
        assert problem(client.post("/api/ask", json=talk), 503, "model") == alone
        (turn,) = client.get("/api/conversations/a-conversation-of-ours").json()["turns"]
        assert turn["problem"] == alone


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 10**20, -(2**63) - 1])
def test_a_number_that_nothing_has_is_never_a_failure(client: TestClient, number: int) -> None:
    talk = "a-conversation-of-ours"
    client.post("/api/ask", json={"question": LIFT, "conversation": talk})
    asked = {"question": LIFT, "conversation": talk}
    failure = {"source": number, "path": "a.txt"}
    replies = [
        client.get(f"/api/conversations/{talk}/turns/{number}"),
        client.put(f"/api/conversations/{talk}/turns/{number}/feedback", json={"value": "good"}),
        client.post("/api/documents/failures/dismiss", json={"failures": [failure]}),
        client.get(f"/api/documents/{number}"),
        client.delete(f"/api/documents/{number}"),
        client.post("/api/documents/remove", json={"documents": [number]}),
        client.post("/api/ask", json={**asked, "instead_of": number}),
        client.post("/api/ask", json={"question": LIFT, "where": {"documents": [number]}}),
        client.post("/api/find", json={"words": "lift", "where": {"documents": [number]}}),
        client.post("/api/find", json={"words": "lift", "offset": abs(number)}),
        client.get(f"/api/documents?offset={abs(number)}"),
        client.post("/api/sync", json={"sources": [number]}),
        client.get(f"/api/sync/preview?sources={number}"),
    ]
    assert [reply.status_code for reply in replies if reply.status_code >= 500] == []
