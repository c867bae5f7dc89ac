"""Asking, looking for passages and words, and whether the server runs."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Annotated, Any, Self

from fastapi import APIRouter
from fastapi import Request as HttpRequest
from pydantic import Field, model_validator
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from qa.web.conversations import CONVERSATION
from qa.web.events import EVENTS, Stopped, Tell, event_stream
from qa.web.health import is_ready, running_version
from qa.web.owner import owner_of
from qa.web.questions import Asked, Questions
from qa.web.schemas import (
    AnswerReply,
    Citation,
    Number,
    Passage,
    Reply,
    Request,
    Text,
    Where,
    filter_of,
    problems,
)
from qa.web.services import Services

if TYPE_CHECKING:
    from index.reports import FindResult

__all__ = ["asking_routes"]

_GONE = 499  # what nginx writes in its log where a client went; nobody receives it
_Hits = Annotated[int, Field(ge=1, le=1_000)]


class Question(Request):
    """A question, alone or within a conversation."""

    question: str = Field(description="At most 2,000 characters.")
    conversation: str | None = Field(
        default=None,
        pattern=CONVERSATION,
        description="A name of your choice. Questions with the same one may follow up, and the "
        "server keeps what was asked.",
    )
    where: Where | None = Field(default=None, description="Which documents may answer.")
    whole: bool = Field(
        default=False,
        description="Take the question as it is, although it may look like a follow-up.",
    )
    instead_of: Number | None = Field(
        default=None,
        description="Number of a turn of the conversation: the question replaces it, and the "
        "turns after it go.",
    )

    @model_validator(mode="after")
    def _within_a_conversation(self) -> Self:
        if self.instead_of is not None and self.conversation is None:
            raise ValueError("instead_of needs a conversation")
        return self


class Retrieve(Request):
    """A question whose passages are wanted."""

    question: str = Field(description="At most 2,000 characters.")
    k: int = Field(default=5, ge=1, le=100, description="How many passages.")
    where: Where | None = Field(default=None, description="Which documents may be searched.")


class Passages(Reply):
    """The passages that fit a question, best first."""

    question: Text
    passages: list[Passage]
    generation: int


class Find(Request):
    """Words to be found, all of them in one sentence; a phrase in quotation marks."""

    words: str = Field(min_length=1, max_length=2_000)
    where: Where | None = Field(default=None, description="Which documents may be searched.")
    limit: _Hits = Field(default=100, description="Most sentences in one reply.")
    offset: int = Field(default=0, ge=0, description="Sentences to leave out at the beginning.")


class Hit(Reply):
    """A sentence that holds the words."""

    start: int
    end: int
    text: Text
    marks: list[tuple[int, int]] = Field(description="Where the words are in the document.")
    citation: Citation


class Count(Reply):
    """How many sentences of a document hold the words."""

    document: int
    path: Text
    title: Text
    total: int


class Found(Reply):
    """Every sentence with the words, part by part, and how many there are."""

    words: Text
    total: int
    documents: list[Count] = Field(description="All documents that have any, by path.")
    hits: list[Hit] = Field(description="By document in the same order, in reading order.")
    next: int | None = Field(description="The `offset` that goes on; null at the end.")
    generation: int


class Health(Reply):
    """That the server runs, and what it answers from."""

    status: str = Field(description='"ok"')
    version: str
    generation: int = Field(description="The published state of the library.")
    documents: int
    sentences: int
    model_loaded: bool = Field(description="Whether a question is answered without loading.")


class Suggested(Reply):
    """Questions that the documents can answer."""

    ready: bool = Field(description="False while they are being looked for; ask again soon.")
    questions: list[Text]
    generation: int


def asking_routes(services: Services) -> APIRouter:
    """Return the routes for asking."""
    router = APIRouter()
    library, gate = services.library, services.gate
    questions = Questions(library, services.conversations)

    @router.post(
        "/ask",
        response_model=AnswerReply,
        tags=["asking"],
        responses={
            200: {
                "description": "The answer; with `Accept: text/event-stream` what is known so "
                "far as events, and the answer as the last of them",
                "content": {EVENTS: {"schema": {"type": "string"}}},
            },
            **problems(404, 422, 503),
        },
    )
    async def ask(body: Question, request: HttpRequest) -> AnswerReply | Response:
        """Answer a question in the documents' words.

        With `Accept: text/event-stream` the reply is a stream of server-sent events, each with
        JSON data: `status` (`{"step": …, "says": …}`: loading, searching, reading), `searched_for`
        (`{"question": …}`, the question made whole), `quote` one by one, and in the end `answer`,
        which holds everything, or `problem`. Closing the connection stops it, and then nothing
        of the question is kept.
        """
        asked = Asked(
            question=body.question,
            owner=owner_of(request),
            conversation=body.conversation,
            where=filter_of(body.where),
            whole=body.whole,
            instead_of=body.instead_of,
        )
        # What is wrong from the outset is told as an error also to those who want events.
        # In a thread: while something is written to the disk, this would hold up everyone.
        await run_in_threadpool(questions.check, asked)
        if EVENTS in request.headers.get("accept", ""):

            def work(tell: Tell, stop: threading.Event) -> None:
                questions.tell(asked, tell, stop)

            return event_stream(work, turn=gate.through(asked.owner))
        async with gate.through(asked.owner):
            return await _unless_gone(request, questions, asked)

    @router.post("/retrieve", tags=["asking"], responses=problems(422, 503))
    async def retrieve(body: Retrieve, request: HttpRequest) -> Passages:
        """Return the passages that fit a question best, and why each was found."""
        async with gate.through(owner_of(request)):
            return await run_in_threadpool(_retrieve, body)

    def _retrieve(body: Retrieve) -> Passages:
        from qa.retriever import Retriever

        with library.searching() as searcher:
            generation = searcher.generation
        found = Retriever(library).retrieve(body.question, k=body.k, where=filter_of(body.where))
        return Passages(
            question=body.question,
            passages=[Passage.of(passage) for passage in found],
            generation=generation,
        )

    @router.post("/find", tags=["asking"], responses=problems(422, 503))
    async def find(body: Find, request: HttpRequest) -> Found:
        """Return every sentence that holds all the words: not the best few, all there are.

        What stands in quotation marks must stand in the sentence in that order, side by side.
        """
        async with gate.through(owner_of(request)):
            result = await run_in_threadpool(library.find, body.words, where=filter_of(body.where))
        return _found(body, result)

    @router.get("/health", tags=["server"])
    def health() -> Health:
        """Tell that the server runs and which state of the library answers; cheap."""
        with library.searching() as searcher:
            return Health(
                status="ok",
                version=running_version(),
                generation=searcher.generation,
                documents=len(searcher.documents),
                sentences=searcher.sentence_count,
                model_loaded=is_ready(library, searcher),
            )

    @router.get("/suggestions", tags=["asking"])
    def suggestions() -> Suggested:
        """Return a few questions that the documents can answer."""
        generation, found = services.suggestions.get()
        return Suggested(
            ready=found is not None, questions=list(found or ()), generation=generation
        )

    return router


async def _unless_gone(
    request: HttpRequest, questions: Questions, asked: Asked
) -> AnswerReply | Response:
    """Return the answer; where the client goes before it is there, it is not kept."""
    stop = threading.Event()

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        stop.set()

    watching = asyncio.create_task(watch())
    try:
        return await run_in_threadpool(questions.answer, asked, stop)
    except Stopped:
        return Response(status_code=_GONE)
    finally:
        watching.cancel()


def _found(body: Find, result: FindResult) -> Found:
    hits = list(result)
    behind = body.offset + body.limit
    counts: list[dict[str, Any]] = [
        {
            "document": each.document.id,
            "path": each.document.path,
            "title": each.document.title,
            "total": len(each.hits),
        }
        for each in result.documents
    ]
    return Found(
        words=body.words,
        total=len(hits),
        documents=[Count(**count) for count in counts],
        hits=[Hit.of(hit) for hit in hits[body.offset : behind]],
        next=behind if behind < len(hits) else None,
        generation=result.generation,
    )
