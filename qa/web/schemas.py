"""What requests and replies of the API look like: the values of `qa` and `index` as JSON.

The fields are those of the Python values of the same name, less what concerns only the machine
that the documents lie on, such as the folder a file is in.
"""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SkipValidation,
    WithJsonSchema,
)

from index.types import Filter

if TYPE_CHECKING:
    from qa.types import Answer

__all__ = [
    "AnswerReply",
    "Citation",
    "Disagreement",
    "Document",
    "Number",
    "Passage",
    "Problem",
    "Quote",
    "Reply",
    "Request",
    "Span",
    "Text",
    "Where",
    "filter_of",
    "problems",
]

# Text of documents as it is, also with lone surrogates, which pydantic would refuse.
Text = Annotated[str, SkipValidation]


def _day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError("is no day such as 2024-05-31") from None


Day = Annotated[str, AfterValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]


# Of a document, a turn or a source: as many as SQLite can count.
Number = Annotated[int, Field(ge=0, le=2**63 - 1)]


class Request(BaseModel):
    """What a request may say: a name that is not known is an error, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Reply(BaseModel):
    """What a reply says; made of any value that has the same attributes."""

    model_config = ConfigDict(from_attributes=True)

    @classmethod
    def of(cls, value: object) -> Self:
        """Return the reply that says what `value` does."""
        return cls.model_validate(value)


class Where(Request):
    """Which documents may be searched; every condition given must hold."""

    folder: str | None = Field(
        default=None, description="Folder relative to its source; its subfolders count."
    )
    pattern: str | None = Field(
        default=None, description='Shell pattern for the path or file name, such as "*.pdf".'
    )
    type: str | None = Field(default=None, description='Format, such as "pdf" or "markdown".')
    after: Day | None = Field(
        default=None, description="Only documents dated on this day or later."
    )
    before: Day | None = Field(
        default=None, description="Only documents dated on this day or earlier."
    )
    documents: list[Number] | None = Field(
        default=None, max_length=100_000, description="Only documents with these numbers."
    )


def filter_of(where: Where | None) -> Filter | None:
    """Return the filter that is meant, None where nothing is asked for."""
    if where is None:
        return None
    documents = None if where.documents is None else frozenset(where.documents)
    found = Filter(**where.model_dump(exclude={"documents"}), documents=documents)
    return None if found == Filter() else found


class Span(Reply):
    """Characters [start, end) of a document's text, counted in code points."""

    start: int
    end: int


class Citation(Reply):
    """Where a quote stands."""

    document: int = Field(description="Number of the document; a changed file gets a new one.")
    path: Text = Field(description="Path relative to the source.")
    title: Text
    start: int = Field(description="Where the quote begins in the document's text.")
    end: int = Field(description="Where it ends: the first character that is not part of it.")
    text_hash: str = Field(description="SHA-256 of the document's text, hexadecimal.")
    page: int | None = Field(description="From 1; null where the format has no pages.")
    headings: list[Text] = Field(description="Titles of the sections it is in, outermost first.")
    ref: str = Field(
        description="Reference for links: `/api/v1/source/{ref}` shows the place, and the page "
        "opens at it with the fragment `#cite/{ref}`."
    )


class Document(Reply):
    """One version of a document."""

    id: int
    source: int
    path: Text
    title: Text
    type: str
    date: str | None = Field(description="Day that the document states, or null.")
    language: str | None = Field(description="ISO 639-1 code, or null where it is not clear.")
    text_hash: str
    characters: int
    sentences: int
    pages: int
    blank_pages: list[int] = Field(description="Pages without text.")
    indexed_at: str
    warnings: list[Text]


class Sentence(Reply):
    """A sentence of a passage with how well it fits the question."""

    start: int
    end: int
    text: Text
    score: float = Field(description="In [0, 1]: meaning and words.")
    cosine: float = Field(description="Meaning alone.")
    kind: str = Field(description="paragraph, heading, item, row or code.")
    context: Text = Field(description="Header of its table or lead-in of its list.")
    evidence: float = Field(description="The reader's logit that this sentence answers.")
    margin: float = Field(description="The reader's logits of its best span less those of none.")
    short: Span | None = Field(description="The answering words, where the reader is sure.")


class Passage(Reply):
    """Consecutive sentences of one section that fit a question."""

    document: Document
    start: int
    end: int
    text: Text = Field(description="Exactly what stands in the document.")
    score: float = Field(description="In [0, 1]; means the same for every question.")
    sentences: list[Sentence]
    citation: Citation
    why: list[Text] = Field(description='Why it was found, such as "close in meaning".')
    matched: list[Text] = Field(description="Words of the question that it holds, as asked.")
    also_at: list[Citation] = Field(description="Other places with nearly the same text.")


class Quote(Reply):
    """One sentence, item or row that stands in the document word for word."""

    document: Document
    start: int
    end: int
    text: Text = Field(description="Exactly what stands in the document.")
    citation: Citation
    score: float
    short: Span | None = Field(description="The words inside the quote that answer, or null.")
    context: Text = Field(description="Header of its table or lead-in of its list.")
    also_at: list[Citation] = Field(description="Other places with the same words.")


class Disagreement(Reply):
    """Two quotes that state different things."""

    first: Quote
    second: Quote
    about: Text


class AnswerReply(Reply):
    """Verified quotes that answer a question, or that the documents do not say."""

    question: Text
    searched_for: Text = Field(description="The question made whole for the search.")
    quotes: list[Quote] = Field(description="The best first; empty when abstaining.")
    abstained: bool = Field(description="Whether the documents do not say.")
    confidence: float = Field(description="In [0, 1], that the first quote answers.")
    missing_words: list[Text] = Field(description="Words of the question that no document has.")
    nearest: list[Passage] = Field(description="When abstaining: the nearest, not an answer.")
    passages: list[Passage] = Field(description="What the answer was chosen from, best first.")
    disagreements: list[Disagreement] = Field(description="Quotes that contradict each other.")
    generation: int = Field(description="The published state of the library that was asked.")
    notice: Text = Field(description="A fixed reply, such as to a greeting.")
    decides: bool = Field(description="Whether yes or no was asked: the first quote decides.")
    conversation: str | None = Field(
        default=None, description="The conversation this is a turn of."
    )
    turn: int | None = Field(default=None, description="Number of the turn in its conversation.")

    @classmethod
    def of_answer(
        cls, answer: Answer, *, conversation: str | None = None, turn: int | None = None
    ) -> AnswerReply:
        """Return the reply for `answer`, alone or as a turn of a conversation."""
        reply = cls.of(answer)
        reply.conversation, reply.turn = conversation, turn
        return reply


class Fault(BaseModel):
    """One fault of a request."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="Kind of error, such as `urn:quoth:problem:question`.")
    title: str
    status: int
    detail: str = Field(description="One sentence: what is wrong and what to do.")
    instance: str = Field(description="Number of this very error.")
    errors: list[Fault] | None = Field(
        default=None, description="The faults of a request, one by one."
    )
    retry_after: int | None = Field(
        default=None, description="Seconds to wait where the server has too much to do."
    )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what the description of a route says about its errors."""
    schema = {"$ref": "#/components/schemas/Problem"}  # `qa.web.openapi` puts it there
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": schema}},
        }
        for status in statuses
    }
