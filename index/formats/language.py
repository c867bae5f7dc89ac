"""Which language a text is in, where that is clear."""

from __future__ import annotations

import re
from functools import cache
from threading import Lock
from typing import Any

__all__ = ["guess_language"]

_MIN_LETTERS = 150  # below, names and numbers decide more than words
_SAMPLE = 10_000  # characters from each of three places
_MIN_CONFIDENCE = 0.9
# Addresses are looked for where a word begins only, which keeps long words linear.
_NO_WORDS = re.compile(r"https?://\S+|(?<!\S)\S+@\S+|[\d\W_]+")

_loading = Lock()


def guess_language(text: str) -> str | None:
    """Return the ISO 639-1 code of the text's language, or None where it is not clear.

    The same text gives the same answer in every thread. Long texts are judged by their
    beginning, middle and end.

    Source: Lui and Baldwin (2012), langid.py: An Off-the-shelf Language Identification Tool.
    """
    words = _NO_WORDS.sub(" ", _sample(text))
    if sum(map(str.isalpha, words)) < _MIN_LETTERS:
        return None
    with _loading:
        identifier = _identifier()
    code, confidence = identifier.classify(words)
    return str(code) if confidence >= _MIN_CONFIDENCE and len(code) == 2 else None


def _sample(text: str) -> str:
    if len(text) <= 3 * _SAMPLE:
        return text
    middle = (len(text) - _SAMPLE) // 2
    return " ".join((text[:_SAMPLE], text[middle : middle + _SAMPLE], text[-_SAMPLE:]))


@cache
def _identifier() -> Any:  # noqa: ANN401 - the package ships no types
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
