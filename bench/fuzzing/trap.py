"""What a file made by hand to harm a reader is, and what must become of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Special"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Special:
    """A file with what must become of it; one of `says` and `reason` may be None.

    Attributes:
        file: Its name.
        data: Makes its bytes.
        says: Words that its document has.
        reason: A pattern that the reason of its refusal matches. With both, either will do.
        slow: Whether it takes more than a second or two.
    """

    file: str
    data: Callable[[], bytes]
    says: str | None = None
    reason: str | None = None
    slow: bool = False

    @property
    def name(self) -> str:
        """What it is, in words."""
        return self.file.rpartition(".")[0].replace("-", " ")
