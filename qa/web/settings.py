"""How the page is served: what the commands `quoth chat` and `quoth serve` decide."""

from __future__ import annotations

from dataclasses import dataclass, field

from qa.web.guard import Limits

__all__ = ["STATIC", "PageSettings"]

STATIC = "/quoth"  # where script and style are served; Gradio has /static and /assets


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """How the page is served.

    Attributes:
        title: What the page is called.
        read_only: Whether documents can neither be added nor removed.
        upload: Whether documents can be added.
        limits: Sizes of request bodies.
    """

    title: str = "Quoth"
    read_only: bool = False
    upload: bool = True
    limits: Limits = field(default_factory=Limits)

    @property
    def can_upload(self) -> bool:
        """Whether documents can be added."""
        return self.upload and not self.read_only
