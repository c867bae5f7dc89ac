"""What the library tells about itself: reports of a sync, its state, words found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from index.types import Citation, DocumentInfo

__all__ = [
    "DocumentHits",
    "Failure",
    "FindResult",
    "Freed",
    "Hit",
    "Outdated",
    "Progress",
    "Skip",
    "Source",
    "Status",
    "SyncReport",
]


def _printable(text: str) -> str:
    """Return a name from outside with everything that could drive a terminal as its escape."""
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return "".join(shown)


@dataclass(frozen=True, slots=True)
class Skip:
    """A file that was not indexed, and why; `kept` says that an older version still answers."""

    path: str
    reason: str
    kept: bool = False

    def __str__(self) -> str:
        kept = " (the version indexed before is kept)" if self.kept else ""
        return f"{_printable(self.path)}: {_printable(self.reason)}{kept}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A file that gave no document when its source was synced last.

    Attributes:
        file: Where it is, or was.
        reason: A short clause, such as "empty file".
        kept: Whether a version that was indexed before still answers.
        since: When it failed like this for the first time, ISO 8601 in UTC.
    """

    source: int
    path: str
    file: Path | None
    reason: str
    kept: bool
    since: str


@dataclass(frozen=True, slots=True)
class Outdated:
    """Documents by number whose files have another content by now, or are gone."""

    changed: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a sync stands: files done of files in all, sentences so far, seconds since it began.

    `part` is how much is done of the file that is being embedded, from 0 to 1.
    """

    path: str
    files_done: int
    files: int
    sentences: int
    seconds: float
    part: float = 0.0

    @property
    def share(self) -> float:
        """How much is done, from 0 to 1."""
        return min(1.0, (self.files_done + self.part) / self.files) if self.files else 0.0

    @property
    def sentences_per_second(self) -> float:
        """Sentences embedded a second so far."""
        return self.sentences / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Time left by the share that is done; None before anything is."""
        return self.seconds / self.share * (1 - self.share) if self.share else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What a sync did, or with `dry_run` what it would do; paths relative to the source.

    Attributes:
        renamed: Pairs (old path, new path).
        ignored: Files left out by rule (hidden, lock files, `.quothignore`), counted only.
        warnings: Sentences about what was indexed but not wholly.
        embedded: Strings that went through the model; what was embedded before does not again.
        sentences: Sentences in the documents added and updated.
        generation: The published state that holds the result.
    """

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    ignored: int = 0
    skipped: tuple[Skip, ...] = ()
    warnings: tuple[str, ...] = ()
    sentences: int = 0
    embedded: int = 0
    seconds: float = 0.0
    generation: int = 0
    dry_run: bool = False

    @property
    def changed(self) -> bool:
        """Whether anything was added, updated, renamed or removed."""
        return bool(self.added or self.updated or self.renamed or self.removed)

    def __str__(self) -> str:
        counts = [
            f"{len(self.added)} added",
            f"{len(self.updated)} updated",
            f"{len(self.renamed)} renamed",
            f"{len(self.removed)} removed",
            f"{self.unchanged} unchanged",
        ]
        head = ", ".join(counts)
        if self.skipped:
            head += f", {len(self.skipped)} skipped"
        if self.dry_run:
            head = f"would be: {head}"
        else:
            head += f"; {self.sentences} sentences in {self.seconds:.1f} s"
        lines = [head]
        lines += [f"  skipped {skip}" for skip in self.skipped]
        lines += [f"  note: {_printable(warning)}" for warning in self.warnings]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Source:
    """A folder, file, upload folder or added texts that the library keeps in step with."""

    id: int
    kind: str  # "folder", "file", "upload" or "text"
    location: Path | None  # None for texts
    documents: int
    synced_ns: int = 0  # when it was synced last, in nanoseconds since 1970; 0: not yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The state of a library."""

    path: Path
    generation: int
    documents: int
    sentences: int
    passages: int
    vectors: int
    dead_documents: int
    sources: tuple[Source, ...]
    model: str
    fingerprint: str
    bytes: int
    types: dict[str, int] = field(default_factory=dict)
    address: str = ""  # where it is beyond this machine, and `path` is its home here


@dataclass(frozen=True, slots=True)
class Hit:
    """A sentence that holds the words; `marks` are the spans of the words in the document."""

    start: int
    end: int
    text: str
    marks: tuple[tuple[int, int], ...]
    citation: Citation


@dataclass(frozen=True, slots=True)
class DocumentHits:
    """All sentences of one document that hold the words, in reading order."""

    document: DocumentInfo
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class FindResult:
    """Every sentence with the words or phrase, by document in order of path: not a top-k."""

    query: str
    documents: tuple[DocumentHits, ...]
    generation: int

    @property
    def total(self) -> int:
        """How many sentences there are."""
        return sum(len(document.hits) for document in self.documents)

    def __iter__(self) -> Iterator[Hit]:
        return (hit for document in self.documents for hit in document.hits)


class Freed(int):
    """Bytes that compacting won.

    `left` is a sentence where the text of what was removed is not gone from the disk yet;
    otherwise it is empty.
    """

    left: str

    def __new__(cls, won: int, reason: str = "") -> Freed:
        """Make one of the bytes and of why not all could be done, a short clause."""
        freed = super().__new__(cls, won)
        freed.left = reason and (
            f"The text of what was removed is still on the disk, because {reason}; compact again "
            "later."
        )
        return freed
