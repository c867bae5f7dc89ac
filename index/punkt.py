"""Whether a full stop ends a sentence: Punkt with shipped parameters and a list of our own."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

__all__ = [
    "Abbreviations",
    "abbreviations",
    "continues",
    "dump_parameters",
    "load_parameters",
    "parse_abbreviations",
    "period_ends",
]

_OPENERS = "\"'`“”„‟‘’‚‛«»‹›([{<¿¡「『（【*_–—-"
_DOTTED = re.compile(r"[^\W\d_]{1,2}(?:\.[^\W\d_]{1,2})+")
_NUMBER = re.compile(r"[(\[#§№]*\d|[IVXLC]{2,}(?![^\W\d_])")
_LETTER = re.compile(r"[A-Z](?![^\W\d_])")
_ORDINAL = re.compile(r"\d{1,2}")
_CAPITALS = re.compile(r"[A-Z](?:\.[A-Z])+")
# "Hptm.", "Mgr.": without a vowel, so no word; in lower case it may be a unit.
_NO_VOWEL = re.compile(r"[B-DF-HJ-NP-TV-XZ][b-df-hj-np-tv-xz]{1,4}")
_WORDS = ("no", "No", "NO", "art", "item", "Item")  # "No. I do not."
_TITLES = ("DR", "MR", "MRS", "PROF")
_SHORT = 5


@dataclass(frozen=True, slots=True)
class Abbreviations:
    """The roles of `data/abbreviations.txt`; lower case, without the final full stop.

    Attributes:
        inner: Never the end of a sentence.
        name: Followed by a name, unless a starter follows.
        number: Abbreviations where a number follows, words elsewhere.
        open: What follows decides.
        month: Make the number with a full stop before them an ordinal.
        starter: Begin a sentence when capitalised after an abbreviation.
    """

    inner: frozenset[str]
    name: frozenset[str]
    number: frozenset[str]
    open: frozenset[str]
    month: frozenset[str]
    starter: frozenset[str]


def parse_abbreviations(text: str) -> Abbreviations:
    """Return the lists of `text`: sections in brackets, `#` begins a comment.

    Raises:
        ValueError: A word stands before the first section, or a section is unknown or missing.
    """
    sections: dict[str, set[str]] = {}
    section = None
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), set())
        elif line and section is None:
            raise ValueError(f"{line!r} stands before the first section")
        elif section is not None:
            section.update(word.lower() for word in line.split())
    if sections.keys() != set(Abbreviations.__slots__):
        raise ValueError(f"the sections are {sorted(sections)}")
    return Abbreviations(**{name: frozenset(words) for name, words in sections.items()})


@lru_cache(maxsize=1)
def abbreviations() -> Abbreviations:
    """Return the lists that ship."""
    return parse_abbreviations(_data("abbreviations.txt"))


def _data(name: str) -> str:
    return (files("index") / "data" / name).read_text(encoding="utf-8")


class _Contexts(dict[str, int]):
    """Orthographic contexts; looking up an unknown word adds nothing.

    NLTK's own `defaultdict` keeps every word it is asked for: it would grow with the
    documents and be written to by several threads.
    """

    def __missing__(self, word: str) -> int:
        return 0


def dump_parameters(parameters: PunktParameters, comment: Mapping[str, str]) -> str:
    """Return JSON for `load_parameters`: sorted, so equal parameters give equal bytes.

    Words are grouped by their orthographic context, which takes a third of the room.
    """
    contexts: dict[int, list[str]] = {}
    for word, flags in sorted(parameters.ortho_context.items()):
        if flags:
            contexts.setdefault(flags, []).append(word)
    content: dict[str, Any] = {
        "comment": dict(comment),
        "abbreviations": " ".join(sorted(parameters.abbrev_types)),
        "starters": " ".join(sorted(parameters.sent_starters)),
        "collocations": [" ".join(pair) for pair in sorted(parameters.collocations)],
        "contexts": {str(flags): " ".join(contexts[flags]) for flags in sorted(contexts)},
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


_importing = threading.Lock()


def _nltk() -> Any:  # noqa: ANN401 - a module
    """Return `nltk.tokenize.punkt`, imported without the rest of NLTK unless that is there already.

    The package imports all of itself with SciPy, scikit-learn and pandas: two seconds and a hundred
    megabytes. So what is imported here stands in an empty package of the same name, and is hidden
    again: whoever imports NLTK later gets the whole of it.
    """
    with _importing:
        return _imported()


@lru_cache(maxsize=1)
def _imported() -> Any:  # noqa: ANN401
    spec = None if "nltk" in sys.modules else find_spec("nltk")
    if spec is None:
        from nltk.tokenize import punkt

        return punkt
    package = ModuleType("nltk")
    package.__path__ = list(spec.submodule_search_locations or ())
    sys.modules["nltk"] = package
    try:
        from nltk.tokenize import punkt
    finally:
        for name in [name for name in list(sys.modules) if name.split(".")[0] == "nltk"]:
            del sys.modules[name]
    return punkt


def load_parameters(text: str) -> PunktParameters:
    """Return the parameters in the JSON of `dump_parameters`."""
    content = json.loads(text)
    parameters: PunktParameters = _nltk().PunktParameters()
    parameters.abbrev_types = set(content["abbreviations"].split())
    parameters.sent_starters = set(content["starters"].split())
    parameters.collocations = {tuple(pair.split(" ")) for pair in content["collocations"]}
    parameters.ortho_context = _Contexts(
        (word, int(flags)) for flags, words in content["contexts"].items() for word in words.split()
    )
    return parameters


@lru_cache(maxsize=1)
def _parameters() -> PunktParameters:
    """Return the parameters that ship, with our abbreviations; nothing changes them later."""
    parameters = load_parameters(_data("punkt.json"))
    known = abbreviations()
    # Words such as "no" and "art" would be abbreviations everywhere.
    parameters.abbrev_types |= known.inner | known.name | known.open
    parameters.abbrev_types -= known.number
    return parameters


@lru_cache(maxsize=1)
def _tokenizer() -> PunktSentenceTokenizer:
    tokenizer: PunktSentenceTokenizer = _nltk().PunktSentenceTokenizer(_parameters())
    return tokenizer


@lru_cache(maxsize=16384)
def period_ends(word: str, following: str) -> bool:
    """Return whether the full stop after `word` ends a sentence that `following` does not go on.

    Args:
        word: What stands before the full stop, back to the last white space; empty where
            the full stop stands alone.
        following: The next characters up to white space, at least one.

    Our list decides about the abbreviations it knows, Punkt about everything else.

    Source: Kiss and Strunk (2006), Unsupervised Multilingual Sentence Boundary Detection.
    """
    bare = word.lstrip(_OPENERS)
    if not bare:
        return True
    if continues(following):
        return not _abbreviates_before_lower(bare) and _punkt(word, following)
    if following.lstrip(_OPENERS)[:1].isdigit():
        return not _abbreviates_before_digit(bare) and _punkt(word, following)
    return _ends_before_capital(bare, word, following)


def continues(following: str) -> bool:
    """Return whether the word `following` is in lower case; "mRNA" and "p16" may begin anything."""
    inside = following.lstrip(_OPENERS)
    return inside[:1].islower() and not any(c.isupper() or c.isdigit() for c in inside)


def _punkt(word: str, following: str) -> bool:
    return bool(_tokenizer().text_contains_sentbreak(f"{word}. {following}"))


def _names(bare: str) -> Iterable[str]:
    """Return the forms under which `bare` may stand in a list."""
    lower = bare.lower()
    return (lower, lower.rsplit("-", 1)[-1].rsplit("/", 1)[-1])


def _listed(bare: str, words: frozenset[str]) -> bool:
    return any(name in words for name in _names(bare))


def _has_role(bare: str) -> bool:
    known = abbreviations()
    roles = (known.inner, known.name, known.number, known.open)
    return any(_listed(bare, words) for words in roles)


def _is_letter(bare: str) -> bool:
    return len(bare) == 1 and bare.isalpha() and bare.lower() != bare.upper()


def _unknown(bare: str) -> bool:
    """Return whether `bare` is short and was never seen as a word in training."""
    return (
        len(bare) <= _SHORT
        and bare.isalpha()
        and not bare.isupper()
        and not _parameters().ortho_context[bare.lower()]
    )


def _abbreviates_before_lower(bare: str) -> bool:
    return (
        _is_letter(bare)
        or bare[-1].isdigit()
        or _DOTTED.fullmatch(bare) is not None
        or _has_role(bare)
        or _unknown(bare)
    )


def _abbreviates_before_digit(bare: str) -> bool:
    return (
        (_is_letter(bare) and bare.islower())
        or _DOTTED.fullmatch(bare) is not None
        or _has_role(bare)
        or _unknown(bare)
    )


def _ends_before_capital(bare: str, word: str, following: str) -> bool:
    known = abbreviations()
    if _listed(bare, known.inner):
        # In capitals it may be something else: "patients with MS. Interleukin …".
        return bare.isupper() and bare not in _TITLES and not following.rstrip(",.").isupper()
    if _listed(bare, known.number) and _is_number(bare, following):
        return False
    if _ORDINAL.fullmatch(bare) and _starts(following, known.month):
        return False
    if _is_letter(bare) or _CAPITALS.fullmatch(bare) or _listed(bare, known.name):
        # Names are words too ("J. Cook", "U.S. Embassy", "St. Cross"), so how the next word
        # is written elsewhere tells nothing.
        return _starts(following, known.starter)
    if _listed(bare, known.open) or _DOTTED.fullmatch(bare) or _NO_VOWEL.fullmatch(bare):
        return _starts(following, known.starter) or _begins_sentences(following)
    return _punkt(word, following)


def _is_number(bare: str, following: str) -> bool:
    """Return whether `following` numbers `bare`: "5", "IV", or a letter unless it may be a word."""
    if _NUMBER.match(following):
        return True
    return bare not in _WORDS and _LETTER.match(following) is not None


def _starts(following: str, words: frozenset[str]) -> bool:
    return following.lstrip(_OPENERS).rstrip(",;:!?…'\"’”)]").lower() in words


def _begins_sentences(following: str) -> bool:
    """Return whether Punkt takes `following` for the start of a sentence after an abbreviation."""
    return _punkt("etc", following)
