"""Backups, verdicts and diagnoses as lines, for `qa.cli_upkeep`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from index.upkeep.check import Severity
from qa.lines import Line, Style, counted, human_bytes
from qa.verify import STATUSES, Verdict
from qa.visible import long_date, one_line, page_name

if TYPE_CHECKING:
    from index.upkeep.archive import Manifest
    from index.upkeep.backup import Backup
    from index.upkeep.copy import Copied
    from index.upkeep.restore import Restored
    from qa.doctor import Diagnosis

__all__ = [
    "backup_lines",
    "copied_lines",
    "diagnosis_lines",
    "manifest_lines",
    "restored_lines",
    "totals",
    "totals_line",
    "verdict_lines",
]

_LABEL = 12  # columns of what stands before a line
_SHOWN = 80  # characters of a quote


def _line(text: str, style: Style = "plain", *, label: str = "") -> Line:
    return Line.of(one_line(text), style, indent=_LABEL, label=label)


def backup_lines(backup: Backup) -> Iterator[Line]:
    """Yield what is in a backup that was made."""
    yield _line(f"{backup.path} ({human_bytes(backup.bytes)})", label="backup")
    parts = [counted(backup.documents, "document"), counted(backup.uploads, "uploaded file")]
    parts.append("conversations" if backup.conversations else "no conversations")
    yield _line(f"generation {backup.generation}: {', '.join(parts)}", label="in it")


def copied_lines(copied: Copied) -> Iterator[Line]:
    """Yield what was copied where."""
    yield _line(copied.target, label="copy")
    parts = [counted(copied.documents, "document"), counted(copied.sentences, "sentence")]
    parts.append(counted(copied.uploads, "uploaded file"))
    parts.append("conversations" if copied.conversations else "no conversations")
    yield _line(", ".join(parts), label="in it")


def manifest_lines(manifest: Manifest) -> Iterator[Line]:
    """Yield what a backup says of itself."""
    made = f"{long_date(manifest.made_at[:10])}, {manifest.made_at[11:16]} UTC"
    yield _line(f"{made}, by Quoth {manifest.quoth or 'from its source'}", label="made")
    files = counted(len(manifest.members), "file")
    yield _line(
        f"generation {manifest.generation}: {counted(manifest.documents, 'document')}, {files}, "
        f"{human_bytes(manifest.total)}",
        label="in it",
    )
    if manifest.model:
        yield _line(f"{manifest.model} ({manifest.fingerprint[:12]})", label="model")


def restored_lines(restored: Restored) -> Iterator[Line]:
    """Yield what was restored, and what is not on this machine."""
    yield _line(str(restored.path), label="restored")
    yield from manifest_lines(restored.manifest)
    for old, new in restored.moved:
        yield _line(f"{old} is {new} now", label="moved")
    for source in restored.absent:
        what = f"{source.location} ({source.kind}, {counted(source.documents, 'document')})"
        yield _line(
            f"{what} is not on this machine. Its documents answer all the same; where it lies "
            "now, say with `quoth relocate`, else a sync of it would take everything in twice.",
            "warning",
            label="not here",
        )
    for note in restored.notes:
        yield _line(note, "quiet", label="note")


def verdict_lines(verdicts: Sequence[Verdict]) -> Iterator[Line]:
    """Yield a line for each quote or document, with the reason where it is not verified."""
    for verdict in verdicts:
        style: Style = "plain" if verdict.status == "verified" else "warning"
        where = verdict.path or "a document"
        if verdict.page is not None:
            where += f" · {page_name(verdict.page)}"
        parts = [where, _quoted(verdict.text), verdict.detail]
        yield _line(" · ".join(filter(None, parts)), style, label=verdict.status)


def _quoted(text: str) -> str:
    shown = one_line(text)
    if not shown:
        return ""
    return f"“{shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + '…'}”"


def totals(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Return how many there are, and how many of each status that occurs."""
    counts = Counter(verdict.status for verdict in verdicts)
    return {"all": len(verdicts), **{name: counts[name] for name in STATUSES if counts[name]}}


def totals_line(verdicts: Sequence[Verdict], noun: str) -> Line:
    """Return "12 quotes: 11 verified, 1 changed"."""
    counts = totals(verdicts)
    every = counts.pop("all")
    parts = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    return Line.of(f"{counted(every, noun)}{': ' if parts else ''}{parts}", "strong")


def diagnosis_lines(diagnosis: Diagnosis) -> Iterator[Line]:
    """Yield what is so, what was mended, what is wrong with what to do, and how many that is."""
    for name, fact in diagnosis.facts:
        yield _line(fact, label=name)
    for done in diagnosis.done:
        yield _line(done, label="mended")
    for finding in diagnosis.findings:
        notice = finding.severity is Severity.NOTICE
        style: Style = "quiet" if notice else "warning"
        told = f"{finding.message} {finding.advice}".strip()
        yield _line(told, style, label="note" if notice else finding.severity)
    wrong = diagnosis.wrong
    yield Line()
    end = f"{counted(wrong, 'finding')}." if wrong else "Everything is in order."
    yield Line.of(end, "strong")
