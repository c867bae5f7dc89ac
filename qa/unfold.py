"""What belongs to a sentence that answers: its list, the rows of its table, what it refers to.

Lists are known by what their blocks were read as, and by their context: the lead-in of a list,
the header of a table. How many sentences an item has, the line breaks between them tell.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from index.terms import index_terms
from qa.expected import Expectation, holds
from qa.ranking import Candidate
from qa.types import Passage, ScoredSentence

__all__ = ["follower", "leans_back", "predecessors", "unfolded"]

_ALL = (Expectation.LIST, Expectation.STEPS)
_WORD = re.compile(r"\w+")
_MARKER = re.compile(r"\s*(?:\(?\d{1,3}[.)]|\(?[a-z][.)]|[-–—•·*‣▪◦])\s", re.I)
_NUMBERED = re.compile(r"\s*\(?(?:\d{1,3}|[a-z])[.)]\s", re.I)
# A sentence that announces the list or table below it.
_ANNOUNCES = re.compile(r":\s*$|\b(?:following|as follows|below|table|lists?|listed)\b", re.I)


def unfolded(
    candidate: Candidate,
    wanted: Expectation,
    items: int,
    asked: Collection[str] = (),
    among: Sequence[Passage] = (),
) -> list[Candidate]:
    """Return a sentence with what belongs to it, in reading order, all with its rank.

    A heading gives way to the sentence below it, or to the list in its section where one is
    asked for; a lead-in to the items it leads to, which have it as context; the header of a
    table to rows. An item or a row brings its siblings when a list or a procedure is asked for.

    Args:
        candidate: The sentence.
        wanted: What the question asks for.
        items: How many parts at most.
        asked: Terms of the question: rows that hold more of them than others leave these out.
        among: Passages that were found too: a list may go on in the next one.
    """
    around = _around(candidate, among)
    at = _place(around, candidate)
    parts: list[Candidate] = []
    if _is_title(around, at):
        parts = _listed_below(around, at) if wanted in _ALL else []
        while _is_title(around, at) and at + 1 < len(around):
            at += 1
    parts = parts or _belonging(around, at, wanted, asked)
    if not parts:
        return [around[at]]
    if wanted is Expectation.DEFINITION or (parts[0].sentence.kind == "row" and wanted not in _ALL):
        return [max(parts, key=lambda part: part.sentence.score)]
    if parts[0].sentence.kind == "row":
        parts = _fitting_rows(parts, asked)
    return _at_most(parts, items, around[at].sentence)


def _place(around: Sequence[Candidate], candidate: Candidate) -> int:
    return next(i for i, c in enumerate(around) if c.sentence.start == candidate.sentence.start)


def _belonging(
    around: Sequence[Candidate], at: int, wanted: Expectation, asked: Collection[str]
) -> list[Candidate]:
    """Return the list or table that a sentence leads to or is part of, if that is asked for."""
    sentence = around[at].sentence
    if parts := _led_to(around, at):
        return parts
    if sentence.kind in ("item", "row"):
        return _siblings(around, at, wanted, asked)
    if sentence.text.rstrip().endswith(":") or (
        wanted in _ALL and _ANNOUNCES.search(sentence.text)
    ):
        return _announced(around, at)
    # "Restart it only when the cabin is empty.", and below that the steps.
    steps = _announced(around, at) if wanted is Expectation.STEPS else []
    return [around[at], *steps] if steps and _NUMBERED.match(steps[0].sentence.text) else []


# -- lists --------------------------------------------------------------------------------------


def _around(candidate: Candidate, among: Sequence[Passage]) -> list[Candidate]:
    """Return the sentences of the passage, and of passages that touch it in the same section."""
    own = candidate.passage
    near = {own.start: own}
    for passage in among:
        if passage.document.id == own.document.id and passage.start not in near:
            if passage.citation.headings == own.citation.headings:
                near[passage.start] = passage
    passages = [near[start] for start in sorted(near)]
    at = passages.index(own)
    first, last = at, at
    while first and passages[first].start - passages[first - 1].end <= _GAP:
        first -= 1
    while last + 1 < len(passages) and passages[last + 1].start - passages[last].end <= _GAP:
        last += 1
    return [
        Candidate(passage, sentence, candidate.rank)
        for passage in passages[first : last + 1]
        for sentence in passage.sentences
    ]


_GAP = 2  # characters between passages that follow each other: an empty line


def _led_to(around: Sequence[Candidate], at: int) -> list[Candidate]:
    """Return the items and rows whose context the sentence is."""
    sentence = around[at].sentence
    if _is_header(around, at):
        return _run(around, at + 1)
    lead = " ".join(sentence.text.split())
    return [c for c in around[at + 1 :] if " ".join(c.sentence.context.split()) == lead]


def _is_header(around: Sequence[Candidate], at: int) -> bool:
    """Return whether a sentence is the header of the rows after it: their context has its words."""
    if at + 1 == len(around) or around[at + 1].sentence.kind != "row":
        return False
    words = _WORD.findall(around[at].sentence.text)
    below = _WORD.findall(around[at + 1].sentence.context)
    return bool(words) and below[-len(words) :] == words  # before them a caption may stand


def _is_title(around: Sequence[Candidate], at: int) -> bool:
    return around[at].sentence.kind == "heading" and not _is_header(around, at)


def _run(around: Sequence[Candidate], at: int) -> list[Candidate]:
    """Return the items or rows of the list or table that `at` is in, without its header."""
    sentence = around[at].sentence
    first, last = at, at
    while first and around[first - 1].sentence.kind == sentence.kind:
        first -= 1
    while last + 1 < len(around) and around[last + 1].sentence.kind == sentence.kind:
        last += 1
    return [
        around[i]
        for i in range(first, last + 1)
        if around[i].sentence.context == sentence.context and not _is_header(around, i)
    ]


def _list_at(around: Sequence[Candidate], at: int) -> list[Candidate]:
    """Return the list or table that begins at `at`; empty if none does."""
    if _is_header(around, at):
        return _run(around, at + 1)
    return _run(around, at) if around[at].sentence.kind in ("item", "row") else []


def _announced(around: Sequence[Candidate], at: int) -> list[Candidate]:
    """Return the list or table that begins one or two sentences after `at`."""
    for i in range(at + 1, min(at + 3, len(around))):
        if parts := _list_at(around, i):
            return parts
        if _is_title(around, i):
            break
    return []


def _listed_below(around: Sequence[Candidate], at: int) -> list[Candidate]:
    """Return the first list or table of the section that the heading opens."""
    text_seen = False
    for i in range(at + 1, len(around)):
        if parts := _list_at(around, i):
            return parts
        if text_seen and _is_title(around, i):
            break
        text_seen |= not _is_title(around, i)
    return []


def _siblings(
    around: Sequence[Candidate], at: int, wanted: Expectation, asked: Collection[str]
) -> list[Candidate]:
    """Return the list that the item or row is in, where all of it is asked for."""
    sentence = around[at].sentence
    if wanted in _ALL:
        return _run(around, at)
    if wanted is not Expectation.MANNER or sentence.kind != "item":
        return []
    # "How is it restarted?": the heading or lead-in says so, and no step does.
    headings = around[at].passage.citation.headings
    own = set(index_terms(sentence.text))
    above = set(index_terms(f"{headings[-1] if headings else ''} {sentence.context}"))
    return _run(around, at) if (above - own) & set(asked) else []


def _fitting_rows(rows: list[Candidate], asked: Collection[str]) -> list[Candidate]:
    """Return the rows that hold most of what is asked for, all if that tells none apart.

    Words that headings, title and header have say which table is meant, not which row.
    """
    passage, context = rows[0].passage, rows[0].sentence.context
    about = index_terms(" ".join((passage.document.title, *passage.citation.headings, context)))
    telling = set(asked) - set(about)
    held = [len(telling & set(index_terms(row.sentence.text))) for row in rows]
    most = max(held)
    return [row for row, count in zip(rows, held, strict=True) if count == most]


def _at_most(parts: list[Candidate], items: int, found: ScoredSentence) -> list[Candidate]:
    """Return `items` of the parts in order, the sentence found among them.

    Of items the beginnings come before what goes on in them, and the first before the last; of
    rows, which stand in no such order, the best are kept.
    """
    if len(parts) > items:
        heads = [
            part for i, part in enumerate(parts) if part.sentence == found or not _goes_on(parts, i)
        ]
        parts = heads if len(heads) >= 2 else parts
    order = list(parts)
    if parts[-1].sentence.kind == "row":
        order.sort(key=lambda part: -part.sentence.score)
    order.sort(key=lambda part: part.sentence != found)
    kept = {part.sentence.start for part in order[:items]}
    return [part for part in parts if part.sentence.start in kept]


def _goes_on(sentences: Sequence[Candidate], at: int) -> bool:
    """Return whether the sentence is not the first of its item."""
    if not at or sentences[at].sentence.kind != "item":
        return False
    if sentences[at - 1].sentence.kind != "item":
        return False
    if _MARKER.match(sentences[at].sentence.text):
        return False
    passage, start = sentences[at].passage, sentences[at].passage.start
    gap = passage.text[
        sentences[at - 1].sentence.end - start : sentences[at].sentence.start - start
    ]
    marked = any(
        _MARKER.match(c.sentence.text) for c in sentences[:at] if c.sentence.kind == "item"
    )
    return marked or "\n" not in gap


# -- running text -------------------------------------------------------------------------------

_CONNECTIVE = (
    r"(?:however|otherwise|instead|therefore|thus|hence|consequently|then|afterwards|moreover|"
    r"furthermore|besides|in addition|in (?:this|that|such a?) case|for (?:this|that) reason|"
    r"as a result|after (?:this|that)|until then|since then|by then|even so|nevertheless)"
)
_FUNCTION_WORD = (
    r"(?:if|when|once|until|after|before|because|since|as|while|although|though|together|in|on|at|"
    r"with|for|by|from|of|to|without|during|under|then|there|where|and|but|so)"
)
_PRONOUN = r"(?:it|its|they|them|their|he|him|his|she|her|hers)"
# "It is forbidden to …" points to nothing before it.
_EMPTY_IT = (
    r"it (?:is|was|has been|will be) (?:not )?(?:\w+ly )?(?:forbidden|possible|impossible|"
    r"necessary|important|recommended|advisable|allowed|permitted|required|best|essential|known|planned|"
    r"prohibited|useful|better|clear|likely|true)\b"
)
# "This policy covers …" speaks of the document itself.
_ITSELF = (
    r"(?:policy|document|notice|lease|agreement|contract|manual|report|leaflet|page|paper|guide|"
    r"handbook|section|chapter|table|version|study|work|article|website|book|statement)s?"
)
_LEANS = re.compile(
    rf"\W*(?:\(?\d+[.)]\s)?(?:{_CONNECTIVE}\b|"
    rf"(?!{_EMPTY_IT})(?:{_FUNCTION_WORD} ){{0,2}}{_PRONOUN}\b|"
    rf"(?:this|these)\b(?! {_ITSELF}\b)|that (?:is|was|means|applies|does|has)\b|"
    r"(?:those|such)\b(?! (?:who|which|that|as)\b)|\w+ of (?:them|these|those)\b(?! who\b)|"
    r"(?:both|neither|others?|another|the (?:same|former|latter|others?)) (?:is|are|was|were|has|"
    r"have|had|can|may|must|do|does|did|will|applies)\b|"
    r"the (?!(?:for|w|gu|t|r|harv|requ|inter|n|ch|p|cont|prot)est\b)\w+est (?:is|was|are|were|"
    r"lasted|of)\b|(?:yes|no)\b[.,!])",
    re.I,
)


def leans_back(text: str) -> bool:
    """Return whether a sentence cannot be understood without the one before it.

    It begins with a pronoun ("They cost £8,700"), a superlative without a thing ("The oldest is
    …") or a word that joins it to what was said ("Otherwise we charge £40").
    """
    return bool(_LEANS.match(" ".join(text.split())))


def predecessors(candidate: Candidate, most: int = 2) -> list[Candidate]:
    """Return the sentences before one that leans back, in reading order; empty if it stands alone.

    They reach back to the sentence that says what is spoken of, at most `most` of them, and have
    the candidate's rank. A sentence inside a list item has the beginning of its item.
    """
    around = _around(candidate, ())
    first = at = _place(around, candidate)
    while at - first < most and _has_before(around, first):
        first -= 1
    return around[first:at]


def follower(
    candidate: Candidate, wanted: Expectation, asked: frozenset[str] = frozenset()
) -> Candidate | None:
    """Return the next sentence where it holds what is asked for and the candidate names of what.

    "How long is the Mill Bridge?": the candidate says when the Mill Bridge was opened, the next
    one is "It is 62 metres long". It gets the candidate's rank.

    Args:
        candidate: A sentence that fits the question.
        wanted: What the question asks for.
        asked: Terms of the question.
    """
    if holds(wanted, candidate.sentence.text, asked):
        return None
    around = _around(candidate, ())
    at = _place(around, candidate) + 1
    if at < len(around) and _has_before(around, at):
        if holds(wanted, around[at].sentence.text, asked):
            return around[at]
    return None


def _has_before(around: Sequence[Candidate], at: int) -> bool:
    """Return whether the sentence needs the one before it, and there is one of its kind."""
    if not at or around[at].sentence.kind != around[at - 1].sentence.kind:
        return False
    if around[at].sentence.kind == "item":
        return _goes_on(around, at)
    return around[at].sentence.kind == "paragraph" and leans_back(around[at].sentence.text)
