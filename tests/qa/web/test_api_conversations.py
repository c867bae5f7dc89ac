"""Conversations over the API: each person sees, changes and exports their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from qa.web.owner import OWNER_COOKIE

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

LIFT = "How often is the lift inspected?"
TALK = "a-conversation-of-ours"
ELSE = {"cookie": f"{OWNER_COOKIE}={'x' * 22}"}


@pytest.fixture
def turn(client: TestClient) -> int:
    """The number of a first question in the conversation TALK."""
    reply = client.post("/api/ask", json={"question": LIFT, "conversation": TALK})
    number = reply.json()["turn"]
    assert isinstance(number, int)
    return number


def test_a_conversation_is_listed_read_renamed_and_deleted(client: TestClient, turn: int) -> None:
    (listed,) = client.get("/api/conversations").json()["conversations"]
    assert (listed["id"], listed["title"], listed["turns"]) == (TALK, LIFT, 1)
    read = client.get(f"/api/conversations/{TALK}").json()
    assert read["title"] == LIFT
    assert read["turns"][0]["answer"]["turn"] == turn
    renamed = client.patch(f"/api/conversations/{TALK}", json={"title": "The <b>lift</b>"})
    assert renamed.json()["title"] == "The <b>lift</b>"
    gone = client.delete(f"/api/conversations/{TALK}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert client.get("/api/conversations").json()["conversations"] == []
    assert client.get(f"/api/conversations/{TALK}").status_code == 404


def test_the_list_is_searched_and_read_part_by_part(client: TestClient) -> None:
    names = [f"conversation-number-{n}" for n in range(5)]
    for name in names:
        body = {"question": f"hello {name[-1]}", "conversation": name}
        assert client.post("/api/ask", json=body).status_code == 200
    seen: list[str] = []
    before: str | None = ""
    while before is not None:
        part = client.get("/api/conversations", params={"limit": 2, "before": before}).json()
        seen += [each["id"] for each in part["conversations"]]
        before = part["next"]
    assert seen == names[::-1]
    found = client.get("/api/conversations", params={"search": "HELLO 3"}).json()
    assert [each["id"] for each in found["conversations"]] == [names[3]]


def test_a_turn_has_exact_texts_and_lines_for_pasting(client: TestClient, turn: int) -> None:
    found = client.get(f"/api/conversations/{TALK}/turns/{turn}").json()
    quote = found["answer"]["quotes"][0]
    assert found["copy"]["quotes"][0] == f'"{quote["text"]}" (lift.txt)'
    assert (found["question"], found["lost"], found["problem"]) == (LIFT, 0, "")
    assert client.get(f"/api/conversations/{TALK}/turns/{turn + 1}").status_code == 404


@pytest.mark.parametrize("place", ["", "/turns/{turn}"])
@pytest.mark.parametrize(
    ("format", "kind"),
    [("markdown", "text/markdown"), ("html", "text/html"), ("json", "application/json")],
)
def test_a_turn_and_a_conversation_are_exported(
    client: TestClient, turn: int, place: str, format: str, kind: str
) -> None:
    address = f"/api/conversations/{TALK}{place.format(turn=turn)}/export"
    file = client.get(address, params={"format": format})
    assert file.headers["content-type"].startswith(kind)
    disposition = file.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="')
    assert disposition.isascii()
    assert "inspected every twelve months" in file.text.replace("**", "").replace(
        "<mark>", ""
    ).replace("</mark>", "").replace("<strong>", "").replace("</strong>", "")
    if format == "json":
        assert json.loads(file.text)
    assert client.get(address, params={"format": "pdf"}).status_code == 422


def test_an_answer_is_judged_and_the_judgement_taken_back(client: TestClient, turn: int) -> None:
    address = f"/api/conversations/{TALK}/turns/{turn}"
    for value in ("good", "wrong_place", "not_answered", ""):
        assert client.put(f"{address}/feedback", json={"value": value}).status_code == 200
        assert client.get(address).json()["feedback"] == value
    assert client.put(f"{address}/feedback", json={"value": "bad"}).status_code == 422
    missing = f"/api/conversations/{TALK}/turns/{turn + 1}/feedback"
    assert client.put(missing, json={"value": "good"}).status_code == 404


def test_nobody_reaches_the_conversation_of_somebody_else(client: TestClient, turn: int) -> None:
    address = f"/api/conversations/{TALK}"
    for method, path, body in [
        ("GET", "", None),
        ("PATCH", "", {"title": "mine"}),
        ("DELETE", "", None),
        ("GET", "/export", None),
        ("GET", f"/turns/{turn}", None),
        ("GET", f"/turns/{turn}/export", None),
        ("PUT", f"/turns/{turn}/feedback", {"value": "good"}),
    ]:
        reply = client.request(method, f"{address}{path}", json=body, headers=ELSE)
        assert reply.status_code == 404, path
        assert reply.json()["type"] == "urn:quoth:problem:conversation-not-found"
    reply = client.post(
        "/api/ask", json={"question": "Who does it?", "conversation": TALK}, headers=ELSE
    )
    assert reply.status_code == 404
    assert client.get("/api/conversations", headers=ELSE).json()["conversations"] == []
    assert len(client.get(address).json()["turns"]) == 1


@pytest.mark.parametrize("name", ["short", "x" * 65, "with space and more", "%00" * 16, "é" * 16])
def test_a_conversation_has_a_plain_name(client: TestClient, name: str) -> None:
    assert client.get(f"/api/conversations/{name}").status_code == 404
    reply = client.post("/api/ask", json={"question": LIFT, "conversation": name})
    assert reply.status_code == 422
