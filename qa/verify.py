"""Quotes and documents compared with what they were taken from.

Files are compared by their hash before anything is read: a file that has not changed is the
source that was quoted, however differently a newer Quoth may read it. Only of a file that did
change is it said so, and whether the words still stand in it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from index.content import text_hash
from index.errors import DocumentNotFoundError, FormatError, LibraryDamagedError, MissingExtraError
from index.formats import read_file
from index.formats.opening import opened
from index.library import Library
from index.types import DocumentInfo
from qa.places import Place, Places
from qa.saved import Claim

__all__ = ["STATUSES", "Status", "Verdict", "Verifier"]

Status = Literal[
    "verified",  # word for word in the library, and the file is the one that was read
    "changed",  # the file is another one by now
    "gone",  # the file is no longer where it was
    "absent",  # its folder is not there
    "unread",  # the file may not be read
    "removed",  # the document left the library
    "differs",  # not what stands in the document at this place
    "reread",  # the file is the same, and its text is read in another way by now
    "damaged",  # what is stored is not what was stored
]
STATUSES: tuple[Status, ...] = (
    *("verified", "changed", "gone", "absent", "unread"),
    *("removed", "differs", "reread", "damaged"),
)

_NOT_THERE = "These are not the words of the document at this place."
_PART = "These are no whole sentences: read what stands around them."

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a quote, or of a document.

    Attributes:
        status: See `STATUSES`.
        detail: Why, in a sentence; "" where it is verified and there is nothing to add.
        stands: Of a file that changed, whether the words still stand in it; None where that
            cannot be told.
        text: The words; "" for a whole document, and where they cannot be had.
        path: Of the document, as the library has it; of one that was removed, as was said.
        page: Page on which the words begin, computed from the document; None where it has none,
            and where that cannot be told.
        question: What was asked.
    """

    status: Status
    detail: str = ""
    stands: bool | None = None
    text: str = ""
    path: str = ""
    page: int | None = None
    question: str = ""


@dataclass(frozen=True, slots=True)
class _File:
    """How the file of a document compares with the one that was read."""

    state: Literal["same", "none", "changed", "gone", "absent", "unread"]
    detail: str = ""


