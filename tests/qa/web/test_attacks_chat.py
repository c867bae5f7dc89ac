"""Gradio's queue: only what the page sends, and each open page for its own browser."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient
from knocking import ORIGIN, page
from small import HOUSE, new_library, write

from qa.web.owner import OWNER_COOKIE

if TYPE_CHECKING:
    from httpx2 import Response

ME = {"cookie": f"{OWNER_COOKIE}={'m' * 22}"}
YOU = {"cookie": f"{OWNER_COOKIE}={'y' * 22}"}
TALK = "a-conversation-of-ours"
QUESTION = "Who keeps the inspection book of the flugelhorn?"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The page over a small library."""
    folder = tmp_path_factory.mktemp("chat")
    with (
        new_library(folder / "house.quoth", write(folder / "house", HOUSE)) as library,
        TestClient(page(library), base_url=ORIGIN) as client,
    ):
        yield client


def join(
    client: TestClient,
    name: str,
    who: dict[str, str] = ME,
    talk: str = TALK,
    other: Mapping[str, object] = MappingProxyType({}),
) -> Response:
    """Ask as the page does; `other` replaces parts of the order."""
    context = json.dumps({"conversation": talk, "documents": None})
    order = {"data": [QUESTION, context], "fn_index": 0, "trigger_id": 3, "session_hash": name}
    return client.post("/gradio_api/queue/join", json={**order, **other}, headers=who)


def heard(client: TestClient, name: str, who: dict[str, str] = ME) -> Response:
    return client.get(f"/gradio_api/queue/data?session_hash={name}", headers=who)


def test_the_page_asks_and_hears(client: TestClient) -> None:
    assert join(client, "minepage").status_code == 200
    told = heard(client, "minepage")
    assert told.status_code == 200
    assert "process_completed" in told.text
    assert "inspection book" in told.text
    assert told.headers["cache-control"] == "no-store"


def test_who_knows_the_name_of_anothers_page_hears_and_ends_nothing(client: TestClient) -> None:
    reply = join(client, "secretpage", talk="another-conversation-of-mine")
    event = reply.json()["event_id"]
    nobody: dict[str, str] = {}
    for stranger in (YOU, nobody):
        assert heard(client, "secretpage", stranger).status_code == 404
        beat = client.get("/gradio_api/heartbeat/secretpage", headers=stranger)
        assert beat.status_code == 404
        assert join(client, "secretpage", stranger).status_code == 404
        order = {"session_hash": "secretpage", "fn_index": 0, "event_id": event}
        cancelled = client.post("/gradio_api/cancel", json=order, headers=stranger)
        assert cancelled.status_code == 404
    assert "inspection book" in heard(client, "secretpage").text


def test_the_conversation_of_another_is_neither_shown_nor_gone_on_with(client: TestClient) -> None:
    assert join(client, "firstpage", talk="only-mine-to-read").status_code == 200
    heard(client, "firstpage")
    for number, order in enumerate(
        [{"do": "show"}, {"do": "ask", "question": "And in the garden?"}, {"do": "new"}]
    ):
        command = json.dumps({"conversation": "only-mine-to-read", **order})
        name = f"yourpage{number}"
        fn = {"fn_index": 2, "data": [command]}
        assert join(client, name, YOU, other=fn).status_code == 200
        said = heard(client, name, YOU).text
        assert "process_completed" in said
        assert "flugelhorn" not in said
    mine = client.get("/api/conversations/only-mine-to-read", headers=ME).json()
    assert [turn["question"] for turn in mine["turns"]] == [QUESTION]


@pytest.mark.parametrize(
    "other",
    [
        {"fn_index": 99},
        {"fn_index": -1},
        {"fn_index": "0"},
        {"fn_index": None},
        {"fn_index": True},
        {"data": [QUESTION]},
        {"data": [QUESTION] * 3},
        {"data": [QUESTION, {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}]},
        {"data": [{"url": "http://127.0.0.1:1/"}, ""]},
        {"data": [[QUESTION], ""]},
        {"data": QUESTION},
        {"session_hash": None},
        {"session_hash": ""},
        {"session_hash": "../../x"},
        {"session_hash": "x" * 65},
        {"session_hash": ["minepage"]},
    ],
    ids=str,
)
def test_what_the_page_does_not_send_is_refused_and_not_logged(
    client: TestClient,
    other: dict[str, object],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Gradio would write what it cannot use to the log, question and all."""
    with caplog.at_level(logging.DEBUG):
        reply = join(client, "oddpage", other=other)
    assert reply.status_code == 422
    assert "flugelhorn" not in reply.text
    written = capfd.readouterr()
    assert "flugelhorn" not in written.out + written.err + caplog.text


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 9_000, b'"x"', b"\xff"])
@pytest.mark.parametrize("name", ["queue/join", "cancel", "reset"])
def test_what_is_no_order_is_refused(client: TestClient, name: str, body: bytes) -> None:
    headers = {**ME, "content-type": "application/json"}
    reply = client.post(f"/gradio_api/{name}", content=body, headers=headers)
    assert reply.status_code == 422


def test_nothing_else_that_is_sent_reaches_gradio(client: TestClient) -> None:
    """What Gradio takes besides: whom to ask in the name of, a request of its own, batches."""
    more = {
        "api_name": "/ask",
        "batched": True,
        "request": {"headers": {"cookie": ME["cookie"]}},
        "event_data": {"x": 1},
        "simple_format": True,
    }
    assert join(client, "morepage", other=more).status_code == 200
    told = heard(client, "morepage").text
    assert "process_completed" in told
    assert "inspection book" in told


@pytest.mark.parametrize("query", ["", "?session_hash=", "?session_hash=a&session_hash=b", "?x=1"])
def test_a_stream_without_one_name_is_none(client: TestClient, query: str) -> None:
    assert client.get(f"/gradio_api/queue/data{query}", headers=ME).status_code == 404
