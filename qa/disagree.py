"""Sentences that contradict each other: other numbers, dates or a negation for the same thing.

Two sentences contradict when they speak of the same thing and what they say of it cannot both be
true. The second is arithmetic on values (`qa.values`). The first is judged by the words around
the values, and in doubt denied: a missed contradiction still leaves both sentences to be read, an
invented one sows doubt where the documents agree. So sentences are taken to speak of different
things when they name other numbered things ("Lift 2", "Lift 3"), other days or years, other
names, conditions that only one of them has ("for children"), or stand in one list or table.

The signs are those that Marneffe, Rafferty and Manning (2008), Finding Contradictions in Text,
found to be reliable without a parser: numbers, negation and antonyms over aligned words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product, zip_longest

from index.terms import index_terms
from index.types import DocumentInfo
from qa.claims import Claim, Word
from qa.question import LIGHT_WORDS
from qa.stated import Stated, claims_of, title_terms
from qa.types import Passage, Quote, ScoredSentence
from qa.values import Value, agree, find_values

__all__ = ["Conflict", "Stated", "conflicting_words", "find_conflicts", "stated", "stated_quote"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two of the sentences given, by their numbers, that contradict each other.

    Attributes:
        first, second: Numbers of the sentences; `first` is the smaller.
        about: A few of the documents' words that say what they contradict each other in, or "".
    """

    first: int
    second: int
    about: str


def stated(passage: Passage, sentence: ScoredSentence) -> Stated:
    """Return a sentence of a passage as what it states."""
    return _stated(passage.document, sentence, passage.citation.headings, sentence.kind)


def stated_quote(quote: Quote) -> Stated:
    """Return a quote as what it states; whether it is a row or an item is read from its words."""
    rows = " | " in quote.context or " | " in quote.text
    kind = "row" if rows else "item" if quote.context else "paragraph"
    return _stated(quote.document, quote, quote.citation.headings, kind)


def _stated(
    document: DocumentInfo,
    said: Quote | ScoredSentence,
    headings: tuple[str, ...],
    kind: str,
) -> Stated:
    short = None
    if said.short is not None:
        short = (said.short.start - said.start, said.short.end - said.start)
    named = document.title if document.title != document.name else ""
    return Stated(
        said.text,
        context=said.context,
        short=short,
        kind=kind,
        document=document.id,
        date=document.date,
        title=named or re.sub(r"\.\w+$|[-_]", " ", document.name),
        headings=headings,
    )


def find_conflicts(question: str, sentences: Sequence[Stated]) -> list[Conflict]:
    """Return every two of `sentences` that contradict each other, in order of their numbers.

    Whether two contradict does not depend on their order or on the other sentences.

    Args:
        question: As it was made whole; only what it asks for is compared. "" compares everything.
        sentences: Quotes and other good candidates for an answer.
    """
    asked = _Asked.read(question)
    sides = [_Side.of(each) for each in sentences]
    conflicts = []
    for first, second in combinations(range(len(sides)), 2):
        about = _contradiction(asked, sides[first], sides[second])
        if about is not None:
            conflicts.append(Conflict(first, second, about))
    return conflicts


def conflicting_words(one: Stated, other: Stated) -> tuple[str, str] | None:
    """Return the values in which two sentences differ, as they stand there, or None.

    Meant for sentences known to contradict each other; a negation has no such words.
    """
    best: tuple[int, str, str] | None = None
    for a, b in product(claims_of(one), claims_of(other)):
        for key in _conflicting(a, b):
            words = (_words_of(a, key), _words_of(b, key))
            likeness = len(a.terms & b.terms)
            if best is None or likeness > best[0]:
                best = (likeness, *words)
    return best and best[1:]


# What is asked --------------------------------------------------------------------------------