class Verifier:
    """Compares quotes and documents with a library and with the files; reads each file once."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._documents = {info.id: info for info in library.documents()}
        self._texts: dict[str, list[DocumentInfo]] = {}
        for info in self._documents.values():
            self._texts.setdefault(info.text_hash, []).append(info)
        self._roots = {source.id: source.location for source in library.sources()}
        self._files: dict[int, _File] = {}
        self._anew: dict[int, str | FormatError] = {}
        self._places: dict[int, Places] = {}

    # -- documents ----------------------------------------------------------------------------

    def documents(self) -> Iterator[Verdict]:
        """Yield a verdict for every document of the library, in order of path."""
        for info in self._documents.values():
            yield self._document(info)

    def _document(self, info: DocumentInfo) -> Verdict:
        try:
            if text_hash(self._library.text(info.id)) != info.text_hash:
                raise LibraryDamagedError(f"the text of {info.path}", info.id)
        except LibraryDamagedError as error:
            return Verdict(status="damaged", detail=str(error), path=info.path)
        file = self._file(info)
        if file.state == "same":
            return Verdict(status="verified", path=info.path)
        if file.state == "none":
            return Verdict(status="verified", path=info.path, detail="It was added as a text.")
        detail = "The file has changed since it was indexed; `quoth sync` reads it again."
        return Verdict(
            status=file.state,
            detail=detail if file.state == "changed" else file.detail,
            path=info.path,
        )

    # -- quotes -------------------------------------------------------------------------------

    def quotes(self, claims: Iterable[Claim]) -> Iterator[Verdict]:
        """Yield a verdict for each quote."""
        for claim in claims:
            yield self._quote(claim)

    def _quote(self, claim: Claim) -> Verdict:
        info = self._known(claim)
        try:
            if info is None:
                return self._of_another_text(claim)
            text = self._library.text(info.id)
        except LibraryDamagedError as error:
            return _verdict(claim, "damaged", str(error))
        said = text[claim.start : claim.end]
        if not 0 <= claim.start < claim.end <= len(text) or not _agrees(claim, said):
            return self._differs(claim, info)
        place = self._place(info, claim.start, claim.end)
        true = replace(claim, path=info.path, page=place.page)
        if contradiction := _contradiction(claim, place):
            return _verdict(true, "differs", contradiction, text=said)
        verdict = self._of_its_file(true, info, said)
        return _noted(verdict, _renamed(claim, info), "" if place.whole else _PART)

    def _of_its_file(self, claim: Claim, info: DocumentInfo, said: str) -> Verdict:
        """Return the verdict for words that stand in the library as was said."""
        file = self._file(info)
        if file.state == "same":
            return _verdict(claim, "verified", text=said)
        if file.state == "none":
            return _verdict(claim, "verified", "It was added as a text.", text=said)
        if file.state == "changed":
            return self._changed(claim, info, said)
        return _verdict(claim, file.state, file.detail, text=said)

    def _known(self, claim: Claim) -> DocumentInfo | None:
        """Return the living document with the text that was quoted, by its name where several."""
        same = self._texts.get(claim.text_hash, ())
        return max(same, key=lambda i: (i.path == claim.path, i.id == claim.document), default=None)

    def _place(self, info: DocumentInfo, start: int, end: int) -> Place:
        if info.id not in self._places:
            self._places[info.id] = Places(self._library.content(info.id))
        return self._places[info.id].at(start, end)

    def _differs(self, claim: Claim, info: DocumentInfo) -> Verdict:
        if claim.text is not None and _stands(claim, claim.text, self._library.text(info.id)):
            detail = "The words stand in the document, but at another place than the quote says."
        else:
            detail = _NOT_THERE
        return _verdict(replace(claim, path=info.path, page=None), "differs", detail)

    def _changed(self, claim: Claim, info: DocumentInfo, said: str) -> Verdict:
        """Return the verdict for a quote whose file has changed and was not indexed again."""
        anew = self._read_anew(info)
        if isinstance(anew, FormatError):
            return _verdict(
                claim,
                "changed",
                f"The file has changed since it was indexed, and cannot be read ({anew.reason}).",
                text=said,
            )
        return _after_change(claim, "since it was indexed", said, anew)

    def _of_another_text(self, claim: Claim) -> Verdict:
        """Return the verdict for a quote from a text that the library does not have as living."""
        before = self._earlier(claim)
        if before is not None and not _agrees(claim, before):
            return _verdict(claim, "differs", _NOT_THERE)
        said = claim.text if before is None else before
        info = self._at_the_place(claim)
        if info is None or said is None:
            return _verdict(claim, "removed", "Its document is no longer in the library.")
        text, file = self._library.text(info.id), self._file(info)
        # Where the words stand now says more than a page of a text that nobody has any more.
        span = _span(claim, said, text)
        place = None if span is None else self._place(info, *span)
        note = _PART if place is not None and not place.whole else ""
        renamed = _renamed(claim, info)
        claim = replace(claim, path=info.path, page=None if place is None else place.page)
        same = claim.file_hash is not None and claim.file_hash == self._hash(info)
        if not (same and file.state in ("same", "none")):
            return _noted(_after_change(claim, "since it was quoted", said, text), renamed, note)
        if _stands(claim, said, text):
            detail = "The file is unchanged; its text is read in another way now."
            return _noted(_verdict(claim, "verified", detail, text=said), renamed, note)
        return _verdict(
            claim,
            "reread",
            "The file is unchanged, but these words do not stand in its text as it is read "
            "now: another version of Quoth read it, or the quote was altered.",
            text=said,
        )

    def _earlier(self, claim: Claim) -> str | None:
        """Return the words in the version that was quoted, where the store still has that."""
        try:
            info = self._library.document(claim.document)
            if info.text_hash != claim.text_hash or claim.start < 0:
                return None
            return self._library.text(info.id)[claim.start : claim.end]
        except (DocumentNotFoundError, LibraryDamagedError):
            return None

    def _at_the_place(self, claim: Claim) -> DocumentInfo | None:
        """Return the living document that stands where the quoted one stood."""
        path, source = claim.path, None
        try:
            earlier = self._library.document(claim.document)
            if earlier.text_hash == claim.text_hash:
                path, source = earlier.path, earlier.source
        except DocumentNotFoundError:
            pass
        there = [info for info in self._documents.values() if info.path == path]
        return next((i for i in there if i.source == source), there[0] if there else None)

    # -- files --------------------------------------------------------------------------------

    def _hash(self, info: DocumentInfo) -> str | None:
        return self._library.file_hash(info.id)

    def _file(self, info: DocumentInfo) -> _File:
        if info.id not in self._files:
            self._files[info.id] = self._compare(info)
        return self._files[info.id]

    def _compare(self, info: DocumentInfo) -> _File:
        expected = self._hash(info)
        if info.file is None or expected is None:
            return _File("none")
        root = self._roots.get(info.source)
        if root is not None and not os.path.lexists(root):
            return _File(
                "absent",
                f"{root} is not there; if it lies elsewhere now, say so with `quoth relocate`.",
            )
        try:
            same = _sha256(info.file, _base(info.file, info)) == expected
            return _File("same" if same else "changed")
        except FormatError as error:
            if not os.path.lexists(info.file):
                return _File("gone", "The file is no longer there; `quoth sync` removes it.")
            if error.reason == "no permission to read it":
                return _File("unread", f"The file cannot be compared: {error.reason}.")
            return _File("changed")
        except OSError as error:
            return _File("unread", f"The file cannot be compared: {error.strerror}.")

    def _read_anew(self, info: DocumentInfo) -> str | FormatError:
        """Return the text that the file has now."""
        if info.id not in self._anew:
            assert info.file is not None
            try:
                reading = read_file(info.file, root=_base(info.file, info))
                self._anew[info.id] = reading.document.text
            except FormatError as error:
                self._anew[info.id] = error
            except MissingExtraError as error:
                self._anew[info.id] = FormatError(str(error))
        return self._anew[info.id]


def _verdict(claim: Claim, status: Status, detail: str = "", *, text: str = "") -> Verdict:
    return Verdict(
        status=status,
        detail=detail,
        text=text or claim.text or "",
        path=claim.path,
        page=claim.page,
        question=claim.question,
    )


def _noted(verdict: Verdict, *notes: str) -> Verdict:
    return replace(verdict, detail=" ".join(filter(None, (verdict.detail, *notes))))


def _renamed(claim: Claim, info: DocumentInfo) -> str:
    if claim.path in ("", info.path):
        return ""
    return f"The saved answer calls the document {claim.path}; it is now called {info.path}."


def _contradiction(claim: Claim, place: Place) -> str:
    """Return what a saved answer says of true words that is not so, or ""."""
    if claim.page not in (None, place.page):
        there = "in a document without pages" if place.page is None else f"on page {place.page}"
        return f"The words stand {there}, not on page {claim.page}."
    if claim.headings not in (None, place.headings):
        return "The words stand there, but not under the headings that the saved answer has."
    if claim.context not in (None, place.context):
        return "The words stand there, but not in the table or list that the saved answer has."
    return ""


def _after_change(claim: Claim, since: str, said: str, text: str) -> Verdict:
    stands = _stands(claim, said, text)
    what = "these words still stand in it" if stands else "these words do not stand in it any more"
    verdict = _verdict(claim, "changed", f"The source has changed {since}; {what}.", text=said)
    return replace(verdict, stands=stands)


def _agrees(claim: Claim, said: str) -> bool:
    """Return whether `said` are the words of a saved answer, where it has kept them."""
    if claim.text is None or claim.text == said:
        return True
    return claim.alike and _folded(claim, claim.text) == _folded(claim, said)


def _stands(claim: Claim, words: str, text: str) -> bool:
    """Return whether the words stand in a text, however its lines are broken."""
    return bool(words.strip()) and (words in text or _folded(claim, words) in _folded(claim, text))


def _span(claim: Claim, words: str, text: str) -> tuple[int, int] | None:
    """Return where the words stand in a text, the first place of several, or None."""
    if not _stands(claim, words, text):  # in a text that long no pattern is too long
        return None
    pattern = r"\s+".join(map(re.escape, words.split()))
    match = re.search(pattern, text, re.I if claim.alike else 0)
    return None if match is None else match.span()


def _folded(claim: Claim, text: str) -> str:
    folded = " ".join(text.split())
    return folded.casefold() if claim.alike else folded


def _base(file: Path, info: DocumentInfo) -> Path:
    """Return what the path is relative to: nothing below may be a link that was put there."""
    return file.parents[info.path.count("/")]


def _sha256(file: Path, base: Path) -> str:
    digest = hashlib.sha256()
    with opened(file, root=base) as descriptor:
        while data := os.read(descriptor, _CHUNK):
            digest.update(data)
    return digest.hexdigest()
