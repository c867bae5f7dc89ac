"""Asking, and whether the server runs."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from index.errors import QuestionError
from qa.web.replies import Json
from qa.web.services import Services

__all__ = ["asking_routes"]


class Question(BaseModel):
    """What `/api/ask` takes; questions with the same `conversation` may follow up."""

    question: str
    conversation: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,64}$")


def asking_routes(services: Services) -> APIRouter:
    """Return the routes for asking."""
    from qa import Chat

    router = APIRouter()
    library, conversations = services.library, services.conversations

    @router.post("/ask")
    def ask(body: Question) -> Response:
        """Answer a question, alone or within a conversation."""
        if body.conversation is None:
            return Json(Chat(library).ask(body.question).to_dict())
        # The page's own conversations have keys that begin otherwise.
        turn = conversations.get(f"api:{body.conversation}").ask(body.question)
        if turn.answer is None:
            raise QuestionError(turn.problem)
        return Json(turn.answer.to_dict())

    @router.get("/health")
    def health() -> Response:
        """Tell that the server runs and which state of the library answers."""
        return Json({"status": "ok", "generation": library.generation})

    return router
