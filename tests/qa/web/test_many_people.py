"""Many people on one server: each gets what is theirs, and little is remembered of who has gone."""

from __future__ import annotations

import gc
import json
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient
from knocking import ORIGIN, page
from served import served
from small import new_library, write

import ui
from bench.loading.material import places
from qa.chats import Chats
from qa.web.app import create_app
from qa.web.conversations import Conversations

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from index import Library

ROOT = Path(ui.__file__).parent
ASK = {"question": "How often is the lift inspected?"}
STREAM = {"accept": "text/event-stream"}


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def chat_of(app: FastAPI) -> Any:  # noqa: ANN401
    """Return Gradio's part of the page."""
    return app.routes[-1].app  # type: ignore[attr-defined]


def order(page: str, function: int = 2, *data: str) -> dict[str, Any]:
    """Return what the page sends to Gradio; by default what empties the chat."""
    said = data or (json.dumps({"conversation": "a" * 32, "do": "new"}),)
    return {"session_hash": page, "fn_index": function, "data": list(said), "trigger_id": None}


def test_within_a_stream_a_busy_server_says_when_to_come_back(library: Library) -> None:
    app = create_app(library)
    gate = app.state.services.gate
    gate._at_once, gate._seconds = 0, 1.0
    with TestClient(app, base_url=ORIGIN) as client:
        reply = client.post("/api/ask", json=ASK, headers=STREAM)
        assert reply.status_code == 200
        said = json.loads(reply.text.rpartition("data: ")[2])
        assert (said["status"], said["retry_after"]) == (503, 1)
        plain = client.post("/api/ask", json=ASK)
        assert (plain.status_code, plain.headers["retry-after"]) == (503, "1")
        assert plain.json()["retry_after"] == 1


def test_who_goes_while_waiting_for_a_turn_gives_up_the_place(library: Library) -> None:
    app = create_app(library)
    gate = app.state.services.gate
    gate._at_once, gate._seconds = 0, 1_000.0  # nobody gets a turn, and nobody is sent away
    with served(app) as address:
        where = urlsplit(address)
        body = json.dumps(ASK)
        with socket.create_connection((where.hostname or "", where.port or 0)) as connection:
            connection.sendall(
                f"POST /api/ask HTTP/1.1\r\nHost: {where.netloc}\r\nAccept: text/event-stream\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                f"{body}".encode()
            )
            wait_until(lambda: gate.waiting == 1)
        wait_until(lambda: gate.waiting == 0)
        gate._at_once = 1
        answer = httpx2.post(f"{address}/api/ask", json=ASK, timeout=60, trust_env=False)
        assert "twelve months" in answer.json()["quotes"][0]["text"]


def test_a_conversation_under_way_stays_the_same_when_many_others_are_opened(
    library: Library,
) -> None:
    conversations = Conversations(library, Chats.open(library.path), limit=2)
    names = [f"{number:032x}" for number in range(5)]
    held = conversations.get("me", names[0])
    for name in names[1:]:
        conversations.get("me", name)
    assert conversations.get("me", names[0]) is held
    assert conversations.get("you", names[0]) is not held
    del held
    conversations.get("me", names[1])
    conversations.get("me", names[2])
    gc.collect()
    assert sorted(conversations._known) == [("me", names[1]), ("me", names[2])]
    conversations.chats.close()


def test_a_full_queue_of_the_page_says_when_to_come_back(library: Library) -> None:
    app = page(library)
    chat_of(app).get_blocks()._queue.max_size = 0
    with TestClient(app, base_url=ORIGIN) as client:
        client.get("/")
        reply = client.post("/gradio_api/queue/join", json=order("a-page"))
    assert reply.status_code == 503
    assert reply.headers["retry-after"].isdigit()


def test_of_pages_that_were_closed_little_is_remembered(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ui, "_MOST_PAGES", 3)
    app = page(library)
    with served(app) as address, httpx2.Client(base_url=address, trust_env=False) as client:
        client.get("/")
        for number in range(6):
            joined = client.post("/gradio_api/queue/join", json=order(f"page-{number}"))
            assert joined.status_code == 200, joined.text
            told = client.get("/gradio_api/queue/data", params={"session_hash": f"page-{number}"})
            assert '"success":true' in told.text
        chat = chat_of(app)
        assert list(chat.state_holder.session_data) == ["page-3", "page-4", "page-5"]
        queue = chat.get_blocks()._queue
        assert len(queue.event_analytics) == 1
        assert queue.cached_event_analytics_summary == {"functions": {}}  # was never made


_POOLS = """
import ctypes, sys, threading
from qa.web.server import _share_memory

libc = ctypes.CDLL(None)
if not hasattr(libc, "malloc_info"):
    sys.exit("no glibc")
_share_memory()
threads, all_there = [], threading.Barrier(12)

def take():
    libc.malloc.restype = ctypes.c_void_p
    taken = libc.malloc(50_000)
    all_there.wait()
    libc.free(ctypes.c_void_p(taken))

for _ in range(12):
    threads.append(threading.Thread(target=take))
    threads[-1].start()
for thread in threads:
    thread.join()
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, file)
libc.fflush(file)
"""


def test_threads_of_a_server_share_their_memory() -> None:
    command = [sys.executable, "-c", _POOLS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    if "no glibc" in done.stderr:
        pytest.skip("another C library has no such pools")
    assert done.returncode == 0, done.stderr
    assert 1 <= done.stdout.count("<heap nr=") <= 2


@pytest.mark.slow
def test_people_who_ask_at_once_get_their_own_answers_and_conversations(tmp_path: Path) -> None:
    """Eight people, each in two conversations about a place of their own, while documents come."""
    mine = places(8)
    folder = write(tmp_path / "documents", {place.path: place.text for place in mine})
    with new_library(tmp_path / "places.quoth", folder) as library:
        app = create_app(library)
        with served(app) as address, ThreadPoolExecutor(9) as people:

            def ask(number: int) -> list[str]:
                place = mine[number]
                cookies = {"quoth_browser": f"{number}".ljust(22, "x")}
                with httpx2.Client(
                    base_url=address, cookies=cookies, timeout=300, trust_env=False
                ) as browser:
                    for talk in (0, 1):
                        name = f"{number}-{talk}-".ljust(20, "x")
                        for question, says in (place.first, place.follow_ups[talk]):
                            body = {"question": question, "conversation": name}
                            reply = browser.post("/api/ask", json=body)
                            while reply.status_code == 503:
                                time.sleep(int(reply.headers["retry-after"]))
                                reply = browser.post("/api/ask", json=body)
                            answer = reply.json()
                            assert place.name in answer["searched_for"]
                            assert says in answer["quotes"][0]["text"]
                    listed = browser.get("/api/conversations").json()["conversations"]
                return [f"{each['id']} {each['turns']}" for each in listed]

            def add() -> int:
                for number in range(6):
                    library.add(f"Note {number} says nothing of places.", name=f"note-{number}")
                return library.generation

            adding = people.submit(add)
            lists = list(people.map(ask, range(8)))
            assert adding.result() > 1
    for number, listed in enumerate(lists):
        assert listed == [f"{number}-{talk}-".ljust(20, "x") + " 2" for talk in (1, 0)]
