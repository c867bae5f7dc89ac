"""What requests and replies about the documents look like, and bringing them up to date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from qa.visible import file_name, one_line
from qa.web.advice import advice
from qa.web.schemas import Number, Reply, Request, Text
from qa.web.syncing import source_name
from qa.web.uploads import BATCH, is_upload

if TYPE_CHECKING:
    from index import Library
    from index.reports import Failure, Skip, Source, SyncReport
    from index.types import DocumentInfo
    from qa.web.syncing import Preview, SyncState

__all__ = [
    "Batch",
    "Dismiss",
    "DocumentEntry",
    "DocumentList",
    "Failed",
    "FailureList",
    "Numbers",
    "OutdatedReply",
    "PreviewReply",
    "Removed",
    "Saved",
    "SourceReply",
    "SyncReply",
    "Update",
    "skipped",
]

MOST_PATHS = 200  # named in a report; the count is of all

Batch = Annotated[str, Field(pattern=BATCH)]


class SourceReply(Reply):
    """A folder, file, the uploads, or added texts that the library keeps."""

    id: int
    kind: str = Field(description="folder, file, upload or text.")
    name: Text = Field(description="What it is called; not where it lies on the server.")
    documents: int

    @classmethod
    def of_source(cls, source: Source) -> SourceReply:
        """Return the reply for `source`."""
        return cls(
            id=source.id, kind=source.kind, name=source_name(source), documents=source.documents
        )


class DocumentEntry(Reply):
    """One document as the list shows it."""

    id: int
    ref: str = Field(description="Opens it on the page with the fragment `#doc/{ref}`.")
    source: int
    name: Text
    folder: Text
    title: Text
    type: str
    date: str | None = Field(description="Day that the document states, or null.")
    sentences: int
    pages: int
    blank_pages: int = Field(description="How many pages have no text.")
    indexed_at: str
    warnings: list[Text]
    uploaded: bool = Field(description="Whether its file lies in the library's own folder.")
    has_file: bool = Field(description="False for text that was added as such.")

    @classmethod
    def of_info(cls, library: Library, info: DocumentInfo) -> DocumentEntry:
        """Return the entry for `info`."""
        return cls(
            id=info.id,
            ref=f"{info.id}-{info.text_hash[:12]}",
            source=info.source,
            name=file_name(info.name),
            folder=file_name(info.folder),
            title=one_line(info.title),
            type=info.type,
            date=info.date,
            sentences=info.sentences,
            pages=info.pages,
            blank_pages=len(info.blank_pages),
            indexed_at=info.indexed_at,
            warnings=[one_line(warning) for warning in info.warnings],
            uploaded=is_upload(library, info),
            has_file=info.file is not None,
        )


class DocumentList(Reply):
    """Some of the documents, and how many there are."""

    documents: list[DocumentEntry]
    found: int = Field(description="How many fit what was asked for.")
    total: int = Field(description="How many the library has.")
    sentences: int = Field(description="In all documents of the library.")
    next: int | None = Field(description="The `offset` that goes on; null at the end.")
    generation: int
    can_upload: bool
    can_remove: bool
    most_bytes: int = Field(description="Most bytes of one upload request.")
    sync: SyncReply


class OutdatedReply(Reply):
    """Documents whose files are not what was read."""

    changed: list[int]
    gone: list[int]


class Numbers(Request):
    """Documents by number."""

    documents: list[Number] = Field(min_length=1, max_length=100_000)


class Removed(Reply):
    """What was removed."""

    removed: list[Text] = Field(description="Paths of the documents.")
    stays: int = Field(
        description="How many of their files stay where they are; the others were uploads."
    )
    generation: int


class Failed(Reply):
    """A file that gave no document, and what can be done about it."""

    source: int | None
    path: Text
    name: Text
    folder: Text
    kind: str
    reason: Text = Field(description="Short, as the commands report it.")
    why: Text = Field(description="The reason as a sentence.")
    next_step: Text
    kept: bool = Field(description="Whether a version that was indexed before still answers.")
    since: str | None = Field(description="When it failed like this for the first time.")
    uploaded: bool

    @classmethod
    def of_skip(cls, skip: Skip, *, source: int | None = None, uploaded: bool = False) -> Failed:
        """Return the reply for a file of a report."""
        return _failed(skip.path, skip.reason, skip.kept, source, None, uploaded)

    @classmethod
    def of_failure(cls, failure: Failure, *, uploaded: bool) -> Failed:
        """Return the reply for a failure that is remembered."""
        kept, since = failure.kept, failure.since
        return _failed(failure.path, failure.reason, kept, failure.source, since, uploaded)


def _failed(
    path: str, reason: str, kept: bool, source: int | None, since: str | None, uploaded: bool
) -> Failed:
    told = advice(reason)
    folder, _, name = path.rstrip("/").rpartition("/")
    return Failed(
        source=source,
        path=path,
        name=file_name(name),
        folder=file_name(folder),
        kind=told.kind,
        reason=one_line(reason),
        why=told.why,
        next_step=told.next_step,
        kept=kept,
        since=since,
        uploaded=uploaded,
    )


class FailureList(Reply):
    """Every file that gave no document when its source was synced last."""

    failures: list[Failed]


class FailureKey(Request):
    """A failure by its source and path."""

    source: Number
    path: str = Field(max_length=8_000)


class Dismiss(Request):
    """Failures that shall not be shown any more."""

    failures: list[FailureKey] = Field(min_length=1, max_length=100_000)


class Refused(Reply):
    """A file that was not even kept, and why."""

    path: Text
    reason: Text


class Saved(Reply):
    """What came of an upload."""

    batch: str
    saved: list[Text] = Field(description="Paths of the files that were kept.")
    refused: list[Refused]
    sync: SyncReply


class Paths(Reply):
    """Some of the paths, and how many there are."""

    count: int
    paths: list[Text] = Field(description=f"The first {MOST_PATHS}.")

    @classmethod
    def of_paths(cls, paths: Sequence[str]) -> Paths:
        """Return the reply for `paths`."""
        return cls(count=len(paths), paths=[file_name(path) for path in paths[:MOST_PATHS]])


class Report(Reply):
    """What bringing a source up to date did, or would do."""

    source: Text
    added: Paths
    updated: Paths
    renamed: Paths = Field(description="By the new path.")
    removed: Paths
    unchanged: int
    ignored: int = Field(description="Hidden files and the like, left out by rule.")
    skipped: list[Failed] = Field(description=f"Not indexed; the first {MOST_PATHS}.")
    skipped_count: int
    warnings: list[Text] = Field(description=f"Indexed, but not wholly; the first {MOST_PATHS}.")
    sentences: int
    seconds: float

    @classmethod
    def of_report(cls, source: str, report: SyncReport) -> Report:
        """Return the reply for `report` of the source with this name."""
        return cls(
            source=source,
            added=Paths.of_paths(report.added),
            updated=Paths.of_paths(report.updated),
            renamed=Paths.of_paths([new for _, new in report.renamed]),
            removed=Paths.of_paths(report.removed),
            unchanged=report.unchanged,
            ignored=report.ignored,
            skipped=skipped(report.skipped),
            skipped_count=len(report.skipped),
            warnings=[one_line(warning) for warning in report.warnings[:MOST_PATHS]],
            sentences=report.sentences,
            seconds=round(report.seconds, 1),
        )


def skipped(skips: Sequence[Skip]) -> list[Failed]:
    """Return the first files of a report that were left out."""
    return [Failed.of_skip(skip) for skip in skips[:MOST_PATHS]]


class ProgressReply(Reply):
    """How far it is."""

    name: Text = Field(description="The file that is read.")
    files_done: int
    files: int
    sentences: int
    share: float = Field(description="From 0 to 1.")
    seconds_left: float | None


class SyncReply(Reply):
    """Where bringing the library up to date stands."""

    number: int = Field(description="Counts the runs.")
    running: bool
    cancelling: bool = Field(description="It will stop soon, because somebody asked.")
    cancelled: bool = Field(description="The last run was stopped.")
    source: Text = Field(description="What is brought up to date now.")
    waiting: Text = Field(description="Why it cannot begin yet.")
    progress: ProgressReply | None
    reports: list[Report] = Field(description="What this run, or the last one, has done.")
    problem: Text = Field(description="Why parts of it failed.")
    generation: int

    @classmethod
    def of_state(cls, state: SyncState, generation: int) -> SyncReply:
        """Return the reply for `state`."""
        now = state.progress
        return cls(
            number=state.number,
            running=state.running,
            cancelling=state.cancelling,
            cancelled=state.cancelled,
            source=state.source,
            waiting=state.waiting,
            progress=None
            if now is None
            else ProgressReply(
                name=file_name(now.path.rsplit("/", 1)[-1]),
                files_done=now.files_done,
                files=now.files,
                sentences=now.sentences,
                share=round(now.share, 4),
                seconds_left=None if now.seconds_left is None else round(now.seconds_left, 1),
            ),
            reports=[Report.of_report(done.source, done.report) for done in state.reports],
            problem=" ".join(state.problems),
            generation=generation,
        )


class Update(Request):
    """What shall be brought up to date: a batch that was sent, or sources."""

    batch: Batch | None = Field(None, description="Take in the files that were sent for it.")
    sources: list[Number] | None = Field(None, description="By number; all where it is left out.")
    yes: bool = Field(
        False, description="Also where more than half of a source's documents would leave."
    )


class PreviewEntry(Reply):
    """What would happen to one source."""

    source: SourceReply
    report: Report | None
    problem: Text
    asks: bool = Field(description="Needs `yes`: more than half of its documents would leave.")


class PreviewReply(Reply):
    """What bringing the library up to date would do."""

    sources: list[PreviewEntry]
    changes: int = Field(description="Documents that would be added, changed, renamed, removed.")

    @classmethod
    def of_previews(cls, previews: Sequence[Preview]) -> PreviewReply:
        """Return the reply for `previews`."""
        reports = [preview.report for preview in previews if preview.report is not None]
        counted = [part for r in reports for part in (r.added, r.updated, r.renamed, r.removed)]
        return cls(
            sources=[_entry(preview) for preview in previews],
            changes=sum(len(part) for part in counted),
        )


def _entry(preview: Preview) -> PreviewEntry:
    source = SourceReply.of_source(preview.source)
    report = preview.report
    return PreviewEntry(
        source=source,
        report=None if report is None else Report.of_report(source.name, report),
        problem=preview.problem,
        asks=preview.asks,
    )


DocumentList.model_rebuild()
Saved.model_rebuild()


def table_row(entry: DocumentEntry) -> list[Any]:
    """Return the values of `entry` in the order of `TABLE_COLUMNS`."""
    return [getattr(entry, column) for column in TABLE_COLUMNS]


TABLE_COLUMNS = tuple(DocumentEntry.model_fields)
