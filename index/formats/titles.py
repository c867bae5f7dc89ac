"""Titles that programs write into files though nobody chose them."""

from __future__ import annotations

import re

__all__ = ["chosen_title"]

_BY_PROGRAM = re.compile(
    r"untitled.*|(?:microsoft|adobe|openoffice|libreoffice|word document)\b.*|"
    r".*\.(?:docx?|odt|rtf|indd|tex|dvi|pptx?|xlsx?|pdf|html?|txt)|"
    r"(?:document|dokument|slide|page)\s*\d*|\W*|https?:\S*",
    re.IGNORECASE,
)


def chosen_title(stated: str) -> str:
    """Return the title in a file's properties, or "" for the likes of "Document1"."""
    title = " ".join(stated.split())
    return "" if _BY_PROGRAM.fullmatch(title) else title
