"""The conversations of whoever asks: listed, read, renamed, deleted, exported, judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal, Self

from fastapi import APIRouter, Path, Query, Response
from fastapi import Request as HttpRequest
from pydantic import Field

from index.errors import ConversationNotFoundError
from qa.web.owner import owner_of
from qa.web.schemas import AnswerReply, Number, Reply, Request, Text, problems
from qa.web.services import Services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from index import Library
    from qa.export import ExportedTurn
    from qa.types import Answer
    from qa.web.conversations import Conversation, Turn

__all__ = ["conversation_routes"]

Judgement = Literal["good", "wrong_place", "not_answered", ""]
Format = Literal["markdown", "html", "json"]

_Id = Annotated[str, Path(description="The name under which the conversation was begun.")]
_Turn = Annotated[Number, Path(description="Number of the turn.")]
_Format = Annotated[Format, Query(description="The form of the file.")]


class ConversationInfo(Reply):
    """A conversation in a list."""

    id: str
    title: Text = Field(description="Made of the first question, or given.")
    turns: int = Field(description="How many questions it has.")
    begun_at: str
    changed_at: str


class ConversationList(Reply):
    """Conversations, the one changed last first."""

    conversations: list[ConversationInfo]
    next: str | None = Field(description="The `before` that goes on; null at the end.")
    persistent: bool = Field(description="Whether conversations outlive the server.")


class Searched(Reply):
    """Which documents were searched."""

    folder: Text | None
    pattern: Text | None
    type: Text | None
    after: str | None
    before: str | None
    documents: list[int] | None


class Copied(Reply):
    """An answer as people paste it."""

    answer: Text = Field(
        description="All quotes, a line each, and what the documents disagree about."
    )
    quotes: list[Text] = Field(
        description='Each quote by itself: `"sentence" (policy.pdf, p. 12, § 3.2)`.'
    )

    @classmethod
    def of_answer(cls, answer: Answer | None) -> Self:
        """Return the lines for an answer; empty where there is none."""
        from qa.export import copy_answer, copy_line

        if answer is None:
            return cls(answer="", quotes=[])
        return cls(answer=copy_answer(answer), quotes=[copy_line(q) for q in answer.quotes])


class TurnReply(Reply):
    """A question with what came back; the texts are cut from the library as it is now."""

    id: int
    question: Text
    asked_at: str
    where: Searched | None
    answer: AnswerReply | None = Field(description="Null where there was a problem.")
    problem: Text = Field(description='Why there is no answer, or "".')
    lost: int = Field(description="Quotes whose document is no longer in the library.")
    feedback: Judgement
    generation: int
    copied: Copied = Field(serialization_alias="copy", description="For pasting elsewhere.")

    @classmethod
    def of_turn(cls, conversation: str, turn: Turn) -> Self:
        """Return the reply for a turn of the conversation called so."""
        answer = turn.answer
        return cls.model_validate(
            {
                "id": turn.id,
                "question": turn.question,
                "asked_at": turn.asked_at,
                "where": turn.where and Searched.of(turn.where),
                "answer": answer
                and AnswerReply.of_answer(answer, conversation=conversation, turn=turn.id),
                "problem": turn.problem,
                "lost": turn.lost,
                "feedback": turn.feedback,
                "generation": turn.generation,
                "copied": Copied.of_answer(answer),
            }
        )


class ConversationReply(Reply):
    """A conversation with all its turns, oldest first."""

    id: str
    title: Text
    turns: list[TurnReply]


class Rename(Request):
    """A new title; an empty one brings back that of the first question."""

    title: str = Field(max_length=2_000)


class Judge(Request):
    """What a person says of an answer; "" takes it back."""

    value: Judgement


def conversation_routes(services: Services) -> APIRouter:
    """Return the routes for conversations."""
    router = APIRouter(tags=["conversations"], prefix="/conversations")
    conversations, library = services.conversations, services.library

    @router.get("", name="list")
    def list_conversations(
        request: HttpRequest,
        search: Annotated[
            str, Query(max_length=2_000, description="Words in the title or in a question.")
        ] = "",
        before: Annotated[
            str, Query(max_length=64, description="`next` of the part before this one.")
        ] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> ConversationList:
        """List your own conversations, the one changed last first."""
        found = conversations.list(owner_of(request), search=search, before=before, limit=limit)
        return ConversationList(
            conversations=[ConversationInfo.of(info) for info in found],
            next=found[-1].changed_at if len(found) == limit else None,
            persistent=conversations.chats.persistent,
        )

    @router.get("/{id}", name="get", responses=problems(404))
    def get_conversation(id: _Id, request: HttpRequest) -> ConversationReply:
        """Return a conversation with its answers."""
        found = _existing(request, id)
        return ConversationReply(
            id=id,
            title=found.title,
            turns=[TurnReply.of_turn(id, turn) for turn in found.turns],
        )

    @router.patch("/{id}", name="rename", responses=problems(404))
    def rename_conversation(id: _Id, body: Rename, request: HttpRequest) -> ConversationInfo:
        """Give a conversation a title."""
        return ConversationInfo.of(conversations.rename(owner_of(request), id, body.title))

    @router.delete("/{id}", name="delete", status_code=204, responses=problems(404))
    def delete_conversation(id: _Id, request: HttpRequest) -> None:
        """Delete a conversation with all that was said in it."""
        conversations.delete(owner_of(request), id)

    @router.get("/{id}/export", name="export", response_class=Response, responses=_files())
    def export_conversation(
        id: _Id, request: HttpRequest, format: _Format = "markdown"
    ) -> Response:
        """Return a conversation as a file."""
        found = _existing(request, id)
        return _file(library, found.title, found.turns, format)

    @router.get("/{id}/turns/{turn}", responses=problems(404))
    def get_turn(id: _Id, turn: _Turn, request: HttpRequest) -> TurnReply:
        """Return one question of a conversation with its answer."""
        return TurnReply.of_turn(id, _turn(_existing(request, id), turn))

    @router.get("/{id}/turns/{turn}/export", response_class=Response, responses=_files())
    def export_turn(
        id: _Id, turn: _Turn, request: HttpRequest, format: _Format = "markdown"
    ) -> Response:
        """Return one question with its answer as a file."""
        found = _turn(_existing(request, id), turn)
        return _file(library, found.question, (found,), format)

    @router.put("/{id}/turns/{turn}/feedback", responses=problems(404))
    def judge_turn(id: _Id, turn: _Turn, body: Judge, request: HttpRequest) -> Judge:
        """Keep what you say of an answer; `quoth evaluate` asks such questions again."""
        conversations.set_feedback(owner_of(request), id, turn, body.value)
        return body

    def _existing(request: HttpRequest, id: str) -> Conversation:
        return conversations.get(owner_of(request), id, create=False)

    return router


def _turn(conversation: Conversation, number: int) -> Turn:
    for turn in conversation.turns:
        if turn.id == number:
            return turn
    raise ConversationNotFoundError(
        f"This conversation has no question number {number}; load the page again."
    )


def _file(library: Library, title: str, turns: Sequence[Turn], format: Format) -> Response:
    from qa.export import export

    file = export(title, [_exported(library, turn) for turn in turns], format)
    return Response(
        file.body,
        media_type=file.media_type,
        headers={
            "content-disposition": f'attachment; filename="{file.name}"',
            "cache-control": "no-store",
        },
    )


def _exported(library: Library, turn: Turn) -> ExportedTurn:
    from qa.export import ExportedTurn
    from qa.export.parts import documents_of

    exported = ExportedTurn(
        question=turn.question,
        asked_at=turn.asked_at,
        answer=turn.answer,
        problem=turn.problem,
        lost=turn.lost,
        where=turn.where,
    )
    hashes = {info.id: library.file_hash(info.id) for info in documents_of([exported])}
    return replace(exported, files={number: known for number, known in hashes.items() if known})


def _files() -> dict[int | str, dict[str, object]]:
    text = {"schema": {"type": "string"}}
    forms = ("text/markdown", "text/html", "application/json")
    return {
        200: {"description": "A file", "content": dict.fromkeys(forms, text)},
        **problems(404),
    }
