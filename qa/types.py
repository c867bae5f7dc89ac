"""Passages, quotes and answers: what a question gets back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from index.types import Citation, DocumentInfo, Span

__all__ = ["Answer", "Disagreement", "Passage", "Quote", "ScoredSentence"]


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """A sentence of a passage with how well it fits the question.

    `score` mixes meaning and words and lies in [0, 1]; `cosine` is meaning alone. `kind` says
    what it is: "paragraph" for a sentence of running text, "heading", "item", "row" or "code";
    `context` is the header of its table or the lead-in of its list.

    What the reader found, once it has read: `evidence` is its logit that this sentence answers,
    `margin` the logits of its best span less those of "not here", `short` that span, in the
    document, where the reader is sure of it. A passage that was not needed for an answer is not
    read: its sentences have what the reader says of most that do not answer.
    """

    start: int
    end: int
    text: str
    score: float
    cosine: float = 0.0
    kind: str = "paragraph"
    context: str = ""
    evidence: float = 0.0
    margin: float = 0.0
    short: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Consecutive sentences of one section that fit a question.

    Attributes:
        start, end: Span in the document's text; `text` is exactly what stands there.
        score: In [0, 1], rounded to four places; means the same for every question.
        sentences: In reading order.
        also_at: Other places with (nearly) the same text.
        why: Why it was found, such as ("matches inspection, annual", "close in meaning").
        matched: The question's words, as asked, that the passage or its headings hold.
    """

    document: DocumentInfo
    start: int
    end: int
    text: str
    score: float
    sentences: tuple[ScoredSentence, ...]
    citation: Citation
    why: tuple[str, ...] = ()
    matched: tuple[str, ...] = ()
    also_at: tuple[Citation, ...] = ()

    @property
    def best(self) -> ScoredSentence:
        """The sentence that fits best; the first of equals."""
        return max(self.sentences, key=lambda sentence: sentence.score)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One sentence, item or row, verified to stand in the document word for word.

    Attributes:
        text: Exactly `document text[start:end]`.
        short: Span, in the document, of the words inside the quote that answer, or None.
        context: Header of the table or lead-in of the list the quote belongs to, or "".
        also_at: Other places with the same words.
    """

    document: DocumentInfo
    start: int
    end: int
    text: str
    citation: Citation
    score: float
    short: Span | None = None
    context: str = ""
    also_at: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two quotes that state different numbers, dates or a negation for the same thing."""

    first: Quote
    second: Quote
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Verified quotes that answer a question, or an honest "the documents do not say".

    Attributes:
        question: As it was asked.
        searched_for: The question as it was made whole for the search; equals `question`
            when it stood alone.
        quotes: The best first, the parts of a list together and in order; empty when
            abstaining.
        abstained: Whether the documents do not say.
        confidence: In [0, 1], that the first quote answers the question.
        missing_words: Words of the question that no document has.
        nearest: When abstaining, the passages nearest to the question: not an answer.
        passages: The passages the answer was chosen from, best first.
        disagreements: Quotes that contradict each other.
        generation: The published state of the library that was asked.
        notice: A fixed reply to greetings and questions about the collection, or "".
        decides: Whether a yes or no was asked for: the first quote is what decides it.
    """

    question: str
    searched_for: str
    quotes: tuple[Quote, ...] = ()
    abstained: bool = False
    confidence: float = 0.0
    missing_words: tuple[str, ...] = ()
    nearest: tuple[Passage, ...] = ()
    passages: tuple[Passage, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    generation: int = 0
    notice: str = ""
    decides: bool = False

    def to_markdown(self) -> str:
        """Return the answer as Markdown, the documents' words escaped."""
        from qa.render import answer_to_markdown

        return answer_to_markdown(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON-ready values."""
        from qa.render import answer_to_dict

        return answer_to_dict(self)
