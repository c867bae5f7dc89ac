"""Numbers in figures and in words: "1,200", "twenty-five", "a hundred and ten", "2.5 million"."""

from __future__ import annotations

import re

__all__ = ["NUMBER", "RANGE", "TO", "number_of"]

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORTH = {word: float(number) for number, word in enumerate(_SMALL)}
_WORTH |= {word: 10.0 * number for number, word in enumerate(_TENS, 2)}
_MANY = {"dozen": 12.0, "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9}

_WORD = "|".join((*_SMALL[::-1], *_TENS))
_BIG = "dozen|hundred|thousand|million|billion"
NUMBER = (
    r"(?<![\w.,])(?:"
    rf"(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?(?:\s?(?:{_BIG})\b)?(?!\d|[.,]\d)"
    rf"|(?:(?:{_WORD}|{_BIG})\b|an? (?=(?:{_BIG})\b))"
    rf"(?:[ -]?(?:and )?(?:{_WORD}|{_BIG})\b){{0,8}}"
    r")(?: and a half)?"
)
TO = r"(?:\s?[-–—]\s?| to | and | or )"
RANGE = rf"(?P<low>{NUMBER})(?:{TO}(?P<high>{NUMBER}))?"


def number_of(text: str) -> float:
    """Return what a match of `NUMBER` is worth."""
    total = group = 0.0
    text = text.casefold()
    half = 0.5 if text.endswith(" and a half") else 0.0
    for word in re.findall(r"[\d.,]+|[a-z]+", text.removesuffix(" and a half")):
        if word[0].isdigit():
            group += float(word.replace(",", ""))
        elif word in _WORTH:
            group += _WORTH[word]
        elif word in ("hundred", "dozen"):
            group = (group or 1.0) * _MANY[word]
        elif word in _MANY:
            total, group = total + (group or 1.0) * _MANY[word], 0.0
    return total + group + half
