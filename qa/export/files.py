"""An answer or a whole conversation as a file: Markdown, HTML or JSON, with all that proves it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from qa.export.html import turns_to_html
from qa.export.json import turns_to_json
from qa.export.markdown import turns_to_markdown
from qa.export.parts import ExportedTurn, now

__all__ = [
    "ExportFile",
    "ExportFormat",
    "ExportedTurn",
    "conversation_to_html",
    "conversation_to_json",
    "conversation_to_markdown",
    "export",
    "export_name",
]

ExportFormat = Literal["markdown", "html", "json"]

_FILES: Mapping[ExportFormat, tuple[str, str]] = {
    "markdown": ("md", "text/markdown; charset=utf-8"),
    "html": ("html", "text/html; charset=utf-8"),
    "json": ("json", "application/json"),
}
_MOST_NAME = 60  # characters


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file for a download: an ASCII name, its media type and its bytes in UTF-8."""

    name: str
    media_type: str
    body: bytes


def export(title: str, turns: Sequence[ExportedTurn], format: ExportFormat) -> ExportFile:
    """Return `turns`, one answer or a whole conversation, as a file.

    Args:
        title: Of the conversation; "" for the first question.
        turns: In the order they were asked.
        format: The form of the file.
    """
    write = {
        "markdown": conversation_to_markdown,
        "html": conversation_to_html,
        "json": conversation_to_json,
    }[format]
    body = write(title, turns).encode("utf-8")
    return ExportFile(export_name(title or _first(turns), format), _FILES[format][1], body)


def conversation_to_markdown(
    title: str, turns: Sequence[ExportedTurn], *, made_at: str | None = None
) -> str:
    """Return the turns as Markdown; `made_at` is an ISO 8601 time, default now."""
    return turns_to_markdown(title, turns, made_at or now())


def conversation_to_html(
    title: str, turns: Sequence[ExportedTurn], *, made_at: str | None = None
) -> str:
    """Return the turns as one HTML page that loads nothing; `made_at` as above."""
    return turns_to_html(title, turns, made_at or now())


def conversation_to_json(
    title: str, turns: Sequence[ExportedTurn], *, made_at: str | None = None
) -> str:
    """Return the turns as JSON, texts exactly as stored; `made_at` as above."""
    return turns_to_json(title, turns, made_at or now())


def export_name(title: str, format: ExportFormat) -> str:
    """Return a name for the file that every system takes: "quoth-lift-inspections.html"."""
    # What has no Latin base letter is left out: a name in another script becomes a general one.
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii")
    words = re.findall(r"[a-z0-9]+", re.sub(r"['’]", "", plain.lower()))
    name = ""
    for word in words:
        if len(name) + 1 + len(word) > _MOST_NAME:
            break
        name += f"-{word}"
    return f"quoth{name or '-conversation'}.{_FILES[format][0]}"


def _first(turns: Sequence[ExportedTurn]) -> str:
    return turns[0].question if turns else ""
