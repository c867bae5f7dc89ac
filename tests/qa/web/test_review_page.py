"""An open page: loaded again while a question is answered, and told when something fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse

from qa.chats import Chats
from qa.web.app import create_app
from qa.web.asking import Asking, Message
from qa.web.conversations import Conversation, Conversations
from qa.web.guard import Guard
from qa.web.head import Head
from qa.web.orders import Order
from qa.web.services import Services

if TYPE_CHECKING:
    from index import Library

ME, YOU = "me", "you"
TALK = "conversation-of-this-page"
LIFT = "How often is the lift inspected?"
BOOK = "Who keeps the inspection book?"


@pytest.fixture
def services(library: Library) -> Iterator[Services]:
    made: Services = create_app(library).state.services
    yield made
    made.conversations.chats.close()


def order(question: str = "") -> Order:
    return Order(conversation=TALK, do="ask" if question else "show", question=question)


def markup(messages: list[Message] | None) -> str:
    assert messages is not None
    return "\n".join(message["content"] for message in messages)


def test_a_page_that_is_loaded_again_waits_for_the_answer(services: Services) -> None:
    asking = Asking(services)
    before = asking.run(order(LIFT), ME, "before")
    assert "pending" in markup(next(before))
    # The browser goes away, and comes back as another page.
    after = asking.run(order(), ME, "after")
    assert next(after) == []
    waiting = markup(next(after))
    assert "pending" in waiting
    assert LIFT[:-1] in waiting
    answering = threading.Thread(target=lambda: list(before))
    answering.start()
    answered = markup(next(after))
    answering.join(30)
    assert "every twelve months" in answered.replace("<strong>", "").replace("</strong>", "")
    assert "pending" not in answered
    assert list(after) == []


def test_a_page_that_is_loaded_again_can_stop_the_question(services: Services) -> None:
    asking = Asking(services)
    before = asking.run(order(LIFT), ME, "before")
    next(before)
    assert asking.stop(order(), ME) == ([], LIFT)
    assert list(before) == [[]]
    assert list(asking.run(order(), ME, "after")) == [[]]


class _Failing(Conversations):
    def get(self, owner: str, id: str, *, create: bool = True) -> Conversation:
        raise LookupError("a secret of the inside")


def test_a_failure_while_stopping_is_logged_discreetly(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    """It must not reach Gradio, which prints all that an error says."""
    conversations = _Failing(library, Chats.open(library.path))
    app = create_app(library, conversations=conversations)
    assert Asking(app.state.services).stop(order(), ME) == ([], "")
    conversations.chats.close()
    assert "could not be drawn" in caplog.text


def test_a_failure_leaves_what_was_said_on_the_page(services: Services) -> None:
    asking = Asking(services)
    list(asking.run(order(LIFT), ME, "page"))
    steps = asking.run(order(BOOK), ME, "page")
    next(steps)
    services.conversations.chats.close()
    (last,) = list(steps)
    assert last is not None
    assert [message["role"] for message in last] == ["user", "assistant"] * 2
    assert "turn-" in last[1]["content"]
    assert "problem" in last[3]["content"]
    assert "chats&#46;db" in last[3]["content"] or "chats.db" in last[3]["content"]
    assert str(services.library.path) not in markup(last)


def test_a_conversation_of_somebody_else_is_marked_as_gone(services: Services) -> None:
    asking = Asking(services)
    list(asking.run(order(LIFT), ME, "mine"))
    (shown,) = list(asking.run(order(), YOU, "yours"))
    assert 'class="answer problem gone"' in markup(shown)
    (*_, asked) = list(asking.run(order(BOOK), YOU, "yours"))
    assert "gone" not in markup(asked)


def test_browsers_ask_again_for_all_that_has_no_version_in_its_name(client: TestClient) -> None:
    for path in ("/_quoth/page.js", "/_quoth/text.json"):
        assert client.get(path).headers["cache-control"] == "private, no-cache"
    for path in ("/api/health", "/api/conversations", "/api/nothing"):
        assert client.get(path).headers["cache-control"] == "no-store"
    tag = client.get("/_quoth/page.js").headers["etag"]
    again = client.get("/_quoth/page.js", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_files_with_a_version_in_their_name_are_kept_for_good() -> None:
    inside = FastAPI()
    inside.get("/assets/a-1.js")(lambda: PlainTextResponse("x"))
    client = TestClient(Guard(inside), base_url="http://127.0.0.1:7860")
    assert "immutable" in client.get("/assets/a-1.js").headers["cache-control"]
    assert client.get("/assets/a-2.js").headers["cache-control"] == "private, no-cache"


def test_without_scripts_the_page_says_what_it_needs() -> None:
    app = FastAPI()
    app.get("/")(lambda: HTMLResponse('<head></head><body class="x"><p>rest</p></body>'))
    app.add_middleware(Head, markup="", without_script="<p>Switch it on.</p>")
    assert TestClient(app).get("/").text == (
        '<head></head><body class="x"><noscript><p>Switch it on.</p></noscript><p>rest</p></body>'
    )


def test_what_is_removed_while_the_page_is_open_goes_from_it(services: Services) -> None:
    asking = Asking(services)
    (*_, said) = list(asking.run(order(LIFT), ME, "page"))
    assert "twelve" in markup(said)
    services.library.remove(*(info.id for info in services.library.documents()))
    (shown,) = list(asking.run(order(), ME, "page"))
    assert "twelve" not in markup(shown)
    assert 'class="lost"' in markup(shown)
