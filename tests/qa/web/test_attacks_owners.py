"""Two browsers at one server: neither sees, changes or ends what the other has asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from walking import METHODS, addresses

from qa.web.owner import OWNER_COOKIE

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

ME = {"cookie": f"{OWNER_COOKIE}={'m' * 22}"}
YOU = {"cookie": f"{OWNER_COOKIE}={'y' * 22}"}
NOBODY: dict[str, str] = {}
TALK = "a-conversation-of-mine"
QUESTION = "Who keeps the inspection book of the flugelhorn?"
# What a route may be sent; whatever it does not know it must not need.
BODIES: tuple[dict[str, object], ...] = (
    {"title": "taken over"},
    {"value": "good"},
    {"question": "And where?", "conversation": TALK},
    {"question": "And where?", "conversation": TALK, "instead_of": 1},
)


@pytest.fixture
def turn(client: TestClient) -> int:
    """The number of a question of mine."""
    body = {"question": QUESTION, "conversation": TALK}
    return int(client.post("/api/ask", json=body, headers=ME).json()["turn"])


@pytest.mark.parametrize("stranger", [YOU, NOBODY], ids=["another browser", "a program"])
def test_no_route_shows_or_changes_what_another_browser_has_asked(
    client: TestClient, turn: int, stranger: dict[str, str]
) -> None:
    """Every route and method, with the names of the conversation and the turn in their places."""
    before = client.get(f"/api/conversations/{TALK}", headers=ME).json()
    walked = 0
    for _, path in sorted(addresses(client.app)):
        if "conversations" not in path and not path.endswith("/ask"):
            continue
        where = path.replace("conversations/1", f"conversations/{TALK}")
        where = where.replace("turns/1", f"turns/{turn}")
        for method in METHODS:
            for body in BODIES:
                reply = client.request(
                    method, where, json=body, headers=stranger, params={"search": "inspection"}
                )
                assert "flugelhorn" not in reply.text, (method, where)
                assert "taken over" not in reply.text, (method, where)
                if TALK in where:
                    assert reply.status_code in (404, 405, 422), (method, where)
                walked += 1
    assert walked > 300
    assert client.get(f"/api/conversations/{TALK}", headers=ME).json() == before


def test_a_conversation_that_is_not_there_and_one_of_another_look_the_same(
    client: TestClient, turn: int
) -> None:
    """So that nobody can find out which names are taken."""
    there = client.get(f"/api/conversations/{TALK}", headers=YOU)
    not_there = client.get("/api/conversations/a-conversation-of-nobody", headers=YOU)
    told = [{**reply.json(), "instance": ""} for reply in (there, not_there)]
    assert told[0] == told[1]
    assert there.status_code == not_there.status_code == 404


@pytest.mark.parametrize("number", [-1, 0, 2, 10**6, 10**18])
def test_a_turn_is_found_in_its_own_conversation_alone(
    client: TestClient, turn: int, number: int
) -> None:
    """Numbers of turns are those of the whole library: guessing one leads nowhere."""
    mine = "another-conversation-of-yours"
    client.post("/api/ask", json={"question": "hello", "conversation": mine}, headers=YOU)
    for guessed in (turn, turn + number):
        path = f"/api/conversations/{mine}/turns/{guessed}"
        reply = client.get(path, headers=YOU)
        assert "flugelhorn" not in reply.text
        judged = client.put(f"{path}/feedback", json={"value": "good"}, headers=YOU)
        assert judged.status_code in (200, 404)
    found = client.get(f"/api/conversations/{TALK}/turns/{turn}", headers=ME).json()
    assert found["feedback"] == ""


@pytest.mark.parametrize(
    "cookie",
    [
        f"{OWNER_COOKIE}=api",
        f"{OWNER_COOKIE}={'m' * 21}",
        f"{OWNER_COOKIE}={'m' * 22}x",
        f"{OWNER_COOKIE}={'M' * 22}",
        f"{OWNER_COOKIE}=%6d{'m' * 21}",
        f"x={OWNER_COOKIE}={'m' * 22}",
        f"__Host-{OWNER_COOKIE}={'m' * 22}",
    ],
)
def test_a_cookie_that_is_almost_mine_is_not(client: TestClient, turn: int, cookie: str) -> None:
    reply = client.get(f"/api/conversations/{TALK}", headers={"cookie": cookie})
    assert reply.status_code == 404
