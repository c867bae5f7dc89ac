"""What a clause claims: its words, its values, and how far it holds.

`Claim.rest` sorts the words that another claim does not have by what they do: "for children" is a
condition, "in the yard" a place, "boat" in "boat tours" tells which tours. Rules over surface
words; there is no parser.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from index.terms import index_terms, spanned_terms
from qa.values import Value, find_values

__all__ = ["Claim", "Rest", "Word"]


# Words -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    """A term that stands on [start, end) of a claim; `name` when it has a capital of its own."""

    term: str
    start: int
    end: int
    name: bool

    @property
    def naming(self) -> bool:
        """Whether it can end the name of a thing; "costs" and "takes" do not."""
        return self.term not in _LIGHT and self.term not in _VERBS


@dataclass(frozen=True, slots=True)
class Rest:
    """The words of a claim that another one does not have.

    Attributes:
        words: All of them that say something.
        before: Those before the first value: the subject.
        names: Names among them.
        placed_names: Names after a preposition or before a common word: "in Brackwater".
        conditions: Those of phrases such as "for children", "if", "on Sundays".
        places: Prepositions of phrases without a common word: "in" of "in the yard".
        modified: Common words that have one of them directly before: "tour" in "boat tours".
        ordinals: "first", "second" and so on, common or not.
    """

    words: frozenset[str]
    before: frozenset[str]
    names: frozenset[str]
    placed_names: frozenset[str]
    conditions: frozenset[str]
    places: frozenset[str]
    modified: frozenset[str]
    ordinals: frozenset[str]


# Verbs and fillers that do not tell one thing from another.
_LIGHT = frozenset(
    index_terms(
        "give take stay receive pay last amount make keep get remain run go come return travel "
        "require need allow also currently now new today every always still already least "
        "following provide apply set long time take place may available within either "
        "immediately later sooner soon longer"
    )
)
# Besides the stop words: they are read as part of values or as conditions.
_FILLERS = frozenset("every within since per unless except without".split())
_VERBS = frozenset(
    index_terms("cost carry open close hold weigh contain begin end start measure amount serve")
)
# Opposites are read as a negation of one word.
_OPPOSITES = {
    "forbidden": "allow",
    "prohibited": "allow",
    "banned": "allow",
    "disallowed": "allow",
    "closed": "open",
    "excluded": "includ",
    "optional": "requir",
    "impossible": "possibl",
    "unable": "abl",
    "unlimited": "limit",
    "refused": "accept",
    "rejected": "accept",
    "uninsured": "insur",
    "invalid": "valid",
}
_SAME = {
    "allowed": "allow",
    "permitted": "allow",
    "mandatory": "requir",
    "compulsory": "requir",
    "obligatory": "requir",
    "required": "requir",
    "limited": "limit",
    "included": "includ",
    "accepted": "accept",
}

_NEGATION = re.compile(
    r"\b(?:not|never|cannot|nobody|none|neither|nor|no longer|no)\b|n['’]t\b", re.I
)
_NO_NEGATION = re.compile(
    r"\b(?:not|no) (?:later|earlier|sooner|longer|more|less|fewer) than\b|\bnot only\b|"
    r"\bno doubt\b|\bnot (?:until|before|yet)\b|\bwhether or not\b|\bno\. ?\d",
    re.I,
)
_PAST = re.compile(
    r"\b(?:previously|previous|formerly|former|used to|until then|at that time|originally|earlier|"
    r"in the past|had been|last (?:year|month)|before that|old policy)\b",
    re.I,
)
_PLANNED = re.compile(
    r"\b(?:propos\w+|plan(?:s|ned) to|would|could|might|should be|suggest\w*|estimat\w+|expect\w*|"
    r"forecast\w*|target|draft|request\w*|ask(?:s|ed) for|intend\w*|considers?|recommend\w*)\b",
    re.I,
)
_POINTING = re.compile(
    r"^\W*(?:it|they|he|she|this|these|that|those)\b|"
    r"\b(?:this|the present) (?:policy|version|document|notice|report|agreement|contract|lease|"
    r"manual|page|edition|guide|handbook)\b|"
    r"^\W*(?:date|dated|last updated|updated|version|valid|effective|approved|published|issued)\b",
    re.I,
)
_PARTIAL = re.compile(
    r"\b(?:some|most|many|few|several|certain|other|another|often|sometimes|usually|normally|"
    r"in (?:this|that|these|those|such|which)|such|here|otherwise)\b",
    re.I,
)
_UNIVERSAL = re.compile(r"\b(?:every|each|all|any|both|always|generally)\b", re.I)
_VALIDITY = re.compile(
    r"\b(?:from|since|as of|as from|effective|valid|starting|beginning)\W+$", re.I
)
_ORDINALS = (
    frozenset("first second third fourth fifth sixth seventh eighth ninth tenth last".split())
    | frozenset(f"{n}th" for n in range(4, 31))
    | {"1st", "2nd", "3rd"}
)

_STRONG = (
    "for if unless except excepting during when while whenever without outside inside under over "
    "above below between among who which whose whom where per only beyond despite against"
)
_WEAK = "in on at of from to by with through near behind via into"
_REASON = "because since so therefore however although though"
_OPENERS = re.compile(
    rf"\b(?:(?P<strong>{'|'.join(_STRONG.split())})|(?P<weak>{'|'.join(_WEAK.split())})"
    rf"|(?P<reason>{'|'.join(_REASON.split())}))\b|(?P<stop>[,.;:()|]|\band\b|\bor\b|\bthan\b)",
    re.I,
)
_SPACE = re.compile(r"\s")  # one for one, so that offsets stay
_GAP = re.compile(r"[ -]")


# A claim ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """One thing that a sentence says.

    Attributes:
        text: What is said, or made of it: "Thursday; Front desk: 08:00-19:00".
        values, chosen: All values, and those that the answer's words hold if they are known.
        labels: Numbered things it names.
        words: Its content words in order, values and numbers left out.
        negated: Whether it says that something is not so; `denied` is the first telling word of
            what is not.
        sure: Whether the answer's words are known.
        aligned: False for a row whose cells cannot be told apart: its words and values say
            nothing about each other.
    """

    text: str
    values: tuple[Value, ...]
    chosen: tuple[Value, ...]
    labels: frozenset[tuple[str, str]]
    words: tuple[Word, ...]
    negated: bool = False
    denied: str = ""
    sure: bool = False
    aligned: bool = True

    @classmethod
    def read(
        cls, text: str, short: tuple[int, int] | None = None, *, aligned: bool = True
    ) -> Claim:
        """Return what `text` claims; `short` is where the answer stands in it."""
        text = _SPACE.sub(" ", text)
        found = find_values(text)
        chosen = found.values
        if short is not None:
            chosen = tuple(v for v in chosen if v.start < short[1] and short[0] < v.end)
        bounds = [match.span() for match in _NO_NEGATION.finditer(text)]
        denials = [
            match.end()
            for match in _NEGATION.finditer(text)
            if not any(start <= match.start() < end for start, end in bounds)
        ]
        words = []
        for term in spanned_terms(text):
            if any(start < term.end and term.start < end for start, end in found.taken):
                continue
            written = text[term.start : term.end].casefold()
            if written in _OPPOSITES:
                denials.append(term.end)
            root = _OPPOSITES.get(written) or _SAME.get(written)
            if root or not (term.stop or written in _FILLERS):
                words.append(
                    Word(root or term.term, term.start, term.end, _named(text, term.start))
                )
        return cls(
            text=text,
            values=found.values,
            chosen=chosen,
            labels=found.labels,
            words=tuple(words),
            negated=len(denials) % 2 == 1,
            denied=_denied(words, min(denials, default=0)),
            sure=short is not None,
            aligned=aligned,
        )

    @cached_property
    def terms(self) -> frozenset[str]:
        """The content words, each once."""
        return frozenset(word.term for word in self.words)

    @cached_property
    def said(self) -> frozenset[str]:
        """The content words and those of the values: "rooms" of "12 rooms"."""
        return self.terms.union(*(index_terms(self.text[v.start : v.end]) for v in self.values))

    @cached_property
    def past(self) -> bool:
        """Whether it says what was before."""
        return bool(_PAST.search(self.text))

    @cached_property
    def planned(self) -> bool:
        """Whether it says what is only proposed or expected."""
        return bool(_PLANNED.search(self.text))

    @cached_property
    def pointing(self) -> bool:
        """Whether what it speaks of stands elsewhere: "It", "this policy", "Last updated"."""
        return bool(_POINTING.search(self.text))

    @cached_property
    def partial(self) -> bool:
        """Whether it speaks of some of a kind or of a case named elsewhere: "in this state"."""
        return bool(_PARTIAL.search(self.text))

    @cached_property
    def by_kind(self) -> Mapping[tuple[str, str], Sequence[Value]]:
        """The values by kind and unit."""
        return _by_kind(self.values)

    @cached_property
    def chosen_by_kind(self) -> Mapping[tuple[str, str], Sequence[Value]]:
        """The values that the answer's words hold, by kind and unit."""
        return _by_kind(self.chosen)

    @cached_property
    def universal(self) -> bool:
        """Whether it speaks of all of a kind."""
        return bool(_UNIVERSAL.search(self.text))

    def scope(self, kind: str) -> tuple[Value, ...]:
        """Return the dates or weekdays it holds for; from when on a rule is valid is none."""
        return tuple(
            value
            for value in self.values
            if value.kind == kind and not (kind == "date" and self._valid_from(value))
        )

    def _valid_from(self, value: Value) -> bool:
        return bool(_VALIDITY.search(self.text[max(0, value.start - 16) : value.start]))

    def named(self, start: int, end: int) -> str:
        """Return the words on [start, end) as they go on in a sentence, with their article."""
        words = " ".join(self.text[start:end].split())
        begins = not self.text[:start].strip() or self.text[:start].rstrip()[-1:] in ".;:|"
        article = re.search(r"\b(the|this|these|every|each|an?) $", self.text[:start], re.I)
        if begins and words[:1].isupper() and not words[1:2].isupper():
            words = words[0].lower() + words[1:]
        if not article:
            return words
        return f"{article[1].lower() if article[1][:2].lower() == 'th' else 'the'} {words}"

    def predicate(self, start: int) -> bool:
        """Return whether what begins at `start` follows a verb such as "is", "must" or "to"."""
        return bool(_AUXILIARY.search(self.text[:start]))

    def rest(self, other: Claim) -> Rest:
        """Return the words that `other` does not have, sorted by what they do."""
        ours = [w for w in self.words if w.term not in other.terms and w.term not in _LIGHT]
        first_value = min((v.start for v in self.chosen), default=len(self.text))
        conditions, places, placed = self._phrases(other.terms)
        modified = [
            (word, following)
            for word, following in zip(self.words, self.words[1:], strict=False)
            if word in ours
            and following.term in other.terms
            and _GAP.fullmatch(self.text[word.end : following.start])
        ]
        placed |= {word.term for word, _ in modified if word.name}
        ordinals = {w.casefold() for w in re.findall(r"\w+", self.text)} & _ORDINALS
        return Rest(
            words=frozenset(w.term for w in ours),
            before=frozenset(w.term for w in ours if w.start < first_value),
            names=frozenset(w.term for w in ours if w.name),
            placed_names=frozenset(w.term for w in ours if w.name and w.term in placed),
            conditions=frozenset(conditions) | self._limits(other) | self._exceptions(other),
            places=frozenset(places),
            modified=frozenset(following.term for _, following in modified),
            ordinals=frozenset(ordinals),
        )

    def _phrases(self, common: frozenset[str]) -> tuple[set[str], set[str], set[str]]:
        """Return, of phrases without a common word, conditions, prepositions and words."""
        conditions: set[str] = set()
        places: set[str] = set()
        placed: set[str] = set()
        openers = list(_OPENERS.finditer(self.text))
        kind, opener, held = "", "", False  # the phrase that a word stands in
        for at, opening in enumerate(openers):
            end = openers[at + 1].start() if at + 1 < len(openers) else len(self.text)
            words = [w for w in self.words if opening.end() <= w.start < end]
            nested = opening["weak"] and held and kind in ("strong", "weak")
            if not nested:
                kind = str(opening.lastgroup)
                opener = opening[0].casefold()
            held = bool(words) and words[-1].term not in common
            telling = [w for w in words if w.term not in _LIGHT]
            if not telling or any(w.term in common for w in words):
                continue
            if kind == "strong":
                conditions |= {w.term for w in telling}
            if kind in ("strong", "weak"):
                placed |= {w.term for w in telling}
            if kind == "weak" and not nested:
                places.add(opener)
        return conditions, places, placed

    def _exceptions(self, other: Claim) -> set[str]:
        """Return "unless" and the like, where the other has no exception."""
        return set() if _EXCEPTION.search(other.text) else set(_EXCEPTION.findall(self.text))

    def _limits(self, other: Claim) -> set[str]:
        """Return conditions that are values: "over 65", where the other has none of the kind."""
        theirs = {(value.kind, value.unit) for value in other.values}
        return {
            self.text[value.start : value.end]
            for value in self.values
            if value.kind in ("count", "duration", "money")
            and (value.kind, value.unit) not in theirs
            and _LIMITING.search(self.text[max(0, value.start - 20) : value.start])
        }


