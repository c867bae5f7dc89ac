"""What a sentence states, taken apart into claims.

A row of a table makes one claim for each cell, under the name of its column; a sentence with a
semicolon, "whereas" or "but" makes several.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from index.terms import index_terms, spanned_terms
from qa.claims import Claim
from qa.values import find_values

__all__ = ["Stated", "claims_of", "title_terms"]


@dataclass(frozen=True, slots=True)
class Stated:
    """A sentence with what is needed to know what it speaks of.

    Attributes:
        text: The sentence, item or row.
        context: Header of its table or lead-in of its list.
        short: Characters [start, end) of `text` that answer the question, where that is sure.
        kind: "paragraph", "item", "row" and so on, as in `ScoredSentence`.
        document: Number of its document; equal numbers mean the same document.
        date: ISO 8601 day of the document.
        title, headings: Of the document and the sections it stands in.
    """

    text: str
    context: str = ""
    short: tuple[int, int] | None = None
    kind: str = "paragraph"
    document: int = 0
    date: str | None = None
    title: str = ""
    headings: tuple[str, ...] = ()

    @property
    def terms(self) -> frozenset[str]:
        """Terms of what stands around the sentence."""
        return frozenset(index_terms(" ".join((self.title, *self.headings, self.context))))


@lru_cache(maxsize=4096)
def title_terms(title: str) -> tuple[str, ...]:
    """Return the terms of a title in order, without numbers, dates and versions."""
    found = find_values(title)
    terms = [
        term.term
        for term in spanned_terms(title)
        if not term.stop and not any(s < term.end and term.start < e for s, e in found.taken)
    ]
    return tuple(term for term in terms if term not in _EDITION and not term.isdigit())


_EDITION = frozenset(
    index_terms("version edition draft final revised revision amended amendment old new copy")
)


# Claims ----------------------------------------------------------------------------------------

_CLAUSES = re.compile(r";\s+|,?\s+(?:whereas|but)\s+|,\s+while\s+", re.I)
# "Lift 3 does not": what it denies was said before.
_ELLIPSIS = re.compile(
    r"^(?P<subject>.+?) (?P<verb>do|does|did|is|are|was|were|may|must|can|will|has|have)"
    r"(?: not|n['’]t)\W*$",
    re.I,
)


_LONGEST = 1500  # characters; the splitter's sentences have about 400, a wide row may have more


@lru_cache(maxsize=1024)
def claims_of(stated: Stated) -> tuple[Claim, ...]:
    """Return what a sentence claims, in order; nothing where it is too long to be one."""
    if len(stated.text) + len(stated.context) > _LONGEST:
        return ()
    claims = tuple(_row_claims(stated) if stated.kind == "row" else _sentence_claims(stated))
    if stated.short is None or not any(claim.sure and claim.chosen for claim in claims):
        return claims
    return tuple(claim for claim in claims if claim.sure)


def _sentence_claims(stated: Stated) -> Iterator[Claim]:
    lead = ""
    if stated.kind == "item" and stated.context:
        lead = f"{stated.context.rstrip(' :')}: "
    before = ""
    start = 0
    for match in (*_CLAUSES.finditer(stated.text), None):
        end = match.start() if match else len(stated.text)
        text = stated.text[start:end]
        short = _inside(stated.short, start, end, len(lead))
        if text.strip():
            yield _whole(Claim.read(lead + text, short), text, before)
            before = text
        start = match.end() if match else end


def _inside(
    short: tuple[int, int] | None, start: int, end: int, shift: int
) -> tuple[int, int] | None:
    if short is None or short[0] >= end or short[1] <= start:
        return None
    return max(short[0], start) - start + shift, min(short[1], end) - start + shift


def _whole(claim: Claim, text: str, before: str) -> Claim:
    """Return "Lift 3 does not" with what it denies, which the clause before it said."""
    short = _ELLIPSIS.match(text.strip())
    if not short or not before:
        return claim
    at = re.search(rf"\b{short['verb']}\b", before)
    labels = find_values(before).taken[:1]
    start = at.end() if at else max((end for _, end in labels), default=0)
    return Claim.read(f"{short['subject']} {short['verb']} not{before[start:]}")


def _row_claims(stated: Stated) -> Iterator[Claim]:
    cells = _cells(stated)
    if not cells:
        yield Claim.read(stated.text, stated.short, aligned=False)
        return
    valued = [at for at, (_, _, cell) in enumerate(cells) if _tells(cell)]
    first = max(1, min((at for at in valued if at > 0), default=1))
    subject = "; ".join(cell for _, _, cell in cells[:first])
    for start, column, cell in cells[first:]:
        made = f"{subject}; {column}: {cell}"
        short = _inside(stated.short, start, start + len(cell), len(made) - len(cell))
        yield Claim.read(made, short)


def _tells(cell: str) -> bool:
    return any(value.kind != "weekday" for value in find_values(cell).values)


def _cells(stated: Stated) -> list[tuple[int, str, str]]:
    """Return start, column and text of each cell, or none where they cannot be told apart."""
    cells = []
    columns = [column.strip() for column in stated.context.split("|")]
    start = 0
    for part in stated.text.split("|"):
        cell = part.strip()
        at = start + part.index(cell) if cell else start
        cells.append((at, cell))
        start += len(part) + 1
    if len(cells) < 2:
        return []
    if len(columns) == len(cells):
        return [(at, column, cell) for (at, cell), column in zip(cells, columns, strict=True)]
    named = [(at, *cell.partition(": ")) for at, cell in cells]
    if all(colon for _, _, colon, _ in named):
        return [(at + len(name) + 2, name, cell) for at, name, _, cell in named]
    return []
