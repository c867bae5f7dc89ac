"""What a check of a library tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

__all__ = ["REPAIR", "RESTORE", "Checkup", "Finding", "Severity"]

# What to do.
REPAIR = "Run `quoth doctor --repair`."
RESTORE = "Restore the library from a backup (`quoth restore`), or make it anew with `quoth sync`."


class Severity(StrEnum):
    """What a finding means for answers."""

    WRONG = "wrong"  # answers can be wrong, missing or refused
    SLOWER = "slower"  # answers are right; something derived is made again or missing
    NOTICE = "notice"  # nothing is wrong with answers: modes, leftovers, an older format


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in a library that is not as it should be.

    Attributes:
        kind: "library", "format", "database", "table", "document", "vector", "generation",
            "vectors" (the FAISS base), "words" (the Tantivy index), "upload", "leftover",
            "mode" or "log".
        where: A document's path, a file in the library, or a table.
        message: What is wrong; a sentence.
        advice: What to do; a sentence.
        severity: What it means for answers.
        repairable: Whether `repair_library` mends it from what is left.
        document: Number of the document it is about, if any.
        number: Number of the vector it is about, if any.
    """

    kind: str
    where: str
    message: str
    advice: str
    severity: Severity = Severity.WRONG
    repairable: bool = False
    document: int | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """What a check found, worst first, and what it looked at.

    Attributes:
        counts: How many of each were looked at: "documents", "passages", "sentences",
            "vectors", "uploads", "files", "bytes".
        format: Version of the library's format; 0 where it could not be read.
        generation: The published state; -1 where it could not be read.
    """

    path: Path
    format: int = 0
    generation: int = -1
    findings: tuple[Finding, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong; a notice is nothing wrong."""
        return all(finding.severity is Severity.NOTICE for finding in self.findings)
