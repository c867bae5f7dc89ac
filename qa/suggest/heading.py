"""Questions that a heading asks, or asks about: "How to book" asks "How do I book?"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qa.suggest.clause import MOST_CHARACTERS, Made, Vocabulary, is_noun_phrase
from qa.suggest.words import AUX, DEEDS, ODD, POINTING, YOU

__all__ = ["of_heading"]

_NUMBERING = re.compile(
    r"^(?:Q[.:]|(?:§ ?)?(?:\d{1,3}(?:\.\d{1,3})*[.)]?|[A-Z][.)]|[ivx]+[.)]))\s+"
)
_ASKS = re.compile(
    r"(?:who|what|when|where|why|how|which|can|may|do|does|is|are|must|will)\b", re.I
)
_HOW_TO = re.compile(r"how to (?P<rest>.+)", re.I)
_INDIRECT = re.compile(
    rf"(?P<wh>Why|When|Where|How) (?P<subject>(?:the|a|an|[a-z]+s) .*?|[a-z]+s) (?P<aux>{AUX}) "
    r"(?P<rest>.+)"
)
_WHO_DOES = re.compile(rf"Who (?:{AUX}|{DEEDS}|pays|decides) \w.+")
# What every document has; asking about it says nothing.
_GENERAL = re.compile(
    r"introduction|conclusion|overview|summary|general|contents|background|scope|purpose|"
    r"reference|appendix|annex|\bnotes?\b|result|method|discussion|abstract|preface|"
    r"acknowledge?ment|\babout\b|miscellaneous|other|definition|further reading|see also|"
    r"contact|question|version|history|review|links|\baims?\b|objectives?|principles|basis",
    re.I,
)
_PAPER = re.compile(
    r".*\b(?:Policy|Notice|Manual|Lease|Agreement|Contract|Guide|Handbook|Guidelines|Charter|Code|"
    r"Regulations|Statute|Directive|Report|Plan)(?: \(\d{4}\)| \d{4})?"
)
_MASS = frozenset(
    "access accommodation insurance maintenance parking security storage waste".split()
)


def of_heading(heading: str, title: str, words: Vocabulary) -> Iterator[Made]:
    """Yield the question that a heading asks, or asks about, in the document called `title`."""
    text = _NUMBERING.sub("", " ".join(heading.split()))
    if text.endswith("?"):
        if _ASKS.match(text) and len(text.split()) > 3 and len(text) <= MOST_CHARACTERS:
            yield Made(text[0].upper() + text[1:], "heading")
        return
    if ODD.search(text) or YOU.search(text) or len(text) > MOST_CHARACTERS:
        return
    if match := _HOW_TO.fullmatch(text):
        yield Made(f"How do I {match['rest']}?", "heading")
    elif match := _INDIRECT.fullmatch(text):
        yield Made(f"{match['wh']} {match['aux']} {match['subject']} {match['rest']}?", "heading")
    elif _WHO_DOES.fullmatch(text) and len(text.split()) > 3:
        yield Made(f"{text}?", "heading")
    elif text not in title and _is_topic(text) and (paper := _called(title)):
        yield Made(f"What does {paper} say about {_topic(text, words)}?", "about")


def _called(title: str) -> str:
    """Return a short title of a policy, manual and the like with its article, or ""."""
    name = re.sub(r"^(?:The|A|An|Our) ", "", title.strip())
    short = len(name.split()) <= 6 and not re.search(r"[:,;/|“”\"<>–-]|ing\b", name)
    return f"the {name}" if short and _PAPER.fullmatch(name) else ""


def _is_topic(text: str) -> bool:
    parts = text.split()
    if not 1 <= len(parts) <= 4 or _GENERAL.search(text) or _ASKS.match(text):
        return False
    if text.isupper() or re.search(r"[\d,/&]", text) or not is_noun_phrase(f"The {text}"):
        return parts[0].endswith("ing") and not POINTING.search(text) and not text.isupper()
    return True


def _topic(text: str, words: Vocabulary) -> str:
    """Return a heading as the object of "about": bare where it needs no article, else quoted."""
    first, _, rest = text.partition(" ")
    head = re.split(r" (?:of|for|in|on|to|and) ", text)[0].split()[-1].lower()
    several = re.search(r"[^su]s$", head)
    if rest == rest.lower() and first[1:].islower() and not words.named(first):
        if several or head in _MASS or head.endswith("ing"):
            return text[0].lower() + text[1:]
    return f"“{text}”"