_KINDS: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = tuple(
    (re.compile(pattern, re.I), frozenset(kinds.split()))
    for pattern, kinds in (
        (r"^\W*(?:who|whose|whom|where|why)\b", ""),
        (r"\bhow (?:often|frequently)|\bhow many times an?\b", "period"),
        (
            r"\bhow (?:long|soon|quickly|fast)|\bhow (?:many|much) "
            r"(?:second|minute|hour|working|day|week|month|year|time|notice)",
            "duration",
        ),
        (r"\b(?:opening|closing|business|office) hours\b|\bwhat hours\b", "clock weekday"),
        (
            r"^\W*(?:(?:and|by|until|till|since|from) )?when\b|"
            r"\b(?:what|which) (?:year|date|day|month|weekday|time)\b",
            "date clock weekday duration",
        ),
        (r"\bhow much\b|\b(?:cost|price|fee|rent|deposit|salary|budget)s?\b", "money share count"),
        (r"\bpercent\w*\b|\bper cent\b|\bwhat (?:share|proportion)\b", "share"),
        (r"\bhow (?:do|does|did|can|could|should|to)\b", ""),
        (r"\bhow (?:many|far|tall|high|large|big|old|heavy|wide|deep|loud|thick)\b", "count share"),
    )
)
# Words that ask for a kind of value and are not what the documents call it.
_ASKING = frozenset(
    index_terms(
        "often frequently quickly soon fast hour day week month year date weekday percent "
        "percentage amount cost far tall high large big old heavy wide deep loud exact current"
    )
) | frozenset(index_terms(" ".join(sorted(LIGHT_WORDS))))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question: its own words, the kinds of value that answer it, and what it speaks of."""

    terms: frozenset[str]
    kinds: frozenset[str] | None  # None where any may
    labels: frozenset[tuple[str, str]]
    values: tuple[Value, ...]

    @classmethod
    def read(cls, question: str) -> _Asked:
        kinds = next((kinds for pattern, kinds in _KINDS if pattern.search(question)), None)
        claim = Claim.read(question)
        return cls(claim.terms - _ASKING, kinds, claim.labels, find_values(question).values)

    def covered(self, terms: frozenset[str]) -> float:
        return len(self.terms & terms) / len(self.terms) if self.terms else 0.0


# Two sentences ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Side:
    """A sentence with what is read from it and around it once."""

    stated: Stated
    claims: tuple[Claim, ...]
    around: frozenset[str]
    title: tuple[str, ...]
    title_labels: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, stated: Stated) -> _Side:
        labels = find_values(stated.title).labels
        return cls(stated, claims_of(stated), stated.terms, title_terms(stated.title), labels)


def _contradiction(asked: _Asked, one: _Side, other: _Side) -> str | None:
    """Return what two sentences contradict each other in, or None."""
    if one.stated.text == other.stated.text or _siblings(one.stated, other.stated):
        return None
    if _other_subject(one, other):
        return None
    for a, b in product(one.claims, other.claims):
        if a.aligned and b.aligned and a.terms.isdisjoint(b.terms):
            continue
        differ = _values_differ(asked, a, b)
        if (differ or _denies(asked, a, b)) and _same_thing(
            asked, one, other, a, b, denied=not differ
        ):
            return _about(asked, one.stated, other.stated, a, b)
    return None


def _siblings(one: Stated, other: Stated) -> bool:
    """Return whether both are rows of one table or items of one list."""
    return (
        one.document == other.document
        and one.kind == other.kind != "paragraph"
        and (one.headings, one.context) == (other.headings, other.context)
    )


# Each is about another time; that this year's report has other figures is no contradiction.
_SERIES = frozenset(
    index_terms("minutes meeting report newsletter press release invoice statement accounts log")
)


def _other_subject(one: _Side, other: _Side) -> bool:
    """Return whether titles show that two documents are about different things of one sort."""
    if one.stated.document == other.stated.document:
        return False
    if _apart(one.title_labels, other.title_labels):
        return True
    a, b = {*one.title}, {*other.title}
    alike = bool(a and b) and (one.title[0] == other.title[0] or len(a & b) >= len(a | b) / 2)
    if alike and a & b & _SERIES:
        return one.stated.date != other.stated.date or a != b
    return alike and bool(a - b) and bool(b - a)


def _versions(one: _Side, other: _Side) -> bool:
    """Return whether two documents bear the same title, years and versions left out."""
    same = bool(one.title) and {*one.title} == {*other.title}
    return same and one.stated.document != other.stated.document


def _apart(one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> bool:
    """Return whether both number things of one name, and none is the same."""
    nouns = {noun for noun, _ in one} & {noun for noun, _ in other}
    return any(
        not {n for noun, n in one if noun == name} & {n for noun, n in other if noun == name}
        for name in nouns
    )


# Values ----------------------------------------------------------------------------------------

_Key = tuple[str, str]


def _conflicting(a: Claim, b: Claim, *, chosen: bool = True) -> list[_Key]:
    """Return the kinds of value that both have and of which no two agree."""
    ours = a.chosen_by_kind if chosen else a.by_kind
    theirs = b.chosen_by_kind if chosen else b.by_kind
    return [
        key
        for key, values in ours.items()
        if key in theirs and not any(agree(x, y) for x in values for y in theirs[key])
    ]


def _values_differ(asked: _Asked, a: Claim, b: Claim) -> bool:
    """Return whether two claims give other values of what is asked, and otherwise none."""
    if not a.aligned or not b.aligned:
        keys = _conflicting(a, b)
    else:
        keys = _conflicting(a, b, chosen=False)
        if not {*keys} & {*_conflicting(a, b)}:
            return False
    if ("date", "") in keys and any(_several_dates(claim) for claim in (a, b)):
        return False  # a sentence with several dates tells more than one event
    # A clock's end may differ where it begins at the same time; both may differ together.
    kinds = {kind for kind, _ in keys}
    if asked.kinds is not None:
        return bool(kinds) and kinds <= asked.kinds and len(kinds) == 1
    return len(kinds) == 1


def _several_dates(claim: Claim) -> bool:
    """Return whether a claim has dates, not only months, of which the answer may be any."""
    return (
        len([v for v in claim.chosen_by_kind.get(("date", ""), ()) if v.date[0] or v.date[2]]) > 1
    )


def _words_of(claim: Claim, key: _Key) -> str:
    return " and ".join(claim.text[v.start : v.end] for v in claim.chosen_by_kind[key])


# Negation --------------------------------------------------------------------------------------


def _denies(asked: _Asked, a: Claim, b: Claim) -> bool:
    """Return whether one claim says that what the other says is not so."""
    if a.negated == b.negated or a.partial or b.partial:
        return False
    if asked.kinds or _conflicting(a, b, chosen=False):
        return False
    denying, other = (a, b) if a.negated else (b, a)
    return not denying.denied or denying.denied in other.terms


# The same thing? -------------------------------------------------------------------------------

_PARALLEL = 0.6  # Jaccard index of the words from which two claims say the same
_WITHIN = 0.75  # the same inside one document
_COVERED = 0.75  # share of the question's words that both need, their titles included
_SHORT_COVERED = 0.5  # the same where the reader is sure of both answers
_OVERLAP = 0.5  # share of the shorter claim's words that both then have


def _same_thing(
    asked: _Asked, one: _Side, other: _Side, a: Claim, b: Claim, *, denied: bool
) -> bool:
    if not _same_scope(asked, a, b):
        return False
    same_document = one.stated.document == other.stated.document
    versions = _versions(one, other)
    read = a.sure and b.sure
    if not a.aligned or not b.aligned:
        return read and versions and _akin(asked, a, b)
    if _different(a, b, strict=same_document or denied, narrower=versions):
        return False
    shared, union = len(a.terms & b.terms), len(a.terms | b.terms)
    counted = {value.unit for value in a.values} & {value.unit for value in b.values} - {""}
    if not denied and any(value.kind == "count" and value.unit in counted for value in a.values):
        shared, union = shared + 1, union + 1  # "12 rooms", "9 rooms": both speak of rooms
    if not shared:
        return False
    likeness = shared / union
    if (a.pointing or b.pointing) and not (same_document or versions):
        return False  # what "it" or "this policy" is stands elsewhere
    both = len(asked.terms & a.said & b.said)
    alike = likeness >= (_WITHIN if same_document else _PARALLEL) and (shared > 1 or likeness == 1)
    if alike:
        return 2 * both >= len(asked.terms) or (read and both > 0)
    if same_document or not asked.terms:
        return False
    if read and versions and not denied:
        return True
    least = _SHORT_COVERED if read else _COVERED
    return (
        asked.covered(a.said | one.around) >= least
        and asked.covered(b.said | other.around) >= least
        and 2 * both >= len(asked.terms)
        and shared / min(len(a.terms), len(b.terms)) >= (_COVERED if denied else _OVERLAP)
    )


def _akin(asked: _Asked, a: Claim, b: Claim) -> bool:
    """Return whether both have a word of the question, also inside another: "entrapment"."""
    return all(
        any(len(term) > 3 and term in word for term in asked.terms for word in claim.terms)
        for claim in (a, b)
    )


def _same_scope(asked: _Asked, a: Claim, b: Claim) -> bool:
    """Return whether two claims hold for the same numbered things, days and years."""
    if _apart(a.labels, b.labels):
        return False
    common = {noun for noun, _ in a.labels & b.labels}
    for noun, number in asked.labels:
        if any((n == noun and n in common) for n, _ in a.labels) and (noun, number) not in (
            a.labels & b.labels
        ):
            return False
    if asked.labels and any(_apart(asked.labels, claim.labels) for claim in (a, b) if claim.labels):
        return False
    differing = {kind for kind, _ in _conflicting(a, b, chosen=False)}
    for kind in ("date", "weekday"):
        if kind in differing and len(differing) == 1:
            continue  # it is what they contradict each other in
        ours, theirs = a.scope(kind), b.scope(kind)
        if ours and theirs:
            if not any(agree(x, y) for x in ours for y in theirs):
                return False
        elif ours or theirs:
            named = [value for value in asked.values if value.kind == kind]
            if not any(agree(x, y) for x in (*ours, *theirs) for y in named):
                return False
    return a.past == b.past and a.planned == b.planned


def _different(a: Claim, b: Claim, *, strict: bool, narrower: bool) -> bool:
    """Return whether words that only one of two claims has show that it is about another thing.

    Args:
        a: One claim.
        b: The other.
        strict: Also where only one is narrower ("assistance dogs", "dogs"), or the words say
            something else in both: inside one document, and for negations.
        narrower: One may be narrower all the same, in two versions of a document.
    """
    ours, theirs = a.rest(b), b.rest(a)
    if ours.conditions or theirs.conditions or ours.ordinals != theirs.ordinals:
        return True
    if (ours.names and theirs.names) or ours.placed_names or theirs.placed_names:
        return True
    if (ours.before and theirs.before) or {*ours.modified} & {*theirs.modified}:
        return True
    if {*ours.places} & {*theirs.places}:
        return True
    if not strict:
        return False
    told = bool(ours.modified and not b.universal) or bool(theirs.modified and not a.universal)
    return (told and not narrower) or bool(ours.words and theirs.words)


# What about ------------------------------------------------------------------------------------

_LINKS = re.compile(r"(?: |-|'s |’s | of | of the | for the | in the )", re.I)
_MOST_WORDS = 5
_NUMBERING = re.compile(r"^(?:\d+(?:\.\d+)*\.?|[A-Z]\.|§ ?\d+)\s+")


def _about(asked: _Asked, one: Stated, other: Stated, a: Claim, b: Claim) -> str:
    """Return the best run of words that both claims have, or the heading above one of them."""
    runs = [run for claim in (a, b) for run in _runs(asked, claim, a, b)]
    headings = [_NUMBERING.sub("", each.headings[-1]) for each in (one, other) if each.headings]
    runs += [((-1, 0), heading[:1].lower() + heading[1:]) for heading in headings]
    # The same for both orders: what is asked about, subjects before predicates, the longest.
    return max(runs, key=lambda run: (run[0], len(run[1]), run[1]), default=((0, 0), ""))[1]


def _runs(asked: _Asked, claim: Claim, a: Claim, b: Claim) -> Iterator[tuple[tuple[int, int], str]]:
    """Yield runs of common words, each after how well it names what is spoken of."""
    words = [word for word in claim.words if word.term in a.terms & b.terms]
    labels = a.labels & b.labels
    run: list[Word] = []
    for word, following in zip_longest(words, words[1:]):
        run.append(word)
        if following and _LINKS.fullmatch(claim.text[word.end : following.start]):
            continue
        while len(run) > 1 and not run[-1].naming:
            run.pop()
        if len(run) <= _MOST_WORDS and (run[-1].naming or len(words) == 1):
            start, end = run[0].start, run[-1].end
            name = claim.named(start, end)
            number = re.match(r" \d[\d.]*(?!\w)", claim.text[end:])
            if number and (run[-1].term, number[0][1:]) in labels:
                name = claim.text[start:end] + number[0]
            subject = 0 if claim.predicate(run[0].start) else 1
            known = len({word.term for word in run} & asked.terms)
            yield (subject, known), name
        run = []
