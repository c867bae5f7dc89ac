"""What the script of the page tells the chat beyond the words of a question."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from index.types import Filter
from qa.web.conversations import CONVERSATION
from qa.web.schemas import Number

__all__ = ["Order"]


class Order(BaseModel):
    """Something the chat shall do; the form only is checked, anyone can send one.

    Attributes:
        do: Ask a question, show a stored conversation, or begin an empty one.
        conversation: Which one.
        question: For `ask`.
        documents: Numbers of the documents to search, None for all.
        whole: Take the question as it is, although it may look like a follow-up.
        instead_of: Number of the turn to be replaced; those after it go.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    do: Literal["ask", "show", "new"] = "ask"
    conversation: str = Field(pattern=CONVERSATION)
    question: str = ""
    documents: tuple[Number, ...] | None = Field(default=None, max_length=100_000)
    whole: bool = False
    instead_of: Number | None = None

    @classmethod
    def parse(cls, json: str, **more: object) -> Order | None:
        """Return the order in `json`, with `more` put in; None where it is none."""
        try:
            order = cls.model_validate_json(json)
            return cls.model_validate(order.model_dump() | more)
        except ValidationError:
            return None

    @property
    def where(self) -> Filter | None:
        """Which documents may answer."""
        return None if self.documents is None else Filter(documents=frozenset(self.documents))
