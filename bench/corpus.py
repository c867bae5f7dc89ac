"""Documents of any number of sentences to measure speed with, and questions about them.

They are the documents of the evaluation sets, or, where these are not at hand, the examples. Where
more is wanted than there is, real text is recombined: a document comes again with its numbers,
and the names in it, exchanged for those of another, so that few sentences are there twice.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bench.data import DataError, Set, Text, find_sets, load_set
from bench.options import data_folder

__all__ = ["FEWEST_QUESTIONS", "Corpus", "corpus", "recombined"]

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
FEWEST_QUESTIONS = 5
_NUMBER = re.compile(r"[0-9]{1,18}")
# A word with a capital that does not begin a sentence: mostly a name.
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}\b")
_WORD = re.compile(r"(?<= )[a-z]{5,}(?=[ ,.;])")


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts with at least as many sentences as were wanted, and what people asked of them."""

    texts: list[Text]
    questions: list[str]


def corpus(data: Path | None, sentences: int) -> Corpus:
    """Return documents with at least so many sentences, always the same, and their questions.

    Args:
        data: Folder of sets; None for the usual one, or the examples where it is not there.
        sentences: At least so many.

    Raises:
        DataError: The sets cannot be read or hold too few questions.
    """
    folder = data_folder(data)
    if data is None and not folder.is_dir():
        folder = EXAMPLES
    texts: list[Text] = []
    asked: dict[str, None] = {}
    total = 0
    for place in find_sets(folder):
        found = load_set(place)
        if not found.documents:
            continue
        for text in found.documents.values():
            texts.append(text)
            total += _sentences(text.text)
            if total >= sentences:
                break
        known = {text.id for text in texts}
        asked |= dict.fromkeys(_about(found, known))
        if total >= sentences:
            break
    if len(asked) <= FEWEST_QUESTIONS:
        raise DataError(f"{folder} has {len(asked)} dev questions; that is too few to time.")
    texts += recombined(texts, sentences - total)
    return Corpus(texts, list(asked))


def _about(data: Set, known: set[str]) -> Iterator[str]:
    """Yield the questions of the dev split whose documents are all known."""
    for question in data.questions:
        places = (*question.relevant, *question.context)
        if question.split == "dev" and all(place.document in known for place in places):
            yield question.text


def recombined(texts: Sequence[Text], missing: int) -> Iterator[Text]:
    """Yield the texts with words of others until so many sentences are there."""
    if missing <= 0:
        return
    names = sorted({name for text in texts for name in _NAME.findall(text.text)})
    words = sorted({word for text in texts for word in _WORD.findall(text.text)})
    for turn in count(1):
        for number, text in enumerate(texts):
            chance = random.Random(f"{turn} {number}")
            changed = _renumbered(text.text, turn)
            for pattern, others, share in ((_NAME, names, 0.7), (_WORD, words, 0.15)):
                changed = _exchanged(changed, pattern, others, share, chance)
            yield Text(id=f"{text.id} {turn}", title=f"{text.title} {turn}", text=changed)
            missing -= _sentences(changed)
            if missing <= 0:
                return


def _renumbered(text: str, add: int) -> str:
    return _NUMBER.sub(lambda match: str(int(match[0]) + add), text)


def _exchanged(
    text: str, pattern: re.Pattern[str], others: Sequence[str], share: float, chance: random.Random
) -> str:
    """Return the text with such a share of the words found replaced, each alike throughout."""
    instead: dict[str, str] = {}

    def other(match: re.Match[str]) -> str:
        word = match[0]
        if word not in instead:
            instead[word] = chance.choice(others) if chance.random() < share and others else word
        return instead[word]

    return pattern.sub(other, text)


def _sentences(text: str) -> int:
    from index.sentences import split_text

    return sum(1 for _ in split_text(text))