_AUXILIARY = re.compile(
    r"\b(?:am|is|are|was|were|be|been|being|has|have|had|do|does|did|can|could|may|might|must|"
    r"shall|should|will|would|not|to|only|never) $",
    re.I,
)
_EXCEPTION = re.compile(r"\b(?:unless|except\w*|apart from|other than|provided|only)\b", re.I)
_LIMITING = re.compile(
    r"\b(?:for|over|under|above|below|aged|between|if|after|from|longer than|more than|less than|"
    r"than|beyond|of)(?: the| a| at least| at most)? $",
    re.I,
)


def _by_kind(values: Sequence[Value]) -> dict[tuple[str, str], list[Value]]:
    found: dict[tuple[str, str], list[Value]] = {}
    for value in values:
        found.setdefault((value.kind, value.unit), []).append(value)
    return found


def _denied(words: Sequence[Word], end: int) -> str:
    """Return the first word after a negation that says something, or ""."""
    after = (word.term for word in words if word.start >= end and word.term not in _LIGHT)
    return next(after, "") if end else ""


def _named(text: str, start: int) -> bool:
    """Return whether the word at `start` has a capital that its place does not explain."""
    before = text[:start].rstrip(" \"'“‘(")
    return text[start].isupper() and bool(before) and before[-1] not in ".!?:;|•-–\n"
