"""Asking through the routes: answers, passages, words, and whether the server runs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from index import Library
from qa import Chat, Retriever
from qa.web.app import create_app

if TYPE_CHECKING:
    from index.types import Encoder

ORIGIN = "http://127.0.0.1:7860"
LIFT = "How often is the lift inspected?"
TALK = "a-conversation-of-ours"


def ask(client: TestClient, question: str, **more: object) -> dict[str, Any]:
    reply = client.post("/api/ask", json={"question": question, **more})
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def without_files(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return JSON without the fields that say where files lie on the machine."""
    if isinstance(value, dict):
        return {name: without_files(item) for name, item in value.items() if name != "file"}
    return [without_files(item) for item in value] if isinstance(value, list) else value


def test_an_answer_is_json_with_quotes_and_references(client: TestClient) -> None:
    quote = ask(client, LIFT)["quotes"][0]
    assert quote["text"].startswith("The lift is inspected every twelve months")
    source = client.get(f"/api/source/{quote['citation']['ref']}").json()
    assert source["quote"] == quote["text"]


def test_an_answer_says_what_it_says_in_python_but_no_place_on_the_disk(
    client: TestClient, library: Library
) -> None:
    for question in (LIFT, "Is there a swimming pool?", "hello", "What did the owners agree?"):
        answer = ask(client, question)
        assert (answer.pop("conversation"), answer.pop("turn")) == (None, None)
        assert answer == without_files(Chat(library).ask(question).to_dict())
        assert str(library.path.parent) not in json.dumps(answer)


def test_the_present_version_has_an_address_of_its_own(client: TestClient) -> None:
    body = {"question": LIFT}
    assert client.post("/api/v1/ask", json=body).json() == ask(client, LIFT)


def test_questions_of_a_conversation_follow_up(client: TestClient) -> None:
    first = ask(client, LIFT, conversation=TALK)
    second = ask(client, "Who does it?", conversation=TALK)
    assert first["conversation"] == second["conversation"] == TALK
    assert second["turn"] > first["turn"]
    assert "lift" in second["searched_for"]
    assert "lift" not in ask(client, "Who does it?")["searched_for"]
    whole = ask(client, "Who does it?", conversation=TALK, whole=True)
    assert whole["searched_for"] == "Who does it?"


def test_a_question_can_take_the_place_of_an_earlier_one(client: TestClient) -> None:
    first = ask(client, LIFT, conversation=TALK)
    ask(client, "Who does it?", conversation=TALK)
    instead = ask(client, "When are the beds watered?", conversation=TALK, instead_of=first["turn"])
    turns = client.get(f"/api/conversations/{TALK}").json()["turns"]
    assert [turn["id"] for turn in turns] == [instead["turn"]]
    reply = client.post(
        "/api/ask", json={"question": LIFT, "conversation": TALK, "instead_of": first["turn"]}
    )
    assert reply.status_code == 404
    reply = client.post("/api/ask", json={"question": LIFT, "instead_of": 1})
    assert reply.json()["detail"] == "instead_of needs a conversation."


def test_a_question_with_half_a_character_is_answered(client: TestClient) -> None:
    for more in ({}, {"conversation": TALK}):
        body = json.dumps({"question": f"{LIFT} \ud800", **more})
        reply = client.post("/api/ask", content=body, headers={"content-type": "application/json"})
        assert reply.json()["quotes"][0]["citation"]["path"] == "lift.txt"


def test_a_question_alone_is_not_kept(client: TestClient) -> None:
    ask(client, LIFT)
    assert client.get("/api/conversations").json()["conversations"] == []


@pytest.mark.parametrize(
    ("where", "paths"),
    [
        ({"folder": "minutes"}, {"minutes/2023.txt", "minutes/2024.txt"}),
        ({"pattern": "*2024*"}, {"minutes/2024.txt"}),
        ({"type": "markdown"}, {"garden.md"}),
        ({"after": "2030-01-01"}, set()),
        ({"documents": []}, set()),
        ({}, {"garden.md", "lift.txt", "minutes/2023.txt", "minutes/2024.txt"}),
    ],
)
def test_the_search_can_be_narrowed(
    client: TestClient, where: dict[str, object], paths: set[str]
) -> None:
    question = "What did the owners agree about the lift in the garden?"
    body = {"question": question, "k": 20, "where": where}
    found = client.post("/api/retrieve", json=body).json()["passages"]
    assert {passage["citation"]["path"] for passage in found} == paths
    passages = ask(client, question, where=where)["passages"]
    assert {passage["citation"]["path"] for passage in passages} <= paths


def test_passages_are_those_of_the_retriever(client: TestClient, library: Library) -> None:
    reply = client.post("/api/retrieve", json={"question": LIFT, "k": 3}).json()
    expected = Retriever(library).retrieve(LIFT, k=3)
    assert [p["text"] for p in reply["passages"]] == [p.text for p in expected]
    assert [p["why"] for p in reply["passages"]] == [list(p.why) for p in expected]
    assert reply["generation"] == library.generation


def test_words_are_found_part_by_part(client: TestClient, library: Library) -> None:
    whole = library.find("the")
    assert whole.total > 5
    refs: list[str] = []
    offset: int | None = 0
    while offset is not None:
        body = {"words": "the", "limit": 2, "offset": offset}
        part = client.post("/api/find", json=body).json()
        assert part["total"] == whole.total
        assert sum(count["total"] for count in part["documents"]) == whole.total
        assert len(part["hits"]) <= 2
        refs += [hit["citation"]["ref"] for hit in part["hits"]]
        offset = part["next"]
    assert refs == [hit.citation.ref for hit in whole]
    none = client.post("/api/find", json={"words": "swimming pool"}).json()
    assert (none["total"], none["hits"], none["next"]) == (0, [], None)


def test_health_says_what_answers(client: TestClient, library: Library) -> None:
    ask(client, LIFT)
    status = library.status()
    assert client.get("/api/health").json() == {
        "status": "ok",
        "version": client.get("/api/health").json()["version"],
        "generation": status.generation,
        "documents": status.documents,
        "sentences": status.sentences,
        "model_loaded": True,
    }
    library.remove("lift.txt")
    after = client.get("/api/health").json()
    assert (after["generation"], after["documents"]) == (status.generation + 1, 3)


def test_health_says_whether_the_model_is_loaded(
    folder: Path, tmp_path: Path, encoder: Encoder
) -> None:
    path = tmp_path / "real.quoth"
    with Library.open(path, create=True, encoder=encoder) as made:
        made.sync(folder)
    with (
        Library.open(path, read_only=True) as library,
        TestClient(create_app(library), base_url=ORIGIN) as client,
    ):
        assert client.get("/api/health").json()["model_loaded"] is False
        ask(client, LIFT)
        assert client.get("/api/health").json()["model_loaded"] is True


def test_suggestions_come_when_they_are_found_and_anew_when_documents_change(
    client: TestClient, library: Library
) -> None:
    def suggested() -> dict[str, Any]:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            found: dict[str, Any] = client.get("/api/suggestions").json()
            if found["ready"]:
                return found
            time.sleep(0.05)
        raise AssertionError("no suggestions within a minute")

    assert client.get("/api/suggestions").json()["questions"] == []
    first = suggested()
    assert first["questions"]
    assert all(ask(client, question)["quotes"] for question in first["questions"])
    for info in library.documents():
        library.remove(info.id)
    assert client.get("/api/suggestions").json()["ready"] is False
    assert suggested() == {"ready": True, "questions": [], "generation": library.generation}
