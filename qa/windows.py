"""What the reader is given: a question and a stretch of a passage, as tokens.

`[CLS] question [SEP] title and headings [SEP] text [SEP]`, where the title is left out if there
is none. Training and use make it the same way. A passage too long for one window is read in
several that overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.lean import encodable

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["MAX_TOKENS", "Tokenized", "Tokens", "Window"]

MAX_TOKENS = 256  # of a window, the marks included; the reader was trained with no more
OVERLAP = 64  # tokens of the text that two windows share
QUESTION_TOKENS = 64  # of a longer question the end is not read
BEFORE_TOKENS = 32  # the same for title and headings
_MARKS = ("[CLS]", "[SEP]")


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text's token ids and, for each, its span in the text; white space is in no span."""

    ids: list[int]
    spans: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Window:
    """Input of the reader.

    Attributes:
        ids: Token ids.
        second: Where what belongs to the passage begins in `ids`: token type 1.
        text: Where its text begins.
        first: Number, in the whole text, of the token at `text`.
        count: How many tokens of the text there are.
    """

    ids: list[int]
    second: int
    text: int
    first: int
    count: int


class Tokenized:
    """Makes windows.

    Args:
        tokenizer: Of the model that the reader was made from. Its truncation and padding are
            switched off, and so is reading "[SEP]" in a text as the mark.

    Raises:
        ValueError: The tokenizer has no such marks.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        # A document that says "[SEP]" must not end where it says so.
        tokenizer.encode_special_tokens = True
        cls, sep = (tokenizer.token_to_id(mark) for mark in _MARKS)
        if cls is None or sep is None:
            raise ValueError(f"a tokenizer without {' and '.join(_MARKS)} makes no windows")
        self._tokenizer, self._cls, self._sep = tokenizer, cls, sep

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text, without marks; spans are in code points."""
        found = self._tokenizer.encode_batch(
            [encodable(text) for text in texts], add_special_tokens=False
        )
        return [Tokens(each.ids, each.offsets) for each in found]

    def windows(
        self, question: Sequence[int], before: Sequence[int], text: Tokens
    ) -> Iterator[Window]:
        """Yield the windows of one passage in order, at least one.

        None has more than `MAX_TOKENS`; each token of the text is in one or more, and two that
        follow each other share `OVERLAP` of them.

        Args:
            question: Token ids.
            before: Token ids of title and headings, may be empty.
            text: Tokens of the passage.
        """
        head = [self._cls, *question[:QUESTION_TOKENS], self._sep]
        second = len(head)
        if before:
            head += [*before[:BEFORE_TOKENS], self._sep]
        room = MAX_TOKENS - len(head) - 1
        for first in range(0, max(1, len(text.ids) - OVERLAP), room - OVERLAP):
            part = text.ids[first : first + room]
            yield Window([*head, *part, self._sep], second, len(head), first, len(part))
